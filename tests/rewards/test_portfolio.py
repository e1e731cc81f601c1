import math
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from components.core.example import AnswerType
from components.rewards.advantage import group_advantages
from components.rewards.checkable import Checkable
from components.rewards.config import RewardsConfig
from components.rewards.portfolio import PARTS, Portfolio

NUMBER = Checkable(question="2+3?", references=("5",), answer_type=AnswerType.EXPRESSION, verifiable=True)
OPEN = Checkable(question="What?", references=("a car",), answer_type=AnswerType.OPEN_ENDED, verifiable=False)
RIGHT, WRONG = "<think>2+3</think><answer>5</answer>", "<think>2+3</think><answer>6</answer>"
UNDECIDED = "<think>2+3</think><answer>9^{9^{9^9}}</answer>"  # too large to be evaluated


class NumberScorer:
    """Takes an answer to be its own score."""

    def score(
        self, _questions: Sequence[str], answers: Sequence[str], _references: Sequence[Sequence[str]]
    ) -> Sequence[float]:
        return [float(answer) for answer in answers]


class TableScorer:
    """Scores an answer by a table; abstains where that has no entry."""

    def __init__(self, scores: Mapping[str, float | None]) -> None:
        self.scores = scores

    def score(
        self, _questions: Sequence[str], answers: Sequence[str], _references: Sequence[Sequence[str]]
    ) -> Sequence[float | None]:
        return [self.scores.get(answer) for answer in answers]


def portfolio(**changes: object) -> Portfolio:
    return Portfolio(RewardsConfig.model_validate(changes), NumberScorer())


def test_score_groups_worked_by_hand() -> None:
    breakdowns = portfolio().score_groups([NUMBER] * 4, [RIGHT, WRONG, "6", ""], [100, 50, 100, 25], 4)
    assert [dict(breakdown.parts) for breakdown in breakdowns] == [
        {"accuracy": 1.0, "length": 0.0, "format": 0.2},
        {"accuracy": 0.0, "length": pytest.approx(-0.15), "format": 0.2},
        {"accuracy": 0.0, "length": 0.0, "format": 0.0},
        {"accuracy": 0.0, "length": pytest.approx(-0.225), "format": 0.0},
    ]
    assert [breakdown.total for breakdown in breakdowns] == pytest.approx([1.2, 0.05, 0.0, -0.225])
    assert [breakdown.verdict for breakdown in breakdowns] == [True, False, False, False]
    assert [breakdown.extracted for breakdown in breakdowns] == ["5", "6", "6", None]
    assert [breakdown.rule for breakdown in breakdowns] == ["number", "number", "number", "no answer"]


def test_score_groups_weights_reach_the_total_and_not_the_parts() -> None:
    weighted = portfolio(weights={"accuracy": 2.0, "length": 0.5, "format": 3.0})
    right, wrong = weighted.score_groups([NUMBER] * 2, [RIGHT, WRONG], [100, 50], 2)
    assert right.total == pytest.approx(2.0 * 1 + 3.0 * 0.2)
    assert wrong.total == pytest.approx(0.5 * -0.15 + 3.0 * 0.2)
    assert dict(right.parts) == {"accuracy": 1.0, "length": 0.0, "format": 0.2}


def test_score_groups_group_without_correct_member_has_no_length_part() -> None:
    breakdowns = portfolio().score_groups([NUMBER] * 2, [WRONG, "7"], [10, 500], 2)
    assert all("length" not in breakdown.parts for breakdown in breakdowns)
    assert [dict(b.not_applicable) for b in breakdowns] == [{"length": "no completion of the group is correct"}] * 2


def test_score_groups_length_reference_is_of_the_own_group_alone() -> None:
    breakdowns = portfolio().score_groups([NUMBER] * 4, [RIGHT, WRONG, WRONG, WRONG], [100, 50, 50, 50], 2)
    assert breakdowns[1].parts["length"] == pytest.approx(-0.15)
    assert "length" in breakdowns[2].not_applicable


