import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from components.core.artifact import MANIFEST, seal, verify
from components.core.config import parse_config
from components.core.errors import ArtifactError, EmptyDatasetError, RecipeError, StorageError
from components.core.example import Example, Split, Task, read_split
from components.core.policy import Policy
from components.curation.worth import WorthResult, measure_worth
from components.curation.worth_config import WorthConfig
from components.rewards.config import RewardsConfig
from tests.curation.worthy import KnownPolicy, example, inputs, outputs, write_dataset

TRAIN = [
    *(example(f"m{number}") for number in range(9)),
    *(example(f"o{number}", task=Task.OCR, choices=("1", "7")) for number in range(3)),
]
SIGHTED = {**{f"m{number}": number for number in range(9)}, "o0": 4, "o1": 4, "o2": 4}
HELD_OUT = [example("h0"), example("h1", task=Task.OCR)]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "dataset", TRAIN, HELD_OUT)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    folder.mkdir()
    Policy("{question}", 16, 784).save(folder)
    seal(folder, "policy", {})
    return folder


def run(
    dataset: Path, base: Path | None, policy: KnownPolicy, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch,
    name: str = "run", seed: int = 0,
) -> tuple[WorthResult, list[Example]]:  # fmt: skip
    monkeypatch.setattr("components.curation.base_policy.BasePolicy.sampler", lambda _self, _config: policy)
    folder = dataset.parent / name
    config = parse_config(WorthConfig, values, "curation")
    result = measure_worth(inputs(dataset, base), outputs(folder), config, RewardsConfig(), seed)
    return result, list(read_split(folder / "measured", Split.TRAIN))


WINDOW = {"difficulty": {"enabled": True}}


