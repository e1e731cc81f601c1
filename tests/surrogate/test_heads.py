from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from components.rewards.answer_features import NAMES
from components.rewards.answer_heads import load_head
from components.rewards.answer_index import AnswerIndex
from components.surrogate.config import SurrogateConfig
from components.surrogate.heads import (
    CANDIDATES,
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
    trees_of,
)

_CONFIG = SurrogateConfig()


def _points(count: int = 400, seed: int = 0) -> Points:
    """Right answers have a larger first feature."""
    random = np.random.default_rng(seed)
    features = random.standard_normal((count, len(NAMES))).astype(np.float32)
    scores = (features[:, 0] + 0.5 * random.standard_normal(count) > 0).astype(float)
    everything = np.ones(count, dtype=bool)
    numbers = np.arange(count) // 4
    return Points(features, scores, np.ones(count), numbers, numbers // 5, everything, everything)


@pytest.mark.parametrize("leaves", [3, 24])
def test_trees_as_arrays_say_what_scikit_learn_says(leaves: int) -> None:
    points = _points(700)
    fitted = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=leaves, random_state=0)
    fitted.fit(points.features, points.scores > 0.5)
    other = np.random.default_rng(1).standard_normal((300, len(NAMES))).astype(np.float32) * 3

    ours = 1 / (1 + np.exp(-trees_of(fitted).raw(other)))

    assert np.abs(ours - fitted.predict_proba(other)[:, 1]).max() <= 1e-6


@pytest.mark.parametrize("name", CANDIDATES)
def test_every_head_learns_is_saved_and_gives_the_same_in_batch_and_alone(name: str, tmp_path: Path) -> None:
    points, other = _points(), _points(200, seed=1)
    head = fit_head(name, points, _CONFIG, seed=0)  # type: ignore[arg-type]
    raw = head.raw(other.features)
    save_file({key: np.ascontiguousarray(value) for key, value in head.tensors().items()}, str(tmp_path / "t"))
    again = load_head(name, load_file(str(tmp_path / "t")), fit_index(points), _CONFIG.neighbours)

    assert area(other.scores > 0.5, raw) > (0.6 if name == "knn" else 0.8)
    assert np.array_equal(again.raw(other.features), raw)
    alone = np.concatenate([head.raw(other.features[row : row + 1]) for row in range(len(raw))])
    assert np.abs(alone - raw).max() <= 1e-9
    assert np.array_equal(fit_head(name, points, _CONFIG, seed=0).raw(other.features), raw)  # type: ignore[arg-type]


def test_soft_scores_count_as_shares() -> None:
    points = _points()
    soft = Points(**{**points.__dict__, "scores": np.where(points.scores > 0.5, 0.9, 0.2)})

    raw = fit_head("logistic", soft, _CONFIG, seed=0).raw(points.features)

    assert area(points.scores > 0.5, raw) > 0.9
    assert abs(float((1 / (1 + np.exp(-raw))).mean()) - float(soft.scores.mean())) < 0.02


def test_folds_never_divide_a_group_and_hold_each_point_once() -> None:
    groups = np.random.default_rng(0).integers(0, 17, 300)

    folds = divide(groups, 5)

    assert sorted(np.concatenate(folds).tolist()) == list(range(300))
    assert all(not set(groups[a]) & set(groups[b]) for a in folds for b in folds if a is not b)
    assert len(divide(np.array([0, 0, 1]), 5)) == 2


def test_scores_out_of_fold_come_from_heads_that_have_not_seen_the_question() -> None:
    points = _points()
    folds = fit_folds("logistic", points, divide(points.groups, 4), _CONFIG, seed=0)

    assert np.array_equal(folds.raw_of(points, points.features, points.questions), folds.raw(points))
    held = folds.folds[0]
    rest = np.setdiff1d(np.arange(len(points.scores)), held)
    expected = fit_head("logistic", points.take(rest), _CONFIG, seed=0).raw(points.features[held])
    assert np.array_equal(folds.raw(points)[held], expected)


@pytest.mark.parametrize("size", [3, 100, 5_000])
def test_search_is_exact(size: int) -> None:
    random = np.random.default_rng(size)
    points = random.standard_normal((size, 7)).astype(np.float32)
    index = AnswerIndex(np.zeros(7, np.float32), np.ones(7, np.float32), points, np.zeros(size, np.float32))
    queries = random.standard_normal((70, 7)).astype(np.float32)

    distances, places = index.nearest(queries, 10)

    full = np.linalg.norm(queries[:, None] - points[None], axis=2)
    order = np.argsort(full, axis=1, kind="stable")[:, :10]
    assert np.array_equal(places, order)
    assert distances == pytest.approx(np.take_along_axis(full, order, axis=1), abs=1e-5)


def test_a_strange_answer_lies_beyond_the_limit_and_a_usual_one_does_not() -> None:
    points = _points(600)
    index = fit_index(points)

    limit = far_limit(index, points, _CONFIG)

    distances, _ = index.nearest(np.stack([points.features.mean(axis=0), points.features[0] + 20]), _CONFIG.neighbours)
    assert distances[0].mean() < limit < distances[1].mean()


@pytest.mark.parametrize("curve", ["isotonic", "platt"])
def test_calibrated_scores_are_shares_and_intervals_hold_the_truth(curve: str) -> None:
    random = np.random.default_rng(0)
    raw = random.standard_normal(6_000) * 2
    truth = (random.random(6_000) < 1 / (1 + np.exp(-(0.5 * raw - 0.4)))).astype(float)
    fit, test = slice(0, 3_000), slice(3_000, 6_000)
    config = SurrogateConfig.model_validate({"calibration": curve})

    found = calibrate(raw[fit], truth[fit], np.arange(3_000), config)
    scores = found.scores(raw[test])
    low, high = found.intervals(scores)

    assert calibration_error(truth[test] > 0.5, scores) < 0.035
    assert np.mean((low <= truth[test]) & (truth[test] <= high)) > config.coverage - 0.03


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(-8, 8), st.floats(0, 1)), min_size=4, max_size=80),
    st.lists(st.floats(-50, 50), min_size=2, max_size=20),
    st.sampled_from(["isotonic", "platt"]),
)
def test_scores_keep_the_order_stay_in_the_unit_interval_and_lie_in_their_interval(
    seen: list[tuple[float, float]], asked: list[float], curve: str
) -> None:
    raw, truth = (np.array(values, dtype=float) for values in zip(*seen, strict=True))
    config = SurrogateConfig.model_validate({"calibration": curve})
    found = calibrate(raw, truth, np.arange(len(raw)), config)
    scores = found.scores(np.sort(np.array(asked)))
    low, high = found.intervals(scores)

    assert (np.diff(scores) >= -1e-12).all()
    assert ((scores >= 0) & (scores <= 1) & (low <= scores) & (scores <= high)).all()


def test_figures_worked_by_hand() -> None:
    right, values = np.array([True, False, True, False]), np.array([0.9, 0.1, 0.4, 0.4])

    assert area(right, values) == pytest.approx(roc_auc_score(right, values))
    # Question 0: in order; question 1: a tie.
    assert pairwise(np.array([0, 0, 1, 1]), right, values) == pytest.approx(0.75)
    assert pairwise(np.array([0, 1, 2, 3]), right, values) is None
    assert area(np.array([True, True]), np.array([0.1, 0.2])) == 0.5
    # One bin holds 0.9 (gap 0.1), one 0.1 (gap 0.1), one both 0.4 (gap 0.1).
    assert calibration_error(right, values) == pytest.approx(0.1)
