"""What a report does not show, in plain words, according to what was run."""

from collections.abc import Mapping
from typing import Any

from components.core.artifact import Manifest
from components.core.suite import BenchmarkInfo
from components.release.samples import HELD_OUT
from components.release.words import points

_OWN_QUESTIONS = (
    "The held-out questions are not a public benchmark: handwritten digits and drawn pictures made by this project. "
    "Their scores say nothing about MathVista, OCRBench or any other set."
)
_TINY_POLICY = (
    "The policy is a Qwen2.5-VL of about a million parameters made for this run. It shows that the pipeline works and "
    "what the rewards do; how a 3B model gains has to be measured on one."
)
_TAUGHT_HABITS = (
    "The warm start taught the policy two habits on purpose: to look and reason, and to guess. GRPO was seen to choose "
    "between them; it elicits what the warm start taught and teaches no new perception."
)


def limits_of(manifests: Mapping[str, Manifest]) -> list[str]:
    """The limits that hold for a run.

    Args:
        manifests: The run's manifests by role; "dataset", "base" and "rollouts" are read.
    """
    return [
        *_limits_of_the_recipe(manifests["base"].identity, manifests["dataset"].identity),
        "The control keeps the length penalty, and that penalty knows which completions were correct: it still carries "
        "some accuracy signal.",
        "Open-ended answers were trained on the surrogate's score and are judged here by which facts they state; "
        "nobody has judged their wording.",
        "The surrogate's held-out pairs are made by the same rules as the pairs it was fitted on; on answers of "
        "another kind it will be worse.",
        f"One training seed ({manifests['rollouts'].identity['seed']}): the intervals cover the choice of questions, "
        "not the spread over seeds.",
        "A family is the unweighted mean of its benchmarks, and overall that of all benchmarks: a small set counts as "
        "much as a large one.",
    ]


def benchmark_limits(info: BenchmarkInfo) -> list[str]:
    """What a reader of a benchmark's score should know, a sentence each."""
    return [
        *_which_questions(info),
        f"Judged by: {info.scoring.rstrip('.')}." if info.scoring else "How answers are judged is not recorded.",
        _chance(info),
        _prompt(info),
        _contamination(info),
        *info.notes,
    ]


def _limits_of_the_recipe(base: Mapping[str, Any], dataset: Mapping[str, Any]) -> list[str]:
    limits = []
    if any(source["kind"] == "quickstart" for source in dataset["curation"]["sources"]):
        limits.append(_OWN_QUESTIONS)
    if base["base"]["kind"] == "tiny":
        limits.append(_TINY_POLICY)
    if base["warm_start"]["careless_steps"]:
        limits.append(_TAUGHT_HABITS)
    return limits


def _which_questions(info: BenchmarkInfo) -> list[str]:
    split = f"Split {info.split}" if info.split else "The split is not recorded"
    if info.is_whole:
        return [f"{split}, {'all ' if info.expected else ''}{info.questions:,} questions."]
    return [
        f"{split}, {info.questions:,} of {info.expected:,} questions: a part of the published set, whose score is not "
        "comparable with published ones."
    ]


def _chance(info: BenchmarkInfo) -> str:
    if info.chance is None:
        return "What guessing would score is not known."
    return f"Guessing scores {points(info.chance)} points."


def _prompt(info: BenchmarkInfo) -> str:
    if info.policy_prompt:
        return "The policy's own prompt template is put around the questions, so that they are asked as in training."
    return "The questions are asked with the benchmark's own prompt alone, unlike in training."


def _contamination(info: BenchmarkInfo) -> str:
    if info.name.startswith(HELD_OUT):
        return "The questions come from the sources of the training data; training has not seen them."
    return (
        "A public set: the base model may have met it in its own training, which nothing here can rule out. That lifts "
        "all three policies, and their differences less."
    )
