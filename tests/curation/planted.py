"""A set with planted faults: a source and two benchmarks, each fault labelled, and a scorer.

Drawn triangles, bar charts and cards of words, and crops of photographs (scikit-learn's two, scikit-image's where it is
installed). Every clean answer is computed from what was drawn. What is planted, and what has to become of it:

    clean                 stays
    other number          the lines of an earlier triangle with other numbers, half of them with the same answer: stays
    template              a question that benchmarks ask too, word for word, about other images: stays
    shared image          another question about an earlier image: stays, in the same split
    exact duplicate       the pixels, question and answer of an earlier row; encoded anew, references in other words
    near text             an earlier row whose question is asked a little differently
    near photograph       an earlier row whose photograph is compressed or resized
    near drawing          the same of a drawing: goes or stays, as nobody can tell it from a drawing with another digit
    contradiction         an earlier row with another answer, and that row: both go
    short leak            a benchmark's short question and image
    near leak             a benchmark's short question and its photograph, compressed
    long leak             a benchmark's long question about another image
    crossing              states that it is for training; its image is held out by another row
    truncated, bomb, not an image, wrong type    faults of a row alone

    python -m tests.curation.planted FOLDER --rows 20000
"""

import argparse
import io
import json
import random
import string
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageStat

from components.core.example import Family
from components.core.question import Question, write_questions
from components.core.suite import BenchmarkInfo, questions_path, write_suite

STAYS = ""
EXPECTED: dict[str, tuple[str, ...]] = {
    "clean": (STAYS,),
    "other number": (STAYS,),
    "template": (STAYS,),
    "shared image": (STAYS,),
    "held out": (STAYS,),
    "exact duplicate": ("exact duplicates",),
    "near text": ("near duplicates",),
    "near photograph": ("near duplicates",),
    "near drawing": ("near duplicates", STAYS),
    "contradiction": ("conflicts",),
    "short leak": ("decontamination",),
    "near leak": ("decontamination",),
    "long leak": ("decontamination",),
    "crossing": ("split",),
    "truncated": ("pictures",),
    "bomb": ("pictures",),
    "not an image": ("schema", "pictures"),
    "wrong type": ("schema", "typing"),
}
"""Steps that may take out the rows of a class; "" where they stay."""
ROW_FAULTS = ("truncated", "bomb", "not an image", "wrong type")
"""Found in a row alone, before rows are compared."""
_SHARES = {
    "other number": 0.10,
    "template": 0.03,
    "shared image": 0.04,
    "exact duplicate": 0.05,
    "near text": 0.03,
    "near photograph": 0.02,
    "near drawing": 0.01,
    "contradiction": 0.02,
    "short leak": 0.015,
    "near leak": 0.005,
    "long leak": 0.02,
    "crossing": 0.02,
    "truncated": 0.02,
    "bomb": 0.005,
    "not an image": 0.005,
    "wrong type": 0.02,
}
_HINT = (
    "Hint: Please answer the question requiring an integer answer and provide the final value, e.g., 1, 2, 3, at the "
    "end.\nQuestion: "
)
_SUFFIX = "Answer the question using a single word or phrase."
_WORDS = ("maple", "river", "candle", "window", "garden", "silver", "orange", "pocket", "ladder", "bottle", "castle")
_NAMES = ("Anna", "Boris", "Clara", "Daniel", "Elena", "Farid", "Greta", "Hugo", "Irene", "Jonas", "Keiko", "Lukas")


@dataclass(frozen=True)
class PlantedRow:
    """One row and its fault."""

    image: bytes
    question: Any
    references: Any
    label: str
    task: str = "math"
    choices: tuple[str, ...] = ()
    answer_type: str = "infer"
    split: str = ""
    partner: int = -1
    """Number of the row that it was made from; -1 for none."""
    leaks: str = ""
    """Benchmark and id of the question that it leaks."""
    kind: str = ""
    """triangle, chart, photograph or card."""
    drawn: tuple[Any, ...] = ()
    """What a triangle was drawn from."""


@dataclass
class Planted:
    """A set with its labels."""

    rows: list[PlantedRow]
    benchmarks: dict[str, list[Question]] = field(default_factory=dict)

    @property
    def labels(self) -> list[str]:
        return [row.label for row in self.rows]


