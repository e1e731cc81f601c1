"""Fit the surrogate on scored answers, choose its head, calibrate it and measure it out of fold."""

import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from components.core.artifact import TIMINGS, InputRef, Manifest, seal, verify
from components.core.example import AnswerType, Example, Split, read_split
from components.core.scratch import scratch_folder
from components.rewards.answer_features import NAMES
from components.rewards.answer_gate import rule_on
from components.rewards.answer_index import IndexedAnswer, settings_text, write_index
from components.rewards.embedder import Embedder
from components.rewards.embedding_cache import EMBEDDINGS
from components.rewards.estimate import Estimate
from components.rewards.feature_reader import FeatureReader
from components.rewards.image_embedder import ImageEmbedder
from components.rewards.surrogate import FORMAT, SETTINGS, TENSORS, Model, judge, model_tensors
from components.surrogate.config import HeadName, SurrogateConfig
from components.surrogate.heads import (
    CANDIDATES,
    FoldHeads,
    Points,
    area,
    calibrate,
    calibration_error,
    divide,
    far_limit,
    fit_folds,
    fit_head,
    fit_index,
    pairwise,
    quality,
)
from components.surrogate.material import Material, material_of, question_numbers
from components.surrogate.rows import AnswerRow
from components.surrogate.scored_answers import answer_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

METRICS = "metrics.json"
WARNINGS = "warnings.json"
_NATURAL_WEIGHT = 2.0  # of answers as they come in use, beside those that were written to be hard
_COVERED = 0.6  # share of the surest answers whose accuracy is reported


@dataclass(frozen=True)
class SurrogateResult:
    """What fitting reports."""

    manifest: Manifest
    metrics: dict[str, float]
    warnings: list[str] = field(default_factory=list)
    """What is strange about the rows, such as contradicting scores."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall time of encoding, of the features and of the rest; no part of the artifact's identity."""
    cache: dict[str, int] = field(default_factory=dict)
    """Where the rows' features came from: memory, file, computed; no part of the artifact's identity."""


@dataclass(frozen=True)
class Hands:
    """Who wrote answers, and whose come as in use.

    People differ in how they word what is right and what is wrong: a head that is chosen on groups left out of one
    hand promises too much. And answers that were written to be hard say nothing of how sure a score is in use.
    """

    of: Mapping[str, str] = field(default_factory=dict)
    """Hand by group; the head is chosen, calibrated and measured on hands left out instead of groups."""
    natural: frozenset[str] = frozenset()
    """Hands whose answers are as people and models give them, right and wrong, near and far. They count double, and
    the curve and the intervals are fitted on these alone; empty: all are alike."""

    def natural_among(self, rows: Sequence[AnswerRow]) -> "NDArray[np.bool_]":
        """Which rows are of a natural hand; all, where none is named."""
        import numpy as np

        return np.array([not self.natural or self.of.get(row.group) in self.natural for row in rows])


NO_HANDS = Hands()


