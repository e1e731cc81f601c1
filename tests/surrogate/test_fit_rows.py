"""Fitting on rows, with an encoder that needs no weights."""

import json
from pathlib import Path

import pytest

from components.core.artifact import TIMINGS, read_manifest
from components.core.errors import ArtifactError
from components.rewards.surrogate import SurrogateScorer
from components.surrogate.builtin import CORPUS, corpus_rows
from components.surrogate.config import SurrogateConfig
from components.surrogate.fit import SurrogateResult, fit_rows
from components.surrogate.negatives import KINDS
from components.surrogate.rows import AnswerRow
from tests.surrogate.stub import use_stub

_ROWS = [row for place, row in enumerate(corpus_rows(CORPUS / "textbook")) if place // 7 % 22 == 0]
_CONFIG = SurrogateConfig.model_validate({"head": "logistic", "folds": 3})


@pytest.fixture(autouse=True)
def _stub(monkeypatch: pytest.MonkeyPatch) -> None:
    use_stub(monkeypatch)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SurrogateResult]:
    folder = tmp_path_factory.mktemp("fitted") / "surrogate"
    with pytest.MonkeyPatch.context() as patch:
        use_stub(patch)
        return folder, fit_rows(_ROWS, folder, _CONFIG, seed=0, heldout=_ROWS[:70])


def test_metrics_say_how_good_it_is_beside_cosine_and_how_it_stands_each_kind(
    fitted: tuple[Path, SurrogateResult],
) -> None:
    metrics = fitted[1].metrics

    assert metrics["auc"] > metrics["cosine_auc"]
    assert metrics["pairwise_accuracy"] > metrics["cosine_pairwise_accuracy"]
    assert {f"canary_{kind}" for kind in KINDS} - set(metrics) <= {"canary_wrong_number"}
    assert metrics["heldout_rows"] == 70
    assert json.loads((fitted[0] / "metrics.json").read_text()) == metrics


def test_same_rows_and_seed_give_the_same_fingerprint_and_another_seed_another(
    fitted: tuple[Path, SurrogateResult], tmp_path: Path
) -> None:
    again = fit_rows(_ROWS, tmp_path / "again", _CONFIG, seed=0, heldout=_ROWS[:70]).manifest
    other = fit_rows(_ROWS, tmp_path / "other", _CONFIG, seed=1, heldout=_ROWS[:70]).manifest

    assert again.fingerprint == fitted[1].manifest.fingerprint != other.fingerprint


def test_time_is_told_apart_and_is_no_part_of_the_artifact(fitted: tuple[Path, SurrogateResult]) -> None:
    seconds = json.loads((fitted[0] / TIMINGS / "seconds.json").read_text())

    assert {"encode", "features", "fit"} <= set(seconds)
    assert not [name for name in read_manifest(fitted[0]).files if TIMINGS in name]


