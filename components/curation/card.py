"""The data card: one HTML page on what a dataset holds and what was left out."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.core.example import Example, Split, read_split

_SAMPLES_PER_FAMILY = 6


def write_data_card(dataset: Path, summary: Mapping[str, Any], output: Path) -> None:
    """Write the data card.

    Args:
        dataset: The dataset artifact.
        summary: The counts that curation returned.
        output: The HTML file.
    """
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    samples = [example for split in Split for example in _first_of_each(dataset, split)]
    page = environment.get_template("card.html.j2").render(
        summary=summary, samples=[_view(example) for example in samples]
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(page, encoding="utf-8")


def _first_of_each(dataset: Path, split: Split) -> Sequence[Example]:
    """The first examples of each question, a few a family."""
    shown: dict[str, list[Example]] = {}
    questions = set()
    for example in read_split(dataset, split):
        samples = shown.setdefault(example.family.value, [])
        if len(samples) < _SAMPLES_PER_FAMILY and example.question not in questions:
            questions.add(example.question)
            samples.append(example)
    return [example for samples in shown.values() for example in samples]


def _view(example: Example) -> dict[str, Any]:
    return {
        "example": example,
        "images": [base64.b64encode(image).decode() for image in example.images],
    }
