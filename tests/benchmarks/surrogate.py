"""What the surrogate costs: fitting, searching the index and scoring, beside plain cosine in the same run.

Peers: sentence-transformers' own encode and a product of vectors (plain cosine) for scoring; a full sort of the
distances for the search. Fitting is on 5,000 scored answers of the corpus, the encoder's time apart. CPU and wall time
are the same on one thread; run it on a machine that does nothing else.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.surrogate
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from components.rewards.answer_features import NAMES
from components.rewards.answer_index import AnswerIndex
from components.rewards.embedding_cache import EmbeddingCache
from components.rewards.surrogate import SurrogateScorer
from components.surrogate.builtin import CORPUS, builtin_folder, corpus_rows
from components.surrogate.config import SurrogateConfig
from components.surrogate.fit import fit_rows
from tests.benchmarks.embedder import peer

_ANSWERS = 256


def search() -> str:
    """64 queries over 100,000 points."""
    random = np.random.default_rng(0)
    points = random.standard_normal((100_000, len(NAMES))).astype(np.float32)
    width = len(NAMES)
    index = AnswerIndex(
        np.zeros(width, np.float32), np.ones(width, np.float32), points, np.zeros(len(points), np.float32)
    )
    queries = random.standard_normal((64, width)).astype(np.float32)
    norms = (points**2).sum(axis=1)

    def sort() -> np.ndarray:
        return np.argpartition(norms - 2 * queries @ points.T, 14, axis=1)[:, :15]

    ours, peer = _median(lambda: index.nearest(queries, 15), 9), _median(sort, 9)
    return f"64 queries, 100,000 points: {1000 * ours:.0f} ms; full partition of the distances {1000 * peer:.0f} ms"


def scoring() -> str:
    """Answers that the encoder has not seen, to questions whose references it has."""
    rows = corpus_rows(CORPUS / "textbook")[: 4 * _ANSWERS : 4]
    questions, answers, references = (
        [row.question for row in rows], [row.answer for row in rows], [row.references for row in rows],
    )  # fmt: skip
    plain = peer()

    def ours() -> float:
        scorer = SurrogateScorer.load(builtin_folder())
        scorer.score(questions, [texts[0] for texts in references], references)
        start = time.perf_counter()
        scorer.score(questions, answers, references)
        return time.perf_counter() - start

    def cosine() -> float:
        start = time.perf_counter()
        vectors = plain.embed(answers)
        vectors @ vectors[0]
        return time.perf_counter() - start

    pairs = [(ours(), cosine()) for _ in range(5)]
    mine, theirs = (statistics.median(values) for values in zip(*pairs, strict=True))
    scorer = SurrogateScorer.load(builtin_folder())
    scorer.score(questions, answers, references)

    def again() -> None:
        scorer._reader._cache = EmbeddingCache(len(NAMES))
        scorer.score(questions, answers, references)

    warm = _median(again, 5)
    return (
        f"{len(rows)} new answers: {1000 * mine:.0f} ms ({len(rows) / mine:.0f}/s); cosine of sentence-transformers "
        f"{1000 * theirs:.0f} ms ({len(rows) / theirs:.0f}/s), ratio {mine / theirs:.2f}; with the encoder's work done "
        f"{1000 * warm:.0f} ms ({len(rows) / warm:.0f}/s)"
    )


def fitting() -> str:
    """5,000 scored answers."""
    with tempfile.TemporaryDirectory() as folder:
        result = fit_rows(
            corpus_rows(CORPUS / "textbook")[:5_000], Path(folder) / "surrogate", SurrogateConfig(), seed=0
        )
    seconds = result.seconds
    return (
        f"fit on 5,000 rows (and {result.metrics['num_made']:.0f} made of them): {seconds['fit']:.0f} s, features "
        f"{seconds['features']:.0f} s; the encoder {seconds['encode']:.0f} s besides"
    )


def _median(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    import torch

    torch.set_num_threads(1)
    for part in (search, scoring, fitting):
        sys.stdout.write(part() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
