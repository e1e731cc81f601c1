"""Asking a base policy: k generations an example, with or without its images, each kept as it comes.

A generation depends on the policy, on how it samples, on the seed, on the example and on the generation's number; not
on the batch it is made in, nor on the order of the examples. So a journal can hold it: a run that was killed goes on
behind the last example, and a run with a larger k asks for the missing generations alone.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import Field

from components.core.chat import EXECUTION, ChatServerConfig
from components.core.config import Config
from components.core.errors import ModelError
from components.core.example import Example
from components.core.reply_journal import ReplyJournal

View = Literal["sighted", "blind"]
"""Whether the images are shown."""
_HOPELESS = 32
"""Examples without an answer, before any with one, after which it is the policy that is at fault and not they."""


class PolicyServerConfig(ChatServerConfig):
    """A server that holds the policy and speaks OpenAI's chat completions, as vLLM does."""

    model: str = ""
    """Name by which the server knows the policy; "" where there is no server, and the policy is loaded here."""


class AskingConfig(Config):
    """Which base policy is asked, and how it samples."""

    policy: str = ""
    """Folder or hub id of the policy; "" asks the run's own base policy, which training starts from."""
    revision: str = "main"
    """Branch, tag or commit of a hub id; it is resolved to a commit, which is recorded."""
    template: str = Field(default="{question}", pattern=r"\{question\}")
    """The user's message to a policy that does not bring its own (policy.json)."""
    max_pixels: int = Field(default=1003520, ge=784)
    """Larger images are scaled down to this many pixels, for a policy that does not bring its own limit."""
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    """Type of the weights in memory, for a policy that does not bring its own."""
    server: PolicyServerConfig = PolicyServerConfig()
    """A server to ask in place of a policy that is loaded here."""
    temperature: float = Field(default=1.0, gt=0, le=2)
    """Of the sampling; 1 as in the rollouts of training, whose groups the pass rate is to predict."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Share of the probability that is sampled from."""
    max_tokens: int = Field(default=0, ge=0, le=32768)
    """Longest generation; 0 is the policy's own limit, and 2048 for one that does not bring its own."""
    batch_size: int = Field(default=64, ge=1)
    """Generations at a time, where the policy is loaded here; halved when the memory is full."""

    @property
    def is_served(self) -> bool:
        """Whether a server is asked."""
        return bool(self.server.model)

    def sampling(self) -> dict[str, Any]:
        """The settings that decide a generation beside the policy."""
        return {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "server": self.server.model_dump(mode="json", exclude=set(EXECUTION)),
        }

    def identity(self) -> dict[str, Any]:
        """The settings that decide the generations."""
        outside = {"batch_size", "server"}
        return {**self.model_dump(mode="json", exclude=outside), "server": self.sampling()["server"]}


@dataclass(frozen=True)
class Generation:
    """What a policy said once."""

    text: str
    cut: bool
    """It reached the longest length allowed."""


@dataclass(frozen=True)
class Ask:
    """A question to put to a policy several times."""

    id: str
    """Of the example."""
    question: str
    images: tuple[bytes, ...]
    """Encoded; none where the policy is to be blind."""
    seeds: tuple[int, ...]
    """One a generation, 0 .. 2^127."""


@dataclass(frozen=True)
class Refusal:
    """Why an ask has no generations."""

    reason: str


class Sampler(Protocol):
    """A policy that answers."""

    def sample(self, asks: Sequence[Ask]) -> Iterator[tuple[Ask, Sequence[Generation] | Refusal]]:
        """Answer.

        Args:
            asks: In any order.

        Yields:
            Each ask once, as soon as it is answered, with one generation a seed.

        Raises:
            ModelError: The policy is gone.
        """
        ...


@dataclass
class AskingCost:
    """What asking took, this time."""

    generated: int = 0
    """Generations that were made."""
    found: int = 0
    """Generations that the journal held."""
    cut: int = 0
    """Generations, made or found, that reached the longest length: their answer may not have come yet."""
    refused: int = 0
    """Examples without generations."""
    first_refusal: str = ""


class Asker:
    """Asks one policy, by way of a journal.

    Args:
        sampler: The policy.
        journal: Holds generations from one run to the next.
        identity: All that decides a generation beside example, number and view: policy, sampling; JSON values.
        seed: Another seed gives other generations.
    """

    def __init__(self, sampler: Sampler, journal: ReplyJournal, identity: Mapping[str, Any], seed: int) -> None:
        self.cost = AskingCost()
        self._sampler = sampler
        self._journal = journal
        self._identity = json.dumps([identity, seed], sort_keys=True)

    def ask(self, examples: Sequence[Example], count: int, view: View) -> list[Sequence[Generation] | Refusal]:
        """Generations about each example, in order.

        Args:
            examples: N examples of different ids.
            count: Generations an example.
            view: Whether it sees the images.

        Returns:
            `count` generations each, or why there are none.

        Raises:
            ModelError: The policy fails whatever it is asked.
            StorageError: The journal cannot be read or written.
        """
        held = {example.id: self._held(example, view)[:count] for example in examples}
        self.cost.found += sum(map(len, held.values()))
        asks = [
            self._ask(example, range(len(held[example.id]), count), view)
            for example in examples
            if len(held[example.id]) < count
        ]
        found: dict[str, Sequence[Generation] | Refusal] = dict(held)
        for ask, answer in self._sampler.sample(asks) if asks else ():
            if isinstance(answer, Refusal):
                self._refuse(ask, answer)
                found[ask.id] = answer
                continue
            self.cost.generated += len(answer)
            found[ask.id] = whole = [*held[ask.id], *answer]
            self._journal.add(self._key(ask.id, view), json.dumps([[item.text, item.cut] for item in whole]))
        answers = [found[example.id] for example in examples]
        self.cost.cut += sum(item.cut for answer in answers if not isinstance(answer, Refusal) for item in answer)
        return answers

    def _refuse(self, ask: Ask, refusal: Refusal) -> None:
        self.cost.refused += 1
        self.cost.first_refusal = self.cost.first_refusal or f"{ask.id}: {refusal.reason}"
        if self.cost.refused >= _HOPELESS and not self.cost.generated + self.cost.found:
            raise ModelError(
                "the base policy",
                f"it gave no answer to any of the first {self.cost.refused} examples ({self.cost.first_refusal})",
                "Mend what it says and run again",
            )

    def _ask(self, example: Example, numbers: range, view: View) -> Ask:
        key = self._key(example.id, view)
        seeds = tuple(int.from_bytes(_digest(f"{key} {number}")[:16]) >> 1 for number in numbers)
        return Ask(example.id, example.question, example.images if view == "sighted" else (), seeds)

    def _held(self, example: Example, view: View) -> list[Generation]:
        reply = self._journal.get(self._key(example.id, view))
        return [Generation(text, cut) for text, cut in json.loads(reply)] if reply is not None else []

    def _key(self, example_id: str, view: View) -> str:
        return _digest(f"{self._identity} {view} {example_id}").hex()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
