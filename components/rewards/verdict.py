"""Verdict: what a rule decided about one answer."""

from dataclasses import dataclass

NO_ANSWER, UNDECIDED, UNREADABLE_REFERENCE = "no answer", "undecided", "reference not readable"
"""Flags: nothing to judge was found; the verifier could not decide; no answer can be right."""


@dataclass(frozen=True)
class Verdict:
    """Right, wrong or undecided; a verifier that could not judge is undecided, never wrong."""

    correct: bool | None
    """True right, False wrong, None undecided."""
    rule: str
    """Which rule decided, or could not."""
    reason: str = ""
    """Why an undecided verdict is undecided; empty otherwise."""
    confidence: float = 1.0
    """How sure the verdict is, in [0, 1]: 1 for an exact rule, a grade for a fuzzy one, 0 for an undecided one."""
    flags: tuple[str, ...] = ()
    """What a reader should know of: "time limit", "memory limit", "reference not readable" …"""


def decided(rule: str, correct: bool, confidence: float = 1.0) -> Verdict:
    """A verdict of right or wrong."""
    return Verdict(correct, rule, confidence=confidence)


def undecided(rule: str, reason: str, *flags: str) -> Verdict:
    """A verdict that says why there is none."""
    return Verdict(None, rule, reason, 0.0, flags)
