import math
from typing import Any

import pytest

from components.core.example import AnswerType, Split, Task, example_id
from components.curation.candidate import Rejection
from components.curation.schema import SchemaConfig, SchemaStep

ROW = {"images": [b"pixels"], "question": " How many? ", "references": ["5", 5.0, None], "task": "math"}


def read(**values: Any) -> Any:
    return SchemaStep()({**ROW, **values}, "source", 7)


def test_schema_a_row_becomes_a_candidate() -> None:
    row = {"answer_type": "number", "unit": "cm", "precision": 2.0, "licence": "MIT", "group": 3, "split": "heldout"}
    found = read(**row, demonstration="so", metadata={"file": "a.png", "size": 3, "nothing": None}, facts=["a fact"])
    example = found.example
    assert (example.question, example.references, example.images) == ("How many?", ("5", "5"), (b"pixels",))
    assert (example.unit, example.precision, example.licence, example.group) == ("cm", 2, "MIT", "3")
    assert (example.split, example.task, example.facts) == (Split.HELD_OUT, Task.MATH, ("a fact",))
    assert example.id == example_id([b"pixels"], "How many?", ["5", "5"])
    assert (found.key, found.stated_type, found.demonstration) == ("source#7", "number", "so")
    assert found.metadata == {"file": "a.png", "size": "3"}


@pytest.mark.parametrize("stated", ["infer", "", None])
def test_schema_a_type_that_is_not_stated_is_told_from_the_references(stated: str | None) -> None:
    found = read(answer_type=stated)
    assert (found.example.answer_type, found.stated_type) == (AnswerType.NUMBER, "")


def test_schema_images_may_be_the_hubs_records() -> None:
    assert read(images=[{"bytes": b"a", "path": None}, b"b"]).example.images == (b"a", b"b")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"images": None}, "image missing"),
        ({"images": []}, "image missing"),
        ({"images": [b"a", {"bytes": None, "path": "x.png"}]}, "image missing"),
        ({"images": [b""]}, "image missing"),
        ({"question": None}, "question missing"),
        ({"question": 5}, "question missing"),
        ({"question": " \n"}, "question missing"),
        ({"question": "x" * 8001}, "question too long"),
        ({"question": "a\ud800b"}, "question not Unicode"),
        ({"references": None}, "reference missing"),
        ({"references": []}, "reference missing"),
        ({"references": ["5", " "]}, "reference missing"),
        ({"references": math.nan}, "reference missing"),
        ({"references": [{"text": "5"}]}, "reference not text"),
        ({"references": b"5"}, "reference not text"),
        ({"references": "x" * 20_001}, "reference too long"),
        ({"references": ["5"] * 101}, "too many references"),
        ({"choices": ["a", ""]}, "choice blank"),
        ({"choices": ["a"]}, "number of choices"),
        ({"choices": ["a"] * 27}, "number of choices"),
        ({"answer_type": "integer"}, "answer type unknown"),
        ({"task": "poetry"}, "task unknown"),
        ({"task": None}, "task unknown"),
        ({"split": "test"}, "split unknown"),
        ({"precision": 1.5}, "precision not decimals"),
        ({"precision": -1}, "precision not decimals"),
        ({"precision": True}, "precision not decimals"),
        ({"metadata": ["a"]}, "metadata not a mapping"),
        ({"demonstration": ["a"]}, "demonstration not text"),
    ],
)
def test_schema_a_row_of_other_stuff_is_rejected_by_name(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(Rejection) as caught:
        read(**values)
    assert caught.value.reason == reason
    assert caught.value.evidence.encode("utf-8")
    assert len(caught.value.evidence) < 300


def test_schema_limits_are_the_configurations() -> None:
    with pytest.raises(Rejection, match="question too long"):
        SchemaStep(SchemaConfig(max_question_characters=8))(ROW, "source", 0)