def test_score_groups_undecided_completion_is_neither_right_nor_penalised() -> None:
    right, undecided = portfolio().score_groups([NUMBER] * 2, [RIGHT, UNDECIDED], [100, 50], 2)
    assert dict(undecided.parts) == {"format": 0.2}
    assert "too large" in undecided.not_applicable["accuracy"]
    assert undecided.not_applicable["length"] == "the verifier could not decide"
    assert undecided.verdict is None
    assert right.parts["length"] == 0.0


def test_score_groups_undecided_completion_is_penalised_where_all_are() -> None:
    config = {"length": {"applies_to": "all"}}
    _, undecided = portfolio(**config).score_groups([NUMBER] * 2, [RIGHT, UNDECIDED], [100, 50], 2)
    assert undecided.parts["length"] == pytest.approx(-0.15)


def test_score_groups_undecided_completion_is_no_length_reference() -> None:
    breakdowns = portfolio().score_groups([NUMBER] * 2, [UNDECIDED, WRONG], [100, 50], 2)
    assert all("length" in breakdown.not_applicable for breakdown in breakdowns)


def test_score_groups_open_ended_counts_as_correct_from_the_threshold() -> None:
    breakdowns = portfolio(correct_at=0.6).score_groups([OPEN] * 3, ["0.6", "0.59", ""], [100, 50, 0], 3)
    assert [b.parts["accuracy"] for b in breakdowns] == [0.6, 0.59, 0.0]
    assert [b.parts["length"] for b in breakdowns] == pytest.approx([0, -0.15, -0.3])
    assert [b.verdict for b in breakdowns] == [None] * 3
    assert [b.rule for b in breakdowns] == ["surrogate", "surrogate", "no answer"]


def test_score_groups_no_answer_is_not_correct_even_at_threshold_zero() -> None:
    scored, silent = portfolio(correct_at=0.0).score_groups([OPEN] * 2, ["0.0", ""], [100, 50], 2)
    assert scored.parts["length"] == 0.0
    assert silent.parts["length"] == pytest.approx(-0.15)


def test_score_groups_control_without_accuracy_keeps_the_parts() -> None:
    control = Portfolio(RewardsConfig().without_accuracy(), NumberScorer())
    right, wrong = control.score_groups([NUMBER] * 2, [RIGHT, WRONG], [100, 50], 2)
    assert right.parts["accuracy"] == 1.0
    assert (right.total, wrong.total) == (pytest.approx(0.2), pytest.approx(0.05))


def test_score_groups_no_completions_are_no_breakdowns() -> None:
    assert portfolio().score_groups([], [], [], 4) == []


@pytest.mark.parametrize("size", [0, 2, 4])
def test_score_groups_unfilled_group_raises_with_the_numbers(size: int) -> None:
    with pytest.raises(ValueError, match=f"3 completions do not fill groups of {size}"):
        portfolio().score_groups([NUMBER] * 3, ["5"] * 3, [1] * 3, size)


def test_score_groups_unequal_inputs_raise_with_the_numbers() -> None:
    with pytest.raises(ValueError, match="2 prompts, 1 completions and 3 lengths"):
        portfolio().score_groups([NUMBER] * 2, ["5"], [1] * 3, 1)


def test_score_groups_mixed_prompts_in_a_group_raise_with_its_place() -> None:
    with pytest.raises(ValueError, match="group 1 holds 2 different prompts"):
        portfolio().score_groups([NUMBER, NUMBER, NUMBER, OPEN], ["5"] * 4, [1] * 4, 2)


def test_score_groups_keeps_confidence_and_flags() -> None:
    breakdowns = portfolio().score_groups(
        [NUMBER] * 4, [RIGHT, WRONG, UNDECIDED, ""], [9, 9, 9, 9], 4, [False, True, False, True]
    )
    assert [b.confidence for b in breakdowns] == [1.0, 1.0, 0.0, 1.0]
    assert [b.flags for b in breakdowns] == [
        (),
        ("truncated",),
        ("not evaluated", "undecided"),
        ("no answer", "truncated"),
    ]


