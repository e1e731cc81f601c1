"""A small report made of real dataclasses and real images, with hostile text in it."""

import io
from dataclasses import replace
from statistics import fmean

from PIL import Image

from components.core.comparison import BASELINE, CANDIDATE, CONTROL, POLICIES, Comparison, GroupRow, ScoreRow
from components.core.example import Family
from components.core.sample import CATEGORIES
from components.core.suite import BenchmarkInfo
from components.release.limits import benchmark_limits
from components.release.report_data import (
    AnswerView,
    ArtifactRow,
    ReportData,
    RolloutGroupView,
    RolloutView,
    SampleView,
)

FAMILIES = ("math", "ocr", "vqa", "open_ended")
BENCHMARKS = {
    "heldout_math": "math",
    "heldout_ocr": "ocr",
    "heldout_vqa": "vqa",
    "heldout_open_ended": "open_ended",
    "mathvista_testmini": "math",
    "ocrbench": "ocr",
    "chartqa_test": "vqa",
}
"""Family by benchmark: three families have two, one has one."""
FALLEN = "ocrbench"
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u2028{{ 7 * 7 }}"
HOSTILE_FLAG = f"flag {HOSTILE}"
_PARTS_OUTSIDE_GROUPS = {"length": "evaluation answers once, and the length penalty compares the answers of a group"}


def make_report(num_samples: int = 42) -> ReportData:
    """A report of a promoted run in which one benchmark fell."""
    suite = [make_info(name) for name in BENCHMARKS]
    return ReportData(
        pipeline="synthetic",
        run_id="run-0001",
        created_at="2026-01-31 12:00 UTC",
        seed=7,
        recipe={"training": {"steps": 20, "note": HOSTILE}},
        comparison=make_comparison(),
        suite=suite,
        cost={
            name: {policy: make_cost() for policy in POLICIES} for name in BENCHMARKS if name != "heldout_open_ended"
        },
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
        surrogate={"num_rows": 120.0, "heldout_pairwise_accuracy": 0.91, "heldout_brier": 0.08},
        samples=[make_sample(number) for number in range(num_samples)],
        rollout_groups=[_group(step) for step in (1, 5, 9, 13)],
        limits=["One seed.", HOSTILE],
        benchmark_limits={info.name: benchmark_limits(info) for info in suite},
    )


def make_info(name: str) -> BenchmarkInfo:
    """A benchmark; OCRBench is a tenth of its published set, and its texts are hostile."""
    part = name == FALLEN
    return BenchmarkInfo(
        name=name,
        family=Family(BENCHMARKS[name]),
        version=1.0,
        questions=10,
        expected=1000 if part else 10,
        split=f"test {HOSTILE}" if part else "test",
        source=f"hub:{name}@0123456 {HOSTILE}" if part else f"hub:{name}@0123456",
        licence=HOSTILE if part else "CC BY-SA 4.0",
        scoring=f"containment {HOSTILE}" if part else "the published script, no judge",
        chance=None if part else 0.25,
        out_of=1000 if part else None,
        breakdowns=("type",),
        notes=(HOSTILE,) if part else ("Its float questions are rounded.",),
    )


def make_comparison() -> Comparison:
    """Ten questions a benchmark; all gained 13 points, except that one lost 8."""
    rows = {
        name: replace(
            make_row(10, 0.50, 0.42 if name == FALLEN else 0.63, 0.52, width=0.06),
            p_value=0.0004 if name == FALLEN else 0.01,
            p_adjusted=0.0004 if name == FALLEN else 0.07,
            minimal_detectable=0.062,
        )
        for name in BENCHMARKS
    }
    members = {family: [name for name in BENCHMARKS if BENCHMARKS[name] == family] for family in FAMILIES}
    return Comparison(
        metric="strict",
        overall=make_row(70, 0.41, 0.58, 0.47, width=0.05),
        families={family: _mean_row([rows[name] for name in names]) for family, names in members.items()},
        benchmarks=rows,
        promoted=True,
        reasons=["The overall gain is 17.0 points.", HOSTILE],
        other_scores={name: {BASELINE: 0.55, CANDIDATE: 0.66, CONTROL: 0.56} for name in BENCHMARKS},
        breakdowns={
            "heldout_math": {},
            "chartqa_test": {"split": {"human": make_group(6, 0.5, 0.4), "augmented": make_group(4, 0.5, 0.9)}},
            FALLEN: {"type": {HOSTILE: make_group(5, 0.2, 0.4), "Digit String": make_group(5, 0.8, 0.6)}},
        },
        health={
            name: {
                policy: {
                    "no answer": 0.1,
                    HOSTILE_FLAG: 0.0,
                    "format": 0.9,
                    "length_tokens": 17.0,
                    "prompt_tokens": 99.5,
                }
                for policy in POLICIES
            }
            for name in BENCHMARKS
        },
        categories={
            name: {policy: {**dict.fromkeys(CATEGORIES, 0), "right": 6, "wrong": 3, HOSTILE: 1} for policy in POLICIES}
            for name in BENCHMARKS
        },
    )


