"""From a raw row to a candidate, or to quarantine with a reason.

Verifiability is decided here, on the data item: an answer that a rule can compare is verifiable whatever
a model may respond to it. (The paper separates verifiable from open-ended without saying how.)
"""

import hashlib
import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar

from components.core.example import AnswerType, Example, Split, Task
from components.curation.candidate import Candidate, Rejection, RowStep, SourceRow
from components.curation.config import CurationConfig
from components.rewards.answer_types import infer_answer_type

Kind = TypeVar("Kind", bound=StrEnum)


def to_candidate(row: SourceRow, source: str, config: CurationConfig) -> Candidate:
    """Check that a row has what an example needs.

    Args:
        row: As a source gave it.
        source: The source's name.
        config: Limits.

    Raises:
        Rejection: It lacks something, or the source itself found it unusable.
    """
    if isinstance(row.values, Rejection):
        raise row.values
    values = row.values
    references = _references(values.get("references"))
    choices = tuple(str(choice).strip() for choice in values.get("choices") or ())
    answer_type = _answer_type(str(values.get("answer_type") or "infer"), references, choices)
    split = str(values.get("split") or "")
    example = Example(
        id="",
        images=_images(values.get("images")),
        question=_question(values.get("question"), config.max_question_characters),
        references=references,
        answer_type=answer_type,
        task=_member(Task, str(values.get("task") or "")),
        verifiable=answer_type is not AnswerType.OPEN_ENDED,
        choices=choices,
        source=source,
        licence=str(values.get("licence") or ""),
        split=_member(Split, split) if split else Split.TRAIN,
        facts=tuple(str(fact) for fact in values.get("facts") or ()),
        group=str(values.get("group") or ""),
    )
    return Candidate(source, row.place, example, str(values.get("demonstration") or ""), stated_split=split)


def picture_step(config: CurationConfig) -> RowStep:
    """Decodes every image whole, since a truncated JPEG passes Pillow's own check, and signs its pixels."""

    def check(candidate: Candidate) -> Candidate:
        pixels = tuple(_pixels(image, config.max_pixels) for image in candidate.example.images)
        return replace(candidate, signs=replace(candidate.signs, pixels=pixels))

    return check


def _images(value: Any) -> tuple[bytes, ...]:
    items = value if isinstance(value, list | tuple) else [value]
    contents = [item.get("bytes") if isinstance(item, dict) else item for item in items]
    images = tuple(content for content in contents if isinstance(content, bytes) and content)
    if not images or len(images) < len(contents):
        raise Rejection(
            "image missing", _shorten([item.get("path") if isinstance(item, dict) else item for item in items])
        )
    return images


def _pixels(image: bytes, max_pixels: int) -> str:
    """32 hexadecimal digits of a sha-256 over an image's size and RGB pixels."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(image))
            if picture.width * picture.height > max_pixels:
                raise Rejection("image too large", f"{picture.width}x{picture.height} pixels")
            return pixel_sign(picture.convert("RGB"))
    except UnidentifiedImageError:
        raise Rejection("not an image", f"{len(image)} bytes, beginning {image[:8]!r}") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Rejection("image damaged", _shorten(error)) from None


def pixel_sign(picture: Any) -> str:
    """32 hexadecimal digits of a sha-256 over the size and the pixels of an RGB image."""
    return hashlib.sha256(f"{picture.size}".encode() + picture.tobytes()).hexdigest()[:32]


def question_sign(question: str, choices: Sequence[str] = ()) -> str:
    """32 hexadecimal digits of a sha-256 over a question and its choices, whatever their case and spacing."""
    texts = [" ".join(text.casefold().split()) for text in (question, *choices)]
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _question(value: Any, max_characters: int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Rejection("question missing", _shorten(value))
    if len(value) > max_characters:
        raise Rejection("question too long", f"{len(value)} characters")
    # The marker by which prompts place images; the images themselves are given apart.
    return value.replace("<image>", "").strip()


def _references(value: Any) -> tuple[str, ...]:
    items: Sequence[Any] = value if isinstance(value, list | tuple) else [value]
    references = tuple(str(item).strip() for item in items if item is not None)
    if not references or not all(references):
        raise Rejection("reference missing", _shorten(value))
    return references


def _answer_type(stated: str, references: Sequence[str], choices: Sequence[str]) -> AnswerType:
    return infer_answer_type(references, choices) if stated == "infer" else _member(AnswerType, stated)


def _member(kind: type[Kind], stated: str) -> Kind:
    try:
        return kind(stated)
    except ValueError:
        name = re.sub("(?<!^)([A-Z])", r" \1", kind.__name__).lower()
        raise Rejection(f"unknown {name}", _shorten(stated)) from None


def _shorten(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