def fit_rows(
    rows: Sequence[AnswerRow],
    output: Path,
    config: SurrogateConfig,
    seed: int,
    inputs: Mapping[str, Manifest | InputRef] | None = None,
    heldout: Sequence[AnswerRow] = (),
    hands: Hands = NO_HANDS,
) -> SurrogateResult:
    """Fit and save a surrogate.

    Args:
        rows: Scored answers, right and wrong ones, to several questions.
        output: Folder for the surrogate artifact.
        config: How to fit.
        seed: Decides what is made of the rows.
        inputs: What the rows come from, by role.
        heldout: Scored answers to measure on besides.
        hands: Who wrote the answers, where that is known.

    Returns:
        The manifest; metrics: num_rows, num_made, and of the given rows (of the natural hands where there are any, and
        of all with all_ in front) out of fold auc, pairwise_accuracy,
        cosine_auc, cosine_pairwise_accuracy, ece, brier, accuracy, accuracy_at_60, abstained, interval_coverage and
        canary_<kind>; the same with heldout_ in front of the held-out rows.

    Raises:
        SourceError: Nothing can be learnt from the rows; it says why.
    """
    import numpy as np

    material = material_of(rows, config, seed)
    output.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    cache = scratch_folder(EMBEDDINGS)
    embedder = Embedder(config.embedder, cache)
    images = None if config.image_embedder is None else ImageEmbedder(config.image_embedder, cache)
    reader = FeatureReader(embedder, images, cache)
    points = _points(material, reader, hands)
    choice = _choose(points, config, seed)
    natural = hands.natural_among(material.rows) & points.given
    model = _model(choice, points, natural, config, seed)
    metrics = {"num_rows": float(material.num_given), "num_made": float(len(material.rows) - material.num_given)}
    metrics |= {f"quality_{name}": value for name, value in choice.qualities.items()}
    for where, prefix in ((natural, ""), (points.given, "" if natural.sum() == points.given.sum() else "all_")):
        rows_there = [material.rows[place] for place in np.flatnonzero(where)]
        found = _measured(model, rows_there, points.take(where), choice.raw[where])
        metrics |= {f"{prefix}{name}": value for name, value in found.items()}
    metrics |= _canary_rates(material, points, choice, model, config, reader)
    if heldout:
        metrics |= {f"heldout_{name}": value for name, value in measured_on(model, reader, heldout).items()}
    seconds = {**reader.seconds, "fit": time.perf_counter() - start - sum(reader.seconds.values())}
    settings = {
        "format": FORMAT, "fitted": True, "embedder": embedder.config.identity(), "neighbours": config.neighbours,
        "head": choice.name, "far": model.far, "min_confidence": config.min_confidence, "features": list(reader.names),
        "coverage": config.coverage, "trained_kinds": list(config.negatives),
    }  # fmt: skip
    if images is not None:
        settings["image_embedder"] = images.config.identity()
    remembered = [row for row, kept in zip(material.rows, material.indexed, strict=True) if kept]
    _write(output, model, remembered, settings, metrics, material.warnings)
    _write_timings(output, seconds, asdict(reader.counts))
    identity = {"surrogate": config.identity(), "seed": seed}
    manifest = seal(output, "surrogate", identity, inputs)
    return SurrogateResult(manifest, metrics, material.warnings, seconds, asdict(reader.counts))


def fit_surrogate(dataset: Path, output: Path, config: SurrogateConfig, seed: int) -> SurrogateResult:
    """Fit and save a surrogate on answers that are made of a dataset's open-ended examples.

    Args:
        dataset: A dataset artifact.
        output: Folder for the surrogate artifact.
        config: How to fit.
        seed: Decides the scored answers.

    Returns:
        The manifest, and the metrics of `fit_rows`; the held-out ones are of the held-out split's
        open-ended examples. A dataset with fewer such examples than folds gives an unfitted surrogate, which refuses to
        score.
    """
    data = verify(dataset, "dataset")
    train = _open_ended(dataset, Split.TRAIN)[: config.max_examples]
    if len(train) >= config.folds:
        looks = config.image_embedder is not None
        held = answer_rows(_open_ended(dataset, Split.HELD_OUT), seed + 1, looks)
        return fit_rows(answer_rows(train, seed, looks), output, config, seed, {"dataset": data}, held)
    output.mkdir(parents=True, exist_ok=True)
    metrics = {"num_rows": 0.0}
    settings = {"format": FORMAT, "fitted": False, "embedder": config.embedder.identity()}
    (output / SETTINGS).write_text(settings_text(settings), encoding="utf-8")
    (output / METRICS).write_text(settings_text(metrics), encoding="utf-8")
    identity = {"surrogate": config.identity(), "seed": seed}
    return SurrogateResult(seal(output, "surrogate", identity, {"dataset": data}), metrics)


