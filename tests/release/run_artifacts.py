"""The artifacts of a small run, as the stages leave them: what the report is gathered from."""

import json
from collections.abc import Sequence
from pathlib import Path

from components.core.artifact import TIMINGS, seal
from components.core.comparison import BASELINE, CANDIDATE, CONTROL, POLICIES, Comparison
from components.core.example import Example, Family, Split, read_split
from components.core.question import Question, write_questions
from components.core.rollouts import write_curves
from components.core.sample import SAMPLES, Sample, write_samples
from components.core.suite import BenchmarkInfo, questions_path, write_suite
from components.release.gather import COST, RunArtifacts
from components.rewards.config import RewardsConfig
from components.surrogate.config import SurrogateConfig
from components.surrogate.fit import fit_surrogate
from components.training.audit import RolloutAudit
from tests.release.synthetic import HOSTILE, make_image, make_row
from tests.training.audited import batch

PUBLIC = "ocrbench"
PUBLIC_IDS = ("same-id", "broken")
_GROUP_SIZE = 2


def make_run(root: Path, dataset: Path) -> RunArtifacts:
    """A run on a dataset artifact, and on a public benchmark of two questions of which one's image is broken."""
    run = RunArtifacts(
        dataset=dataset,
        **{name: root / name for name in RunArtifacts.__dataclass_fields__ if name != "dataset"},
    )
    heldout = list(read_split(dataset, Split.HELD_OUT))
    fit_surrogate(dataset, run.surrogate, SurrogateConfig(max_examples=10), seed=0)
    _policy(run.base, {"base": {"kind": "tiny"}, "warm_start": {"careless_steps": 3}})
    for policy, rollouts in ((run.policy, run.rollouts), (run.control_policy, run.control_rollouts)):
        _policy(policy, {"seed": 4})
        _rollouts(rollouts, next(iter(read_split(dataset, Split.TRAIN))))
    questions = _questions(heldout)
    _suite(run.suite, questions)
    scores = {BASELINE: 0.0, CANDIDATE: 1.0, CONTROL: 0.0}
    folders = (run.baseline_evaluation, run.candidate_evaluation, run.control_evaluation)
    for policy, folder in zip(POLICIES, folders, strict=True):
        evaluation(folder, questions, scores[policy], timed=policy != CONTROL)
    _comparison(run.comparison, questions)
    return run


def evaluation(folder: Path, questions: dict[str, list[Question]], score: float, timed: bool = True) -> None:
    """An evaluation in which every answer is worth the same; the public ones are flagged."""
    folder.mkdir(parents=True)
    samples = [_sample(name, question, score) for name, own in questions.items() for question in own]
    write_samples(samples, folder / SAMPLES)
    if timed:
        (folder / TIMINGS).mkdir()
        (folder / TIMINGS / COST).write_text(json.dumps({PUBLIC: {"seconds": 2.0, "generated": 2}}))
    seal(folder, "evaluation", {"score": score})


def _policy(folder: Path, identity: dict[str, object]) -> None:
    folder.mkdir()
    (folder / "weights").write_bytes(b"weights")
    seal(folder, "policy", identity)


def _rollouts(folder: Path, example: Example) -> None:
    audit = RolloutAudit(folder)
    for step in range(2):
        made = batch(step, 1.0, 0.5)
        audit.append(type(made)(**{**made.__dict__, "example_ids": [example.id] * _GROUP_SIZE}), seconds=0.5)
    write_curves(folder, [{"step": 1.0, "reward": 0.5}], [{"step": 1.0, "reward_seconds": 0.1, "step_seconds": 1.0}])
    identity = {"seed": 4, "rewards": RewardsConfig().identity(), "training": {"num_generations": _GROUP_SIZE}}
    seal(folder, "rollouts", identity)


def _questions(heldout: Sequence[Example]) -> dict[str, list[Question]]:
    found: dict[str, list[Question]] = {}
    for example in heldout:
        found.setdefault(f"heldout_{example.family.value}", []).append(
            Question(
                id=example.id,
                parts=("",) * len(example.images) + (example.question,),
                images=example.images,
                references=example.references,
                cluster=example.id,
            )
        )
    images = (make_image(3), b"broken")
    found[PUBLIC] = [
        Question(id=id_, parts=("", HOSTILE), images=(image,), references=("one",), cluster=id_)
        for id_, image in zip(PUBLIC_IDS, images, strict=True)
    ]
    return found


def _suite(folder: Path, questions: dict[str, list[Question]]) -> None:
    for name, own in questions.items():
        questions_path(folder, name).parent.mkdir(parents=True)
        write_questions(own, questions_path(folder, name))
    write_suite(
        folder,
        [
            BenchmarkInfo(
                name=name,
                family=_family(name),
                version=1.0,
                questions=len(own),
                expected=1000 if name == PUBLIC else 0,
            )
            for name, own in questions.items()
        ],
    )
    seal(folder, "suite", {})


def _family(benchmark: str) -> Family:
    return Family.OCR if benchmark == PUBLIC else Family(benchmark.removeprefix("heldout_"))


def _sample(benchmark: str, question: Question, score: float) -> Sample:
    public = benchmark == PUBLIC
    return Sample(
        benchmark=benchmark,
        family=_family(benchmark).value,
        id=question.id,
        cluster=question.cluster,
        groups={"type": HOSTILE} if public else {},
        question=question.prompt,
        prompt=f"<user>{question.prompt}",
        references=question.references,
        completion=f"<think>x</think><answer>{question.references[0]}</answer>",
        extracted=question.references[0],
        score=score,
        strict=score,
        rule="number",
        flags=("no answer", "truncated") if public else (),
        category="right" if score else "wrong",
        format=not public,
        length_tokens=7,
        prompt_tokens=70,
    )


def _comparison(folder: Path, questions: dict[str, list[Question]]) -> None:
    folder.mkdir()
    rows = {name: make_row(len(own), 0.0, 1.0, 0.0, width=0.1) for name, own in questions.items()}
    Comparison(
        metric="strict",
        overall=make_row(sum(map(len, questions.values())), 0.0, 1.0, 0.0, width=0.1),
        families={_family(name).value: row for name, row in rows.items()},
        benchmarks=rows,
        promoted=True,
        reasons=["It gained."],
    ).save(folder)
    seal(folder, "comparison", {})
