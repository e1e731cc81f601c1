import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.sample import CATEGORIES
from components.release.counters import category_rows, counters_of, span_of
from tests.release.synthetic import make_group


def test_known_counters_come_first_and_no_other_is_lost() -> None:
    health = {"a": {"baseline": {"zeal": 0.1, "truncated": 0.2, "format": 1.0, "length_tokens": 5.0}}}

    counters = counters_of(health)

    assert counters[:2] == ["no answer", "fallback"]
    assert counters[-1] == "zeal"
    assert counters.count("truncated") == 1
    assert not {"format", "length_tokens", "prompt_tokens"} & set(counters)


@given(st.dictionaries(st.sampled_from([*CATEGORIES, "odd", "other"]), st.integers(0, 9)))
def test_categories_are_in_order_and_add_up(counts: dict[str, int]) -> None:
    rows = category_rows({"a": {"candidate": counts}})

    (row,) = rows
    order = [*CATEGORIES, "odd", "other"]
    assert row.n == sum(counts.values()) == sum(row.counts.values())
    assert list(row.counts) == [category for category in order if counts.get(category)]


@pytest.mark.parametrize(("changes", "span"), [([], 1.0), ([(0.5, 0.5)], 0.1), ([(0.5, 0.4), (0.2, 0.25)], 0.2)])
def test_span_reaches_the_furthest_end_of_an_interval(changes: list[tuple[float, float]], span: float) -> None:
    assert span_of(make_group(5, *change) for change in changes) == pytest.approx(span)
