"""ChartQA: relaxed accuracy, numbers within 5 % and texts but for case.

Source: relaxed_correctness of google-research/pix2struct, which the field takes for the official rule (the
benchmark's own repository compares texts exactly), after section 5.1 of arXiv 2203.10244.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from components.evaluation.grade import Grade
from components.evaluation.graders.inputs import flags_of, number_of, require_references


def chartqa_relaxed(prediction: str, references: Sequence[str], meta: Mapping[str, Any]) -> Grade:
    """Scores 1 where any reference is met.

    Nothing is cleaned: neither white space round a text nor "$", a comma between thousands or a full stop.

    Args:
        prediction: The model's answer.
        references: The accepted answers.
        meta: `max_relative_change`, officially 0.05.

    Raises:
        MetaError: The change is no finite number of at least 0, or there is no reference.
    """
    change = number_of(meta, "max_relative_change", 0.05)
    require_references(references)
    met = any(_is_correct(prediction, reference, change) for reference in references)
    return Grade(float(met), prediction.lower(), flags_of(prediction))


def _is_correct(prediction: str, target: str, change: float) -> bool:
    value, expected = _number(prediction), _number(target)
    # A target of zero, to which no change is relative, is compared as text: "0.0" is not "0".
    if value is None or not expected:
        return prediction.lower() == target.lower()
    # False for nan on either side, as nan is near nothing.
    return abs(value - expected) / abs(expected) <= change


def _number(text: str) -> float | None:
    try:
        # As Python reads numbers: "1_000", "nan", "inf", white space round them and any script's digits.
        return float(text.rstrip("%")) / 100.0 if text.endswith("%") else float(text)
    except ValueError:
        return None
