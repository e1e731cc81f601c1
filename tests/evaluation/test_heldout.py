from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.example import AnswerType, Example, Split, Task, write_splits
from components.evaluation.heldout import heldout_info, heldout_marker, heldout_question, heldout_questions


def _example(answer_type: AnswerType, *references: str, **fields: object) -> Example:
    values = {
        "id": "0" * 16,
        "images": (b"x",),
        "question": "?",
        "references": references,
        "answer_type": answer_type,
        "task": Task.MATH,
        "verifiable": answer_type is not AnswerType.OPEN_ENDED,
    }
    return Example(**{**values, **fields})


_NUMBER = _example(AnswerType.NUMBER, "12")
_SCENE = _example(AnswerType.OPEN_ENDED, "a red circle", facts=("red circle",))
_FREE = _example(AnswerType.OPEN_ENDED, "two dogs run", "dogs running")
_LENGTH = _example(AnswerType.NUMBER, "3.14", unit="cm", precision=2)
_QUESTIONS = {example: heldout_question(example) for example in (_NUMBER, _SCENE, _FREE, _LENGTH)}
_MARK = heldout_marker(_QUESTIONS.values())


@pytest.mark.parametrize(
    ("example", "completion", "score", "flags"),
    [
        (_NUMBER, "<think>5+7</think><answer>12</answer>", 1.0, ()),
        (_NUMBER, "<think>5+7</think><answer>13</answer>", 0.0, ()),
        (_NUMBER, "<answer>12</answer><answer>13</answer>", 0.0, ("no answer",)),
        (_NUMBER, "", 0.0, ("no answer",)),
        (_LENGTH, "<answer>3.141 cm</answer>", 1.0, ()),
        (_LENGTH, "<answer>3.2 cm</answer>", 0.0, ()),
        (_SCENE, "<answer>a red circle</answer>", 1.0, ()),
        (_SCENE, "<answer>not a red circle</answer>", 0.0, ()),
        (_FREE, "<answer>two dogs sleep</answer>", 2 / 3, ()),
    ],
)
def test_completion_is_marked_by_the_rule_of_its_example(
    example: Example, completion: str, score: float, flags: tuple[str, ...]
) -> None:
    marks = _MARK(_QUESTIONS[example], completion)

    assert marks.score == marks.strict == pytest.approx(score)
    assert marks.flags == flags


@given(st.sampled_from(list(_QUESTIONS.values())), st.text(max_size=80))
def test_any_text_has_marks_between_0_and_1(question: object, text: str) -> None:
    assert 0 <= _MARK(question, f"<answer>{text}</answer>").strict <= 1


def test_families_become_benchmarks_in_a_fixed_order_and_at_most_so_many(tmp_path: Path) -> None:
    vqa = [_example(AnswerType.SHORT_TEXT, "cat", id=str(number), task=Task.VQA) for number in range(3)]
    charts = [_example(AnswerType.NUMBER, "7", id=f"c{number}", task=Task.CHART) for number in range(3)]
    write_splits({Split.HELD_OUT: [*vqa, *charts, _NUMBER, _SCENE]}, tmp_path)

    found = heldout_questions(tmp_path, max_examples=4)

    assert {name: [question.id for question in questions] for name, questions in found.items()} == {
        "heldout_math": ["0" * 16],
        "heldout_vqa": ["0", "1", "2", "c0"],
        "heldout_open_ended": ["0" * 16],
    }
    assert heldout_info("heldout_vqa", found["heldout_vqa"], "here").breakdowns == ("task", "answer type")
    assert heldout_info("heldout_math", found["heldout_math"], "here").breakdowns == ()


def test_questions_of_one_scene_are_one_cluster() -> None:
    scene, other = (_example(AnswerType.NUMBER, "1", group=group, images=(image,)) for group, image in
                    (("scene 1", b"a"), ("scene 1", b"b")))  # fmt: skip
    alone = _example(AnswerType.NUMBER, "1", images=(b"a",))

    assert heldout_question(scene).cluster == heldout_question(other).cluster
    assert heldout_question(alone).cluster != heldout_question(scene).cluster
    assert heldout_question(alone).cluster == heldout_question(alone).cluster
