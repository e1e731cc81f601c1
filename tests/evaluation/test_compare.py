import json
from pathlib import Path

import pytest

from components.core.artifact import seal
from components.core.errors import ArtifactError
from components.evaluation.compare import ComparisonResult, compare
from components.evaluation.config import DecisionConfig
from components.evaluation.evaluate import _write

_N = 100


def _evaluation(folder: Path, math: float, ocr: float, first_id: int = 0) -> Path:
    """An evaluation whose families have the given shares of right answers, the first ones."""
    blank = {"references": [], "flags": [], "completion": "", "question": "", "rule": "", "extracted": None}
    samples = [
        {**blank, "id": str(first_id + index), "family": family, "score": float(index % _N < share * _N),
         "format": True, "length_tokens": 1}
        for family, share, start in (("math", math, 0), ("ocr", ocr, _N))
        for index in range(start, start + _N)
    ]  # fmt: skip
    folder.mkdir()
    _write(folder, samples, {})
    seal(folder, "evaluation", {})
    return folder


def _compare(path: Path, baseline: tuple, candidate: tuple, control: tuple, **config: float) -> ComparisonResult:
    evaluations = {
        name: _evaluation(path / name, *shares)
        for name, shares in (("baseline", baseline), ("candidate", candidate), ("control", control))
    }
    return compare(evaluations, path / "comparison", DecisionConfig(resamples=2000, **config))


def test_clear_gain_in_every_family_is_promoted(tmp_path: Path) -> None:
    result = _compare(tmp_path, (0.2, 0.3), (0.6, 0.5), (0.3, 0.3))

    content = json.loads((tmp_path / "comparison" / "comparison.json").read_text())
    overall = content["overall"]
    assert result.promoted
    assert overall["difference"] == pytest.approx(0.3)
    assert overall["over_control"] == pytest.approx(0.25)
    assert overall["n"] == 200
    assert (content["families"]["math"]["wins"], content["families"]["math"]["losses"]) == (40, 0)
    assert overall["difference_ci95"][0] < 0.3 < overall["difference_ci95"][1]


def test_gain_that_may_be_chance_is_not_promoted(tmp_path: Path) -> None:
    result = _compare(tmp_path, (0.50, 0.50), (0.51, 0.50), (0.5, 0.5))

    assert not result.promoted
    assert "does not lie wholly above the required 0.0" in result.reasons[0]


def test_family_that_fell_blocks_promotion_by_name(tmp_path: Path) -> None:
    result = _compare(tmp_path, (0.2, 0.5), (0.9, 0.3), (0.2, 0.5))

    assert not result.promoted
    assert "The family ocr lost 20.0 points" in result.reasons[1]


def test_fall_within_the_allowed_loss_does_not_block(tmp_path: Path) -> None:
    assert _compare(tmp_path, (0.2, 0.5), (0.9, 0.4), (0.2, 0.5), max_benchmark_loss=0.15).promoted


def test_smaller_gain_than_required_is_not_promoted(tmp_path: Path) -> None:
    assert not _compare(tmp_path, (0.2, 0.2), (0.4, 0.4), (0.2, 0.2), min_gain=0.2).promoted


def test_evaluations_of_other_examples_are_refused(tmp_path: Path) -> None:
    evaluations = {
        "baseline": _evaluation(tmp_path / "a", 0.5, 0.5),
        "candidate": _evaluation(tmp_path / "b", 0.5, 0.5, first_id=1),
        "control": _evaluation(tmp_path / "c", 0.5, 0.5),
    }

    with pytest.raises(ArtifactError, match="the candidate evaluation: its 200 examples are not the 200"):
        compare(evaluations, tmp_path / "comparison", DecisionConfig())
