"""A base policy in this process: transformers' generate, with a random number for each token of each generation.

`generate` draws the tokens of a whole batch from one stream, so that a generation would depend on its neighbours. Here
each generation has a stream of its own (Philox, keyed by its seed), and a token is the inverse of the cumulative
distribution at the next number: an exact sample that depends on the model's logits alone. These differ between batches
by the rounding of their arithmetic (about 1e-6 in float32, 1e-2 in bfloat16), which now and then decides a token.
"""

import io
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.errors import ModelError
from components.core.memory import is_out_of_memory, release_memory
from components.core.policy import Policy, load_model, load_processor
from components.curation.asking import Ask, AskingConfig, Generation, Refusal

if TYPE_CHECKING:
    import torch

_PIXELS_OF_TOKEN = 28 * 28
_CHARACTERS_OF_TOKEN = 4


@dataclass
class _Pending:
    """An ask of which some generations are not there yet."""

    ask: Ask
    prompt: str
    waiting: int
    generations: dict[int, Generation] = field(default_factory=dict)
    problem: str = ""

    def outcome(self) -> Sequence[Generation] | Refusal:
        """What it came to."""
        if self.problem:
            return Refusal(self.problem)
        return [self.generations[number] for number in sorted(self.generations)]


@dataclass(frozen=True)
class _Row:
    """One generation to make."""

    pending: _Pending
    number: int