def make_group(n: int, baseline: float, candidate: float) -> GroupRow:
    """A row of a breakdown whose interval reaches 0.1 to either side."""
    difference = candidate - baseline
    scores = {BASELINE: baseline, CANDIDATE: candidate, CONTROL: baseline}
    return GroupRow(n, scores, difference, (difference - 0.1, difference + 0.1))


def make_cost() -> dict[str, float]:
    """Eight of ten questions generated in four seconds."""
    return {
        "seconds": 4.0,
        "generated": 8,
        "from_journal": 2,
        "prompt_tokens": 1234,
        "completion_tokens": 567,
        "batch_size": 16,
    }


def _mean_row(rows: list[ScoreRow]) -> ScoreRow:
    baseline, candidate, control = (fmean(row.scores[policy] for row in rows) for policy in POLICIES)
    mean = make_row(sum(row.n for row in rows), baseline, candidate, control, width=0.06)
    return replace(mean, wins=sum(row.wins for row in rows), losses=sum(row.losses for row in rows))


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
        clusters=n,
        relative=(candidate - baseline) / baseline if baseline else None,
    )


def make_sample(number: int) -> SampleView:
    """Benchmarks in turn; every third sample improved, regressed or unchanged; six distinct images in all."""
    before, after = ((0.0, 1.0), (1.0, 0.0), (1.0, 1.0))[number % 3]
    scores = {BASELINE: before, CANDIDATE: after, CONTROL: before}
    benchmark = list(BENCHMARKS)[number % len(BENCHMARKS)]
    return SampleView(
        benchmark=benchmark,
        family=BENCHMARKS[benchmark],
        id=f"{number:016x}",
        groups={"split": "human" if number % 2 else "augmented", HOSTILE: HOSTILE},
        images=[make_image(number % 6)] if number % 6 else [],
        images_note="" if number % 6 else f"Left out {HOSTILE}",
        question=f"<image>Question {number}: which number is shown? {HOSTILE}",
        references=[str(number), f"number {number}", HOSTILE],
        answers={policy: _answer(number, score, benchmark.startswith("heldout_")) for policy, score in scores.items()},
    )


def make_image(shade: int) -> bytes:
    """A PNG of one grey."""
    stream = io.BytesIO()
    Image.new("RGB", (28, 28), (40 * shade,) * 3).save(stream, format="PNG")
    return stream.getvalue()


def _answer(number: int, score: float, held_out: bool) -> AnswerView:
    return AnswerView(
        text=f"<think>It looks like {number}. {HOSTILE}</think><answer>{number}</answer>",
        prompt=f"<|im_start|>user Question {number} {HOSTILE}",
        extracted=str(number) if score else None,
        score=score,
        strict=score,
        rule=f"letter {HOSTILE}",
        category="right" if score else "no answer",
        flags=[] if score else ["no answer", HOSTILE_FLAG],
        problem="" if score else f"the model failed {HOSTILE}",
        format=True,
        length_tokens=17,
        prompt_tokens=99,
        parts={"accuracy": score, "format": 0.2} if held_out else {},
        not_applicable=_PARTS_OUTSIDE_GROUPS if held_out else {},
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