def test_a_fit_after_another_finds_its_features_in_the_scratch_and_is_the_same(
    fitted: tuple[Path, SurrogateResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARMO_SCRATCH", str(tmp_path / "scratch"))
    first = fit_rows(_ROWS, tmp_path / "first", _CONFIG, seed=0, heldout=_ROWS[:70])
    second = fit_rows(_ROWS, tmp_path / "second", _CONFIG, seed=0, heldout=_ROWS[:70])
    (file,) = (tmp_path / "scratch" / "embeddings").glob("features-*.sqlite")
    file.write_bytes(b"no database" * 1000)
    for log in file.parent.glob(f"{file.name}-*"):
        log.unlink()
    third = fit_rows(_ROWS, tmp_path / "third", _CONFIG, seed=0, heldout=_ROWS[:70])

    fingerprints = {result.manifest.fingerprint for result in (fitted[1], first, second, third)}
    assert len(fingerprints) == 1
    assert first.cache["file"] == second.cache["computed"] == 0
    assert second.cache["file"] == first.cache["computed"] == third.cache["computed"] > len(_ROWS)
    assert json.loads((tmp_path / "second" / TIMINGS / "cache.json").read_text()) == second.cache


def test_scores_are_the_same_with_and_without_a_cache(fitted: tuple[Path, SurrogateResult], tmp_path: Path) -> None:
    plain = _estimates(SurrogateScorer.load(fitted[0]), _ROWS[:40])

    for _ in range(2):
        assert _estimates(SurrogateScorer.load(fitted[0], tmp_path), _ROWS[:40]) == plain


def test_nothing_is_pickled(fitted: tuple[Path, SurrogateResult]) -> None:
    suffixes = {path.suffix for path in fitted[0].rglob("*") if path.is_file()}

    assert suffixes <= {".json", ".parquet", ".safetensors"}


def test_saved_surrogate_gives_the_same_in_batch_and_one_by_one(fitted: tuple[Path, SurrogateResult]) -> None:
    scorer = SurrogateScorer.load(fitted[0])
    rows = _ROWS[:100]

    batch = _estimates(scorer, rows)

    for row, found in zip(rows, batch, strict=True):
        (alone,) = _estimates(scorer, [row])
        assert alone.score == pytest.approx(found.score, abs=1e-6)
        assert alone.abstains == found.abstains
        assert 0 <= found.low <= found.score <= found.high <= 1
        assert [place.distance for place in found.neighbours] == sorted(place.distance for place in found.neighbours)


def test_an_answer_of_the_fit_is_its_own_nearest_neighbour(fitted: tuple[Path, SurrogateResult]) -> None:
    (found,) = _estimates(SurrogateScorer.load(fitted[0]), _ROWS[3:4])

    assert found.neighbours[0].answer == _ROWS[3].answer
    assert found.neighbours[0].distance < 0.05


def test_score_is_none_where_the_estimate_abstains(fitted: tuple[Path, SurrogateResult]) -> None:
    scorer = SurrogateScorer.load(fitted[0])
    questions, answers = [row.question for row in _ROWS], [row.answer for row in _ROWS]
    references = [row.references for row in _ROWS]

    scores, estimates = scorer.score(questions, answers, references), scorer.estimate(questions, answers, references)

    assert [score is None for score in scores] == [bool(found.abstains) for found in estimates]
    assert {found.abstains.split(":")[0] for found in estimates} >= {"", "unsure"}


def test_blank_reference_itself_and_loops_are_decided_by_rule_and_flagged(
    fitted: tuple[Path, SurrogateResult],
) -> None:
    reference = "The lamp stands on the left."
    answers = ["", reference.upper(), f"{reference} " * 9, "word " * 200_000]

    blank, equal, loop, long = SurrogateScorer.load(fitted[0]).estimate(["Where?"] * 4, answers, [[reference]] * 4)

    assert (blank.score, blank.flags) == (0.0, ("blank: the answer says nothing",))
    assert equal.score >= 0.98
    assert loop.score <= 0.02
    assert len(long.flags) == 2
    assert not any(found.abstains for found in (blank, equal, loop, long))


def test_a_changed_byte_is_refused(fitted: tuple[Path, SurrogateResult], tmp_path: Path) -> None:
    import shutil

    shutil.copytree(fitted[0], tmp_path / "copy")
    settings = tmp_path / "copy" / "surrogate.json"
    settings.write_text(settings.read_text().replace("0.55", "0.50"))

    with pytest.raises(ArtifactError, match=r"surrogate\.json changed"):
        SurrogateScorer.load(tmp_path / "copy")


def test_folder_without_a_surrogate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no surrogate\.json"):
        SurrogateScorer.load(tmp_path)


def test_answer_without_a_reference_is_refused(fitted: tuple[Path, SurrogateResult]) -> None:
    with pytest.raises(ValueError, match=r"references\[1\] is empty"):
        SurrogateScorer.load(fitted[0]).estimate(["", ""], ["a", "b"], [["r"], []])


def test_no_answers_give_no_estimates(fitted: tuple[Path, SurrogateResult]) -> None:
    assert SurrogateScorer.load(fitted[0]).estimate([], [], []) == []


@pytest.mark.parametrize("head", ["bradley_terry", "knn"])
def test_head_can_be_stated(head: str, tmp_path: Path) -> None:
    config = SurrogateConfig.model_validate({"head": head, "folds": 3})

    metrics = fit_rows(_ROWS, tmp_path / "s", config, seed=0).metrics

    assert json.loads((tmp_path / "s" / "surrogate.json").read_text())["head"] == head
    assert metrics["auc"] > 0.55
    assert SurrogateScorer.load(tmp_path / "s").estimate([""], ["a b"], [["a c"]])


def test_without_negatives_every_kind_is_kept_out(tmp_path: Path) -> None:
    config = SurrogateConfig.model_validate({"head": "logistic", "folds": 3, "negatives": [], "rewordings": 0})

    metrics = fit_rows(_ROWS, tmp_path / "s", config, seed=0).metrics

    assert {"canary_denied", "canary_shuffled"} <= set(metrics)


def _estimates(scorer: SurrogateScorer, rows: list[AnswerRow]) -> list:
    return scorer.estimate(
        [row.question for row in rows], [row.answer for row in rows], [row.references for row in rows], neighbours=3
    )
