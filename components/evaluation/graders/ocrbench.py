"""OCRBench: does the answer contain a reference? A thousand questions, a point each.

Source: example.py of Yuliang-Liu/MultimodalOCR (OCRBench v1).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.evaluation.grade import Grade, MetaError
from components.evaluation.graders.inputs import flags_of, require_references, text_of

NO_DATASET_NAME = "no dataset_name"
"""Flag: the meta data do not name the source, so that the general rule was used."""

CATEGORIES: Mapping[str, Mapping[str, int]] = {
    "Text Recognition": {
        "Regular Text Recognition": 50,
        "Irregular Text Recognition": 50,
        "Artistic Text Recognition": 50,
        "Handwriting Recognition": 50,
        "Digit String Recognition": 50,
        "Non-Semantic Text Recognition": 50,
    },
    "Scene Text-centric VQA": {"Scene Text-centric VQA": 200},
    "Doc-oriented VQA": {"Doc-oriented VQA": 200},
    "Key Information Extraction": {"Key Information Extraction": 200},
    "Handwritten Mathematical Expression Recognition": {"Handwritten Mathematical Expression Recognition": 100},
}
"""The five categories, the types of question in each, and how many questions there are of a type."""


@dataclass(frozen=True)
class OcrBenchTotal:
    """Points over a set of questions."""

    total: float
    """Of 1000 where the set is complete."""
    categories: Mapping[str, float]
    """Points by category, in the order of CATEGORIES."""
    types: Mapping[str, float]
    """Points by type of question."""
    complete: bool
    """Whether these are the benchmark's thousand questions, type by type; the official script totals no other."""


def ocrbench(prediction: str, references: Sequence[str], meta: Mapping[str, Any]) -> Grade:
    """Scores 1 where the prediction contains any reference; an empty reference is always contained.

    Args:
        prediction: The model's answer.
        references: The accepted answers.
        meta: `dataset_name`, the question's source, and `type`, which only the total asks for.

    Raises:
        MetaError: Either is no text, or there is no reference.
    """
    source = text_of(meta, "dataset_name")
    text_of(meta, "type")
    require_references(references)
    clean = _formula if source == "HME100k" else _text
    compared = clean(prediction)
    found = any(clean(reference) in compared for reference in references)
    flags = flags_of(prediction) + ((NO_DATASET_NAME,) if source is None else ())
    return Grade(float(found), compared, flags)


def ocrbench_total(scores: Iterable[tuple[str, float]]) -> OcrBenchTotal:
    """Adds up points by type, by category and overall.

    Args:
        scores: Type and score of each question.

    Raises:
        MetaError: A type is none of the ten.
    """
    types = {kind: 0.0 for kinds in CATEGORIES.values() for kind in kinds}
    counts: Counter[str] = Counter()
    for kind, score in scores:
        if kind not in types:
            raise MetaError(f"meta type: got {kind!r}, allowed is one of {', '.join(types)}")
        types[kind] += score
        counts[kind] += 1
    expected = {kind: count for kinds in CATEGORIES.values() for kind, count in kinds.items()}
    categories = {name: sum(types[kind] for kind in kinds) for name, kinds in CATEGORIES.items()}
    return OcrBenchTotal(sum(categories.values()), categories, types, complete=counts == expected)


def _text(text: str) -> str:
    # Tabs and repeated spaces stay.
    return text.lower().strip().replace("\n", " ")


def _formula(text: str) -> str:
    # Case tells variables apart, spaces do not.
    return text.strip().replace("\n", " ").replace(" ", "")
