"""The model that lm-eval sees: it asks the policy for what the journal does not hold.

Imports lm-eval, and with it torch, as it is loaded: import it inside functions.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM

from components.evaluation.answerer import Answerer, Request
from components.evaluation.batching import Answering, BatchSize
from components.evaluation.journal import Journal, request_digest
from components.evaluation.response import Response
from components.evaluation.task import Missing


class JournaledModel(LM):  # type: ignore[misc]  # lm-eval has no types
    """Answers one task's requests, whose images are LazyImages.

    Args:
        answerer: The policy.
        settings: All that decides a response beside the question, for the journal; JSON values.
        journal: Where responses are kept; None keeps none.
        size: Of the batches.
        progress: Called with the number of questions that have a response, and the batch size.
    """

    MULTIMODAL = True

    def __init__(
        self,
        answerer: Answerer,
        settings: Mapping[str, Any],
        journal: Journal | None,
        size: BatchSize,
        progress: Callable[[int, int], object],
    ) -> None:
        super().__init__()
        self._answerer = answerer
        self._settings = settings
        self._journal = journal
        self._progress = progress
        self._answering = Answering(answerer.answer, self._keep, size)
        self._keys: dict[int, str] = {}
        self.responses: dict[int, Response] = {}
        """By the question's index."""
        self.generated: list[Response] = []
        """Those that the journal did not hold."""
        self.from_journal = 0

    @property
    def batch_size(self) -> int:
        """That was last in use; 0 where nothing was generated."""
        return self._answering.used

    @property
    def tokenizer_name(self) -> str:
        """lm-eval asks for it as a key of a cache that is not used here."""
        return ""

    def apply_chat_template(self, chat_history: list[dict[str, Any]], add_generation_prompt: bool = True) -> str:
        """The prompt as sent."""
        return self._answerer.chat(chat_history, add_generation_prompt)

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:  # noqa: ARG002
        """The responses' texts, in the requests' order."""
        asked = [Request(prompt, arguments["visual"]) for prompt, _, arguments in (item.args for item in requests)]
        missing = [request for request in asked if not self._recall(request)]
        self.from_journal = self._answering.answered = len(asked) - len(missing)
        tokens = self._answerer.estimates(missing)
        sized = [dataclasses.replace(item, tokens=count) for item, count in zip(missing, tokens, strict=True)]
        self._answering.run(sorted(sized, key=lambda item: (-item.tokens, item.images.index)))
        found = [self.responses[request.images.index] for request in asked]
        return [Missing() if response.missing else response.text for response in found]

    def loglikelihood(self, requests: list[Instance]) -> list[tuple[float, bool]]:
        """No task of ours asks for it."""
        raise NotImplementedError("benchmarks are answered, not scored by likelihood")

    def loglikelihood_rolling(self, requests: list[Instance]) -> list[float]:
        """No task of ours asks for it."""
        raise NotImplementedError("benchmarks are answered, not scored by likelihood")

    def _recall(self, request: Request) -> bool:
        """Take a response from the journal, if it is there."""
        if self._journal is None:
            return False
        images = request.images
        key = request_digest(self._settings, images.question, request.prompt, images.digests)
        self._keys[images.index] = key
        response = self._journal.get(key, request.prompt)
        if response is not None:
            self.responses[images.index] = response
        return response is not None

    def _keep(self, requests: Sequence[Request], responses: list[Response]) -> None:
        indices = [request.images.index for request in requests]
        self.responses.update(zip(indices, responses, strict=True))
        self.generated += responses
        if self._journal is not None:
            kept = zip(requests, responses, strict=True)
            self._journal.add(
                (self._keys[request.images.index], request.images.question, response)
                for request, response in kept
                if not response.missing
            )
        self._progress(len(self.responses), self.batch_size)
