"""Right answers made of right answers: changes of wording that leave the truth alone.

A head that is fitted on hard wrong answers alone may learn that likeness to the reference is a bad sign, since such
answers are written to be alike. These rows teach that likeness is good. The words they use are English.
"""

import re
from collections.abc import Callable, Sequence
from random import Random

_FRONTS = (
    "The answer is: ", "It is because ", "In short, ", "I would say: ", "Basically, ", "One can say that ",
    "As far as I can see, ", "Well, ", "To put it simply, ", "Answer: ", "In the picture, ",
)  # fmt: skip
_CONTRACTED = {
    "is not": "isn't", "are not": "aren't", "does not": "doesn't", "do not": "don't", "cannot": "can't",
    "it is": "it's", "they are": "they're", "was not": "wasn't", "would not": "wouldn't", "there is": "there's",
    "he is": "he's", "she is": "she's", "did not": "didn't", "will not": "won't",
}  # fmt: skip
_ALIKE = (
    ("big", "large"), ("begin", "start"), ("picture", "image"), ("photo", "picture"), ("shows", "displays"),
    ("because", "since"), ("about", "roughly"), ("many", "a lot of"), ("to", "in order to"), ("so that", "such that"),
    ("makes", "causes"), ("near", "close to"), ("also", "as well"), ("needs", "requires"), ("need", "require"),
    ("uses", "employs"), ("gets", "becomes"), ("house", "home"), ("stop", "cease"), ("helps", "assists"),
    ("whole", "entire"), ("often", "frequently"), ("quickly", "rapidly"), ("people", "persons"), ("turns", "changes"),
    ("next to", "beside"), ("each other", "one another"), ("however", "but"), ("which", "that"), ("small", "little"),
    ("keeps", "holds"), ("almost", "nearly"), ("happens", "occurs"), ("happen", "occur"), ("buy", "purchase"),
    ("under", "below"), ("over", "above"), ("man", "guy"), ("wants", "wishes"), ("must", "has to"), ("ill", "sick"),
)  # fmt: skip


def reprinted(text: str, random: Random) -> str:
    """Other case, no full stop, other spaces."""
    plain = text.rstrip(".")
    return random.choice((plain.lower(), plain[:1].lower() + plain[1:], text.upper(), f"{plain} .", f" {plain}!"))


def fronted(text: str, random: Random) -> str:
    """With an opening in front."""
    return random.choice(_FRONTS) + text[:1].lower() + text[1:]


def contracted(text: str, random: Random) -> str:
    """Contractions, or their long forms."""
    del random
    changed = text
    for long, short in _CONTRACTED.items():
        changed = re.sub(rf"\b{long}\b", short, changed) if long in changed else re.sub(rf"\b{short}\b", long, changed)
    return changed


def reordered(text: str, random: Random) -> str:
    """Two clauses the other way round, where a semicolon or a list's `and` divides them."""
    del random
    body = text.rstrip(".")
    for sign in ("; ", " and ", ", "):
        parts = body.split(sign)
        if len(parts) == 2 and min(len(part.split()) for part in parts) >= (1 if sign != ", " else 3):
            return f"{parts[1]}{sign}{parts[0]}."
    return ""


def synonymous(text: str, random: Random) -> str:
    """Up to two words exchanged for others of the same meaning."""
    pairs = [pair for one, other in _ALIKE for pair in ((one, other), (other, one))]
    random.shuffle(pairs)
    done = 0
    for one, other in pairs:
        text, count = re.subn(rf"\b{one}\b", other, text, count=1)
        done += count
        if done == 2:
            break
    return text if done else ""


_KINDS: tuple[Callable[[str, Random], str], ...] = (reprinted, fronted, contracted, reordered, synonymous)


def rewordings(right: str, others: Sequence[str], random: Random, count: int) -> list[str]:
    """Right answers of a right answer, each different from it.

    Args:
        right: A right answer.
        others: Other right answers to the question, one of which may follow as a detail.
        random: Chooses.
        count: How many at most.
    """
    kinds = list(_KINDS)
    random.shuffle(kinds)
    made = [kind(right, random).strip() for kind in kinds]
    if others:
        stop = "" if right.rstrip()[-1:] in ".!?" else "."
        made.insert(random.randrange(len(made)), f"{right.rstrip()}{stop} {random.choice(others)}")
    return [text for text in dict.fromkeys(made) if text and text != right][:count]
