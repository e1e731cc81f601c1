"""Answerers: a policy behind one of lm-eval's model types, asked a batch at a time."""

import base64
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components.core.errors import ModelError
from components.core.memory import is_out_of_memory
from components.core.question import IMAGE
from components.core.sample import RESIZED
from components.evaluation.batching import BatchSize
from components.evaluation.prompt_length import PromptLength, largest_factor, scale_images, scaled_size
from components.evaluation.response import Response, first_line, not_generated
from components.evaluation.task import LazyImages, generation_settings

if TYPE_CHECKING:
    from PIL.Image import Image

_ITEM_STATUS = (400, 413, 422)
"""HTTP statuses by which a server refuses the one request, not all of them."""
_ALL_STATUS = (401, 403, 404)
"""Those by which it refuses all: the key, the address or the model's name is wrong."""


@dataclass(frozen=True)
class Request:
    """A question as it is sent."""

    prompt: str
    """Chat template and all."""
    images: LazyImages
    tokens: int = 0
    """About how many the prompt has, the images' included."""


@dataclass(frozen=True)
class Opened:
    """A request with its images decoded, small enough for the prompt to fit."""

    request: Request
    images: list["Image"]
    flags: tuple[str, ...] = ()


class Answerer(ABC):
    """A policy that answers.

    Args:
        lm: lm-eval's model.
        length: Counts tokens.
        max_new_tokens: The longest response.
        room: Tokens that a prompt may have; None where the model's limit is not known.

    Raises:
        ModelError: The longest response leaves no room for a prompt.
    """

    def __init__(self, lm: Any, length: PromptLength, max_new_tokens: int, room: int | None) -> None:
        if room is not None and room < 1:
            raise ModelError(
                "the policy's longest response",
                f"{max_new_tokens} tokens leave no room for a prompt in the model's {room + max_new_tokens}",
                "Lower prompt.max_completion_length",
            )
        self.lm = lm
        self.length = length
        self.max_new_tokens = max_new_tokens
        self.room = room

    def chat(self, history: list[dict[str, Any]], add_generation_prompt: bool = True) -> str:
        """The prompt for a chat, with the model's own template."""
        return str(self.lm.apply_chat_template(history, add_generation_prompt))

    def batch_size(self, fixed: int) -> BatchSize:
        """How many requests `answer` gets at a time; 0 leaves it to the answerer."""
        return BatchSize(fixed)

    def plain_text(self, prompt: str) -> str:
        """What is left of a prompt without its images."""
        return self.length.without_images(prompt)

    def estimates(self, requests: Sequence[Request]) -> list[int]:
        """About how many tokens each prompt has, the images' included."""
        texts = [self.plain_text(request.prompt) for request in requests]
        return self.length.estimates(texts, [request.images.sizes for request in requests])

    @abstractmethod
    def answer(self, requests: Sequence[Request]) -> list[Response]:
        """Answer a batch, in order.

        A request with a broken image, or too long a prompt, gets a response that is NOT_GENERATED; whatever the model
        raises comes through.
        """

    def open(self, request: Request) -> Opened | Response:
        """Decode a request's images and scale them down where the estimate of the prompt's length asks for it."""
        try:
            images = request.images.open()
        except Exception as error:  # PIL raises many kinds on broken data
            if is_out_of_memory(error):
                raise
            return not_generated(first_line(error))
        if self.room is None or request.tokens <= self.room:
            return Opened(request, images)
        sizes = [image.size for image in images]
        if self.length.of_images(sizes) is None:
            return Opened(request, images)
        text = self.length.of_texts([self.plain_text(request.prompt)])[0]

        def length_at(factor: float) -> int:
            tokens = self.length.of_images([scaled_size(size, factor) for size in sizes])
            return text + (tokens or 0)

        factor = largest_factor(sizes, length_at, self.room)
        if factor is None:
            return self.too_long()
        return Opened(request, images) if factor == 1.0 else Opened(request, scale_images(images, factor), (RESIZED,))

    def too_long(self) -> Response:
        """The response to a prompt that does not fit whatever its images' size."""
        return not_generated(f"the prompt has more than {self.room} tokens even with the smallest images")


