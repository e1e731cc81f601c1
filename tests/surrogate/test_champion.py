import json
from collections.abc import Callable, Sequence
from math import comb
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.artifact import Manifest, seal, verify
from components.core.errors import SourceError
from components.rewards.estimate import Estimate
from components.surrogate.champion import ChampionConfig, Decision, decide, seal_decision
from components.surrogate.rows import AnswerRow
from tests.surrogate.loop import fit, questions, row

KINDS = ("negation", "repetition")


def stand_in(folder: Path) -> Manifest:
    """An artifact of kind surrogate."""
    folder.mkdir()
    (folder / "x").write_text("x")
    return seal(folder, "surrogate", {})


def heldout(groups: int = 40) -> list[AnswerRow]:
    """A right and a wrong answer to each question."""
    return [
        row(f"{'right' if score else 'wrong'} {place}", score, f"q{place}")
        for place in range(groups)
        for score in (1.0, 0.0)
    ]


def canaries(count: int = 30) -> list[AnswerRow]:
    return [row(f"{kind} {place}", None, f"q{place}", kind=kind) for kind in KINDS for place in range(count)]


def scorer(mistaken: int = 0, fooled: int = 0) -> Callable[[Sequence[AnswerRow]], list[Estimate]]:
    """Right answers 0.8, wrong 0.2, and canaries 0.1; the first questions the other way round, the first canaries of
    each kind 0.9.
    """

    def score(item: AnswerRow) -> float:
        word, number = item.answer.split()
        if item.kind:
            return 0.9 if int(number) < fooled else 0.1
        return 0.8 if (word == "right") != (int(number) < mistaken) else 0.2

    return lambda rows: [Estimate(score(item), 0.0, 1.0, "") for item in rows]


def judged(old: object, new: object, rows: list[AnswerRow] | None = None, **settings: float) -> Decision:
    config = ChampionConfig(**settings)  # type: ignore[arg-type]
    return decide(old, new, heldout() if rows is None else rows, canaries(), config=config)  # type: ignore[arg-type]


def test_equal_version_and_better_version_replace_the_champion() -> None:
    for new in (scorer(4), scorer(0)):
        decision = judged(scorer(4), new)

        assert decision.replaced
        assert decision.reasons[-1] == "The challenger replaces the champion."


def test_worse_version_does_not_and_the_reason_has_the_figures() -> None:
    decision = judged(scorer(2), scorer(8))

    assert not decision.replaced
    pairwise = decision.accuracy["pairwise"]
    assert (pairwise.champion, pairwise.challenger) == pytest.approx((0.95, 0.8))
    assert pairwise.difference == pytest.approx(-0.15)
    assert "0.950 before and 0.800 after on 40 groups, a difference of -0.150" in decision.reasons[0]
    assert decision.reasons[-1] == "The champion stands."


def test_lower_bound_is_that_of_the_binomial_where_each_group_is_one_pair() -> None:
    """Six of forty groups are lost. A resample's loss is binomial: its 95 % quantile is derived, not drawn."""
    decision = judged(scorer(0), scorer(6), resamples=20000)

    share, size = 6 / 40, 40
    chances = np.cumsum([comb(size, k) * share**k * (1 - share) ** (size - k) for k in range(size + 1)])
    largest = int(np.searchsorted(chances, 0.95))
    assert decision.accuracy["pairwise"].lower == pytest.approx(-largest / size)
    assert decision.accuracy["rows"].lower == pytest.approx(-largest / size)


def test_loss_within_the_tolerance_is_let_pass_and_without_tolerance_is_not() -> None:
    assert judged(scorer(0), scorer(1), tolerance=0.1).replaced
    assert not judged(scorer(0), scorer(1), tolerance=0.0).replaced


def test_rows_of_one_group_count_as_one_draw() -> None:
    """Forty questions in twenty groups, one group of two lost: its two losses come and go together."""
    paired = [AnswerRow(**{**item.__dict__, "group": f"g{int(item.question[1:]) // 2}"}) for item in heldout()]

    decision = judged(scorer(0), scorer(2), paired, resamples=20000)

    assert decision.accuracy["pairwise"].groups == 20
    chances = np.cumsum([comb(20, k) * 0.05**k * 0.95 ** (20 - k) for k in range(21)])
    assert decision.accuracy["pairwise"].lower == pytest.approx(-2 * int(np.searchsorted(chances, 0.95)) / 40)


def test_too_few_groups_leave_the_champion_however_good_the_challenger() -> None:
    decision = judged(scorer(5), scorer(0), heldout(10))

    assert not decision.replaced
    assert "10 groups, fewer than 20: not to be decided" in decision.reasons[0]


