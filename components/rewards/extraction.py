r"""Extraction: which part of a completion is the answer that gets judged?

In this order, ours throughout: the answer block if the completion has answer tags; behind the thinking, the last
`\boxed{…}`; a closing "the answer is …"; a completion that is nothing but an answer. Inside an answer block a box or
"the answer is …" is looked for again. Several answer blocks are no answer, boxes that stand side by side are one
answer with several values, and what stands in the thinking never counts: naming every candidate hides none of them.
Every step is linear in the length of the completion.
"""

import re
from dataclasses import dataclass

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
_CORRECTION = re.compile(
    r"\b(?:actually|wait|but|however|instead|rather|or|maybe|perhaps|alternatively|sorry|correction|mistake|not?)\b",
    re.IGNORECASE,
)
_BETWEEN_BOXES = re.compile(r"(?:[\s$,;.*&-]|\\[()\[\]\\,;:!]|\\q?quad|(?:\\text\s*\{)?\s*(?:and|or)\s*\}?)*+")
_MATHS = re.compile(r"\s*(?:\$\$.*\$\$|\\\[.*\\\]|\$[^$]*\$|\\\(.*\\\))\s*\.?\s*", re.DOTALL)
_MOST_BOXES = 50  # the last ones are looked at
_LONGEST_BOX = 2000  # characters
_TAIL = 500  # characters in which a closing "the answer is …" has to begin
_SHORT = 100  # characters up to which a whole completion can be an answer
_FORMULA = 400  # the same, for one formula in delimiters


@dataclass(frozen=True)
class Extraction:
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
    if "<answer>" in completion or "</answer>" in completion:
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
    if completion.count("<answer>") != 1 or completion.count("</answer>") != 1:
        return None
    before, _, _ = completion.partition("</answer>")
    _, opening, block = before.partition("<answer>")
    return block.strip() if opening else None


def _behind_thinking(completion: str) -> str:
    """What follows the thinking; nothing where the thinking did not end."""
    _, closed, spoken = completion.rpartition("</think>")
    if closed:
        return spoken
    return "" if "<think>" in completion else completion


def _inside(block: str) -> str:
    """The answer in a block: its boxes, unless several stand apart, or what its sentence names."""
    spans = _boxes(block)
    if not spans:
        return (_PHRASE.search(block[:_SHORT]) and _closing_phrase(block)) or block
    run = _last_run(block, spans)
    agree = len(run) == len(spans) or len({block[start:end] for start, end in spans}) == 1
    return block if _CORRECTION.search(block[spans[-1][1] :]) or not agree else _joined(block, run)


def _last_boxes(text: str) -> str | None:
    spans = _boxes(text)
    return _joined(text, _last_run(text, spans)) if spans else None


def _boxes(text: str) -> list[tuple[int, int]]:
    r"""Where the contents of the last balanced `\boxed{…}` lie, in order; a box around another one is left out."""
    spans: list[tuple[int, int]] = []  # from the last one backwards
    end = len(text)
    for _ in range(_MOST_BOXES):
        position = text.rfind(r"\boxed", 0, end)
        if position < 0:
            break
        end = position
        span = _box_at(text, position)
        if span is not None and not (spans and spans[-1][1] <= span[1]):
            spans.append(span)
    return spans[::-1]


def _box_at(text: str, position: int) -> tuple[int, int] | None:
    """Where the content of the box that begins there lies; None where its brace does not close within reach."""
    opening = _OPENING.match(text, position)
    if opening is None:
        return None
    depth, limit = 1, opening.end() + _LONGEST_BOX
    for match in _BRACES.finditer(text, opening.end(), limit):
        token = match.group()
        depth += (token == "{") - (token == "}")
        if depth == 0:
            return opening.end(), match.start()
    return None


def _last_run(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    r"""The last box, with those that stand right before it: `\boxed{1}, \boxed{2}` is one answer."""
    run = spans[-1:]  # from the last one backwards
    for span in reversed(spans[:-1]):
        between = text[span[1] + 1 : run[-1][0]]
        if not _BETWEEN_BOXES.fullmatch(between.removesuffix("{").rstrip().removesuffix(r"\boxed")):
            break
        run.append(span)
    return run[::-1]


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
    if end and _CORRECTION.search(sentence[end.end() :]):
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
