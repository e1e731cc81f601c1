"""What a person sees of `harmo surrogate refit`: the next version of a surrogate, and what it was made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from components.core.artifact import InputRef, Manifest
    from components.surrogate.config import SurrogateConfig
    from components.surrogate.refit import Inputs, RefitConfig, RolloutRows
    from components.surrogate.rows import AnswerRow


def add_commands(app: typer.Typer) -> None:
    """Add refit to a group of commands."""

    @app.command()
    def refit(
        surrogate: Annotated[str, typer.Argument(help="The last version: folder of a surrogate, or the word builtin.")],
        output: Annotated[
            Path,
            typer.Option("--output", "-o", help="Folder for the new version, new or empty; its rows go beside it."),
        ],
        rollouts: Annotated[
            list[Path] | None,
            typer.Option(help="The output folder of a local run, or a folder of rollouts. May be repeated."),
        ] = None,
        annotated: Annotated[
            list[Path] | None,
            typer.Option(help="JSON Lines of further scored answers, annotated or distilled. May be repeated."),
        ] = None,
        rows: Annotated[
            Path | None, typer.Option(help="What the last version was fitted on, where it was fitted on a file.")
        ] = None,
        config: Annotated[
            Path | None,
            typer.Option(help="YAML with surrogate (the last version's without it) and selection, of rollouts."),
        ] = None,
        root: Annotated[
            Path | None,
            typer.Option(help="Folder that holds the artifacts of the run; found by itself in a local run."),
        ] = None,
        seed: Annotated[int, typer.Option(help="Decides whatever is drawn.")] = 0,
    ) -> None:
        """Fit the next version: on the last one's rows, rollouts that a rule has verified, and new annotations."""
        from pipelines.summary import wide_console

        sources = NewRows(tuple(rollouts or ()), tuple(annotated or ()))
        refit_to(surrogate, output, sources, rows, config, root, seed, wide_console())


@dataclass(frozen=True)
class NewRows:
    """Where the new rows of a version come from."""

    rollouts: tuple[Path, ...]
    """Output folders of local runs, or rollouts artifacts."""
    annotated: tuple[Path, ...]
    """JSON Lines of scored answers."""


def refit_to(
    surrogate: str,
    output: Path,
    sources: NewRows,
    rows: Path | None,
    config: Path | None,
    root: Path | None,
    seed: int,
    console: "Console",
) -> None:
    """Fit the next version of a surrogate.

    Args:
        surrogate: Folder of the last version, or the word builtin.
        output: Folder for the new one; its rows become an artifact beside it, of its name and `.rows`. Both are
            written whole or not at all.
        sources: Where the new rows come from.
        rows: What the last version was fitted on, where it cannot be found by itself.
        config: YAML with the keys of VersionConfig; None takes the last version's settings and the usual selection.
        root: Where the artifacts of the trainings' runs lie.
        seed: Decides whatever is drawn.
        console: For the table.

    Raises:
        SourceError: A file cannot be read or holds a bad line, or the last version's rows are not at hand.
        EmptyDatasetError: There is nothing new.
        ArtifactError: A folder is not what it should be, or its bytes changed.
        RecipeError: A configuration cannot be read or has a wrong key, type or range.
        StorageError: A folder is not empty, or cannot be written.
    """
    from components.surrogate.fitted_rows import rows_beside
    from components.surrogate.refit import VersionConfig, refit, seal_rows
    from pipelines.folders import check_folder, whole_folder
    from pipelines.section_file import load_section
    from pipelines.surrogate import find_surrogate, print_fit, quiet

    check_folder(output)
    check_folder(rows_beside(output))
    settings = load_section(config, "version", VersionConfig) if config else VersionConfig()
    folder, parent = find_surrogate(surrogate)
    how = settings.surrogate or _settings_of(surrogate, parent)
    old, old_reference = _old_rows(folder, parent, rows, root)
    new, inputs = _new_rows(sources, old, settings.selection, root, seed, console)
    quiet()
    from components.surrogate.fit import SurrogateResult, fit_rows

    # The rows are in place before the surrogate: without them no version could follow it.
    with whole_folder(output) as made, whole_folder(rows_beside(output)) as made_rows:
        identity = {"selection": settings.selection.identity(), "seed": seed}
        sealed = seal_rows([*old, *new], made_rows, identity, {"parent": parent, **old_reference, **inputs})

        def fit(chosen: "Sequence[AnswerRow]", references: "Inputs") -> SurrogateResult:
            return fit_rows(chosen, made, how, seed, references)

        result = refit(folder, old, new, {"rows": sealed}, fit)
    print_fit(result, "the rows", output, console)
    lineage = f"its rows are in {rows_beside(output)}; its parent is {surrogate}, {parent.fingerprint[:12]}"
    console.print(lineage, markup=False, soft_wrap=True)


