"""Fit the surrogate on a dataset's open-ended examples and measure it on the held-out ones."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from components.core.artifact import Manifest, seal, verify
from components.core.example import AnswerType, Example, read_examples
from components.rewards.embedder import Embedder
from components.rewards.surrogate import SETTINGS, TENSORS, Head, pair_features
from components.surrogate.config import SurrogateConfig
from components.surrogate.scored_answers import ScoredAnswer, make_scored_answers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

METRICS = "metrics.json"


@dataclass(frozen=True)
class SurrogateResult:
    """What fitting reports."""

    manifest: Manifest
    metrics: dict[str, float]


def fit_surrogate(dataset: Path, output: Path, config: SurrogateConfig, seed: int) -> SurrogateResult:
    """Fit and save a surrogate.

    Args:
        dataset: A dataset artifact.
        output: Folder for the surrogate artifact.
        config: How to fit.
        seed: Decides the scored answers.

    Returns:
        The manifest, and metrics: num_pairs; and where the held-out split has open-ended examples,
        heldout_pairwise_accuracy, heldout_cosine_pairwise_accuracy (the plain-cosine peer) and heldout_brier.
        A dataset without open-ended examples gives an unfitted surrogate, which refuses to score.
    """
    data = verify(dataset, "dataset")
    output.mkdir(parents=True, exist_ok=True)
    train = _open_ended(dataset / "train.parquet")[: config.max_examples]
    fitted = len(train) >= config.folds
    metrics = {"num_pairs": 0.0}
    if fitted:
        embedder = Embedder(config.embedder)
        scored = make_scored_answers(train, seed)
        features = _features(embedder, scored)
        head = _fit_head(features, scored, config)
        metrics["num_pairs"] = float(len(scored))
        metrics |= _measure(embedder, head, _open_ended(dataset / "heldout.parquet"), config, seed + 1)
        _save_head(output, head, scored)
    settings = {
        "fitted": fitted,
        # As it was here, so that a machine with another processor scores in the same precision.
        "embedder": (embedder.config if fitted else config.embedder).identity(),
        "neighbours": config.neighbours,
    }
    (output / SETTINGS).write_text(json.dumps(settings, indent=2, sort_keys=True), encoding="utf-8")
    (output / METRICS).write_text(json.dumps(metrics, indent=2, sort_keys=True), encoding="utf-8")
    identity = {"surrogate": config.identity(), "seed": seed}
    return SurrogateResult(seal(output, "surrogate", identity, {"dataset": data}), metrics)


def _open_ended(path: Path) -> list[Example]:
    return [example for example in read_examples(path) if example.answer_type is AnswerType.OPEN_ENDED]


def _features(embedder: Embedder, scored: Sequence[ScoredAnswer]) -> "NDArray[np.float32]":
    return pair_features(embedder, [item.answer for item in scored], [item.references for item in scored])


def _fit_head(features: "NDArray[np.float32]", scored: Sequence[ScoredAnswer], config: SurrogateConfig) -> Head:
    """Fit on all pairs; calibrate on out-of-fold scores, so that the curve is not flattered."""
    import numpy as np
    from sklearn.isotonic import IsotonicRegression
    from sklearn.model_selection import GroupKFold

    scores = np.array([item.score for item in scored], dtype=np.float32)
    questions = np.array([item.example for item in scored])
    out_of_fold = np.zeros_like(scores)
    for fit, held in GroupKFold(config.folds).split(features, scores, questions):
        partial = _fit_readings(features[fit], scores[fit], config)
        out_of_fold[held] = partial.raw_scores(features[held], config.neighbours)
    curve = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(out_of_fold, scores)
    knots = np.stack([curve.X_thresholds_, curve.y_thresholds_]).astype(np.float32)
    return Head(**{**_fit_readings(features, scores, config).__dict__, "knots": knots})


def _fit_readings(features: "NDArray[np.float32]", scores: "NDArray[np.float32]", config: SurrogateConfig) -> Head:
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(features)
    points = scaler.transform(features).astype(np.float32)
    logistic = LogisticRegression(C=config.regularisation, max_iter=2000).fit(points, scores > 0.5)
    return Head(
        centre=scaler.mean_.astype(np.float32),
        spread=scaler.scale_.astype(np.float32),
        index=points,
        index_scores=scores,
        weights=logistic.coef_[0].astype(np.float32),
        bias=logistic.intercept_.astype(np.float32),
        knots=np.array([[0.0, 1.0], [0.0, 1.0]], dtype=np.float32),
    )


def _measure(
    embedder: Embedder, head: Head, heldout: Sequence[Example], config: SurrogateConfig, seed: int
) -> dict[str, float]:
    """How well held-out answers are ordered within their example, and how well scores are calibrated."""
    import numpy as np

    if not heldout:
        return {}
    scored = make_scored_answers(heldout, seed)
    features = _features(embedder, scored)
    scores = head.calibrate(head.raw_scores(features, config.neighbours))
    truth = np.array([item.score for item in scored])
    return {
        "heldout_pairs": float(len(scored)),
        "heldout_pairwise_accuracy": pairwise_accuracy(scored, scores.tolist()),
        "heldout_cosine_pairwise_accuracy": pairwise_accuracy(scored, features[:, 0].tolist()),
        "heldout_brier": float(np.mean((scores - truth) ** 2)),
    }


def pairwise_accuracy(scored: Sequence[ScoredAnswer], scores: Sequence[float]) -> float:
    """Share of (right, wrong) pairs of one example that are ordered rightly; a tie counts one half.

    Args:
        scored: N answers with their true scores (above 0.5 is right).
        scores: N scores to judge.

    Raises:
        ValueError: No example has both a right and a wrong answer.
    """
    by_example: dict[int, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for item, score in zip(scored, scores, strict=True):
        by_example[item.example][item.score > 0.5].append(score)
    outcomes = [
        1.0 if right > wrong else 0.5 if right == wrong else 0.0
        for wrongs, rights in by_example.values()
        for wrong, right in product(wrongs, rights)
    ]
    if not outcomes:
        raise ValueError("no example has both a right and a wrong answer: nothing to order")
    return sum(outcomes) / len(outcomes)


def _save_head(output: Path, head: Head, scored: Sequence[ScoredAnswer]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from safetensors.numpy import save_file

    save_file(dict(head.__dict__), str(output / TENSORS))
    pq.write_table(pa.Table.from_pylist([asdict(item) for item in scored]), output / "index.parquet")