def plant(size: int, seed: int = 0) -> Planted:
    """Make a set of `size` rows; copies stand behind what they copy."""
    chance = random.Random(seed)
    benchmarks = _benchmarks(chance, max(30, size // 50))
    counts = {label: max(2, round(share * size)) for label, share in _SHARES.items()}
    num_clean = size - sum(counts.values()) - counts["crossing"]
    makers: list[Callable[[random.Random], PlantedRow]] = [_triangle, _chart, _photo, _card, _story]
    rows = [makers[number % len(makers)](chance) for number in range(num_clean)]
    free = list(range(len(rows)))
    chance.shuffle(free)
    for label, count in counts.items():
        for number in range(count):
            rows += _faulty(label, number, rows, free, benchmarks, chance)
    return Planted(_ordered(rows, chance), benchmarks)


def _ordered(rows: list[PlantedRow], chance: random.Random) -> list[PlantedRow]:
    """Mixed, every copy behind its original."""
    place: dict[int, float] = {}
    for number, row in enumerate(rows):
        place[number] = chance.uniform(place.get(row.partner, 0.0), 1.0)
    order = sorted(place, key=lambda number: place[number])
    new = {number: rank for rank, number in enumerate(order)}
    return [replace(rows[number], partner=new.get(rows[number].partner, -1)) for number in order]


def _faulty(
    label: str,
    number: int,
    rows: list[PlantedRow],
    free: list[int],
    benchmarks: Mapping[str, list[Question]],
    chance: random.Random,
) -> list[PlantedRow]:
    if label.endswith(" leak"):
        return [_leak(label, number, benchmarks, chance)]
    if label in ROW_FAULTS:
        return [_broken(label, number, chance)]
    if label == "template":
        return [replace(_story(chance), question=_HINT + _question_on_words(chance), label=label, **_number(chance))]
    if label == "crossing":
        heldout = replace(_card(chance), split="heldout", label="held out")
        question, answer = "How many words are written on the card?", "3"
        rows.append(heldout)
        return [replace(heldout, question=question, references=[answer], split="train", label=label)]
    return [_copy(label, number, rows, free, chance)]


def _copy(label: str, number: int, rows: list[PlantedRow], free: list[int], chance: random.Random) -> PlantedRow:
    """A fault that is made from a clean row, which takes part in no other."""
    wanted = {"other number": "triangle", "near photograph": "photograph"}.get(label, "")
    unwanted = "photograph" if label == "near drawing" else "none"
    place = next(place for place in free if wanted in rows[place].kind and unwanted not in rows[place].kind)
    free.remove(place)
    row = replace(rows[place], label=label, partner=place)
    if label == "other number":
        return _renumbered(row, number, chance)
    if label == "shared image":
        question = "Is the picture wider than it is high?"
        return replace(row, question=question, references=[_wider(row.image)], choices=())
    if label == "exact duplicate":
        question = row.question.upper() if number % 2 else f"{row.question}\n{_SUFFIX}"
        image = _encoded(_opened(row.image), "PNG", 6)
        return replace(row, image=image, question=question, references=_other_words(row.references))
    if label == "near text":
        return replace(row, question=chance.choice(_variants(row)))
    if label in ("near photograph", "near drawing"):
        return replace(row, image=_reworked(row.image, number))
    rows[place] = replace(rows[place], label="contradiction")
    return replace(row, references=[_contradicting(row.references[0])])


# Clean rows


def _triangle(chance: random.Random) -> PlantedRow:
    corners = (
        (chance.randint(20, 60), chance.randint(190, 235)),
        (chance.randint(190, 235), chance.randint(185, 235)),
        (chance.randint(60, 200), chance.randint(20, 70)),
    )
    angles = (chance.randint(25, 80), chance.randint(25, 80))
    return _drawn_triangle(corners, angles, "clean")


def _drawn_triangle(corners: tuple[tuple[int, int], ...], angles: tuple[int, int], label: str) -> PlantedRow:
    picture = Image.new("RGB", (256, 256), "white")
    draw = ImageDraw.Draw(picture)
    draw.polygon(corners, outline="black", width=2)
    for corner, text in zip(corners, (f"{angles[0]}°", f"{angles[1]}°", "x"), strict=True):
        draw.text((corner[0] - 8, corner[1] - 24), text, fill="black", font=_font(20))
    return PlantedRow(
        _encoded(picture, "PNG"),
        "What is the value of x in degrees?",
        [str(180 - sum(angles))],
        label,
        kind="triangle",
        drawn=(corners, angles),
    )


def _chart(chance: random.Random) -> PlantedRow:
    values = [chance.randint(10, 99) for _ in range(5)]
    names = chance.sample(_WORDS, 5)
    picture = Image.new("RGB", (300, 240), "white")
    draw = ImageDraw.Draw(picture)
    for place, (value, name) in enumerate(zip(values, names, strict=True)):
        left = 15 + place * 56
        draw.rectangle((left, 205 - value * 1.7, left + 36, 205), fill=(70, 110 + place * 20, 200 - place * 30))
        draw.text((left + 4, 185 - value * 1.7), str(value), fill="black", font=_font(15))
        draw.text((left, 212), name, fill="black", font=_font(11))
    kind = chance.randrange(3)
    question = ("What is the highest value?", "What is the lowest value?", "Which category has the largest value?")[
        kind
    ]
    answer = (str(max(values)), str(min(values)), names[values.index(max(values))])[kind]
    return PlantedRow(_encoded(picture, "PNG"), question, [answer], "clean", "chart", kind="chart")


def _photo(chance: random.Random) -> PlantedRow:
    picture = _crop(chance)
    while _evenness(picture) > 0.4:  # half of a sky is no better known again than a drawing
        picture = _crop(chance)
    picture = picture.rotate(90 * chance.randrange(4))
    for _ in range(3):  # crops of two photographs alone would be near each other now and then
        corner = (chance.randint(0, 160), chance.randint(0, 160))
        box = (*corner, corner[0] + chance.randint(20, 60), corner[1] + chance.randint(20, 60))
        ImageDraw.Draw(picture).ellipse(box, fill=tuple(chance.randint(0, 255) for _ in range(3)))
    means = ImageStat.Stat(picture).sum
    answer = ("red", "green", "blue")[means.index(max(means))]
    question = "Which of red, green and blue is the strongest color of this photograph?"
    return PlantedRow(
        _encoded(picture, "JPEG", 95), question, [answer], "clean", "vqa", ("red", "green", "blue"), kind="photograph"
    )


def _crop(chance: random.Random) -> Image.Image:
    source = chance.choice(_photographs())
    side = chance.randint(120, min(220, *source.size))
    left, top = (chance.randint(0, length - side) for length in source.size)
    return source.crop((left, top, left + side, top + side)).resize((224, 224))


def _evenness(picture: Image.Image) -> float:
    """Share of pixels within 8 levels of the commonest luminance."""
    counts = picture.convert("L").histogram()
    return max(sum(counts[level : level + 17]) for level in range(240)) / sum(counts)


def _card(chance: random.Random) -> PlantedRow:
    words = ["".join(chance.choices(string.ascii_lowercase, k=chance.randint(5, 8))) for _ in range(3)]
    picture = Image.new("RGB", (280, 180), "ivory")
    draw = ImageDraw.Draw(picture)
    for place, word in enumerate(words):
        draw.text((30, 20 + 50 * place), word, fill="black", font=_font(26))
    place = chance.randrange(3)
    question = f"Read the {('first', 'second', 'third')[place]} written word."
    return PlantedRow(_encoded(picture, "PNG"), question, [words[place]], "clean", "ocr", kind="card")


def _story(chance: random.Random) -> PlantedRow:
    """A long question whose numbers and names are nearly always its own."""
    first, second, thing = *chance.sample(_NAMES, 2), chance.choice(_WORDS)
    many, more, sold = chance.randint(20, 900), chance.randint(20, 900), chance.randint(2, 19)
    question = (
        f"{first} collected {many} {thing}s during the summer, and {second} collected {more} further ones from the "
        f"neighbours. Together they sold {sold} of them at the market on the card. How many {thing}s remain with "
        f"{first} and {second} at the end of the day?"
    )
    return replace(_card(chance), question=question, references=[str(many + more - sold)], task="math")


def _question_on_words(chance: random.Random) -> str:
    return f"What is {chance.randint(100, 999)} plus the number of words?"


def _number(chance: random.Random) -> dict[str, Any]:
    return {"references": [str(chance.randint(100, 999))], "task": "math"}


# Copies


def _renumbered(row: PlantedRow, number: int, chance: random.Random) -> PlantedRow:
    corners, (one, other) = row.drawn
    angles = (other, one) if number % 2 and one != other else (one + chance.randint(1, 9), other)
    return replace(_drawn_triangle(corners, angles, row.label), partner=row.partner)


def _variants(row: PlantedRow) -> list[str]:
    question = row.question
    misspelt = {"degrees": "degress", "highest": "higest", "largest": "largset", "written": "writen"} | {
        "collected": "colected",
        "strongest": "strogest",
    }
    variants = [f"{question[:-1]} in the figure{question[-1]}", f"Please: {question[0].lower()}{question[1:]}"]
    variants += [question.replace("What is", "Find", 1).replace("?", ".")] if question.startswith("What is") else []
    return variants + [question.replace(word, slip, 1) for word, slip in misspelt.items() if word in question]


def _other_words(references: list[str]) -> list[str]:
    """The same answer, written otherwise."""
    return [f"{text}.0" if text.isdigit() else f" {text.capitalize()}." for text in references]


def _contradicting(answer: str) -> str:
    if answer.isdigit():
        return str(int(answer) + 1)
    colours = {"red": "green", "green": "blue", "blue": "red"}
    return colours.get(answer, answer[::-1] + "x")


def _wider(image: bytes) -> str:
    width, height = _opened(image).size
    return "yes" if width > height else "no"


def _reworked(image: bytes, number: int) -> bytes:
    picture = _opened(image)
    if number % 3 == 2:
        size = tuple(round(length * 0.8) for length in picture.size)
        return _encoded(picture.resize(size, Image.Resampling.LANCZOS), "PNG")
    return _encoded(picture, "JPEG", (50, 80)[number % 3])


# Leaks


def _benchmarks(chance: random.Random, size: int) -> dict[str, list[Question]]:
    makers = (_triangle, _chart, _card, _photo)
    short = [_asked(makers[number % 4](chance), "short", number, "", f"\n{_SUFFIX}") for number in range(size)]
    long = [_asked(_story(chance), "long", number, _HINT, "") for number in range(size)]
    return {"short_questions": short, "long_questions": long}


def _asked(row: PlantedRow, prefix: str, number: int, before: str, behind: str) -> Question:
    return Question(
        id=f"{prefix}-{number}",
        parts=("", f"{before}{row.question}{behind}"),
        images=(row.image,),
        references=tuple(row.references),
        cluster=f"{prefix}-{number}",
        meta={"question": row.question, "kind": row.kind},
    )


def _leak(label: str, number: int, benchmarks: Mapping[str, list[Question]], chance: random.Random) -> PlantedRow:
    name = "long_questions" if label == "long leak" else "short_questions"
    asked = [item for item in benchmarks[name] if label != "near leak" or item.meta["kind"] == "photograph"]
    question = asked[number % len(asked)]
    image = question.images[0]
    if label != "short leak":
        image = _card(chance).image if label == "long leak" else _encoded(_opened(image), "JPEG", 70)
    return PlantedRow(
        image,
        question.meta["question"],
        list(question.references),
        label,
        task="math",
        leaks=f"{name} {question.id}",
    )


# Faults of a row alone


def _broken(label: str, number: int, chance: random.Random) -> PlantedRow:
    row = replace((_photo, _chart, _card)[number % 3](chance), label=label)
    if label == "truncated":
        data = row.image if number % 2 else _encoded(_opened(row.image), "JPEG", 90)
        return replace(row, image=data[: round(len(data) * chance.uniform(0.3, 0.8))])
    if label == "bomb":
        return replace(row, image=_bomb(number))
    if label == "not an image":
        return replace(row, image=b"" if number % 2 else f"<html>{number}</html>".encode())
    wrong = (
        {"question": " "},
        {"references": []},
        {"references": ["three"], "answer_type": "choice", "choices": ("one", "two")},
        {"references": ["E"], "answer_type": "choice", "choices": ("one", "two")},
    )[number % 4]
    return replace(row, **wrong)


def _bomb(number: int) -> bytes:
    """A PNG of a few kilobytes that says it has 50,000 x 50,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(1_000_000) + bytes([number % 256]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@cache
def _photographs() -> list[Image.Image]:
    from sklearn.datasets import load_sample_images

    found = [Image.fromarray(image) for image in load_sample_images().images]
    try:
        from skimage import data
    except ImportError:
        return found
    return found + [Image.fromarray(getattr(data, name)()).convert("RGB") for name in ("astronaut", "coffee", "rocket")]


@cache
def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _opened(image: bytes) -> Image.Image:
    return Image.open(io.BytesIO(image)).convert("RGB")


def _encoded(picture: Image.Image, kind: str, quality: int = 1) -> bytes:
    """Quality is PNG's level of compression, or JPEG's quality."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **({"compress_level": quality} if kind == "PNG" else {"quality": quality}))
    return buffer.getvalue()


# On disk


def write(planted: Planted, folder: Path) -> None:
    """Write `source.jsonl` with `images/`, `suite/` and `labels.jsonl`.

    A line of the source has images (a list of one path), question, references, choices, answer_type, task and split;
    its number is its place.
    """
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    with (folder / "source.jsonl").open("w", encoding="utf-8") as source:
        for number, row in enumerate(planted.rows):
            name = f"{number}.bin"
            (images / name).write_bytes(row.image)
            values = {"images": [f"images/{name}"], "question": row.question, "references": row.references}
            rest = {"choices": row.choices, "answer_type": row.answer_type, "task": row.task, "split": row.split}
            source.write(json.dumps(values | rest) + "\n")
    with (folder / "labels.jsonl").open("w", encoding="utf-8") as labels:
        for number, row in enumerate(planted.rows):
            line = {"place": number, "label": row.label, "partner": row.partner, "leaks": row.leaks}
            labels.write(json.dumps(line) + "\n")
    write_benchmarks(planted, folder / "suite")


def write_benchmarks(planted: Planted, folder: Path) -> None:
    """Write the benchmarks as a suite."""
    infos = []
    for name, questions in planted.benchmarks.items():
        path = questions_path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_questions(questions, path)
        infos.append(BenchmarkInfo(name=name, family=Family.MATH, version=1.0, questions=len(questions)))
    write_suite(folder, infos)


def read_labels(folder: Path) -> list[str]:
    """The class of each row, by place."""
    return [json.loads(line)["label"] for line in (folder / "labels.jsonl").open(encoding="utf-8")]


# Scores


@dataclass(frozen=True)
class Score:
    """How a class was dealt with."""

    label: str
    rows: int
    recall: float
    """Share of its rows that met a step which they should."""
    precision: float
    """Share of the rows which met such a step that should have."""
    went: dict[str, int]
    """Where its rows went."""


def score(labels: Iterable[str], steps: Iterable[str]) -> list[Score]:
    """Score fates.

    Args:
        labels: Class of each row.
        steps: Step that took each row out, "" where it stayed; in the same order.
    """
    met = Counter(zip(labels, steps, strict=True))
    return [_score(label, met) for label in EXPECTED if any(known == label for known, _ in met)]


def _score(label: str, met: Mapping[tuple[str, str], int]) -> Score:
    went = {step: count for (known, step), count in sorted(met.items()) if known == label}
    right = sum(count for step, count in went.items() if step in EXPECTED[label])
    taken = [(known, count) for (known, step), count in met.items() if step in EXPECTED[label]]
    owed = sum(count for known, count in taken if set(EXPECTED[known]) & set(EXPECTED[label]))
    total = sum(count for _, count in taken)
    rows = sum(went.values())
    return Score(label, rows, right / rows, owed / total if total else 1.0, went)


def lines(scores: Iterable[Score]) -> Iterator[str]:
    """A table for a terminal."""
    yield f"{'class':18}{'rows':>7}{'recall':>9}{'precision':>11}  went"
    for item in scores:
        went = ", ".join(f"{step or 'stays'} {count}" for step, count in item.went.items())
        yield f"{item.label:18}{item.rows:>7}{item.recall:>9.4f}{item.precision:>11.4f}  {went}"


def main() -> None:
    """Write a set."""
    parser = argparse.ArgumentParser(description="Write a set with planted faults")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    planted = plant(arguments.rows, arguments.seed)
    write(planted, arguments.folder)
    print(f"{len(planted.rows)} rows: {dict(sorted(Counter(planted.labels).items()))}")


if __name__ == "__main__":
    main()
