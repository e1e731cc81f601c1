"""The portfolio as reward functions, called as TRL calls them."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.core.breakdown import RewardBreakdown
from components.core.rollouts import read_rollouts
from components.rewards.config import RewardsConfig
from components.rewards.portfolio import PARTS
from components.training.audit import RolloutAudit
from components.training.rewarding import CompletionLimit, PortfolioRewards
from tests.training.audited import LIMIT, STOP, CountingScorer, adapter, columns, completion, example

_OPEN = example("a cat", verifiable=False)


def _call(functions: Sequence[Any], completions: list[Any], **others: Any) -> dict[str, list[float]]:
    """Call every function once, as TRL does."""
    return {function.__name__: function(completions=completions, **others) for function in functions}


def test_functions_of_one_batch_share_one_computation(tmp_path: Path) -> None:
    scorer = CountingScorer()
    functions = adapter(tmp_path, [_OPEN], scorer).functions()

    values = _call(functions, [completion("a"), completion("b")], **columns(2, step=7))

    assert scorer.calls == 1
    assert list(values) == ["accuracy", "length", "format"]
    assert values["accuracy"] == [0.5, 0.5]
    assert [row["step"] for row in read_rollouts(tmp_path)] == [7, 7]


def test_equal_completions_in_another_list_are_the_same_batch(tmp_path: Path) -> None:
    scorer = CountingScorer()
    functions = adapter(tmp_path, [_OPEN], scorer).functions()

    for function in functions:
        function(completions=[completion("a"), completion("b")], **columns(2))

    assert scorer.calls == 1
    assert len(read_rollouts(tmp_path)) == 2


def test_one_list_with_other_content_is_another_batch(tmp_path: Path) -> None:
    functions = adapter(tmp_path, [example("7")]).functions()
    completions = [completion("7"), completion("8")]

    before = _call(functions, completions, **columns(2))["accuracy"]
    completions.reverse()
    after = _call(functions, completions, **columns(2))["accuracy"]

    assert (before, after) == ([1.0, 0.0], [0.0, 1.0])
    assert len(read_rollouts(tmp_path)) == 4


def test_equal_batch_that_comes_again_is_audited_again(tmp_path: Path) -> None:
    functions = adapter(tmp_path, [example("7")]).functions()
    completions = [completion("7"), completion("7")]

    for step in (0, 0, 1):
        _call(functions, completions, **columns(2, step))

    assert [row["step"] for row in read_rollouts(tmp_path)] == [0, 0, 0, 0, 1, 1]


def test_same_completions_to_other_examples_are_another_batch(tmp_path: Path) -> None:
    functions = adapter(tmp_path, [example("7"), example("8")]).functions()
    completions = [completion("7"), completion("7")]

    assert functions[0](completions=completions, **columns(2)) == [1.0, 1.0]
    assert functions[1](completions=completions, **columns(2, example=[1, 1])) == [0.0, 0.0]
    assert [row["example_id"] for row in read_rollouts(tmp_path)] == ["id-7", "id-7", "id-8", "id-8"]


def test_coroutines_give_the_same_values_and_share_one_computation(tmp_path: Path) -> None:
    scorer = CountingScorer()
    plain, concurrent = (adapter(tmp_path / name, [_OPEN], scorer) for name in ("plain", "concurrent"))
    completions = [completion("a"), [{"content": "no template"}]]

    async def gathered() -> list[list[float]]:
        calls = [function(completions=completions, **columns(2)) for function in concurrent.async_functions()]
        return await asyncio.gather(*calls)

    expected = _call(plain.functions(), completions, **columns(2))
    values = asyncio.run(gathered())

    assert dict(zip(PARTS, values, strict=True)) == expected
    assert scorer.calls == 2
    without_time = [
        [{name: value for name, value in row.items() if name != "seconds"} for row in read_rollouts(tmp_path / folder)]
        for folder in ("plain", "concurrent")
    ]
    assert without_time[0] == without_time[1]


def test_failure_of_the_portfolio_is_raised_and_leaves_nothing_behind(tmp_path: Path) -> None:
    class Failing(CountingScorer):
        def score(self, *_arguments: Any) -> list[float]:
            raise RuntimeError("no scores today")

    functions = adapter(tmp_path, [_OPEN], Failing()).functions()

    for function in functions:
        with pytest.raises(RuntimeError, match="no scores today"):
            function(completions=[completion("a"), completion("b")], **columns(2))
    assert list((tmp_path / "rollouts").iterdir()) == []


class _AbstainingPortfolio:
    """Credits an abstaining accuracy with the group's mean, as a policy may."""

    def score_groups(self, _prompts: Any, completions: Any, *_others: Any, **_more: Any) -> list[RewardBreakdown]:
        credited = {"accuracy": 0.75, "length": -0.1, "format": 0.2}
        return [
            RewardBreakdown(
                total=math.fsum(credited.values()),
                parts={"format": 0.2},
                credited=credited,
                not_applicable={"accuracy": "time limit", "length": "time limit"},
            )
            for _ in completions
        ]


