"""Numbers of a dataset, made by hand."""

from typing import Any

from components.curation.numbers import (
    BenchmarkCount,
    CardNumbers,
    Difficulty,
    Groups,
    Histogram,
    ImageSizes,
    LostRow,
    Picture,
    ReasonCount,
    Sample,
    SourceCount,
    StepCount,
)

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)
SAMPLE = Sample(
    id="00112233445566aa",
    split="train",
    task="math",
    answer_type="number",
    question="How many?",
    references=("3",),
    more_references=2,
    choices=(),
    more_choices=0,
    source="maps",
    licence="CC0-1.0",
    pass_rate=0.25,
    pictures=(Picture(PIXEL, 1, 1),),
    more_images=1,
)


def made_numbers(**changes: Any) -> CardNumbers:
    """100 rows in, of which 90 are kept, 6 are quarantined and 4 are duplicates."""
    histogram = Histogram((1, 2, 4), (10, 70, 10), 3, 5, 6)
    values: dict[str, Any] = {
        "rows_in": 100,
        "rows_kept": 90,
        "rows_quarantined": 6,
        "rows_duplicate": 4,
        "steps": (StepCount("exact duplicates", 100, 96, 0, 4), StepCount("decontamination", 96, 90, 6, 0)),
        "reasons": (
            ReasonCount("exact duplicates", "the same", 4, True, (LostRow("maps", 7, "maps#3", "How many?"),)),
            ReasonCount("decontamination", "leaks a benchmark", 6, False, (LostRow("maps", 8, "ocrbench 4", "Who?"),)),
        ),
        "sources": (SourceCount("maps", "CC0-1.0", "f" * 64, 90, 6, 4),),
        "by": {
            "split": {"train": 80, "heldout": 10},
            "family": {"math": 90},
            "answer_type": {"number": 60, "open_ended": 30},
            "task": {"math": 90},
            "source": {"maps": 90},
            "licence": {"CC0-1.0": 90},
        },
        "task_and_type": {"math": {"number": 60, "open_ended": 30}},
        "verifiable": 60,
        "question_characters": histogram,
        "answer_characters": histogram,
        "image_sizes": ImageSizes(histogram, histogram, {"PNG": 90}, 90, 90),
        "difficulty": Difficulty((9,) * 10, 4, 5, 0, 0.5),
        "groups": Groups(45, histogram, 0, 0),
        "demonstrations": 80,
        "flags": {"cmyk": 3},
        "benchmarks": (BenchmarkCount("ocrbench", 1000, 5, 6), BenchmarkCount("chartqa", 2500, 0, 0)),
        "samples": (SAMPLE,),
    }
    return CardNumbers(**{**values, **changes})
