import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from components.evaluation.prompt_length import PromptLength, largest_factor, scale_images, scaled_size
from components.training.tiny_policy import build_processor, build_tokenizer

_PIXELS = 224 * 224
_PROCESSOR = build_processor(build_tokenizer(["What is it?"], 300), _PIXELS)
_SIZES = st.lists(st.tuples(st.integers(28, 3000), st.integers(28, 3000)), min_size=1, max_size=3)


@given(_SIZES, st.integers(0, 500), st.integers(1, 3000))
def test_largest_factor_fits_and_a_slightly_larger_one_does_not(
    sizes: list[tuple[int, int]], text: int, room: int
) -> None:
    def length_at(factor: float) -> int:
        scaled = [scaled_size(size, factor) for size in sizes]
        return text + sum(max(1, width * height // 784) for width, height in scaled)

    factor = largest_factor(sizes, length_at, room)

    smallest = min(1.0, 28 / max(max(size) for size in sizes))
    if factor is None:
        assert length_at(smallest) > room
    else:
        assert length_at(factor) <= room
        step = smallest ** (-1 / 2**8)  # the search's last interval
        assert factor == 1 or length_at(min(1.0, factor * step * 1.001)) > room


@given(st.tuples(st.integers(1, 5000), st.integers(1, 5000)), st.floats(1e-4, 1))
def test_scaled_size_is_no_larger_and_never_empty(size: tuple[int, int], factor: float) -> None:
    scaled = scaled_size(size, factor)

    assert all(1 <= new <= old for new, old in zip(scaled, size, strict=True))
    assert all(math.isclose(new, old * factor, abs_tol=1) for new, old in zip(scaled, size, strict=True))


def test_images_are_scaled_by_one_factor() -> None:
    images = [Image.new("RGB", (100, 50)), Image.new("RGB", (40, 40))]

    assert [image.size for image in scale_images(images, 0.5)] == [(50, 25), (20, 20)]


@given(st.tuples(st.integers(28, 600), st.integers(28, 600)), st.sampled_from(["", "What?", "It is 7. "]))
def test_count_is_what_the_processor_really_gives(size: tuple[int, int], text: str) -> None:
    prompt = f"<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>{text}"
    length = PromptLength(_PROCESSOR, _PIXELS)

    encoded = _PROCESSOR(text=[prompt], images=[[Image.new("RGB", size)]])["input_ids"][0]

    assert length.estimates([length.without_images(prompt)], [[size]]) == [len(encoded)]


def test_refused_size_is_unknown_and_the_others_are_counted() -> None:
    """Qwen's processor refuses an aspect ratio of 200 and more."""
    length = PromptLength(_PROCESSOR, _PIXELS)

    assert length.of_images([(56, 56), (3000, 4)]) is None
    assert length.of_images([(56, 56)]) == 4


def test_processor_that_does_not_count_leaves_a_guess_by_pixels() -> None:
    class Silent:
        tokenizer: Any = _PROCESSOR.tokenizer

    length = PromptLength(Silent(), _PIXELS)

    assert length.of_images([(56, 56)]) is None
    assert length.estimates([""], [[(56, 56)]]) == [4]
    assert length.estimates([""], [[(5000, 5000), None]]) == [_PIXELS // 784]


def test_nothing_is_known_without_a_processor() -> None:
    length = PromptLength(None, _PIXELS)

    assert length.of_texts(["What?", ""]) == [0, 0]
    assert length.of_images([(56, 56)]) is None
    assert length.special_tokens() == set()
    assert length.without_images("<image>What?") == "<image>What?"


@pytest.mark.parametrize("token", ["<|im_end|>", "<|image_pad|>", "<|video_pad|>", "<|endoftext|>"])
def test_special_tokens_are_those_of_tokenizer_and_processor(token: str) -> None:
    assert token in PromptLength(_PROCESSOR, _PIXELS).special_tokens()


def test_tags_that_a_response_is_made_of_are_no_special_tokens() -> None:
    assert "<think>" not in PromptLength(_PROCESSOR, _PIXELS).special_tokens()
