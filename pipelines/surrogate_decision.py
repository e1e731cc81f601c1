"""What a person sees of `harmo surrogate decide` and `versions`: a version is held against another, and traced back."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from components.core.artifact import Manifest
    from components.surrogate.champion import CanaryClass, Decision, Paired
    from components.surrogate.ordering import Estimator, Scores
    from components.surrogate.refit import Inputs
    from components.surrogate.rows import AnswerRow

STANDS = 3
"""Status of `harmo surrogate decide` where the champion stands."""
ACCURACY_HEADS = ("accuracy", "groups", "champion", "challenger", "difference", "at least")
CANARY_HEADS = ("canary", "n", "pass the champion's", "pass the challenger's", "p of no rise", "rises")
_ACCURACY = {"pairwise": "pairs ordered rightly", "rows": "rows told rightly"}
_BATCH = 512


def add_commands(app: typer.Typer, load: "Callable[[str], Estimator]") -> None:
    """Add decide and versions to a group of commands.

    Args:
        app: The group.
        load: Loads a surrogate by its folder, or by the word builtin.
    """
    _add_decide(app, load)

    @app.command()
    def versions(
        surrogate: Annotated[str, typer.Argument(help="Folder of a surrogate, or the word builtin.")],
        root: Annotated[Path, typer.Option(help="Folder that holds the versions before it.")],
    ) -> None:
        """List a surrogate and the versions that it came from, the newest first."""
        print_versions(surrogate, root)


def _add_decide(app: typer.Typer, load: "Callable[[str], Estimator]") -> None:
    @app.command()
    def decide(
        champion: Annotated[str, typer.Argument(help="The version that stands: folder of a surrogate, or builtin.")],
        challenger: Annotated[str, typer.Argument(help="The new version: folder of a surrogate, or builtin.")],
        data: Annotated[Path, typer.Argument(help="JSON Lines: scored answers that neither version was fitted on.")],
        output: Annotated[
            Path | None, typer.Option("--output", "-o", help="Folder for the decision, new or empty.")
        ] = None,
        rows: Annotated[
            list[Path] | None,
            typer.Option(help="What a version was fitted on, to make sure that it is not held out. May be repeated."),
        ] = None,
        config: Annotated[
            Path | None,
            typer.Option(help="YAML with tolerance, level, min_groups, resamples; the defaults without it."),
        ] = None,
        root: Annotated[
            Path | None,
            typer.Option(help="Folder that holds the artifacts of the run; found by itself in a local run."),
        ] = None,
        seed: Annotated[int, typer.Option(help="Decides the canaries and the resamples.")] = 0,
    ) -> None:
        """Decide whether a challenger replaces the champion: status 0 where it does, 3 where the champion stands."""
        from pipelines.summary import wide_console

        versions = Version(champion, load), Version(challenger, load)
        replaced = decide_to(versions, data, output, rows or (), config, root, seed, wide_console())
        if not replaced:
            raise typer.Exit(STANDS)


@dataclass(frozen=True)
class Version:
    """A version of a surrogate, which is loaded once it is needed."""

    name: str
    """Its folder, or the word builtin."""
    load: "Callable[[str], Estimator]"


def decide_to(
    versions: tuple[Version, Version],
    data: Path,
    output: Path | None,
    rows: Sequence[Path],
    config: Path | None,
    root: Path | None,
    seed: int,
    console: "Console",
) -> bool:
    """Decide whether a challenger replaces the champion, print why, and seal the decision.

    Args:
        versions: The champion and the challenger.
        data: JSON Lines, scored answers that neither was fitted on.
        output: Folder for the decision; None keeps none.
        rows: Files that the versions were fitted on, as far as these cannot be found by themselves.
        config: YAML with the keys of ChampionConfig; None takes their defaults.
        root: Where the artifacts of the versions' runs lie.
        seed: Decides the canaries and the resamples.
        console: For the tables.

    Returns:
        Whether the challenger replaces the champion.

    Raises:
        SourceError: A file cannot be read or holds a bad line, a held-out question was fitted, or both are the same.
        ArtifactError: A folder is no surrogate, or its bytes changed.
        RecipeError: The configuration cannot be read or has a wrong key, type or range.
        StorageError: The output cannot be written.
    """
    from components.core.artifact import InputRef, digest_file
    from components.core.errors import SourceError
    from components.core.lineage import SOURCE_KIND
    from components.surrogate.canary_rows import canary_rows
    from components.surrogate.champion import ChampionConfig, decide, seal_decision
    from components.surrogate.ordering import scores_of
    from pipelines.folders import check_folder, whole_folder
    from pipelines.line_files import bar
    from pipelines.section_file import load_section
    from pipelines.surrogate import find_surrogate, read_scored

    if output is not None:
        check_folder(output)
    settings = load_section(config, "champion", ChampionConfig) if config else ChampionConfig()
    held = read_scored(data)
    (old_folder, old), (new_folder, new) = (find_surrogate(version.name) for version in versions)
    if old.fingerprint == new.fingerprint:
        raise SourceError(versions[1].name, "it is the champion itself", "Give another version of the surrogate")
    fitted = _fitted({old_folder: old, new_folder: new}, (data, *rows), root)
    canaries = canary_rows(held, seed)
    scorers = [scores_of(version.load(version.name)) for version in versions]
    with bar(2 * (len(held) + len(canaries))) as advance:
        watched = [_in_batches(scorer, advance) for scorer in scorers]
        decision = decide(watched[0], watched[1], held, canaries, fitted, settings, seed)
    print_decision(decision, console)
    if output is not None:
        inputs: Inputs = {"champion": old, "challenger": new, "rows": InputRef(SOURCE_KIND, digest_file(data))}
        with whole_folder(output) as made:
            manifest = seal_decision(decision, made, settings, seed, inputs)
        console.print(f"wrote {output}, fingerprint {manifest.fingerprint[:12]}", markup=False, soft_wrap=True)
    return decision.replaced


def print_decision(decision: "Decision", console: "Console") -> None:
    """Print both versions' figures, then the reasons, the verdict last."""
    from pipelines.surrogate import table

    if decision.accuracy:
        console.print(
            table(ACCURACY_HEADS, {_ACCURACY[name]: _shares(item) for name, item in decision.accuracy.items()})
        )
    if decision.canaries:
        kinds = {kind.replace("_", " "): _counts(item) for kind, item in decision.canaries.items()}
        console.print(table(CANARY_HEADS, kinds))
    for reason in decision.reasons:
        console.print(reason, highlight=False, markup=False, soft_wrap=True)