def test_weights_are_by_part_and_read_only() -> None:
    weights = portfolio(weights={"length": 0.5}).weights
    assert dict(weights) == {"accuracy": 1.0, "length": 0.5, "format": 1.0}
    assert list(weights) == list(PARTS)
    with pytest.raises(TypeError):
        weights["length"] = 1.0  # type: ignore[index]


def test_portfolio_survives_pickling() -> None:
    again = pickle.loads(pickle.dumps(portfolio()))
    assert again.score_groups([NUMBER], [RIGHT], [9], 1) == portfolio().score_groups([NUMBER], [RIGHT], [9], 1)


def test_score_groups_undecided_pays_nothing_by_default_and_shows_no_value() -> None:
    _, undecided = portfolio().score_groups([NUMBER] * 2, [RIGHT, UNDECIDED], [100, 50], 2)
    assert "accuracy" not in undecided.parts
    assert undecided.credited["accuracy"] == 0.0


def test_score_groups_undecided_that_abstains_counts_as_its_group() -> None:
    abstaining = portfolio(accuracy={"undecided": "abstain"})
    scored = abstaining.score_groups([NUMBER] * 4, [RIGHT, WRONG, UNDECIDED, UNDECIDED], [100] * 4, 4)
    assert [b.credited["accuracy"] for b in scored] == [1.0, 0.0, 0.5, 0.5]
    assert "accuracy" not in scored[2].parts


def test_score_groups_undecided_is_scored_by_the_policy_surrogate() -> None:
    config = {"accuracy": {"undecided": "surrogate"}}
    bare = Checkable(question="2+3?", references=(), answer_type=AnswerType.NUMBER, verifiable=True)
    good, bad = portfolio(**config).score_groups([bare] * 2, ["0.75", "0.25"], [100, 50], 2)
    assert (good.parts["accuracy"], good.verdict, good.rule, good.flags) == (
        0.75,
        None,
        "surrogate",
        ("no reference", "undecided"),
    )
    assert bad.parts["length"] == pytest.approx(-0.15)


def test_score_groups_without_a_scorer_open_ended_accuracy_abstains_with_a_reason() -> None:
    scored, silent = Portfolio(RewardsConfig(), None).score_groups([OPEN] * 2, ["a car", ""], [100, 50], 2)
    assert scored.not_applicable["accuracy"] == "no reward model scored the answer"
    assert scored.credited["accuracy"] == silent.parts["accuracy"] == 0.0


def test_score_groups_unknown_length_counts_as_its_group() -> None:
    scored = portfolio().score_groups([NUMBER] * 4, [RIGHT, WRONG, WRONG, RIGHT], [100, 50, None, None], 4)
    assert scored[2].not_applicable == {"length": "the length is not known"}
    assert [b.credited["length"] for b in scored] == pytest.approx([0, -0.15, -0.075, -0.075])


@pytest.mark.parametrize(("policy", "length"), [("group_mean", -0.075), ("mask", -0.075), ("zero", 0.0)])
def test_score_groups_abstention_follows_the_policy(policy: str, length: float) -> None:
    scored = portfolio(abstention=policy).score_groups([NUMBER] * 3, [RIGHT, WRONG, UNDECIDED], [100, 50, 50], 3)
    assert scored[2].credited["length"] == pytest.approx(length)
    assert scored[2].total == pytest.approx(0.2 + length)


def test_score_groups_truncated_completion_is_no_reference_and_not_penalised() -> None:
    scored = portfolio().score_groups(
        [NUMBER] * 4, [RIGHT, RIGHT, WRONG, WRONG], [400, 100, 50, 50], 4, [True, False, False, True]
    )
    assert [b.parts["length"] for b in scored] == pytest.approx([0, 0, -0.15, 0])


def test_score_groups_strata_order_equals_by_the_model() -> None:
    config = {"strata": {"right": 0.2, "wrong": 0.1}, "length": {"kind": "none"}}
    answers = ["5", "5.0", "5.00", "0.25", "0.75", ""]
    scores = {"5": 0.9, "5.0": 0.5, "5.00": 0.1, "0.25": 0.25, "0.75": 0.75}
    scored = Portfolio(RewardsConfig.model_validate(config), TableScorer(scores)).score_groups(
        [NUMBER] * 6, answers, [9] * 6, 6
    )
    assert [b.credited["accuracy"] for b in scored] == pytest.approx([1.0, 0.9, 0.8, 0.0, 0.1, 0.0])
    assert [b.parts["accuracy"] for b in scored] == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]


