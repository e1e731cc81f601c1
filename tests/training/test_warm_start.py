from pathlib import Path

import pytest

from components.core.artifact import read_manifest
from components.core.errors import ModelError
from components.core.policy import Policy
from components.training.config import PolicySection
from components.training.data import read_demonstrations
from components.training.warm_start import make_careless, warm_start


def test_demonstrations_are_those_of_training_examples(dataset: Path) -> None:
    demonstrations = read_demonstrations(dataset)

    assert len(demonstrations) > 100
    for item in demonstrations:
        assert item.example.split.value == "train"
        assert f"<answer>{item.example.references[0]}</answer>" in item.completion


@pytest.mark.parametrize(("share", "careless"), [(0.0, 0), (1.0, 100)])
def test_share_of_careless_demonstrations(dataset: Path, share: float, careless: int) -> None:
    demonstrations = read_demonstrations(dataset)[:100]

    made = make_careless(demonstrations, share, seed=0)

    changed = [new for new, old in zip(made, demonstrations, strict=True) if new.completion != old.completion]
    assert [item.example for item in made] == [item.example for item in demonstrations]
    assert len(changed) == careless


def test_careless_answer_is_one_given_to_the_same_question(dataset: Path) -> None:
    demonstrations = read_demonstrations(dataset)
    answers: dict[str, set[str]] = {}
    for item in demonstrations:
        answers.setdefault(item.example.question, set()).add(item.example.references[0])

    for item in make_careless(demonstrations, 1.0, seed=0):
        answer = item.completion.split("<answer>")[1].removesuffix("</answer>")
        assert answer in answers[item.example.question]


def _pretrained(model: str) -> PolicySection:
    return PolicySection.model_validate({"base": {"kind": "pretrained", "model": model}, "warm_start": {"steps": 0}})


def test_pretrained_folder_is_recorded_by_digest_and_not_copied(dataset: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "model.safetensors").write_bytes(b"0" * 100)

    first = warm_start(dataset, tmp_path / "a", _pretrained(str(weights)), seed=0).manifest
    (weights / "model.safetensors").write_bytes(b"1" * 100)
    second = warm_start(dataset, tmp_path / "b", _pretrained(str(weights)), seed=0).manifest

    assert list(first.files) == ["policy.json"]
    assert Policy.load(tmp_path / "a").model == str(weights)
    assert first.inputs["pretrained"].kind == "source"
    assert first.fingerprint != second.fingerprint


def test_hub_model_out_of_reach_is_a_named_error(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    with pytest.raises(ModelError, match=r"nobody/nothing@main: not to be had from the hub .* use a local copy"):
        warm_start(dataset, tmp_path / "a", _pretrained("nobody/nothing"), seed=0)


@pytest.mark.slow
def test_same_seed_teaches_the_same_weights(dataset: Path, tmp_path: Path) -> None:
    section = PolicySection.model_validate(
        {
            "base": {"kind": "tiny", "hidden_size": 32, "head_size": 16, "layers": 1},
            "warm_start": {"steps": 2, "batch_size": 4, "careless_steps": 1},
        }
    )

    def weights(name: str, seed: int) -> str:
        warm_start(dataset, tmp_path / name, section, seed)
        return read_manifest(tmp_path / name).files["model.safetensors"]

    assert weights("a", 0) == weights("b", 0)
    assert weights("c", 1) != weights("a2", 0)
