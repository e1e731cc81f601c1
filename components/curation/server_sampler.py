"""A base policy behind a server that speaks OpenAI's chat completions, such as vLLM: the way to millions of rows.

The server has the chat template and batches by itself. Each request carries a seed of its own, so that it depends on
no other as far as the server's arithmetic allows.
"""

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Any

from components.core.chat import ChatServer, ChatServerConfig, Completion, Unanswered, data_url
from components.core.errors import ModelError
from components.core.policy import Policy
from components.curation.asking import Ask, AskingConfig, Generation, Refusal

_LARGEST_SEED = 2**31  # what all servers accept


class ServerSampler:
    """A policy at an address; see `asking.Sampler`.

    Args:
        config: The server.
        policy: How it is asked, and the longest generation.
        asking: Sampling.
    """

    def __init__(self, config: ChatServerConfig, policy: Policy, asking: AskingConfig) -> None:
        self._config = config
        self._server = ChatServer(config, "base policy")
        self._policy = policy
        self._asking = asking

    def sample(self, asks: Sequence[Ask]) -> Iterator[tuple[Ask, Sequence[Generation] | Refusal]]:
        """Answer, in the order in which replies come.

        Raises:
            ModelError: The server refuses all requests, or has stopped answering.
        """
        pool = ThreadPoolExecutor(self._config.concurrency)
        asked: dict[Future[Sequence[Generation] | Refusal], Ask] = {pool.submit(self._answer, ask): ask for ask in asks}
        try:
            for future in as_completed(asked):
                # What was not answered because the server is gone is no property of the example.
                if not isinstance(future.result(), Refusal):
                    yield asked[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)
        refused = [(ask, future.result()) for future, ask in asked.items() if isinstance(future.result(), Refusal)]
        self._server.check()
        if self._server.has_given_up:
            raise ModelError(
                f"base policy {self._config.model} at {self._config.base_url}",
                f"it has stopped answering ({self._server.last_failure})",
                "Start it again and run again; the generations so far are kept",
            )
        yield from refused

    def _answer(self, ask: Ask) -> Sequence[Generation] | Refusal:
        try:
            messages = self._messages(ask)
        except (OSError, ValueError, SyntaxError) as error:  # PIL raises all three on broken data
            return Refusal(f"an image is broken ({error})")
        found: list[Generation] = []
        while len(found) < len(ask.seeds):  # a server that knows no n gives one choice a request
            reply = self._server.ask(self._body(messages, ask.seeds[len(found) :]))
            if isinstance(reply, Unanswered):
                return Refusal(reply.reason)
            found += [_generation(item) for item in reply]
        return found[: len(ask.seeds)]

    def _body(self, messages: list[dict[str, Any]], seeds: Sequence[int]) -> dict[str, Any]:
        return {
            "messages": messages,
            "n": len(seeds),
            "seed": seeds[0] % _LARGEST_SEED,
            "temperature": self._asking.temperature,
            "top_p": self._asking.top_p,
            "max_tokens": self._policy.max_completion_length,
        }

    def _messages(self, ask: Ask) -> list[dict[str, Any]]:
        """The chat of `Policy.conversation`, in the server's form."""
        images = iter(ask.images)
        chat = self._policy.conversation(ask.question, len(ask.images))
        return [
            {
                **message,
                "content": [
                    block
                    if block["type"] == "text"
                    else {"type": "image_url", "image_url": {"url": data_url(self._bounded(next(images)))}}
                    for block in message["content"]
                ],
            }
            for message in chat
        ]

    def _bounded(self, data: bytes) -> bytes:
        """An image with no more pixels than the policy's own processor would leave."""
        from PIL import Image

        try:
            with Image.open(io.BytesIO(data)) as image:
                factor = (self._policy.max_pixels / (image.width * image.height)) ** 0.5
                if factor >= 1:
                    return data
                size = max(1, int(image.width * factor)), max(1, int(image.height * factor))
                stream = io.BytesIO()
                image.convert("RGB").resize(size, Image.Resampling.BICUBIC).save(stream, format="PNG")
                return stream.getvalue()
        except Image.DecompressionBombError as error:
            raise ValueError(str(error)) from None


def _generation(completion: Completion) -> Generation:
    return Generation(completion.text, completion.cut)
