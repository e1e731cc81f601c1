"""Refit: what a rule has verified in trainings teaches the next version of the surrogate.

An audit holds every rollout with the rule's verdict. Those become rows of kind "rollout": labels that cost nothing, in
the policy's own words. They are made few and even, since a policy says the same thing hundreds of times and is mostly
right late in a training: equal answers count once, each question gives at most so many, as many right as wrong are
kept, and all of them are at most so large a share of the rows fitted.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeVar

from pydantic import Field

from components.core.artifact import InputRef, Manifest, read_manifest, seal, verify
from components.core.config import Config
from components.core.errors import ArtifactError, EmptyDatasetError
from components.core.example import AnswerType, Example, Split, read_split
from components.core.json_lines import BadLineError
from components.core.rollouts import read_batches
from components.surrogate.config import SurrogateConfig
from components.surrogate.rows import AnswerRow, to_row, write_rows

KIND = "rollout"
ROWS_KIND = "surrogate_rows"
ROWS = "rows.jsonl"
_COLUMNS = ("example_id", "verdict", "confidence", "extracted")
_Result = TypeVar("_Result")
Inputs = Mapping[str, Manifest | InputRef]


class RefitConfig(Config):
    """Which rollouts become rows."""

    answer_types: tuple[AnswerType, ...] = (AnswerType.NUMBER, AnswerType.EXPRESSION, AnswerType.SHORT_TEXT)
    """Kinds of examples; whether a letter of a multiple choice is right says nothing of wording."""
    min_confidence: float = Field(default=0.9, ge=0, le=1)
    """Verdicts that the rule is less sure of are left out."""
    max_per_question: int = Field(default=4, ge=1)
    """Rows of one question at most, right and wrong ones alike."""
    max_share: float = Field(default=0.5, gt=0, lt=1)
    """Of all rows that the new version is fitted on, so that rollouts do not drown what people annotated."""


class VersionConfig(Config):
    """How the next version of a surrogate is made."""

    surrogate: SurrogateConfig | None = None
    """How it is fitted; as the last version if None."""
    selection: RefitConfig = RefitConfig()
    """Which rollouts become rows."""


@dataclass(frozen=True)
class RolloutRows:
    """The rows that an audit gives."""

    rows: list[AnswerRow]
    """Of kind "rollout", as many right (score 1) as wrong (score 0)."""
    counts: Mapping[str, int]
    """Rollouts by what became of them; they add up to all that were read."""


def rollout_rows(
    audits: Sequence[tuple[Path, Path]],
    known: Sequence[AnswerRow],
    config: RefitConfig | None = None,
    seed: int = 0,
) -> RolloutRows:
    """Turn verified rollouts into rows.

    Args:
        audits: Folders of rollouts artifacts, each with that of the dataset that its policy was trained on.
        known: Rows that the last version was fitted on; what they say already is left out, and their number limits
            that of the new ones. Without any, there is no such limit.
        config: Which rollouts; the defaults if None.
        seed: Decides which of several are kept.

    Raises:
        ArtifactError: A folder is not what it should be, or the rollouts are of another dataset.
    """
    config = config or RefitConfig()
    counts: Counter[str] = Counter()
    verdicts: dict[_Answer, _Seen] = {}
    for rollouts, dataset in audits:
        examples = _examples(rollouts, dataset)
        for batch in read_batches(rollouts, _COLUMNS):
            for rollout in batch:
                _take(rollout, examples, config, verdicts, counts)
    said = {_key(row) for row in known}
    fresh = [seen.row for seen in verdicts.values() if _is_fresh(seen, said, counts)]
    most = int(len(known) * config.max_share / (1 - config.max_share)) if known else len(fresh)
    kept = _balanced(fresh, config, most, seed)
    counts["row"] = len(kept)
    counts["more than is kept of a question, or than of the other verdict"] = len(fresh) - len(kept)
    return RolloutRows(kept, {name: count for name, count in counts.items() if count})


def refit(
    parent: Path,
    rows: Sequence[AnswerRow],
    added: RolloutRows | Sequence[AnswerRow],
    sources: Inputs,
    fit: Callable[[Sequence[AnswerRow], Inputs], _Result],
) -> _Result:
    """Fit the next version of a surrogate: on the last one's rows and the new ones, with the last one as its input.

    Args:
        parent: The last version, a surrogate artifact.
        rows: What it was fitted on.
        added: The new rows: of rollouts, of a teacher, or annotated.
        sources: What the new rows come from, by role: rollouts, dataset, rows …
        fit: Fits a version on rows and seals it with these inputs.

    Raises:
        ArtifactError: The parent is no surrogate, or was changed.
        EmptyDatasetError: There is nothing new.
        ValueError: A source takes the role "parent".
    """
    manifest = verify(parent, "surrogate")
    if "parent" in sources:
        raise ValueError("the role parent is the last version's")
    new = list(added.rows if isinstance(added, RolloutRows) else added)
    if not new:
        raise EmptyDatasetError("refit", "no new row", "Keep the last version; it would be fitted on the same rows")
    return fit([*rows, *new], {"parent": manifest, **sources})


def seal_rows(rows: Iterable[AnswerRow], folder: Path, identity: Mapping[str, object], inputs: Inputs) -> Manifest:
    """Make rows an artifact, so that what is fitted on them can name them.

    Args:
        rows: Written in this order to rows.jsonl.
        folder: For the artifact.
        identity: The settings that decided them, as JSON values.
        inputs: What they were made from, by role.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(rows, folder / ROWS)
    return seal(folder, ROWS_KIND, identity, inputs)


