"""The quickstart's corpus: small, honest, made on the spot.

Real handwritten digits (scikit-learn's `digits`: 1,797 scans of 8x8 pixels) to read and to add up, and
pictures drawn from a seed: bars, shapes, labelled rectangles, scenes to describe. Pictures are
at most 56x56 pixels; every reference is computed from what was drawn.

Training and held-out examples never share a scan or a drawn scene: the scans are divided first, and a
scene is drawn for one split only.
"""

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from components.core.errors import SourceError
from components.core.example import AnswerType, Split, Task

SIDE = 56
"""Pixels along each side of a picture; one with two digits is half as high."""
COLOURS = {
    "red": (214, 39, 40),
    "green": (44, 160, 44),
    "blue": (31, 119, 180),
    "orange": (255, 140, 0),
    "purple": (148, 60, 189),
    "black": (20, 20, 20),
}
SHAPES = ("circle", "square")
LICENCE = "Apache-2.0 (drawn by this project); digits: CC BY 4.0, UCI Optical Recognition of Handwritten Digits"
_HALF = SIDE // 2


@dataclass(frozen=True)
class Drawing:
    """One picture with a question about it, before validation."""

    image: Image.Image
    scene: str
    """Names everything that was drawn; two drawings of one scene have equal pixels."""
    question: str
    references: tuple[str, ...]
    reasoning: str
    """A correct way to the first reference, for warm-start demonstrations."""
    answer_type: AnswerType
    task: Task
    facts: tuple[str, ...] = ()


def corpus_rows(train: int, heldout: int, seed: int) -> Iterator[dict[str, Any]]:
    """Draw the corpus.

    Args:
        train: Training examples of each of the seven kinds; of the two maths kinds, the hardest, twice as many.
        heldout: Held-out examples of each kind.
        seed: Decides every choice; the same seed gives the same bytes.

    Yields:
        Raw rows for curation: held-out first, so that the test scenes do not depend on how much
        training data is asked for.
    """
    random = Random(seed)
    scans = _divide_scans(random, heldout)
    owners: dict[tuple[str, str], Split] = {}
    for split, count in ((Split.HELD_OUT, heldout), (Split.TRAIN, train)):
        for draw in _KINDS:
            doubled = split is Split.TRAIN and draw in _MATH
            for _ in range(2 * count if doubled else count):
                yield _to_row(_draw_unseen(draw, random, scans[split], split, owners), split)


def _draw_unseen(
    draw: "Kind", random: Random, scans: "list[Scan]", split: Split, owners: dict[tuple[str, str], Split]
) -> Drawing:
    """Draw until the question is new for its scene and the scene is not another split's."""
    for _ in range(1000):
        drawing = draw(random, scans)
        asked = (drawing.scene, drawing.question)
        if asked not in owners and owners.get((drawing.scene, ""), split) is split:
            owners[asked] = owners[drawing.scene, ""] = split
            return drawing
    raise SourceError(
        "the quickstart corpus",
        f"{draw.__name__} has no unseen scene left for the {split.value} split",
        "Ask for fewer examples of each kind",
    )


def _to_row(drawing: Drawing, split: Split) -> dict[str, Any]:
    buffer = io.BytesIO()
    drawing.image.save(buffer, format="PNG")
    return {
        "images": [buffer.getvalue()],
        "question": drawing.question,
        "references": list(drawing.references),
        "answer_type": drawing.answer_type.value,
        "task": drawing.task.value,
        "split": split.value,
        "facts": list(drawing.facts),
        "licence": LICENCE,
        "group": drawing.scene,
        "demonstration": f"<think>{drawing.reasoning}</think><answer>{drawing.references[0]}</answer>",
    }


@dataclass(frozen=True)
class Scan:
    """One handwritten digit."""

    index: int
    label: int
    image: Image.Image


@cache
def _scans() -> tuple[Scan, ...]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    pictures = (255 - digits.images * (255 / 16)).astype("uint8")
    return tuple(
        Scan(index, int(label), Image.fromarray(picture).resize((_HALF, _HALF), Image.Resampling.BICUBIC))
        for index, (picture, label) in enumerate(zip(pictures, digits.target, strict=True))
    )


