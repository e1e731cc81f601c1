"""From a raw row to an example, or to quarantine with a reason.

Verifiability is decided here, on the data item: an answer that a rule can compare is verifiable whatever
a model may respond to it. (The paper separates verifiable from open-ended without saying how.)
"""

import io
import warnings
from collections.abc import Sequence
from typing import Any

from components.core.example import AnswerType, Example, Split, Task, example_id
from components.curation.candidate import RawRow, Rejection
from components.curation.config import CurationConfig
from components.rewards.answer_types import infer_answer_type


def validate(row: RawRow, source: str, config: CurationConfig) -> Example:
    """Check and type a raw row.

    Args:
        row: As a source gave it.
        source: The source's name.
        config: Limits.

    Raises:
        Rejection: The row is not fit to be an example.
    """
    images = _images(row.get("images"), config.max_pixels)
    question = _question(row.get("question"), config.max_question_characters)
    references = _references(row.get("references"))
    choices = tuple(str(choice).strip() for choice in row.get("choices") or ())
    answer_type = _answer_type(str(row.get("answer_type") or "infer"), references, choices)
    return Example(
        id=example_id(images, question, references),
        images=images,
        question=question,
        references=references,
        answer_type=answer_type,
        task=Task(row["task"]),
        verifiable=answer_type is not AnswerType.OPEN_ENDED,
        choices=choices,
        source=source,
        licence=str(row.get("licence") or ""),
        split=Split(row.get("split") or Split.TRAIN),
        facts=tuple(row.get("facts") or ()),
        group=str(row.get("group") or ""),
    )


def _images(value: Any, max_pixels: int) -> tuple[bytes, ...]:
    items = value if isinstance(value, list | tuple) else [value]
    contents = [item.get("bytes") if isinstance(item, dict) else item for item in items]
    images = tuple(content for content in contents if isinstance(content, bytes) and content)
    if not images or len(images) < len(contents):
        raise Rejection(
            "image missing", _shorten([item.get("path") if isinstance(item, dict) else item for item in items])
        )
    for image in images:
        _check_image(image, max_pixels)
    return images


def _check_image(image: bytes, max_pixels: int) -> None:
    """Decode the whole image: a truncated JPEG passes Pillow's own verify()."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(image))
            if picture.width * picture.height > max_pixels:
                raise Rejection("image too large", f"{picture.width}x{picture.height} pixels")
            picture.load()
    except UnidentifiedImageError:
        raise Rejection("not an image", f"{len(image)} bytes, beginning {image[:8]!r}") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Rejection("image damaged", _shorten(error)) from None


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
    return infer_answer_type(references, choices) if stated == "infer" else AnswerType(stated)


def _shorten(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
