"""Benchmark questions: what rows are held against so that no evaluation is trained on."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from components.core.errors import SourceError
from components.core.question import Question, QuestionFile
from components.core.suite import BENCHMARK, QUESTIONS, SUITE, questions_path, read_suite
from components.curation.comparable import comparable
from components.curation.golds import gold_key
from components.curation.image_index import ImageComparison
from components.curation.shingles import digest64

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass
class BenchmarkQuestions:
    """Q questions of all benchmarks and their K images."""

    names: list[str] = field(default_factory=list)
    """Name of each question's benchmark."""
    ids: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    """Comparable text of each question's prompt, as the benchmark asks it."""
    answers: list[int] = field(default_factory=list)
    """Hash of each question's accepted answers, as in a SignTable."""
    owners: list[int] = field(default_factory=list)
    """Question of each image."""
    digests: list[bytes] = field(default_factory=list)
    """Pixels of each image."""
    looks: list[bytes] = field(default_factory=list)
    """Look of each image."""
    counts: dict[str, int] = field(default_factory=dict)
    """Questions of each benchmark."""
    broken_images: int = 0
    """Images that could not be decoded: such a question is compared by its words alone."""

    @property
    def pixels(self) -> "NDArray[np.void]":
        """Shape (K,)."""
        import numpy as np

        return np.frombuffer(b"".join(self.digests), dtype="V16")

    def label(self, question: int) -> str:
        """Benchmark and id of a question."""
        return f"{self.names[question]} {self.ids[question]}"


def read_benchmarks(folders: Sequence[Path], comparison: ImageComparison) -> BenchmarkQuestions:
    """Read and sign the questions of benchmarks.

    Args:
        folders: Suites, or single benchmarks.
        comparison: Signs their images.

    Raises:
        SourceError: A folder holds neither, or two of them hold benchmarks of one name.
    """
    found = BenchmarkQuestions()
    signed: dict[bytes, tuple[str, bytes] | None] = {}
    for folder in folders:
        for name, path in _files(folder):
            if name in found.counts:
                raise SourceError(str(folder), f"a second benchmark named {name!r}", "Give every benchmark once")
            questions = QuestionFile(path)
            found.counts[name] = len(questions)
            for question in questions:
                _add(found, name, question, signed, comparison)
    return found


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    if (folder / SUITE).is_file():
        yield from ((info.name, questions_path(folder, info.name)) for info in read_suite(folder))
    elif (folder / QUESTIONS).is_file():
        info = folder / BENCHMARK
        name = json.loads(info.read_text(encoding="utf-8"))["name"] if info.is_file() else folder.name
        yield str(name), folder / QUESTIONS
    else:
        raise SourceError(
            str(folder), f"no {SUITE} and no {QUESTIONS}", "Give the folder of a suite or of a prepared benchmark"
        )


def _add(
    found: BenchmarkQuestions,
    name: str,
    question: Question,
    signed: dict[bytes, tuple[str, bytes] | None],
    comparison: ImageComparison,
) -> None:
    place = len(found.ids)
    choices = question.meta.get("choices")
    options = choices if isinstance(choices, list) and all(isinstance(item, str) for item in choices) else ()
    found.names.append(name)
    found.ids.append(question.id)
    found.texts.append(comparable(" ".join(question.parts)))
    found.answers.append(digest64(gold_key(question.references, options)))
    for image in question.images:
        digest = hashlib.sha256(image).digest()
        if digest not in signed:
            signed[digest] = comparison.sign(image)
        signs = signed[digest]
        if signs is None:
            found.broken_images += 1
            continue
        found.owners.append(place)
        found.digests.append(bytes.fromhex(signs[0]))
        found.looks.append(signs[1])