def corpus_fingerprint(train: int, heldout: int, seed: int) -> str:
    """sha-256 over the scans, this file and the settings: what decides the corpus's bytes."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for scan in _scans():
        digest.update(bytes([scan.label]) + scan.image.tobytes())
    digest.update(f"{train} {heldout} {seed}".encode())
    return digest.hexdigest()


def _divide_scans(random: Random, heldout: int) -> dict[Split, list[Scan]]:
    """A fifth of the scans for the held-out split (none where it is empty), the rest for training."""
    scans = list(_scans())
    random.shuffle(scans)
    cut = len(scans) // 5 if heldout else 0
    return {Split.HELD_OUT: scans[:cut], Split.TRAIN: scans[cut:]}


def _canvas() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (SIDE, SIDE), "white")
    return image, ImageDraw.Draw(image)


def _two_digits(random: Random, scans: list[Scan]) -> tuple[Image.Image, Scan, Scan, str]:
    left, right = random.choice(scans), random.choice(scans)
    image = Image.new("RGB", (SIDE, _HALF), "white")
    image.paste(left.image, (0, 0))
    image.paste(right.image, (_HALF, 0))
    return image, left, right, f"scans {left.index} {right.index}"


def read_number(random: Random, scans: list[Scan]) -> Drawing:
    """Two handwritten digits side by side, to be read as one number."""
    image, left, right, scene = _two_digits(random, scans)
    return Drawing(
        image=image,
        scene=scene,
        question="Which number is written here?",
        references=(f"{left.label}{right.label}",),
        reasoning=f"The digits are {left.label} and {right.label}.",
        answer_type=AnswerType.SHORT_TEXT,
        task=Task.OCR,
    )


def sum_digits(random: Random, scans: list[Scan]) -> Drawing:
    """Two handwritten digits side by side, to be added."""
    image, left, right, scene = _two_digits(random, scans)
    total = left.label + right.label
    return Drawing(
        image=image,
        scene=scene,
        question="What is the sum of the two digits?",
        references=(str(total),),
        reasoning=f"{left.label} + {right.label} = {total}",
        answer_type=AnswerType.NUMBER,
        task=Task.MATH,
    )


def perimeter(random: Random, _scans: list[Scan]) -> Drawing:
    """A rectangle with its width and height written beside it."""
    width, height, colour = random.randint(1, 9), random.randint(1, 9), random.choice(list(COLOURS))
    right, bottom = random.randint(24, 32), random.randint(24, 32)
    image, pen = _canvas()
    font = ImageFont.load_default(17)
    pen.rectangle((4, 4, right, bottom), outline=COLOURS[colour], width=3)
    pen.text((12, 34), str(width), fill="black", font=font)
    pen.text((38, 8), str(height), fill="black", font=font)
    total = 2 * (width + height)
    return Drawing(
        image=image,
        scene=f"{colour} rectangle {width} by {height}, drawn {right} by {bottom}",
        question="What is the perimeter of the rectangle?",
        references=(str(total),),
        reasoning=f"2 * ({width} + {height}) = {total}",
        answer_type=AnswerType.NUMBER,
        task=Task.MATH,
    )


def tallest_bar(random: Random, _scans: list[Scan]) -> Drawing:
    """A bar chart of three colours; the tallest bar is taller than any other by 8 pixels."""
    colours = random.sample(list(COLOURS), 3)
    tallest = random.randrange(3)
    peak = random.randint(30, 50)
    heights = [peak if place == tallest else random.randint(6, peak - 8) for place in range(3)]
    image, pen = _canvas()
    for place, (colour, height) in enumerate(zip(colours, heights, strict=True)):
        left = 3 + 18 * place
        pen.rectangle((left, SIDE - 3 - height, left + 13, SIDE - 3), fill=COLOURS[colour])
    bars = ", ".join(f"{colour} {height}" for colour, height in zip(colours, heights, strict=True))
    return Drawing(
        image=image,
        scene=bars,
        question="Which bar is the tallest?",
        references=(colours[tallest],),
        reasoning=f"The bars are {', '.join(colours)}. The tallest is {colours[tallest]}.",
        answer_type=AnswerType.SHORT_TEXT,
        task=Task.CHART,
    )


def _draw_shape(pen: ImageDraw.ImageDraw, shape: str, colour: str, left: int, top: int, size: int) -> None:
    draw = pen.ellipse if shape == "circle" else pen.rectangle
    draw((left, top, left + size, top + size), fill=COLOURS[colour])


def count_circles(random: Random, _scans: list[Scan]) -> Drawing:
    """One to four shapes, one a quadrant, some of them circles."""
    shapes = [random.choice((*SHAPES, "")) for _ in range(4)]
    colours = [random.choice(list(COLOURS)) for _ in range(4)]
    image, pen = _canvas()
    for place, (shape, colour) in enumerate(zip(shapes, colours, strict=True)):
        if shape:
            _draw_shape(pen, shape, colour, 5 + _HALF * (place % 2), 5 + _HALF * (place // 2), 18)
    names = [shape or "nothing" for shape in shapes]
    count = shapes.count("circle")
    return Drawing(
        image=image,
        scene="; ".join(
            f"{colour} {shape}" if shape else "nothing" for colour, shape in zip(colours, shapes, strict=True)
        ),
        question="How many circles are there?",
        references=(str(count),),
        reasoning=f"I see {', '.join(names)}.",
        answer_type=AnswerType.NUMBER,
        task=Task.VQA,
    )


@dataclass(frozen=True)
class _Pair:
    """A circle and a square side by side, or one above the other."""

    first: tuple[str, str]
    """Colour and shape of the left or upper one."""
    second: tuple[str, str]
    relation: str
    inverse: str
    image: Image.Image
    scene: str


def _noun(colour: str, shape: str) -> str:
    article = "an" if colour[0] in "aeiou" else "a"
    return f"{article} {colour} {shape}"


def _pair(random: Random) -> _Pair:
    colours = random.sample(list(COLOURS), 2)
    shapes = random.sample(SHAPES, 2)
    relation, inverse = random.choice((("left of", "right of"), ("above", "below")))
    sizes = random.randint(12, 20), random.randint(12, 20)
    image, pen = _canvas()
    places = ((5, 19), (33, 19)) if relation == "left of" else ((19, 5), (19, 33))
    for shape, colour, (left, top), size in zip(shapes, colours, places, sizes, strict=True):
        _draw_shape(pen, shape, colour, left, top, size)
    first, second = ((colour, shape) for colour, shape in zip(colours, shapes, strict=True))
    return _Pair(first, second, relation, inverse, image, f"{first} {relation} {second} {sizes}")


def shape_colour(random: Random, _scans: list[Scan]) -> Drawing:
    """The colour of one of two shapes."""
    pair = _pair(random)
    colour, shape = random.choice((pair.first, pair.second))
    return Drawing(
        image=pair.image,
        scene=pair.scene,
        question=f"Which colour is the {shape}?",
        references=(colour,),
        reasoning=f"There is {_noun(*pair.first)} and {_noun(*pair.second)}.",
        answer_type=AnswerType.SHORT_TEXT,
        task=Task.VQA,
    )


def describe(random: Random, _scans: list[Scan]) -> Drawing:
    """A free description of two shapes and how they stand to each other."""
    pair = _pair(random)
    first, second = _noun(*pair.first), _noun(*pair.second)
    return Drawing(
        image=pair.image,
        scene=pair.scene,
        question="Describe the picture.",
        references=(
            f"{first} {pair.relation} {second}",
            f"{second} {pair.inverse} {first}",
            f"there is {first} and {second}, the {pair.first[1]} is {pair.relation} the {pair.second[1]}",
        ),
        reasoning=f"There is {first} and {second}.",
        answer_type=AnswerType.OPEN_ENDED,
        task=Task.GENERAL,
        facts=(
            " ".join(pair.first),
            " ".join(pair.second),
            f"{pair.first[1]} {pair.relation} {pair.second[1]}",
        ),
    )


_MATH = (sum_digits, perimeter)
Kind = Callable[[Random, list[Scan]], Drawing]
_KINDS: tuple[Any, ...] = (
    read_number,
    sum_digits,
    perimeter,
    tallest_bar,
    count_circles,
    shape_colour,
    describe,
)
