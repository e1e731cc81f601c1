"""Rows: scored answers as people write them down, a JSON object a line.

A line has `question` (text, may be empty), `references` (list of accepted answers, at least one), `answer`, and either
`score` (0..1) or `label` (0 or 1). `group` keeps answers together that must not be divided between folds (without it
the question, its references and its image do); `kind` says how the answer was made. `image` is the path of the picture
that the question is about, from the file's folder; it is looked at where a surrogate wants pictures.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from components.core.json_lines import BadLineError, read_lines, read_object, shown
from components.rewards.image_embedder import image_problem

_LONGEST = 1_000_000  # characters
_IMAGES = "images"


@dataclass(frozen=True)
class AnswerRow:
    """An answer with the question, what is accepted, and how good it is."""

    question: str
    references: tuple[str, ...]
    """At least one, none blank."""
    answer: str
    """Not blank."""
    score: float | None
    """0..1, 1 is right; None where nobody has scored it."""
    group: str
    """Rows of one group never cross folds."""
    kind: str = ""
    """How the answer was made: "" by a person or a model; a canary's or a hard negative's kind, teacher, rollout …"""
    image: Path | bytes | None = field(default=None, repr=False)
    """The picture that the question is about, its file or the encoded image; None where there is none."""

    @cached_property
    def image_key(self) -> str:
        """Tells pictures apart; "" where there is none."""
        return hashlib.sha256(self.image).hexdigest() if isinstance(self.image, bytes) else str(self.image or "")

    def to_json(self) -> dict[str, Any]:
        """As a line that `read_rows` reads; a row without a score or a picture's file has none."""
        values = {
            "question": self.question, "references": list(self.references), "answer": self.answer,
            "score": self.score, "group": self.group, "kind": self.kind,
            "image": self.image.as_posix() if isinstance(self.image, Path) else None,
        }  # fmt: skip
        return {key: value for key, value in values.items() if value is not None}


@dataclass(frozen=True)
class Pictures:
    """How the images of lines are read."""

    folder: Path
    """That their paths start from."""
    max_pixels: int
    """Of an image at most."""


@dataclass(frozen=True)
class ReadRows:
    """The rows of a file, and what could not be read."""

    rows: list[AnswerRow]
    problems: list[str]
    """What is wrong with each bad line, with its number from 1, in order; lines = rows + problems."""


def read_rows(path: Path, scored: bool = True, max_pixels: int = 0) -> ReadRows:
    """Read a file of rows; a bad line is reported and leaves the others unharmed.

    Args:
        path: JSON Lines.
        scored: Whether each row needs a score or a label.
        max_pixels: Of an image at most; 0: images are not looked at.

    Raises:
        SourceError: The file cannot be read.
    """
    found = ReadRows([], [])
    pictures = Pictures(path.parent, max_pixels) if max_pixels else None
    for number, text in enumerate(read_lines(path), 1):
        try:
            found.rows.append(to_row(read_object(text), scored, pictures))
        except BadLineError as error:
            found.problems.append(f"line {number}: {error}")
    return found


def to_row(values: Mapping[str, Any], scored: bool = True, pictures: Pictures | None = None) -> AnswerRow:
    """A row of a line's values.

    Args:
        values: Of the line.
        scored: Whether it needs a score or a label.
        pictures: How `image` is read; None: it is not looked at.

    Raises:
        BadLineError: A value is missing or not what it should be.
    """
    question, answer = _text(values, "question", blank=True), _text(values, "answer")
    references = _references(values)
    group = values.get("group")
    if not isinstance(group, str | int | None):
        raise BadLineError(f"group is {shown(group)}: give a text or a number, or leave it out")
    image = None if pictures is None else _image(values, pictures)
    default = json.dumps([question, references, *([values["image"]] if image else ())], ensure_ascii=False)
    return AnswerRow(
        question=question,
        references=references,
        answer=answer,
        score=_score(values, scored),
        group=default if group is None else str(group),
        kind=_text(values, "kind", blank=True) if values.get("kind") is not None else "",
        image=image,
    )


