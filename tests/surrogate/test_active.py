from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from components.core.errors import SourceError
from components.rewards.estimate import Estimate, Neighbour
from components.surrogate.active import (
    PickConfig,
    Signals,
    fold_committee,
    pick,
    signals_of,
    text_vectors,
)
from tests.surrogate.loop import fit, questions, row


def unit(*vectors: Sequence[float]) -> NDArray[np.float32]:
    array = np.array(vectors, dtype=np.float32)
    return array / np.linalg.norm(array, axis=1, keepdims=True)


def signals(count: int, **named: Sequence[float]) -> Signals:
    values = {name: [0.0] * count for name in ("disagreement", "width", "closeness", "distance")}
    return Signals(**{name: np.array(value) for name, value in {**values, **named}.items()})


def rows(count: int) -> list[Any]:
    return [row(f"answer {place}") for place in range(count)]


def estimate(score: float, width: float = 0.2) -> Estimate:
    return Estimate(score, score - width / 2, score + width / 2, "")


@pytest.mark.parametrize(
    ("signal", "weight"),
    [
        ("disagreement", "disagreement"),
        ("width", "uncertainty"),
        ("closeness", "uncertainty"),
        ("distance", "distance"),
    ],
)
def test_each_signal_alone_puts_the_row_with_most_of_it_first(signal: str, weight: str) -> None:
    config = PickConfig(**{"disagreement": 0, "uncertainty": 0, "distance": 0, weight: 1}, diversity=0)

    found = pick(rows(4), 4, signals(4, **{signal: [0.1, 0.4, 0.2, 0.3]}), np.eye(4, dtype=np.float32), config=config)

    assert [item.row.answer for item in found.picks] == ["answer 1", "answer 3", "answer 2", "answer 0"]


def test_worth_is_the_weighted_mean_of_ranks() -> None:
    """Ranks of three: 0, 1/2, 1; width and closeness share the uncertainty; a constant signal is 1/2 for all."""
    given_ = signals(3, disagreement=[5.0, 1.0, 3.0], width=[0.1, 0.2, 0.3])
    config = PickConfig(disagreement=3, uncertainty=1, distance=0, diversity=0)

    found = pick(rows(3), 3, given_, np.eye(3, dtype=np.float32), config=config)

    worth = {item.row.answer: item.worth for item in found.picks}
    assert worth["answer 0"] == pytest.approx((3 * 1 + 1 * (0 + 0.5) / 2) / 4)
    assert worth["answer 1"] == pytest.approx((3 * 0 + 1 * (0.5 + 0.5) / 2) / 4)
    assert worth["answer 2"] == pytest.approx((3 * 0.5 + 1 * (1 + 0.5) / 2) / 4)


def test_signals_of_estimates_worked_by_hand() -> None:
    found = signals_of(
        committee=[[estimate(0.2), estimate(0.9)], [estimate(0.6), estimate(0.9)]],
        estimates=[estimate(0.5, 0.4), estimate(0.9, 0.1)],
        vectors=unit([1, 0], [3, 4]),
        annotated=unit([0, 1], [-1, 0]),
    )

    assert found.disagreement == pytest.approx([0.2, 0.0])
    assert found.width == pytest.approx([0.4, 0.1])
    assert found.closeness == pytest.approx([1.0, 0.2])
    assert found.distance == pytest.approx([1.0, 0.2], abs=1e-6)


def test_distance_is_to_the_surrogates_own_neighbour_where_every_estimate_names_one() -> None:
    near, far = (Estimate(0.5, 0, 1, "", (Neighbour("q", "a", 1.0, distance),)) for distance in (0.5, 3.0))

    assert signals_of([], [near, far], unit([1, 0], [0, 1]), unit([0, 1])).distance == pytest.approx([0.5, 3.0])
    mixed = signals_of([], [near, estimate(0.5)], unit([1, 0], [0, 1]), unit([0, 1]))
    assert mixed.distance == pytest.approx([1.0, 0.0])


def test_estimate_that_is_no_number_is_refused() -> None:
    with pytest.raises(SourceError, match="some are no numbers"):
        signals_of([], [estimate(float("nan"))], unit([1, 0]))


def test_near_duplicates_of_chosen_and_of_annotated_rows_are_passed_over_with_the_reason() -> None:
    vectors = unit([1, 0, 0], [1, 0.01, 0], [0, 1, 0], [0, 0, 1])

    found = pick(rows(4), 4, signals(4), vectors, annotated=unit([0, 0.01, 1]))

    assert [item.row.answer for item in found.picks] == ["answer 0", "answer 2"]
    assert [(item.answer, reason) for item, reason in found.passed] == [
        ("answer 1", "nearly the same as the chosen answer 'answer 0'"),
        ("answer 3", "nearly the same as a row that is annotated already"),
    ]
    assert found.left == 0


