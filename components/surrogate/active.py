"""Active learning: which rows are worth annotating next.

Each candidate has a worth, the weighted mean of three signals, each as its rank among the candidates (0..1), since they
have no unit in common:
* disagreement: the standard deviation of a committee's scores (folds, or heads);
* uncertainty: half the width of the interval, half the closeness of the score to 0.5, each as its rank;
* distance: to the nearest row that the surrogate has seen, or else to the nearest one that is annotated already.
Rows are then chosen greedily, by worth and by distance to all that were chosen before (farthest point), and a row that
nearly duplicates one of these, or an annotated one, is passed over with its reason.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from components.core.config import Config
from components.core.errors import SourceError
from components.rewards.estimate import Estimate
from components.surrogate.ordering import Fit, Scores
from components.surrogate.rows import AnswerRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Vectors = Callable[[Sequence[AnswerRow]], "NDArray[np.float32]"]
"""Unit vectors of N rows, shape (N, D); the cosine of two says how alike the rows are."""
_CHUNK = 2048
_ROUNDING = 1e-6
"""By which the cosine of a vector to itself may fall short of 1."""


class PickConfig(Config):
    """What makes a row worth annotating."""

    disagreement: float = Field(default=1.0, ge=0)
    """Weight of the committee's disagreement."""
    uncertainty: float = Field(default=1.0, ge=0)
    """Weight of the interval's width and the score's closeness to 0.5."""
    distance: float = Field(default=1.0, ge=0)
    """Weight of the distance to what is annotated."""
    diversity: float = Field(default=0.5, ge=0, le=1)
    """Share of the choice that the distance to the rows chosen before decides; the worth decides the rest."""
    duplicate: float = Field(default=0.95, gt=0, le=1)
    """Cosine from which on two rows are near duplicates."""

    @model_validator(mode="after")
    def _check_weights(self) -> "PickConfig":
        if not self.disagreement + self.uncertainty + self.distance > 0:
            raise ValueError("disagreement, uncertainty and distance are all 0: give one of them a weight")
        return self


@dataclass(frozen=True)
class Signals:
    """What speaks for annotating each of N candidates; shape (N,) each, in units of their own."""

    disagreement: "NDArray[np.float64]"
    width: "NDArray[np.float64]"
    """Of the interval, 0..1."""
    closeness: "NDArray[np.float64]"
    """Of the score to 0.5: 1 there, 0 at 0 and 1."""
    distance: "NDArray[np.float64]"
    """To the nearest neighbour that the estimates name; where one names none, 1 - cosine to the nearest annotated row
    for all (0..2, and 1 where nothing is annotated)."""


@dataclass(frozen=True)
class Pick:
    """A row to annotate, and why."""

    row: AnswerRow
    worth: float
    """0..1, among the candidates."""
    reasons: dict[str, float]
    """disagreement, uncertainty and distance as ranks among the candidates, 0..1."""


@dataclass(frozen=True)
class Picks:
    """What was chosen of N candidates: picks + passed + left = candidates."""

    picks: list[Pick]
    """In the order in which they were chosen."""
    passed: list[tuple[AnswerRow, str]]
    """Rows that were passed over, with the reason."""
    left: int
    """Rows that the budget did not reach."""


def pick(
    candidates: Sequence[AnswerRow],
    budget: int,
    signals: Signals,
    vectors: "NDArray[np.float32]",
    annotated: "NDArray[np.float32] | None" = None,
    config: PickConfig | None = None,
) -> Picks:
    """Choose the rows worth annotating next.

    Args:
        candidates: N rows.
        budget: Rows to choose at most.
        signals: Of each candidate.
        vectors: Of each candidate, unit length, shape (N, D).
        annotated: Of the rows that are annotated already, shape (M, D).
        config: The mix; the defaults if None.

    Returns:
        The choice, deterministic: of equally good rows the earlier one.
    """
    import numpy as np

    config = config or PickConfig()
    reasons = _ranks(signals)
    weights = {name: getattr(config, name) for name in reasons}
    worth = sum(weights[name] * ranks for name, ranks in reasons.items()) / sum(weights.values())
    # Cosine to the nearest row that is annotated or chosen, and which row that is.
    nearest = _nearest(vectors, annotated)
    limit = config.duplicate - _ROUNDING
    twin = np.full(len(candidates), -1)
    chosen: list[int] = []
    while len(chosen) < min(budget, len(candidates)):
        open_ = nearest < limit
        open_[chosen] = False
        if not open_.any():
            break
        gain = (1 - config.diversity) * worth + config.diversity * (1 - nearest) / 2
        place = int(np.where(open_, gain, -np.inf).argmax())
        chosen.append(place)
        cosines = vectors @ vectors[place]
        closer = cosines > nearest
        twin[closer], nearest[closer] = place, cosines[closer]
    duplicates = np.flatnonzero(nearest >= limit)
    passed = sorted(set(duplicates.tolist()) - set(chosen))
    return Picks(
        picks=[
            Pick(candidates[place], float(worth[place]), {name: float(ranks[place]) for name, ranks in reasons.items()})
            for place in chosen
        ],
        passed=[(candidates[place], _duplicate_of(candidates, int(twin[place]))) for place in passed],
        left=len(candidates) - len(chosen) - len(passed),
    )


