"""Judge: what becomes of each candidate once all of them are known. Every row has exactly one fate.

In this order, of which the first that applies is a row's fate:
    conflicts          its question about its pixels has contradicting golds; or it is nearly a row of that kind
    decontamination    it leaks a benchmark's question; or it is nearly a row that does
    exact duplicates   another row that stays says the same: the first, or the first that its source holds out
    near duplicates    another row that stays says nearly the same
    split              its group is held out by a source, which states that it is for training
What stays has a group and a split. Removal goes before duplication, so that no row is dropped as the duplicate of one
that is not in the dataset.
"""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from components.core.config import Config
from components.core.example import Split
from components.curation import conflicts, decontaminate
from components.curation.benchmark_questions import BenchmarkQuestions, read_benchmarks
from components.curation.conflicts import Conflict, ConflictsConfig, find_conflicts
from components.curation.decontaminate import DecontaminationConfig, Leaks, check_limit
from components.curation.duplicates import DuplicatesConfig, exact_duplicates, same_questions
from components.curation.groups import Division, GroupsConfig, divide
from components.curation.image_index import ImageComparison, ImageIndex
from components.curation.near import NearConfig, kept_neighbours, near_pairs
from components.curation.sign_table import SignTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONFLICTS, DECONTAMINATION, EXACT, NEAR, SPLIT = (
    "conflicts",
    "decontamination",
    "exact duplicates",
    "near duplicates",
    "split",
)
"""Names of the steps, in the order in which a row is held against them."""
REDUCE_STEPS = (CONFLICTS, DECONTAMINATION, EXACT, NEAR, SPLIT)


class JudgeConfig(Config):
    """The steps that compare candidates with all others."""

    duplicates: DuplicatesConfig = DuplicatesConfig()
    """Exact duplicates."""
    near: NearConfig = NearConfig()
    """Near duplicates."""
    conflicts: ConflictsConfig = ConflictsConfig()
    """Contradicting golds."""
    decontamination: DecontaminationConfig = DecontaminationConfig()
    """Leaks of benchmarks."""
    groups: GroupsConfig = GroupsConfig()
    """Division into training and held-out."""


class Fate(NamedTuple):
    """What becomes of one candidate."""

    step: str = ""
    """The step that takes it out; "" where it stays."""
    reason: str = ""
    evidence: str = ""
    is_duplicate: bool = False
    """Whether an equal or nearly equal row stays."""
    split: str = ""
    """Value of Split; "" where it does not stay."""
    group: str = ""
    """Its group; "" where it does not stay."""
    flags: tuple[str, ...] = ()
    """What is notable and no reason to leave it out."""


@dataclass(frozen=True)
class Fates:
    """What becomes of all candidates, in their order, and the figures of the card."""

    fates: tuple[Fate, ...]
    benchmarks: dict[str, dict[str, int]]
    """By benchmark: its questions, the leaked ones, and the rows that leak them."""
    broken_benchmark_images: int = 0

    @property
    def figures(self) -> dict[str, Any]:
        """For the summary."""
        return {"benchmarks": self.benchmarks, "broken_benchmark_images": self.broken_benchmark_images}

    def __len__(self) -> int:
        return len(self.fates)

    def __getitem__(self, row: int) -> Fate:
        return self.fates[row]

    def counts(self) -> dict[str, int]:
        """Rows by step; "" counts those that stay. They sum to the number of candidates."""
        return dict(Counter(fate.step for fate in self.fates))


def judge(
    table: SignTable,
    benchmarks: Sequence[Path],
    config: JudgeConfig,
    *,
    comparison: ImageComparison,
    seed: int = 0,
) -> Fates:
    """Decide what becomes of each candidate. The same table has the same fates, whatever shards it came in.

    Args:
        table: All candidates, in source order.
        benchmarks: Folders of suites or of single benchmarks that rows may not leak.
        config: The steps.
        comparison: Which images are near; signs those of benchmarks as the candidates' were.
        seed: Another seed holds out other groups.

    Raises:
        SourceError: A folder holds no benchmark.
        ContaminationError: More rows leak benchmarks than allowed.
        VerifierError: Golds need computer algebra and its sandbox cannot be started.
        ModelError: An embedding model is named, and is missing.
    """
    questions = read_benchmarks(benchmarks if config.decontamination.enabled else (), comparison)
    images = ImageIndex(table, comparison, questions.pixels, questions.looks)
    court = _Court(table, images, config, questions)
    court.find_leaks()
    court.settle()
    court.divide(seed)
    figures = {
        name: {
            "questions": count,
            "leaked_questions": court.leaks.questions[name],
            "leaking_rows": court.leaks.counts[name],
        }
        for name, count in court.benchmarks.counts.items()
    }
    return Fates(tuple(court.fates), figures, court.benchmarks.broken_images)


