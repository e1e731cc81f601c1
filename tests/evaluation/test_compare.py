from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from components.core.artifact import seal, verify
from components.core.comparison import POLICIES, Comparison
from components.core.errors import ArtifactError
from components.core.sample import CATEGORIES, SAMPLES, Sample, write_samples
from components.evaluation.compare import ComparisonResult, compare, comparison_of, flat_metrics
from components.evaluation.config import DecisionConfig

_N = 100
_CONFIG = DecisionConfig(resamples=2000)
_FAMILIES = {"heldout_math": "math", "mathvista_testmini": "math", "ocrbench": "ocr"}


def _sample(benchmark: str, number: int, score: float, **values: object) -> Sample:
    fields = {
        "benchmark": benchmark,
        "family": _FAMILIES.get(benchmark, "vqa"),
        "id": str(number),
        "cluster": f"image {number}",
        "question": "?",
        "prompt": "?",
        "references": ("7",),
        "completion": "7",
        "extracted": "7",
        "score": score,
        "strict": score,
        "rule": "number",
        "category": "right" if score == 1 else "wrong",
        "format": True,
        "length_tokens": 10,
        "prompt_tokens": 100,
    }
    return Sample(**{**fields, **values})  # type: ignore[arg-type]


def _benchmark(name: str, share: float, size: int = _N, **values: object) -> list[Sample]:
    """A benchmark whose first questions are right."""
    return [_sample(name, number, float(number < share * size), **values) for number in range(size)]


def _samples(**shares: Mapping[str, float]) -> dict[str, list[Sample]]:
    return {
        policy: [sample for name, share in shares[policy].items() for sample in _benchmark(name, share)]
        for policy in POLICIES
    }


def _three(baseline: float, candidate: float, control: float) -> dict[str, list[Sample]]:
    """One benchmark, so that there is little to look at."""
    shares = (baseline, candidate, control)
    return {policy: _benchmark("ocrbench", share) for policy, share in zip(POLICIES, shares, strict=True)}


_GAINED = _samples(
    baseline={"heldout_math": 0.2, "mathvista_testmini": 0.3, "ocrbench": 0.5},
    candidate={"heldout_math": 0.6, "mathvista_testmini": 0.5, "ocrbench": 0.6},
    control={"heldout_math": 0.3, "mathvista_testmini": 0.3, "ocrbench": 0.5},
)


def _evaluations(folder: Path, samples: Mapping[str, list[Sample]]) -> dict[str, Path]:
    for policy in POLICIES:
        (folder / policy).mkdir()
        write_samples(samples[policy], folder / policy / SAMPLES)
        seal(folder / policy, "evaluation", {})
    return {policy: folder / policy for policy in POLICIES}


def _compare(folder: Path, samples: Mapping[str, list[Sample]]) -> ComparisonResult:
    return compare(_evaluations(folder, samples), folder / "comparison", _CONFIG)


def test_clear_gain_is_promoted_and_sealed_with_its_inputs(tmp_path: Path) -> None:
    result = _compare(tmp_path, _GAINED)

    manifest = verify(tmp_path / "comparison", "comparison")
    assert result.promoted
    assert manifest.fingerprint == result.manifest.fingerprint
    assert manifest.identity == {"decision": _CONFIG.identity()}
    assert {role: reference.kind for role, reference in manifest.inputs.items()} == dict.fromkeys(
        POLICIES, "evaluation"
    )


def test_what_is_saved_is_what_the_samples_say_in_memory(tmp_path: Path) -> None:
    result = _compare(tmp_path, _GAINED)

    saved, again = Comparison.load(tmp_path / "comparison"), comparison_of(_GAINED, _CONFIG)

    assert replace(saved, reasons=tuple(saved.reasons)) == again
    assert result.reasons == list(again.reasons)
    assert result.metrics == flat_metrics(again)


def test_benchmark_row_says_what_the_scores_say() -> None:
    row = comparison_of(_GAINED, _CONFIG).benchmarks["heldout_math"]

    assert row.scores == pytest.approx({"baseline": 0.2, "candidate": 0.6, "control": 0.3})
    assert (row.n, row.clusters, row.wins, row.losses, row.ties) == (100, 100, 40, 0, 60)
    assert row.difference == pytest.approx(0.4)
    assert row.over_control == pytest.approx(0.3)
    assert row.relative == pytest.approx(2.0)
    assert row.ci95["baseline"] == pytest.approx(tuple(binomtest(20, 100).proportion_ci(method="wilson")))
    assert row.p_value == pytest.approx(2 / 2**40)
    assert row.p_adjusted == pytest.approx(3 * 2 / 2**40)
    # 40 steps of 1 in 100: a standard deviation of sqrt(0.24 * 100 / 99).
    assert row.minimal_detectable == pytest.approx(2.80159 * np.sqrt(0.24 / 99), rel=1e-5)


