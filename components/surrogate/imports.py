"""Imports: annotations from outside as rows to fit on, every one accounted for.

Records in = rows kept + quarantined + duplicates. Records of one answer to one question are one row: its score is the
mean of what its annotators say, and it is quarantined where they do not agree.
"""

import itertools
import json
import statistics
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from components.core.json_lines import BadLineError
from components.surrogate.annotation_formats import Format, Record, read_records
from components.surrogate.rows import AnswerRow, to_row

AGREEMENT = 0.3
"""Least agreement of a row: scores of 1, 1 and 0 (1/3) just have it, 1 and 0 have not; ours."""
_SHOWN = 200
_ZERO_WIDTH = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))


@dataclass(frozen=True)
class KeptRow:
    """A row and what it is the mean of."""

    number: int
    """Of its first record, from 1."""
    row: AnswerRow
    annotators: int
    """Opinions that its score is the mean of."""
    agreement: float | None
    """1 less the mean difference of two opinions (0..1); None of a single one."""

    def to_json(self) -> dict[str, Any]:
        """As a line that `read_rows` reads."""
        agreement = {} if self.agreement is None else {"agreement": round(self.agreement, 6)}
        return {**self.row.to_json(), "annotators": self.annotators, **agreement}


@dataclass(frozen=True)
class LostRecord:
    """A record that is no row of its own."""

    number: int
    """From 1."""
    reason: str
    evidence: str
    question: str
    answer: str
    is_duplicate: bool = False
    """Whether its content is in a row that is kept."""

    def to_json(self) -> dict[str, Any]:
        """As a line of the quarantine."""
        return {
            "record": self.number, "reason": self.reason, "evidence": self.evidence, "question": self.question,
            "answer": self.answer, "is_duplicate": self.is_duplicate,
        }  # fmt: skip


@dataclass(frozen=True)
class Imported:
    """What became of an export: records = kept + lost."""

    records: int
    kept: list[KeptRow]
    lost: list[LostRecord]
    """In order of the records."""

    @property
    def duplicates(self) -> int:
        """Records whose content is in a row that is kept."""
        return sum(record.is_duplicate for record in self.lost)

    @property
    def quarantined(self) -> int:
        """Records whose content is in none."""
        return len(self.lost) - self.duplicates

    @property
    def reasons(self) -> dict[str, int]:
        """Lost records by reason."""
        return dict(sorted(Counter(record.reason for record in self.lost).items()))

    @property
    def agreement(self) -> float | None:
        """Mean over the rows that several annotators scored; None where there are none."""
        found = [row.agreement for row in self.kept if row.agreement is not None]
        return statistics.fmean(found) if found else None


def import_annotations(
    path: Path,
    format_: Format,
    scale: tuple[float, float] | None = None,
    score: str = "",
    min_agreement: float = AGREEMENT,
) -> Imported:
    """Read annotations.

    Args:
        path: The export.
        format_: Whose it is.
        scale: Lowest and highest rating; None where scores are labels or numbers from 0 to 1.
        score: Name of the control or question that scores answers; "" finds it.
        min_agreement: Rows whose annotators agree less are quarantined (0..1).

    Raises:
        SourceError: The file cannot be read or understood.
    """
    return pool(read_records(path, format_, scale, score), min_agreement)


def pool(records: Sequence[Record], min_agreement: float = AGREEMENT) -> Imported:
    """Make rows of records.

    Args:
        records: Of an export.
        min_agreement: Rows whose annotators agree less are quarantined (0..1).
    """
    lost: list[LostRecord] = []
    pools: dict[tuple[str, ...], _Pool] = {}
    for record in records:
        try:
            row = _row(record)
        except _UnusableError as error:
            lost.append(_lost(record, error.reason, error.evidence))
        else:
            pools.setdefault(_identity(row), _Pool(row)).add(record)
    kept = []
    for found in pools.values():
        reason, evidence = found.fault(min_agreement)
        if reason:
            lost += [_lost(record, reason, evidence) for record in found.records]
            continue
        kept.append(found.kept())
        lost += found.duplicates()
    return Imported(len(records), kept, sorted(lost, key=lambda item: item.number))


class _UnusableError(Exception):
    def __init__(self, reason: str, evidence: str) -> None:
        super().__init__(reason)
        self.reason, self.evidence = reason, evidence