def _settings_of(name: str, manifest: "Manifest") -> "SurrogateConfig":
    from components.core.config import parse_config
    from components.surrogate.config import SurrogateConfig

    return parse_config(SurrogateConfig, manifest.identity.get("surrogate", {}), f"the settings of {name}")


def _old_rows(
    folder: Path, parent: "Manifest", rows: Path | None, root: Path | None
) -> "tuple[list[AnswerRow], dict[str, InputRef]]":
    """The last version's rows, and what they are in the lineage of the next one's."""
    from components.core.errors import SourceError
    from components.surrogate.fitted_rows import fitted_rows
    from pipelines.summary import run_artifacts

    given = () if rows is None else (rows,)
    found = fitted_rows(folder, parent, given, run_artifacts(folder, root))
    if rows is not None and found.path is None:
        problem = f"is not what {folder} was fitted on, which was found without it"
        raise SourceError(str(rows), problem, "Leave --rows out, or give new rows with --annotated")
    return found.rows, {f"parent_{found.role}": found.reference}


def _new_rows(
    sources: NewRows,
    old: "Sequence[AnswerRow]",
    choice: "RefitConfig",
    root: Path | None,
    seed: int,
    console: "Console",
) -> "tuple[list[AnswerRow], dict[str, Manifest | InputRef]]":
    """Rows that the last version has not seen, and what they come from, by role; prints what became of rollouts."""
    from components.core.artifact import InputRef, digest_file, verify
    from components.core.lineage import SOURCE_KIND
    from components.surrogate.refit import rollout_rows
    from pipelines.surrogate import read_scored

    new: list[AnswerRow] = []
    inputs: dict[str, Manifest | InputRef] = {}
    audits = [_audit(run, root) for run in sources.rollouts]
    if audits:
        taken = rollout_rows(audits, old, choice, seed)
        _print_rollouts(taken, console)
        new += taken.rows
    for number, folders in enumerate(audits, 1):
        for role, folder in zip(("rollouts", "dataset"), folders, strict=True):
            inputs[_numbered(role, number)] = verify(folder, role)
    for number, file in enumerate(sources.annotated, 1):
        new += read_scored(file)
        inputs[_numbered("annotated", number)] = InputRef(SOURCE_KIND, digest_file(file))
    return new, inputs


def _numbered(role: str, number: int) -> str:
    return role if number == 1 else f"{role}_{number}"


def _audit(run: Path, root: Path | None) -> tuple[Path, Path]:
    """The rollouts artifact that is meant by a run, and the dataset that its policy was trained on."""
    from components.core.artifact import read_manifest
    from components.core.errors import ArtifactError
    from components.training.replay import find_rollouts
    from pipelines.summary import run_artifacts

    rollouts = find_rollouts(run)
    needed = read_manifest(rollouts).inputs.get("dataset")
    dataset = None if needed is None else run_artifacts(rollouts, root).get(needed.fingerprint)
    if dataset is None:
        problem = "the dataset that its policy was trained on was not found"
        raise ArtifactError(str(rollouts), problem, "Give the folder that holds the whole run with --root")
    return rollouts, dataset


def _print_rollouts(found: "RolloutRows", console: "Console") -> None:
    from pipelines.surrogate import table

    left_out = {reason: count for reason, count in found.counts.items() if reason != "row"}
    ranked = sorted(left_out.items(), key=lambda item: (-item[1], item[0]))
    cells = {"taken": [f"{found.counts.get('row', 0):,}"]}
    cells |= {f"left out: {reason}": [f"{count:,}"] for reason, count in ranked}
    console.print(table(("what became of the rollouts", "rollouts"), cells))
    total = sum(found.counts.values())
    console.print(f"{len(found.rows):,} of {total:,} rollouts taken, {total - len(found.rows):,} left out")
