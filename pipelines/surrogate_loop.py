"""What a person sees of the surrogate's loop: rows are picked, annotated, and scored by a teacher.

`add_commands` puts these under `harmo surrogate`, and with them the budget curve and the surrogate's versions.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines import surrogate_curve, surrogate_decision, surrogate_refit

if TYPE_CHECKING:
    from components.surrogate.ordering import Estimator
    from components.surrogate.rows import AnswerRow
    from components.surrogate.teacher import Agreement
    from components.surrogate.teacher_config import TeacherConfig

Load = Callable[[str], "Estimator"]
"""Loads a surrogate by its folder, or by the word builtin."""
_TEACHERS = Path(__file__).parent / "teachers"
_SHOWN = 10


def add_commands(app: typer.Typer, load: Load) -> None:
    """Add the loop's commands to a group.

    Args:
        app: The group.
        load: Loads a surrogate.
    """

    @app.command()
    def pick(
        rows: Annotated[
            Path, typer.Argument(help="JSON Lines: rows to choose from; those with a score or label are annotated.")
        ],
        surrogate: Annotated[str, typer.Option(help="Folder of a surrogate, or the word builtin.")],
        budget: Annotated[int, typer.Option(min=1, help="Rows to choose at most.")],
        output: Annotated[Path, typer.Option("--output", "-o", help="File to annotate: .csv, else JSON Lines.")],
        committee: Annotated[
            list[str] | None, typer.Option(help="A further surrogate whose disagreement counts. May be repeated.")
        ] = None,
    ) -> None:
        """Pick the rows that are most worth annotating next."""
        pick_to(rows, [load(name) for name in (surrogate, *(committee or ()))], budget, output)

    @app.command()
    def annotate(
        file: Annotated[Path, typer.Argument(help="What `harmo surrogate pick` wrote, with labels or scores.")],
        output: Annotated[Path, typer.Option("--output", "-o", help="File for the annotated rows, JSON Lines.")],
        rows: Annotated[
            Path | None, typer.Option(help="The rows that were picked from, where a spreadsheet rewrote texts.")
        ] = None,
    ) -> None:
        """Read annotations back as rows to fit on."""
        annotate_to(file, output, rows)

    @app.command()
    def distil(
        rows: Annotated[Path, typer.Argument(help="JSON Lines: question, references and answer.")],
        teacher: Annotated[str, typer.Option(help="A teacher of this project by name, or a YAML file.")],
        output: Annotated[Path, typer.Option("--output", "-o", help="File for the scored rows, JSON Lines.")],
        count: Annotated[int, typer.Option(min=0, help="Rows at most, drawn by question; 0 takes all.")] = 0,
        seed: Annotated[int, typer.Option(help="Decides which rows are drawn.")] = 0,
        dataset: Annotated[Path | None, typer.Option(help="Dataset whose images the questions are about.")] = None,
    ) -> None:
        """Let a large reward model or a judge score rows; a killed run goes on where it was."""
        distil_to(rows, load_teacher_config(teacher), output, count, seed, dataset)

    surrogate_curve.add_commands(app)
    surrogate_refit.add_commands(app)
    surrogate_decision.add_commands(app, load)


def pick_to(rows: Path, surrogates: "Sequence[Estimator]", budget: int, output: Path) -> None:
    """Pick rows and write them for people to annotate.

    Args:
        rows: JSON Lines; rows with a score or a label are annotated already, the others are the candidates.
        surrogates: The surrogate, and further members of the committee.
        budget: Rows to choose at most.
        output: A sheet where the name ends in .csv, else JSON Lines.

    Raises:
        SourceError: The file cannot be read or has a bad line, or no row is without a score.
        StorageError: The output cannot be written.
    """
    from components.core.errors import SourceError
    from components.surrogate.active import pick, signals_of, text_vectors
    from components.surrogate.annotation import export_rows
    from components.surrogate.ordering import scores_of
    from pipelines.line_files import check_output

    check_output(output)
    read = _read(rows)
    candidates = [row for row in read if row.score is None]
    if not candidates:
        raise SourceError(str(rows), "every row has a score", "Give rows without score and label to choose from")
    estimates = [scores_of(surrogate, neighbours=1)(candidates) for surrogate in surrogates]
    vectors, annotated = text_vectors(candidates), text_vectors([row for row in read if row.score is not None])
    found = pick(candidates, budget, signals_of(estimates, estimates[0], vectors, annotated), vectors, annotated)
    export_rows([item.row for item in found.picks], output)
    _report([f"{row.answer[:60]!r}: {reason}" for row, reason in found.passed], "passed over")
    typer.echo(
        f"{len(found.picks)} of {len(candidates)} rows picked, {len(found.passed)} passed over, {found.left} left"
    )
    typer.echo(f"wrote {output}")


def annotate_to(file: Path, output: Path, rows: Path | None) -> None:
    """Read annotations and write them as rows.

    Args:
        file: The annotated file.
        output: JSON Lines.
        rows: The rows that were picked from.

    Raises:
        SourceError: A file cannot be read, or nothing in it is annotated.
        StorageError: The output cannot be written.
    """
    from components.core.errors import SourceError
    from components.surrogate.annotation import import_rows
    from pipelines.line_files import check_output

    check_output(output)
    found = import_rows(file, _read(rows) if rows else ())
    _report(found.skipped, "skipped")
    if not found.rows:
        raise SourceError(str(file), f"none of its {len(found.skipped)} rows can be taken", "Fill in label or score")
    _write(found.rows, output)
    typer.echo(f"{len(found.rows)} rows taken, {len(found.skipped)} skipped, wrote {output}")


def distil_to(
    rows: Path, config: "TeacherConfig", output: Path, count: int = 0, seed: int = 0, dataset: Path | None = None
) -> None:
    """Let a teacher score rows and write what it says.

    A judge's replies are kept beside the output, in a file that the next run goes on from.

    Args:
        rows: JSON Lines, with or without scores; those that there are are what agreement is measured against.
        config: Which teacher.
        output: JSON Lines.
        count: Rows at most; 0 takes all.
        seed: Decides which rows are drawn.
        dataset: A dataset artifact that has the images.

    Raises:
        SourceError: The file cannot be read or has a bad line, or the teacher scored no row.
        ModelError: The teacher is not to be had, or the server refuses all requests.
        StorageError: The output cannot be written.
    """
    from components.core.artifact import verify
    from components.core.errors import SourceError
    from components.core.example import Split, read_split
    from components.surrogate.teacher import distil, images_of, sample
    from components.surrogate.teacher_config import load_teacher
    from pipelines.line_files import check_output

    check_output(output)
    read = _read(rows)
    chosen = sample(read, count, seed) if count else read
    images = None
    if dataset is not None:
        verify(dataset, "dataset")
        images = images_of(list(read_split(dataset, Split.TRAIN)))
    teacher = load_teacher(config, output.with_name(f"{output.name}.replies"), images)
    found = distil(chosen, teacher)
    _report(found.problems, "without a score")
    if not found.rows:
        raise SourceError(str(rows), "the teacher scored none of its rows", "Mend what is said of them and run again")
    _write(found.rows, output)
    typer.echo(f"{len(found.rows)} rows scored, {len(found.problems)} without a score, wrote {output}")
    typer.echo(agreement_line(found.agreement))


def load_teacher_config(name: str) -> "TeacherConfig":
    """Read a teacher's configuration.

    Args:
        name: Of a teacher of this project, or the path of a YAML file.

    Raises:
        RecipeError: There is no such file, it is not YAML, or has a wrong key, type or range.
    """
    import yaml

    from components.core.config import parse_config
    from components.core.errors import RecipeError
    from components.surrogate.teacher_config import TeacherConfig

    shipped = {path.stem: path for path in sorted(_TEACHERS.glob("*.yaml"))}
    path = shipped.get(name, Path(name))
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        remedy = f"Give a YAML file, or one of {', '.join(shipped)}"
        raise RecipeError(name, f"cannot be read ({error.strerror})", remedy) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = f"not YAML ({' '.join(str(error).split())[:200]})"
        raise RecipeError(name, problem, "Correct the file") from None
    if not isinstance(values, dict):
        problem = f"holds {type(values).__name__}, not keys and values"
        raise RecipeError(name, problem, "Write judge or reward_model")
    return parse_config(TeacherConfig, values, name)


def agreement_line(agreement: "Agreement") -> str:
    """Agreement in a line."""
    if not agreement.rows:
        return "agreement: no row had a score before"
    figures = {
        "Spearman": agreement.spearman,
        "pairwise": agreement.pairwise,
        "AUC": agreement.auc,
        "mean difference": agreement.mean_difference,
    }
    shown = ", ".join(f"{name} {'none' if value is None else f'{value:.3f}'}" for name, value in figures.items())
    return f"agreement on {agreement.rows} rows: {shown}"


def _read(path: Path) -> "list[AnswerRow]":
    from components.core.errors import SourceError
    from components.surrogate.rows import read_rows

    read = read_rows(path, scored=False)
    if read.problems or not read.rows:
        problem = f"{len(read.problems)} lines are bad, the first is {read.problems[0]}" if read.problems else "no row"
        raise SourceError(str(path), problem, "Mend them and run again" if read.problems else "Give rows, one a line")
    return read.rows


def _write(rows: "Sequence[AnswerRow]", output: Path) -> None:
    import json

    from pipelines.line_files import write_lines

    write_lines((json.dumps(row.to_json()) for row in rows), output)


def _report(problems: Sequence[str], what: str) -> None:
    for problem in problems[:_SHOWN]:
        typer.echo(f"{what}: {problem}", err=True)
    if len(problems) > _SHOWN:
        typer.echo(f"{what}: {len(problems) - _SHOWN} more", err=True)
