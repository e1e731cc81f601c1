from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from components.rewards.windows import leaves_gaps, window_starts


@st.composite
def readings(draw: st.DrawFn) -> tuple[int, int, int, int]:
    window = draw(st.integers(1, 60))
    return draw(st.integers(1, 5000)), window, draw(st.integers(0, window - 1)), draw(st.integers(1, 70))


@given(readings())
def test_windows_begin_at_the_beginning_end_at_the_end_and_are_not_too_many(reading: tuple[int, int, int, int]) -> None:
    tokens, window, overlap, most = reading

    starts = window_starts(tokens, window, overlap, most)

    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert len(starts) <= most
    assert starts[-1] == tokens - window or len(starts) == 1


@given(readings())
def test_every_token_is_read_unless_gaps_are_stated(reading: tuple[int, int, int, int]) -> None:
    tokens, window, _, most = reading

    read = {token for start in window_starts(*reading) for token in range(start, start + window)}

    assert (set(range(tokens)) <= read) is not leaves_gaps(tokens, window, most)


@given(readings())
def test_neighbours_share_the_overlap_where_the_number_of_windows_allows_it(reading: tuple[int, int, int, int]) -> None:
    tokens, window, overlap, _ = reading

    starts = window_starts(tokens, window, overlap, most=tokens)

    assert all(later + overlap <= earlier + window for earlier, later in pairwise(starts))


def test_windows_worked_by_hand() -> None:
    assert window_starts(10, 10, 2, 64) == [0]
    assert window_starts(11, 10, 2, 64) == [0, 1]
    assert window_starts(18, 10, 2, 64) == [0, 8]
    assert window_starts(100, 10, 2, 4) == [0, 30, 60, 90]
    assert leaves_gaps(100, 10, 4)
    assert not leaves_gaps(40, 10, 4)