class _Pool:
    """Records of one answer to one question."""

    def __init__(self, row: AnswerRow) -> None:
        self._row = row
        self.records: list[Record] = []
        self._opinions: dict[tuple[str, float | None], float] = {}
        self._is_new: list[bool] = []
        self._changed_mind = ""

    def add(self, record: Record) -> None:
        """Add what its annotators say, each once."""
        before = len(self._opinions)
        for opinion in record.opinions:
            # Somebody who is not named is told from the others by what they say.
            key = (opinion.annotator, None) if opinion.annotator else ("", opinion.score)
            earlier = self._opinions.setdefault(key, opinion.score)
            if earlier != opinion.score:
                self._changed_mind = f"annotator {opinion.annotator} says {earlier:g} and {opinion.score:g}"
        self.records.append(record)
        self._is_new.append(len(self._opinions) > before)

    def fault(self, min_agreement: float) -> tuple[str, str]:
        """Why nothing can be learned from it, and the evidence; "" where something can."""
        numbers = ", ".join(str(record.number) for record in self.records)
        if self._changed_mind:
            return "contradictory scores", f"records {numbers}: {self._changed_mind}"
        agreement = agreement_of(self._opinions.values())
        if agreement is not None and agreement < min_agreement:
            scores = ", ".join(f"{score:g}" for score in self._opinions.values())
            return "contradictory scores", f"records {numbers}: {scores}, agreement {agreement:.2f}"
        mean = statistics.fmean(self._opinions.values())
        answer = _folded(self._row.answer)
        if mean < 0.5 and answer in map(_folded, self._row.references):
            return "contradicts its references", f"records {numbers}: it is one of them, and scored {mean:g}"
        return "", ""

    def kept(self) -> KeptRow:
        """The row."""
        scores = list(self._opinions.values())
        row = replace(self._row, score=statistics.fmean(scores))
        return KeptRow(self.records[0].number, row, len(scores), agreement_of(scores))

    def duplicates(self) -> list[LostRecord]:
        """The records beside the first one."""
        first = self.records[0].number
        found = []
        for record, is_new in list(zip(self.records, self._is_new, strict=True))[1:]:
            reason = "another opinion" if is_new else "exact duplicate"
            evidence = f"{'taken into the row of' if is_new else 'of'} record {first}"
            found.append(replace(_lost(record, reason, evidence), is_duplicate=True))
        return found


def agreement_of(scores: Iterable[float]) -> float | None:
    """1 less the mean absolute difference over all pairs (0..1); None of a single score."""
    pairs = list(itertools.combinations(scores, 2))
    return 1 - statistics.fmean(abs(first - second) for first, second in pairs) if pairs else None


def normalised(text: str) -> str:
    """A text in Unicode's composed form, with plain line ends, without zero-width signs and space around it."""
    plain = unicodedata.normalize("NFC", text.translate(_ZERO_WIDTH))
    return plain.replace("\r\n", "\n").replace("\r", "\n").strip()


def _row(record: Record) -> AnswerRow:
    """The row of a record, without its score."""
    if record.problem:
        raise _UnusableError("schema", record.problem)
    values = {key: _clean(value) for key, value in record.values.items()}
    try:
        row = to_row(values, scored=False)
    except BadLineError as error:
        raise _UnusableError("schema", str(error)) from None
    if not record.opinions:
        raise _UnusableError("not annotated", "nobody scored it")
    if row.question and _folded(row.answer) == _folded(row.question):
        raise _UnusableError("answer repeats the question", row.answer[:_SHOWN])
    return row


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return normalised(value)
    return [_clean(item) for item in value] if isinstance(value, list) else value


def _identity(row: AnswerRow) -> tuple[str, ...]:
    """Equal of records that say the same, however it is spaced and in whatever order references come."""
    spaced = (" ".join(text.split()) for text in (row.question, row.answer, *sorted(row.references)))
    return tuple(spaced)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _lost(record: Record, reason: str, evidence: str) -> LostRecord:
    question, answer = (str(record.values.get(key) or "")[:_SHOWN] for key in ("question", "answer"))
    return LostRecord(record.number, reason, evidence, question, answer)


def to_lines(items: Iterable[KeptRow | LostRecord]) -> list[str]:
    """Rows or lost records as lines of JSON, ASCII."""
    return [json.dumps(item.to_json()) for item in items]
