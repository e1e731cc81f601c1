import json
from pathlib import Path

import pytest
import yaml

from components.core.artifact import Manifest, seal, verify
from components.core.errors import ArtifactError
from components.release.register import register

_ROW = {
    "n": 10,
    "scores": {"baseline": 0.25, "candidate": 0.5, "control": 0.3},
    "difference": 0.25,
    "difference_ci95": [0.1, 0.4],
}


def _inputs(folder: Path) -> tuple[Path, Path, Manifest]:
    policy, comparison = folder / "policy", folder / "comparison"
    for path in (policy, comparison):
        path.mkdir()
    (policy / "model.safetensors").write_bytes(b"weights")
    content = {
        "metric": "strict",
        "families": {"math": _ROW},
        "benchmarks": {"mathvista_testmini": {**_ROW, "n": 5}},
        "overall": _ROW,
        "reasons": ["It gained."],
        "promoted": True,
    }
    (comparison / "comparison.json").write_text(json.dumps(content))
    seal(comparison, "comparison", {})
    return policy, comparison, seal(policy, "policy", {"seed": 0})


def test_registered_model_holds_the_policy_its_version_and_a_card(tmp_path: Path) -> None:
    policy, comparison, sealed = _inputs(tmp_path)

    register(policy, comparison, tmp_path / "model", "mine")

    manifest = verify(tmp_path / "model", "registered_model")
    assert manifest.identity == {"name": "mine", "version": sealed.fingerprint[:12]}
    assert (tmp_path / "model" / "model.safetensors").read_bytes() == b"weights"
    assert manifest.inputs["policy"].fingerprint == sealed.fingerprint


def test_card_has_valid_front_matter_and_the_scores(tmp_path: Path) -> None:
    policy, comparison, _ = _inputs(tmp_path)

    register(policy, comparison, tmp_path / "model", "mine")

    _, front, body = (tmp_path / "model" / "README.md").read_text().split("---\n", 2)
    assert yaml.safe_load(front)["pipeline_tag"] == "image-text-to-text"
    assert "| math | 10 | 25.0 | 50.0 | +25.0 [10.0, 40.0] |" in body
    assert "| mathvista_testmini | 5 | 25.0 | 50.0 | +25.0 [10.0, 40.0] |" in body
    assert "under the strict score" in body
    assert "- It gained." in body


def test_changed_policy_is_not_registered(tmp_path: Path) -> None:
    policy, comparison, _ = _inputs(tmp_path)
    (policy / "model.safetensors").write_bytes(b"Weights")

    with pytest.raises(ArtifactError, match=r"model\.safetensors changed"):
        register(policy, comparison, tmp_path / "model", "mine")

    assert not (tmp_path / "model").exists()