def test_canary_class_that_passes_more_often_than_chance_keeps_the_champion() -> None:
    decision = judged(scorer(0, fooled=1), scorer(0, fooled=7))

    assert not decision.replaced
    item = decision.canaries["negation"]
    assert (item.champion, item.challenger, item.only_champion, item.only_challenger) == (1, 7, 0, 6)
    assert item.p_value == pytest.approx(0.5**6)
    assert any("negation pass more often: 1 of 30 before and 7 after" in reason for reason in decision.reasons)


@pytest.mark.parametrize(("fooled", "replaced"), [(4, True), (5, False)])
def test_rise_that_chance_explains_is_let_pass(fooled: int, replaced: bool) -> None:
    """Four canaries that newly pass have p = 1/16, five 1/32."""
    assert judged(scorer(0), scorer(0, fooled=fooled)).replaced is replaced


def test_any_rise_counts_in_a_class_too_small_for_the_test() -> None:
    few = [item for item in canaries() if int(item.answer.split()[1]) < 4]

    assert not decide(scorer(), scorer(0, fooled=1), heldout(), few).replaced
    assert decide(scorer(0, fooled=1), scorer(), heldout(), few).replaced


def test_canary_that_scores_as_the_median_right_answer_passes() -> None:
    """It would be paid as much; and the bar is each scorer's own, so that a shift of scale fools nobody."""

    def tied(rows: Sequence[AnswerRow]) -> list[Estimate]:
        return [Estimate(0.4 if item.kind or item.answer.startswith("right") else 0.1, 0, 1, "") for item in rows]

    decision = judged(scorer(), tied)

    assert decision.canaries["negation"].challenger == 30
    assert not decision.replaced


def test_without_canaries_nothing_is_decided_for_the_challenger() -> None:
    decision = decide(scorer(5), scorer(0), heldout(), [])

    assert not decision.replaced
    assert any("no canary" in reason for reason in decision.reasons)


def test_scores_that_are_no_numbers_leave_the_champion() -> None:
    decision = judged(scorer(), lambda rows: [Estimate(float("nan"), 0, 1, "") for _ in rows])

    assert not decision.replaced
    assert decision.reasons[0] == "Some scores of the challenger are no numbers: not to be decided."


def test_heldout_rows_that_were_fitted_are_refused_by_group_and_by_text() -> None:
    rows = heldout()
    for seen in ([row("x", 1.0, "other", group="q3")], [row("x", 1.0, "q3", group="other")]):
        with pytest.raises(SourceError, match="1 groups were fitted, such as 'q3'"):
            decide(scorer(), scorer(), rows, canaries(), fitted=seen)


def test_unscored_rows_and_canaries_without_kind_are_refused() -> None:
    with pytest.raises(SourceError, match="1 have no score"):
        decide(scorer(), scorer(), [*heldout(), row("right 1")], canaries())
    with pytest.raises(SourceError, match="one has no kind"):
        decide(scorer(), scorer(), heldout(), [row("right 1")])


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 8), st.integers(0, 8))
def test_challenger_that_loses_nothing_replaces_and_one_that_loses_much_never_does(
    old: int, new: int, old_fooled: int, new_fooled: int
) -> None:
    decision = judged(scorer(old, old_fooled), scorer(new, new_fooled), resamples=200)

    if new <= old and new_fooled <= old_fooled:
        assert decision.replaced
    if new > old + 4 or new_fooled > old_fooled + 4:
        assert not decision.replaced


def test_decision_is_the_same_each_time_and_is_sealed_with_its_inputs(tmp_path: Path) -> None:
    config = ChampionConfig()
    old = stand_in(tmp_path / "champion")
    sealed = [
        seal_decision(judged(scorer(2), scorer(3)), tmp_path / name, config, 0, {"champion": old})
        for name in ("first", "second")
    ]

    assert sealed[0].fingerprint == sealed[1].fingerprint
    assert verify(tmp_path / "first", "surrogate_decision").inputs["champion"].fingerprint == old.fingerprint
    values = json.loads((tmp_path / "first" / "decision.json").read_text())
    assert values["replaced"] is False
    assert values["accuracy"]["pairwise"]["groups"] == 40


def test_fits_on_labels_and_on_noise_are_told_apart() -> None:
    """Real fits: one learns from labels, one from labels that are mostly random."""
    rows = questions(60, seed=2, noise=0.0)
    good, bad = fit(questions(40, seed=0, noise=0.0)), fit(questions(3, seed=1, answers=1, noise=1.0))
    fakes = [AnswerRow(item.question, item.references, "no such word", None, item.group, "salad") for item in rows]

    assert decide(bad, good, rows, fakes).replaced
    assert not decide(good, bad, rows, fakes).replaced
