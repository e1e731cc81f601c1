"""How batches are sized, and what a failure costs; on answers that a function makes up."""

from collections.abc import Callable, Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from components.core.errors import ModelError, StorageError
from components.core.memory import is_out_of_memory
from components.evaluation.batching import MAX_BATCH, Answering, BatchSize
from components.evaluation.response import Response, not_generated


def _response(request: int) -> Response:
    return Response(f"answer {request}", "prompt", 1, 1, False)


class _Machine:
    """Answers numbers; a batch takes the seconds that a function of its size says."""

    def __init__(
        self, broken: Sequence[int] = (), memory: int = 1000, seconds: Callable[[int], float] = lambda _: 1.0
    ) -> None:
        self.broken, self.memory, self.seconds = set(broken), memory, seconds
        self.time = 0.0
        self.batches: list[list[int]] = []
        self.kept: dict[int, Response] = {}

    def answer(self, requests: Sequence[int]) -> list[Response]:
        self.batches.append(list(requests))
        self.time += self.seconds(len(requests))
        if len(requests) > self.memory:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        if self.broken & set(requests):
            raise ValueError("the question is broken\nand this is the second line")
        return [_response(request) for request in requests]

    def keep(self, requests: Sequence[int], responses: list[Response]) -> None:
        assert not set(requests) & set(self.kept)
        self.kept.update(zip(requests, responses, strict=True))

    def run(self, count: int, fixed: int = 0) -> int:
        answering = Answering(self.answer, self.keep, BatchSize(fixed), lambda: self.time)
        answering.run(list(range(count)))
        return answering.used


@pytest.mark.parametrize(
    ("seconds", "found"),
    [
        (lambda _: 1.0, MAX_BATCH),  # a batch costs the same whatever its size
        (lambda size: float(size), 1),  # nothing is gained
        (lambda size: max(1.0, size / 8), 8),  # gains end at eight
        (lambda size: 1.0 + size / 4, 32),  # 4n/(4+n) a second: 32 give 1.11 times 16, 64 but 1.06 times 32
    ],
    ids=["free", "linear", "eight", "diminishing"],
)
def test_batch_size_is_doubled_while_it_pays(seconds: Callable[[int], float], found: int) -> None:
    assert _Machine(seconds=seconds).run(2000) == found


def _record(size: BatchSize, *batches: tuple[int, float]) -> int:
    for questions, seconds in batches:
        size.record(questions, seconds)
    return size.current


@pytest.mark.parametrize("seconds", [1.9, 4.0], ids=["a twentieth more", "slower"])
def test_search_falls_back_to_the_last_size_that_paid(seconds: float) -> None:
    size = BatchSize(0)

    assert _record(size, (1, 1.0), (2, 1.0), *[(4, seconds)] * 4) == 2  # sixteen questions: now the smaller size
    assert _record(size, *[(2, 1.0)] * 7, (2, 0.1)) == 2  # which was judged by sixteen too: the search is over


def test_short_responses_at_the_smaller_size_do_not_end_the_search() -> None:
    """One question that is answered in a word sets a rate that no batch reaches; a few more put it right."""
    size = BatchSize(0)

    assert _record(size, (1, 0.1), *[(2, 1.0)] * 8) == 1
    assert _record(size, (1, 1.0)) == 4


def test_one_slow_batch_does_not_end_the_search() -> None:
    assert _record(BatchSize(0), (1, 1.0), (2, 9.0), *[(2, 1.0)] * 7) == 1
    assert _record(BatchSize(0), (1, 1.0), (2, 3.0), (2, 0.4)) == 4


def test_question_that_is_not_generated_says_nothing_about_the_speed() -> None:
    """The longest prompts come first, and one that does not fit is refused in no time."""

    class Refusing(_Machine):
        def answer(self, requests: Sequence[int]) -> list[Response]:
            if requests[0] > 2:
                return super().answer(requests)
            self.time += 1e-6
            return [not_generated("too long") for _ in requests]

    assert Refusing(seconds=lambda size: max(1.0, size / 8)).run(2000) == 8


