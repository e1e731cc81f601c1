"""A tiny policy with random weights, and questions with drawn images; made once a session, never written to."""

import io
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from components.core.artifact import seal
from components.core.example import Family
from components.core.policy import Policy
from components.core.question import Question
from components.core.suite import BenchmarkInfo
from components.training.config import TinyPolicyConfig
from components.training.tiny_policy import build_model, build_processor, build_tokenizer

MAX_PIXELS = 224 * 224
MAX_NEW_TOKENS = 12


def make_policy(
    folder: Path, seed: int = 0, template: str = "{question}", max_new_tokens: int = MAX_NEW_TOKENS
) -> Path:
    """A policy artifact: a Qwen2.5-VL of one narrow layer. Random weights answer each question otherwise."""
    import torch

    tokenizer = build_tokenizer(["What is the sum of the two digits?", "<think>3 + 4 = 7</think>"] * 3, 320)
    config = TinyPolicyConfig(hidden_size=32, head_size=16, layers=1, initializer_range=0.3)
    model = build_model(config, tokenizer, seed)
    with torch.no_grad():  # a long row makes the end token's logit large now and then, so that lengths vary
        model.get_input_embeddings().weight[tokenizer.eos_token_id] *= 3
    model.save_pretrained(folder)
    build_processor(tokenizer, MAX_PIXELS).save_pretrained(folder)
    Policy(template, max_new_tokens, MAX_PIXELS).save(folder)
    seal(folder, "policy", {"seed": seed})
    return folder


def png(size: tuple[int, int], seed: int) -> bytes:
    """A drawing of random ellipses, encoded."""
    draw = random.Random(seed)
    image = Image.new("RGB", size, (draw.randrange(256), draw.randrange(256), draw.randrange(256)))
    canvas = ImageDraw.Draw(image)
    for _ in range(3):
        x, y = draw.randrange(size[0]), draw.randrange(size[1])
        box = (x, y, x + 1 + size[0] // 2, y + 1 + size[1] // 2)
        canvas.ellipse(box, fill=(draw.randrange(256), draw.randrange(256), draw.randrange(256)))
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()


def question(id_: str, text: str, *images: bytes, parts: Sequence[str] = ()) -> Question:
    """A question whose images come first, unless its parts are given."""
    texts = tuple(parts) or (*("" for _ in images), text)
    return Question(id=id_, parts=texts, images=images, references=("7",), cluster=id_)


def draw_questions(count: int) -> list[Question]:
    """Questions with images of many sizes; every seventh has two, the second in the middle of the text."""
    draw = random.Random(0)
    found = []
    for number in range(count):
        images = [png((draw.randrange(28, 250), draw.randrange(28, 250)), seed) for seed in (number, number + 10_000)]
        text = "What is " + " ".join(str(draw.randrange(100)) for _ in range(draw.randrange(1, 12))) + "?"
        if number % 7 == 3:
            found.append(question(f"q{number}", "", *images, parts=("First ", f" then {text} ", " and now?")))
        else:
            found.append(question(f"q{number}", text, images[0]))
    return found


def info_of(questions: Sequence[Question], name: str = "drawn", version: float = 1.0) -> BenchmarkInfo:
    return BenchmarkInfo(name=name, family=Family.VQA, version=version, questions=len(questions), policy_prompt=True)


@pytest.fixture(scope="session")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_policy(tmp_path_factory.mktemp("policy"))


@pytest.fixture(scope="session")
def questions() -> list[Question]:
    return draw_questions(16)
