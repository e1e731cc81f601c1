"""Fitted rows: what a surrogate was fitted on, found again by what its manifest says.

The next version is fitted on these rows too, and no question of theirs may be held out to judge it by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from components.core.artifact import MANIFEST, InputRef, Manifest, digest_file, read_manifest, verify
from components.core.config import parse_config
from components.core.errors import ArtifactError, SourceError
from components.core.example import AnswerType, Split, read_split
from components.core.lineage import SOURCE_KIND
from components.surrogate.builtin import corpus_reference, corpus_rows
from components.surrogate.config import SurrogateConfig
from components.surrogate.refit import ROWS, ROWS_KIND
from components.surrogate.rows import AnswerRow, read_rows
from components.surrogate.scored_answers import answer_rows


class RowsNotFoundError(SourceError):
    """The rows that a surrogate was fitted on are not at hand."""


@dataclass(frozen=True)
class FittedRows:
    """The rows that a surrogate was fitted on."""

    rows: list[AnswerRow]
    role: str
    """What they, or what they were made of, are called in the surrogate's manifest: rows, dataset or corpus."""
    reference: InputRef
    path: Path | None = None
    """Which of the files that were given they are from."""


def rows_beside(folder: Path) -> Path:
    """Where the rows of a refitted surrogate lie: beside it, under its name and `.rows`."""
    resolved = folder.resolve()
    return resolved.with_name(f"{resolved.name}.rows")


def fitted_rows(
    folder: Path, manifest: Manifest, given: Sequence[Path] = (), places: Mapping[str, Path] | None = None
) -> FittedRows:
    """Find the rows that a surrogate was fitted on.

    Args:
        folder: The surrogate artifact.
        manifest: Its manifest.
        given: Files that may be the rows, or folders of rows artifacts.
        places: Folders of artifacts by fingerprint.

    Raises:
        RowsNotFoundError: They are not at hand; it says how to give them.
        ArtifactError: An artifact that holds them was changed.
    """
    role = next((name for name in ("rows", "dataset", "corpus") if name in manifest.inputs), None)
    if role is None:
        problem = "its manifest names no rows that it was fitted on"
        raise RowsNotFoundError(str(folder), problem, "Fit it again with `harmo surrogate fit`")
    reference = manifest.inputs[role]
    if role == "corpus":
        return FittedRows(_of_corpus(folder, reference), role, reference)
    if role == "dataset":
        return FittedRows(_of_dataset(folder, manifest, places or {}), role, reference)
    find = _in_file if reference.kind == SOURCE_KIND else _in_artifact
    rows, path = find(folder, reference, given, places or {})
    return FittedRows(rows, role, reference, path)


_Found = tuple[list[AnswerRow], Path | None]


def _of_corpus(folder: Path, reference: InputRef) -> list[AnswerRow]:
    if reference != corpus_reference():
        problem = "it was fitted on another corpus than the one that is here"
        raise RowsNotFoundError(str(folder), problem, "Use the surrogate that belongs to this version")
    return corpus_rows()


def _of_dataset(folder: Path, manifest: Manifest, places: Mapping[str, Path]) -> list[AnswerRow]:
    """The rows made of a dataset's examples; a group is an example of this dataset."""
    fingerprint = manifest.inputs["dataset"].fingerprint
    place = places.get(fingerprint)
    if place is None:
        problem = f"the dataset {fingerprint[:12]} that it was fitted on was not found"
        raise RowsNotFoundError(str(folder), problem, "Give the folder that holds it with --root")
    verify(place, "dataset")
    config = parse_config(SurrogateConfig, manifest.identity["surrogate"], f"the settings of {folder}")
    examples = [item for item in read_split(place, Split.TRAIN) if item.answer_type is AnswerType.OPEN_ENDED]
    rows = answer_rows(examples[: config.max_examples], manifest.identity["seed"], config.image_embedder is not None)
    return [replace(row, group=f"dataset {fingerprint[:12]}, example {row.group}") for row in rows]


def _in_file(folder: Path, reference: InputRef, given: Sequence[Path], places: Mapping[str, Path]) -> _Found:
    del places  # a file has no manifest to be found by
    for path in given:
        if path.is_file() and digest_file(path) == reference.fingerprint:
            return _read(path), path
    what = "none of the files given is" if given else "it is not known where to find"
    raise RowsNotFoundError(str(folder), f"{what} the rows that it was fitted on", "Give their file with --rows")


def _in_artifact(folder: Path, reference: InputRef, given: Sequence[Path], places: Mapping[str, Path]) -> _Found:
    known = [places[reference.fingerprint]] if reference.fingerprint in places else []
    for path in (*given, rows_beside(folder), *known):
        place = path if path.is_dir() else path.parent
        if (place / MANIFEST).is_file() and read_manifest(place).fingerprint == reference.fingerprint:
            verify(place, ROWS_KIND)
            return _read(place / ROWS), path if path in given else None
    problem = f"the rows {reference.fingerprint[:12]} that it was fitted on are not in {rows_beside(folder)}"
    raise RowsNotFoundError(str(folder), problem, "Give their folder with --rows")


def _read(path: Path) -> list[AnswerRow]:
    read = read_rows(path)
    if read.problems:
        raise ArtifactError(
            str(path), f"{len(read.problems)} lines are bad, the first is {read.problems[0]}", "Mend it"
        )
    return read.rows
