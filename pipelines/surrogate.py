"""What a person sees of `harmo surrogate`: fit one on scored answers, score a file by it, measure it."""

import json
import os
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.core.artifact import InputRef, Manifest, digest_file, verify
from components.core.config import parse_config
from components.core.errors import ArtifactError, SourceError
from components.core.json_lines import read_lines
from components.core.lineage import SOURCE_KIND
from components.core.scratch import scratch_folder
from components.rewards.embedding_cache import EMBEDDINGS
from components.surrogate.rows import AnswerRow, Pictures, ReadRows, read_rows
from pipelines.folders import check_folder, check_parent, whole_folder
from pipelines.line_files import bar, check_output, refuse_bad_lines, write_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from components.rewards.image_embedder import ImageEmbedderConfig
    from components.rewards.surrogate import SurrogateScorer
    from components.surrogate.config import SurrogateConfig
    from components.surrogate.fit import SurrogateResult
    from components.surrogate.measurement import Measurement
    from components.surrogate.peers import Embeds

BUILTIN = "builtin"
METRICS, REPORT = "metrics.json", "report.html"


def fit_to(data: Path, output: Path, config: Path | None, seed: int, console: "Console") -> None:
    """Fit a surrogate on a file of scored answers.

    Args:
        data: JSON Lines, one scored answer a line.
        output: Folder for the surrogate, new or empty; written whole or not at all.
        config: YAML with the keys of a recipe's `surrogate`; None takes their defaults.
        seed: Decides whatever is drawn.
        console: For the summary.

    Raises:
        SourceError: The file cannot be read, holds a bad line, or nothing can be learned from it.
        RecipeError: The configuration cannot be read or has a wrong key, type or range.
        StorageError: The folder is not empty, or cannot be written.
    """
    settings = load_settings(config)
    check_folder(output)
    rows = read_scored(data, settings)
    quiet()
    from components.surrogate.fit import fit_rows

    with whole_folder(output) as made:
        result = fit_rows(rows, made, settings, seed, {"rows": InputRef(SOURCE_KIND, digest_file(data))})
    print_fit(result, str(data), output, console)


def print_fit(result: "SurrogateResult", name: str, output: Path, console: "Console") -> None:
    """Print what fitting reports.

    Args:
        result: What it reports.
        name: Of the rows, which its warnings are about.
        output: Where the surrogate is.
        console: For the figures; the warnings go to standard error.
    """
    for warning in result.warnings:
        sys.stderr.write(f"warning: {name}: {warning}\n")
    console.print(table(("metric", "value"), {name: [_shown(value)] for name, value in result.metrics.items()}))
    console.print(_sources(result.cache), highlight=False)
    fingerprint = result.manifest.fingerprint[:12]
    console.print(f"wrote {output.resolve()}, fingerprint {fingerprint}", highlight=False, soft_wrap=True)


def score_to(surrogate: str, file: Path, output: Path | None) -> None:
    """Score a file of answers and write the scores.

    Args:
        surrogate: Folder of a surrogate, or the word builtin.
        file: JSON Lines, one answer a line.
        output: Written whole or not at all; None is standard output.

    Raises:
        SourceError: The file cannot be read (nothing is written), or some of its lines are bad (the others are scored
            and all are written).
        ArtifactError: The folder is no surrogate, or its bytes changed.
        ModelError: The surrogate's embedding model is missing or another one.
        StorageError: The output cannot be written.
    """
    from components.surrogate.answer_file import score_answers

    if output is not None:
        check_output(output)
    lines = read_lines(file)
    scorer, _, _ = load_surrogate(surrogate)
    most = _max_pixels(scorer.image_embedder)
    with bar(len(lines)) as advance:
        scored = score_answers(lines, scorer, advance, Pictures(file.parent, most) if most else None)
    write_lines(scored.lines, output)
    mean = f"mean score {statistics.fmean(scored.scores):.4f}" if scored.scores else "no score"
    sys.stderr.write(f"{len(scored.scores)} of {len(lines)} scored, {mean}, {scored.abstained} abstained\n")
    refuse_bad_lines(file, scored.problems, len(lines))


def eval_to(surrogate: str, data: Path, output: Path | None, console: "Console") -> None:
    """Measure a surrogate on a file of scored answers.

    Args:
        surrogate: Folder of a surrogate, or the word builtin.
        data: JSON Lines, one scored answer a line.
        output: Folder for metrics.json and report.html; None prints the table alone.
        console: For the table.

    Raises:
        SourceError: The file cannot be read, or no line can (nothing is written), or some of its lines are bad (the
            figures are of the others, and say so).
        ArtifactError: The folder is no surrogate, or its bytes changed.
        ModelError: The surrogate's embedding model is missing or another one, or the surrogate was not fitted.
        StorageError: The output cannot be written.
    """
    from components.surrogate.canary_rows import canary_rows, trained_kinds
    from components.surrogate.measure import measure

    if output is not None:
        check_parent(output)
    scorer, folder, manifest = load_surrogate(surrogate)
    read = read_rows(data, max_pixels=_max_pixels(scorer.image_embedder))
    if not read.rows:
        _refuse_data(data, read)
    measurement = measure(
        scorer, read.rows, canary_rows(read.rows, seed=0), trained_kinds(manifest.identity), _embedder(manifest)
    )
    print_measurement(measurement, console)
    if output is not None:
        _write_report(measurement, output, folder, manifest, data, read)
        console.print(f"wrote {output / REPORT}", highlight=False, soft_wrap=True)
    refuse_bad_lines(data, read.problems, len(read.rows) + len(read.problems))


