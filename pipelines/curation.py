"""What a person sees of `harmo curate`: the account of a curation, and what became of one row."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field

from components.core.config import Config, parse_config
from components.core.errors import StorageError
from components.core.scratch import scratch_folder
from components.curation.config import CurationConfig

if TYPE_CHECKING:
    from rich.console import Console

    from components.curation.curate import CurationResult
    from components.curation.explain import Explanation
    from components.evaluation.config import BenchmarkEntry

app = typer.Typer(help="Curate data: every row kept, quarantined or a duplicate, and why.", no_args_is_help=True)


@app.command("run")
def run_curation(
    recipe: Annotated[str, typer.Argument(help="A recipe by name, or a YAML file of one or of its curation alone.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for dataset, quarantine and data card.")],
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="Override one value: curation.key=value. May be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Decides what is held out; the recipe's own without it.")] = None,
    work: Annotated[
        Path | None,
        typer.Option(help="Folder for what is finished, shared by runs over the same rows; in the output without it."),
    ] = None,
) -> None:
    """Curate the sources of a recipe; a run that was killed goes on where it was."""
    from pipelines.summary import wide_console

    config, benchmarks, own_seed = load_curation(recipe, setting or ())
    curate_to(config, benchmarks, own_seed if seed is None else seed, output, work, wide_console())


@app.command("explain")
def explain_row(
    dataset: Annotated[Path, typer.Argument(help="Folder of a dataset, or the output of a curation.")],
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of an example, or source#place from 0.")],
    quarantine: Annotated[Path | None, typer.Option(help="Folder of its quarantine; found beside the dataset.")] = None,
) -> None:
    """Say what became of one row: what every step did to it, where it is or why it is not."""
    from components.curation.explain import explain
    from pipelines.summary import wide_console

    print_explanations(explain(dataset, name, quarantine), wide_console())


def load_curation(
    name_or_path: str, settings: Sequence[str]
) -> tuple[CurationConfig, tuple["BenchmarkEntry", ...], int]:
    """The curation of a recipe, or of a YAML file that has the keys of its curation alone.

    Args:
        name_or_path: A recipe of this project by name, or a YAML file.
        settings: Overrides, each "curation.key=value", or "seed=7".

    Returns:
        Settings, the public benchmarks that examples must not be from, and the seed.

    Raises:
        RecipeError: It cannot be read, or has a wrong key, type or range.
    """
    from pipelines.recipe import Recipe, load_values

    values = load_values(name_or_path, settings)
    where = f"recipe {Path(name_or_path).name}"
    if "policy" in values:
        recipe = parse_config(Recipe, values, where)
        return recipe.curation, recipe.evaluation.benchmarks, recipe.seed
    seed = parse_config(_Seed, {"seed": values.pop("seed", 0)}, where).seed
    section = values.pop("curation", None) or {}
    return parse_config(CurationConfig, {**values, **section}, where), (), seed


class _Seed(Config):
    """What a file of a curation alone may say besides."""

    seed: int = Field(default=0, ge=0, lt=2**31)
    """As in a recipe."""


def curate_to(
    config: CurationConfig,
    benchmarks: Sequence["BenchmarkEntry"],
    seed: int,
    output: Path,
    work: Path | None,
    console: "Console",
) -> None:
    """Curate, and say where every row went.

    Args:
        config: Settings.
        benchmarks: That no example may be from.
        seed: Decides what is held out.
        output: Folder for dataset, quarantine, benchmarks and data card.
        work: Folder for what is finished; None takes the scratch, or a folder in the output.
        console: For the account.

    Raises:
        HarmoError: As `curate` and `prepare_benchmarks`.
    """
    from components.core.artifact import MANIFEST
    from components.curation.card import write_data_card
    from components.curation.curate import curate
    from components.evaluation.suite import prepare_benchmarks

    dataset, prepared = output / "dataset", output / "benchmarks"
    if (dataset / MANIFEST).is_file():
        raise StorageError(str(output), "holds a finished curation", "Give a new folder, and --work to go on from it")
    if benchmarks and not (prepared / MANIFEST).is_file():
        prepare_benchmarks(benchmarks, prepared, seed)
    folder = work or scratch_folder("curation") or output / "work"
    with _bars() as advance:
        result = curate(
            dataset,
            output / "quarantine",
            config,
            seed,
            prepared if benchmarks else None,
            folder,
            advance=advance,
        )
    write_data_card(dataset, result.summary, output / "data_card.html")
    print_account(result, output, console)


@contextlib.contextmanager
def _bars() -> Iterator[Callable[[str, int], object]]:
    """A line a phase, with its rows; how many there will be is known only at the end."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}: {task.completed:,}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        phases: dict[str, TaskID] = {}

        def advance(done: str, rows: int) -> None:
            if done not in phases:
                phases[done] = progress.add_task(done, total=None)
            progress.advance(phases[done], rows)

        yield advance


def print_account(result: "CurationResult", output: Path, console: "Console") -> None:
    """Print what every step did with the rows, and where the dataset is."""
    from rich.table import Table

    table = Table("step", "rows in", "kept", "quarantined", "duplicates")
    for column in table.columns[1:]:
        column.justify = "right"
    for step in result.summary["steps"]:
        names = ("rows_in", "rows_kept", "rows_quarantined", "rows_duplicate")
        table.add_row(step["step"], *(f"{step[name]:,}" for name in names))
    console.print(table)
    splits = ", ".join(f"{count:,} {split}" for split, count in result.summary["by_split"].items())
    console.print(f"kept: {splits}")
    console.print(f"shards of rows: {result.mapped.made:,} made, {result.mapped.found:,} found made")
    console.print(f"wrote {output / 'dataset'}, fingerprint {result.dataset.fingerprint[:12]}")
    console.print(f"card: {output / 'data_card.html'}")


def print_explanations(explanations: Sequence["Explanation"], console: "Console") -> None:
    """Print what became of rows."""
    from pipelines.plain_text import plain_text

    for number, explanation in enumerate(explanations):
        if number:
            console.print()
        for line in _lines(explanation):
            console.print(plain_text(line))


def _lines(explanation: "Explanation") -> list[str]:
    state = "kept" if explanation.kept else "lost"
    lines = [
        f"{explanation.key}: {state}",
        f"example     {explanation.id or 'none'}",
        f"question    {explanation.question}",
    ]
    width = max(len(step.name) for step in explanation.steps)
    lines += [f"  {step.name:<{width}}  {'; '.join(step.words)}" for step in explanation.steps]
    lines += [f"{name:<11} {value}" for name, value in {**explanation.kept, **explanation.lost}.items()]
    for mention in explanation.mentions:
        word = "duplicate" if mention.is_duplicate else "lost to it"
        lines.append(f"{word:<11} {mention.key} ({mention.step}: {mention.reason})")
    return lines