def measured_on(model: Model, reader: FeatureReader, rows: Sequence[AnswerRow]) -> dict[str, float]:
    """The figures of a model on scored rows that it has not seen; see `fit_rows`."""
    import numpy as np

    features = _features(reader, rows)
    scores = np.array([row.score or 0.0 for row in rows])
    questions = np.array(question_numbers(rows))
    everything = np.ones(len(rows), dtype=bool)
    points = Points(features, scores, np.ones(len(rows)), questions, questions, everything, everything)
    return _measured(model, rows, points, model.head.raw(features))


def _points(material: Material, reader: FeatureReader, hands: Hands) -> Points:
    import numpy as np

    natural = hands.natural_among(material.rows) & bool(hands.natural)
    parties = [hands.of.get(row.group, row.group) for row in material.rows]
    groups = {name: number for number, name in enumerate(dict.fromkeys(parties))}
    # By question, so that a question's texts are remembered while its rows are read.
    order = sorted(range(len(material.rows)), key=lambda place: (material.questions[place], place))
    features = np.empty((len(order), len(reader.names)), dtype=np.float32)
    features[order] = _features(reader, [material.rows[place] for place in order])
    return Points(
        features=features,
        scores=np.array([row.score or 0.0 for row in material.rows]),
        weights=np.array(material.weights) * np.where(natural, _NATURAL_WEIGHT, 1.0),
        questions=np.array(material.questions),
        groups=np.array([groups[party] for party in parties]),
        given=np.arange(len(material.rows)) < material.num_given,
        indexed=np.array(material.indexed),
    )


def _features(reader: FeatureReader, rows: Sequence[AnswerRow]) -> "NDArray[np.float32]":
    images = None if reader.images is None else [row.image for row in rows]
    return reader.read(
        [row.question for row in rows], [row.answer for row in rows], [row.references for row in rows], images
    )


@dataclass(frozen=True)
class _Choice:
    """The head that was chosen."""

    name: HeadName
    folds: FoldHeads
    raw: "NDArray[np.float64]"
    """Its scores of the points, out of fold."""
    qualities: dict[str, float]
    """Of each candidate."""


def _choose(points: Points, config: SurrogateConfig, seed: int) -> _Choice:
    folds = divide(points.groups, config.folds)
    names: Sequence[HeadName] = CANDIDATES if config.head == "auto" else (config.head,)
    fitted = {name: fit_folds(name, points, folds, config, seed) for name in names}
    raws = {name: heads.raw(points) for name, heads in fitted.items()}
    qualities = {name: quality(points, raw) for name, raw in raws.items()}
    best = max(names, key=lambda name: qualities[name])
    return _Choice(best, fitted[best], raws[best], {str(name): value for name, value in qualities.items()})


def _model(choice: _Choice, points: Points, natural: "NDArray[np.bool_]", config: SurrogateConfig, seed: int) -> Model:
    seen = points.take(natural)
    remembered = points.take(points.indexed)
    index = fit_index(remembered)
    return Model(
        head=fit_head(choice.name, points, config, seed),
        calibration=calibrate(choice.raw[natural], seen.scores, seen.groups, config),
        index=index,
        far=far_limit(index, remembered, config),
        neighbours=min(config.neighbours, len(index.scores)),
        min_confidence=config.min_confidence,
    )


class _Raw:
    """Raw scores that are known already, in a head's place."""

    name = "known"

    def __init__(self, values: "NDArray[np.float64]") -> None:
        self._values = values

    def raw(self, features: "NDArray[np.float32]") -> "NDArray[np.float64]":
        """The known scores."""
        del features
        return self._values

    def tensors(self) -> "dict[str, NDArray[np.generic]]":
        """None."""
        return {}


def _judged(
    model: Model, rows: Sequence[AnswerRow], features: "NDArray[np.float32]", raw: "NDArray[np.float64]"
) -> list[Estimate]:
    known = Model(**{**model.__dict__, "head": _Raw(raw)})
    return judge(known, features, [rule_on(row.answer, row.references) for row in rows])


