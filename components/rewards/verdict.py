"""Verdict: what a rule decided about one answer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """Right, wrong or undecided; a verifier that could not judge is undecided, never wrong."""

    correct: bool | None
    """True right, False wrong, None undecided."""
    rule: str
    """Which rule decided, or could not."""
    reason: str = ""
    """Why an undecided verdict is undecided; empty otherwise."""


def decided(rule: str, correct: bool) -> Verdict:
    """A verdict of right or wrong."""
    return Verdict(correct, rule)


def undecided(rule: str, reason: str) -> Verdict:
    """A verdict that says why there is none."""
    return Verdict(None, rule, reason)
