"""What a person sees of `harmo surrogate import`: annotations from outside become rows to fit on."""

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from components.surrogate.imports import Imported


class AnnotationFormat(enum.StrEnum):
    """Whose export a file is."""

    LABEL_STUDIO = "label-studio"
    ARGILLA = "argilla"
    JSONL = "jsonl"
    CSV = "csv"


def add_import_command(app: typer.Typer) -> None:
    """Add import to a group of commands.

    Args:
        app: The group.
    """

    @app.command("import")
    def import_(
        file: Annotated[
            Path, typer.Argument(help="Label Studio's or Argilla's JSON, or question, answer, score rows.")
        ],
        format_: Annotated[AnnotationFormat, typer.Option("--format", help="Whose export it is.")],
        output: Annotated[Path, typer.Option("--output", "-o", help="File for the rows, JSON Lines.")],
        quarantine: Annotated[Path, typer.Option(help="File for what was not taken, with reasons, JSON Lines.")],
        scale: Annotated[str, typer.Option(help="Lowest and highest rating, such as 1:5; of labels none.")] = "",
        score: Annotated[str, typer.Option(help="The control or question that scores; found where there is one.")] = "",
    ) -> None:
        """Turn annotations into rows to fit on: checked, pooled over annotators, each one accounted for."""
        import_to(file, format_, output, quarantine, scale, score)


def import_to(
    file: Path, format_: AnnotationFormat, output: Path, quarantine: Path, scale: str = "", score: str = ""
) -> None:
    """Import annotations and write them as rows.

    Args:
        file: The export.
        format_: Whose it is.
        output: JSON Lines of the rows.
        quarantine: JSON Lines of what was not taken.
        scale: Lowest and highest rating, low:high; "" of labels and of numbers from 0 to 1.
        score: Name of the control or question that scores; "" finds it.

    Raises:
        SourceError: The file cannot be read or understood, or no row of it can be taken (the quarantine says why).
        RecipeError: The scale is none.
        StorageError: An output cannot be written.
    """
    from components.core.errors import SourceError, StorageError
    from components.surrogate.imports import import_annotations, to_lines
    from pipelines.line_files import check_output, write_lines

    for path in (output, quarantine):
        check_output(path)
    if output.resolve() == quarantine.resolve():
        raise StorageError(str(output), "is to hold the rows and the quarantine", "Give two files")
    found = import_annotations(file, format_.value, parse_scale(scale), score)
    write_lines(to_lines(found.lost), quarantine)
    if not found.kept:
        raise SourceError(
            str(file), f"none of its {found.records} records can be taken ({_reasons(found)})", f"See {quarantine}"
        )
    write_lines(to_lines(found.kept), output)
    typer.echo(
        f"{found.records} records = {len(found.kept)} rows kept + {found.quarantined} quarantined "
        f"+ {found.duplicates} duplicates"
    )
    if found.lost:
        typer.echo(f"not rows of their own: {_reasons(found)}")
    if found.agreement is not None:
        several = sum(row.agreement is not None for row in found.kept)
        typer.echo(f"agreement {found.agreement:.3f} over {several} rows with several annotators")
    typer.echo(f"wrote {output} and {quarantine}")


def parse_scale(text: str) -> tuple[float, float] | None:
    """The two ends of a scale; None of an empty text.

    Raises:
        RecipeError: It is not low:high.
    """
    from components.core.errors import RecipeError

    if not text:
        return None
    low, _, high = text.partition(":")
    try:
        ends = float(low), float(high)
    except ValueError:
        ends = (0.0, 0.0)
    if not ends[0] < ends[1] or float("inf") in map(abs, ends):
        raise RecipeError("--scale", f"{text!r} is not low:high", "Give the lowest and the highest rating, such as 1:5")
    return ends


def _reasons(found: "Imported") -> str:
    return ", ".join(f"{count} x {reason}" for reason, count in found.reasons.items())