def signals_of(
    committee: Sequence[Sequence[Estimate]],
    estimates: Sequence[Estimate],
    vectors: "NDArray[np.float32]",
    annotated: "NDArray[np.float32] | None" = None,
) -> Signals:
    """Signals of N candidates.

    Args:
        committee: The estimates of each of K members, shape (K, N); with fewer than two, there is no disagreement.
        estimates: Of the surrogate itself, best with a neighbour each.
        vectors: Unit vectors of the candidates, shape (N, D).
        annotated: Of the rows that are annotated already, shape (M, D).
    """
    import numpy as np

    scores = np.array([[estimate.score for estimate in member] for member in committee], dtype=np.float64)
    own = np.array([estimate.score for estimate in estimates], dtype=np.float64)
    widths = np.array([estimate.high - estimate.low for estimate in estimates], dtype=np.float64)
    if not np.isfinite(own).all() or not np.isfinite(widths).all() or not np.isfinite(scores).all():
        raise SourceError("estimates", "some are no numbers", "Fit the surrogate again, or leave these rows out")
    return Signals(
        disagreement=scores.std(axis=0) if len(committee) > 1 else np.zeros(len(estimates)),
        width=widths,
        closeness=1 - 2 * np.abs(own - 0.5),
        distance=_distance(estimates, vectors, annotated),
    )


def _distance(
    estimates: Sequence[Estimate], vectors: "NDArray[np.float32]", annotated: "NDArray[np.float32] | None"
) -> "NDArray[np.float64]":
    import numpy as np

    if all(estimate.neighbours for estimate in estimates):
        return np.array([estimate.neighbours[0].distance for estimate in estimates], dtype=np.float64)
    return 1 - _nearest(vectors, annotated).astype(np.float64)


def fold_committee(rows: Sequence[AnswerRow], fit: Fit, folds: int = 5) -> list[Scores]:
    """Scorers that were each fitted without one fold of the annotated rows.

    Args:
        rows: Annotated, of at least as many groups as folds.
        fit: Fits a scorer.
        folds: Members of the committee; groups stay together.
    """
    from sklearn.model_selection import GroupKFold

    groups = [row.group for row in rows]
    return [fit([rows[place] for place in kept]) for kept, _ in GroupKFold(folds).split(rows, groups=groups)]


def text_vectors(rows: Sequence[AnswerRow]) -> "NDArray[np.float32]":
    """Unit vectors by spelling: hashed 3- to 5-grams of letters of question and answer; shape (N, 1024).

    Enough to tell near duplicates without an embedding, and the same whatever rows they are made beside.
    """
    import numpy as np
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), n_features=1024, alternate_sign=True, norm=None)
    if not rows:
        return np.zeros((0, 1024), dtype=np.float32)
    parts = [hashing.transform([getattr(row, name) for row in rows]).toarray() for name in ("question", "answer")]
    total = sum(_unit(part) for part in parts)
    return _unit(np.asarray(total)).astype(np.float32)


def _unit(vectors: "NDArray[Any]") -> "NDArray[Any]":
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1.0, lengths))


def _nearest(vectors: "NDArray[np.float32]", annotated: "NDArray[np.float32] | None") -> "NDArray[np.float32]":
    """Cosine of each candidate to the nearest annotated row; 0 where there is none, as for a row like no other."""
    import numpy as np

    if annotated is None or not len(annotated) or not len(vectors):
        return np.zeros(len(vectors), dtype=np.float32)
    chunks = [vectors[start : start + _CHUNK] @ annotated.T for start in range(0, len(vectors), _CHUNK)]
    return np.concatenate([chunk.max(axis=1) for chunk in chunks]).astype(np.float32)


def _ranks(signals: Signals) -> "dict[str, NDArray[np.float64]]":
    width, closeness = _rank(signals.width), _rank(signals.closeness)
    return {
        "disagreement": _rank(signals.disagreement),
        "uncertainty": (width + closeness) / 2,
        "distance": _rank(signals.distance),
    }


def _rank(values: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Mid-ranks in 0..1; equal values are equal, and a signal that is the same for all is 0.5."""
    import numpy as np
    from scipy.stats import rankdata

    if len(values) < 2:
        return np.full(len(values), 0.5)
    return np.asarray((rankdata(values) - 1) / (len(values) - 1), dtype=np.float64)


def _duplicate_of(candidates: Sequence[AnswerRow], twin: int) -> str:
    if twin < 0:
        return "nearly the same as a row that is annotated already"
    return f"nearly the same as the chosen answer {candidates[twin].answer[:60]!r}"
