import pytest

from components.core.comparison import POLICIES, ScoreRow
from components.evaluation.config import DecisionConfig
from components.evaluation.decision import decide


def _row(difference: float, low: float, high: float, p_adjusted: float | None = None) -> ScoreRow:
    return ScoreRow(
        n=100,
        scores=dict.fromkeys(POLICIES, 0.5),
        ci95=dict.fromkeys(POLICIES, (0.4, 0.6)),
        difference=difference,
        difference_ci95=(low, high),
        over_control=0.0,
        over_control_ci95=(0.0, 0.0),
        wins=0,
        losses=0,
        p_adjusted=p_adjusted,
    )


_GAIN = _row(0.12, 0.05, 0.19)
_FELL = _row(-0.04, -0.06, -0.02, 0.003)


def test_gain_above_the_required_is_promoted_with_its_interval_in_the_reason() -> None:
    promoted, reasons = decide(_GAIN, {"ocrbench": _row(0.1, 0.0, 0.2, 0.06)}, DecisionConfig())

    assert promoted
    assert reasons == (
        "The overall gain is 12.0 points; its 95 % interval [5.0, 19.0] lies above the required 0.0.",
        "No benchmark lost significantly more than the 2.0 points that are allowed.",
        "All this is judged on the strict scores, which pay nothing for a guess of a benchmark's own rule.",
    )


def test_reasons_say_when_the_official_scores_are_judged() -> None:
    _, reasons = decide(_GAIN, {}, DecisionConfig(metric="score"))

    assert "official rules" in reasons[-1]


@pytest.mark.parametrize("min_gain", [0.05, 0.06])
def test_lower_end_that_is_not_above_the_required_gain_is_refused(min_gain: float) -> None:
    promoted, reasons = decide(_GAIN, {}, DecisionConfig(min_gain=min_gain))

    assert not promoted
    assert f"does not lie wholly above the required {100 * min_gain:.1f}" in reasons[0]


def test_required_gain_of_minus_1_asks_for_nothing() -> None:
    assert decide(_row(0.0, -1.0, 1.0), {}, DecisionConfig(min_gain=-1))[0]


def test_benchmark_that_lost_significantly_blocks_by_name() -> None:
    promoted, reasons = decide(_GAIN, {"ocrbench": _FELL, "ai2d": _GAIN}, DecisionConfig())

    assert not promoted
    assert reasons[1] == (
        "The benchmark ocrbench lost 4.0 points, significantly (Holm-adjusted p = 0.003) and more than the 2.0 that "
        "are allowed."
    )
    assert not any("No benchmark" in reason or "ai2d" in reason for reason in reasons)


def test_very_small_p_value_is_not_shown_as_0() -> None:
    _, reasons = decide(_GAIN, {"ocrbench": _row(-0.04, -0.06, -0.02, 0.0004)}, DecisionConfig())

    assert "(Holm-adjusted p < 0.001)" in reasons[1]


@pytest.mark.parametrize(
    "row",
    [
        _row(-0.04, -0.06, -0.02, 0.05),  # not below 0.05 after the correction
        _row(-0.04, -0.08, 0.0, 0.01),  # the interval reaches 0
        _row(-0.5, -1.0, 1.0, None),  # a single image
    ],
)
def test_loss_that_may_be_chance_does_not_block_but_is_named(row: ScoreRow) -> None:
    promoted, reasons = decide(_GAIN, {"ocrbench": row}, DecisionConfig())

    assert promoted
    assert reasons[2] == f"Lower, but not significantly: ocrbench (by {-100 * row.difference:.1f} points)."


def test_significant_loss_within_the_allowed_does_not_block_but_is_named() -> None:
    # 0.52 - 0.5 is a little more than 0.02 in binary.
    rows = {"ocrbench": _row(0.5 - 0.52, -0.03, -0.01, 0.001), "ai2d": _row(-0.004, -0.02, 0.01, 1.0)}

    promoted, reasons = decide(_GAIN, rows, DecisionConfig(max_benchmark_loss=0.02))

    assert promoted
    assert reasons[2:4] == (
        "Lower, significantly but by no more than is allowed: ocrbench (by 2.0 points).",
        "Lower, but not significantly: ai2d (by 0.4 points).",
    )


def test_unchanged_scores_are_shown_without_a_minus_sign() -> None:
    _, reasons = decide(_row(-0.0, -0.0, 0.0), {}, DecisionConfig())

    assert "-0.0" not in reasons[0]


def test_loss_and_missing_gain_are_both_told() -> None:
    promoted, reasons = decide(_row(0.01, -0.01, 0.03), {"a": _FELL, "b": _FELL}, DecisionConfig())

    assert not promoted
    assert "does not lie wholly above" in reasons[0]
    assert [reason.split(" lost")[0] for reason in reasons[1:3]] == ["The benchmark a", "The benchmark b"]
