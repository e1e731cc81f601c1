"""Score a description by which facts of the scene it states, and which false ones.

The surrogate reward that training optimises never sees this rule. The score is the Jaccard index of the
stated and the true facts: leaving a fact out and stating a false one both cost. A description with a
negation states nothing that this rule could credit, and scores 0.

A fact is "ATTRIBUTE NOUN" (red circle) or "NOUN RELATION NOUN" (circle left of square).
"""

import re
from collections.abc import Iterable

_RELATIONS = ("left of", "right of", "above", "below")
_INVERSE = {"right of": "left of", "below": "above"}
_NEGATION = re.compile(r"\b(not|no|never|neither|nor|without|false)\b|n't\b")


class FactScorer:
    """Finds facts in descriptions, in the vocabulary of a set of examples.

    Args:
        facts: All facts of all examples; their words are the vocabulary in which statements are found.
    """

    def __init__(self, facts: Iterable[str]) -> None:
        facts = list(facts)
        relational = [fact for fact in facts if _relation_in(fact)]
        plain = [fact.split() for fact in facts if not _relation_in(fact)]
        nouns = {words[-1] for words in plain} | {
            word for fact in relational for word in (fact.split()[0], fact.split()[-1])
        }
        noun = _any_of(nouns)
        attribute = _any_of({" ".join(words[:-1]) for words in plain})
        self._attributes = re.compile(rf"\b({attribute})\s+({noun})\b")
        article = r"(?:(?:the|a|an)\s+)?"
        self._relations = re.compile(
            rf"\b({noun})\s+(?:is\s+)?({_any_of(_RELATIONS)})\s+{article}(?:(?:{attribute})\s+)?({noun})\b"
        )

    def stated(self, description: str) -> set[str]:
        """The facts that a description states, in canonical form."""
        text = " ".join(description.casefold().split())
        if _NEGATION.search(text):
            return set()
        plain = {f"{attribute} {noun}" for attribute, noun in self._attributes.findall(text)}
        return plain | {_canonical(*match) for match in self._relations.findall(text)}

    def score(self, description: str, facts: Iterable[str]) -> float:
        """Jaccard index (0..1) of the stated facts and the true ones.

        Args:
            description: What was answered.
            facts: What is true; at least one.
        """
        true = {_canonical_fact(fact) for fact in facts}
        stated = self.stated(description)
        return len(stated & true) / len(stated | true)


def _relation_in(fact: str) -> str | None:
    return next((relation for relation in _RELATIONS if f" {relation} " in fact), None)


def _canonical_fact(fact: str) -> str:
    relation = _relation_in(fact)
    if relation is None:
        return fact
    first, second = fact.split(f" {relation} ")
    return _canonical(first, relation, second)


def _canonical(first: str, relation: str, second: str) -> str:
    if relation in _INVERSE:
        return f"{second} {_INVERSE[relation]} {first}"
    return f"{first} {relation} {second}"


def _any_of(words: Iterable[str]) -> str:
    """An alternation; one that never matches where there are no words."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)) or r"(?!)"
