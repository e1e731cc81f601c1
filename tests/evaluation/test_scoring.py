import pytest

from components.core.example import AnswerType, Example, Task
from components.evaluation.scoring import AnswerScoring


def _example(answer_type: AnswerType, *references: str, facts: tuple[str, ...] = ()) -> Example:
    return Example(
        id="0" * 16,
        images=(b"x",),
        question="?",
        references=references,
        answer_type=answer_type,
        task=Task.MATH,
        verifiable=answer_type is not AnswerType.OPEN_ENDED,
        facts=facts,
    )


_NUMBER = _example(AnswerType.NUMBER, "12")
_SCENE = _example(AnswerType.OPEN_ENDED, "a red circle", facts=("red circle",))
_FREE = _example(AnswerType.OPEN_ENDED, "two dogs run", "dogs running")
_SCORING = AnswerScoring([_NUMBER, _SCENE, _FREE])


@pytest.mark.parametrize(
    ("example", "completion", "score", "flags"),
    [
        (_NUMBER, "<think>5+7</think><answer>12</answer>", 1.0, ()),
        (_NUMBER, "<think>5+7</think><answer>13</answer>", 0.0, ()),
        (_NUMBER, "<answer>12</answer><answer>13</answer>", 0.0, ("no answer",)),
        (_NUMBER, "", 0.0, ("no answer",)),
        (_SCENE, "<answer>a red circle</answer>", 1.0, ()),
        (_SCENE, "<answer>not a red circle</answer>", 0.0, ()),
        (_FREE, "<answer>two dogs sleep</answer>", 2 / 3, ()),
    ],
)
def test_completion_is_scored_by_the_rule_of_its_example(
    example: Example, completion: str, score: float, flags: tuple[str, ...]
) -> None:
    scored = _SCORING.score(example, completion)

    assert scored.score == pytest.approx(score)
    assert scored.flags == flags
