"""AI2D: exact match of the letter.

There is no official script for models that answer in text; this is the rule of lmms-eval's task. A response that begins
with a capital and a full stop ("B. the leaf") counts as that letter, any other is compared as a whole, without regard
to case and to ASCII punctuation but with its whitespace. The rule is the same for both variants of the images, options
masked (`ai2d`) and unmasked (`ai2d_no_mask`), whose scores must not be compared with each other.
"""

import re
import string
from collections.abc import Mapping, Sequence
from typing import Any

from components.evaluation.grade import NO_ANSWER, Grade

_LEADING_LETTER = re.compile(r"\s*+([A-Z])\.")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def ai2d(prediction: str, references: Sequence[str], meta: Mapping[str, Any]) -> Grade:
    """Grade the answer to a question about a diagram.

    Args:
        prediction: The response of the model.
        references: The right letter; of several, any counts.
        meta: Not used: the rule does not look at the options.
    """
    del meta
    leading = _LEADING_LETTER.match(prediction)
    extraction = leading[1] if leading else prediction
    compared = _normalized(extraction)
    is_right = any(compared == _normalized(reference) for reference in references)
    return Grade(float(is_right), extraction or None, () if compared.strip() else (NO_ANSWER,))


def _normalized(text: str) -> str:
    return text.lower().translate(_PUNCTUATION)
