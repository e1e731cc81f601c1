"""Score file: what the completions of a JSON Lines file are worth, without any model.

One line in is one line out, in the same order, whatever the line holds. The completions of one prompt share a `group`
and may stand anywhere in the file, so all of it, and all of the scores, are in memory at once.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.core.breakdown import RewardBreakdown
from components.core.json_lines import BadLineError, read_id, read_object
from components.rewards.portfolio import PARTS, Portfolio
from components.rewards.score_line import NO_REFERENCE, ScoreLine, read_line

_BATCH = 1000  # completions scored at once; large enough to share work, small enough to show progress


@dataclass(frozen=True)
class ScoredLines:
    """The scores of a file's lines."""

    lines: list[str]
    """One line of ASCII JSON for each line read, in order, without its line break."""
    problems: list[str]
    """What is wrong with each bad line, with its number from 1; in order."""


def score_lines(
    lines: Sequence[str], portfolio: Portfolio, advance: Callable[[int], object] = lambda _: None
) -> ScoredLines:
    """Score the lines of a file.

    Args:
        lines: JSON objects, one a line; a line that is none is reported and leaves the others unharmed.
        portfolio: Scores whole groups.
        advance: Called with the number of lines that have just been scored; all calls sum to the number of lines.
    """
    ids: list[dict[str, Any]] = []
    read = [_read(line, ids) for line in lines]
    groups = _groups(read)
    bad = {index: line for index, line in enumerate(read) if isinstance(line, BadLineError)}
    good = {index: line for index, line in enumerate(read) if isinstance(line, ScoreLine)}
    records = {index: _bad_record(index + 1, error) for index, error in bad.items()}
    advance(len(bad))
    for indices, breakdowns in _scored(good, groups, portfolio):
        for index, breakdown in zip(indices, breakdowns, strict=True):
            records[index] = _record(good[index], breakdown)
        advance(len(indices))
    return ScoredLines(
        [json.dumps({**own, **records[index]}, allow_nan=False) for index, own in enumerate(ids)],
        [f"line {index + 1}: {error}" for index, error in bad.items()],
    )


def _read(text: str, ids: list[dict[str, Any]]) -> ScoreLine | BadLineError:
    """A line, or what is wrong with it; its id is added to `ids` in either case."""
    ids.append({})
    try:
        values = read_object(text)
        ids[-1] = read_id(values)
        return read_line(values)
    except BadLineError as error:
        return error


def _groups(read: list[ScoreLine | BadLineError]) -> list[list[int]]:
    """Positions of the lines of each group; a line with another prompt than its group's first is turned bad."""
    groups: dict[object, list[int]] = defaultdict(list)
    for index, line in enumerate(read):
        if isinstance(line, BadLineError):
            continue
        members = groups[index if line.group is None else line.group]
        first = read[members[0]] if members else line
        if isinstance(first, ScoreLine) and first.checkable == line.checkable:
            members.append(index)
        else:
            read[index] = BadLineError(
                f"group {(line.group or '')[:60]} holds another prompt on line {members[0] + 1}: give the lines of a "
                "group the same question, references, answer_type, choices, unit and precision, or another group"
            )
    return list(groups.values())


def _scored(
    good: Mapping[int, ScoreLine], groups: Sequence[list[int]], portfolio: Portfolio
) -> Iterator[tuple[list[int], list[RewardBreakdown]]]:
    """Positions and breakdowns of all good lines, a batch of groups of one size at a time."""
    by_size: dict[int, list[list[int]]] = defaultdict(list)
    for group in groups:
        by_size[len(group)].append(group)
    for size, same in by_size.items():
        step = max(1, _BATCH // size)
        for start in range(0, len(same), step):
            indices = [index for group in same[start : start + step] for index in group]
            lines = [good[index] for index in indices]
            breakdowns = portfolio.score_groups(
                [line.checkable for line in lines],
                [line.completion for line in lines],
                [line.length for line in lines],
                size,
                truncated=[line.truncated for line in lines],
            )
            yield indices, breakdowns


def _record(line: ScoreLine, breakdown: RewardBreakdown) -> dict[str, Any]:
    not_applicable = dict(breakdown.not_applicable)
    if NO_REFERENCE in line.flags and "accuracy" in not_applicable:
        not_applicable["accuracy"] = "the line has no reference"
    return {
        "total": breakdown.total,
        "parts": _all_parts(breakdown.parts),
        "not_applicable": not_applicable,
        "verdict": breakdown.verdict,
        "confidence": breakdown.confidence,
        "extracted": breakdown.extracted,
        "rule": breakdown.rule,
        "flags": list(dict.fromkeys((*line.flags, *breakdown.flags))),
    }


def _bad_record(number: int, error: BadLineError) -> dict[str, Any]:
    return {
        "total": None,
        "parts": _all_parts({}),
        "not_applicable": dict.fromkeys(PARTS, "bad line"),
        "verdict": None,
        "confidence": None,
        "extracted": None,
        "rule": "",
        "flags": [f"bad line: line {number}: {error}"],
    }


def _all_parts(parts: Mapping[str, float]) -> dict[str, float | None]:
    return {**dict.fromkeys(PARTS), **parts}
