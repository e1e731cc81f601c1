"""Runner: a policy's answers to a benchmark, with lm-eval as the runner.

One `lm_eval.evaluate` a benchmark, always with the chat template. What lm-eval 0.4.13 does not do is done
behind its model interface, in JournaledModel: a retry goes on where a killed run was, a question that cannot be
answered costs itself alone, images are decoded as they are needed, and the batch size is found.
"""

import contextlib
import functools
import gc
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from components.core.artifact import read_manifest
from components.core.policy import Policy
from components.core.question import Question
from components.core.suite import BenchmarkInfo
from components.evaluation.benchmark import Marker, Marks
from components.evaluation.config import EvaluationConfig
from components.evaluation.journal import Journal, journal_path
from components.evaluation.model_types import load_answerer
from components.evaluation.response import BenchmarkRun, Cost, Response
from components.evaluation.task import TextOf, message_of, task_config

__all__ = ["BenchmarkRun", "Cost", "Response", "Runner"]

_PROGRESS_SECONDS = 15.0
_LIBRARIES = ("lm_eval", "torch", "transformers")
"""Another version of these may answer otherwise: the journal does not mix them."""


class Runner:
    """A policy ready to be evaluated.

    Args:
        policy: A policy artifact that has been verified.
        config: Model type, its arguments, and the batch size.
        journal: A folder for responses, so that a killed evaluation goes on where it was; None keeps none.

    Raises:
        ModelError: The model cannot be loaded.
        RecipeError: `runner.arguments` is not what the model type needs.
    """

    def __init__(self, policy: Path, config: EvaluationConfig, journal: Path | None = None) -> None:
        self.policy = Policy.load(policy)
        self._fingerprint = read_manifest(policy).fingerprint
        self._config = config
        self._journal = journal
        with _quiet():
            self._answerer = load_answerer(policy, self.policy, config)
        gc.collect()
        gc.freeze()  # the libraries and the model stay: no later collection need look at them

    def run(self, info: BenchmarkInfo, questions: Sequence[Question], marker: Marker) -> BenchmarkRun:
        """Answer a benchmark and mark the answers.

        Args:
            info: What the benchmark is.
            questions: Its questions. Images are decoded a batch at a time, and a question is read again for it: a
                sequence may read from disk as it is indexed.
            marker: Marks a response; an exception of its costs the question alone.

        Raises:
            StorageError: The journal cannot be written, or another process writes to it.
            ModelError: The model fails whatever it is asked, or a server is out of reach.
        """
        from components.evaluation.journaled_model import JournaledModel

        start = time.perf_counter()
        if not len(questions):
            return BenchmarkRun([], [], Cost(0.0, 0, 0, 0, 0, 0))
        marks: dict[int, Marks] = {}
        task = task_config(
            info,
            questions,
            self.text_of(info),
            marker,
            max_new_tokens=self.policy.max_completion_length,
            lazy=True,
            keep=marks.__setitem__,
        )
        with contextlib.ExitStack() as stack:
            journal = None
            if self._journal is not None:
                path = journal_path(self._journal, self._fingerprint, info.name, info.version)
                journal = stack.enter_context(Journal(path))
            progress = Progress(info.name, len(questions))
            size = self._answerer.batch_size(self._config.batch_size)
            model = JournaledModel(self._answerer, self._settings(info), journal, size, progress)
            stack.enter_context(_quiet())
            _evaluate(model, task)
        cost = _cost(model, time.perf_counter() - start)
        progress.finish(cost)
        indices = range(len(questions))
        return BenchmarkRun([model.responses[i] for i in indices], [marks[i] for i in indices], cost)

    def text_of(self, info: BenchmarkInfo) -> TextOf:
        """How a question of a benchmark becomes the user's message to this policy."""
        template = self.policy.prompt_template if info.policy_prompt else "{question}"
        return message_of(template, self._answerer.length.special_tokens())

    def _settings(self, info: BenchmarkInfo) -> dict[str, Any]:
        runner = self._config.runner
        return {
            "policy": self._fingerprint,
            "benchmark": info.name,
            "version": info.version,
            "kind": runner.kind,
            "arguments": runner.arguments,
            "dtype": self.policy.dtype,
            "max_pixels": self.policy.max_pixels,
            "max_new_tokens": self.policy.max_completion_length,
            "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        }


class Progress:
    """Says now and then, on standard error, how far a benchmark is.

    Args:
        name: Of the benchmark.
        total: Its questions.
    """

    def __init__(self, name: str, total: int) -> None:
        self._name = name
        self._total = total
        self._start = self._said = time.perf_counter()

    def __call__(self, done: int, batch_size: int) -> None:
        """Tell of questions that have a response."""
        now = time.perf_counter()
        if now - self._said >= _PROGRESS_SECONDS:
            self._said = now
            self._say(done, f"batch size {batch_size}, {now - self._start:.0f} s")

    def finish(self, cost: Cost) -> None:
        """Tell of the end."""
        rate = cost.generated / max(cost.seconds, 1e-9)
        note = f"{rate:.1f} a second, batch size {cost.batch_size}" if cost.generated else "nothing to generate"
        self._say(self._total, f"{note}, {cost.from_journal} from the journal, {cost.seconds:.0f} s")

    def _say(self, done: int, note: str) -> None:
        print(f"{self._name}: {done}/{self._total} [{note}]", file=sys.stderr, flush=True)


def _evaluate(model: Any, task: dict[str, Any]) -> None:
    import lm_eval
    from lm_eval.tasks import TaskManager

    # Not simple_evaluate: it asks pip for every installed package at each call, 0.8 s; manifests have the versions.
    lm_eval.evaluate(
        model,
        TaskManager(include_defaults=False).load([task]),
        apply_chat_template=True,
        log_samples=False,
        bootstrap_iters=0,
    )


def _cost(model: Any, seconds: float) -> Cost:
    answered = [response for response in model.generated if not response.missing]
    return Cost(
        seconds=seconds,
        generated=len(answered),
        from_journal=model.from_journal,
        prompt_tokens=sum(response.prompt_tokens for response in answered),
        completion_tokens=sum(response.length_tokens for response in answered),
        batch_size=model.batch_size,
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without lm-eval's log, a screenful a call, and its bars; what goes wrong with a question is in its response."""
    from tqdm import tqdm

    logger, start = logging.getLogger("lm_eval"), tqdm.__init__
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    tqdm.__init__ = functools.partialmethod(start, disable=True)
    try:
        yield
    finally:
        tqdm.__init__ = start
        logger.setLevel(level)