def test_window_takes_out_what_is_too_easy_or_too_hard_and_records_the_rest(
    dataset: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, kept = run(dataset, base, KnownPolicy(SIGHTED), WINDOW, monkeypatch)
    quarantine = pq.read_table(dataset.parent / "run" / "out" / "quarantine.parquet").to_pylist()

    assert {item.id: item.pass_rate for item in kept} == {
        **{f"m{number}": number / 8 for number in range(1, 8)},
        **dict.fromkeys(("o0", "o1", "o2"), 0.5),
    }
    assert [(row["id"], row["step"], row["reason"], row["evidence"]) for row in quarantine] == [
        ("m0", "difficulty", "too hard", "0 of 8 generations right"),
        ("m8", "difficulty", "too easy", "8 of 8 generations right"),
    ]
    report = result.summary["worth"]["difficulty"]
    assert (report["measured"], report["never_right"], report["always_right"]) == (12, 1 / 12, 1 / 12)
    assert report["by_task"]["ocr"]["pass_at_1"] == 0.5
    assert result.metrics["difficulty_pass_at_1"] == pytest.approx((36 / 8 + 1.5) / 12)


def test_every_row_is_accounted_for_by_step(dataset: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "difficulty": {"enabled": True},
        "blind": {"enabled": True, "solvable": "quarantine"},
        "mixture": {"enabled": True, "task": {"ocr": 0}, "by": "leaving out"},
    }
    result, kept = run(dataset, base, KnownPolicy(SIGHTED, {"m3": 8}), values, monkeypatch)
    summary = json.loads((dataset.parent / "run" / "measured" / "summary.json").read_text())
    demonstrations = pq.read_table(dataset.parent / "run" / "measured" / "demonstrations.parquet")["id"].to_pylist()

    assert summary == result.summary
    assert [(row["step"], row["rows_in"], row["rows_kept"], row["rows_quarantined"]) for row in summary["steps"]] == [
        ("difficulty", 14, 12, 2),
        ("blind", 12, 11, 1),
        ("mixture", 11, 8, 3),
    ]
    assert summary["rows_in"] == summary["rows_kept"] + summary["rows_quarantined"] == 16
    assert summary["by_split"] == {"train": 6, "heldout": 2}
    assert summary["by_answer_type"] == {"number": 8, "choice": 0}
    assert summary["quarantined_by_reason"] == {
        "blind-solvable": 1, "image damaged": 2, "left out by the mixture": 3, "too easy": 1, "too hard": 1,
    }  # fmt: skip
    assert demonstrations == [item.id for item in kept] == ["m1", "m2", "m4", "m5", "m6", "m7"]
    assert summary["demonstrations"] == 6


def test_held_out_examples_are_neither_asked_about_nor_changed(
    dataset: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = KnownPolicy(SIGHTED)
    run(dataset, base, policy, {**WINDOW, "blind": {"enabled": True}}, monkeypatch)
    heldout = dataset.parent / "run" / "measured"

    assert not {"h0", "h1"} & {id_ for id_, _, _ in policy.asked}
    assert list(read_split(heldout, Split.HELD_OUT)) == list(read_split(dataset, Split.HELD_OUT)) != []


def test_recording_alone_takes_nothing_out(dataset: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"difficulty": {"enabled": True, "outside": "record"}}
    _, kept = run(dataset, base, KnownPolicy(SIGHTED), values, monkeypatch)

    assert {item.id: item.pass_rate for item in kept} == {id_: right / 8 for id_, right in SIGHTED.items()}


def test_blind_solvable_examples_are_flagged_and_kept(
    dataset: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of two options, six of eight may be guessed, and eight may not.
    policy = KnownPolicy(SIGHTED, {"m1": 8, "m2": 5, "o0": 6, "o1": 8})
    result, kept = run(dataset, base, policy, {"blind": {"enabled": True}}, monkeypatch)
    rows = {row["id"]: row for row in pq.read_table(dataset.parent / "run" / "measured" / "worth.parquet").to_pylist()}

    assert len(kept) == 12
    assert [id_ for id_, row in rows.items() if row["flags"]] == ["m1", "o1"]
    assert rows["o0"] == {
        "id": "o0", "right": None, "wrong": None, "undecided": None, "blind_right": 6, "blind_wrong": 2,
        "blind_undecided": 0, "repeats": 1, "chance": 0.5, "flags": [], "step": "",
    }  # fmt: skip
    assert result.summary["worth"]["blind"]["solvable"] == 2
    assert result.summary["worth"]["blind"]["share_by_luck"] == pytest.approx(1.5 / 12)


def test_example_that_is_out_already_is_not_asked_about_blindly(
    dataset: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = KnownPolicy(SIGHTED)
    run(dataset, base, policy, {**WINDOW, "blind": {"enabled": True}}, monkeypatch)

    assert {id_ for id_, _, seen in policy.asked if not seen} == set(SIGHTED) - {"m0", "m8"}


def test_unmeasured_example_stays_and_is_counted(dataset: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result, kept = run(dataset, base, KnownPolicy({**SIGHTED, "m0": -1}), WINDOW, monkeypatch)

    assert next(item for item in kept if item.id == "m0").pass_rate is None
    assert result.summary["worth"]["difficulty"]["unmeasured"] == 1
    assert result.metrics["refused"] == 1.0


def test_repeats_are_on_the_example_and_ids_stay_unique(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"mixture": {"enabled": True, "task": {"ocr": 3}, "by": "repeating"}}
    policy = KnownPolicy({})
    result, kept = run(dataset, None, policy, values, monkeypatch)

    assert {item.task: item.repeats for item in kept} == {Task.MATH: 1, Task.OCR: 3}
    assert len({item.id for item in kept}) == len(kept) == 12
    assert result.metrics["mixture_seen"] == 18.0
    assert policy.asked == []


def test_run_that_was_killed_ends_as_an_undisturbed_one(
    dataset: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {**WINDOW, "blind": {"enabled": True}, "mixture": {"enabled": True, "task": {"ocr": 0.5}}}
    undisturbed, _ = run(dataset, base, KnownPolicy(SIGHTED), values, monkeypatch, "undisturbed")
    with pytest.raises(KeyboardInterrupt):
        run(dataset, base, KnownPolicy(SIGHTED, die_after=5), values, monkeypatch, "killed")
    second = KnownPolicy(SIGHTED)
    result, _ = run(dataset, base, second, values, monkeypatch, "killed")

    assert sum(seen for _, _, seen in second.asked) == 12 - 5
    assert result.dataset.fingerprint == undisturbed.dataset.fingerprint
    assert result.quarantine.fingerprint == undisturbed.quarantine.fingerprint
    assert not (dataset.parent / "killed" / "measured.work").exists()


def test_run_that_was_killed_between_its_two_artifacts_is_done_again(
    dataset: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = run(dataset, base, KnownPolicy(SIGHTED), WINDOW, monkeypatch)
    (dataset.parent / "run" / "measured" / MANIFEST).rename(dataset.parent / "run" / "measured" / "manifest.partial")
    again, _ = run(dataset, base, KnownPolicy(SIGHTED), WINDOW, monkeypatch)

    assert (again.dataset.fingerprint, again.quarantine.fingerprint) == (
        whole.dataset.fingerprint,
        whole.quarantine.fingerprint,
    )


def test_outputs_are_artifacts_that_name_what_they_were_made_from(
    dataset: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, _ = run(dataset, base, KnownPolicy(SIGHTED), WINDOW, monkeypatch)
    manifest = verify(dataset.parent / "run" / "measured", "dataset")

    assert manifest.inputs == {"dataset": verify(dataset).reference(), "base": verify(base).reference()}
    assert manifest.identity["curation"] == {"sources": [{"kind": "quickstart"}]}
    assert verify(dataset.parent / "run" / "out", "quarantine").fingerprint == result.quarantine.fingerprint


def test_dataset_of_which_nothing_is_left_is_refused_with_the_reasons(
    dataset: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EmptyDatasetError, match=r"none of its 12 training examples .* \(12 x too hard\)"):
        run(dataset, base, KnownPolicy({}), WINDOW, monkeypatch)
    assert not (dataset.parent / "run" / "measured" / MANIFEST).exists()


def test_finished_or_foreign_folder_is_not_overwritten(
    dataset: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(dataset, base, KnownPolicy(SIGHTED), WINDOW, monkeypatch)
    (dataset.parent / "other" / "out").mkdir(parents=True)
    (dataset.parent / "other" / "out" / "letter.txt").touch()

    with pytest.raises(StorageError, match="holds a finished artifact"):
        run(dataset, base, KnownPolicy(SIGHTED), WINDOW, monkeypatch)
    with pytest.raises(StorageError, match=r"holds letter\.txt"):
        run(dataset, base, KnownPolicy(SIGHTED), WINDOW, monkeypatch, "other")


def test_missing_policy_is_named(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecipeError, match=r"asking\.policy: names no policy"):
        run(dataset, None, KnownPolicy(SIGHTED), WINDOW, monkeypatch)


def test_changed_policy_is_refused(dataset: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (base / "policy.json").write_text("{}")
    with pytest.raises(ArtifactError, match=r"policy\.json changed"):
        run(dataset, base, KnownPolicy(SIGHTED), WINDOW, monkeypatch)


def test_settings_are_read_from_the_recipes_curation_and_wrong_ones_are_named() -> None:
    curation = {"sources": [], "difficulty": {"enabled": True, "generations": 16.0}}

    assert WorthConfig.of_curation(curation).difficulty.generations == 16
    assert not WorthConfig.of_curation({"sources": []}).enabled
    with pytest.raises(RecipeError, match=r"unknown key 'difficulty\.generation', did you mean 'generations'"):
        WorthConfig.of_curation({"difficulty": {"generation": 3}})


def test_settings_are_read_without_heavy_packages() -> None:
    code = (
        "import sys, components.curation.worth_config, components.curation.worth; "
        "print([name for name in ('torch', 'transformers', 'scipy', 'pyarrow') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
