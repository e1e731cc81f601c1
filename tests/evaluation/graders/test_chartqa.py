import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation.grade import NO_ANSWER, MetaError
from components.evaluation.graders.chartqa import chartqa_relaxed


def score(prediction: str, *references: str, **meta: object) -> float | None:
    return chartqa_relaxed(prediction, references, meta).score


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("105", "100", 1),
        ("95", "100", 1),
        ("105.001", "100", 0),
        ("94.999", "100", 0),
        ("-100", "-100", 1),
        ("100", "-100", 0),
        ("2099", "2000", 1),  # years too
        ("2101", "2000", 0),
        # Zero is compared as text.
        ("0", "0", 1),
        ("0.0", "0", 0),
        ("0.0", "0.0", 1),
        ("0%", "0", 0),
        # Percentages are hundredths.
        ("50%", "50", 0),
        ("50%", "0.5", 1),
        ("0.5", "50%", 1),
        ("50", "50%", 0),
        ("50%%", "0.5", 1),
        ("%", "%", 1),
        ("50 %", "0.5", 1),
        # Nothing is cleaned.
        ("$5", "5", 0),
        ("1,000", "1000", 0),
        ("5.", "5", 1),
        ("5..", "5", 0),
        ("yes.", "yes", 0),
        ("yes ", "yes", 0),
        ("YES", "yes", 1),
        # Numbers as Python reads them.
        (" 5\n", "5", 1),
        ("1_000", "1000", 1),
        ("1e3", "1000", 1),
        ("\N{ARABIC-INDIC DIGIT FIVE}", "5", 1),
        ("nan", "nan", 0),
        ("nan", "5", 0),
        ("inf", "inf", 0),
        ("inf", "5", 0),
        ("5", "inf", 0),
        ("nan", "none", 0),
        ("", "", 1),
        ("", "0", 0),
    ],
)
def test_rule(prediction, reference, expected) -> None:
    assert score(prediction, reference) == expected


def test_the_best_of_several_references_counts() -> None:
    assert score("5", "7", "five", "5") == 1.0
    assert score("6", "7", "five", "5") == 0.0


def test_change_is_the_metas_and_inclusive() -> None:
    assert score("150", "100", max_relative_change=0.5) == 1.0
    assert score("105", "100", max_relative_change=0) == 0.0
    assert score("300", "100", max_relative_change=2) == 1.0
    assert score("105", "100", max_relative_change=None) == 1.0


@pytest.mark.parametrize("value", ["0.05", -0.1, float("nan"), float("inf"), False, {}])
def test_bad_change_is_refused(value) -> None:
    with pytest.raises(MetaError, match=r"max_relative_change.*allowed is a finite number"):
        score("5", "5", max_relative_change=value)


def test_no_reference_is_refused() -> None:
    with pytest.raises(MetaError, match="references"):
        score("a")


def test_blank_prediction_is_flagged_and_extraction_is_lower_case() -> None:
    assert chartqa_relaxed("", ["x"], {}).flags == (NO_ANSWER,)
    assert chartqa_relaxed("Yes ", ["x"], {}).extraction == "yes "


@given(st.text() | st.floats().map(str), st.lists(st.text() | st.floats().map(str), min_size=1, max_size=4))
def test_score_is_zero_or_one_and_neither_order_nor_case_matters(prediction, references) -> None:
    result = score(prediction, *references)

    assert result in (0.0, 1.0)
    assert score(prediction, *reversed(references)) == result
    assert score(prediction.lower(), *references) == result


@given(st.floats(min_value=1e-3, max_value=1e9), st.floats(min_value=-0.049, max_value=0.049))
def test_numbers_within_the_change_are_met(value, change) -> None:
    assert score(str(value * (1 + change)), str(value)) == 1.0
