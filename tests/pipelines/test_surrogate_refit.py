"""`harmo surrogate refit` and `versions`, with an encoder that needs no weights and real audits."""

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from components.core.artifact import read_manifest, seal, verify
from components.core.errors import ArtifactError, EmptyDatasetError, HarmoError, RecipeError, SourceError, StorageError
from components.core.example import AnswerType, Split, read_split, write_splits
from components.core.lineage import Ancestor, trace
from components.rewards.surrogate import SurrogateScorer
from components.surrogate.fit import fit_surrogate
from components.surrogate.rows import read_rows, write_rows
from components.surrogate.scored_answers import answer_rows
from pipelines.cli import app
from tests.surrogate.audits import Said, audit, dataset, example
from tests.surrogate.loop import questions
from tests.surrogate.quick import QUICK
from tests.surrogate.stub import use_stub

SAID: list[Said] = [
    ("a", "yes", True), ("a", "YES", True), ("a", "no", False), ("b", "red", True), ("b", "blue", False),
    ("b", None, False), ("b", "undecided", None),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _stub(monkeypatch: pytest.MonkeyPatch) -> None:
    use_stub(monkeypatch)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["surrogate", *map(str, arguments)])


def succeed(*arguments: object) -> Result:
    result = run(*arguments)
    assert result.exit_code == 0, result.exception
    return result


@dataclass(frozen=True)
class Loop:
    """A first version, the rows that it was fitted on, and a training's audit."""

    root: Path
    rows: Path
    first: Path
    rollouts: Path

    def refit(self, *arguments: object) -> Result:
        return run("refit", self.first, "--rows", self.rows, *arguments)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    """Never written to."""
    root = tmp_path_factory.mktemp("loop")
    write_rows(questions(8, seed=0, noise=0.0), root / "rows.jsonl")
    settings = QUICK.model_dump(mode="json", include={"head", "folds", "rewordings", "negatives"})
    (root / "quick.yaml").write_text(yaml.safe_dump(settings))
    artifacts = root / "run" / "artifacts"
    artifacts.mkdir(parents=True)
    data = dataset(artifacts / "dataset", [example("a"), example("b")])
    rollouts = audit(artifacts / "rollouts", data, SAID)
    with pytest.MonkeyPatch.context() as patch:
        use_stub(patch)
        succeed("fit", root / "rows.jsonl", "--config", root / "quick.yaml", "--output", root / "first")
    return Loop(root, root / "rows.jsonl", root / "first", rollouts)


def test_rollouts_are_counted_and_teach_the_next_version(made: Loop, tmp_path: Path) -> None:
    result = made.refit("--rollouts", made.rollouts, "--output", tmp_path / "second")

    assert result.exit_code == 0, result.exception
    told = " ".join(result.stdout.replace("│", " ").split())
    assert "4 of 7 rollouts taken, 3 left out" in told
    for line in ("taken 4", "left out: said before 1", "left out: no answer 1", "left out: no verdict of a rule 1"):
        assert line in told
    rows = read_rows(tmp_path / "second.rows" / "rows.jsonl").rows
    assert rows[:48] == read_rows(made.rows).rows
    assert Counter((row.kind, row.score) for row in rows[48:]) == {("rollout", 1.0): 2, ("rollout", 0.0): 2}
    assert SurrogateScorer.load(tmp_path / "second").estimate(["q"], ["a"], [["r"]])[0].score >= 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["second", "second.rows"]


def test_lineage_leads_to_the_parent_the_rollouts_and_the_dataset_and_is_the_same_each_time(
    made: Loop, tmp_path: Path
) -> None:
    for name in ("second", "again"):
        made.refit("--rollouts", made.rollouts, "--output", tmp_path / name)

    manifest, parent = verify(tmp_path / "second", "surrogate"), read_manifest(made.first)
    rows = verify(tmp_path / "second.rows", "surrogate_rows")
    assert manifest.fingerprint == read_manifest(tmp_path / "again").fingerprint
    assert manifest.inputs == {"parent": parent.reference(), "rows": rows.reference()}
    assert manifest.identity == {**parent.identity, "seed": 0}
    assert rows.inputs == {
        "parent": parent.reference(),
        "parent_rows": parent.inputs["rows"],
        "rollouts": read_manifest(made.rollouts).reference(),
        "dataset": read_manifest(made.rollouts).inputs["dataset"],
    }
    _link(made, tmp_path / "all", tmp_path / "second.rows")
    assert _kinds(trace(tmp_path / "second", tmp_path / "all")) == {
        "surrogate",
        "surrogate_rows",
        "rollouts",
        "dataset",
        "source",
    }


