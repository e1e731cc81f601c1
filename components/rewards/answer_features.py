"""Features of an answer beside its question and references: what the surrogate's heads see.

Each row depends on its own texts alone, to the bit. The cues of language (negations, opposites, hedges, function
words, number words) are English; on other languages they stay at 0 and the embeddings, the numbers and the shared words
speak alone.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from components.rewards.embedder import TokenVectors
from components.rewards.english import (
    CLAIMS,
    DENIALS,
    FUNCTION_WORDS,
    HEDGES,
    NEGATIONS,
    NUMBER_WORDS,
    OPPOSITES,
    TURNS,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from components.rewards.embedder import Embedder

LONGEST = 20_000
"""Characters of a text that are looked at; no encoder reads more."""

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_SENTENCE = re.compile(r"[.!?;\n]+")

NAMES = (
    "cosine", "cosine_mean", "cosine_question", "cosine_question_reference", "cosine_above_question",
    "align_answer", "align_reference", "align_answer_min", "align_reference_min", "align_answer_low",
    "align_reference_low", "align_answer_weak", "align_reference_weak", "align_answer_spread",
    "align_question", "align_question_low", "support_min", "support_mean", "same_piece_mean", "same_piece_min",
    "align_head", "align_tail",
    "precision", "recall", "f1", "recall_any", "bigram_precision", "bigram_recall", "run",
    "new_words", "missing_words", "new_share", "missing_share", "order",
    "length_ratio", "sentence_ratio",
    "negations", "negations_reference", "negation_differs", "denials", "turns", "opposites", "hedges", "claims", "ors",
    "numbers_extra", "numbers_missing", "numbers_shared", "numbers_conflict", "names_extra", "names_missing",
    "question_copied", "question_run", "question_only",
    "repeated_words", "repeated_trigrams", "most_frequent", "function_share", "function_ratio", "sorted_share",
    "ends_on_function_word",
)  # fmt: skip
"""Of the features, in order; shape (F,).

Lengths and marks of the answer by itself are left out: they tell who wrote a corpus more than what is right.
"""

RISING = (
    "cosine", "cosine_mean", "align_answer", "align_reference", "align_answer_low", "align_reference_low",
    "align_reference_min", "recall", "recall_any",
)  # fmt: skip
"""Features of which more is never worse, all else being equal."""


class TextRow(NamedTuple):
    """The texts of an answer."""

    question: str
    """"" where there is none."""
    answer: str
    references: tuple[str, ...]
    """At least one."""


def features_of(
    rows: Sequence[TextRow], tokens: "dict[str, TokenVectors]", sentences: "dict[str, NDArray[np.float32]]"
) -> "NDArray[np.float32]":
    """Features of answers.

    Args:
        rows: N rows of texts that were `seen`, at least one.
        tokens: Of every text in them.
        sentences: Likewise.

    Returns:
        Finite numbers, shape (N, F); see NAMES.
    """
    import numpy as np

    return np.stack([_features(row, tokens, sentences) for row in rows])


def seen(text: str) -> str:
    """The part that is looked at, as what an encoder can read: without half surrogate pairs."""
    return text[:LONGEST].encode("utf-8", "replace").decode("utf-8")


def read_texts(
    embedder: "Embedder", texts: Sequence[str]
) -> "tuple[dict[str, TokenVectors], dict[str, NDArray[np.float32]]]":
    """What the embedder makes of texts; of one that has nothing to read, the zero vector, which is like nothing."""
    import numpy as np

    readable = [text for text, can in zip(texts, embedder.readable(texts), strict=True) if can]
    nothing = np.zeros(embedder.width, dtype=np.float32)
    tokens = dict.fromkeys(texts, TokenVectors(("",), nothing[None]))
    sentences = dict.fromkeys(texts, nothing)
    tokens.update(zip(readable, embedder.token_vectors(readable), strict=True))
    sentences.update(zip(readable, embedder.embed(readable), strict=True))
    return tokens, sentences


def normalised(text: str) -> str:
    """A text's words in lower case, without punctuation: equal for texts that say the same letter by letter."""
    return " ".join(_WORD.findall(text.casefold().replace("\u2019", "'")))


@dataclass(frozen=True)
class _Text:
    """What is counted of a text."""

    words: tuple[str, ...]
    stems: tuple[str, ...]
    """Of the words that are not function words, in order."""
    content: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[str]
    """Words with a capital that do not begin a sentence, as stems."""
    bigrams: frozenset[tuple[str, str]]
    sentences: int
    negations: int
    denials: int
    turns: int
    hedges: int
    claims: int