class PolicySampler:
    """A policy loaded here; see `asking.Sampler`.

    Args:
        folder: Its files.
        policy: How it is asked, and the longest generation.
        config: Sampling and batch size.

    Raises:
        ModelError: It cannot be loaded.
    """

    def __init__(self, folder: Path, policy: Policy, config: AskingConfig) -> None:
        import torch

        self._policy = policy
        self._config = config
        self._rows = config.batch_size
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = load_model(folder, policy).to(self._device).eval()
        self._processor = load_processor(folder, policy)
        own = self._model.generation_config.eos_token_id
        tokenizer = self._processor.tokenizer
        several = own if isinstance(own, list) else [own]
        self._ends = sorted({*several, tokenizer.eos_token_id} - {None})
        self._padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else self._ends[0]

    def sample(self, asks: Sequence[Ask]) -> Iterator[tuple[Ask, Sequence[Generation] | Refusal]]:
        """Answer, the longest prompts first, so that a memory that is too small shows at once."""
        ordered = sorted(asks, key=self._length, reverse=True)
        pending = [_Pending(ask, self._prompt(ask), len(ask.seeds)) for ask in ordered]
        queue = deque(_Row(item, number) for item in pending for number in range(item.waiting))
        while queue:
            batch = [queue.popleft() for _ in range(min(self._rows, len(queue)))]
            for row, outcome in self._outcomes(batch, queue):
                item = row.pending
                item.waiting -= 1
                if isinstance(outcome, Generation):
                    item.generations[row.number] = outcome
                else:
                    item.problem = item.problem or outcome.reason
                if not item.waiting:
                    yield item.ask, item.outcome()

    def _length(self, ask: Ask) -> int:
        """About how many tokens a prompt has; the order is all that hangs on it."""
        from PIL import Image

        pixels = 0
        for data in ask.images:
            try:
                with Image.open(io.BytesIO(data)) as image:
                    pixels += min(image.width * image.height, self._policy.max_pixels)
            except (OSError, ValueError, Image.DecompressionBombError):
                continue  # it says so when it is asked
        return pixels // _PIXELS_OF_TOKEN + len(ask.question) // _CHARACTERS_OF_TOKEN

    def _prompt(self, ask: Ask) -> str:
        chat = self._policy.conversation(ask.question, len(ask.images))
        return str(self._processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))

    def _outcomes(self, batch: list[_Row], queue: deque[_Row]) -> list[tuple[_Row, Generation | Refusal]]:
        """Make a batch; where it fails, its rows go back to the queue or are made one by one."""
        found = self._attempt(batch)
        if not isinstance(found, Exception):
            return list(zip(batch, found, strict=True))
        if len(batch) == 1:
            release_memory()
            return [(batch[0], Refusal(_line(found)))]
        if is_out_of_memory(found):
            self._rows = max(1, len(batch) // 2)
            queue.extendleft(reversed(batch))
            release_memory()
            return []
        alone = [(row, self._attempt([row])) for row in batch]
        return [(row, Refusal(_line(one)) if isinstance(one, Exception) else one[0]) for row, one in alone]

    def _attempt(self, batch: Sequence[_Row]) -> list[Generation] | Exception:
        try:
            return self._generate(batch)
        except Exception as error:  # each processor and model refuses in its own way: the example that did it says so
            if "CUDA error" in str(error) and not is_out_of_memory(error):
                problem = f"it is gone ({_line(error)})"
                raise ModelError("the base policy", problem, "Run again; the generations so far are kept") from error
            return error.with_traceback(None)

    def _generate(self, batch: Sequence[_Row]) -> list[Generation]:
        import torch
        from transformers import LogitsProcessorList

        images = [_open(row.pending.ask) for row in batch]
        inputs = self._processor(
            text=[row.pending.prompt for row in batch],
            images=images if any(images) else None,
            padding=True,
            return_tensors="pt",
        ).to(self._device)
        longest = self._policy.max_completion_length
        start = inputs["input_ids"].shape[1]
        seeds = [row.pending.ask.seeds[row.number] for row in batch]
        with torch.inference_mode():
            output = self._model.generate(
                **inputs,
                max_new_tokens=longest,
                logits_processor=LogitsProcessorList([_choose(seeds, start, longest, self._config)]),
                # The choice is made by then; whatever the model's own settings would add to it is switched off.
                do_sample=False,
                num_beams=1,
                repetition_penalty=1.0,
                no_repeat_ngram_size=0,
                eos_token_id=self._ends,
                pad_token_id=self._padding,
            )
        return [self._generation(ids, longest) for ids in output[:, start:].tolist()]

    def _generation(self, ids: list[int], longest: int) -> Generation:
        end = next((place for place, id_ in enumerate(ids) if id_ in self._ends), len(ids))
        text = self._processor.tokenizer.decode(ids[:end], skip_special_tokens=True)
        return Generation(text, cut=end == longest)


def _choose(seeds: Sequence[int], start: int, longest: int, config: AskingConfig) -> Any:
    """A logits processor that leaves one token of each row: the one that is sampled.

    Args:
        seeds: Shape (B,), of each row's stream.
        start: Tokens of the padded prompts.
        longest: Tokens to be drawn at most.
        config: Temperature and top-p.
    """
    import torch
    from transformers import LogitsProcessor, TemperatureLogitsWarper, TopPLogitsWarper

    warpers: list[Any] = [TemperatureLogitsWarper(config.temperature)] if config.temperature != 1.0 else []
    warpers += [TopPLogitsWarper(config.top_p)] if config.top_p < 1.0 else []
    draws = torch.tensor(draw(seeds, longest), dtype=torch.float64)

    class Choose(LogitsProcessor):  # type: ignore[misc]  # transformers is untyped to us
        def __call__(self, input_ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
            for warper in warpers:
                scores = warper(input_ids, scores)
            number = input_ids.shape[1] - start
            chosen = inverse_sample(scores, draws[:, number].to(scores.device))
            left = torch.full_like(scores, -torch.inf)
            return left.scatter_(1, chosen[:, None], 0.0)

    return Choose()


def draw(seeds: Sequence[int], longest: int) -> list[list[float]]:
    """The random numbers in [0, 1) of each stream; a longer draw begins like a shorter one.

    Args:
        seeds: B seeds, 0 .. 2^127.
        longest: L, numbers each.

    Returns:
        Shape (B, L).
    """
    import numpy as np

    return [np.random.Generator(np.random.Philox(key=seed)).random(longest).tolist() for seed in seeds]


def inverse_sample(logits: "torch.Tensor", numbers: "torch.Tensor") -> "torch.Tensor":
    """Sample one token a row by the inverse of the cumulative distribution.

    Args:
        logits: Shape (B, V), -inf for a token that must not be chosen; at least one is finite.
        numbers: Shape (B,), in [0, 1).

    Returns:
        Shape (B,), ids of tokens with a probability above 0.
    """
    import torch

    cumulative = torch.softmax(logits.double(), dim=-1).cumsum(dim=-1)
    total = cumulative[:, -1:]
    # Below the total in spite of rounding, or the last token would be chosen whatever its probability.
    wanted = torch.minimum(numbers[:, None].double() * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(cumulative, wanted, right=True)[:, 0]


def _open(ask: Ask) -> list[Any]:
    from PIL import Image

    return [Image.open(io.BytesIO(data)).convert("RGB") for data in ask.images]


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}"[:300] if lines else type(error).__name__