def test_trl_gets_what_a_part_was_credited_with_so_that_its_sum_is_our_total(tmp_path: Path) -> None:
    rewards = PortfolioRewards(
        _AbstainingPortfolio(), [example()], 2, "none", RolloutAudit(tmp_path), LIMIT  # type: ignore[arg-type]
    )  # fmt: skip

    values = _call(rewards.functions(), [completion("7"), completion("8")], **columns(2))

    row = read_rollouts(tmp_path)[0]
    weights = [getattr(RewardsConfig().weights, part) for part in PARTS]
    summed = math.fsum(weight * values[part][0] for weight, part in zip(weights, PARTS, strict=True))
    assert summed == row["total"]
    assert (row["accuracy"], row["credited_accuracy"]) == (None, 0.75)


def test_surrogates_and_nuls_are_judged_and_kept_as_what_can_be_stored(tmp_path: Path) -> None:
    functions = adapter(tmp_path, [example("7")], group_size=3).functions()

    values = _call(functions, [completion("7\ud83d"), completion("7\x00"), completion("7")], **columns(3))

    rows = read_rollouts(tmp_path)
    assert values["accuracy"][2] == 1.0
    assert ["audit_altered" in row["flags"] for row in rows] == [True, False, False]
    assert "7\ufffd" in rows[0]["completion"]
    assert "7\x00" in rows[1]["completion"]


@pytest.mark.parametrize(
    ("ids", "cut"), [([1, 1, 1, 1], True), ([1, 1, 1, STOP], False), ([1, 1], False), ([], False), ([1] * 5, True)]
)
def test_completion_is_cut_at_the_limit_without_a_stop_token(ids: list[int], cut: bool) -> None:
    assert CompletionLimit(4, frozenset({STOP})).cut(ids) is cut


def test_cut_completions_are_marked_in_the_audit(tmp_path: Path) -> None:
    functions = adapter(tmp_path, [example("7")]).functions()

    _call(functions, [completion("7")] * 2, **columns(2, completion_ids=[[1, 1, 1, 1], [1, 1, 1, STOP]]))

    assert [(row["length_tokens"], row["truncated"]) for row in read_rollouts(tmp_path)] == [(4, True), (4, False)]


def test_columns_and_metrics_are_logged_once_a_batch(tmp_path: Path) -> None:
    table: dict[str, list[Any]] = defaultdict(list)
    metrics: dict[str, list[float]] = defaultdict(list)
    functions = adapter(tmp_path, [example("7")]).functions()
    completions = [completion("7"), [{"content": ""}]]

    _call(
        functions,
        completions,
        **columns(
            2,
            log_extra=lambda column, values: table[column].extend(values),
            log_metric=lambda name, value: metrics[name].append(value),
        ),
    )

    assert {name: len(values) for name, values in table.items()} == dict.fromkeys(
        ("total", "verdict", "rule", "confidence", "flags"), 2
    )
    assert table["verdict"] == [True, False]
    assert all(len(values) == 1 for values in metrics.values())
    assert metrics["parts/accuracy"] == [0.5]
    assert metrics["rewards/no_answer"] == [0.5]
    assert metrics["rewards/undecided"] == [0.0]
    assert metrics["rewards/groups_without_signal"] == [0.0]
    assert metrics["rewards/seconds"][0] == pytest.approx(2 * metrics["rewards/seconds_per_completion"][0])
    assert metrics["rewards/seconds"][0] > 0


class _PictureScorer(CountingScorer):
    """Scores by the size of the picture."""

    wants_images = True

    def score(self, _questions: Any, _answers: Any, _references: Any, images: Any = None) -> list[float]:
        return [0.0 if image is None else len(image) / 100 for image in images]


def test_a_scorer_that_looks_at_pictures_sees_that_of_each_example_where_there_is_one(tmp_path: Path) -> None:
    several = replace(_OPEN, images=(b"1" * 10, b"2" * 20), question="Which?")
    examples = [replace(_OPEN, images=(b"1" * 10,)), replace(_OPEN, images=(b"2" * 20,)), several]
    functions = adapter(tmp_path, examples, _PictureScorer()).functions()
    completions = [completion("a")] * 6

    values = _call(functions, completions, **{**columns(6), "example": [1, 1, 0, 0, 2, 2]})

    assert values["accuracy"] == [0.2, 0.2, 0.1, 0.1, 0.0, 0.0]
