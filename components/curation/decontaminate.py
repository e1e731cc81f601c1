"""Decontamination: no row may teach what an evaluation asks.

Three ways in which a row leaks a benchmark's question:
    words          it shares runs of 13 tokens with the prompt (the length of GPT-3's appendix C), half of all there are
    question       on an image that is the question's, or near it, it asks the same: for short questions, which have no
                   such run, the image is what tells a leak from a template
    meaning        on the question's very pixels, its text embedding is near the prompt's; off unless a model is named
A run that stands in questions about many images is a template ("Hint: Please answer the question …") and tells nothing
by itself. A row that only shares an image stays, with a flag, stronger where it has the question's answer too. So does
one that asks the same, with the same answer, about an image that is merely alike: a copy of a diagram that was scaled,
or a diagram of the same template.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from components.core.config import Config
from components.core.errors import HarmoError
from components.curation.benchmark_questions import BenchmarkQuestions
from components.curation.comparable import asks_the_same, same_numbers
from components.curation.grams import RunRule, shared_runs
from components.curation.image_index import ImageIndex
from components.curation.runs import distinct_pairs, pairs_between
from components.curation.sign_table import SignTable
from components.rewards.embedder import Embedder, EmbedderConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHARED_IMAGE, SHARED_ANSWER = "benchmark image", "benchmark image and answer"
"""Flags of rows that share an image with a benchmark, and ask something else."""
LOOKALIKE = "looks like a benchmark question"
"""Flag of rows that ask the same with the same answer about an image that is alike, and may be another one."""
_CHUNK_PAIRS = 100_000
_OTHER_NUMBERS = 0.8  # share of runs from which on other numbers are a slip and no other word problem


class DecontaminationConfig(Config):
    """Rows that leak questions of benchmarks."""

    enabled: bool = True
    """Whether they are quarantined."""
    gram_tokens: int = Field(default=13, ge=4)
    """Tokens of a run (words, numbers, signs of formulas) that a row may not share with a benchmark's prompt."""
    template_images: int = Field(default=10, ge=1)
    """A run that stands in rows about more different images than this, or in more questions of benchmarks, is a
    template and no evidence."""
    least_share: float = Field(default=0.5, ge=0, le=1)
    """Of the runs of the row or of the prompt, whichever has fewer, templates not counted, the share that both have to
    hold; 0.8 or more where neither has all numbers of the other, as problems of one template. 0 makes a single run
    with the same numbers a leak."""
    embedder: EmbedderConfig | None = None
    """A text embedding model that compares the questions about equal images; none by default."""
    cosine: float = Field(default=0.9, gt=0, le=1)
    """Questions about equal images whose embeddings are at least so near leak."""
    lookalikes: Literal["flag", "quarantine"] = "flag"
    """What becomes of rows with a benchmark's question and answer whose image is alike and not certainly the same."""
    max_contaminated_fraction: float = Field(default=0.05, ge=0, le=1)
    """Curation fails when a larger share of the rows leaks."""


class ContaminationError(HarmoError):
    """More rows leak benchmarks than the recipe allows."""


@dataclass
class Leaks:
    """Which rows leak which questions."""

    found: dict[int, dict[int, str]] = field(default_factory=dict)
    """By row and question, how."""
    sharing: dict[int, tuple[str, int]] = field(default_factory=dict)
    """By row that shares an image and does not leak, the flag and a question."""
    counts: dict[str, int] = field(default_factory=dict)
    """Leaking rows of every benchmark, 0 included."""
    questions: dict[str, int] = field(default_factory=dict)
    """Leaked questions of every benchmark, 0 included."""

    def add(self, row: int, question: int, how: str) -> None:
        """Note a leak, unless it is noted already."""
        self.found.setdefault(row, {}).setdefault(question, how)


