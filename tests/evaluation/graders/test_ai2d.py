import pytest

from components.evaluation.graders.ai2d import ai2d


@pytest.mark.parametrize(
    ("prediction", "score"),
    [("B", 1), ("b", 1), ("(B)", 1), ("B.", 1), (" \nB. leaf", 1), ("B leaf", 0), ("b. leaf", 0), ("A", 0), (" B", 0)],
)
def test_letters(prediction: str, score: int) -> None:
    assert ai2d(prediction, ["B"], {}).score == score


def test_an_empty_response_is_no_answer() -> None:
    assert ai2d("", ["B"], {}).flags == ("no answer",)
    assert ai2d("\n" * 1_000_000, ["B"], {}).score == 0