def test_families_and_overall_weigh_benchmarks_alike_whatever_their_size() -> None:
    sizes = {"heldout_math": 300, "mathvista_testmini": 20, "ocrbench": 50}
    shares = {"baseline": (0.2, 0.5, 0.4), "candidate": (0.5, 0.6, 0.6), "control": (0.2, 0.5, 0.4)}
    samples = {
        policy: [
            sample
            for (name, size), share in zip(sizes.items(), shares[policy], strict=True)
            for sample in _benchmark(name, share, size)
        ]
        for policy in POLICIES
    }

    comparison = comparison_of(samples, _CONFIG)

    math, overall = comparison.families["math"], comparison.overall
    assert list(comparison.families) == ["math", "ocr"]
    assert (math.n, overall.n, math.clusters) == (320, 370, 320)
    assert math.difference == pytest.approx((0.3 + 0.1) / 2)
    assert overall.difference == pytest.approx((0.3 + 0.1 + 0.2) / 3)
    assert overall.scores["baseline"] == pytest.approx((0.2 + 0.5 + 0.4) / 3)
    assert overall.relative == pytest.approx(0.6 / 1.1)
    assert (overall.p_adjusted, math.p_adjusted) == (None, None)
    assert overall.p_value is not None
    assert overall.p_value < 0.01


def test_family_of_one_benchmark_says_what_the_benchmark_does() -> None:
    comparison = comparison_of(_GAINED, _CONFIG)

    assert replace(comparison.benchmarks["ocrbench"], p_adjusted=None) == comparison.families["ocr"]


def test_row_of_a_benchmark_does_not_depend_on_the_others() -> None:
    alone = {policy: [sample for sample in _GAINED[policy] if sample.benchmark == "ocrbench"] for policy in POLICIES}
    mixed = {policy: sorted(_GAINED[policy], key=lambda sample: int(sample.id)) for policy in POLICIES}

    rows = [comparison_of(samples, _CONFIG).benchmarks["ocrbench"] for samples in (_GAINED, mixed, alone)]

    assert rows[0] == rows[1] == replace(rows[2], p_adjusted=rows[0].p_adjusted)


