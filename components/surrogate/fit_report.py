"""Fit report: what a surrogate is worth on the held-out examples of its dataset, as a page and as figures."""

import json
from pathlib import Path

from components.core.artifact import read_manifest
from components.core.example import AnswerType, Split, read_split
from components.core.scratch import scratch_folder
from components.rewards.embedding_cache import EMBEDDINGS
from components.rewards.surrogate import SETTINGS, SurrogateScorer
from components.surrogate.canary_rows import canary_rows, trained_kinds
from components.surrogate.config import SurrogateConfig
from components.surrogate.measure import measure
from components.surrogate.measurement import Measurement
from components.surrogate.report import ReportFacts, render_report
from components.surrogate.rows import AnswerRow
from components.surrogate.scored_answers import answer_rows

_CANARY_QUESTIONS = 60
"""Fewer than on the command line: this is in the way of a training."""


def write_fit_report(
    surrogate: Path, dataset: Path, config: SurrogateConfig, seed: int, page: Path
) -> dict[str, float]:
    """Measure a surrogate that has just been fitted, and write its report.

    Args:
        surrogate: The artifact.
        dataset: The dataset artifact that it was fitted on.
        config: How it was fitted.
        seed: As given to fitting.
        page: The HTML file.

    Returns:
        Figures as heldout_<name>; none where the surrogate was not fitted or nothing open-ended was held out.
    """
    manifest = read_manifest(surrogate)
    rows = heldout_rows(dataset, config, seed)
    settings = json.loads((surrogate / SETTINGS).read_text(encoding="utf-8"))
    measurement = _measured(surrogate, rows, config, seed) if settings["fitted"] and rows else None
    facts = ReportFacts.of(surrogate, manifest, "the dataset's held-out examples", read_manifest(dataset).fingerprint)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(render_report(facts, measurement), encoding="utf-8")
    return {f"heldout_{name}": value for name, value in measurement.flat().items()} if measurement else {}


def heldout_rows(dataset: Path, config: SurrogateConfig, seed: int) -> list[AnswerRow]:
    """Answers made of the held-out open-ended examples, by the rules but not of the examples of fitting.

    Args:
        dataset: The dataset artifact.
        config: As given to fitting.
        seed: Likewise; the answers are of the next one.
    """
    found = read_split(dataset, Split.HELD_OUT)
    examples = [example for example in found if example.answer_type is AnswerType.OPEN_ENDED]
    return answer_rows(examples, seed + 1, config.image_embedder is not None)


def _measured(surrogate: Path, rows: list[AnswerRow], config: SurrogateConfig, seed: int) -> Measurement:
    from components.rewards.embedder import Embedder

    identity = {"surrogate": config.identity()}
    canaries = canary_rows(rows, seed, _CANARY_QUESTIONS)
    cache = scratch_folder(EMBEDDINGS)
    scorer = SurrogateScorer.load(surrogate, cache)
    return measure(scorer, rows, canaries, trained_kinds(identity), Embedder(config.embedder, cache), seed)