class TransformersAnswerer(Answerer):
    """A model of transformers in this process: lm-eval's hf-multimodal, whose processor and model it uses.

    It generates what lm-eval would, and looks at the generated ids, which lm-eval throws away: they tell how long a
    response is and whether it was cut. Beside that it does not collect garbage after every batch, and does not decode
    the last tokens after every step to look for the end token, which `generate` itself looks for.
    """

    def __init__(self, lm: Any, length: PromptLength, max_new_tokens: int) -> None:
        super().__init__(lm, length, max_new_tokens, lm.max_length - max_new_tokens)
        lm.chat_applied = True
        own = lm.model.generation_config.eos_token_id
        ids = own if isinstance(own, list) else [own]
        self._end_tokens = sorted({id_ for id_ in (*ids, lm.eot_token_id) if id_ is not None})

    def answer(self, requests: Sequence[Request]) -> list[Response]:
        """Answer a batch; see Answerer."""
        found: dict[int, Response] = {}
        opened = self._kept([(request, self.open(request)) for request in requests], found)
        inputs, opened = self._encode(opened, found)
        if inputs is not None:
            lengths = inputs["attention_mask"].sum(1).tolist()
            for item, length, ids in zip(opened, lengths, self._generate(inputs), strict=True):
                found[item.request.images.index] = self._to_response(item, length, ids)
        return [found[request.images.index] for request in requests]

    @staticmethod
    def _kept(outcomes: Sequence[tuple[Request, Opened | Response]], found: dict[int, Response]) -> list[Opened]:
        """Those that can be asked; the responses of the others go to `found`."""
        found.update({request.images.index: item for request, item in outcomes if isinstance(item, Response)})
        return [item for _, item in outcomes if isinstance(item, Opened)]

    def _encode(self, opened: list[Opened], found: dict[int, Response]) -> tuple[Any, list[Opened]]:
        """The model's inputs for a batch, less those that the processor refuses or that do not fit."""
        opened, inputs = self._processed(opened, found)
        if inputs is None or self.room is None or inputs["input_ids"].shape[1] <= self.room:
            return inputs, opened
        lengths = inputs["attention_mask"].sum(1).tolist()
        refitted = [
            (item.request, item if length <= self.room else self._refit(item, self.room))
            for item, length in zip(opened, lengths, strict=True)
        ]
        opened, inputs = self._processed(self._kept(refitted, found), found)
        return inputs, opened

    def _processed(self, opened: list[Opened], found: dict[int, Response]) -> tuple[list[Opened], Any]:
        if not opened:
            return [], None
        try:
            return opened, self._inputs(opened)
        except Exception as error:  # each processor refuses in its own way; the question that did it says so
            if is_out_of_memory(error):
                raise
            if len(opened) == 1:
                found[opened[0].request.images.index] = not_generated(first_line(error))
                return [], None
        # One of them is at fault: each is tried alone, and those that stand it make a batch again.
        standing = [item for item in opened if self._processed([item], found)[0]]
        return standing, self._inputs(standing) if standing else None

    def _refit(self, item: Opened, room: int) -> Opened | Response:
        """Scale images by the length that the processor really gives, where it cannot count beforehand."""
        images = item.images

        def length_at(factor: float) -> int:
            return int(self._inputs([Opened(item.request, scale_images(images, factor))])["input_ids"].shape[1])

        factor = largest_factor([image.size for image in images], length_at, room)
        return self.too_long() if factor is None else Opened(item.request, scale_images(images, factor), (RESIZED,))

    def _inputs(self, opened: Sequence[Opened]) -> Any:
        return self.lm.tok_batch_multimodal_encode(
            [item.request.prompt for item in opened], [item.images for item in opened]
        )

    def _generate(self, inputs: Any) -> list[list[int]]:
        """Generated ids of each row, as far as its end token."""
        output = self.lm.model.generate(
            **inputs,
            max_new_tokens=self.max_new_tokens,
            do_sample=False,
            use_cache=True,
            eos_token_id=self._end_tokens,
            pad_token_id=self.lm.tokenizer.pad_token_id,
        )
        rows: list[list[int]] = output[:, inputs["input_ids"].shape[1] :].tolist()
        return [self._before_end(row) for row in rows]

    def _before_end(self, ids: list[int]) -> list[int]:
        end = next((position for position, id_ in enumerate(ids) if id_ in self._end_tokens), len(ids))
        return ids[:end]

    def _to_response(self, item: Opened, prompt_tokens: int, ids: list[int]) -> Response:
        return Response(
            text=self.lm.tok_decode(ids),
            prompt=item.request.prompt,
            prompt_tokens=prompt_tokens,
            length_tokens=len(ids),
            truncated=len(ids) == self.max_new_tokens,
            flags=item.flags,
        )


