"""A benchmark as a task of lm-eval, made of callables; and the text that a question becomes.

lm-eval decodes the images of all documents before it generates anything, tens of gigabytes for a set of scanned
pages. `LazyImages` stand in for them in our own runner; any other runner of lm-eval gets the images themselves.
"""

import functools
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from components.core.question import IMAGE, Question
from components.core.sample import SCORER_FAILED
from components.core.suite import BenchmarkInfo
from components.evaluation.benchmark import Marker, Marks
from components.evaluation.response import first_line

if TYPE_CHECKING:
    from PIL.Image import Image

TextOf = Callable[[Question], str]
"""The user's message for a question, with IMAGE where an image stands."""
Size = tuple[int, int]
"""Width and height in pixels."""


class Missing(str):
    """The text of a response that is none: nothing to mark, not even as an empty answer."""

    __slots__ = ()


UNMARKED = Marks(0.0, 0.0, None, "no response")
"""What a question without a response is worth. The rules do not decide it: some pay for an empty answer."""


@dataclass(frozen=True)
class LazyImages:
    """The images of a question, decoded when they are needed."""

    index: int
    question: str
    """Id."""
    digests: tuple[str, ...]
    """sha-256 of each encoded image."""
    sizes: tuple[Size | None, ...]
    """Of each image by its header; None where that is not readable."""
    open: Callable[[], list["Image"]] = field(compare=False, repr=False)
    """Decodes them to RGB; raises what PIL raises where one is broken."""

    @classmethod
    def of(cls, questions: Sequence[Question], index: int, question: Question) -> "LazyImages":
        """The images of a question, which is read again when they are opened."""
        return cls(
            index,
            question.id,
            tuple(hashlib.sha256(data).hexdigest() for data in question.images),
            tuple(_size(data) for data in question.images),
            lambda: questions[index].open_images(),
        )


def task_config(
    info: BenchmarkInfo,
    questions: Sequence[Question],
    text_of: TextOf,
    marker: Marker,
    *,
    max_new_tokens: int,
    lazy: bool = False,
    keep: Callable[[int, Marks], object] = lambda _index, _marks: None,
) -> dict[str, Any]:
    """A task for `lm_eval.simple_evaluate(tasks=[...])`.

    Args:
        info: Names the task and gives its version.
        questions: One or more; each is read three times, the first two times in order and close together.
        text_of: The user's message for each.
        marker: Marks responses; an exception of its costs the item, flagged SCORER_FAILED.
        max_new_tokens: The longest response.
        lazy: Whether the requests carry LazyImages in place of PIL images, for JournaledModel.
        keep: Called with a question's index and its marks.
    """

    @functools.lru_cache(maxsize=1)
    def at(index: int) -> Question:
        return questions[index]

    def images(doc: dict[str, Any]) -> Any:
        question = at(doc["index"])
        return LazyImages.of(questions, doc["index"], question) if lazy else question.open_images()

    def mark(doc: dict[str, Any], responses: Sequence[str]) -> dict[str, float]:
        marks = marks_of(marker, at(doc["index"]), responses[0])
        keep(doc["index"], marks)
        return {"score": marks.score, "strict": marks.strict}

    return {
        "task": info.name,
        "custom_dataset": _dataset_of(len(questions)),
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_image": images,
        "doc_to_text": lambda doc: text_of(at(doc["index"])),
        "doc_to_target": "",
        "generation_kwargs": generation_settings(max_new_tokens),
        "process_results": mark,
        "metric_list": [
            {"metric": metric, "aggregation": "mean", "higher_is_better": True} for metric in ("score", "strict")
        ],
        "metadata": {"version": info.version},
    }


def generation_settings(max_new_tokens: int) -> dict[str, Any]:
    """Greedy, as lm-eval's tasks say it."""
    return {"until": [], "do_sample": False, "max_gen_toks": max_new_tokens}


def marks_of(marker: Marker, question: Question, text: str) -> Marks:
    """Mark a response; an exception of the marker's costs this response and nothing else."""
    if isinstance(text, Missing):
        return UNMARKED
    try:
        return marker(question, text)
    except Exception as error:  # a fault of the rule's, whatever its kind: flagged, and the run goes on
        return Marks(0.0, 0.0, None, f"the rule failed: {first_line(error)}", (SCORER_FAILED,))


def message_of(template: str, special: Iterable[str]) -> TextOf:
    """How a question becomes the user's message.

    Images that lead the prompt stay in front of the template, as in training, where all images come first.
    Special tokens of the model that a question spells out are broken, see `neutralise`.

    Args:
        template: A prompt template; {question} stands for the question.
        special: The model's special tokens.
    """
    break_tokens = neutralise(special)
    before, after = (part.replace(IMAGE, "< image >") for part in template.split("{question}", 1))

    def message(question: Question) -> str:
        parts = [break_tokens(part) for part in question.parts]
        leading = next((index for index, part in enumerate(parts) if part), len(parts) - 1)
        return IMAGE * leading + before + IMAGE.join(parts[leading:]) + after

    return message


def neutralise(special: Iterable[str]) -> Callable[[str], str]:
    """A function that breaks special tokens in a text, so that a tokenizer sees plain text in their place.

    A space is put behind the first character: <|im_end|> becomes < |im_end|>. Without that a question about chat
    formats could end its own turn, and a literal <|image_pad|> is one image more than there are. IMAGE is broken too.

    Args:
        special: The tokens. One of a single character, or with white space among its first two, cannot be broken so
            and is left alone.
    """
    tokens = {token for token in special if len(token) > 1 and not re.search(r"\s", token[:2])} | {IMAGE}
    pattern = re.compile("|".join(re.escape(token) for token in sorted(tokens, key=len, reverse=True)))

    def broken(text: str) -> str:
        while pattern.search(text):
            text = pattern.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)
        return text

    return broken


def _size(data: bytes) -> Size | None:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.size
    except Exception:  # PIL raises many kinds on broken headers; the image's own turn tells what is wrong
        return None


def _dataset_of(count: int) -> Callable[..., dict[str, Any]]:
    """lm-eval hands documents around by value: ours are indices, so that no image is hashed or copied."""

    def load(**_metadata: Any) -> dict[str, Any]:
        import datasets

        return {"test": datasets.Dataset.from_dict({"index": list(range(count))})}

    return load
