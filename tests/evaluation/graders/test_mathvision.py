import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation.grade import NO_ANSWER, MetaError
from components.evaluation.graders.mathvision import mathvision
from components.rewards.sandbox import Comparison, Outcome

OPTIONS = {"options": ["1", "\\frac{1}{2}", "\\sqrt{3}", "$4$", "five"]}


@pytest.mark.parametrize(
    ("response", "gold", "score"),
    [
        ("It is clear. So C.", "C", 1.0),
        ("So (C).", "C", 1.0),
        ("B\nbecause", "B", 1.0),
        ("(B)\nbecause", "B", 1.0),
        ("(B) B\nbecause", "B", 1.0),
        ("The answer is 0.5.", "B", 1.0),
        ("The answer is $\\dfrac{1}{2}$. Good.", "B", 1.0),
        ("\\boxed{2} no, \\boxed{\\sqrt3}", "C", 1.0),
        ("\\boxed{1.732}", "C", 1.0),
        ("\\boxed{1.74}", "C", 0.0),
        ("x = 4", "D", 1.0),
        ("the correct answer is (D)", "D", 1.0),
        ("five", "E", 1.0),
        ("C", "D", 0.0),
    ],
)
def test_options(response: str, gold: str, score: float) -> None:
    assert mathvision(response, [gold], OPTIONS).score == score


@pytest.mark.parametrize(
    ("response", "gold", "score"),
    [
        ("\\boxed{3.004}", "3", 1.0),
        ("\\boxed{3.006}", "3", 0.0),
        ("\\boxed{50\\%}", "50", 1.0),
        ("\\boxed{90^\\circ}", "90", 1.0),
        ("\\boxed{12\\text{ km}}", "12", 1.0),
        ("\\boxed{(1/2,3)}", "(0.5,3)", 1.0),
        ("\\boxed{[1,2]}", "(1,2)", 0.0),
        ("\\boxed{3", "3", 0.0),
        ("x \\approx 7.5", "7.5", 1.0),
        ("\\boxed{\\pi}", "3.14", 1.0),
        ("\\boxed{x}", "y", 0.0),
        ("\\boxed{1,000}", "1000", 1.0),
        ("\\boxed{(3.0,2)}", "(3,2)", 0.0),
        ("\\boxed{\\sum_{k=1}^{3}k}", "6", 0.0),  # what follows the last sign of equality
        ("\\boxed{9^{9^{9^9}}}", "3", 0.0),
    ],
)
def test_free_form(response: str, gold: str, score: float) -> None:
    assert mathvision(response, [gold], {}).score == score


@pytest.mark.parametrize(
    ("outcome", "score", "flags"),
    [(Outcome(True), 1.0, ()), (Outcome(False), 0.0, ()), (Outcome(None, "", "time limit"), 0.0, ("time limit",))],
)
def test_computer_algebra(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome, score: float, flags: tuple[str, ...]
) -> None:
    asked: list[Comparison] = []
    monkeypatch.setattr("components.evaluation.graders.mathvision.compare", lambda item: asked.append(item) or outcome)
    grade = mathvision("\\boxed{\\int_0^1 2xdx}", ["C"], OPTIONS)
    assert (grade.score, grade.flags) == (score, flags)
    assert asked == [Comparison("\\int_0^12xdx", "\\sqrt{3}", 2)]


def test_empty() -> None:
    assert mathvision(" ", ["3"], {"options": []}).flags == (NO_ANSWER,)


def test_wrong_meta_is_named() -> None:
    with pytest.raises(MetaError, match="options"):
        mathvision("3", ["3"], {"options": "3"})
    with pytest.raises(MetaError, match="references: 'F'"):
        mathvision("3", ["F"], OPTIONS)


@given(st.text(alphabet=st.sampled_from("abc(){}[]\\,.=/ 0123oxed{sqrtfrac^%\n\x00\ud800"), max_size=60))
def test_any_text(text: str) -> None:
    assert mathvision(text, ["A"], OPTIONS).score in (0.0, 1.0)


@pytest.mark.timeout(2)
@pytest.mark.parametrize(
    "text", ["OXED{" * 200_000, "9" * 10**6, "\\frac" * 200_000, "is " * 300_000, "the answer is" * 80_000]
)
def test_hostile(text: str) -> None:
    assert mathvision(text, ["3"], {}).score == 0.0
