"""Prompt length: how many tokens a prompt with images has, and images that are small enough for it to fit.

lm-eval cuts a prompt that is too long from the left, through the tokens that stand for its images, which no model
survives. Here the images are scaled down before anything is generated.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from components.evaluation.task import Size

if TYPE_CHECKING:
    from PIL.Image import Image

_PATCH = 28
"""Pixels along the square that makes a token of most models; nothing is gained by images that are smaller."""
_STEPS = 8
"""Of the search for a factor: each halves its logarithm's error."""


class PromptLength:
    """Counts tokens with a model's own processor.

    Args:
        processor: Of transformers; None where there is none, and nothing is known.
        max_pixels: Larger images are scaled down to this many pixels, which bounds the guess where the processor
            cannot count.
    """

    def __init__(self, processor: Any | None, max_pixels: int) -> None:
        self._processor = processor
        self._max_pixels = max_pixels
        self._known: dict[Size, int | None] = {}

    def special_tokens(self) -> set[str]:
        """Texts that the tokenizer or the processor take for something else than text; none where there is neither."""
        if self._processor is None:
            return set()
        tokenizer = self._processor.tokenizer
        added = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
        places = {getattr(self._processor, f"{kind}_token", None) for kind in ("image", "video", "audio")}
        return added | set(tokenizer.all_special_tokens) | {token for token in places if isinstance(token, str)}

    def of_texts(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text; 0 for all where there is no tokenizer."""
        if self._processor is None or not texts:
            return [0] * len(texts)
        encoded = self._processor.tokenizer(list(texts), add_special_tokens=False)["input_ids"]
        return [len(ids) for ids in encoded]

    def without_images(self, prompt: str) -> str:
        """A prompt without the tokens that mark its images' places; for them the images' own tokens are counted."""
        token = getattr(self._processor, "image_token", None)
        return prompt.replace(token, "") if isinstance(token, str) and token else prompt

    def of_images(self, sizes: Sequence[Size]) -> int | None:
        """Tokens that stand for images in a prompt, by the processor's own count; None where it does not count."""
        self._count([size for size in sizes if size not in self._known])
        counts = [self._known[size] for size in sizes]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    def estimates(self, texts: Sequence[str], sizes: Sequence[Sequence[Size | None]]) -> list[int]:
        """About how many tokens each prompt has: the processor's count where it has one, else a guess by the pixels.

        Args:
            texts: The prompts without their images.
            sizes: Of each prompt's images; None where one is not readable.
        """
        self._count(list(dict.fromkeys(size for own in sizes for size in own if size and size not in self._known)))
        return [
            text + sum(self._guess(size) for size in own) for text, own in zip(self.of_texts(texts), sizes, strict=True)
        ]

    def _guess(self, size: Size | None) -> int:
        if size is None:
            return 0
        counted = self._known.get(size)
        return counted if counted is not None else min(size[0] * size[1], self._max_pixels) // _PATCH**2

    def _count(self, sizes: Sequence[Size]) -> None:
        """Count new sizes, all at once, or one by one where that fails: the processor refuses absurd ones."""
        if not sizes:
            return
        try:
            self._known.update(zip(sizes, self._tokens(sizes), strict=True))
        except Exception:  # each processor refuses in its own way; the image's own turn tells what is wrong
            if len(sizes) == 1:
                self._known[sizes[0]] = None
                return
            for size in sizes:
                self._count([size])

    def _tokens(self, sizes: Sequence[Size]) -> list[int | None]:
        count = getattr(self._processor, "_get_num_multimodal_tokens", None)
        if count is None:
            return [None] * len(sizes)
        return list(count(image_sizes=[[height, width] for width, height in sizes])["num_image_tokens"])


def largest_factor(sizes: Sequence[Size], length_at: Callable[[float], int], room: int) -> float | None:
    """How far images have to be scaled down for their prompt to fit.

    Args:
        sizes: Of the images of one prompt.
        length_at: Tokens of the prompt when the images' sides are multiplied by a factor in (0, 1].
        room: Tokens that the prompt may have.

    Returns:
        The largest factor that was found, 1 where nothing has to be done; None where the prompt is too long whatever
        the images' size.
    """
    if length_at(1.0) <= room:
        return 1.0
    longest = max((side for size in sizes for side in size), default=0)
    low, high = min(1.0, _PATCH / max(longest, 1)), 1.0
    if length_at(low) > room:
        return None
    for _ in range(_STEPS):
        # Tokens go with the square of the factor, over several orders of magnitude: the search halves the ratio.
        middle = (low * high) ** 0.5
        if length_at(middle) > room:
            high = middle
        else:
            low = middle
    return low


def scale_images(images: Sequence["Image"], factor: float) -> list["Image"]:
    """Images with their sides multiplied by a factor of at most 1."""
    from PIL import Image

    return [image.resize(scaled_size(image.size, factor), Image.Resampling.BICUBIC) for image in images]


def scaled_size(size: Size, factor: float) -> Size:
    """A size multiplied by a factor, no side shorter than a pixel."""
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
