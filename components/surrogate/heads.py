"""Fitting the heads of the surrogate, choosing among them, and calibrating the one that was chosen."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, get_args

from components.rewards.answer_features import NAMES, RISING
from components.rewards.answer_heads import Head, LinearHead, NeighbourHead, TreesHead
from components.rewards.answer_index import AnswerIndex
from components.rewards.calibration import Calibration
from components.rewards.image_features import IMAGE_NAMES
from components.surrogate import figures
from components.surrogate.config import HeadName, SurrogateConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

CANDIDATES: tuple[HeadName, ...] = get_args(HeadName)
ISOTONIC_FROM = 1_000  # scored answers
_SLOPE = 1e-3  # of the raw score in the calibrated one, so that equal steps of the curve keep their order
_BINS = 10  # of the conformal intervals
_MOST_PAIRS = 50_000
_LEAST_SPREAD = 0.1  # of a feature in the index: one question alone would make every other question strange


@dataclass(frozen=True)
class Points:
    """N answers to fit on."""

    features: "NDArray[np.float32]"
    """Shape (N, F)."""
    scores: "Floats"
    """0..1, shape (N,)."""
    weights: "Floats"
    """What each counts, positive, shape (N,)."""
    questions: "Places"
    """Which question each answers, shape (N,)."""
    groups: "Places"
    """Groups never cross folds, shape (N,)."""
    given: "NDArray[np.bool_]"
    """Whether it was scored by the user, not made, shape (N,)."""
    indexed: "NDArray[np.bool_]"
    """Whether the index remembers it: all but the hard negatives, shape (N,)."""

    def take(self, where: "NDArray[Any]") -> "Points":
        """Some of them."""
        return Points(*(value[where] for value in self.__dict__.values()))


def fit_head(name: HeadName, points: Points, config: SurrogateConfig, seed: int) -> Head:
    """Fit a head of a kind."""
    if name == "boosting":
        return _boosting(points, seed)
    if name == "knn":
        return NeighbourHead(fit_index(points.take(points.indexed)), config.neighbours)
    return _logistic(points, config) if name == "logistic" else _bradley_terry(points, config, seed)


def fit_index(points: Points) -> AnswerIndex:
    """The index of all points."""
    import numpy as np

    centre = points.features.mean(axis=0, dtype=np.float64)
    spread = points.features.std(axis=0, dtype=np.float64)
    bare = AnswerIndex(
        centre.astype(np.float32),
        np.maximum(spread, _LEAST_SPREAD).astype(np.float32),
        np.zeros((0, points.features.shape[1]), np.float32),
        points.scores.astype(np.float32),
    )
    halves = bare.standardised(points.features).astype(np.float16).astype(np.float32)  # as the file will hold them
    return AnswerIndex(bare.centre, bare.spread, halves, bare.scores)


@dataclass(frozen=True)
class FoldHeads:
    """A head for each fold that has seen all but it."""

    folds: list["Places"]
    """Places of each fold."""
    heads: list[Head]

    def raw(self, points: Points) -> "Floats":
        """Raw scores of the points themselves, each by the head that has not seen its fold."""
        return self.raw_of(points, points.features, points.questions)

    def raw_of(self, points: Points, features: "NDArray[np.float32]", questions: "Places") -> "Floats":
        """Raw scores of other answers to the points' questions, by heads that have not seen the question.

        Args:
            points: What the heads were fitted on.
            features: Shape (M, F).
            questions: Numbers of the questions, shape (M,).
        """
        import numpy as np

        raw = np.zeros(len(features))
        for held, head in zip(self.folds, self.heads, strict=True):
            mine = np.isin(questions, points.questions[held])
            raw[mine] = head.raw(features[mine])
        return raw


def fit_folds(name: HeadName, points: Points, folds: list["Places"], config: SurrogateConfig, seed: int) -> FoldHeads:
    """Fit a head for each fold on the others."""
    import numpy as np

    rest = [np.setdiff1d(np.arange(len(points.scores)), held) for held in folds]
    return FoldHeads(folds, [fit_head(name, points.take(places), config, seed) for places in rest])


def divide(groups: "Places", count: int) -> list["Places"]:
    """Places of each fold; at most as many folds as groups, of about equal size."""
    import numpy as np

    names, sizes = np.unique(groups, return_counts=True)
    folds = min(count, len(names))
    loads, of_group = [0] * folds, {}
    for place in sorted(range(len(names)), key=lambda place: (-sizes[place], names[place])):
        lightest = loads.index(min(loads))
        of_group[names[place]] = lightest
        loads[lightest] += int(sizes[place])
    fold = np.array([of_group[group] for group in groups])
    return [np.flatnonzero(fold == number) for number in range(folds)]


def quality(points: Points, raw: "Floats") -> float:
    """What heads are chosen by: the mean of the areas under the curve of the given answers and of all.

    The given answers alone would choose a head that hard negatives fool, all together one that is good at those alone.
    """
    import numpy as np

    areas = [area(points.scores[where] > 0.5, raw[where]) for where in (points.given, np.ones_like(points.given))]
    return float(np.mean(areas))


def area(right: "NDArray[np.bool_]", values: "Floats") -> float:
    """Area under the ROC curve; 0.5 where one class is missing."""
    found = figures.plain_auc(values, right)
    return 0.5 if found is None else found


def pairwise(questions: "Places", right: "NDArray[np.bool_]", values: "Floats") -> float | None:
    """Share of (right, wrong) pairs of one question in the right order, a tie counting one half; None without pairs."""
    return figures.pairwise(values, right.astype(float), questions)


def calibration_error(right: "NDArray[np.bool_]", scores: "Floats", bins: int = 15) -> float:
    """Expected calibration error over bins of equal width."""
    import numpy as np

    place = np.minimum((scores * bins).astype(int), bins - 1)
    parts = [(np.abs(right[place == b].mean() - scores[place == b].mean()), (place == b).sum()) for b in set(place)]
    return float(sum(gap * size for gap, size in parts) / len(scores))


def calibrate(raw: "Floats", scores: "Floats", groups: "Places", config: SurrogateConfig) -> Calibration:
    """Curve and intervals from out-of-fold raw scores.

    Args:
        raw: Log odds, shape (N,).
        scores: The truth, 0..1, shape (N,).
        groups: Shape (N,); the residuals of the intervals are out of fold in the curve too.
        config: Which curve, and the coverage.
    """
    import numpy as np

    curve = _curve(raw, scores, config)
    predicted = np.zeros(len(raw))
    for held in divide(groups, config.folds):
        rest = np.setdiff1d(np.arange(len(raw)), held)
        partial = _curve(raw[rest], scores[rest], config) if len(rest) else curve
        predicted[held] = np.interp(raw[held], *partial)
    edges, radius = _intervals(predicted, scores, config.coverage)
    return Calibration(curve[0], curve[1], edges, radius)


def far_limit(index: AnswerIndex, points: Points, config: SurrogateConfig) -> float:
    """The stated quantile of the distances of the index's points to their nearest neighbours of other questions."""
    import numpy as np

    step = max(1, len(points.scores) // 2_000)
    chosen = np.arange(0, len(points.scores), step)
    asked = min(len(points.scores), 3 * config.neighbours + 20)
    distances, places = index.nearest(points.features[chosen], asked)
    means = []
    for row, place in enumerate(chosen):
        other = distances[row][points.questions[places[row]] != points.questions[place]]
        kept = other if len(other) else distances[row]
        means.append(float(kept[: config.neighbours].mean()))
    return float(np.quantile(means, config.max_distance_quantile)) * 1.001


def _two_sided(points: Points) -> tuple["NDArray[np.float32]", "NDArray[np.bool_]", "Floats"]:
    """A score between 0 and 1 as two rows that share the weight."""
    import numpy as np

    soft = (points.scores > 0) & (points.scores < 1)
    features = np.concatenate([points.features, points.features[soft]])
    right = np.concatenate([points.scores > 0, np.zeros(int(soft.sum()), dtype=bool)])
    first = np.where(points.scores > 0, points.scores, 1.0) * points.weights
    return features, right, np.concatenate([first, ((1 - points.scores) * points.weights)[soft]])


def _standard(features: "NDArray[np.float32]") -> tuple["Floats", "Floats"]:
    import numpy as np

    spread = features.std(axis=0, dtype=np.float64)
    return features.mean(axis=0, dtype=np.float64), np.where(spread > 1e-6, spread, 1.0)


def _logistic(points: Points, config: SurrogateConfig) -> LinearHead:
    from sklearn.linear_model import LogisticRegression

    features, right, weights = _two_sided(points)
    centre, spread = _standard(features)
    fitted = LogisticRegression(C=config.regularisation, max_iter=1000)
    fitted.fit((features - centre) / spread, right, sample_weight=weights)
    slopes = fitted.coef_[0] / spread
    return LinearHead("logistic", slopes, fitted.intercept_ - centre @ slopes)


def _bradley_terry(points: Points, config: SurrogateConfig, seed: int) -> LinearHead:
    """Logistic regression on the differences of answers to one question, the better minus the worse."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    by_question: dict[int, list[int]] = defaultdict(list)
    for place, question in enumerate(points.questions.tolist()):
        by_question[question].append(place)
    pairs = [
        (better, worse)
        for places in by_question.values()
        for better, worse in product(places, places)
        if points.scores[better] > points.scores[worse]
    ]
    if not pairs:
        return _logistic(points, config)
    if len(pairs) > _MOST_PAIRS:
        chosen = np.sort(np.random.default_rng(seed).permutation(len(pairs))[:_MOST_PAIRS])
        pairs = [pairs[place] for place in chosen]
    centre, spread = _standard(points.features)
    standard = (points.features - centre) / spread
    better, worse = np.array(pairs).T
    gaps = (points.scores[better] - points.scores[worse]) * np.sqrt(points.weights[better] * points.weights[worse])
    signs = np.where(np.arange(len(pairs)) % 2 == 0, 1.0, -1.0)  # both classes, without a bias
    fitted = LogisticRegression(C=config.regularisation, fit_intercept=False, max_iter=1000)
    fitted.fit((standard[better] - standard[worse]) * signs[:, None], signs > 0, sample_weight=gaps)
    slopes = fitted.coef_[0] / spread
    return LinearHead("bradley_terry", slopes, np.array([-centre @ slopes]))


def _boosting(points: Points, seed: int) -> TreesHead:
    from sklearn.ensemble import HistGradientBoostingClassifier

    features, right, weights = _two_sided(points)
    fitted = HistGradientBoostingClassifier(
        max_iter=350,
        learning_rate=0.08,
        max_leaf_nodes=48,
        min_samples_leaf=max(5, min(80, len(features) // 200)),
        l2_regularization=10.0,
        max_features=0.3,
        monotonic_cst=[1 if name in RISING else 0 for name in (*NAMES, *IMAGE_NAMES)[: features.shape[1]]],
        early_stopping=False,
        random_state=seed,
    )
    return trees_of(fitted.fit(features, right, sample_weight=weights))


def trees_of(fitted: Any) -> TreesHead:
    """A fitted HistGradientBoostingClassifier of two classes as arrays."""
    import numpy as np

    trees = [stage[0].nodes for stage in fitted._predictors]
    size = max(len(nodes) for nodes in trees)
    shape = (len(trees), size)
    feature, left, right = (np.zeros(shape, dtype=np.int16) for _ in range(3))
    threshold, value = (np.zeros(shape) for _ in range(2))
    for tree, nodes in enumerate(trees):
        here = np.arange(len(nodes))
        leaf = nodes["is_leaf"].astype(bool)
        feature[tree, : len(nodes)] = np.where(leaf, 0, nodes["feature_idx"])
        threshold[tree, : len(nodes)] = np.where(leaf, 0.0, nodes["num_threshold"])
        left[tree, : len(nodes)] = np.where(leaf, here, nodes["left"])
        right[tree, : len(nodes)] = np.where(leaf, here, nodes["right"])
        value[tree, : len(nodes)] = np.where(leaf, nodes["value"], 0.0)
    base = np.asarray(fitted._baseline_prediction, dtype=np.float64).reshape(1)
    depth = np.array([max(int(nodes["depth"].max()) for nodes in trees)])
    return TreesHead(feature, threshold, left, right, value, base, depth)


def _curve(raw: "Floats", scores: "Floats", config: SurrogateConfig) -> tuple["Floats", "Floats"]:
    """Knots of a strictly rising curve."""
    import numpy as np

    isotonic = config.calibration == "isotonic" or (config.calibration == "auto" and len(raw) >= ISOTONIC_FROM)
    knots = np.unique(np.quantile(raw, np.linspace(0, 1, 201)))
    share = _isotonic(raw, scores, knots) if isotonic else _platt(raw, scores, knots)
    plain = 1 / (1 + np.exp(-knots))
    # Beyond what was seen the order is kept, within the curve's last steps.
    knots = np.concatenate([[knots[0] - 10], knots, [knots[-1] + 10]])
    share = (1 - _SLOPE) * np.concatenate([share[:1], share, share[-1:]])
    return knots, share + _SLOPE * np.concatenate([[0.0], plain, [1.0]])


def _isotonic(raw: "Floats", scores: "Floats", knots: "Floats") -> "Floats":
    """Isotonic regression, each step at its middle, with one right and one wrong answer added at the ends.

    So that no score is surer than the data: a step of twenty right answers does not say 1.
    """
    import numpy as np
    from sklearn.isotonic import IsotonicRegression

    order = np.argsort(raw, kind="stable")
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(raw[order], scores[order])
    steps = fitted.predict(raw[order])
    _, starts, sizes = np.unique(steps, return_index=True, return_counts=True)
    middles = np.array([raw[order][start : start + size].mean() for start, size in zip(starts, sizes, strict=True)])
    levels = np.array(
        [
            (scores[order][start : start + size].sum() + 0.5) / (size + 1)
            for start, size in zip(starts, sizes, strict=True)
        ]
    )
    return np.interp(knots, middles, np.maximum.accumulate(levels))


def _platt(raw: "Floats", scores: "Floats", knots: "Floats") -> "Floats":
    """A logistic curve of the raw log odds; its slope is not negative."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    twice = np.concatenate([raw, raw])[:, None]
    right = np.concatenate([np.ones(len(raw), dtype=bool), np.zeros(len(raw), dtype=bool)])
    weights = np.concatenate([scores, 1 - scores]) + 1e-9
    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(twice, right, sample_weight=weights)
    slope = max(0.0, float(fitted.coef_[0, 0]))
    return 1 / (1 + np.exp(-(slope * knots + float(fitted.intercept_[0]))))


def _intervals(predicted: "Floats", scores: "Floats", coverage: float) -> tuple["Floats", "Floats"]:
    """Split conformal by bins of the score: where the score is near 0 or 1, the truth lies nearer."""
    import numpy as np

    bins = max(1, min(_BINS, len(predicted) // 50))
    edges = np.concatenate([[0.0], np.quantile(predicted, np.linspace(0, 1, bins + 1)[1:-1])])
    place = np.clip(np.searchsorted(edges, predicted, side="right") - 1, 0, bins - 1)
    radius = []
    for number in range(bins):
        gaps = np.sort(np.abs(scores - predicted)[place == number])
        rank = int(np.ceil((len(gaps) + 1) * coverage)) - 1
        radius.append(float(gaps[rank]) if rank < len(gaps) else 1.0)
    return edges, np.array(radius)
