import pytest

from components.core.example import AnswerType
from components.rewards.answer_types import infer_answer_type


@pytest.mark.parametrize(
    ("references", "choices", "expected"),
    [
        (["5"], [], AnswerType.NUMBER),
        (["1,234.5", "$3", "50 %", "-3/4"], [], AnswerType.NUMBER),
        (["5", "five"], [], AnswerType.SHORT_TEXT),
        (["12 cm"], [], AnswerType.NUMBER),
        (["60 km/h", "20 °C", "9 m^2"], [], AnswerType.NUMBER),
        (["4K"], [], AnswerType.SHORT_TEXT),
        (["3 pm"], [], AnswerType.SHORT_TEXT),
        (["[0,1)"], [], AnswerType.EXPRESSION),
        (["3, 5"], [], AnswerType.EXPRESSION),
        (["x^2"], [], AnswerType.EXPRESSION),
        ([r"\frac{1}{2}", "a half of it all"], [], AnswerType.EXPRESSION),
        (["5"], ["4", "5"], AnswerType.CHOICE),
        (["yes"], [], AnswerType.SHORT_TEXT),
        (["a word more than five words"], [], AnswerType.OPEN_ENDED),
        (["red", "the colour of a ripe tomato"], [], AnswerType.OPEN_ENDED),
    ],
)
def test_answer_type_is_told_from_references_and_choices(
    references: list[str], choices: list[str], expected: AnswerType
) -> None:
    assert infer_answer_type(references, choices) is expected
