"""What a person sees of `harmo grade`: a bar, where the grades go, and a summary on standard error."""

import statistics
import sys
from pathlib import Path

from components.core.errors import SourceError
from components.core.json_lines import read_lines
from components.evaluation.grade_file import grade_lines
from components.evaluation.graders.registry import load_grader
from pipelines.line_files import bar, check_output, refuse_bad_lines, write_lines

_STAGES = {"normalize": ("mathvista",)}  # by stage, the benchmarks that have it


def grade_to(file: Path, benchmark: str, output: Path | None, stage: str | None = None) -> None:
    """Grade a file of predictions and write the grades.

    Args:
        file: JSON Lines, one prediction a line.
        benchmark: The name of an official rule.
        output: Written whole or not at all; None is standard output.
        stage: "normalize" takes the line's extraction as given; None runs all of the rule.

    Raises:
        SourceError: The benchmark or the stage is unknown or the file cannot be read (nothing is written), or some of
            its lines are bad (the others are graded and all are written).
        StorageError: The output cannot be written.
    """
    grader = load_grader(benchmark)
    _check_stage(stage, benchmark)
    if output is not None:
        check_output(output)
    lines = read_lines(file)
    with bar(len(lines)) as advance:
        graded = grade_lines(lines, grader, stage, advance)
    write_lines(graded.lines, output)
    mean = f"mean score {statistics.fmean(graded.scores):.4f}" if graded.scores else "no score"
    sys.stderr.write(f"{benchmark}: {len(graded.scores)} of {len(lines)} scored, {mean}, {graded.flags} flags\n")
    refuse_bad_lines(file, graded.problems, len(lines))


def _check_stage(stage: str | None, benchmark: str) -> None:
    if stage is None:
        return
    if stage not in _STAGES:
        raise SourceError(f"stage {stage[:60]!r}", "unknown", f"Give one of {', '.join(_STAGES)}, or leave it out")
    if benchmark not in _STAGES[stage]:
        remedy = f"Leave it out, or grade by {', '.join(_STAGES[stage])}"
        raise SourceError(f"stage {stage}", f"benchmark {benchmark} has no such stage", remedy)
