"""What must not change a verdict, and what must."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from components.core.example import AnswerType
from components.rewards.rule import verify

NUMBERS = st.fractions(min_value=-1000, max_value=1000, max_denominator=99)
SPACES = st.sampled_from(["", " ", "  ", r"\,", r"\;", r"\ ", "~", "\u00a0"])
POLYNOMIALS = st.lists(st.integers(-9, 9), min_size=2, max_size=4).filter(lambda terms: any(terms))


def latex(value: Fraction) -> str:
    sign = "-" if value < 0 else ""
    return f"{sign}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def polynomial(coefficients: list[int], order: list[int], space: str = " ") -> str:
    terms = [f"{coefficients[power]}x^{{{power}}}" for power in order]
    return f"{space}+{space}".join(terms).replace(f"+{space}-", f"-{space}")


def judge(answer: str, references: list[str], answer_type: AnswerType = AnswerType.EXPRESSION) -> bool | None:
    return verify(answer, references, answer_type).correct


@given(st.lists(NUMBERS, min_size=1, max_size=5), NUMBERS, st.randoms())
def test_order_of_references_is_irrelevant(references: list[Fraction], answer: Fraction, random) -> None:  # type: ignore[no-untyped-def]  # hypothesis' random has no public type
    texts = [str(reference) for reference in references]
    shuffled = random.sample(texts, len(texts))
    assert judge(str(answer), texts, AnswerType.NUMBER) is (answer in references)
    assert judge(str(answer), shuffled, AnswerType.NUMBER) is (answer in references)


@given(NUMBERS, st.integers(1, 50))
def test_equivalent_fractions_are_right_and_the_sign_counts(value: Fraction, factor: int) -> None:
    stretched = f"{value.numerator * factor}/{value.denominator * factor}"
    for answer_type in (AnswerType.NUMBER, AnswerType.EXPRESSION):
        assert judge(stretched, [latex(value)], answer_type) is True
        assert judge(str(-value), [latex(value)], answer_type) is (value == 0)


@given(POLYNOMIALS, SPACES, st.randoms())
def test_order_of_terms_and_spacing_are_irrelevant(coefficients: list[int], space: str, random) -> None:  # type: ignore[no-untyped-def]
    powers = list(range(len(coefficients)))
    order = random.sample(powers, len(powers))
    assert judge(polynomial(coefficients, order, space), [polynomial(coefficients, powers)]) is True


@given(POLYNOMIALS, st.data())
def test_another_coefficient_is_another_polynomial(coefficients: list[int], data: st.DataObject) -> None:
    powers = list(range(len(coefficients)))
    changed = list(coefficients)
    changed[data.draw(st.sampled_from(powers))] += data.draw(st.sampled_from([-2, -1, 1, 2]))
    assert judge(polynomial(changed, powers), [polynomial(coefficients, powers)]) is False


@given(st.sets(st.integers(-20, 20), min_size=2, max_size=5), st.randoms())
def test_sets_have_no_order_and_tuples_have_one(values: set[int], random) -> None:  # type: ignore[no-untyped-def]
    order = sorted(values)
    shuffled = random.sample(order, len(order))
    listed, other = ", ".join(map(str, order)), ", ".join(map(str, shuffled))
    assert judge(rf"\{{{other}\}}", [rf"\{{{listed}\}}"]) is True
    assert judge(f"({other})", [f"({listed})"]) is (order == shuffled)


@given(st.text(max_size=80), st.text(max_size=30), st.sampled_from(list(AnswerType)))
def test_any_text_gets_a_verdict(answer: str, reference: str, answer_type: AnswerType) -> None:
    assert verify(answer, [reference], answer_type, ["red", "blue"]).correct in (True, False, None)