def test_score_groups_strata_without_a_scorer_change_nothing() -> None:
    scored = Portfolio(RewardsConfig.model_validate({"strata": {"right": 0.2}}), None).score_groups(
        [NUMBER] * 2, [RIGHT, WRONG], [100, 100], 2
    )
    assert [b.credited["accuracy"] for b in scored] == [1.0, 0.0]


def test_score_groups_normalised_parts_are_centred_in_their_group() -> None:
    scored = portfolio(normalise="group").score_groups([NUMBER] * 4, [RIGHT, RIGHT, WRONG, "6"], [100, 100, 50, 100], 4)
    for name in PARTS:
        assert math.fsum(b.credited[name] for b in scored) == pytest.approx(0)
    assert [b.parts["format"] for b in scored] == [0.2, 0.2, 0.2, 0.0]


def test_score_groups_normalised_format_does_not_lift_a_wrong_answer_over_a_right_one() -> None:
    # Unguarded: the right one has 0.875 * 2.83 = 2.47 above the others in accuracy, and 2.47 below in format.
    scored = portfolio(normalise="group", format={"reward": 0.6}).score_groups(
        [NUMBER] * 8, ["5", *[WRONG] * 7], [100] * 8, 8
    )
    gap = scored[0].credited["accuracy"] - scored[1].credited["accuracy"]
    assert scored[1].credited["format"] - scored[0].credited["format"] == pytest.approx(0.9 * gap)
    assert scored[0].total > scored[1].total


@pytest.mark.parametrize("normalise", ["none", "group"])
def test_score_groups_noise_of_a_reward_model_stays_noise(normalise: str) -> None:
    config = {"normalise": normalise, "length": {"kind": "none"}}
    scored = portfolio(**config).score_groups([OPEN] * 4, ["0.800", "0.801", "0.802", "0.803"], [9] * 4, 4)
    assert max(map(abs, group_advantages([b.total for b in scored], 4))) < 0.04


def test_score_groups_unequal_flags_of_truncation_raise_with_the_numbers() -> None:
    with pytest.raises(ValueError, match="1 flags of truncation for 2 completions"):
        portfolio().score_groups([NUMBER] * 2, ["5"] * 2, [1, 1], 2, [False])


RIGHT_ANSWERS, WRONG_ANSWERS = ["5", "5.0", "10/2", "+5"], ["6", "0.5", "-5", "no idea"]
OTHER_ANSWERS = ["5 apples", "5 or 6", "", "<answer>5</answer>", "a <ANSWER>"]
SHAPES = ["{}", "<answer>{}</answer>", "<think>so</think><answer>{}</answer>", "<think></think><answer>{}</answer>"]
completions = st.builds(
    str.format,
    st.sampled_from([*SHAPES, "<think>so</think> and <answer>{}</answer>", "<think>so\n<answer>{}</answer></think>"]),
    st.sampled_from(RIGHT_ANSWERS + WRONG_ANSWERS + OTHER_ANSWERS),
)
lengths = st.one_of(st.none(), st.integers(0, 300))
groups = st.lists(st.tuples(completions, lengths, st.booleans()), min_size=1, max_size=8)
units = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0]))
positive = st.one_of(st.floats(0, 1e6), st.floats(0, 2), st.sampled_from([0.0, 1e-6, 1.0, 1e6]))
scorers = st.one_of(
    st.none(),
    st.builds(
        TableScorer,
        st.fixed_dictionaries(
            {answer: st.one_of(st.none(), units) for answer in [*RIGHT_ANSWERS, *WRONG_ANSWERS, "5 apples", "5 or 6"]}
        ),
    ),
)


