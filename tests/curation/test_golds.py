import pytest

from components.core.example import AnswerType
from components.curation.golds import Gold, gold_key, golds_agree

NUMBER, CHOICE, TEXT = AnswerType.NUMBER, AnswerType.CHOICE, AnswerType.SHORT_TEXT
EXPRESSION, OPEN = AnswerType.EXPRESSION, AnswerType.OPEN_ENDED


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Gold(("0.5",), NUMBER), Gold(("1/2",), NUMBER)),
        (Gold(("1,000",), NUMBER), Gold(("1000.0",), NUMBER)),
        (Gold(("12",), NUMBER, unit="cm"), Gold(("12 cm",), NUMBER)),
        (Gold(("B",), CHOICE, ("cat", "dog")), Gold(("A",), CHOICE, ("dog", "cat"))),
        (Gold(("B",), CHOICE, ("4", "5")), Gold(("5",), NUMBER)),
        (Gold(("(B)",), CHOICE, ("cat", "dog")), Gold(("The dog.",), TEXT)),
        (Gold(("red", "dark red"), TEXT), Gold(("Red.", "crimson"), TEXT)),
    ],
)
def test_the_same_answer_in_other_words_agrees(one: Gold, other: Gold) -> None:
    assert golds_agree(one, other) is True
    assert golds_agree(other, one) is True


@pytest.mark.slow
def test_expressions_of_one_value_agree() -> None:
    assert golds_agree(Gold((r"\sqrt{4}",), EXPRESSION), Gold(("2",), NUMBER)) is True
    assert golds_agree(Gold(("(x+1)^2",), EXPRESSION), Gold(("x^2+2x+1",), EXPRESSION)) is True
    assert golds_agree(Gold(("(x+1)^2",), EXPRESSION), Gold(("x^2+1",), EXPRESSION)) is False


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Gold(("40",), NUMBER), Gold(("50",), NUMBER)),
        (Gold(("12 cm",), NUMBER), Gold(("12 m",), NUMBER)),
        (Gold(("A",), CHOICE, ("cat", "dog")), Gold(("A",), CHOICE, ("dog", "cat"))),
        (Gold(("red",), TEXT), Gold(("blue",), TEXT)),
    ],
)
def test_another_answer_contradicts(one: Gold, other: Gold) -> None:
    assert golds_agree(one, other) is False
    assert golds_agree(other, one) is False


def test_nothing_decides_between_open_ended_answers() -> None:
    long = Gold(("A man walks his dog along the river in the morning.",), OPEN)
    assert golds_agree(long, Gold(("Somebody is out with a pet beside the water, early.",), OPEN)) is None
    assert golds_agree(long, Gold(("dog",), TEXT)) is None


def test_a_key_does_not_know_the_order_of_references_nor_their_number() -> None:
    assert gold_key(["red", "Blue."], ()) == gold_key(["blue", "red", "Red"], ())
    assert gold_key(["B"], ["cat", "dog"]) == gold_key(["dog"], [])
    assert gold_key(["5"], [], "cm") == gold_key(["5 cm"], [])
    assert gold_key(["5"], []) != gold_key(["6"], [])