def find_leaks(
    table: SignTable, images: ImageIndex, benchmarks: BenchmarkQuestions, config: DecontaminationConfig
) -> Leaks:
    """Hold rows against benchmarks.

    Args:
        table: The rows.
        images: Their images, and as others those of the benchmarks, in order.
        benchmarks: The questions.
        config: What counts as a leak.

    Raises:
        ModelError: An embedding model is named, and is missing.
    """
    leaks = Leaks()
    pairs, alike = _pairs_by_image(images, benchmarks)
    _by_question(table, benchmarks, pairs, leaks)
    _by_words(table, images, benchmarks, config, leaks)
    if config.embedder is not None:
        _by_meaning(table, images, benchmarks, (Embedder(config.embedder), config.cosine), leaks)
    _note_lookalikes(table, benchmarks, alike, config, leaks)
    _note_sharing(table, benchmarks, pairs, leaks)
    _count(benchmarks, leaks)
    return leaks


def check_limit(leaks: Leaks, rows: int, config: DecontaminationConfig, evidence: str) -> None:
    """Fail closed.

    Args:
        leaks: What was found.
        rows: How many were compared.
        config: The limit.
        evidence: A first leak, for the message.

    Raises:
        ContaminationError: More leak than allowed; names the counts by benchmark.
    """
    if len(leaks.found) <= config.max_contaminated_fraction * rows:
        return
    counts = ", ".join(f"{name} {count}" for name, count in sorted(leaks.counts.items()) if count)
    raise ContaminationError(
        "decontamination",
        f"{len(leaks.found)} of {rows} rows leak benchmarks ({counts}; first: {evidence}), "
        f"at most {config.max_contaminated_fraction:.2%} are allowed",
        "Leave the source out that they come from, or raise curation's max_contaminated_fraction",
    )