def test_questions_that_share_an_image_count_as_one_unit() -> None:
    samples = _three(0.4, 0.6, 0.4)
    shared = {
        policy: [replace(sample, cluster=str(int(sample.id) // 5)) for sample in rows]
        for policy, rows in samples.items()
    }

    apart, together = (comparison_of(each, _CONFIG).benchmarks["ocrbench"] for each in (samples, shared))

    assert (together.n, together.clusters) == (100, 20)
    assert together.difference == apart.difference
    assert np.diff(together.difference_ci95) > 1.8 * np.diff(apart.difference_ci95)
    assert apart.p_value is not None
    assert together.p_value is not None
    assert together.p_value > apart.p_value


def test_baseline_of_0_has_no_relative_gain() -> None:
    assert comparison_of(_three(0.0, 0.5, 0.0), _CONFIG).overall.relative is None


def test_single_question_has_no_p_value_and_the_widest_interval() -> None:
    samples = {policy: _benchmark("ocrbench", 1.0, size=1) for policy in POLICIES}

    comparison = comparison_of(samples, _CONFIG)

    row = comparison.benchmarks["ocrbench"]
    assert (row.p_value, row.p_adjusted, row.minimal_detectable) == (None, None, None)
    assert row.difference_ci95 == (-1.0, 1.0)
    assert not comparison.promoted


def test_metric_of_the_config_is_judged_and_the_other_one_is_told() -> None:
    samples = {
        policy: [replace(sample, score=1.0) for sample in rows] for policy, rows in _three(0.2, 0.6, 0.2).items()
    }

    strict, official = (
        comparison_of(samples, DecisionConfig(metric=metric, resamples=1000)) for metric in ("strict", "score")
    )

    assert (strict.metric, strict.promoted) == ("strict", True)
    assert strict.overall.difference == pytest.approx(0.4)
    assert strict.other_scores == {"ocrbench": dict.fromkeys(POLICIES, 1.0)}
    assert (official.metric, official.promoted) == ("score", False)
    assert official.other_scores["ocrbench"] == pytest.approx({"baseline": 0.2, "candidate": 0.6, "control": 0.2})


def test_breakdowns_are_by_name_and_value_of_the_groups() -> None:
    samples = {
        policy: [
            replace(sample, groups={"skill": "algebra" if int(sample.id) < 30 else "geometry"} if number else {})
            for number, sample in enumerate(rows)
        ]
        for policy, rows in _three(0.2, 0.6, 0.3).items()
    }

    rows = comparison_of(samples, _CONFIG).breakdowns["ocrbench"]["skill"]

    # Of questions 1 to 29, 19 are right before and all after; of 30 to 99 none before and 30 after.
    assert list(rows) == ["algebra", "geometry"]
    assert (rows["algebra"].n, rows["geometry"].n) == (29, 70)
    assert rows["algebra"].scores == pytest.approx({"baseline": 19 / 29, "candidate": 1.0, "control": 1.0})
    assert rows["geometry"].difference == pytest.approx(30 / 70)
    low, high = rows["geometry"].difference_ci95
    assert (low, high) == pytest.approx((30 / 70 - 0.116, 30 / 70 + 0.116), abs=0.02)


def test_group_of_one_question_is_shown() -> None:
    samples = {policy: [*rows[:-1], replace(rows[-1], groups={"skill": "rare"})] for policy, rows in _GAINED.items()}

    row = comparison_of(samples, _CONFIG).breakdowns["ocrbench"]["skill"]["rare"]

    assert (row.n, row.difference_ci95) == (1, (-1.0, 1.0))


def test_health_has_the_flags_of_all_policies() -> None:
    samples = _three(0.2, 0.6, 0.3)
    samples["baseline"][0] = replace(samples["baseline"][0], flags=("truncated", "no answer"), format=False)
    samples["candidate"][0] = replace(samples["candidate"][0], flags=("repetition",), length_tokens=510)

    health = comparison_of(samples, _CONFIG).health["ocrbench"]

    usual = {"no answer": 0.0, "repetition": 0.0, "truncated": 0.0, "format": 1.0}
    lengths = {"length_tokens": 10.0, "prompt_tokens": 100.0}
    assert health["control"] == {**usual, **lengths}
    assert health["baseline"] == {**usual, "no answer": 0.01, "truncated": 0.01, "format": 0.99, **lengths}
    assert health["candidate"] == {**usual, "repetition": 0.01, **lengths, "length_tokens": 15.0}


def test_categories_are_counted_in_their_order() -> None:
    samples = _three(0.2, 0.6, 0.3)
    samples["control"][99] = replace(samples["control"][99], category="near miss")

    counts = comparison_of(samples, _CONFIG).categories["ocrbench"]

    assert list(counts["control"]) == list(CATEGORIES)
    assert (counts["control"]["right"], counts["control"]["wrong"], counts["control"]["near miss"]) == (30, 69, 1)
    assert sum(counts["baseline"].values()) == 100


def test_metrics_are_unique_by_family_and_benchmark() -> None:
    names = {"ocr": 0.2, "heldout_math": 0.2, "overall": 0.2}
    samples = _samples(baseline=names, candidate=dict.fromkeys(names, 0.3), control=names)
    samples = {
        policy: [replace(sample, family="ocr" if sample.benchmark != "heldout_math" else "math") for sample in rows]
        for policy, rows in samples.items()
    }

    metrics = flat_metrics(comparison_of(samples, _CONFIG))

    rows = ("overall", "ocr", "math", "benchmark_ocr", "heldout_math", "benchmark_overall")
    assert set(metrics) == {f"{row}_{key}" for row in rows for key in ("baseline", "candidate", "gain")}
    assert metrics["math_gain"] == pytest.approx(0.1)
    assert metrics["benchmark_ocr_candidate"] == pytest.approx(0.3)


def test_benchmark_that_fell_blocks_promotion_by_name() -> None:
    samples = _samples(
        baseline={"heldout_math": 0.2, "ocrbench": 0.5},
        candidate={"heldout_math": 0.9, "ocrbench": 0.3},
        control={"heldout_math": 0.2, "ocrbench": 0.5},
    )

    comparison = comparison_of(samples, _CONFIG)

    assert not comparison.promoted
    assert "The benchmark ocrbench lost 20.0 points, significantly" in comparison.reasons[1]


def test_gain_that_may_be_chance_is_not_promoted() -> None:
    comparison = comparison_of(_three(0.50, 0.51, 0.5), _CONFIG)

    assert not comparison.promoted
    assert "does not lie wholly above the required 0.0" in comparison.reasons[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:-1], "its 99 questions are not the 100 of the baseline"),
        (lambda rows: [*rows, rows[0]], "its 101 questions are not the 100"),
        (lambda rows: rows[::-1], "the first that differs is '99' of ocrbench, in place of '0' of ocrbench"),
        (lambda rows: [replace(rows[0], benchmark="ai2d"), *rows[1:]], "'0' of ai2d, in place of '0' of ocrbench"),
    ],
)
def test_evaluations_of_other_questions_are_refused(
    change: Callable[[list[Sample]], list[Sample]], message: str
) -> None:
    samples = _three(0.5, 0.5, 0.5)

    with pytest.raises(ArtifactError, match=f"the candidate evaluation: .*{message}"):
        comparison_of({**samples, "candidate": change(samples["candidate"])}, _CONFIG)


@pytest.mark.parametrize("score", [float("nan"), -0.1, 1.5])
def test_score_out_of_range_is_refused_by_question(score: float) -> None:
    samples = _three(0.5, 0.5, 0.5)
    samples["control"][3] = replace(samples["control"][3], score=score)

    with pytest.raises(ArtifactError, match=f"the control evaluation, ocrbench, question 3: its score is {score}"):
        comparison_of(samples, _CONFIG)


def test_evaluation_without_samples_is_refused() -> None:
    with pytest.raises(ArtifactError, match="the baseline evaluation: it has no sample"):
        comparison_of({policy: [] for policy in POLICIES}, _CONFIG)


def test_changed_samples_are_refused(tmp_path: Path) -> None:
    evaluations = _evaluations(tmp_path, _GAINED)
    write_samples(_GAINED["candidate"], evaluations["baseline"] / SAMPLES)

    with pytest.raises(ArtifactError, match="its bytes are not those that were written"):
        compare(evaluations, tmp_path / "comparison", _CONFIG)
