"""Answer file: what a surrogate says of the answers of a JSON Lines file.

One line in is one line out, in the same order, whatever the line holds. A line that cannot be scored has a null in
place of each number, never a 0, and says why.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from components.core.json_lines import BadLineError, read_id, read_object
from components.rewards.estimate import Estimate
from components.surrogate.measure import NEIGHBOURS, score_problem
from components.surrogate.ordering import Estimator, estimates_of
from components.surrogate.rows import AnswerRow, Pictures, to_row

_BATCH = 512  # answers scored at once; large enough to share work, small enough to show progress


@dataclass(frozen=True)
class ScoredAnswers:
    """What became of a file's lines."""

    lines: list[str]
    """One line of ASCII JSON for each line read, in order, without its line break."""
    problems: list[str]
    """What is wrong with each bad line, with its number from 1; in order."""
    scores: list[float]
    """Of the lines that the surrogate stands by."""
    abstained: int
    """Lines that it scored and does not stand by."""


def score_answers(
    lines: Sequence[str],
    scorer: Estimator,
    advance: Callable[[int], object] = lambda _: None,
    pictures: Pictures | None = None,
) -> ScoredAnswers:
    """Score the lines of a file.

    Args:
        lines: JSON objects with `references`, `answer` and, if there is one, `question` and `id`, one a line.
        scorer: The surrogate.
        advance: Called with the number of lines that have just been done; all calls sum to the number of lines.
        pictures: How `image` is read; None: it is not looked at.

    Raises:
        ModelError: The surrogate refuses to score at all.
    """
    ids: list[dict[str, Any]] = []
    read = [_read(line, ids, pictures) for line in lines]
    outcomes: dict[int, Estimate | str] = {
        index: str(item) for index, item in enumerate(read) if isinstance(item, BadLineError)
    }
    advance(len(outcomes))
    good = {index: item for index, item in enumerate(read) if isinstance(item, AnswerRow)}
    for places, estimates in _batches(good, scorer):
        outcomes |= {place: score_problem(item) or item for place, item in zip(places, estimates, strict=True)}
        advance(len(places))
    ordered = [outcomes[index] for index in range(len(lines))]
    scored = [item for item in ordered if isinstance(item, Estimate)]
    return ScoredAnswers(
        [
            json.dumps({**own, **_record(number, item)}, allow_nan=False)
            for number, (own, item) in enumerate(zip(ids, ordered, strict=True), 1)
        ],
        [f"line {number}: {item}" for number, item in enumerate(ordered, 1) if isinstance(item, str)],
        [item.score for item in scored if not item.abstains],
        sum(bool(item.abstains) for item in scored),
    )


def _read(text: str, ids: list[dict[str, Any]], pictures: Pictures | None) -> AnswerRow | BadLineError:
    """A row, or what is wrong with the line; the line's id is added to `ids` in either case."""
    ids.append({})
    try:
        values = read_object(text)
        ids[-1] = read_id(values)
        return to_row(values, scored=False, pictures=pictures)
    except BadLineError as error:
        return error


def _batches(rows: dict[int, AnswerRow], scorer: Estimator) -> Iterator[tuple[list[int], Sequence[Estimate]]]:
    places = list(rows)
    for start in range(0, len(places), _BATCH):
        batch = places[start : start + _BATCH]
        own = [rows[place] for place in batch]
        yield batch, estimates_of(scorer, own, NEIGHBOURS)


def _record(number: int, outcome: Estimate | str) -> dict[str, Any]:
    if isinstance(outcome, str):
        nothing = {"score": None, "low": None, "high": None, "abstain": True}
        return {**nothing, "reason": f"bad line: line {number}: {outcome}", "neighbours": []}
    record: dict[str, Any] = {
        "score": outcome.score,
        "low": outcome.low,
        "high": outcome.high,
        "abstain": bool(outcome.abstains),
    }
    if outcome.abstains:
        record["reason"] = outcome.abstains
    if outcome.flags:
        record["flags"] = list(outcome.flags)
    return {**record, "neighbours": [asdict(neighbour) for neighbour in outcome.neighbours]}
