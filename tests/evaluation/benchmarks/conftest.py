from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest

from components.core.question import Question, QuestionFile
from components.evaluation.config import BenchmarkEntry
from components.evaluation.prepare import prepare, read_prepared
from tests.evaluation.fixtures import write_fixture


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The artifact of a benchmark's fixture, made once."""

    @lru_cache
    def make(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        source = write_fixture(name, folder / "source")
        prepare(BenchmarkEntry(name=name, path=str(source)), folder / "prepared", partial=True)
        return folder / "prepared"

    return make


@pytest.fixture(scope="session")
def questions(prepared: Callable[[str], Path]) -> Callable[[str], dict[str, Question]]:
    """The questions of a benchmark's fixture by id."""

    @lru_cache
    def read(name: str) -> dict[str, Question]:
        _, path = read_prepared(prepared(name))
        return {question.id: question for question in QuestionFile(path)}

    return read
