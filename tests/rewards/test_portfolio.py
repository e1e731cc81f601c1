import subprocess
import sys
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.core.example import AnswerType
from components.rewards.checkable import Checkable
from components.rewards.config import FormatConfig, LengthConfig, RewardsConfig, RewardWeights
from components.rewards.portfolio import PARTS, Portfolio

NUMBER = Checkable(question="2+3?", references=("5",), answer_type=AnswerType.NUMBER, verifiable=True)
OPEN = Checkable(question="What?", references=("a car",), answer_type=AnswerType.OPEN_ENDED, verifiable=False)
RIGHT, WRONG = "<think>2+3</think><answer>5</answer>", "<think>2+3</think><answer>6</answer>"
UNDECIDED = "<think>2+3</think><answer>5 apples</answer>"  # the example states no unit


class NumberScorer:
    """Takes an answer to be its own score."""

    def score(
        self, _questions: Sequence[str], answers: Sequence[str], _references: Sequence[Sequence[str]]
    ) -> Sequence[float]:
        return [float(answer) for answer in answers]


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
    assert "states none" in undecided.not_applicable["accuracy"]
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


@st.composite
def configs(draw: st.DrawFn) -> RewardsConfig:
    weights = draw(st.builds(RewardWeights, **{name: st.floats(0, 10) for name in PARTS}))
    length = draw(
        st.builds(
            LengthConfig,
            p_max=st.floats(0, 1),
            tau=st.floats(0.01, 10),
            reference=st.sampled_from(["mean", "min", "median"]),
            applies_to=st.sampled_from(["incorrect", "all"]),
            shape=st.sampled_from(["linear", "exponential"]),
        )
    )
    form = draw(st.builds(FormatConfig, reward=st.floats(0, 1)))
    assume(weights.length * length.p_max + weights.format * form.reward < weights.accuracy)
    return RewardsConfig(weights=weights, length=length, format=form)


completions = st.sampled_from([RIGHT, WRONG, UNDECIDED, "5", "6", "", "<answer></answer>", r"\boxed{5}", "5 or 6"])
groups = st.lists(st.tuples(completions, st.integers(0, 5000)), min_size=1, max_size=8)


@given(configs(), groups)
def test_score_groups_no_wrong_answer_outranks_a_right_one(config: RewardsConfig, group: list[tuple[str, int]]) -> None:
    texts, lengths = [text for text, _ in group], [length for _, length in group]
    breakdowns = Portfolio(config, NumberScorer()).score_groups([NUMBER] * len(group), texts, lengths, len(group))
    right = [breakdown.total for breakdown in breakdowns if breakdown.verdict]
    others = [breakdown.total for breakdown in breakdowns if not breakdown.verdict]
    assert not right or not others or max(others) <= min(right)


@given(configs(), groups, st.booleans())
def test_score_groups_total_is_the_weighted_sum_of_the_parts(
    config: RewardsConfig, group: list[tuple[str, int]], control: bool
) -> None:
    assume(not control or config.weights.length or config.weights.format)
    used = config.without_accuracy() if control else config
    texts, lengths = [text for text, _ in group], [length for _, length in group]
    for breakdown in Portfolio(used, NumberScorer()).score_groups([NUMBER] * len(group), texts, lengths, len(group)):
        expected = sum(getattr(used.weights, name) * value for name, value in breakdown.parts.items())
        assert breakdown.total == pytest.approx(expected, abs=1e-12)
        assert set(breakdown.parts) | set(breakdown.not_applicable) == set(PARTS)
        assert not set(breakdown.parts) & set(breakdown.not_applicable)


@given(configs(), groups, st.randoms())
def test_score_groups_order_within_a_group_is_irrelevant(
    config: RewardsConfig, group: list[tuple[str, int]], random: Random
) -> None:
    def totals(members: list[tuple[str, int]]) -> list[float]:
        texts, lengths = [text for text, _ in members], [length for _, length in members]
        scored = Portfolio(config, NumberScorer()).score_groups([NUMBER] * len(members), texts, lengths, len(members))
        return sorted(breakdown.total for breakdown in scored)

    shuffled = list(group)
    random.shuffle(shuffled)
    assert totals(shuffled) == pytest.approx(totals(group))


def test_portfolio_import_loads_nothing_heavy() -> None:
    heavy = ("torch", "transformers", "sympy", "math_verify", "numpy", "scipy", "PIL", "pyarrow", "datasets", "kfp")
    script = f"import sys, components.rewards.portfolio; print(sorted(set(sys.modules) & set({heavy})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
