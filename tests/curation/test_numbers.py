import math
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from components.curation.numbers import Histogram, Tally, read_numbers, write_numbers
from tests.curation.made_numbers import made_numbers

_WHOLE = st.integers(min_value=0, max_value=60_000)


def _histogram(values: list[int]) -> Histogram:
    tally = Tally()
    tally.add(values)
    return tally.histogram()


@given(st.lists(_WHOLE, min_size=1))
def test_each_value_is_in_the_range_that_holds_it(values: list[int]) -> None:
    histogram = _histogram(values)

    ends = [*histogram.lows[1:], math.inf]
    expected = [sum(low <= value < end for value in values) for low, end in zip(histogram.lows, ends, strict=True)]
    assert list(histogram.counts) == expected
    assert histogram.counts[0] > 0
    assert histogram.counts[-1] > 0
    assert histogram.n == len(values)
    assert histogram.largest == max(values)


@given(st.lists(_WHOLE, min_size=1))
def test_quantiles_are_values_that_the_share_does_not_exceed(values: list[int]) -> None:
    histogram = _histogram(values)

    for share, quantile in ((0.5, histogram.median), (0.95, histogram.p95)):
        assert quantile in values
        assert sum(value <= quantile for value in values) >= share * len(values)
        assert sum(value < quantile for value in values) < share * len(values)


@given(st.lists(_WHOLE), st.lists(_WHOLE))
def test_values_may_come_in_parts(first: list[int], second: list[int]) -> None:
    parts = Tally()
    parts.add(first)
    parts.add({value: second.count(value) for value in second})

    assert parts.histogram() == _histogram([*first, *second])


def test_largest_value_is_exact_beyond_the_cap() -> None:
    tally = Tally(cap=100)
    tally.add([5, 1000, 2_000_000])

    assert tally.histogram().largest == 2_000_000
    assert tally.histogram().median == 100


def test_numbers_survive_a_file(tmp_path: Path) -> None:
    for numbers in (made_numbers(), made_numbers(benchmarks=None, flags=None, samples=())):
        write_numbers(numbers, tmp_path / "numbers.json")

        assert read_numbers(tmp_path / "numbers.json") == numbers