def test_fixed_batch_size_stays() -> None:
    machine = _Machine()

    assert machine.run(20, fixed=6) == 6
    assert [len(batch) for batch in machine.batches] == [6, 6, 6, 2]


def test_full_memory_halves_the_batch_and_goes_on_with_the_same_questions() -> None:
    machine = _Machine(memory=3)

    used = machine.run(20, fixed=8)

    assert [len(batch) for batch in machine.batches] == [8, 4, 2, *[2] * 9]
    assert used == 2
    assert machine.kept == {number: _response(number) for number in range(20)}


def test_full_memory_ends_the_search() -> None:
    machine = _Machine(memory=5)

    machine.run(100)

    assert [len(batch) for batch in machine.batches][:6] == [1, 2, 4, 8, 4, 4]


def test_full_memory_at_one_question_costs_that_question() -> None:
    machine = _Machine(memory=0)

    machine.run(3, fixed=1)

    assert [response.missing for response in machine.kept.values()] == [True] * 3
    assert machine.kept[0].problem == "OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB"


@given(
    st.integers(1, 40), st.sets(st.integers(0, 39), max_size=20), st.integers(1, 9), st.integers(0, 9)
)  # broken ones stay below the number in a row that ends the run
def test_every_question_is_answered_once_or_named_broken(count: int, broken: set[int], memory: int, fixed: int) -> None:
    machine = _Machine(sorted(broken), memory)

    machine.run(count, fixed)

    assert sorted(machine.kept) == list(range(count))
    for number, response in machine.kept.items():
        assert response.missing == (number in broken)
        expected = "ValueError: the question is broken" if number in broken else ""
        assert response.problem == expected


def test_nothing_that_was_answered_is_asked_again_while_the_size_is_searched() -> None:
    machine = _Machine()

    machine.run(300)

    asked = [number for batch in machine.batches for number in batch]
    assert asked == list(range(300))


def test_model_that_fails_whatever_it_is_asked_ends_the_run() -> None:
    machine = _Machine(broken=range(1000))

    with pytest.raises(ModelError, match=r"each of the first 32 questions.*the question is broken"):
        machine.run(1000, fixed=4)


def test_failures_between_answers_do_not_end_the_run() -> None:
    machine = _Machine(broken=[number for number in range(200) if number % 2])

    machine.run(200, fixed=4)

    assert sum(response.missing for response in machine.kept.values()) == 100


def test_failures_in_a_row_after_an_answer_do_not_end_the_run() -> None:
    """They lie together when a run goes on: what the journal holds is not asked again."""
    machine = _Machine(broken=range(1, 101))

    machine.run(101, fixed=1)

    assert sum(response.missing for response in machine.kept.values()) == 100


def test_full_memory_on_the_heaviest_questions_does_not_end_the_run() -> None:
    class Small(_Machine):
        def answer(self, requests: Sequence[int]) -> list[Response]:
            if min(requests) < 50:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().answer(requests)

    machine = Small()
    machine.run(60)

    assert [response.missing for response in machine.kept.values()] == [True] * 50 + [False] * 10


def test_gpu_that_is_lost_ends_the_run() -> None:
    def answer(requests: Sequence[int]) -> list[Response]:
        raise RuntimeError("CUDA error: device-side assert triggered")

    with pytest.raises(ModelError, match="device-side assert"):
        Answering(answer, lambda *_: None, BatchSize(4)).run([1, 2, 3])


def test_errors_that_the_user_can_mend_come_through() -> None:
    def answer(requests: Sequence[int]) -> list[Response]:
        raise StorageError("journal", "no space left", "Free some")

    with pytest.raises(StorageError):
        Answering(answer, lambda *_: None, BatchSize(4)).run([1, 2, 3])


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"), True),
        (RuntimeError("shapes do not match"), False),
        (ValueError("out of memory of the past"), False),
    ],
)
def test_full_memory_is_told_from_other_failures(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=60))
def test_batch_size_stays_within_its_limits(batches: list[tuple[float, bool]]) -> None:
    size = BatchSize(0)
    for seconds, full in batches:
        if full:
            size.halve(size.current)
        else:
            size.record(size.current, seconds)
        assert 1 <= size.current <= MAX_BATCH