def write_rows(rows: Iterable[AnswerRow], path: Path) -> None:
    """Write rows, a line each, and their pictures into images/ beside the file, each once."""
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(
            json.dumps(row.to_json(), ensure_ascii=False) + "\n" for row in with_image_files(rows, path.parent)
        )


def with_image_files(rows: Iterable[AnswerRow], folder: Path) -> Iterator[AnswerRow]:
    """The same rows, their pictures copied to files named by their digest, by paths from the folder.

    Args:
        rows: May have pictures.
        folder: Where images/ is made if there is a picture.
    """
    written: dict[str, Path] = {}
    for row in rows:
        if row.image is None:
            yield row
            continue
        if row.image_key not in written:
            written[row.image_key] = _write_image(row.image, folder)
        yield replace(row, image=written[row.image_key])


def _write_image(image: Path | bytes, folder: Path) -> Path:
    content = image if isinstance(image, bytes) else image.read_bytes()
    place = Path(_IMAGES) / hashlib.sha256(content).hexdigest()[:32]
    (folder / _IMAGES).mkdir(exist_ok=True)
    (folder / place).write_bytes(content)
    return place


def _image(values: Mapping[str, Any], pictures: Pictures) -> Path | None:
    """The file of a line's picture, which was looked at whether it is one."""
    given = values.get("image")
    if given is None:
        return None
    if not isinstance(given, str) or not given:
        raise BadLineError(f"image is {shown(given)}: give the path of a file, or leave it out")
    path = pictures.folder / given
    try:
        problem = image_problem(path.read_bytes(), pictures.max_pixels)
    except (OSError, ValueError) as error:
        reason = f"image {given[:200]!r} cannot be read ({error})"
        raise BadLineError(f"{reason}: give a path from the file's folder") from error
    if problem:
        raise BadLineError(f"image {given[:200]!r} {problem}: give a PNG or JPEG file, or leave it out")
    return path


def _text(values: Mapping[str, Any], key: str, blank: bool = False) -> str:
    value = values.get(key, "" if blank else None)
    if not isinstance(value, str):
        raise BadLineError(f"{key} is {shown(value)}: give a text")
    if not blank and not value.strip():
        raise BadLineError(f"{key} is blank: give a text")
    if len(value) > _LONGEST:
        raise BadLineError(f"{key} has {len(value)} characters: give at most {_LONGEST}")
    _check_characters(value, key)
    return value


def _references(values: Mapping[str, Any]) -> tuple[str, ...]:
    given: Sequence[Any] = values.get("references") or ()
    if not isinstance(given, list) or not given:
        raise BadLineError("references is missing: give a list of accepted answers")
    for place, item in enumerate(given):
        if not isinstance(item, str) or not item.strip():
            raise BadLineError(f"references[{place}] is {shown(item)}: give a text that is not blank")
        _check_characters(item, f"references[{place}]")
    return tuple(given)


def _check_characters(text: str, key: str) -> None:
    """Refuse half a surrogate pair, which JSON can hold and no tokenizer takes."""
    half = next((character for character in text if "\ud800" <= character <= "\udfff"), None)
    if half is not None:
        raise BadLineError(f"{key} holds U+{ord(half):04X}, half of a surrogate pair: write the whole character")


def _score(values: Mapping[str, Any], needed: bool) -> float | None:
    key = "score" if values.get("score") is not None else "label"
    value = values.get(key)
    if value is None:
        if needed:
            raise BadLineError("score is missing: give score (0..1) or label (0 or 1)")
        return None
    if isinstance(value, bool) and key == "label":
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadLineError(f"{key} is {shown(value)}: give a number from 0 to 1")
    if not 0 <= value <= 1 or (key == "label" and value not in (0, 1)):
        raise BadLineError(f"{key} is {shown(value)}: give {'0 or 1' if key == 'label' else 'a number from 0 to 1'}")
    return float(value)
