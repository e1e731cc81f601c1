"""A small report made of real dataclasses and real images, with hostile text in it."""

import io

from PIL import Image

from components.core.comparison import BASELINE, CANDIDATE, CONTROL, POLICIES, ScoreRow
from components.release.report_data import (
    AnswerView,
    ArtifactRow,
    ReportData,
    RolloutGroupView,
    RolloutView,
    SampleView,
)

FAMILIES = ("math", "ocr", "vqa", "open_ended")
FALLEN = "ocr"
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u2028{{ 7 * 7 }}"
_PARTS_OUTSIDE_GROUPS = {"length": "evaluation answers once, and the length penalty compares the answers of a group"}


def make_report(num_samples: int = 30) -> ReportData:
    """A report of a promoted run in which one family fell."""
    return ReportData(
        pipeline="synthetic",
        run_id="run-0001",
        created_at="2026-01-31 12:00 UTC",
        seed=7,
        recipe={"training": {"steps": 20, "note": HOSTILE}},
        overall=make_row(40, 0.41, 0.58, 0.47, width=0.05),
        families={
            family: make_row(10, 0.50, 0.42 if family == FALLEN else 0.63, 0.52, width=0.06) for family in FAMILIES
        },
        promoted=True,
        reasons=["The overall gain is 17.0 points.", HOSTILE],
        artifacts=[
            ArtifactRow(role, role, f"{number:064x}", "0.1.0+abcdef012345")
            for number, role in enumerate(("dataset", "policy", "rollouts"), start=0x123456789ABC << 208)
        ],
        libraries={"torch": "2.13.0", "trl": "1.16.0"},
        curves={policy: [_curve_point(step) for step in range(1, 21)] for policy in (CANDIDATE, CONTROL)},
        reward_time={
            CANDIDATE: {"reward_seconds": 0.0125, "step_seconds": 0.5, "reward_share": 0.025},
            CONTROL: {"reward_seconds": 0.01, "step_seconds": 0.5, "reward_share": 0.02},
        },
        lengths={
            policy: [12 + (7 * number + shift) % 15 for number in range(40)] for shift, policy in enumerate(POLICIES)
        },
        health={policy: {"no_answer": 0.025, "truncated": 0.05, "format": 0.9} for policy in POLICIES},
        dataset={
            "rows_in": 100,
            "rows_kept": 98,
            "rows_quarantined": 2,
            "quarantined_by_reason": {HOSTILE: 2},
            "by_split": {"train": 58, "heldout": 40},
            "sources": [{"name": "drawn pictures", "licence": "Apache-2.0", "fingerprint": "f" * 64}],
        },
        surrogate={"num_pairs": 120.0, "heldout_pairwise_accuracy": 0.91, "heldout_brier": 0.08},
        samples=[make_sample(number) for number in range(num_samples)],
        rollout_groups=[_group(step) for step in (1, 5, 9, 13)],
        limits=["One seed.", HOSTILE],
    )


def make_row(n: int, baseline: float, candidate: float, control: float, width: float) -> ScoreRow:
    """Scores whose intervals all reach `width` to either side."""

    def around(value: float) -> tuple[float, float]:
        return value - width, value + width

    scores = {BASELINE: baseline, CANDIDATE: candidate, CONTROL: control}
    return ScoreRow(
        n=n,
        scores=scores,
        ci95={policy: around(score) for policy, score in scores.items()},
        difference=candidate - baseline,
        difference_ci95=around(candidate - baseline),
        over_control=candidate - control,
        over_control_ci95=around(candidate - control),
        wins=4,
        losses=2,
    )


def make_sample(number: int) -> SampleView:
    """Every third sample improved, regressed or unchanged; six distinct images in all."""
    before, after = ((0.0, 1.0), (1.0, 0.0), (1.0, 1.0))[number % 3]
    scores = {BASELINE: before, CANDIDATE: after, CONTROL: before}
    return SampleView(
        id=f"{number:016x}",
        family=FAMILIES[number % 4],
        images=[make_image(number % 6)],
        question=f"Question {number}: which number is shown? {HOSTILE}",
        references=[str(number), f"number {number}"],
        answers={policy: _answer(number, score) for policy, score in scores.items()},
    )


def make_image(shade: int) -> bytes:
    """A PNG of one grey."""
    stream = io.BytesIO()
    Image.new("RGB", (28, 28), (40 * shade,) * 3).save(stream, format="PNG")
    return stream.getvalue()


def _answer(number: int, score: float) -> AnswerView:
    return AnswerView(
        text=f"<think>It looks like {number}. {HOSTILE}</think><answer>{number}</answer>",
        extracted=str(number) if score else None,
        score=score,
        parts={"accuracy": score, "format": 0.2},
        not_applicable=_PARTS_OUTSIDE_GROUPS,
        flags=[] if score else ["no answer", HOSTILE],
        length_tokens=17,
    )


def _curve_point(step: int) -> dict[str, float]:
    parts = {"accuracy": step / 40, "length": -0.1 / step, "format": 0.15}
    other = {"completion_length": 20.0 + step % 5, "entropy": 1 / step, "groups_without_signal": 0.25}
    return {"step": float(step), "reward": sum(parts.values()), **parts, **other}


def _group(step: int) -> RolloutGroupView:
    return RolloutGroupView(
        step=step,
        images=[make_image(step % 6)],
        question=f"How many? {HOSTILE}",
        references=["3"],
        rollouts=[_rollout(correct=index == 0) for index in range(4)],
    )


def _rollout(correct: bool) -> RolloutView:
    return RolloutView(
        completion=f"<think>I count. {HOSTILE}</think><answer>{3 if correct else 4}</answer>",
        total=1.2 if correct else 0.1,
        parts={"accuracy": float(correct), "format": 0.2} | ({} if correct else {"length": -0.1}),
        not_applicable={"length": "the verifier could not decide"} if correct else {},
        advantage=0.825 if correct else -0.275,
        rule="number",
    )
