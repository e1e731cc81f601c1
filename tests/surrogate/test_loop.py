"""Once around the loop with real fits: pick, annotate in a sheet, refit, decide."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from components.core.artifact import InputRef, Manifest, seal
from components.core.lineage import SOURCE_KIND
from components.surrogate.active import fold_committee, pick, signals_of, text_vectors
from components.surrogate.annotation import export_rows, import_rows, row_id
from components.surrogate.champion import decide
from components.surrogate.refit import Inputs, refit, seal_rows
from components.surrogate.rows import AnswerRow, read_rows, write_rows
from tests.surrogate.loop import LogisticScores, fit, questions


class Versions:
    """Fits to numbered folders that hold the rows, and fits again when one is loaded."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.folders: list[Path] = []

    def fit(self, rows: Sequence[AnswerRow], inputs: Inputs) -> Manifest:
        folder = self._root / f"version-{len(self.folders)}"
        folder.mkdir()
        write_rows(rows, folder / "rows.jsonl")
        self.folders.append(folder)
        return seal(folder, "surrogate", {}, inputs)

    def load(self, place: int) -> LogisticScores:
        return fit(self.rows(place))

    def rows(self, place: int) -> list[AnswerRow]:
        return read_rows(self.folders[place] / "rows.jsonl").rows


def annotate(sheet: Path, truth: dict[str, float]) -> None:
    """People fill in the right label."""
    with sheet.open(encoding="utf-8-sig", newline="") as stream:
        records = list(csv.DictReader(stream))
    for record in records:
        record["label"] = f"{truth[record['id'].removeprefix('id:')]:.0f}"
    with sheet.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(records[0]))
        writer.writeheader()
        writer.writerows(records)


def test_annotating_what_is_picked_makes_a_version_that_replaces_the_first(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    pool = questions(60, seed=1, noise=0.0)
    truth = {row_id(row): row.score or 0.0 for row in pool}
    candidates = [replace(row, score=None) for row in pool]
    heldout = questions(60, seed=2, noise=0.0)
    salad = [replace(row, answer="no such words", kind="salad") for row in heldout]
    first = versions.fit(questions(4, seed=0, noise=1.0), {"rows": InputRef(SOURCE_KIND, "f" * 64)})

    committee = [member(candidates) for member in fold_committee(versions.rows(0), fit, 3)]
    vectors = text_vectors(candidates)
    found = pick(candidates, 60, signals_of(committee, versions.load(0)(candidates), vectors), vectors)
    export_rows([item.row for item in found.picks], tmp_path / "sheet.csv")
    annotate(tmp_path / "sheet.csv", truth)
    annotated = import_rows(tmp_path / "sheet.csv")
    source = seal_rows(annotated.rows, tmp_path / "annotated", {}, {"parent": first})
    second = refit(versions.folders[0], versions.rows(0), annotated.rows, {"annotated": source}, versions.fit)
    decision = decide(versions.load(0), versions.load(1), heldout, salad, fitted=versions.rows(1))
    reverse = decide(versions.load(1), versions.load(0), heldout, salad, fitted=versions.rows(1))

    assert len(annotated.rows) == 60
    assert second.inputs == {"parent": first.reference(), "annotated": source.reference()}
    assert decision.replaced, decision.reasons
    assert not reverse.replaced
