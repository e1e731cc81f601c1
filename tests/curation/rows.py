"""Rows for tests of the reduce steps, whose images are names: equal names are equal pixels."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.example import AnswerType, Example, Family, Task
from components.core.question import Question, write_questions
from components.core.suite import BenchmarkInfo, questions_path, write_suite
from components.curation.candidate import Candidate, Signs
from components.curation.judge import Fates, JudgeConfig, judge
from components.curation.sign_table import SignTable
from components.rewards.answer_types import infer_answer_type


class NamedLooks:
    """What is near follows from names: `cat` is near `cat~`, which is near `cat~~`, which is not near `cat`.

    `cat+` is a picture of the same composition: alike `cat`, and near nothing.
    """

    def sign(self, image: bytes) -> tuple[str, bytes] | None:
        return None if image == b"broken" else (pixels_of(image.decode()), image)

    def columns(self, looks: Sequence[bytes]) -> "_Names":
        return _Names([look.decode() for look in looks])


class _Names:
    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def bands(self) -> NDArray[np.uint64]:
        stems = [hashlib.sha256(name.rstrip("~+").encode()).digest()[:8] for name in self._names]
        return np.frombuffer(b"".join(stems), dtype=np.uint64).reshape(len(stems), 1)

    def near(self, ones: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.array([self._is_near(*pair) for pair in zip(ones.tolist(), others.tolist(), strict=True)], dtype=bool)

    def alike(self, ones: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        pairs = zip(ones.tolist(), others.tolist(), strict=True)
        stems = [name.rstrip("~+") for name in self._names]
        return np.array([stems[one] == stems[other] for one, other in pairs], dtype=bool)

    def _is_near(self, one: int, other: int) -> bool:
        first, second = self._names[one], self._names[other]
        return first.rstrip("~") == second.rstrip("~") and abs(len(first) - len(second)) <= 1


def pixels_of(image: str) -> str:
    return hashlib.sha256(image.encode()).hexdigest()[:32]


def row(question: str, answer: str | Sequence[str], *images: str, source: str = "made", **values: Any) -> Candidate:
    """A candidate; its place follows when it is put into a table."""
    references = (answer,) if isinstance(answer, str) else tuple(answer)
    choices = tuple(values.pop("choices", ()))
    kind = values.pop("answer_type", None) or infer_answer_type(references, choices)
    stated = values.pop("split", "")
    example = Example(
        id="",
        images=(),
        question=question,
        references=references,
        answer_type=kind,
        task=Task.MATH,
        verifiable=kind is not AnswerType.OPEN_ENDED,
        choices=choices,
        **values,
    )
    names = images or ("cat",)
    signs = Signs(tuple(map(pixels_of, names)), tuple(name.encode() for name in names))
    return Candidate(source, 0, example, signs=signs, stated_split=stated)


def table_of(rows: Sequence[Candidate]) -> SignTable:
    placed = [
        Candidate(item.source, place, item.example, signs=item.signs, stated_split=item.stated_split)
        for place, item in enumerate(rows)
    ]
    return SignTable.of(placed)


def judged(
    rows: Sequence[Candidate], config: JudgeConfig | None = None, benchmarks: Sequence[Path] = (), seed: int = 0
) -> Fates:
    """The fates of rows, by names of images."""
    return judge(table_of(rows), benchmarks, config or JudgeConfig(), seed=seed, comparison=NamedLooks())


def steps(fates: Fates) -> list[str]:
    return [fate.step for fate in fates.fates]


def write_benchmark(folder: Path, questions: Sequence[tuple[str, str, str]], name: str = "bench", **meta: Any) -> Path:
    """A suite of one benchmark.

    Args:
        folder: Where to write it.
        questions: Prompt, answer and image of each; ids are q0, q1 …
        name: The benchmark's.
        meta: What the questions' meta hold.
    """
    path = questions_path(folder, name)
    path.parent.mkdir(parents=True)
    rows = [
        Question(
            id=f"q{number}",
            parts=("", prompt),
            images=(image.encode(),),
            references=(answer,),
            meta=meta,
            cluster=str(number),
        )
        for number, (prompt, answer, image) in enumerate(questions)
    ]
    write_questions(rows, path)
    write_suite(folder, [BenchmarkInfo(name=name, family=Family.MATH, version=1.0, questions=len(rows))])
    return folder
