"""Scored answers to fit on, made from the references themselves.

Right (score 1): a reference, once with and once without itself among the references. Wrong (score 0): that
reference with words exchanged, two words swapped, cut in half, denied, or another example's. So the
surrogate needs no annotation beyond the references, and has seen the cheapest ways to fool a cosine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from components.core.example import Example
from components.rewards.picture import picture_of
from components.surrogate.rows import AnswerRow


@dataclass(frozen=True)
class ScoredAnswer:
    """An answer with its score, in the context of one example."""

    example: int
    """Index of the example; answers of one example never cross folds."""
    references: tuple[str, ...]
    answer: str
    score: float
    """0..1."""


def make_scored_answers(examples: Sequence[Example], seed: int) -> list[ScoredAnswer]:
    """Right and wrong answers for each example.

    Args:
        examples: Open-ended examples, each with at least one reference.
        seed: Decides which words are exchanged and which other examples lend their references.
    """
    random = Random(seed)
    words = sorted({word for example in examples for text in example.references for word in text.split()})
    return [
        scored
        for index, example in enumerate(examples)
        for scored in _answers_of(index, example, examples, words, random)
    ]


def answer_rows(examples: Sequence[Example], seed: int, with_images: bool = False) -> list[AnswerRow]:
    """The same as rows, blank answers left out; those of one example are a group, named by its number.

    Args:
        examples: Open-ended examples.
        seed: Decides the changes.
        with_images: Whether the rows have the examples' pictures, for a surrogate that looks at them.
    """
    return [
        AnswerRow(
            question=examples[item.example].question,
            references=item.references,
            answer=item.answer,
            score=item.score,
            group=str(item.example),
            image=picture_of(examples[item.example].images) if with_images else None,
        )
        for item in (make_scored_answers(examples, seed) if examples else ())
        if item.answer.strip()
    ]


def _answers_of(
    index: int, example: Example, examples: Sequence[Example], words: Sequence[str], random: Random
) -> list[ScoredAnswer]:
    right = random.choice(example.references)
    everything = example.references
    others = tuple(text for text in everything if text != right) or everything
    scored = [ScoredAnswer(index, others, right, 1.0), ScoredAnswer(index, everything, right, 1.0)]
    wrong = [
        _exchange_word(right, words, random),
        _exchange_word(right, words, random),
        _swap_words(right, random),
        " ".join(right.split()[: len(right.split()) // 2]),
        f"it is not true that {right}",
        random.choice(random.choice(examples).references),
    ]
    scored += [
        ScoredAnswer(index, random.choice((others, everything)), answer, 0.0)
        for answer in wrong
        if answer and answer not in everything
    ]
    return scored


def _exchange_word(text: str, words: Sequence[str], random: Random) -> str:
    parts = text.split()
    parts[random.randrange(len(parts))] = random.choice(words)
    return " ".join(parts)


def _swap_words(text: str, random: Random) -> str:
    parts = text.split()
    first, second = random.randrange(len(parts)), random.randrange(len(parts))
    parts[first], parts[second] = parts[second], parts[first]
    return " ".join(parts)