class LmEvalAnswerer(Answerer):
    """Any other multimodal model type of lm-eval, which gives text alone: lengths are counted by the tokenizer.

    Args:
        lm: lm-eval's model.
        length: Counts tokens.
        max_new_tokens: The longest response.
        room: Tokens that a prompt may have; None where the model's limit is not known.
        at_once: Requests that it takes at a time.
        max_pixels: Larger images are scaled down to this many pixels before they are sent.
    """

    def __init__(
        self, lm: Any, length: PromptLength, max_new_tokens: int, room: int | None, *, at_once: int, max_pixels: int
    ) -> None:
        super().__init__(lm, length, max_new_tokens, room)
        self._at_once = at_once
        self._max_pixels = max_pixels

    def batch_size(self, fixed: int) -> BatchSize:
        """The model type batches by itself: nothing is searched."""
        return BatchSize(fixed or self._at_once)

    def answer(self, requests: Sequence[Request]) -> list[Response]:
        """Answer a batch; see Answerer."""
        opened = [self.open(request) for request in requests]
        sent = [self._bounded(item) for item in opened if isinstance(item, Opened)]
        responses = iter(self._responses(sent) if sent else [])
        return [item if isinstance(item, Response) else next(responses) for item in opened]

    def _bounded(self, item: Opened) -> Opened:
        images = [
            scale_images([image], min(1.0, (self._max_pixels / (image.width * image.height)) ** 0.5))[0]
            for image in item.images
        ]
        return Opened(item.request, images, item.flags)

    def _responses(self, sent: Sequence[Opened]) -> list[Response]:
        texts = self.generate(sent)
        lengths = self.length.of_texts(texts)
        prompts = self.length.estimates(
            [self.plain_text(item.request.prompt) for item in sent],
            [[image.size for image in item.images] for item in sent],
        )
        return [
            Response(text, item.request.prompt, prompt_tokens, length, length >= self.max_new_tokens, item.flags)
            for item, text, prompt_tokens, length in zip(sent, texts, prompts, lengths, strict=True)
        ]

    def generate(self, sent: Sequence[Opened]) -> list[str]:
        """The texts that lm-eval's model gives back."""
        return self.ask([(item.request.prompt, item.images) for item in sent])

    def ask(self, requests: Sequence[tuple[Any, list["Image"]]]) -> list[str]:
        """Hand prompts and images to lm-eval's model."""
        from lm_eval.api.instance import Instance

        settings = generation_settings(self.max_new_tokens)
        instances = [
            Instance("generate_until", {}, (prompt, dict(settings), {"visual": images}), 0)
            for prompt, images in requests
        ]
        return [str(text) for text in self.lm.generate_until(instances, disable_tqdm=True)]


class ChatAnswerer(LmEvalAnswerer):
    """A server that speaks the OpenAI chat protocol, through lm-eval's local-chat-completions.

    lm-eval puts all images in front of the text and leaves the <image> marks in it; here each image stands where the
    prompt has it.
    """

    def chat(self, history: list[dict[str, Any]], add_generation_prompt: bool = True) -> str:  # noqa: ARG002
        """The chat itself: the server has the template."""
        messages = [{"role": message["role"], "content": message["content"]} for message in history]
        return json.dumps(messages, ensure_ascii=False)

    def plain_text(self, prompt: str) -> str:
        """The messages' texts."""
        return "\n".join(message["content"].replace(IMAGE, "") for message in json.loads(prompt))

    def answer(self, requests: Sequence[Request]) -> list[Response]:
        """Answer a batch; see Answerer.

        Raises:
            ModelError: The server is out of reach, or refuses all requests.
        """
        try:
            return super().answer(requests)
        except Exception as error:  # of whichever HTTP client lm-eval uses
            if _is_out_of_reach(error) or _status(error) in _ALL_STATUS:
                raise ModelError(
                    str(self.lm.base_url),
                    f"the server is out of reach, or refuses all requests ({first_line(error)})",
                    "Start it or correct runner.arguments (base_url, model) and the key in OPENAI_API_KEY, and run "
                    "again; the answers so far are kept",
                ) from error
            if len(requests) == 1 and _status(error) in _ITEM_STATUS:
                return [not_generated(first_line(error))]
            raise

    def generate(self, sent: Sequence[Opened]) -> list[str]:
        """The texts that the server gives back."""
        from lm_eval.models.api_models import JsonChatStr

        return self.ask([(JsonChatStr(json.dumps(_messages(item))), []) for item in sent])


def _messages(item: Opened) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = json.loads(item.request.prompt)
    images = iter(item.images)
    for message in messages:
        blocks: list[Mapping[str, Any]] = []
        for number, text in enumerate(message["content"].split(IMAGE)):
            if number:
                blocks.append({"type": "image_url", "image_url": {"url": _data_url(next(images)), "detail": "auto"}})
            if text:
                blocks.append({"type": "text", "text": text})
        message["content"] = blocks
    return messages


def _data_url(image: "Image") -> str:
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def _is_out_of_reach(error: Exception) -> bool:
    import aiohttp
    import requests

    return isinstance(error, requests.ConnectionError | aiohttp.ClientConnectionError)


def _status(error: Exception) -> int | None:
    """The HTTP status of what requests or aiohttp raised."""
    answered = getattr(error, "response", None)
    status = getattr(error, "status", None) if answered is None else answered.status_code
    return status if isinstance(status, int) else None
