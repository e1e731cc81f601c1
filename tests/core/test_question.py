from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.core.question import Question, QuestionFile, write_questions

_TEXT = st.text(max_size=20)
_META = st.dictionaries(
    _TEXT, st.none() | st.booleans() | st.floats(allow_nan=False) | _TEXT | st.lists(_TEXT), max_size=3
)


@st.composite
def _questions(draw: st.DrawFn) -> Question:
    images = tuple(draw(st.lists(st.binary(max_size=9), min_size=1, max_size=3)))
    return Question(
        id=draw(_TEXT),
        parts=tuple(draw(st.lists(_TEXT, min_size=len(images) + 1, max_size=len(images) + 1))),
        images=images,
        references=tuple(draw(st.lists(_TEXT, max_size=3))),
        meta=draw(_META),
        groups=draw(st.dictionaries(_TEXT, _TEXT, max_size=2)),
        cluster=draw(_TEXT),
    )


@given(st.lists(_questions(), max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
def test_questions_come_back_from_disk_as_they_were(tmp_path: Path, questions: list[Question]) -> None:
    path = tmp_path / "questions.parquet"

    assert write_questions(questions, path) == len(questions)
    file = QuestionFile(path)
    assert list(file) == questions
    assert file[len(questions) // 2 :] == questions[len(questions) // 2 :]
    assert [file[place] for place in reversed(range(len(questions)))] == questions[::-1]


def test_text_that_looks_like_an_image_place_is_none() -> None:
    question = Question(
        id="1", parts=("", "what does <image> mean?"), images=(b"",), references=("x",), meta={}, cluster="c"
    )

    assert question.prompt == "<image>what does < image > mean?"


def test_text_has_to_stand_around_every_image() -> None:
    with pytest.raises(ValueError, match="question 1: 1 parts of text around 1 images; 2 are needed"):
        Question(id="1", parts=("x",), images=(b"",), references=("x",), cluster="c")


def test_place_outside_of_the_file_is_an_index_error(tmp_path: Path) -> None:
    write_questions([], tmp_path / "questions.parquet")

    with pytest.raises(IndexError, match="question 0 of 0"):
        QuestionFile(tmp_path / "questions.parquet")[0]
