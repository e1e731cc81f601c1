"""The ready surrogate: fitted on the corpus of this project's own making, for a cold start on any topic.

    python -m components.surrogate.builtin

fits it again, in a few minutes, on components/surrogate/corpus: a folder a hand, which is an author with habits of its
own, and a file a topic. What it says of itself was measured on hands that it had not seen.
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from components.core.artifact import InputRef, digest_file
from components.core.lineage import SOURCE_KIND
from components.rewards.embedder import EmbedderConfig
from components.surrogate.config import SurrogateConfig
from components.surrogate.fit import Hands, SurrogateResult, fit_rows
from components.surrogate.rows import AnswerRow

_HERE = Path(__file__).parent
CORPUS = _HERE / "corpus"
SEED = 0
NATURAL = frozenset({"everyday", "quiz", "viewers"})
"""Hands whose answers were not written to be hard, nor after the references."""
CONFIG = SurrogateConfig(embedder=EmbedderConfig(precision="float32"), folds=9)
"""In the precision that every processor multiplies by itself: this artifact travels."""


def builtin_folder() -> Path:
    """The folder of the ready surrogate, a sealed artifact."""
    return _HERE / "builtin"


def corpus_rows(folder: Path = CORPUS) -> list[AnswerRow]:
    """Scored answers of a corpus: its right ones score 1, its wrong ones 0; a topic is a group.

    Args:
        folder: Holds, itself or in a folder a hand, a .jsonl a topic, whose lines have question, references, right,
            wrong and topic.
    """
    return list(_rows(folder))


def fit_builtin(output: Path) -> SurrogateResult:
    """Fit the ready surrogate."""
    return fit_rows(corpus_rows(), output, CONFIG, SEED, {"corpus": corpus_reference()}, hands=corpus_hands())


def corpus_hands(folder: Path = CORPUS) -> Hands:
    """Who wrote each topic of a corpus."""
    hands = {json.loads(_first_line(path))["topic"]: path.parent.name for path in _files(folder)}
    return Hands(hands, NATURAL)


def corpus_reference() -> InputRef:
    """Names the corpus by its bytes, so that a surrogate of an older one is noticed."""
    digests = "".join(digest_file(path) for path in _files(CORPUS))
    return InputRef(SOURCE_KIND, hashlib.sha256(digests.encode()).hexdigest())


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.jsonl"))


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8") as stream:
        return stream.readline()


def _rows(folder: Path) -> Iterator[AnswerRow]:
    for path in _files(folder):
        for line in path.read_text(encoding="utf-8").splitlines():
            values = json.loads(line)
            for key, score in (("right", 1.0), ("wrong", 0.0)):
                for answer in values[key]:
                    yield AnswerRow(values["question"], tuple(values["references"]), answer, score, values["topic"])


def main() -> None:
    """Fit the ready surrogate in its place."""
    folder = builtin_folder()
    partial = folder.with_name("builtin.partial")
    shutil.rmtree(partial, ignore_errors=True)
    result = fit_builtin(partial)
    shutil.rmtree(partial / "timings", ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)
    sys.stdout.write(json.dumps({**result.metrics, **result.seconds}, indent=2) + "\n")


if __name__ == "__main__":
    main()
