import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from components.core.artifact import InputRef, Manifest, seal, verify
from components.core.breakdown import RewardBreakdown
from components.core.errors import ArtifactError, EmptyDatasetError
from components.core.example import AnswerType, Example, Split, Task, write_splits
from components.core.lineage import SOURCE_KIND, trace
from components.surrogate.refit import (
    RefitConfig,
    RolloutRows,
    refit,
    rollout_rows,
    seal_rows,
    versions,
)
from components.surrogate.rows import AnswerRow, read_rows
from components.training.audit import RolloutAudit, ScoredBatch

Said = tuple[str, str | None, bool | None]
"""An example's id, the answer extracted, and the verdict."""


def example(name: str, answer_type: AnswerType = AnswerType.SHORT_TEXT, verifiable: bool = True) -> Example:
    return Example(
        id=name,
        images=(b"none",),
        question=f"question {name}",
        references=(f"reference {name}",),
        answer_type=answer_type,
        task=Task.VQA,
        verifiable=verifiable,
    )


def dataset(folder: Path, examples: Sequence[Example]) -> Path:
    folder.mkdir()
    write_splits({Split.TRAIN: examples}, folder)
    seal(folder, "dataset", {})
    return folder


def audit(folder: Path, data: Path, said: Sequence[Said], confidence: float = 1.0, step: int = 0) -> Path:
    """Rollouts as training leaves them."""
    writer = RolloutAudit(folder)
    count = len(said)
    breakdowns = [
        RewardBreakdown(0.0, {}, {"accuracy": 0.0, "length": 0.0, "format": 0.0}, {}, verdict, confidence, answer)
        for _, answer, verdict in said
    ]
    names, texts = [name for name, _, _ in said], ["a completion"] * count
    batch = ScoredBatch(
        step, names, texts, [False] * count, [3] * count, [False] * count, breakdowns, [0.0] * count
    )  # fmt: skip
    writer.append(batch, seconds=1.0)
    seal(folder, "rollouts", {}, {"dataset": verify(data)})
    return folder


def known(count: int) -> list[AnswerRow]:
    return [AnswerRow(f"known {place}", ("r",), "a", 1.0, str(place)) for place in range(count)]


def test_verified_answers_become_rows_of_their_examples_and_one_question_is_one_group(tmp_path: Path) -> None:
    """Two examples that differ in their image alone: what the surrogate reads of them is the same."""
    twin = replace(example("plain"), id="twin")
    data = dataset(tmp_path / "data", [example("plain"), twin, example("other")])
    said: list[Said] = [("plain", "yes", True), ("twin", "no", False), ("other", "nothing", False)]
    rollouts = audit(tmp_path / "rollouts", data, said)

    found = rollout_rows([(rollouts, data)], known(10))

    assert [(row.question, row.references, row.answer, row.score, row.kind) for row in found.rows] == [
        ("question plain", ("reference plain",), "yes", 1.0, "rollout"),
        ("question plain", ("reference plain",), "no", 0.0, "rollout"),
    ]
    assert found.rows[0].group == found.rows[1].group
    assert found.counts == {"row": 2, "more than is kept of a question, or than of the other verdict": 1}


def test_every_rollout_is_counted_under_what_became_of_it(tmp_path: Path) -> None:
    examples = [
        example("a"), example("b"), example("letter", AnswerType.CHOICE), example("open", AnswerType.OPEN_ENDED, False),
    ]  # fmt: skip
    data = dataset(tmp_path / "data", examples)
    said: list[Said] = [
        ("a", "7", True), ("a", "7", True), ("a", "wrong", False), ("a", " WRONG ", False),  # two rows, each twice
        ("a", "torn", True), ("a", "torn", False),
        ("a", "old", True),
        ("a", None, False), ("a", " ", False),
        ("a", "undecided", None),
        ("letter", "B", True), ("open", "prose", True), ("gone", "x", True),
        ("b", "right too", True),
    ]  # fmt: skip
    rollouts = audit(tmp_path / "rollouts", data, said)
    unsure = audit(tmp_path / "unsure", data, [("b", "perhaps", True)], confidence=0.5)
    old = AnswerRow("question a", ("reference a",), "old", 1.0, "g")

    found = rollout_rows([(rollouts, data), (unsure, data)], [old, *known(20)])

    assert [(row.question, row.score) for row in found.rows] == [("question a", 1.0), ("question a", 0.0)]
    assert found.counts == {
        "row": 2,
        "said before": 3,
        "verdicts that contradict each other": 1,
        "known to the last version": 1,
        "no answer": 2,
        "no verdict of a rule": 2,
        "of another answer type": 1,
        "its example is not in the dataset": 1,
        "the rule is not sure": 1,
        "more than is kept of a question, or than of the other verdict": 1,
    }
    assert sum(found.counts.values()) == len(said) + 1