class _Court:
    """The fates as they are decided."""

    def __init__(
        self, table: SignTable, images: ImageIndex, config: JudgeConfig, benchmarks: BenchmarkQuestions
    ) -> None:
        self.table, self.images, self.config, self.benchmarks = table, images, config, benchmarks
        self.fates = [Fate()] * len(table)
        self.leaks = Leaks()
        self._kept: dict[int, int] = {}

    def find_leaks(self) -> None:
        """Find leaks, and fail where there are too many."""
        self.leaks = decontaminate.find_leaks(self.table, self.images, self.benchmarks, self.config.decontamination)
        if self.leaks.found:
            first = min(self.leaks.found)
            text = f"{self.table.key(first)} leaks {self._leak(first)}"
            check_limit(self.leaks, len(self.table), self.config.decontamination, text)

    def settle(self) -> None:
        """Conflicts, leaks and duplicates."""
        questions = same_questions(self.table, self.images)
        disputed: dict[int, Conflict] = {}
        if self.config.conflicts.enabled or self.config.duplicates.enabled:
            questions, disputed = find_conflicts(self.table, questions)
        if not self.config.conflicts.enabled:
            disputed = {}
        heldout = {row for row, split in enumerate(self.table.texts("split")) if split == Split.HELD_OUT}
        repeats = exact_duplicates(questions, heldout) if self.config.duplicates.enabled else {}
        pairs = self._near(repeats)
        self._remove(disputed, pairs, repeats)
        self._drop(repeats, pairs, heldout)

    def _near(self, repeats: dict[int, int]) -> "NDArray[np.int64]":
        """Near pairs of the rows that repeat none exactly."""
        import numpy as np

        if not self.config.near.enabled:
            return np.empty((0, 2), dtype=np.int64)
        rows = np.setdiff1d(np.arange(len(self.table)), np.fromiter(repeats, dtype=np.int64))
        return near_pairs(self.table, self.images, rows, self.config.near.misspelt)

    def _remove(self, disputed: dict[int, Conflict], pairs: "NDArray[np.int64]", repeats: dict[int, int]) -> None:
        """Rows that may not stay, and those that nearly are such rows."""
        for row, conflict in disputed.items():
            self._lose(row, CONFLICTS, conflict.reason, conflicts.evidence(self.table, conflict))
        for row in self.leaks.found:
            self._lose(row, DECONTAMINATION, "leaks a benchmark", self._leak(row))
        both = [*pairs.tolist(), *pairs[:, ::-1].tolist()]
        for step, known in ((CONFLICTS, set(disputed)), (DECONTAMINATION, set(self.leaks.found))):
            for row, other in both:
                if other in known and row not in known:
                    reason = f"near duplicate of such a row: {self.fates[other].reason}"
                    self._lose(row, step, reason, self._key(other))
        for row, kept in repeats.items():
            if self.fates[kept].step:
                self._lose(row, *self.fates[kept][:3])

    def _drop(self, repeats: dict[int, int], pairs: "NDArray[np.int64]", heldout: AbstractSet[int]) -> None:
        """Of rows that say the same, all but one; one that a source holds out stays before others."""
        import numpy as np

        lost = np.array([bool(fate.step) for fate in self.fates], dtype=np.bool_)
        near = kept_neighbours(pairs[~lost[pairs].any(axis=1)], heldout)
        for row, kept in near.items():
            self._repeat(row, kept, NEAR, "nearly the same images and question, and the same answer")
        for row, kept in repeats.items():
            self._repeat(row, near.get(kept, kept), EXACT, "the same pixels, question and answer")

    def _repeat(self, row: int, kept: int, step: str, reason: str) -> None:
        if not self.fates[row].step:
            self._kept[row] = kept
            self._lose(row, step, reason, self._key(kept), True)

    def divide(self, seed: int) -> None:
        """Groups and splits of what stays."""
        import numpy as np

        rows = np.array([row for row, fate in enumerate(self.fates) if not fate.step], dtype=np.int64)
        division: Division = divide(self.table, self.images, rows, self.config.groups, seed)
        for row, heldout in division.crossing.items():
            reason = f"stated {Split.TRAIN.value}, while its image or group is held out"
            self._lose(row, SPLIT, reason, self._key(heldout))
        for row, kept in self._kept.items():
            if kept in division.crossing:  # then nothing that says the same stays
                self.fates[row] = self.fates[kept]
        for row, split in division.splits.items():
            self.fates[row] = Fate(split=split.value, group=division.groups[row], flags=self._flags(row))

    def _flags(self, row: int) -> tuple[str, ...]:
        if row not in self.leaks.sharing:
            return ()
        flag, question = self.leaks.sharing[row]
        return (f"{flag}: {self.benchmarks.label(question)}",)

    def _lose(self, row: int, step: str, reason: str, evidence: str, is_duplicate: bool = False) -> None:
        """Give a row its fate, unless an earlier step has."""
        if not self.fates[row].step:
            self.fates[row] = Fate(step, reason, evidence, is_duplicate)

    def _leak(self, row: int) -> str:
        return decontaminate.evidence(self.benchmarks, self.leaks.found[row])

    def _key(self, row: int) -> str:
        return self.table.key(row)