def _measured(model: Model, rows: Sequence[AnswerRow], points: Points, raw: "NDArray[np.float64]") -> dict[str, float]:
    import numpy as np

    estimates = _judged(model, rows, points.features, raw)
    scores = np.array([found.score for found in estimates])
    right = points.scores > 0.5
    cosine = points.features[:, NAMES.index("cosine")].astype(np.float64)
    correct = (scores > 0.5) == right
    surest = np.argsort(-np.abs(scores - 0.5), kind="stable")[: max(1, round(_COVERED * len(scores)))]
    held = [
        found.low - 1e-9 <= truth <= found.high + 1e-9 for found, truth in zip(estimates, points.scores, strict=True)
    ]
    values = {
        "rows": float(len(rows)),
        "auc": area(right, scores),
        "pairwise_accuracy": pairwise(points.questions, right, scores),
        "cosine_auc": area(right, cosine),
        "cosine_pairwise_accuracy": pairwise(points.questions, right, cosine),
        "ece": calibration_error(right, scores),
        "brier": float(np.mean((scores - points.scores) ** 2)),
        "accuracy": float(correct.mean()),
        "accuracy_at_60": float(correct[surest].mean()),
        "abstained": float(np.mean([bool(found.abstains) for found in estimates])),
        "interval_coverage": float(np.mean(held)),
    }
    return {name: value for name, value in values.items() if value is not None}


def _canary_rates(
    material: Material, points: Points, choice: _Choice, model: Model, config: SurrogateConfig, reader: FeatureReader
) -> dict[str, float]:
    """Share of each kind's answers that score above the median of the given right answers, all out of fold."""
    import numpy as np

    right = points.given & (points.scores > 0.5)
    median = float(np.median(model.calibration.scores(choice.raw[right])))
    taught = np.array([row.kind in config.negatives for row in material.rows]) & ~points.given
    rows = [material.rows[place] for place in np.flatnonzero(taught)]
    judged = _judged(model, rows, points.features[taught], choice.raw[taught])
    if material.canaries:
        features = _features(reader, material.canaries)
        raw = choice.folds.raw_of(points, features, np.array(material.canary_questions))
        rows, judged = rows + material.canaries, judged + _judged(model, material.canaries, features, raw)
    by_kind: dict[str, list[bool]] = defaultdict(list)
    for row, found in zip(rows, judged, strict=True):
        by_kind[row.kind].append(found.score > median)
    return {f"canary_{kind}": sum(passed) / len(passed) for kind, passed in by_kind.items()}


def _write(
    output: Path,
    model: Model,
    remembered: Sequence[AnswerRow],
    settings: Mapping[str, object],
    metrics: Mapping[str, float],
    warnings: Sequence[str],
) -> None:
    from safetensors.numpy import save_file

    save_file(model_tensors(model), str(output / TENSORS))
    write_index([IndexedAnswer(row.question, row.answer, row.score or 0.0) for row in remembered], output)
    (output / SETTINGS).write_text(settings_text(settings), encoding="utf-8")
    (output / METRICS).write_text(settings_text(metrics), encoding="utf-8")
    (output / WARNINGS).write_text(settings_text(list(warnings)), encoding="utf-8")


def _write_timings(output: Path, seconds: Mapping[str, float], cache: Mapping[str, int]) -> None:
    folder = output / TIMINGS
    folder.mkdir(exist_ok=True)
    (folder / "seconds.json").write_text(json.dumps(seconds, indent=2), encoding="utf-8")
    (folder / "cache.json").write_text(json.dumps(cache, indent=2), encoding="utf-8")


def _open_ended(dataset: Path, split: Split) -> list[Example]:
    return [example for example in read_split(dataset, split) if example.answer_type is AnswerType.OPEN_ENDED]
