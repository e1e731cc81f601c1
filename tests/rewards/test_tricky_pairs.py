"""The verifier against a table that was labelled without sight of it."""

from collections import Counter

import pytest

from components.core.example import AnswerType
from components.rewards.rule import verify
from tests.rewards.tricky_pairs import PAIRS, Pair

# Junk and towers that no rule can judge safely: undecided, which pays like a wrong answer and says so.
_UNDECIDED = {
    pair
    for pair in PAIRS
    if pair.answer_type == "expression"
    and (pair.answer in {r"2x+", "x^{9^{9^{9}}}", "(x+1)^{1000000}", "9^{9^{9}}", r"\sqrt{}"} or len(pair.answer) > 300)
}


def _name(pair: Pair) -> str:
    return f"{pair.answer[:30]} for {pair.reference[:30]}"


def _verdict(pair: Pair) -> bool | None:
    kind = AnswerType(pair.answer_type)
    return verify(pair.answer, [pair.reference], kind, pair.choices, pair.unit, pair.precision).correct


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair.right], ids=_name)
def test_tricky_pair_is_right(pair: Pair) -> None:
    assert _verdict(pair) is True, pair.why


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if not pair.right], ids=_name)
def test_tricky_pair_is_never_right(pair: Pair) -> None:
    expected = None if pair in _UNDECIDED else False
    assert _verdict(pair) is expected, pair.why


def test_tricky_pairs_hold_both_verdicts_of_every_type() -> None:
    counts = Counter((pair.answer_type, pair.right) for pair in PAIRS)
    assert len(PAIRS) >= 400
    assert len(set(PAIRS)) == len(PAIRS)
    assert min(counts.values()) >= 40
    assert len(counts) == 8
