from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.example import AnswerType
from components.rewards.quantity import Quantity, read_quantity
from components.rewards.rule import verify


def judge(answer: str, reference: str, unit: str = "", precision: int | None = None) -> bool | None:
    return verify(answer, [reference], AnswerType.NUMBER, unit=unit, precision=precision).correct


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", Fraction(5)),
        ("-5", Fraction(-5)),
        ("\u22125", Fraction(-5)),
        ("+5", Fraction(5)),
        ("007", Fraction(7)),
        ("5.", Fraction(5)),
        (".5", Fraction(1, 2)),
        ("0.10", Fraction(1, 10)),
        ("1,234,567.5", Fraction(2469135, 2)),
        ("1{,}234", Fraction(1234)),
        ("3/4", Fraction(3, 4)),
        ("-3/4", Fraction(-3, 4)),
        ("2 3/4", Fraction(11, 4)),
        (r"\frac{3}{4}", Fraction(3, 4)),
        (r"-\dfrac{3}{4}", Fraction(-3, 4)),
        (r"\frac{-3}{4}", Fraction(-3, 4)),
        (r"2\frac{3}{4}", Fraction(11, 4)),
        ("1.5e3", Fraction(1500)),
        (r"1.5 \times 10^{-3}", Fraction(3, 2000)),
        ("$5$", Fraction(5)),
        (r"\(5\)", Fraction(5)),
        ("**5**", Fraction(5)),
        ("x = 5", Fraction(5)),
        (r"\approx 5", Fraction(5)),
    ],
)
def test_read_quantity_spellings_of_a_number(text: str, value: Fraction) -> None:
    assert read_quantity(text) == Quantity(value, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "five",
        "17\u00d723",
        r"17 \times 23",
        "17*23",
        "3+7",
        "10/2/1",
        "5 or 6",
        "5, 6",
        "12,34",
        "1.2.3",
        "x^3=8",
        "y=5=5",
        r"7\\8",
        r"4\sqrt{2}",
        "5!",
        "10^3",
        "1/0",
        r"\frac{1}{0}",
        "1e999999999",
        "1e-999999999",
        "\u0661\u0662",
        "inf",
        "nan",
        "12:30",
        "0x10",
        "1_000",
    ],
)
def test_read_quantity_anything_else_is_no_number(text: str) -> None:
    assert read_quantity(text) is None


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("1,000", "1000"),
        ("0.50", "1/2"),
        (r"\frac{50}{100}", "0.5"),
        ("1e3", "1000"),
        ("-0", "0"),
        ("2 1/2", "2.5"),
        ("2½", "2.5"),
        (r"\frac34", "0.75"),
        ("7 425 000", "7425000"),
        ("2,74", "2.74"),
        ("10^{3}", "1000"),
        (r"\boxed{5}", "5"),
    ],
)
def test_verify_number_equal_values_are_right(answer: str, reference: str) -> None:
    assert judge(answer, reference) is True


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("17\u00d723", "391"),
        ("3+7", "10"),
        ("5 or 6", "5"),
        ("5, 6", "5"),
        ("x^3=8", "8"),
        ("y=5=5", "5"),
        (r"7\\8", "7"),
        (r"4\sqrt(2)", "4"),
        ("0.0010004", "0.001"),
        ("0.333333", "1/3"),
        ("1.9999999", "2"),
        ("1e999999999", "1"),
        ("1 1/2", "11/2"),
        ("five", "5"),
        ("-5", "5"),
        ("1/2^98", "1/2^99"),
        ("2^{10}", "1024"),
        (r"\sqrt{16}", "4"),
        (r"\binom{10}{3}", "120"),
    ],
)
def test_verify_number_other_values_and_unevaluated_ones_are_wrong(answer: str, reference: str) -> None:
    assert judge(answer, reference) is False


@pytest.mark.parametrize(
    ("answer", "reference", "unit", "outcome"),
    [
        ("12 m", "12 cm", "", False),
        ("12 m", "12", "cm", False),
        ("12 cm", "12", "cm", True),
        ("12", "12", "cm", True),
        ("12", "12 cm", "", True),
        (r"12\text{ cm}", "12 cm", "", True),
        ("12 centimetres", "12", "cm", True),
        ("12 m^2", "12 m\u00b2", "", True),
        ("12 square metres", "12", "m^2", True),
        ("12 m", "12", "m^2", False),
        ("12 km/h", "12 kilometres per hour", "", True),
        ("12 mW", "12 MW", "", False),
        ("7 apples", "7", "apple", True),
        ("45^\\circ", "45", "degrees", True),
        ("$12", "12 dollars", "", True),
        ("0.12 m", "12", "cm", False),
        ("13 cm", "12", "", False),
        ("12 cm", "12", "", True),
        ("$12", "12", "", True),
        ("12 million", "12", "", False),
        ("12x", "12", "", False),
        ("20 °C", "20 degrees Celsius", "", True),
        ("20 °F", "20 °C", "", False),
    ],
)
def test_verify_number_named_unit_must_be_the_stated_one(
    answer: str, reference: str, unit: str, outcome: bool | None
) -> None:
    assert judge(answer, reference, unit) is outcome


@pytest.mark.parametrize(
    ("answer", "reference", "unit", "outcome"),
    [
        ("50%", "50", "", False),
        ("50", "50%", "", False),
        ("50%", "0.5", "", False),
        ("0.5", "50%", "", False),
        ("50%", "50 percent", "", True),
        (r"50\%", "50.0 %", "", True),
        ("50", "50", "%", True),
        ("50%", "50", "percent", True),
    ],
)
def test_verify_number_percent_equals_a_percent_alone(answer: str, reference: str, unit: str, outcome: bool) -> None:
    assert judge(answer, reference, unit) is outcome


@pytest.mark.parametrize(
    ("answer", "precision", "outcome"),
    [
        ("3.14", 2, True),
        ("3.1415926", 2, True),
        ("3.15", 2, False),
        ("3.1", 2, False),
        ("3", 0, True),
        ("3.14", 5, False),
    ],
)
def test_verify_number_agrees_to_the_precision(answer: str, precision: int, outcome: bool) -> None:
    assert judge(answer, "3.14159", precision=precision) is outcome


@pytest.mark.parametrize("answer", ["2.34", "2.35"])
def test_verify_number_half_way_needs_no_rounding_rule(answer: str) -> None:
    assert judge(answer, "2.345", precision=2) is True


@pytest.mark.parametrize("reference", ["five", "1e999999999", "9" * 400])
def test_verify_number_reference_that_is_no_number_leaves_it_undecided(reference: str) -> None:
    assert judge("5", reference) is None


@given(st.integers(-(10**12), 10**12))
def test_verify_number_thousands_separators_do_not_matter(value: int) -> None:
    assert judge(f"{value:,}", str(value)) is True


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**6), st.integers(1, 50))
def test_verify_number_fractions_are_equal_in_any_terms(top: int, bottom: int, factor: int) -> None:
    assert judge(f"{top * factor}/{bottom * factor}", f"{top}/{bottom}") is True


@given(st.fractions(), st.fractions())
def test_verify_number_agrees_with_exact_arithmetic(one: Fraction, other: Fraction) -> None:
    assert judge(str(one), str(other)) is (one == other)
