r"""Extraction: which part of a completion is the answer that gets judged?

In this order, ours throughout: the answer block if the completion has answer tags; behind the thinking, the last
`\boxed{…}`; a closing "the answer is …"; a completion that is nothing but an answer. Inside an answer block a box or
"the answer is …" is looked for again. Several answer blocks are no answer, boxes that stand side by side are one
answer with several values, and what stands in the thinking never counts: naming every candidate hides none of them.
Every step is linear in the length of the completion.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from components.rewards.format import TAGS, adheres

_OPENING = re.compile(r"\\boxed\s{0,9}\{")
_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
_PHRASE = re.compile(
    r"\b(?:answer|option|choice)\b[\s*_]{0,4}(?:is|are|should be|must be|would be|:|=)[\s*:]{0,4}"
    r"(?:(?:approximately|about|roughly|simply|exactly|option|choice)\s)?",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^(?:final\s+)?answer\s+(?=[\\$\d-])", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<!\b[A-Z])[.!?](?=\s+[A-Z*]|\s*$)|\n|<\|")  # "A. Oslo" is one answer
_TAKEN_BACK = re.compile(
    r"\b(?:actually|wait|but|however|instead|rather|maybe|perhaps|alternatively|sorry|correction|mistake)\b|\bno,",
    re.IGNORECASE,
)
_HEDGED = re.compile(rf"{_TAKEN_BACK.pattern}|\b(?:or|not?)\b", re.IGNORECASE)
_BETWEEN_BOXES = re.compile(r"(?:[\s$,;.*&-]|\\[()\[\]\\,;:!]|\\q?quad|(?:\\text\s*\{)?\s*(?:and|or)\s*\}?)*+")
_MATHS = re.compile(r"\s*(?:\$\$.*\$\$|\\\[.*\\\]|\$[^$]*\$|\\\(.*\\\))\s*\.?\s*", re.DOTALL)
_MOST_BOXES = 50  # the last ones are looked at
_LONGEST_BOX = 2000  # characters
_WIDEST_GAP = 40  # between boxes of one answer
_TAIL = 500  # characters in which a closing "the answer is …" has to begin
_SHORT = 100  # characters up to which a whole completion can be an answer
_FORMULA = 400  # the same, for one formula in delimiters


class Extraction(NamedTuple):
    """The answer of a completion and where it was found."""

    answer: str | None
    """The answer without surrounding whitespace, never empty; None where there is none."""
    rule: str
    """"answer block", "boxed", "answer phrase", "bare answer" or "none"."""


def extract(completion: str, strict: bool = False) -> Extraction:
    """Find the answer in a completion.

    Args:
        completion: The decoded completion, without the prompt; any length.
        strict: Accept the answer block of a completion that keeps to the template, and nothing else; for training.

    Returns:
        The answer and the rule that found it. An empty block or box is an answer that is not there: `answer` is
        None and the rule tells which it was.
    """
    if strict and not adheres(completion):
        return Extraction(None, "none")
    if "answer>" in completion and ("<answer>" in completion or "</answer>" in completion):
        block = _only_block(completion)
        return Extraction(None, "none") if block is None else Extraction(_inside(block) or None, "answer block")
    spoken = _behind_thinking(completion)
    boxes = _last_boxes(spoken)
    if boxes is not None:
        return Extraction(boxes or None, "boxed")
    phrase = _closing_phrase(spoken)
    if phrase:
        return Extraction(phrase, "answer phrase")
    bare = _bare(spoken)
    return Extraction(bare, "bare answer") if bare else Extraction(None, "none")


def _only_block(completion: str) -> str | None:
    """The content of the one answer block; positions are compared, since completions are long and copies slow."""
    opening, closing = completion.find("<answer>"), completion.find("</answer>")
    if not 0 <= opening < closing:
        return None
    if completion.rfind("<answer>") != opening or completion.rfind("</answer>") != closing:
        return None
    return completion[opening + len("<answer>") : closing].strip()


def _behind_thinking(completion: str) -> str:
    """What follows the thinking; nothing where the thinking did not end."""
    end = completion.rfind("</think>")
    if end >= 0:
        return completion[end + len("</think>") :]
    return "" if "<think>" in completion else completion


def _inside(block: str) -> str:
    """The answer in a block: its boxes, unless several stand apart, or what its sentence names."""
    run = _last_run(block) if r"\boxed" in block else []
    if not run:
        return (" " in block and _PHRASE.search(block[:_SHORT]) and _closing_phrase(block)) or block
    contents = {block[start:end] for start, end in run}
    apart = any(block[start:end] not in contents for start, end in _boxes_before(block, run[0][0]))
    return block if apart or _HEDGED.search(block, run[-1][1]) else _joined(block, run)


def _last_boxes(text: str) -> str | None:
    run = _last_run(text)
    return _joined(text, run) if run else None


def _last_run(text: str) -> list[tuple[int, int]]:
    r"""Where the content of the last box lies, and of those right before it: `\boxed{1}, \boxed{2}` is one answer."""
    run: list[tuple[int, int]] = []  # from the last one backwards
    for start, end in _boxes_before(text, len(text), reach=_LONGEST_BOX + 2 * _WIDEST_GAP):
        if run and not _stands_beside(text, end, run[-1][0]):
            break
        run.append((start, end))
    return run[::-1]


def _stands_beside(text: str, end: int, start: int) -> bool:
    between = text[end + 1 : start].removesuffix("{").rstrip().removesuffix(r"\boxed")
    return len(between) <= _WIDEST_GAP and _BETWEEN_BOXES.fullmatch(between) is not None


def _boxes_before(text: str, end: int, reach: int = 0) -> Iterator[tuple[int, int]]:
    r"""Where the contents of balanced `\boxed{…}` lie, from the last one backwards; one around another is left out.

    A further one is sought within the reach in characters, where there is one.
    """
    begin, inner = 0, len(text) + 1
    for _ in range(_MOST_BOXES):
        end = text.rfind(r"\boxed", begin, end)
        if end < 0:
            return
        span = _box_at(text, end)
        if span is not None and span[1] <= inner:
            inner = end
            begin = max(0, end - reach) if reach else 0
            yield span


def _box_at(text: str, position: int) -> tuple[int, int] | None:
    """Where the content of the box that begins there lies; None where its brace does not close within reach."""
    opening = _OPENING.match(text, position)
    if opening is None:
        return None
    depth, start = 1, opening.end()
    for match in _BRACES.finditer(text, start, start + _LONGEST_BOX):
        token = match.group()
        depth += (token == "{") - (token == "}")
        if depth == 0:
            return start, match.start()
    return None


def _joined(text: str, spans: list[tuple[int, int]]) -> str:
    """The contents of a run of boxes; the same one several times is one."""
    contents = (text[start:end].strip() for start, end in spans)
    return ", ".join(dict.fromkeys(content for content in contents if content))


def _closing_phrase(completion: str) -> str:
    tail = completion.rstrip()[-_TAIL:]
    matches = list(_PHRASE.finditer(tail))
    if not matches:
        return ""
    sentence = tail[matches[-1].end() :]
    end = _SENTENCE_END.search(sentence)
    if end and _TAKEN_BACK.search(sentence[end.end() :]):
        return ""  # what is taken back is no answer
    answer = sentence[: end.start() if end else None].strip().strip("* ").removesuffix(".")
    return answer if _is_one_line_without_tags(answer) else ""


def _bare(completion: str) -> str:
    bare = _LABEL.sub("", completion.strip())
    if len(bare) <= _FORMULA and _MATHS.fullmatch(bare):
        return " ".join(bare.split())
    if len(bare) > _SHORT or not _is_one_line_without_tags(bare):
        return ""
    return bare


def _is_one_line_without_tags(text: str) -> bool:
    return "\n" not in text and not any(tag in text for tag in TAGS)