@st.composite
def configs(draw: st.DrawFn) -> RewardsConfig:
    """Anything that construction accepts; the sizes of the other parts are drawn to come near the bound, too."""
    accuracy = draw(st.one_of(st.just(1.0), st.floats(1e-6, 1e6)))
    strata = {name: draw(st.one_of(st.just(0.0), st.floats(0, 0.6))) for name in ("right", "wrong")}
    room = accuracy * (1 - strata["right"] - strata["wrong"])
    cut, fill = draw(units), draw(st.one_of(st.floats(0, 1.01), st.floats(0.99, 1.0)))
    weights, sizes = {"accuracy": accuracy}, {}
    for name, share in (("length", cut * fill), ("format", (1 - cut) * fill)):
        weights[name] = draw(positive)
        sizes[name] = min(1.0, max(0.0, share * room / weights[name])) if weights[name] else draw(units)
    most = draw(st.integers(1, 300))
    values: dict[str, Any] = {
        "weights": weights,
        "accuracy": {"undecided": draw(st.sampled_from(["zero", "abstain", "surrogate"]))},
        "length": {
            "kind": draw(st.sampled_from(["group", "overlong", "cosine", "none"])),
            "p_max": sizes["length"],
            "tau": draw(st.floats(0.01, 10)),
            "reference": draw(st.sampled_from(["mean", "min", "median"])),
            "applies_to": draw(st.sampled_from(["incorrect", "all"])),
            "shape": draw(st.sampled_from(["linear", "exponential"])),
            "max_length": most,
            "cache": draw(st.integers(1, most)),
        },
        "format": {"reward": sizes["format"], "grading": draw(st.sampled_from(["exact", "graded"]))},
        "strata": strata,
        "correct_at": draw(units),
        "abstention": draw(st.sampled_from(["group_mean", "mask", "zero"])),
        "normalise": draw(st.sampled_from(["none", "group"])),
        "std_floor": draw(st.one_of(st.just(0.05), st.floats(1e-6, 1))),
    }
    try:
        return RewardsConfig.model_validate(values)
    except ValidationError:
        assume(False)
        raise


Group = list[tuple[str, int | None, bool]]


def score(config: RewardsConfig, scorer: TableScorer | None, group: Group, prompt: Checkable = NUMBER) -> Any:
    texts, tokens, cut = ([member[column] for member in group] for column in range(3))
    portfolio = Portfolio(config, scorer)
    return portfolio.score_groups([prompt] * len(group), texts, tokens, len(group), cut)  # type: ignore[arg-type]


@settings(max_examples=1000)
@given(configs(), scorers, groups)
def test_score_groups_no_wrong_answer_outranks_or_ties_a_right_one(
    config: RewardsConfig, scorer: TableScorer | None, group: Group
) -> None:
    breakdowns = score(config, scorer, group)
    right = [breakdown for breakdown in breakdowns if breakdown.verdict is True]
    wrong = [breakdown for breakdown in breakdowns if breakdown.verdict is False]
    assume(right)
    assume(wrong)
    assert max(breakdown.total for breakdown in wrong) < min(breakdown.total for breakdown in right)


@settings(max_examples=300)
@given(configs(), scorers, groups)
def test_score_groups_plain_sum_keeps_the_order_in_single_precision(
    config: RewardsConfig, scorer: TableScorer | None, group: Group
) -> None:
    config = RewardsConfig.model_validate({**config.model_dump(), "normalise": "none"})
    breakdowns = score(config, scorer, group)
    weights = np.array([getattr(config.weights, name) for name in PARTS], dtype=np.float32)
    credited = np.array([[b.credited[name] for name in PARTS] for b in breakdowns], dtype=np.float32)
    totals = (credited * weights).sum(axis=1, dtype=np.float32)
    right = [total for total, b in zip(totals, breakdowns, strict=True) if b.verdict is True]
    wrong = [total for total, b in zip(totals, breakdowns, strict=True) if b.verdict is False]
    assert not right or not wrong or max(wrong) < min(right)