def _shares(item: "Paired") -> list[str]:
    shares = [f"{item.champion:.3f}", f"{item.challenger:.3f}"]
    return [f"{item.groups:,}", *shares, f"{item.difference:+.3f}", f"{item.lower:+.3f}"]


def _counts(item: "CanaryClass") -> list[str]:
    counts = [f"{count:,}" for count in (item.canaries, item.champion, item.challenger)]
    return [*counts, f"{item.p_value:.3f}", "yes" if item.rises else ""]


def print_versions(surrogate: str, root: Path) -> None:
    """Print a surrogate and the versions before it, a line each, the newest first.

    Args:
        surrogate: Its folder, or the word builtin.
        root: Where the earlier versions lie; the ready one is known besides.

    Raises:
        ArtifactError: A version is missing, or was changed.
    """
    from components.surrogate.builtin import builtin_folder
    from components.surrogate.refit import versions
    from pipelines.surrogate import find_surrogate

    found = versions(find_surrogate(surrogate)[0], root, builtin_folder())
    for number, manifest in zip(range(len(found), 0, -1), found, strict=True):
        roles = ", ".join(f"{role} {item.fingerprint[:12]}" for role, item in sorted(manifest.inputs.items()))
        typer.echo(f"version {number}: {manifest.fingerprint} of {roles or 'nothing named'}")


def _fitted(versions: "Mapping[Path, Manifest]", given: Sequence[Path], root: Path | None) -> "list[AnswerRow]":
    """The rows that the versions were fitted on; a version whose rows are not at hand is named."""
    from components.core.errors import SourceError
    from components.surrogate.fitted_rows import RowsNotFoundError, fitted_rows
    from pipelines.summary import run_artifacts

    rows: list[AnswerRow] = []
    used = {given[0]}
    for folder, manifest in versions.items():
        try:
            found = fitted_rows(folder, manifest, given, run_artifacts(folder, root))
        except RowsNotFoundError as error:
            sys.stderr.write(f"warning: not checked whether its questions are held out: {error}\n")
            continue
        rows += found.rows
        used |= {found.path} if found.path else set()
    for path in given:
        if path not in used:
            raise SourceError(str(path), "neither version was fitted on it", "Leave it out, or give the right file")
    return rows


def _in_batches(scorer: "Scores", advance: Callable[[int], object]) -> "Scores":
    """The same scorer, that tells how far it is."""
    from components.rewards.estimate import Estimate

    def scores(rows: "Sequence[AnswerRow]") -> list[Estimate]:
        found: list[Estimate] = []
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            found += scorer(batch)
            advance(len(batch))
        return found

    return scores
