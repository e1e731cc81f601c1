"""Values at fixed points: what they decide, and what they leave open."""

import pytest

from components.rewards.equality import near_value, same_equation, same_value
from components.rewards.formula import read_formula
from components.rewards.operations import Unreadable


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("(x+1)^2", "x^2+2x+1"),
        (r"2\sin x\cos x", r"\sin 2x"),
        (r"\frac{1}{x}+\frac1y", r"\frac{x+y}{xy}"),
        (r"\frac{n!}{(n-1)!}", "n"),
        (r"\binom{n}{2}", r"\frac{n(n-1)}{2}"),
        (r"0.1\overline{6}", r"\frac16"),
        (r"\frac{2}{1-i}", "1+i"),
        (r"\sqrt[3]{-8}", "-2"),
        ("|x|", r"\sqrt{x^2}"),
        (r"\log_2 8", "3"),
        ("a_1+b", "b+a_{1}"),
    ],
)
def test_equal_functions_are_equal(left: str, right: str) -> None:
    assert same_value(left, right) is True


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("x^2", "x^3"),
        ("1/2^{98}", "1/2^{99}"),
        (r"2\pi", "6.28"),
        ("0.333333", r"\frac13"),
        (r"1-\frac1e", r"1+\frac1e"),
    ],
)
def test_other_functions_are_different(left: str, right: str) -> None:
    assert same_value(left, right) is False


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (r"\sqrt{x^2}", "x"),  # equal at some points
        ("10^{100}", "10^{100}+1"),  # equal as far as the digits go
        (r"\sqrt2\sqrt8-4", "10^{-40}"),  # too near to nothing
        ("9^{9^{9^9}}", "5"),  # would take for ever
        (r"\tan(10^{9})", "1"),
        ("1/0", "1"),
        (r"\sum_{k=1}^n k", "n"),  # not in the grammar
    ],
)
def test_what_values_do_not_tell_is_left_open(left: str, right: str) -> None:
    assert same_value(left, right) is None


def test_near_value_counts_the_distance_itself_as_near() -> None:
    assert near_value("1.005", "1.01", 0.005) is True
    assert near_value("1.0049", "1.01", 0.005) is False
    assert near_value("x", "1", 0.005) is None


def test_equations_are_the_same_up_to_a_factor() -> None:
    assert same_equation("y-(2x+1)", "(2x-y+1)-0") is True
    assert same_equation("y-(2x+1)", "(2x-y+2)-0") is False
    assert same_equation("xy-1", "y-1/x") is None  # the same curve, and no factor


@pytest.mark.parametrize(
    "text", ["", "x+", "(x", r"\frac{1}", "x^", "2\\frac{1}{2}", "3 4", "a,b", "x=1", "(" * 60 + "1"]
)
def test_what_is_no_formula_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        read_formula(text)


@pytest.mark.parametrize("text", ["3+7", r"17\times 23", r"\frac{3+7}{2}", "5!", "2(3+4)"])
def test_a_calculation_is_told_from_a_result(text: str) -> None:
    assert read_formula(text).is_arithmetic


@pytest.mark.parametrize("text", ["10", r"\frac{3}{4}", r"1+\sqrt2", r"2\pi", "2^{10}", "3x+1"])
def test_a_result_is_no_calculation(text: str) -> None:
    assert not read_formula(text).is_arithmetic