@given(configs(), scorers, groups, st.booleans(), st.sampled_from([NUMBER, OPEN]))
def test_score_groups_total_is_the_weighted_sum_of_what_is_credited(
    config: RewardsConfig, scorer: TableScorer | None, group: Group, control: bool, prompt: Checkable
) -> None:
    assume(not control or config.weights.length or config.weights.format)
    used = config.without_accuracy() if control else config
    for breakdown in score(used, scorer, group, prompt):
        assert set(breakdown.credited) == set(PARTS)
        assert all(map(math.isfinite, breakdown.credited.values()))
        expected = [getattr(used.weights, name) * value for name, value in breakdown.credited.items()]
        assert breakdown.total == math.fsum(expected)
        assert set(breakdown.parts) | set(breakdown.not_applicable) == set(PARTS)
        assert not set(breakdown.parts) & set(breakdown.not_applicable)


@given(configs(), scorers, groups, st.sampled_from([NUMBER, OPEN]))
def test_score_groups_parts_lie_in_their_ranges(
    config: RewardsConfig, scorer: TableScorer | None, group: Group, prompt: Checkable
) -> None:
    ranges = {"accuracy": (0.0, 1.0), "length": (-config.length.p_max, 0.0), "format": (0.0, config.format.reward)}
    for breakdown in score(config, scorer, group, prompt):
        for name, value in breakdown.parts.items():
            assert ranges[name][0] <= value <= ranges[name][1]
        if config.normalise == "none":
            slack = 1e-12
            for name, value in breakdown.credited.items():
                assert ranges[name][0] - slack <= value <= ranges[name][1] + slack


@given(configs(), scorers, groups)
def test_score_groups_plain_sum_without_abstention_credits_the_parts(
    config: RewardsConfig, scorer: TableScorer | None, group: Group
) -> None:
    plain = {"normalise": "none", "strata": {"right": 0.0, "wrong": 0.0}}
    config = RewardsConfig.model_validate({**config.model_dump(), **plain})
    for breakdown in score(config, scorer, group):
        expected = {name: breakdown.credited[name] for name in breakdown.parts}
        assert dict(breakdown.parts) == pytest.approx(expected, rel=2e-3, abs=1e-3)


@given(configs(), scorers, groups, st.randoms())
def test_score_groups_are_equivariant_to_the_order_within_a_group(
    config: RewardsConfig, scorer: TableScorer | None, group: Group, random: Random
) -> None:
    order = list(range(len(group)))
    random.shuffle(order)
    there = score(config, scorer, group)
    assert score(config, scorer, [group[index] for index in order]) == [there[index] for index in order]


@given(configs(), scorers, st.lists(groups, min_size=2, max_size=4), st.data())
def test_score_groups_of_a_batch_are_those_of_its_groups(
    config: RewardsConfig, scorer: TableScorer | None, batch: list[Group], data: st.DataObject
) -> None:
    size = min(map(len, batch))
    batch = [group[:size] for group in batch]
    prompts = data.draw(st.lists(st.sampled_from([NUMBER, OPEN]), min_size=len(batch), max_size=len(batch)))
    texts, tokens, cut = ([member[column] for group in batch for member in group] for column in range(3))
    checkables = [prompt for prompt in prompts for _ in range(size)]
    together = Portfolio(config, scorer).score_groups(checkables, texts, tokens, size, cut)  # type: ignore[arg-type]
    apart = [
        breakdown
        for group, prompt in zip(batch, prompts, strict=True)
        for breakdown in score(config, scorer, group, prompt)
    ]
    assert together == apart


@given(configs(), scorers, groups, st.sampled_from(["none", "group", "leave_one_out"]))
def test_advantages_of_a_scored_group_sum_to_zero(
    config: RewardsConfig, scorer: TableScorer | None, group: Group, scale: Any
) -> None:
    totals = [breakdown.total for breakdown in score(config, scorer, group)]
    scaled = group_advantages(totals, len(totals), scale)
    assert math.fsum(scaled) == pytest.approx(0, abs=1e-9 * max(1.0, *map(abs, scaled)))


def test_portfolio_import_loads_nothing_heavy() -> None:
    heavy = ("torch", "transformers", "sympy", "math_verify", "numpy", "scipy", "PIL", "pyarrow", "datasets", "kfp")
    script = f"import sys, components.rewards.portfolio; print(sorted(set(sys.modules) & set({heavy})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
