import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.core.example import AnswerType
from components.rewards.gate import refusal
from components.rewards.rule import verify
from components.rewards.verdict import UNREADABLE_REFERENCE


def judge(answer: str, reference: str, unit: str = "", precision: int | None = None) -> bool | None:
    return verify(answer, [reference], AnswerType.EXPRESSION, unit=unit, precision=precision).correct


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("x + 1", "x+1"),
        ("(x+1)^2", "x^2+2x+1"),
        ("(x-1)(x+1)", "x^2-1"),
        (r"\sqrt{32}", r"4\sqrt{2}"),
        ("sqrt(3)/2", r"\frac{\sqrt{3}}{2}"),
        ("2*pi", r"2\pi"),
        ("x**2 + 1", "x^2+1"),
        ("1024", "2^10"),
        ("x\u00b2+1", "x^2+1"),
        ("y=x+1", "x+1"),
        ("x=5", "5"),
        ("0.5", r"\frac12"),
        (r"\{2,1\}", r"\{1,2\}"),
        ("3, -3", r"\pm 3"),
        ("1<x<2", "(1,2)"),
        (r"\sin^2 x+\cos^2 x", "1"),
        (r"1,000\pi", r"1000\pi"),
        (r"\log_2 8", "3"),
        ("No solution", "no solution"),
        (r"\text{Even}", r"\text{even}"),
    ],
)
def test_verify_expression_equal_forms_are_right(answer: str, reference: str) -> None:
    assert judge(answer, reference) is True


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("x^2+2x+2", "x^2+2x+1"),
        ("1/2^{98}", "1/2^{99}"),
        (r"\frac{1}{2^{98}}", r"\frac{1}{2^{99}}"),
        ("1/169!", "1/170!"),
        (r"\frac{x}{2^{98}}", r"\frac{x}{2^{99}}"),
        ("0.0010004", "0.001"),
        ("0.333333", "1/3"),
        ("5 or 6", "5"),
        ("5, 6", "5"),
        ("x^3=8", "8"),
        ("y=5=5", "5"),
        (r"7\\8", "7"),
        (r"4\sqrt(2)", "4"),
        ("12 m", "12 cm"),
        ("50%", "50"),
        ("1e999999999", "1"),
        ("1 1/2", "11/2"),
        ("(3,2)", "(2,3)"),
        ("{2, 3}", "(2, 3)"),
        (r"\{2, 3\}", "(2, 3)"),
        ("17*23", "391"),
        ("3+7", "10"),
        ("5!", "120"),
        (r"\binom{10}{3}", "120"),
        (r"\frac{3+7}{2}", "5"),
        ("not 0", "0"),
        ("0 0 0", "0"),
        ("x=3 x=3 x=3", "x=3"),
        ("y=5", "x=5"),
        ("1.4142135623730951", r"\sqrt{2}"),
        ("10^{100}", "10^{100}+1"),
        ("I do not know", "5"),
        (r"-\infty", r"\infty"),
    ],
)
def test_verify_expression_other_values_are_wrong(answer: str, reference: str) -> None:
    assert judge(answer, reference) is False


@settings(max_examples=25)
@given(st.integers(-9, 9), st.integers(-9, 9), st.sampled_from([0, 1, -7]))
def test_verify_expression_factors_equal_their_product_alone(a: int, b: int, error: int) -> None:
    factors = f"(x+{a})(x+{b})".replace("+-", "-")
    assert judge(factors, f"x^2+({a + b})x+({a * b + error})") is (error == 0)


@pytest.mark.parametrize(
    ("answer", "reference", "unit", "outcome"),
    [
        (r"12\sqrt{3}\text{ m}", r"12\sqrt{3}\text{ cm}", "", False),
        (r"12\sqrt{3}", r"12\sqrt{3}\text{ cm}", "", True),
        (r"\sqrt{432} cm", r"12\sqrt{3}", "cm", True),
        (r"\sqrt{432}\text{ cm}", r"12\sqrt{3}", "m", False),
        (r"12\sqrt{3}\text{ cm}", r"12\sqrt{3}", "", True),
    ],
)
def test_verify_expression_named_unit_must_be_the_stated_one(
    answer: str, reference: str, unit: str, outcome: bool | None
) -> None:
    assert judge(answer, reference, unit) is outcome


@pytest.mark.parametrize(("answer", "outcome"), [("6.28", True), ("6.29", False), (r"\tau", False)])
def test_verify_expression_constant_agrees_to_the_precision(answer: str, outcome: bool) -> None:
    assert judge(answer, r"2\pi", precision=2) is outcome


