import io
from pathlib import Path

import datasets
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from components.core.example import (
    AnswerType,
    Example,
    Family,
    Split,
    Task,
    example_id,
    read_examples,
    write_examples,
)


def _png(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 3), colour).save(buffer, format="PNG")
    return buffer.getvalue()


def _example(**changes: object) -> Example:
    values = {
        "id": "0" * 16,
        "images": (_png("red"),),
        "question": "Which colour?",
        "references": ("red",),
        "answer_type": AnswerType.SHORT_TEXT,
        "task": Task.VQA,
        "verifiable": True,
    }
    return Example(**{**values, **changes})  # type: ignore[arg-type]


def test_examples_survive_parquet_unchanged(tmp_path: Path) -> None:
    examples = [
        _example(),
        _example(
            choices=("a", "b"), precision=2, pass_rate=0.25, facts=("red circle",), unit="cm", split=Split.HELD_OUT
        ),
        _example(images=(_png("red"), _png("blue")), references=("x", "ü 漢")),
    ]

    write_examples(examples, tmp_path / "rows.parquet")

    assert list(read_examples(tmp_path / "rows.parquet")) == examples


def test_written_parquet_is_read_by_datasets_with_decoded_images(tmp_path: Path) -> None:
    write_examples([_example()], tmp_path / "rows.parquet")

    rows = datasets.load_dataset("parquet", data_files=str(tmp_path / "rows.parquet"), cache_dir=str(tmp_path))["train"]

    assert rows[0]["images"][0].size == (4, 3)
    assert rows.features["images"] == datasets.List(datasets.Image())


def test_equal_examples_write_equal_bytes(tmp_path: Path) -> None:
    write_examples([_example()], tmp_path / "a.parquet")
    write_examples([_example()], tmp_path / "b.parquet")

    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


@given(question=st.text(), other=st.text())
def test_id_is_equal_exactly_for_equal_content(question: str, other: str) -> None:
    same = example_id([b"x"], question, ["1"]) == example_id([b"x"], other, ["1"])

    assert same == (question == other)


@pytest.mark.parametrize(
    ("task", "answer_type", "family"),
    [
        (Task.MATH, AnswerType.NUMBER, Family.MATH),
        (Task.DOCUMENT, AnswerType.SHORT_TEXT, Family.OCR),
        (Task.CHART, AnswerType.NUMBER, Family.VQA),
        (Task.MATH, AnswerType.OPEN_ENDED, Family.OPEN_ENDED),
    ],
)
def test_family_follows_task_unless_open_ended(task: Task, answer_type: AnswerType, family: Family) -> None:
    assert _example(task=task, answer_type=answer_type).family is family
