"""What no head need learn: answers that rules alone decide."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.rewards.answer_features import LONGEST, normalised

BLANK = "blank: the answer says nothing"
EQUAL = "equal: the answer is a reference, letter by letter"
LOOP = "loop: the answer repeats itself"
LONG = "long: the end of the answer is past what is read"
_LOOP_SHARE = 0.5
_LONGEST_READ = 1_200  # characters; 256 tokens of English


@dataclass(frozen=True)
class Ruling:
    """What the rules say of an answer."""

    flags: tuple[str, ...] = ()
    """What was found, in words."""
    least: float = 0.0
    """The score is not below this."""
    most: float = 1.0
    """The score is not above this."""

    @property
    def decides(self) -> bool:
        """Whether the answer is decided without a model's confidence."""
        return self.least > 0 or self.most < 1


def rule_on(answer: str, references: Sequence[str]) -> Ruling:
    """Apply the rules.

    Args:
        answer: Any text.
        references: The accepted answers.
    """
    plain = normalised(answer[:LONGEST])
    if not plain and not any(answer.strip() == text.strip() for text in references):
        return Ruling((BLANK,), most=0.0)
    if any(plain == normalised(text) for text in references):
        return Ruling((EQUAL,), least=0.98)
    flags = (LONG,) if len(answer) > max(_LONGEST_READ, *(2 * len(text) for text in references)) else ()
    if repeated_share(plain.split()) >= _LOOP_SHARE and not any(
        repeated_share(normalised(text).split()) >= _LOOP_SHARE / 2 for text in references
    ):
        return Ruling((*flags, LOOP), most=0.02)
    return Ruling(flags)


def repeated_share(words: Sequence[str]) -> float:
    """Share of the runs of three words that stood before, 0..1; of a text of fewer than six words 0."""
    if len(words) < 6:
        return 0.0
    runs = list(zip(words, words[1:], words[2:], strict=False))
    return 1 - len(set(runs)) / len(runs)