@lru_cache(maxsize=20_000)
def _read(text: str) -> _Text:
    words = tuple(word.replace("\u2019", "'") for word in _WORD.findall(text.casefold()))
    stems = tuple(_stem(word) for word in words if word not in FUNCTION_WORDS)
    lowered = " ".join(words)
    padded = f" {lowered} "
    return _Text(
        words=words,
        stems=stems,
        content=frozenset(stems),
        numbers=frozenset(_numbers(text)),
        names=frozenset(_names(text)),
        bigrams=frozenset(pairwise(words)),
        sentences=sum(1 for part in _SENTENCE.split(text) if part.strip()),
        negations=sum(word in NEGATIONS or word.endswith("n't") for word in words),
        denials=sum(padded.count(f" {phrase} ") for phrase in DENIALS),
        turns=sum(padded.count(f" {phrase} ") for phrase in TURNS),
        hedges=sum(padded.count(f" {phrase} ") for phrase in HEDGES),
        claims=sum(padded.count(f" {phrase} ") for phrase in CLAIMS),
    )


def _stem(word: str) -> str:
    """A word without its commonest endings: carries, carried, carrying -> carri."""
    word = NUMBER_WORDS.get(word, word).removesuffix("'s")
    for ending in ("ing", "ied", "ies", "ed", "es", "s", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + ("i" if ending in ("ied", "ies") else "")
            break
    return (
        word[:-1] + "i" if word.endswith("y") and len(word) > 3 else word.removesuffix("e") if len(word) > 3 else word
    )


def _numbers(text: str) -> list[str]:
    digits = [_plain(number) for number in _NUMBER.findall(text)]
    spelt = [NUMBER_WORDS[word] for word in _WORD.findall(text.casefold()) if word in NUMBER_WORDS]
    return digits + spelt


def _plain(number: str) -> str:
    """1,000 and 1000 alike; 1.50 and 1.5 too."""
    number = re.sub(r",(?=\d{3}(?:\D|$))", "", number).replace(",", ".")
    return number.rstrip("0").rstrip(".") if number.count(".") == 1 else number


def _names(text: str) -> list[str]:
    found = []
    for match in _WORD.finditer(text):
        before = text[max(0, match.start() - 9) : match.start()].rstrip()[-1:]
        if match.group()[0].isupper() and before and before not in ".!?:;\n" and match.group() != "I":
            found.append(_stem(match.group().casefold()))
    return found


def _features(
    row: TextRow,
    tokens: dict[str, TokenVectors],
    sentences: "dict[str, NDArray[np.float32]]",
) -> "NDArray[np.float32]":
    import numpy as np

    question, answer, references = row
    cosines = [float(sentences[answer] @ sentences[text]) for text in references]
    nearest = references[int(np.argmax(cosines))]
    to_question = float(sentences[answer] @ sentences[question]) if question.strip() else 0.0
    between = float(sentences[nearest] @ sentences[question]) if question.strip() else 0.0
    read, wanted, asked = _read(answer), _read(nearest), _read(question)
    values = [
        max(cosines), sum(cosines) / len(cosines), to_question, between, max(cosines) - to_question,
        *_alignment(tokens[answer], tokens[nearest], tokens[question] if question.strip() else None),
        *_overlap(read, wanted, asked, [_read(text) for text in references]),
        *_lengths(read, wanted),
        *_cues(read, wanted),
        *_facts(read, wanted, asked),
        *_copying(read, asked),
        *_form(read, wanted),
    ]  # fmt: skip
    return np.asarray(values, dtype=np.float32)


def _alignment(answer: TokenVectors, reference: TokenVectors, question: TokenVectors | None) -> list[float]:
    """How well each token of the one text is met by some token of the other."""
    import numpy as np

    mine, theirs = answer.vectors, reference.vectors
    similar = mine @ theirs.T
    forth, back = similar.max(axis=1), similar.max(axis=0)
    to_question = (mine @ question.vectors.T).max(axis=1) if question is not None else np.zeros(len(mine), np.float32)
    support = np.maximum(forth, to_question)
    third = -(-len(forth) // 3)
    same = _same_pieces(answer, reference, similar)
    forth_up, back_up = np.sort(forth), np.sort(back)
    return [
        float(value)
        for value in (
            _mean(forth), _mean(back), forth_up[0], back_up[0], _mean(forth_up[:3]), _mean(back_up[:3]),
            np.count_nonzero(forth < 0.5) / len(forth), np.count_nonzero(back < 0.5) / len(back), forth.std(),
            _mean(to_question), _mean(np.sort(to_question)[:3]), support.min(), _mean(support),
            _mean(same) if len(same) else 0.0, same.min() if len(same) else 0.0,
            _mean(forth[:third]), _mean(forth[len(forth) - third :]),
        )
    ]  # fmt: skip


def _mean(values: "NDArray[np.float32]") -> float:
    """As values.mean(), to the bit, for a third of its overhead."""
    import numpy as np

    return float(np.add.reduce(values) / np.float32(len(values)))


def _same_pieces(
    answer: TokenVectors, reference: TokenVectors, similar: "NDArray[np.float32]"
) -> "NDArray[np.float32]":
    """Of the pieces that both texts have, how alike they are in their contexts: a swapped role changes them."""
    import numpy as np

    places: dict[str, list[int]] = {}
    for place, piece in enumerate(reference.pieces):
        if piece and piece not in FUNCTION_WORDS and (piece[0].isalnum() or piece.startswith("##")):
            places.setdefault(piece, []).append(place)
    found = [similar[row, places[piece]].max() for row, piece in enumerate(answer.pieces) if piece in places]
    return np.asarray(found, dtype=np.float32)


def _overlap(read: _Text, wanted: _Text, asked: _Text, every: Sequence[_Text]) -> list[float]:
    shared = read.content & wanted.content
    precision, recall = _share(len(shared), len(read.content)), _share(len(shared), len(wanted.content))
    new = read.content - wanted.content - asked.content
    missing = wanted.content - read.content - asked.content
    both = len(read.bigrams & wanted.bigrams)
    return [
        precision, recall, _share(2 * precision * recall, precision + recall),
        max(_share(len(read.content & other.content), len(other.content)) for other in every),
        _share(both, len(read.bigrams)), _share(both, len(wanted.bigrams)),
        _share(_longest_run(read.words, wanted.words), max(len(read.words), 1)),
        min(len(new), 30), min(len(missing), 30), _share(len(new), len(read.content)),
        _share(len(missing), len(wanted.content)), _order(read.stems, wanted.stems),
    ]  # fmt: skip


def _order(mine: Sequence[str], theirs: Sequence[str]) -> float:
    """Share of pairs of shared words that stand in the same order in both texts; 1 where there is no pair."""
    places = {word: place for place, word in reversed(list(enumerate(theirs)))}
    line = [places[word] for word in dict.fromkeys(mine) if word in places][:40]
    pairs = [first < second for place, first in enumerate(line) for second in line[place + 1 :]]
    return sum(pairs) / len(pairs) if pairs else 1.0


def _longest_run(mine: Sequence[str], theirs: Sequence[str]) -> int:
    """Words of the longest run that both texts have."""
    places: dict[str, list[int]] = {}
    for place, word in enumerate(theirs[:300]):
        places.setdefault(word, []).append(place)
    best = 0
    previous: dict[int, int] = {}  # length of the run that ends at each place of theirs
    for word in mine[:300]:
        previous = {place: previous.get(place - 1, 0) + 1 for place in places.get(word, ())}
        if previous:
            best = max(best, *previous.values())
    return best


def _lengths(read: _Text, wanted: _Text) -> list[float]:
    import math

    mine, theirs = len(read.words), len(wanted.words)
    return [
        math.log((1 + mine) / (1 + theirs)), math.log((1 + read.sentences) / (1 + wanted.sentences)),
    ]  # fmt: skip


def _cues(read: _Text, wanted: _Text) -> list[float]:
    return [
        min(read.negations, 9), min(wanted.negations, 9), float((read.negations > 0) != (wanted.negations > 0)),
        min(max(0, read.denials - wanted.denials), 9), min(max(0, read.turns - wanted.turns), 9),
        min(_opposites(read, wanted), 9),
        min(max(0, read.hedges - wanted.hedges), 9), min(max(0, read.claims - wanted.claims), 9),
        min(max(0, read.words.count("or") - wanted.words.count("or")), 9),
    ]  # fmt: skip


def _opposites(read: _Text, wanted: _Text) -> int:
    """Words of the answer whose opposite the reference has, while it lacks the word."""
    mine, theirs = set(read.words), set(wanted.words)
    return sum(1 for word in mine - theirs if OPPOSITES.get(word, frozenset()) & (theirs - mine))


def _facts(read: _Text, wanted: _Text, asked: _Text) -> list[float]:
    extra, missing = read.numbers - wanted.numbers - asked.numbers, wanted.numbers - read.numbers
    names = read.names - wanted.names - wanted.content - asked.content
    return [
        min(len(extra), 9), min(len(missing), 9), min(len(read.numbers & wanted.numbers), 9),
        float(bool(extra) and bool(missing)), min(len(names), 9), min(len(wanted.names - read.content), 9),
    ]  # fmt: skip


def _copying(read: _Text, asked: _Text) -> list[float]:
    copied = _share(len(set(read.words) & set(asked.words)), len(set(read.words)))
    run = _share(_longest_run(read.words, asked.words), max(len(asked.words), 1))
    return [copied, run, _share(len(read.content & asked.content), len(read.content))]


def _form(read: _Text, wanted: _Text) -> list[float]:
    words = read.words
    trigrams = list(zip(words, words[1:], words[2:], strict=False))
    most = max(Counter(read.stems).values(), default=0)
    function, theirs = _function_share(read), _function_share(wanted)
    return [
        1 - _share(len(set(read.stems)), len(read.stems), 1.0), 1 - _share(len(set(trigrams)), len(trigrams), 1.0),
        min(most, 20), function, function - theirs,
        _share(sum(a <= b for a, b in pairwise(words)), len(words) - 1, 0.5),
        float(bool(words) and words[-1] in FUNCTION_WORDS),
    ]  # fmt: skip


def _function_share(text: _Text) -> float:
    return 1 - _share(len(text.stems), len(text.words), 1.0)


def _share(part: float, whole: float, otherwise: float = 0.0) -> float:
    return part / whole if whole > 0 else otherwise
