"""The data card: one HTML page on what a dataset holds, what was left out and why, that opens offline.

Questions, answers, names of sources and evidence are hostile text: the template escapes them, and a content security
policy forbids any script and any request. Images are enlarged by style alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.artifact import MANIFEST, Manifest, read_manifest
from components.core.config import parse_config
from components.curation.card_plots import difficulty_plot, histogram_plot, share_bar, step_bar
from components.curation.croissant import CROISSANT
from components.curation.dataset_texts import STEP_WORDS, DatasetTexts, responsible_ai, step_settings
from components.curation.gathering import gather_numbers
from components.curation.numbers import NUMBERS, CardNumbers, Picture, read_numbers

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent
TEXTS = "texts"
"""Field of curation's settings that holds the recipe's DatasetTexts."""
ROWS = 100
"""Lines of a table on the card; the numbers behind it are not cut."""
_SMALL = 180  # pixels that a small image's longer side is shown at, at least
RAI_WORDS: Mapping[str, str] = {
    "dataCollection": "Collection",
    "dataPreprocessingProtocol": "Preprocessing",
    "dataAnnotationProtocol": "Annotation",
    "dataBiases": "Biases",
    "dataLimitations": "Limitations",
    "personalSensitiveInformation": "Personal and sensitive information",
    "dataUseCases": "Intended uses",
    "dataSocialImpact": "Social impact",
    "dataReleaseMaintenancePlan": "Release and maintenance",
}
"""What the vocabulary for responsible AI calls its fields, and a reader does."""


@dataclass(frozen=True)
class CardFacts:
    """What is known of a dataset besides its numbers."""

    manifest: Manifest | None = None
    """None before the dataset is sealed."""
    texts: DatasetTexts = field(default_factory=DatasetTexts)
    has_croissant: bool = False

    @property
    def settings(self) -> Mapping[str, Any]:
        """Of curation, as plain JSON values."""
        return dict(self.manifest.identity.get("curation", {})) if self.manifest else {}

    @classmethod
    def of(cls, dataset: Path) -> "CardFacts":
        """Read what lies in a dataset's folder."""
        manifest = read_manifest(dataset) if (dataset / MANIFEST).is_file() else None
        said = (manifest.identity.get("curation", {}) if manifest else {}).get(TEXTS, {})
        return cls(
            manifest=manifest,
            texts=parse_config(DatasetTexts, said, TEXTS),
            has_croissant=(dataset / CROISSANT).is_file(),
        )


@dataclass(frozen=True)
class Verdict:
    """What decontamination found, in a word and a sentence."""

    kind: str
    """good, bad or open: a class of the page's style."""
    word: str
    sentence: str


def write_data_card(
    dataset: Path, summary: Mapping[str, Any], output: Path, quarantine: Path | None = None
) -> CardNumbers:
    """Write the data card.

    Args:
        dataset: The dataset artifact.
        summary: The counts that curation returned.
        output: The HTML file.
        quarantine: The quarantine artifact, for examples of what was left out; None where it is not at hand.

    Returns:
        The numbers on it: those that lie in the dataset, or else counted anew.
    """
    known = dataset / NUMBERS
    numbers = read_numbers(known) if known.is_file() else gather_numbers(dataset, summary, quarantine)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(render_card(numbers, CardFacts.of(dataset)), encoding="utf-8")
    return numbers


