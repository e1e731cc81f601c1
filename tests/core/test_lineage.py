from pathlib import Path

import pytest

from components.core.artifact import InputRef, Manifest, seal
from components.core.errors import ArtifactError
from components.core.lineage import trace


def _sealed(folder: Path, kind: str, inputs: dict[str, Manifest | InputRef]) -> Manifest:
    folder.mkdir(parents=True)
    (folder / "content").write_text(kind)
    return seal(folder, kind, {}, inputs)


def _chain(root: Path) -> Path:
    data = _sealed(root / "run1" / "data", "dataset", {"corpus": InputRef("source", "c" * 64)})
    policy = _sealed(root / "run1" / "policy", "policy", {"dataset": data})
    _sealed(root / "run2" / "model", "registered_model", {"policy": policy})
    return root / "run2" / "model"


def test_trace_walks_back_to_the_source_across_runs(tmp_path: Path) -> None:
    model = trace(_chain(tmp_path), tmp_path)

    policy = model.inputs[0]
    dataset = policy.inputs[0]
    source = dataset.inputs[0]
    assert [node.reference.kind for node in (model, policy, dataset, source)] == [
        "registered_model",
        "policy",
        "dataset",
        "source",
    ]
    assert source.reference.fingerprint == "c" * 64


def test_trace_changed_ancestor_is_caught_by_name(tmp_path: Path) -> None:
    model = _chain(tmp_path)
    (tmp_path / "run1" / "data" / "content").write_text("dataseT")

    with pytest.raises(ArtifactError, match=r"dataset artifact .*content changed"):
        trace(model, tmp_path)


def test_trace_missing_ancestor_is_named(tmp_path: Path) -> None:
    model = _chain(tmp_path)

    with pytest.raises(ArtifactError, match="the input 'policy' of registered_model"):
        trace(model, tmp_path / "run2")