def test_third_version_finds_the_rows_of_the_second_by_itself_and_versions_lists_all(
    made: Loop, tmp_path: Path
) -> None:
    write_rows(questions(2, seed=9, noise=0.0), tmp_path / "labels.jsonl")
    made.refit("--rollouts", made.rollouts, "--output", tmp_path / "second")

    succeed("refit", tmp_path / "second", "--annotated", tmp_path / "labels.jsonl", "--output", tmp_path / "third")

    assert len(read_rows(tmp_path / "third.rows" / "rows.jsonl").rows) == 48 + 4 + 12
    assert read_manifest(tmp_path / "third.rows").inputs["annotated"].kind == "source"
    _link(made, tmp_path / "all", tmp_path / "second", tmp_path / "second.rows")
    listed = succeed("versions", tmp_path / "third", "--root", tmp_path / "all").stdout.splitlines()
    fingerprints = [
        read_manifest(folder).fingerprint for folder in (tmp_path / "third", tmp_path / "second", made.first)
    ]
    assert [line.split(" of ")[0] for line in listed] == [
        f"version {number}: {name}" for number, name in zip((3, 2, 1), fingerprints, strict=True)
    ]


def test_local_run_stands_for_its_rollouts_and_its_own_surrogate_needs_no_rows(tmp_path: Path) -> None:
    """A surrogate that a pipeline fitted on a dataset: its rows are made of the dataset again."""
    artifacts = tmp_path / "run" / "artifacts"
    artifacts.mkdir(parents=True)
    prose = [example(f"open {place}", AnswerType.OPEN_ENDED, verifiable=False) for place in range(6)]
    data = dataset(artifacts / "dataset", [example("a"), example("b"), *prose])
    examples = list(read_split(data, Split.TRAIN))
    write_splits({Split.TRAIN: examples, Split.HELD_OUT: examples}, data)
    seal(data, "dataset", {})
    rollouts = audit(artifacts / "rollouts", data, SAID)
    seal(rollouts, "rollouts", {"rewards": {"weights": {"accuracy": 1.0}}}, {"dataset": verify(data)})
    fit_surrogate(data, artifacts / "surrogate", QUICK, seed=0)

    result = run("refit", artifacts / "surrogate", "--rollouts", tmp_path / "run", "--output", tmp_path / "second")

    assert result.exit_code == 0, result.exception
    rows = read_rows(tmp_path / "second.rows" / "rows.jsonl").rows
    assert [row.answer for row in rows[:-4]] == [row.answer for row in answer_rows(prose, seed=0)]
    assert [row.kind for row in rows[-4:]] == ["rollout"] * 4
    assert "parent_dataset" in read_manifest(tmp_path / "second.rows").inputs


def test_settings_of_the_version_and_the_selection_of_rollouts_come_from_a_file(made: Loop, tmp_path: Path) -> None:
    (tmp_path / "version.yaml").write_text(
        "surrogate: {head: knn, folds: 2}\nselection: {max_per_question: 2, max_share: 0.04}"
    )

    result = made.refit("--rollouts", made.rollouts, "--config", tmp_path / "version.yaml", "-o", tmp_path / "second")

    assert result.exit_code == 0, result.exception
    assert "2 of 7 rollouts taken" in result.stdout
    assert verify(tmp_path / "second").identity["surrogate"]["head"] == "knn"
    assert verify(tmp_path / "second.rows").identity["selection"]["max_share"] == 0.04


def test_what_cannot_be_refitted_is_refused_in_a_line_and_nothing_is_written(made: Loop, tmp_path: Path) -> None:
    write_rows(questions(2, seed=3), tmp_path / "other.jsonl")
    (tmp_path / "bad.yaml").write_text("head: knn")
    output, rollouts = ("--output", tmp_path / "out"), ("--rollouts", made.rollouts)
    cases: list[tuple[tuple[object, ...], type[HarmoError], str]] = [
        (("refit", made.first, *rollouts, *output), SourceError, "Give their file with --rows"),
        (
            ("refit", made.first, "--rows", tmp_path / "other.jsonl", *rollouts, *output),
            SourceError,
            "none of the files",
        ),
        (("refit", "builtin", "--rows", made.rows, *rollouts, *output), SourceError, "Leave --rows out"),
        (("refit", made.first, "--rows", made.rows, *output), EmptyDatasetError, "no new row"),
        (("refit", made.rollouts, *rollouts, *output), ArtifactError, "holds a rollouts, a surrogate is needed"),
        (("refit", made.first, "--rows", made.rows, "--rollouts", tmp_path, *output), ArtifactError, "no rollouts"),
        (
            ("refit", made.first, "--rows", made.rows, *rollouts, "--root", tmp_path, *output),
            ArtifactError,
            "the whole run with --root",
        ),
        (
            ("refit", made.first, "--rows", made.rows, "--config", tmp_path / "bad.yaml", *rollouts, *output),
            RecipeError,
            "unknown key 'head'",
        ),
        (("refit", made.first, "--rows", made.rows, *rollouts, "-o", made.root), StorageError, "not empty"),
    ]
    for arguments, kind, message in cases:
        result = run(*arguments)
        assert isinstance(result.exception, kind), (arguments, result.exception)
        assert message in str(result.exception)
        assert "\n" not in str(result.exception)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.yaml", "other.jsonl"]


def _link(made: Loop, root: Path, *folders: Path) -> None:
    """A folder in which all these, the first version and the run's artifacts are found."""
    for folder in (made.first, made.root / "run", *folders):
        shutil.copytree(folder, root / folder.name)


def _kinds(node: Ancestor) -> set[str]:
    return {node.reference.kind}.union(*(_kinds(item) for item in node.inputs))