def load_surrogate(name: str) -> "tuple[SurrogateScorer, Path, Manifest]":
    """Load a surrogate whose every byte is as it was written.

    Args:
        name: Its folder, or the word builtin.

    Returns:
        The scorer, its folder, and its manifest.

    Raises:
        ArtifactError: There is no such folder, it is no surrogate, or its bytes changed.
        ModelError: Its embedding model is missing or another one.
    """
    folder, manifest = find_surrogate(name)
    quiet()
    from components.rewards.surrogate import SurrogateScorer

    return SurrogateScorer.load(folder, scratch_folder(EMBEDDINGS)), folder, manifest


def find_surrogate(name: str) -> tuple[Path, Manifest]:
    """The folder of a surrogate whose every byte is as it was written, and its manifest.

    Args:
        name: Its folder, or the word builtin.

    Raises:
        ArtifactError: There is no such folder, it is no surrogate, or its bytes changed.
    """
    folder = _builtin() if name == BUILTIN else Path(name)
    if not folder.is_dir():
        remedy = f"Give the folder that `harmo surrogate fit` wrote, or the word {BUILTIN}"
        raise ArtifactError(name, "no such folder", remedy)
    return folder, verify(folder, "surrogate")


def load_settings(config: Path | None) -> "SurrogateConfig":
    """How to fit, by a YAML file with the keys of a recipe's `surrogate`; None takes their defaults.

    Raises:
        RecipeError: It cannot be read or has a wrong key, type or range.
    """
    from components.surrogate.config import SurrogateConfig
    from pipelines.section_file import load_section

    return load_section(config, "surrogate", SurrogateConfig) if config else SurrogateConfig()


def read_scored(data: Path, settings: "SurrogateConfig | None" = None) -> list[AnswerRow]:
    """The rows of a file of scored answers.

    Args:
        data: JSON Lines.
        settings: What they are fitted with; says how large a picture may be.

    Raises:
        SourceError: The file cannot be read, holds a bad line, or none.
    """
    read = read_rows(data, max_pixels=_max_pixels(settings.image_embedder if settings else None))
    if read.problems or not read.rows:
        _refuse_data(data, read)
    return read.rows


def load_scorer(name: str) -> "SurrogateScorer":
    """Load a surrogate by its folder, or by the word builtin; as `load_surrogate`."""
    return load_surrogate(name)[0]


def print_measurement(measurement: "Measurement", console: "Console") -> None:
    """Print the main figures beside the baselines', then the canaries."""
    from components.surrogate.words import CANARY_HEADS, FIGURE_HEADS, canary_cells, figure_cells

    console.print(table(FIGURE_HEADS, figure_cells(measurement)))
    if measurement.canaries:
        console.print(table(CANARY_HEADS, canary_cells(measurement)))
    for note in measurement.notes:
        console.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)


def table(heads: tuple[str, ...], rows: Mapping[str, list[str]]) -> "Table":
    """A table whose first column is words and whose others are numbers, a row of cells a name."""
    from rich.table import Table
    from rich.text import Text

    made = Table(heads[0])
    for head in heads[1:]:
        made.add_column(head, justify="right")
    for name, cells in rows.items():
        made.add_row(Text(name), *(Text(cell) for cell in cells))
    return made


def _max_pixels(images: "ImageEmbedderConfig | None") -> int:
    """Of an image at most, for one who looks at images; 0 for one who does not."""
    return images.max_pixels if images else 0


def _sources(cache: Mapping[str, int]) -> str:
    """Where the features of a fit came from."""
    return f"features of {cache['computed']:,} rows computed, of {cache['file']:,} known from earlier runs"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4f}"


def _builtin() -> Path:
    from components.surrogate.builtin import builtin_folder

    return builtin_folder()


def _embedder(manifest: Manifest) -> "Embeds":
    """The surrogate's own, so that the cosine beside it is of the same embeddings."""
    from components.rewards.embedder import Embedder, EmbedderConfig

    values = manifest.identity.get("surrogate", {}).get("embedder", {})
    return Embedder(parse_config(EmbedderConfig, values, "the surrogate's embedder"), scratch_folder(EMBEDDINGS))


def _write_report(
    measurement: "Measurement", output: Path, folder: Path, manifest: Manifest, data: Path, read: ReadRows
) -> None:
    from components.surrogate.report import ReportFacts, render_report

    facts = ReportFacts.of(folder, manifest, data.name, digest_file(data), len(read.problems))
    output.mkdir(exist_ok=True)
    metrics = {"surrogate": manifest.fingerprint, "data": facts.data_digest, **measurement.to_json()}
    (output / METRICS).write_text(json.dumps(metrics, indent=2, allow_nan=False), encoding="utf-8")
    (output / REPORT).write_text(render_report(facts, measurement), encoding="utf-8")


def _refuse_data(data: Path, read: ReadRows) -> None:
    if not read.problems:
        raise SourceError(str(data), "holds no line", "Give scored answers, one a line")
    raise SourceError(
        str(data),
        f"{len(read.problems)} of {len(read.rows) + len(read.problems)} lines are bad, the first is {read.problems[0]}",
        "Mend the bad lines or take them out, then run again; nothing was written",
    )


def quiet() -> None:
    """No bars of the libraries' own on standard error, and one thread: two can be ten times slower on a busy machine.

    Set before they are loaded.
    """
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
