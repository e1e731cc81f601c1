r"""Extraction: which part of a completion is the answer that gets judged?

In this order, ours throughout: the answer block if there is exactly one; the last `\boxed{…}`; a last line that says
"the answer is …"; a short completion that is nothing but an answer. Two answer blocks are no answer block, and
several different boxes in one block are not unwrapped, so that naming every candidate never hides one of them.
Every step is linear in the length of the completion.
"""

import re
from dataclasses import dataclass

from components.rewards.format import TAGS

_BRACES = re.compile(r"\\boxed\s*\{|\\.|[{}]", re.DOTALL)
_PHRASE = re.compile(r"\banswer\s*(?:\*\*)?\s*(?:is|:|=)\s*:?", re.IGNORECASE)
_TAIL = 500  # characters in which a closing "the answer is …" has to begin
_SHORT = 100  # characters up to which a whole completion can be an answer


@dataclass(frozen=True)
class Extraction:
    """The answer of a completion and where it was found."""

    answer: str | None
    """The answer without surrounding whitespace, never empty; None where there is none."""
    rule: str
    """"answer block", "boxed", "answer phrase", "bare answer" or "none"."""


def extract(completion: str) -> Extraction:
    """Find the answer in a completion.

    Args:
        completion: The decoded completion, without the prompt; any length.

    Returns:
        The answer and the rule that found it. An empty block or box is an answer that is not there: `answer` is
        None and the rule tells which it was.
    """
    block = _only_block(completion)
    if block is not None:
        return Extraction(_unboxed(block) or None, "answer block")
    boxes = _boxes(completion)
    if boxes:
        return Extraction(boxes[-1] or None, "boxed")
    phrase = _closing_phrase(completion)
    if phrase:
        return Extraction(phrase, "answer phrase")
    bare = completion.strip()
    if bare and len(bare) <= _SHORT and _is_one_line_without_tags(bare):
        return Extraction(bare, "bare answer")
    return Extraction(None, "none")


def _only_block(completion: str) -> str | None:
    if completion.count("<answer>") != 1 or completion.count("</answer>") != 1:
        return None
    before, closing, _ = completion.partition("</answer>")
    _, opening, block = before.partition("<answer>")
    return block.strip() if opening and closing else None


def _unboxed(block: str) -> str:
    boxes = set(_boxes(block))
    return boxes.pop() if len(boxes) == 1 else block


def _boxes(text: str) -> list[str]:
    r"""Contents of the balanced `\boxed{…}`, in the order of their opening; a box around another one is left out."""
    starts: list[int | None] = []  # where the content of each open brace's box begins; None for a plain brace
    boxes: list[tuple[int, int]] = []
    for match in _BRACES.finditer(text):
        token = match.group()
        if token == "}":
            start = starts.pop() if starts else None
            if start is not None and not (boxes and boxes[-1][0] > start):
                boxes.append((start, match.start()))
        elif token == "{":
            starts.append(None)
        elif token.startswith("\\boxed"):
            starts.append(match.end())
    return [text[start:end].strip() for start, end in boxes]


def _closing_phrase(completion: str) -> str:
    tail = completion.rstrip()[-_TAIL:]
    ends = [match.end() for match in _PHRASE.finditer(tail)]
    if not ends:
        return ""
    answer = tail[ends[-1] :].strip().removesuffix(".").strip("* ").removesuffix(".")
    return answer if _is_one_line_without_tags(answer) else ""


def _is_one_line_without_tags(text: str) -> bool:
    return "\n" not in text and not any(tag in text for tag in TAGS)