def test_diversity_spreads_the_choice_over_clusters() -> None:
    """Ten rows worth most lie in one cluster, ten worth less in another; a choice by worth alone sees the one."""
    random = np.random.default_rng(0)
    centres = np.repeat([[1.0, 0, 0, 0], [0, 1.0, 0, 0]], 10, axis=0)
    vectors = unit(*(centres + 0.35 * random.normal(size=(20, 4))))
    worth = signals(20, disagreement=[2.0] * 10 + [1.0] * 10)

    def clusters(diversity: float) -> set[bool]:
        config = PickConfig(uncertainty=0, distance=0, diversity=diversity, duplicate=1)
        return {
            int(item.row.answer.split()[1]) >= 10 for item in pick(rows(20), 4, worth, vectors, config=config).picks
        }

    assert clusters(0.0) == {False}
    assert clusters(0.8) == {False, True}


@given(
    st.integers(0, 12),
    st.integers(0, 15),
    st.integers(0, 1000),
    st.floats(0.3, 1.0),
    st.booleans(),
)
def test_every_candidate_is_chosen_passed_or_left_and_no_two_chosen_are_near_duplicates(
    count: int, budget: int, seed: int, duplicate: float, some_annotated: bool
) -> None:
    random = np.random.default_rng(seed)
    vectors = unit(*random.normal(size=(count, 3))) if count else np.zeros((0, 3), dtype=np.float32)
    annotated = unit([1, 1, 1]) if some_annotated else None
    given_ = signals(count, disagreement=random.random(count).tolist(), width=random.random(count).tolist())

    found = pick(rows(count), budget, given_, vectors, annotated, PickConfig(duplicate=duplicate))

    places = [int(item.row.answer.split()[1]) for item in found.picks]
    assert len(set(places)) == len(places) <= budget
    assert len(found.picks) + len(found.passed) + found.left == count
    cosines = vectors[places] @ vectors[places].T - 2 * np.eye(len(places), dtype=np.float32)
    assert (cosines < duplicate).all()
    assert annotated is None or (vectors[places] @ annotated.T < duplicate).all()
    assert found.left == 0 or len(places) == budget


def test_choice_by_disagreement_and_uncertainty_finds_the_doubtful_rows() -> None:
    """Rows whose right label a scorer gets wrong are more frequent among the picked than among the others."""
    annotated, candidates = questions(40, seed=0, noise=0.0), questions(60, seed=1, noise=0.0)
    scorer = fit(annotated)
    estimates = scorer(candidates)
    committee = [member(candidates) for member in fold_committee(annotated, fit, 4)]
    vectors = text_vectors(candidates)

    found = pick(candidates, 60, signals_of(committee, estimates, vectors), vectors, config=PickConfig(diversity=0.1))

    wrong = {
        id(item) for item, own in zip(candidates, estimates, strict=True) if (own.score > 0.5) != (item.score == 1.0)
    }
    picked = sum(id(item.row) in wrong for item in found.picks) / len(found.picks)
    assert picked > 1.5 * len(wrong) / len(candidates)


def test_committee_members_each_miss_one_fold_of_whole_groups() -> None:
    seen: list[set[str]] = []
    annotated = questions(8, seed=0)

    def watched(some: Sequence[Any]) -> Any:
        seen.append({item.group for item in some})
        return fit(some)

    fold_committee(annotated, watched, 4)

    missing = [{item.group for item in annotated} - groups for groups in seen]
    assert [len(groups) for groups in missing] == [2, 2, 2, 2]
    assert set.union(*missing) == {item.group for item in annotated}


def test_vectors_by_spelling_tell_near_duplicates_from_other_answers() -> None:
    vectors = text_vectors([
        row("the elephants stand in a ring around the calf"),
        row("The elephants stand in a ring around the calf."),
        row("they march to the river and drink"),
    ])  # fmt: skip
    vectors_alone = text_vectors([row("they march to the river and drink")])

    assert vectors[0] @ vectors[1] > 0.9
    assert vectors[0] @ vectors[2] < 0.7
    assert vectors[2] == pytest.approx(vectors_alone[0])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1])


def test_mix_without_any_weight_is_refused() -> None:
    with pytest.raises(ValidationError, match="give one of them a weight"):
        PickConfig(disagreement=0, uncertainty=0, distance=0)
