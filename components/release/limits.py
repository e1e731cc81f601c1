"""What a report does not show, in plain words, according to what was run."""

from collections.abc import Mapping

from components.core.artifact import Manifest


def limits_of(manifests: Mapping[str, Manifest]) -> list[str]:
    """The limits that hold for a run.

    Args:
        manifests: The run's manifests by role; "dataset", "base" and "rollouts" are read.
    """
    base = manifests["base"].identity
    sources = manifests["dataset"].identity["curation"]["sources"]
    limits = []
    if any(source["kind"] == "quickstart" for source in sources):
        limits.append(
            "The questions are not a public benchmark: handwritten digits and drawn pictures made by this project. "
            "The scores say nothing about MathVista, OCRBench or any other set."
        )
    if base["base"]["kind"] == "tiny":
        limits.append(
            "The policy is a Qwen2.5-VL of about a million parameters made for this run. It shows that the pipeline "
            "works and what the rewards do; how a 3B model gains has to be measured on one."
        )
    if base["warm_start"]["careless_steps"]:
        limits.append(
            "The warm start taught the policy two habits on purpose: to look and reason, and to guess. GRPO was seen "
            "to choose between them; it elicits what the warm start taught and teaches no new perception."
        )
    limits += [
        "The control keeps the length penalty, and that penalty knows which completions were correct: it still carries "
        "some accuracy signal.",
        "Open-ended answers were trained on the surrogate's score and are judged here by which facts they state; "
        "nobody has judged their wording.",
        "The surrogate's held-out pairs are made by the same rules as the pairs it was fitted on; on answers of "
        "another kind it will be worse.",
        f"One training seed ({manifests['rollouts'].identity['seed']}): the intervals cover the choice of held-out "
        "examples, not the spread over seeds.",
    ]
    return limits
