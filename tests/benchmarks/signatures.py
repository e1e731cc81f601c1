"""What signing texts costs: our signatures beside datasketch's, and rensa's where it is installed.

The same comparable texts of about 60, 120 and 400 characters go to each, in turns, and each makes 64 numbers of the
same shingles of five bytes; the peers are given their lists of shingles, so that cutting them costs the peers nothing,
while ours cuts them and finds the numbers that salt them within its time. Prints medians of CPU seconds as texts/s,
and the ratio to datasketch; then the mean error of the estimated Jaccard similarity of each over the same pairs.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.signatures
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.curation.shingles import BINS, shingle_set, signatures

_TEXT = (
    "the triangle angle length of side is what find figure chart value color highest lowest number cars people left "
    "right image between shaded region area each many total circle radius point line graph year percent table which"
)
_WORDS = _TEXT.split()

Sign = Callable[[Sequence[str], Sequence[list[bytes]]], Any]


def make_texts(count: int, characters: int, seed: int) -> list[str]:
    """Texts of everyday words with a number each."""
    chance = random.Random(seed)
    texts = []
    for _ in range(count):
        words: list[str] = [str(chance.randint(1, 999))]
        while sum(map(len, words)) + len(words) < characters:
            words.insert(chance.randint(0, len(words)), chance.choice(_WORDS))
        texts.append(" ".join(words))
    return texts


def ours(texts: Sequence[str], _: Sequence[list[bytes]]) -> NDArray[np.uint32]:
    """From the texts themselves."""
    return signatures(texts)


def datasketch(_: Sequence[str], shingles: Sequence[list[bytes]]) -> NDArray[np.uint64]:
    """Its fastest way for many texts."""
    from datasketch import MinHash

    return np.stack([signed.hashvalues for signed in MinHash.bulk(shingles, num_perm=BINS)])


def rensa(_: Sequence[str], shingles: Sequence[list[bytes]]) -> NDArray[np.uint32]:
    """Its fastest way for many texts."""
    from rensa import RMinHash

    matrix = RMinHash.digest_matrix_from_token_byte_sets(shingles, BINS, 42)
    return np.array(matrix.to_rows(), dtype=np.uint32)


def available() -> dict[str, Sign]:
    """datasketch, the peer, and what else is installed."""
    ways: dict[str, Sign] = {"ours": ours, "datasketch": datasketch}
    try:
        import rensa as _  # noqa: F401
    except ImportError:
        return ways
    return {**ways, "rensa": rensa}


def print_speed(characters: int, arguments: argparse.Namespace) -> None:
    """A line a way, for texts of one length."""
    texts = make_texts(arguments.texts, characters, arguments.seed)
    shingles = [sorted(shingle_set(text)) for text in texts]
    ways = available()
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(arguments.turns + 1):
        for name, sign in ways.items():
            start = time.process_time()
            sign(texts, shingles)
            if turn:
                spent[name].append(time.process_time() - start)
    peer = statistics.median(spent["datasketch"])
    for name, seconds in spent.items():
        middle = statistics.median(seconds)
        least, most = (len(texts) / limit for limit in (max(seconds), min(seconds)))
        print(
            f"{characters:>5} characters  {name:12}{len(texts) / middle:>10,.0f} texts/s ({least:,.0f} to {most:,.0f})"
            f"{peer / middle:>8.1f} x datasketch"
        )


def print_error(arguments: argparse.Namespace) -> None:
    """How far estimates are from the similarity itself."""
    texts = make_texts(400, 120, arguments.seed + 1)
    chance = random.Random(arguments.seed)
    others = [_reworded(text, chance) for text in texts]
    sets = [[shingle_set(text) for text in side] for side in (texts, others)]
    truth = np.array([len(one & other) / len(one | other) for one, other in zip(*sets, strict=True)])
    for name, sign in available().items():
        signed = [sign(side, [sorted(items) for items in own]) for side, own in zip((texts, others), sets, strict=True)]
        error = (signed[0] == signed[1]).mean(axis=1) - truth
        print(f"{name:12} mean error {error.mean():+.4f}, root mean square {np.sqrt((error**2).mean()):.4f}")


def _reworded(text: str, chance: random.Random) -> str:
    """Some words replaced, the number kept."""
    return " ".join(word if word.isdigit() or chance.random() > 0.1 else chance.choice(_WORDS) for word in text.split())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Benchmark of text signatures")
    parser.add_argument("--texts", type=int, default=4_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    for characters in (60, 120, 400):
        print_speed(characters, arguments)
    print_error(arguments)


if __name__ == "__main__":
    main()