@pytest.mark.parametrize("reference", [r"\frac{1", r"\sqrt{", "no solution at all", "9^{9^{9^9}}", "f'(x)", "x" * 301])
def test_verify_expression_reference_that_cannot_be_judged_leaves_it_undecided(reference: str) -> None:
    assert judge("5", reference) is None


@pytest.mark.parametrize("reference", [r"\frac{1", r"\sqrt{", "x" * 301, "}{"])
def test_verify_expression_reference_that_cannot_be_read_never_pays(reference: str) -> None:
    verdict = verify(reference, [reference], AnswerType.EXPRESSION)
    assert verdict.correct is None
    assert UNREADABLE_REFERENCE in verdict.flags


@pytest.mark.parametrize("reference", [r"\sum_{k=1}^{n} k", "no solution at all", r"\int_0^1 x dx"])
def test_verify_expression_equal_text_is_right_where_it_can_be_read(reference: str) -> None:
    assert judge(reference, reference) is True


@pytest.mark.parametrize(("answer", "reference"), [("x+", "x+1"), ("[", "x+1")])
def test_verify_expression_answer_that_cannot_be_read_is_undecided(answer: str, reference: str) -> None:
    verdict = verify(answer, [reference], AnswerType.EXPRESSION)
    assert verdict.correct is None
    assert "could not read" in verdict.reason


def test_verify_expression_infinity_agrees_to_any_precision() -> None:
    assert judge("\u221e", r"\infty", precision=2) is True


def test_refusal_expression_beyond_the_length_limit_is_refused() -> None:
    assert "301 characters" in refusal("x" * 301)


HOSTILE = [
    "9^{9^{9^9}}",
    "9**9**9**9",
    "10^{10^8}",
    "10^{-10^9}",
    "2^{2^{31}}",
    "3^{50000000}",
    r"3^{5\cdot 10^7}",
    r"2^{64\cdot 64\cdot 64\cdot 64\cdot 64}",
    r"2^\frac{10^{9}}{1}",
    "((9^{999})^{999})^{999}",
    "e^{e^{e^{99}}}",
    r"\exp(\exp(\exp(99)))",
    r"\log_3(3^{5\cdot 10^7})",
    r"\log(\log(2^{2^{31}}))",
    "99999999!",
    "9!!!!!!!!",
    "((9!)!)!",
    "2^{20!}",
    r"\binom{10000000}{5000000}",
    r"\sum_{k=1}^{1000000000} \frac{1}{k}",
    r"\prod_{k=1}^{10000000} k",
    "(a+b+c+d)^{99}",
    r"\frac{1}{" * 24 + "1" + "}" * 24,
    "(" * 150 + "1" + ")" * 150,
    "{" * 1_000_000,
    "1+" * 500_000 + "1",
    "x" * 20_000,
    "__import__('os').getpid()",
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: text[:24])
def test_verify_expression_hostile_answer_is_not_even_evaluated(hostile: str) -> None:
    verdict = verify(hostile, ["x+1"], AnswerType.EXPRESSION)
    assert verdict.correct is not True
    assert "time limit" not in verdict.flags


@pytest.mark.parametrize(
    "text",
    [
        *("x^2+1", "e^{-x^2}", "2^{64}", "(x+1)^{10}", "(x^2+1)^3", "x^{2n+1}", "e^{-0.05t}", r"\pi^2"),
        *(r"\frac{1}{2^{99}}", "170!", "n!", "[0, 1)"),
    ],
)
def test_refusal_ordinary_expressions_pass(text: str) -> None:
    assert refusal(text) == ""


@pytest.mark.parametrize("text", ["e^{e^{99}}", "2^{3^{4}}", "x^{(x+1)^2}", "n^{n!}"])
def test_refusal_towers_of_powers_are_refused(text: str) -> None:
    assert "power" in refusal(text)


def test_verify_expression_works_in_any_thread() -> None:
    answers = [f"\\lfloor {number}.5 \\rfloor" for number in range(4)]  # for computer algebra
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda answer: judge(answer, r"\lfloor 2.5 \rfloor"), answers))
    assert found == [False, False, True, False]


def test_verify_expression_keeps_an_alarm_of_the_caller() -> None:
    before = signal.getitimer(signal.ITIMER_REAL)
    signal.setitimer(signal.ITIMER_REAL, 250)
    try:
        assert judge("1+x", "x+1") is True
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 250
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