def versions(folder: Path, *roots: Path) -> list[Manifest]:
    """A surrogate and the versions before it, the newest first.

    Args:
        folder: The surrogate artifact.
        roots: Where the earlier versions lie.

    Raises:
        ArtifactError: A version is missing under the roots, or was changed.
    """
    from components.core.lineage import folders_by_fingerprint

    places = {name: place for root in roots for name, place in folders_by_fingerprint(root).items()}
    found = [verify(folder, "surrogate")]
    while (reference := found[-1].inputs.get("parent")) is not None:
        place = places.get(reference.fingerprint)
        if place is None:
            problem = f"the version before {found[-1].fingerprint[:12]} was not found"
            raise ArtifactError(
                f"surrogate artifact {reference.fingerprint[:12]}", problem, "Give the folder that holds all versions"
            )
        found.append(verify(place, "surrogate"))
    return found


_Question = tuple[str, tuple[str, ...]]
_Answer = tuple[str, tuple[str, ...], str]


@dataclass
class _Seen:
    """What a rule said of one answer to one question, however often."""

    row: AnswerRow
    contradicted: bool = False


def _examples(rollouts: Path, dataset: Path) -> dict[str, Example]:
    verify(rollouts, "rollouts")
    data = verify(dataset, "dataset")
    needed = read_manifest(rollouts).inputs.get("dataset")
    if needed is None or needed.fingerprint != data.fingerprint:
        raise ArtifactError(
            str(rollouts),
            f"its rollouts are not of the dataset {data.fingerprint[:12]} in {dataset}",
            "Give the dataset that the policy was trained on",
        )
    return {example.id: example for example in read_split(dataset, Split.TRAIN)}


def _take(
    rollout: Mapping[str, object],
    examples: Mapping[str, Example],
    config: RefitConfig,
    verdicts: dict[_Answer, _Seen],
    counts: Counter[str],
) -> None:
    """Put a rollout among the verdicts, or count why not."""
    example = examples.get(str(rollout["example_id"]))
    reason = _unfit(rollout, example, config)
    if reason or example is None:
        counts[reason] += 1
        return
    try:
        row = _row(example, rollout)
    except BadLineError:
        counts["its texts are not those of a row"] += 1
        return
    key = _key(row)
    seen = verdicts.setdefault(key, _Seen(row))
    if seen.row is row:
        return
    counts["said before"] += 1
    seen.contradicted |= seen.row.score != row.score
    if row.answer < seen.row.answer:  # of equal answers one, whichever came first
        seen.row = row


def _row(example: Example, rollout: Mapping[str, object]) -> AnswerRow:
    """The row of a rollout; its group is that of its texts, since many images may have the same question and answer.

    Raises:
        BadLineError: The question, a reference or the answer is not what a row may hold.
    """
    texts = {"question": example.question, "references": list(example.references), "answer": rollout["extracted"]}
    return to_row({**texts, "score": float(bool(rollout["verdict"])), "kind": KIND})


def _unfit(rollout: Mapping[str, object], example: Example | None, config: RefitConfig) -> str:
    """Why a rollout cannot become a row; "" where it can."""
    if example is None:
        return "its example is not in the dataset"
    if rollout["verdict"] is None or not example.verifiable:
        return "no verdict of a rule"
    if example.answer_type not in config.answer_types:
        return "of another answer type"
    confidence = rollout["confidence"]
    if not isinstance(confidence, float) or confidence < config.min_confidence:
        return "the rule is not sure"
    return "" if str(rollout["extracted"] or "").strip() else "no answer"


def _is_fresh(seen: _Seen, said: set[_Answer], counts: Counter[str]) -> bool:
    if seen.contradicted:
        counts["verdicts that contradict each other"] += 1
        return False
    if _key(seen.row) in said:
        counts["known to the last version"] += 1
        return False
    return True


def _balanced(fresh: Sequence[AnswerRow], config: RefitConfig, most: int, seed: int) -> list[AnswerRow]:
    """As many right as wrong, few of a question, at most so many; of questions with both verdicts first.

    Does not depend on the order of the rollouts.
    """
    random = Random(seed)
    by_question: dict[_Question, list[AnswerRow]] = defaultdict(list)
    for row in sorted(fresh, key=_key):
        by_question[row.question, row.references].append(row)
    questions = list(by_question.values())
    random.shuffle(questions)
    # Pairs of one question teach the most: what differs between them is the answer alone.
    questions.sort(key=lambda several: len({row.score for row in several}), reverse=True)
    chosen = [row for several in questions for row in _few(several, config.max_per_question, random)]
    rights, wrongs = ([row for row in chosen if row.score == score] for score in (1.0, 0.0))
    size = min(len(rights), len(wrongs), most // 2)
    return [*rights[:size], *wrongs[:size]]


def _few(several: Sequence[AnswerRow], most: int, random: Random) -> list[AnswerRow]:
    """At most so many of one question, alternately right and wrong as long as there are both."""
    shuffled = random.sample(several, len(several))
    rights = [row for row in shuffled if row.score == 1.0]
    wrongs = [row for row in shuffled if row.score == 0.0]
    paired = [row for pair in zip(rights, wrongs, strict=False) for row in pair]
    longer = max(rights, wrongs, key=len)
    return [*paired, *longer[len(paired) // 2 :]][:most]


def _key(row: AnswerRow) -> _Answer:
    """Answers that differ in case and spaces alone are one."""
    return row.question, row.references, " ".join(row.answer.casefold().split())
