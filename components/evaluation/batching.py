"""Batching: how many questions are answered at a time, and what a failure among them costs.

A failure costs the question that causes it: a batch that fails is asked again one by one. A memory that is full
halves the batch for the rest of the run.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from components.core.errors import HarmoError, ModelError
from components.evaluation.response import Response, first_line, not_generated

MAX_BATCH = 128
_GAIN = 1.1
"""A doubled batch has to answer this many times as many questions a second."""
_TRIES = 2
"""Batches that a size gets to show its gain: a single one may have met a busy machine."""
_HOPELESS = 32
"""The model's failures in a row after which it is the model, and not the questions."""
RequestT = TypeVar("RequestT")


class BatchSize:
    """The number of questions in the next batch.

    Args:
        fixed: That many; 0 finds it: doubled while that pays, up to `limit`.
        limit: The largest that is tried.
    """

    def __init__(self, fixed: int, limit: int = MAX_BATCH) -> None:
        self.current = fixed or 1
        self._limit = limit
        self._searching = fixed == 0
        self._rates: dict[int, float] = {}
        self._tries = 0

    def record(self, questions: int, seconds: float) -> None:
        """Learn from a batch that was answered; one that was not full says nothing."""
        if not self._searching or questions != self.current:
            return
        rate = questions / max(seconds, 1e-9)
        self._rates[questions] = max(rate, self._rates.get(questions, 0.0))
        smaller = self._rates.get(questions // 2, 0.0)
        self._tries += 1
        if self._rates[questions] >= _GAIN * smaller:
            self._double()
        elif self._tries == _TRIES:
            self._searching = False
            self.current = questions // 2

    def halve(self, questions: int) -> None:
        """Take half of a batch that the memory did not hold, from now on."""
        self.current = max(1, questions // 2)
        self._searching = False

    def _double(self) -> None:
        self._tries = 0
        if 2 * self.current > self._limit:
            self._searching = False
        else:
            self.current *= 2


@dataclass
class Answering(Generic[RequestT]):
    """Answers requests in batches."""

    answer: Callable[[Sequence[RequestT]], list[Response]]
    """Answers a batch; raises what the model raises."""
    keep: Callable[[Sequence[RequestT], list[Response]], None]
    """Called with each batch and its responses, as they come."""
    size: BatchSize
    clock: Callable[[], float] = time.perf_counter
    """Seconds, for the search of a size."""
    used: int = 0
    """The batch size that was last in use."""
    _failures: int = 0
    """Of the model, in a row."""

    def run(self, requests: Sequence[RequestT]) -> None:
        """Answer them all.

        Args:
            requests: The heaviest first, so that a memory that is too small shows at once.

        Raises:
            ModelError: The model fails whatever it is asked.
        """
        queue = deque(requests)
        while queue:
            self.used = self.size.current
            batch = [queue.popleft() for _ in range(min(self.used, len(queue)))]
            start = self.clock()
            outcome = self._attempt(batch)
            if not isinstance(outcome, Exception):
                self.size.record(len(batch), self.clock() - start)
            elif len(batch) == 1:
                self._fail(batch[0], outcome)
            elif is_out_of_memory(outcome):
                self.size.halve(len(batch))
                queue.extendleft(reversed(batch))
                _release_memory()
            else:
                self._one_by_one(batch)

    def _one_by_one(self, batch: Sequence[RequestT]) -> None:
        for request in batch:
            outcome = self._attempt([request])
            if isinstance(outcome, Exception):
                self._fail(request, outcome)

    def _attempt(self, batch: Sequence[RequestT]) -> list[Response] | Exception:
        """Answer a batch and keep the responses, or give what the model raised."""
        try:
            responses = self.answer(batch)
        except HarmoError:
            raise
        except Exception as error:
            if "CUDA error" in str(error) and not is_out_of_memory(error):
                raise ModelError(
                    "the GPU", first_line(error), "Run again in a new process; the answers so far are kept"
                ) from error
            # Without its traceback, whose frames hold on to the batch's tensors.
            return error.with_traceback(None)
        self.keep(batch, responses)
        self._failures = 0
        return responses

    def _fail(self, request: RequestT, error: Exception) -> None:
        self._failures += 1
        if self._failures == _HOPELESS:
            raise ModelError(
                "the model",
                f"it failed on {self._failures} questions in a row, at last with {first_line(error)}",
                "Mend what it says and run again; the answers so far are kept",
            ) from error
        _release_memory()
        self.keep([request], [not_generated(first_line(error))])


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that the memory, the GPU's or the machine's, is full."""
    text = str(error).lower()
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text))
    )


def _release_memory() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
