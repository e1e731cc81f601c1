"""What a person sees of `harmo surrogate curve`: how accuracy grows with the number of labels."""

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from components.surrogate.budget import BudgetPoint
    from components.surrogate.config import SurrogateConfig
    from components.surrogate.curve_page import CurveFacts
    from components.surrogate.ordering import Fit
    from components.surrogate.rows import AnswerRow

CURVE, PAGE = "curve.json", "curve.html"
_SHOWN = 5


def add_commands(app: typer.Typer) -> None:
    """Add curve to a group of commands."""

    @app.command()
    def curve(
        data: Annotated[
            Path, typer.Argument(help="JSON Lines: question, references, answer, and score (0..1) or label (0 or 1).")
        ],
        output: Annotated[
            Path, typer.Option("--output", "-o", help="Folder for curve.json and curve.html, new or empty.")
        ],
        heldout: Annotated[
            Path | None, typer.Option(help="Scored answers to measure on; a quarter of the rows, by group, without it.")
        ] = None,
        config: Annotated[
            Path | None, typer.Option(help="YAML with the keys of a recipe's surrogate; the defaults without it.")
        ] = None,
        sizes: Annotated[
            str, typer.Option(help="Numbers of rows to fit on: 50,100,400; without it 50, 100, 200 and so on to all.")
        ] = "",
        draws: Annotated[int, typer.Option(min=1, help="Samples of each size; their spread is shown.")] = 3,
        seed: Annotated[int, typer.Option(help="Decides what is held out and which rows are drawn.")] = 0,
    ) -> None:
        """Measure how many labels are enough: held-out accuracy of fits on more and more rows."""
        from pipelines.summary import wide_console

        curve_to(data, output, heldout, config, sizes_of(sizes), draws, seed, wide_console())


def curve_to(
    data: Path,
    output: Path,
    heldout: Path | None,
    config: Path | None,
    sizes: Sequence[int],
    draws: int,
    seed: int,
    console: "Console",
) -> None:
    """Measure an annotation budget curve and write it.

    Args:
        data: JSON Lines, one scored answer a line.
        output: Folder for curve.json and curve.html, new or empty; written whole or not at all.
        heldout: Rows to measure on; None holds out a quarter of the rows of `data`, by group.
        config: YAML with the keys of a recipe's `surrogate`; None takes their defaults.
        sizes: Numbers of rows to fit on; none takes 50, 100, 200 … and all.
        draws: Samples of each size.
        seed: Decides what is held out and drawn.
        console: For the table.

    Raises:
        SourceError: A file cannot be read or holds a bad line, no size is within the rows, or a group is both in
            `data` and held out.
        EmptyDatasetError: The held-out rows order nothing.
        RecipeError: The configuration cannot be read or has a wrong key, type or range.
        StorageError: The folder is not empty, or cannot be written.
    """
    from components.surrogate.budget import budget_curve, hold_out
    from components.surrogate.curve_page import CURVE_HEADS, CurveFacts, curve_cells, reasons, verdict
    from pipelines.folders import check_folder
    from pipelines.surrogate import load_settings, quiet, read_scored, table

    settings = load_settings(config)
    check_folder(output)
    given = read_scored(data, settings)
    rows, held = (given, read_scored(heldout, settings)) if heldout else hold_out(given, seed=seed)
    budgets = _within(sizes, len(rows), data)
    facts = CurveFacts(
        data=_source(data),
        heldout=_source(heldout or data),
        rows=len(rows),
        groups=len({row.group for row in rows}),
        heldout_rows=len(held),
        heldout_groups=len({row.group for row in held}),
        settings=settings.identity(),
        seed=seed,
        draws=draws,
    )
    quiet()
    with _progress(len(budgets) * draws) as done:
        curve = budget_curve(rows, held, _fit(settings, seed, done), budgets, range(seed, seed + draws))
    for reason, count in list(reasons(curve).items())[:_SHOWN]:
        sys.stderr.write(f"{count} of {len(budgets) * draws} not fitted: {reason}\n")
    _write(facts, curve, output)
    console.print(table(CURVE_HEADS, curve_cells(curve)))
    console.print(f"measured on {len(held):,} rows of {facts.heldout_groups:,} groups that none was fitted on")
    console.print(verdict(curve), soft_wrap=True)
    console.print(f"wrote {output / PAGE}", markup=False, soft_wrap=True)


def sizes_of(text: str) -> list[int]:
    """Numbers of rows out of a text such as 50,100,400; none out of a blank one.

    Raises:
        RecipeError: One is not a whole number above 0.
    """
    from components.core.errors import RecipeError

    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    for part in parts:
        if not (part.isascii() and part.isdigit() and int(part) > 0):
            raise RecipeError("--sizes", f"{part!r} is no number of rows", "Give whole numbers above 0: 50,100,400")
    return sorted({int(part) for part in parts})


def _within(sizes: Sequence[int], count: int, data: Path) -> list[int]:
    """The sizes that there are rows for; those beyond are named."""
    from components.core.errors import SourceError
    from components.surrogate.budget import doubling

    beyond = [f"{size:,}" for size in sizes if size > count]
    if sizes and len(beyond) == len(sizes):
        problem = f"there are {count:,} rows to fit on, fewer than every size of --sizes"
        raise SourceError(str(data), problem, "Give smaller sizes or more rows")
    if beyond:
        sys.stderr.write(f"left out, since there are {count:,} rows to fit on: {', '.join(beyond)}\n")
    return [size for size in sizes if size <= count] or doubling(count)


def _source(path: Path) -> dict[str, str]:
    from components.core.artifact import digest_file

    return {"name": path.name, "digest": digest_file(path)}


def _fit(settings: "SurrogateConfig", seed: int, done: Callable[[str], None]) -> "Fit":
    """Fits a surrogate that is forgotten once it has been measured, and tells of each."""
    from components.rewards.estimate import Estimate
    from components.rewards.surrogate import SurrogateScorer
    from components.surrogate.fit import fit_rows
    from components.surrogate.measure import estimate_rows
    from components.surrogate.ordering import Scores

    def fit(rows: "Sequence[AnswerRow]") -> Scores:
        start = time.monotonic()
        try:
            with tempfile.TemporaryDirectory() as scratch:
                fit_rows(rows, Path(scratch) / "surrogate", settings, seed)
                scorer = SurrogateScorer.load(Path(scratch) / "surrogate")
        finally:
            done(f"{len(rows):,} rows, {time.monotonic() - start:.1f} s")

        def scores(asked: "Sequence[AnswerRow]") -> list[Estimate]:
            return estimate_rows(scorer, asked)

        return scores

    return fit


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    """A bar on standard error, or a line a fit where that is no terminal; what is given is called after each fit."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("fitting", total=total, note="")
        count = 0

        def done(note: str) -> None:
            nonlocal count
            count += 1
            progress.update(task, advance=1, note=note)
            if not console.is_terminal:
                console.print(f"fit {count} of {total}: {note}")

        yield done


def _write(facts: "CurveFacts", curve: "Sequence[BudgetPoint]", output: Path) -> None:
    from components.surrogate.curve_page import curve_values, render_curve
    from pipelines.folders import whole_folder

    with whole_folder(output) as made:
        made.mkdir()
        values = json.dumps(curve_values(facts, curve), indent=2, allow_nan=False)
        (made / CURVE).write_text(values, encoding="utf-8")
        (made / PAGE).write_text(render_curve(facts, curve), encoding="utf-8")