def render_card(numbers: CardNumbers, facts: CardFacts) -> str:
    """Render the data card.

    Args:
        numbers: Of the dataset.
        facts: What is known besides.

    Returns:
        A whole HTML document, without any script and any reference to another file or host.
    """
    by_step = groupby(numbers.reasons, key=lambda reason: reason.step)
    types = groupby(numbers.samples, key=lambda sample: sample.answer_type)
    return (
        _environment()
        .get_template("card.html.j2")
        .render(
            style=_safe((_FOLDER / "card.css").read_text(encoding="utf-8")),
            numbers=numbers,
            facts=facts,
            title=facts.texts.name,
            verdict=verdict(numbers),
            plots=_plots(numbers),
            reasons={step: list(reasons) for step, reasons in by_step},
            step_words=STEP_WORDS,
            step_settings={step.step: step_settings(step.step, facts.settings) for step in numbers.steps},
            samples={type_: list(samples) for type_, samples in types},
            answer_types=sorted(numbers.by["answer_type"]),
            rai={
                RAI_WORDS[name]: said
                for name, said in responsible_ai(numbers, facts.texts, facts.settings).items()
                if name != "dataPreprocessingProtocol"  # the steps have a section of their own
            },
            settings=json.dumps(facts.settings, indent=2, ensure_ascii=False),
            most=ROWS,
        )
    )


def verdict(numbers: CardNumbers) -> Verdict:
    """What can be said of benchmarks in the dataset."""
    if not numbers.benchmarks:
        return Verdict(
            "open", "not checked", "It was not held against any benchmark: what it teaches, a benchmark may ask."
        )
    questions = sum(benchmark.questions for benchmark in numbers.benchmarks)
    n = len(numbers.benchmarks)
    against = f"the {questions:,} questions of {n} benchmark{'s' * (n != 1)}"
    leaking = max(benchmark.leaking_rows for benchmark in numbers.benchmarks)
    lost = numbers.rows_quarantined + numbers.rows_duplicate
    if leaking > lost:  # whichever step took them out
        return Verdict("bad", "leaks", f"{leaking:,} rows repeat one of {against}, and only {lost:,} were left out.")
    if leaking:
        said = f"Rows that repeat one of {against} were taken out, {numbers.leaked():,} of them for that reason alone: "
        return Verdict("good", "clean", f"{said}none that was found is left.")
    return Verdict("good", "clean", f"No row was found to repeat one of {against}.")


def _plots(numbers: CardNumbers) -> dict[str, Any]:
    plots = {
        "Questions": (numbers.question_characters, "characters"),
        "Answers": (numbers.answer_characters, "characters of the canonical answer"),
        "Images": (numbers.image_sizes.longer_side, "pixels of the longer side"),
    }
    several = {
        "Images a row": (numbers.image_sizes.images_a_row, "images"),
        "Groups": (numbers.groups.sizes, "examples of a group"),
    }
    plots |= {title: pair for title, pair in several.items() if pair[0].largest > 1}
    drawn = {
        title: {"svg": _safe(histogram_plot(histogram, unit)), "histogram": histogram, "unit": unit}
        for title, (histogram, unit) in plots.items()
        if histogram.n
    }
    rates = numbers.difficulty
    return {
        "histograms": drawn,
        "difficulty": _safe(difficulty_plot(rates)) if rates.n else None,
        "steps": {step.step: _safe(step_bar(step, max(numbers.rows_in, 1))) for step in numbers.steps},
    }


def shown_width(picture: Picture) -> int:
    """Pixels that an image is as wide on the page: a small one is enlarged a whole number of times."""
    side = max(picture.width, picture.height, 1)
    return picture.width * max(1, _SMALL // side)


def _share(count: int, total: int) -> str:
    """A share in per cent; what is not nothing does not look so."""
    share = 100 * count / total if total else 0.0
    if not count:
        return "0 %"
    return "< 0.1 %" if 0 < share < 0.05 else f"{share:.1f} %"


def _bar(count: int, total: int) -> Any:
    return _safe(share_bar(count, total)) if total else ""


def _number(count: int) -> str:
    return f"{count:,}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _safe(markup: str) -> Any:
    """Markup of this project's own making, which the template does not escape."""
    from markupsafe import Markup

    return Markup(markup)


def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "share": _share,
        "bar": _bar,
        "number": _number,
        "words": _words,
        "shown_width": shown_width,
    }
    return environment
