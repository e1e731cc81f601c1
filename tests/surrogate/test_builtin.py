"""The committed ready surrogate."""

import json
from pathlib import Path

import pytest

from components.core.artifact import read_manifest, verify
from components.rewards.answer_features import NAMES
from components.rewards.surrogate import SurrogateScorer, read_model
from components.surrogate.builtin import CONFIG, SEED, builtin_folder, corpus_reference, corpus_rows
from components.surrogate.fit import fit_rows, measured_on
from components.surrogate.negatives import KINDS, TRAINED
from tests.surrogate.quick import QUICK

_HELDOUT = Path(__file__).parent / "heldout_topics"


@pytest.fixture(scope="module")
def scorer() -> SurrogateScorer:
    return SurrogateScorer.load(builtin_folder())


def test_it_is_sealed_small_and_of_this_corpus_and_these_settings() -> None:
    manifest = verify(builtin_folder(), "surrogate")

    assert manifest.inputs == {"corpus": corpus_reference()}
    assert manifest.identity == {"surrogate": CONFIG.identity(), "seed": SEED}
    assert sum(path.stat().st_size for path in builtin_folder().iterdir()) <= 8_000_000
    assert json.loads((builtin_folder() / "surrogate.json").read_text())["features"] == list(NAMES)


def test_its_own_figures_meet_the_bars_on_hands_left_out() -> None:
    metrics = json.loads((builtin_folder() / "metrics.json").read_text())

    assert metrics["auc"] >= 0.85
    assert metrics["ece"] <= 0.03
    assert metrics["accuracy_at_60"] >= metrics["accuracy"] + 0.06
    assert metrics["pairwise_accuracy"] >= metrics["cosine_pairwise_accuracy"]
    assert metrics["all_pairwise_accuracy"] >= metrics["all_cosine_pairwise_accuracy"] + 0.2
    assert max(metrics[f"canary_{kind}"] for kind in TRAINED) <= 0.02
    assert max(metrics[f"canary_{kind}"] for kind in KINDS if kind not in TRAINED) <= 0.25
    assert abs(metrics["interval_coverage"] - CONFIG.coverage) <= 0.03


@pytest.mark.slow
def test_right_is_ordered_above_wrong_on_topics_that_it_never_saw(scorer: SurrogateScorer) -> None:
    assert scorer._model is not None
    assert scorer._reader is not None

    rows = [row for place, row in enumerate(corpus_rows(_HELDOUT)) if place // 8 % 4 == 0]  # of 50 questions

    metrics = measured_on(scorer._model, scorer._reader, rows)

    assert metrics["pairwise_accuracy"] >= metrics["cosine_pairwise_accuracy"] + 0.05


@pytest.mark.slow
def test_plain_questions_that_no_corpus_knows(scorer: SurrogateScorer) -> None:
    rows = [
        ("What is the man doing?", "He is riding a bicycle along the beach.", "The man rides a bike on the beach.",
         "He is walking along the beach."),
        ("Who wrote Hamlet?", "William Shakespeare", "It was written by William Shakespeare.", "Christopher Marlowe"),
        ("What happens when water freezes?", "It turns into ice and expands.",
         "It solidifies and its volume grows.", "It turns into ice and shrinks."),
        ("", "Sales increased steadily from 2015 to 2020.", "Sales kept rising from 2015 until 2020.",
         "Sales decreased steadily from 2015 to 2020."),
    ]  # fmt: skip

    for question, reference, right, wrong in rows:
        high, low = scorer.estimate([question] * 2, [right, wrong], [[reference]] * 2)
        assert high.score > low.score, question


@pytest.mark.slow
def test_scores_are_the_same_in_batch_and_one_by_one(scorer: SurrogateScorer) -> None:
    rows = corpus_rows(_HELDOUT)[::31]
    batch = scorer.estimate(*zip(*((row.question, row.answer, row.references) for row in rows), strict=True))
    lonely = SurrogateScorer.load(builtin_folder())

    for row, found in zip(rows, batch, strict=True):
        (alone,) = lonely.estimate([row.question], [row.answer], [row.references])
        assert abs(alone.score - found.score) <= 1e-6
        assert found.low <= found.score <= found.high


@pytest.mark.slow
def test_a_fit_of_two_topics_is_the_same_twice(tmp_path: Path) -> None:
    rows = [row for row in corpus_rows() if row.group in ("physics", "history")][::6]
    config = QUICK.model_copy(update={"head": "boosting"})

    first, second = (fit_rows(rows, tmp_path / name, config, SEED).manifest for name in "ab")

    assert first.fingerprint == second.fingerprint == read_manifest(tmp_path / "a").fingerprint


def test_read_model_needs_every_tensor() -> None:
    with pytest.raises(KeyError):
        read_model({"head": "boosting", "neighbours": 3}, {})
