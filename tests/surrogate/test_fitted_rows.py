"""What a surrogate was fitted on is found again, or it is said how to give it."""

from dataclasses import replace
from pathlib import Path

import pytest

from components.core.artifact import InputRef, Manifest, digest_file, read_manifest, seal, verify
from components.core.errors import ArtifactError
from components.core.lineage import SOURCE_KIND
from components.surrogate.builtin import builtin_folder, corpus_rows
from components.surrogate.fit import fit_rows, fit_surrogate
from components.surrogate.fitted_rows import RowsNotFoundError, fitted_rows, rows_beside
from components.surrogate.refit import seal_rows
from components.surrogate.rows import AnswerRow, write_rows
from components.surrogate.scored_answers import answer_rows
from tests.surrogate.loop import questions
from tests.surrogate.quick import QUICK
from tests.surrogate.stub import use_stub

ROWS = [replace(row, score=0.25) for row in questions(3, seed=0)]


def surrogate(folder: Path, inputs: dict[str, Manifest | InputRef]) -> Manifest:
    folder.mkdir()
    (folder / "x").write_text("x")
    return seal(folder, "surrogate", {}, inputs)


def file_of(path: Path, rows: list[AnswerRow]) -> Path:
    write_rows(rows, path)
    return path


def test_file_is_known_by_its_bytes_among_those_given(tmp_path: Path) -> None:
    other, right = file_of(tmp_path / "a.jsonl", ROWS[:3]), file_of(tmp_path / "b.jsonl", ROWS)
    manifest = surrogate(tmp_path / "s", {"rows": InputRef(SOURCE_KIND, digest_file(right))})

    found = fitted_rows(tmp_path / "s", manifest, [other, right])

    assert (found.rows, found.path, found.role) == (ROWS, right, "rows")
    with pytest.raises(RowsNotFoundError, match="none of the files given is the rows"):
        fitted_rows(tmp_path / "s", manifest, [other, tmp_path])
    with pytest.raises(RowsNotFoundError, match=r"not known where to find .* --rows"):
        fitted_rows(tmp_path / "s", manifest)


def test_rows_artifact_is_found_beside_the_surrogate_by_fingerprint_or_where_it_was_moved_to(tmp_path: Path) -> None:
    sealed = seal_rows(ROWS, tmp_path / "s.rows", {}, {})
    manifest = surrogate(tmp_path / "s", {"rows": sealed})
    moved = tmp_path / "elsewhere"

    assert rows_beside(tmp_path / "s") == (tmp_path / "s.rows").resolve()
    beside = fitted_rows(tmp_path / "s", manifest)
    (tmp_path / "s.rows").rename(moved)
    by_fingerprint = fitted_rows(tmp_path / "s", manifest, places={sealed.fingerprint: moved})
    given = [fitted_rows(tmp_path / "s", manifest, [path]) for path in (moved, moved / "rows.jsonl")]

    assert [found.rows for found in (beside, by_fingerprint, *given)] == [ROWS] * 4
    assert [found.path for found in (beside, *given)] == [None, moved, moved / "rows.jsonl"]
    with pytest.raises(RowsNotFoundError, match=r"are not in .*s\.rows"):
        fitted_rows(tmp_path / "s", manifest, [file_of(tmp_path / "rows.jsonl", ROWS)])


def test_changed_rows_are_refused(tmp_path: Path) -> None:
    sealed = seal_rows(ROWS, tmp_path / "s.rows", {}, {})
    manifest = surrogate(tmp_path / "s", {"rows": sealed})
    write_rows(ROWS[:2], tmp_path / "s.rows" / "rows.jsonl")

    with pytest.raises(ArtifactError, match=r"rows\.jsonl changed"):
        fitted_rows(tmp_path / "s", manifest)


def test_ready_surrogate_has_its_corpus_and_that_of_another_corpus_has_none(tmp_path: Path) -> None:
    found = fitted_rows(builtin_folder(), read_manifest(builtin_folder()))
    other = surrogate(tmp_path / "s", {"corpus": InputRef("corpus", "f" * 64)})

    assert (found.rows, found.role) == (corpus_rows(), "corpus")
    with pytest.raises(RowsNotFoundError, match="another corpus"):
        fitted_rows(tmp_path / "s", other)
    with pytest.raises(RowsNotFoundError, match="names no rows"):
        fitted_rows(tmp_path / "none", surrogate(tmp_path / "none", {}))


def test_rows_made_of_a_dataset_are_those_that_its_surrogate_was_fitted_on(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fitting on them gives the very same model as fitting on the dataset did."""
    use_stub(monkeypatch)
    config = QUICK.model_copy(update={"max_examples": 12})
    manifest = fit_surrogate(dataset, tmp_path / "s", config, seed=4).manifest

    found = fitted_rows(tmp_path / "s", manifest, places={verify(dataset).fingerprint: dataset})
    again = fit_rows(found.rows, tmp_path / "again", config, seed=4).manifest

    for name in ("surrogate.safetensors", "index.parquet"):
        assert again.files[name] == manifest.files[name]
    assert len({row.group for row in found.rows}) == 12
    assert all(row.group.startswith(f"dataset {verify(dataset).fingerprint[:12]}") for row in found.rows)
    with pytest.raises(RowsNotFoundError, match=r"the dataset .* was not found.* --root"):
        fitted_rows(tmp_path / "s", manifest)


def test_no_examples_make_no_rows() -> None:
    assert answer_rows([], seed=0) == []
