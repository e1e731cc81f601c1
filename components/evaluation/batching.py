"""Batching: how many questions are answered at a time, and what a failure among them costs.

A failure costs the question that causes it: a batch that fails is asked again one by one. A memory that is full
halves the batch for the rest of the run.
"""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from components.core.errors import HarmoError, ModelError
from components.core.memory import is_out_of_memory, release_memory
from components.evaluation.response import Response, first_line, not_generated

MAX_BATCH = 128
_GAIN = 1.1
"""A doubled batch has to answer this many times as many questions a second."""
_EVIDENCE = 16
"""Questions, in two batches at least, by which a size is judged before the search ends: responses differ in length, and
a single batch may have met short ones, or a busy machine."""
_HOPELESS = 32
"""Failures, before any answer, after which it is the model that is at fault and not the questions."""
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
        self._tried = 1
        self._batches: Counter[int] = Counter()
        self._seconds: dict[int, float] = defaultdict(float)

    def record(self, questions: int, seconds: float) -> None:
        """Learn from a batch.

        Args:
            questions: That were generated; of a batch that was not full, nothing is learnt.
            seconds: It took.
        """
        if not self._searching or questions != self.current:
            return
        self._batches[questions] += 1
        self._seconds[questions] += max(seconds, 1e-9)
        smaller = self._tried // 2
        if not smaller or self._rate(self._tried) >= _GAIN * self._rate(smaller):
            self._double()
            return
        unsure = [size for size in (self._tried, smaller) if self._is_unsure(size)]
        self._searching = bool(unsure)
        self.current = unsure[0] if unsure else smaller

    def halve(self, questions: int) -> None:
        """Take half of a batch that the memory did not hold, from now on."""
        self.current = max(1, questions // 2)
        self._searching = False

    def _rate(self, size: int) -> float:
        """Questions a second."""
        return size * self._batches[size] / self._seconds[size]

    def _is_unsure(self, size: int) -> bool:
        return self._batches[size] < 2 or size * self._batches[size] < _EVIDENCE

    def _double(self) -> None:
        if 2 * self._tried > self._limit:
            self._searching = False
        else:
            self._tried *= 2
        self.current = self._tried


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
    answered: int = 0
    """Responses of this model so far, those of an earlier run included."""
    used: int = 0
    """The batch size that was last in use."""
    _failures: int = 0

    def run(self, requests: Sequence[RequestT]) -> None:
        """Answer them all.

        Args:
            requests: The heaviest first, so that a memory that is too small shows at once.

        Raises:
            ModelError: The model fails whatever it is asked, or it is gone.
        """
        queue = deque(requests)
        while queue:
            self.used = self.size.current
            batch = [queue.popleft() for _ in range(min(self.used, len(queue)))]
            start = self.clock()
            outcome = self._attempt(batch)
            if not isinstance(outcome, Exception):
                generated = sum(not response.missing for response in outcome)
                self.size.record(generated, self.clock() - start)
            elif len(batch) == 1:
                self._fail(batch[0], outcome)
            elif is_out_of_memory(outcome):
                self.size.halve(len(batch))
                queue.extendleft(reversed(batch))
                release_memory()
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
        except (
            Exception
        ) as error:  # a model raises what it likes: it ends the run or costs the question, never silently
            if _is_gone(error):
                raise ModelError(
                    "the model", f"it is gone ({first_line(error)})", "Run again; the answers so far are kept"
                ) from error
            # Without its traceback, whose frames hold on to the batch's tensors.
            return error.with_traceback(None)
        self.keep(batch, responses)
        self.answered += sum(not response.missing for response in responses)
        return responses

    def _fail(self, request: RequestT, error: Exception) -> None:
        # A memory that is too small for the heaviest questions, which come first, may do for the others.
        self._failures += not is_out_of_memory(error)
        if self._failures >= _HOPELESS and not self.answered:
            raise ModelError(
                "the model",
                f"it failed on each of the first {self._failures} questions, at last with {first_line(error)}",
                "Mend what it says and run again",
            ) from error
        release_memory()
        self.keep([request], [not_generated(first_line(error))])


def _is_gone(error: Exception) -> bool:
    """Whether no further question can be answered in this process: a CUDA error stays, and so does vLLM's death."""
    lost = "CUDA error" in str(error) and not is_out_of_memory(error)
    return lost or type(error).__name__ == "EngineDeadError"
