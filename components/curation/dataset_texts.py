"""What only people can say of a dataset, and what its numbers and settings say beside it.

The headings are those of Croissant's vocabulary for responsible AI (http://mlcommons.org/croissant/RAI/1.0). Where the
recipe says nothing, that is said: an empty field would read as if there were nothing to tell.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from components.core.config import Config
from components.curation.numbers import CardNumbers, StepCount

NOT_STATED = "Not stated by the recipe."


class DatasetTexts(Config):
    """What a recipe says of its dataset, for the data card and the Croissant metadata."""

    name: str = Field(default="curated-dataset", min_length=1)
    """Name of the dataset."""
    description: str = ""
    """What it is, in a few sentences."""
    version: str = Field(default="1.0.0", pattern=r"^\d+\.\d+\.\d+$")
    """Version that is published, MAJOR.MINOR.PATCH; the fingerprint tells datasets apart in any case."""
    url: str = ""
    """Where it is published."""
    creators: tuple[str, ...] = ()
    """Who made it: people or organisations."""
    citation: str = ""
    """How to cite it."""
    date_published: str = Field(default="", pattern=r"^(\d{4}-\d{2}-\d{2})?$")
    """When it was published, YYYY-MM-DD."""
    languages: tuple[str, ...] = ()
    """Languages of the questions, as BCP 47 tags such as en or zh-Hans."""
    collection: str = ""
    """How the sources were collected, when and by whom."""
    annotation: str = ""
    """Who wrote questions and reference answers, and how they were checked."""
    biases: str = ""
    """Known biases."""
    limitations: str = ""
    """What it should not be taken for."""
    personal_information: str = ""
    """Personal and sensitive information that it may hold, and what was done about it."""
    uses: str = ""
    """What it is meant for, and what it is not."""
    social_impact: str = ""
    """Whom it may help or harm."""
    maintenance: str = ""
    """Who mends faults in it, and how long."""


STEP_WORDS: Mapping[str, str] = {
    "schema": "Rows without an image, a question or a reference answer, or with a value of a wrong type, are taken out",
    "pictures": "Images are decoded whole; rows with a broken or an oversized one are taken out",
    "wording": "Questions and reference answers are normalised",
    "typing": "Each answer gets a type, which decides how answers are compared",
    "leakage": "Rows whose question or metadata give the answer away are looked for",
    "language": "Rows in a language that was not asked for are looked for",
    "pii": "Texts with personal information are looked for",
    "licence": "Rows under a licence that is not allowed are looked for",
    "exact duplicates": "Of rows with the same pixels, question and answer the first one stays",
    "near duplicates": "Of rows with nearly the same images and question, and the same answer, the first one stays",
    "split": "Training rows that share an image or a group with held-out ones are taken out",
    "conflicts": "Rows with the same images and question and different answers are taken out",
    "decontamination": "Rows that repeat a question of a benchmark are taken out",
    "difficulty": "Rows are looked at by the share of a base model's answers that are right",
    "blind": "Rows that a base model answers without the image are looked for",
    "mixture": "Tasks and answer types are weighted",
}
"""What each step does, without a full stop; a step of another name speaks for itself."""
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "schema": ("row", "schema"),
    "pii": ("personal_data", "pii"),
    "licence": ("licences", "licence"),
    "split": ("groups",),
    "exact duplicates": ("exact_duplicates", "duplicates"),
    "near duplicates": ("near_duplicates", "near"),
}
"""Names of the fields that hold a step's settings, where they are not the step's own name."""


def step_settings(step: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a step.

    Args:
        step: Its name.
        settings: Of curation, as plain JSON values; a step's own may lie one level below.
    """
    names = _FIELDS.get(step, (step.replace(" ", "_"),))
    levels = [settings, *(value for value in settings.values() if isinstance(value, Mapping))]
    found = (level[name] for level in levels for name in names if isinstance(level.get(name), Mapping))
    return dict(next(found, {}))