def _pairs_by_image(
    images: ImageIndex, benchmarks: BenchmarkQuestions
) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Pairs of a row and a question, in order: that share an image or a near one, and that share one that is alike.

    Returns:
        Shapes (P, 2) and (Q, 2).
    """
    met, near = images.pairs_with_others()
    return _rows_and_questions(images, benchmarks, met[near]), _rows_and_questions(images, benchmarks, met)


def _rows_and_questions(
    images: ImageIndex, benchmarks: BenchmarkQuestions, met: "NDArray[np.int64]"
) -> "NDArray[np.int64]":
    import numpy as np

    rows = pairs_between(met[:, 0].astype(np.uint64), images.ids.astype(np.uint64))
    owners = np.array(benchmarks.owners, dtype=np.int64)
    return distinct_pairs(np.stack([images.owners[rows[:, 1]], owners[met[rows[:, 0], 1]]], axis=1))


def _by_question(table: SignTable, benchmarks: BenchmarkQuestions, pairs: "NDArray[np.int64]", leaks: Leaks) -> None:
    known: dict[tuple[str, str], bool] = {}
    for row, question in pairs.tolist():
        texts = (table.value("text", row), benchmarks.texts[question])
        if texts not in known:
            known[texts] = asks_the_same(*texts)
        if known[texts]:
            leaks.add(row, question, "the same question and image")


def _by_words(
    table: SignTable,
    images: ImageIndex,
    benchmarks: BenchmarkQuestions,
    config: DecontaminationConfig,
    leaks: Leaks,
) -> None:
    rule = RunRule(config.gram_tokens, config.template_images, config.least_share)
    for match in shared_runs(table.texts("text"), images.same_images, benchmarks.texts, rule):
        texts = (table.value("text", match.row), benchmarks.texts[match.question])
        if match.shared < _OTHER_NUMBERS * match.runs and not same_numbers(*texts):
            continue
        how = f"{match.shared} of {match.runs} runs of {config.gram_tokens} tokens"
        leaks.add(match.row, match.question, how)


def _by_meaning(
    table: SignTable,
    images: ImageIndex,
    benchmarks: BenchmarkQuestions,
    model: tuple[Embedder, float],
    leaks: Leaks,
) -> None:
    import numpy as np

    embedder, least = model
    pairs = _pairs_by_pixels(images, benchmarks)
    open_pairs = [pair for pair in pairs.tolist() if pair[1] not in leaks.found.get(pair[0], {})]
    for start in range(0, len(open_pairs), _CHUNK_PAIRS):
        chunk = open_pairs[start : start + _CHUNK_PAIRS]
        left = _unit_vectors(embedder, [table.value("text", row) for row, _ in chunk])
        right = _unit_vectors(embedder, [benchmarks.texts[question] for _, question in chunk])
        cosines = np.einsum("ij,ij->i", left, right)
        for (row, question), cosine in zip(chunk, cosines.tolist(), strict=True):
            if cosine >= least:
                leaks.add(row, question, f"the same image, cosine of the questions {cosine:.2f}")


def _pairs_by_pixels(images: ImageIndex, benchmarks: BenchmarkQuestions) -> "NDArray[np.int64]":
    """Pairs of a row and a question that share the very pixels of an image."""
    import numpy as np

    met = pairs_between(images.ids.astype(np.uint64), images.other_ids.astype(np.uint64))
    owners = np.array(benchmarks.owners, dtype=np.int64)
    return distinct_pairs(np.stack([images.owners[met[:, 0]], owners[met[:, 1]]], axis=1))


def _unit_vectors(embedder: Embedder, texts: Sequence[str]) -> "NDArray[np.float32]":
    """Vectors of texts, zero for one that the model cannot read; shape (N, D)."""
    import numpy as np

    distinct = list(dict.fromkeys(texts))
    readable = [text for text, can in zip(distinct, embedder.readable(distinct), strict=True) if can]
    vectors = np.zeros((len(readable) + 1, embedder.width), dtype=np.float32)
    vectors[:-1] = embedder.embed(readable)
    places = {text: place for place, text in enumerate(readable)}
    return vectors[[places.get(text, len(readable)) for text in texts]]


def _note_lookalikes(
    table: SignTable,
    benchmarks: BenchmarkQuestions,
    pairs: "NDArray[np.int64]",
    config: DecontaminationConfig,
    leaks: Leaks,
) -> None:
    import numpy as np

    answers = np.array(benchmarks.answers, dtype=np.uint64)
    same = table.hashes("answer")[pairs[:, 0]] == answers[pairs[:, 1]]
    for row, question in pairs[same].tolist():
        if row in leaks.sharing or question in leaks.found.get(row, {}):
            continue
        if asks_the_same(table.value("text", row), benchmarks.texts[question]):
            if config.lookalikes == "quarantine":
                leaks.add(row, question, "the same question and answer, an image that is alike")
            else:
                leaks.sharing[row] = (LOOKALIKE, question)


def _note_sharing(table: SignTable, benchmarks: BenchmarkQuestions, pairs: "NDArray[np.int64]", leaks: Leaks) -> None:
    answers = table.hashes("answer")
    for row, question in pairs.tolist():
        if row in leaks.found:
            continue
        same = int(answers[row]) == benchmarks.answers[question]
        if same or row not in leaks.sharing:
            known = leaks.sharing.get(row, ("", 0))
            if known[0] not in (SHARED_ANSWER, LOOKALIKE):
                leaks.sharing[row] = (SHARED_ANSWER if same else SHARED_IMAGE, question)


def _count(benchmarks: BenchmarkQuestions, leaks: Leaks) -> None:
    rows = Counter(name for found in leaks.found.values() for name in {benchmarks.names[place] for place in found})
    leaked: Iterable[int] = {question for found in leaks.found.values() for question in found}
    questions = Counter(benchmarks.names[question] for question in leaked)
    leaks.counts = {name: rows[name] for name in benchmarks.counts}
    leaks.questions = {name: questions[name] for name in benchmarks.counts}


def evidence(benchmarks: BenchmarkQuestions, found: dict[int, str]) -> str:
    """The leaked questions of a row, one of each benchmark, and how."""
    first: dict[str, int] = {}
    for question in sorted(found):
        first.setdefault(benchmarks.names[question], question)
    return "; ".join(f"{benchmarks.label(question)} ({found[question]})" for question in first.values())
