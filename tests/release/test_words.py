import pytest

from components.core.comparison import CANDIDATE, CONTROL
from components.release.words import (
    control_words,
    duration,
    fallen_words,
    interval,
    p_value,
    percent,
    points,
    reward_words,
    share,
    signed,
    trend,
)
from tests.release.synthetic import make_row


@pytest.mark.parametrize(
    ("control", "candidate", "words"),
    [
        (0.46, 0.60, "format and length alone bring 30 % of the gain"),
        (0.38, 0.60, "format and length alone bring none of the gain"),
        (0.62, 0.60, "format and length alone bring all of the gain"),
        (0.46, 0.40, "there is no gain to divide"),
    ],
)
def test_control_words_share_of_the_gain(control: float, candidate: float, words: str) -> None:
    assert words in control_words(make_row(10, 0.40, candidate, control, width=0.01))


def test_control_words_doubt_an_interval_with_zero() -> None:
    assert "no effect of the accuracy reward is shown" in control_words(make_row(10, 0.4, 0.6, 0.58, width=0.1))


def test_training_that_was_not_timed_has_no_words_on_it() -> None:
    assert reward_words({CANDIDATE: {}, CONTROL: {}}) == ""


@pytest.mark.parametrize(
    ("candidate", "width", "expected"),
    [
        (0.6, 0.05, ("rose", "")),
        (0.4, 0.05, ("fell", "")),
        (0.6, 0.2, ("rose", "interval includes 0")),
        (0.4, 0.2, ("fell", "interval includes 0")),
        (0.5, 0.0, ("unchanged", "")),
    ],
)
def test_trend(candidate: float, width: float, expected: tuple[str, str]) -> None:
    assert trend(make_row(10, 0.5, candidate, 0.5, width)) == expected


def test_numbers_are_in_points_with_one_decimal() -> None:
    assert points(0.1234) == "12.3"
    assert signed(0.05) == "+5.0"
    assert signed(-0.05) == "\u22125.0"
    assert signed(-0.0001) == "0.0"
    assert interval((-0.0001, 0.25)) == "[0.0, 25.0]"


def test_fallen_words_name_those_below_the_baseline_alone() -> None:
    rows = {
        "rose": make_row(10, 0.5, 0.6, 0.5, width=0.05),
        "equal": make_row(10, 0.5, 0.5, 0.5, width=0.05),
        "fell": make_row(10, 0.5, 0.4, 0.5, width=0.05),
        "unclear": make_row(10, 0.5, 0.49, 0.5, width=0.05),
    }

    words = fallen_words(rows)

    assert words == (
        "Fell below the baseline: fell \u221210.0 points [\u221215.0, \u22125.0]; "
        "unclear \u22121.0 points [\u22126.0, 4.0] (interval includes 0)."
    )
    assert fallen_words({"rose": rows["rose"]}) == ""


@pytest.mark.parametrize(
    ("value", "said"), [(0.0, "0.0"), (0.0001, "<0.1"), (0.0005, "0.1"), (0.123, "12.3"), (1.0, "100.0")]
)
def test_share_above_0_is_never_shown_as_0(value: float, said: str) -> None:
    assert share(value) == said


@pytest.mark.parametrize(
    ("value", "said"), [(None, "n/a"), (0.0, "<0.001"), (0.00099, "<0.001"), (0.001, "0.001"), (1.0, "1.000")]
)
def test_p_value(value: float | None, said: str) -> None:
    assert p_value(value) == said


@pytest.mark.parametrize(("value", "said"), [(None, "n/a"), (0.25, "+25.0 %"), (-0.25, "\u221225.0 %"), (0.0, "0.0 %")])
def test_relative_change_has_its_sign(value: float | None, said: str) -> None:
    assert percent(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.0, "0.0 s"), (8.25, "8.2 s"), (200, "3 min 20 s"), (3599.9, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_duration(seconds: float, said: str) -> None:
    assert duration(seconds) == said