def responsible_ai(numbers: CardNumbers, texts: DatasetTexts, settings: Mapping[str, Any]) -> dict[str, list[str]]:
    """Statements by the names of the RAI vocabulary, at least one each.

    Args:
        numbers: Of the dataset.
        texts: What the recipe says.
        settings: Of curation, as plain JSON values.
    """
    return {
        "dataCollection": [_sources(numbers), texts.collection or f"How they were collected: {_lower(NOT_STATED)}"],
        "dataPreprocessingProtocol": [_step(step, settings) for step in numbers.steps] or [NOT_STATED],
        "dataAnnotationProtocol": [
            "Questions and reference answers are those of the sources, as the preprocessing left them; the type of an "
            "answer is stated by the source or told by a program.",
            texts.annotation or f"Who wrote them, and how they were checked: {_lower(NOT_STATED)}",
        ],
        "dataBiases": [*_shares(numbers), texts.biases or f"A study of biases: {_lower(NOT_STATED)}"],
        "dataLimitations": [*_limits(numbers), *([texts.limitations] if texts.limitations else [])],
        "personalSensitiveInformation": [_personal(numbers, settings), texts.personal_information or NOT_STATED],
        "dataUseCases": [
            texts.uses
            or "Made for training and testing vision-language models on questions about images with reference answers. "
            f"Other uses: {_lower(NOT_STATED)}"
        ],
        "dataSocialImpact": [texts.social_impact or NOT_STATED],
        "dataReleaseMaintenancePlan": [texts.maintenance or NOT_STATED],
    }


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _sources(numbers: CardNumbers) -> str:
    named = [f"{source.name} ({source.licence or 'licence not stated'})" for source in numbers.sources]
    return f"{numbers.rows_in:,} rows were taken from {len(named)} source{'s' * (len(named) != 1)}: {', '.join(named)}."


def _step(step: StepCount, settings: Mapping[str, Any]) -> str:
    own = step_settings(step.step, settings)
    words = STEP_WORDS.get(step.step, "Rows are looked at")
    said = "; ".join(f"{name} {_setting(value)}" for name, value in own.items() if name != "enabled")
    if own.get("enabled") is False:
        return f"{step.step}: switched off."
    return (
        f"{step.step}: {words}{f' ({said})' if said else ''}. {step.rows_in:,} rows in, {step.rows_kept:,} kept, "
        f"{step.rows_quarantined:,} quarantined, {step.rows_duplicate:,} duplicates."
    )


def _setting(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({', '.join(f'{name} {_setting(item)}' for name, item in value.items())})"
    if isinstance(value, list | tuple):
        return ", ".join(_setting(item) for item in value) or "none"
    return {None: "none", "": "none", True: "yes", False: "no"}.get(value, str(value))


def _shares(numbers: CardNumbers) -> Iterator[str]:
    """The largest task, answer type and source, by their shares."""
    for name in ("task", "answer_type", "source"):
        counts = numbers.by[name]
        if counts and numbers.rows_kept:
            value, most = next(iter(counts.items()))
            words = name.replace("_", " ")
            share = 100 * most / numbers.rows_kept
            yield f"{share:.1f} % of the examples are of the {words} {value}, the most frequent one."


def _limits(numbers: CardNumbers) -> Iterator[str]:
    undecided = numbers.rows_kept - numbers.verifiable
    yield f"No rule can decide {undecided:,} of the {numbers.rows_kept:,} examples: their answers are open-ended."
    if numbers.benchmarks is None:
        yield "The examples were not held against any benchmark: what they teach, a benchmark may ask."
    else:
        names = ", ".join(benchmark.name for benchmark in numbers.benchmarks)
        yield f"The examples were held against these benchmarks and no others: {names or 'none'}."
    if not numbers.difficulty.n:
        yield "How hard the questions are was not measured."


def _personal(numbers: CardNumbers, settings: Mapping[str, Any]) -> str:
    step = next((step for step in numbers.steps if step.step == "pii"), None)
    if step is None or step_settings("pii", settings).get("enabled") is False:
        return "No step looked for personal information."
    return (
        f"Texts were searched for personal information; {step.rows_quarantined:,} rows were taken out. What images "
        "show was not searched."
    )