@pytest.mark.parametrize("seed", range(4))
def test_rows_are_even_few_of_a_question_and_a_bounded_share(tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)
    names = [f"e{place}" for place in range(30)]
    data = dataset(tmp_path / "data", [example(name) for name in names])
    said: list[Said] = [
        (name, f"answer {place}", chosen.random() < 0.8) for name in names for place in range(chosen.randrange(12))
    ]
    rollouts = audit(tmp_path / "rollouts", data, said)
    config = RefitConfig(max_per_question=3, max_share=0.25)

    rows = rollout_rows([(rollouts, data)], known(60), config, seed).rows
    unbounded = rollout_rows([(rollouts, data)], known(6000), config, seed).rows

    for several in (rows, unbounded):
        assert sum(row.score == 1.0 for row in several) == sum(row.score == 0.0 for row in several) > 0
        assert max(sum(row.question == item.question for row in several) for item in several) <= 3
        assert len({(row.question, row.answer) for row in several}) == len(several)
    assert len(rows) == 20
    assert len(rows) / (len(rows) + 60) <= 0.25
    assert len(unbounded) > 20


def test_choice_depends_on_the_seed_and_not_on_the_order_of_the_rollouts(tmp_path: Path) -> None:
    data = dataset(tmp_path / "data", [example("a"), example("b")])
    said: list[Said] = [(name, f"answer {place}", place % 2 == 0) for name in "ab" for place in range(20)]
    said += [(name, f"ANSWER {place}", place % 2 == 0) for name in "ab" for place in range(20)]
    forth = audit(tmp_path / "forth", data, said)
    back = audit(tmp_path / "back", data, said[::-1])

    first, second = (rollout_rows([(folder, data)], known(50)).rows for folder in (forth, back))

    assert first == second
    assert rollout_rows([(forth, data)], known(50), seed=1).rows != first


def test_rollouts_of_another_dataset_are_refused(tmp_path: Path) -> None:
    data = dataset(tmp_path / "data", [example("a")])
    other = dataset(tmp_path / "other", [example("b")])
    rollouts = audit(tmp_path / "rollouts", data, [("a", "yes", True)])

    with pytest.raises(ArtifactError, match="not of the dataset"):
        rollout_rows([(rollouts, other)], known(2))


class FolderFit:
    """Fits nothing: seals the rows as a surrogate, which is what lineage is about."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, rows: Sequence[AnswerRow], inputs: object) -> Manifest:
        self._folder.mkdir()
        (self._folder / "rows").write_text("\n".join(map(repr, rows)))
        return seal(self._folder, "surrogate", {}, inputs)  # type: ignore[arg-type]


def test_versions_are_chained_by_content(tmp_path: Path) -> None:
    """The third version's lineage leads to the first one and to the rollouts and the dataset of the second."""
    data = dataset(tmp_path / "data", [example("a")])
    rollouts = audit(tmp_path / "rollouts", data, [("a", "yes", True), ("a", "no", False)])
    first = FolderFit(tmp_path / "first")(known(4), {"rows": InputRef(SOURCE_KIND, "f" * 64)})
    added = rollout_rows([(rollouts, data)], known(4))
    sources = {"rollouts": verify(rollouts), "dataset": verify(data)}
    second = refit(tmp_path / "first", known(4), added, sources, FolderFit(tmp_path / "second"))
    rows = seal_rows(known(1), tmp_path / "rows", {"by": "hand"}, {"rollouts": verify(rollouts)})
    third = refit(tmp_path / "second", known(4), known(1), {"rows": rows}, FolderFit(tmp_path / "third"))

    assert second.inputs["parent"] == first.reference()
    assert [item.fingerprint for item in versions(tmp_path / "third", tmp_path)] == [
        third.fingerprint,
        second.fingerprint,
        first.fingerprint,
    ]
    tree = trace(tmp_path / "third", tmp_path)
    assert {item.role for item in tree.inputs} == {"parent", "rows"}
    assert (tmp_path / "second" / "rows").read_text().count("kind='rollout'") == 2

    again = refit(tmp_path / "first", known(4), added, sources, FolderFit(tmp_path / "again"))
    other = refit(tmp_path / "second", known(4), added, sources, FolderFit(tmp_path / "other"))
    assert again.fingerprint == second.fingerprint != other.fingerprint


def test_changed_parent_and_nothing_new_are_refused(tmp_path: Path) -> None:
    FolderFit(tmp_path / "first")(known(4), {})

    with pytest.raises(EmptyDatasetError, match="no new row"):
        refit(tmp_path / "first", known(4), RolloutRows([], {}), {}, FolderFit(tmp_path / "second"))

    (tmp_path / "first" / "rows").write_text("changed")
    with pytest.raises(ArtifactError, match="rows changed"):
        refit(tmp_path / "first", known(4), known(1), {}, FolderFit(tmp_path / "second"))


def test_missing_version_is_named(tmp_path: Path) -> None:
    FolderFit(tmp_path / "first")(known(4), {})
    refit(tmp_path / "first", known(4), known(1), {}, FolderFit(tmp_path / "second"))

    with pytest.raises(ArtifactError, match=r"the version before .* was not found"):
        versions(tmp_path / "second", tmp_path / "second")


def test_sealed_rows_are_read_back(tmp_path: Path) -> None:
    rows = [replace(row, score=0.25) for row in known(3)]

    seal_rows(rows, tmp_path / "rows", {}, {})

    assert read_rows(tmp_path / "rows" / "rows.jsonl").rows == rows
    assert verify(tmp_path / "rows", "surrogate_rows").files.keys() == {"rows.jsonl"}
