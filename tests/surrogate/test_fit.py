import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.core.artifact import read_manifest, seal
from components.core.errors import ModelError
from components.core.example import AnswerType, Split, read_split, write_splits
from components.curation.curate import curate
from components.rewards.embedder import Embedder, EmbedderConfig
from components.rewards.surrogate import SurrogateScorer, ngram_f1
from components.surrogate.config import SurrogateConfig
from components.surrogate.fit import SurrogateResult, fit_surrogate
from tests.conftest import quickstart_curation
from tests.surrogate.quick import QUICK


@pytest.fixture(scope="module")
def fitted(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SurrogateResult]:
    folder = tmp_path_factory.mktemp("surrogate") / "surrogate"
    return folder, fit_surrogate(dataset, folder, QUICK, seed=0)


@pytest.mark.slow
def test_surrogate_orders_heldout_answers_better_than_plain_cosine(tmp_path: Path) -> None:
    curate(tmp_path / "dataset", tmp_path / "quarantine", quickstart_curation(train=30, heldout=12), seed=0)

    metrics = fit_surrogate(tmp_path / "dataset", tmp_path / "surrogate", QUICK, seed=0).metrics

    assert metrics["heldout_pairwise_accuracy"] > metrics["heldout_cosine_pairwise_accuracy"]
    assert metrics["heldout_pairwise_accuracy"] > 0.9


@pytest.mark.slow
def test_saved_surrogate_scores_right_above_wrong_in_the_unit_interval(fitted: tuple[Path, SurrogateResult]) -> None:
    scorer = SurrogateScorer.load(fitted[0])
    references = [["a red circle above a blue square", "a blue square below a red circle"]]
    answers = [
        "a red circle above a blue square",
        "a green circle left of a black square",
        "",
        "it is not true that a red circle above a blue square",
    ]

    scores = [found.score for found in scorer.estimate(["Describe."] * 4, answers, references * 4)]

    assert all(0.0 <= score <= 1.0 for score in scores)
    assert scores[0] > max(scores[1:])


@pytest.mark.slow
def test_same_seed_gives_the_same_fingerprint(
    dataset: Path, tmp_path: Path, fitted: tuple[Path, SurrogateResult]
) -> None:
    """In another process with another hash seed, so that no order of a set shows in the last bits."""
    code = f"""
import os
import subprocess
import sys
from pathlib import Path
from components.surrogate.fit import fit_surrogate
from tests.surrogate.quick import QUICK
fit_surrogate(Path({str(dataset)!r}), Path({str(tmp_path / "again")!r}), QUICK, seed=0)
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONHASHSEED": "7"})

    assert read_manifest(tmp_path / "again").fingerprint == fitted[1].manifest.fingerprint


def test_dataset_without_open_ended_examples_gives_a_surrogate_that_refuses(dataset: Path, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    closed = {
        split: [row for row in read_split(dataset, split) if row.answer_type is not AnswerType.OPEN_ENDED]
        for split in Split
    }
    write_splits(closed, folder)
    seal(folder, "dataset", {})

    fit_surrogate(folder, tmp_path / "surrogate", SurrogateConfig(), seed=0)

    with pytest.raises(ModelError, match="without open-ended examples and cannot score one"):
        SurrogateScorer.load(tmp_path / "surrogate").score(["q"], ["a"], [["r"]])


@pytest.mark.slow
def test_weights_with_another_digest_are_refused() -> None:
    with pytest.raises(ModelError, match=r"model\.safetensors: sha-256 53aa.* is not the expected 0000"):
        Embedder(EmbedderConfig(sha256="0" * 64))


@pytest.mark.parametrize(
    ("answer", "n", "expected"),
    [("a b c", 1, 1.0), ("a b", 1, 0.8), ("c b a", 2, 0.0), ("a b x", 2, 0.5), ("", 1, 0.0), ("A B C", 2, 1.0)],
)
def test_ngram_f1_worked_by_hand(answer: str, n: int, expected: float) -> None:
    assert ngram_f1(answer, "a b c", n) == pytest.approx(expected)
