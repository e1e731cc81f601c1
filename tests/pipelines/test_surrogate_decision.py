"""`harmo surrogate decide`, with surrogates of a few lines."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from components.core.artifact import InputRef, Manifest, digest_file, seal, verify
from components.core.errors import ArtifactError, HarmoError, RecipeError, SourceError, StorageError
from components.core.lineage import SOURCE_KIND
from components.rewards.estimate import Estimate
from components.surrogate.refit import seal_rows
from components.surrogate.rows import AnswerRow, write_rows
from pipelines.surrogate_decision import STANDS, add_commands
from tests.surrogate.loop import questions
from tests.surrogate.tiny import OverlapSurrogate


class Flat:
    """Gives every answer the same, so that every canary passes."""

    def estimate(
        self,
        questions: Sequence[str],
        answers: Sequence[str],
        references: Sequence[Sequence[str]],
        neighbours: int = 0,
    ) -> list[Estimate]:
        assert len(questions) == len(answers) == len(references)
        assert not neighbours
        return [Estimate(0.6, 0.0, 1.0, "")] * len(answers)


def run(*arguments: object) -> Result:
    app = typer.Typer()
    add_commands(app, lambda name: Flat() if "bad" in name else OverlapSurrogate())
    return CliRunner().invoke(app, ["decide", *map(str, arguments)])


def version(folder: Path, inputs: dict[str, Manifest | InputRef] | None = None) -> Path:
    folder.mkdir()
    (folder / "x").write_text(folder.name)
    seal(folder, "surrogate", {}, inputs or {"rows": InputRef(SOURCE_KIND, "f" * 64)})
    return folder


def data_of(path: Path, rows: list[AnswerRow]) -> Path:
    write_rows(rows, path)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Thirty questions."""
    return data_of(tmp_path / "data.jsonl", questions(30, seed=0, answers=1, noise=0.0))


def test_challenger_that_is_not_worse_replaces_with_status_zero_and_the_decision_is_sealed(
    data: Path, tmp_path: Path
) -> None:
    old, new = version(tmp_path / "bad"), version(tmp_path / "good")

    result = run(old, new, data, "--output", tmp_path / "decision")

    assert result.exit_code == 0, result.exception
    assert result.stdout.splitlines()[-2:] == [
        "The challenger replaces the champion.",
        f"wrote {tmp_path / 'decision'}, fingerprint {verify(tmp_path / 'decision').fingerprint[:12]}",
    ]
    assert "pairs ordered rightly" in result.stdout
    manifest = verify(tmp_path / "decision", "surrogate_decision")
    assert manifest.inputs == {
        "champion": verify(old).reference(),
        "challenger": verify(new).reference(),
        "rows": InputRef(SOURCE_KIND, digest_file(data)),
    }
    decided = json.loads((tmp_path / "decision" / "decision.json").read_text())
    assert decided["replaced"] is True
    assert len(decided["canaries"]) > 10  # of the kinds that can be made of these questions


def test_champion_stands_with_status_three_and_the_reasons_are_printed(data: Path, tmp_path: Path) -> None:
    result = run(version(tmp_path / "good"), version(tmp_path / "bad"), data, "--output", tmp_path / "decision")

    assert (result.exit_code, STANDS) == (3, 3)
    assert "Pairwise accuracy is worse, or not to be told from worse" in result.stdout
    assert re.search(r"Canaries of the class \w+ pass more often: \d+ of 30 before and 30 after", result.stdout)
    assert "The champion stands." in result.stdout
    assert json.loads((tmp_path / "decision" / "decision.json").read_text())["replaced"] is False


def test_decision_depends_on_the_settings_and_is_the_same_each_time(data: Path, tmp_path: Path) -> None:
    old, new = version(tmp_path / "bad"), version(tmp_path / "good")
    (tmp_path / "strict.yaml").write_text("min_groups: 31")

    results = [run(old, new, data, "-o", tmp_path / name) for name in ("first", "second")]
    strict = run(old, new, data, "--config", tmp_path / "strict.yaml")

    assert [result.exit_code for result in results] == [0, 0]
    assert verify(tmp_path / "first").fingerprint == verify(tmp_path / "second").fingerprint
    assert strict.exit_code == STANDS
    assert "30 groups, fewer than 31: not to be decided" in strict.stdout


def test_questions_that_a_version_was_fitted_on_are_refused_wherever_its_rows_are(data: Path, tmp_path: Path) -> None:
    """Its rows are the held-out file itself, a file that is given, or the artifact beside it."""
    rows = questions(30, seed=0, answers=1, noise=0.0)
    some = data_of(tmp_path / "some.jsonl", rows[:6])
    old = version(tmp_path / "old")
    of_data = version(tmp_path / "a", {"rows": InputRef(SOURCE_KIND, digest_file(data))})
    of_file = version(tmp_path / "b", {"rows": InputRef(SOURCE_KIND, digest_file(some))})
    of_artifact = version(tmp_path / "c", {"rows": seal_rows(rows[:2], tmp_path / "c.rows", {}, {})})

    for new, options, count in ((of_data, (), 30), (of_file, ("--rows", some), 3), (of_artifact, (), 1)):
        result = run(old, new, data, *options)
        assert isinstance(result.exception, SourceError)
        assert f"{count} groups were fitted" in str(result.exception)


def test_version_whose_rows_are_not_at_hand_is_told_of(data: Path, tmp_path: Path) -> None:
    known = data_of(tmp_path / "known.jsonl", questions(2, seed=5))
    old, new = version(tmp_path / "bad"), version(tmp_path / "b", {"rows": InputRef(SOURCE_KIND, digest_file(known))})

    result = run(old, new, data, "--rows", known)

    assert result.exit_code == 0, result.exception
    [warning] = [line for line in result.stderr.splitlines() if line.startswith("warning")]
    assert warning.startswith(f"warning: not checked whether its questions are held out: {old}: none of the files")


def test_what_cannot_be_decided_on_is_refused_in_a_line(data: Path, tmp_path: Path) -> None:
    old, new = version(tmp_path / "old"), version(tmp_path / "new")
    (tmp_path / "torn.jsonl").write_text(data.read_text() + "no json\n")
    (tmp_path / "bad.yaml").write_text("tolerence: 0.1")
    cases: list[tuple[tuple[object, ...], type[HarmoError], str]] = [
        ((old, old, data), SourceError, "it is the champion itself"),
        ((old, tmp_path / "none", data), ArtifactError, "no such folder"),
        ((old, new, tmp_path / "torn.jsonl"), SourceError, "1 of 61 lines are bad"),
        ((old, new, data, "--rows", tmp_path / "torn.jsonl"), SourceError, "neither version was fitted on it"),
        ((old, new, data, "--config", tmp_path / "bad.yaml"), RecipeError, "did you mean 'tolerance'"),
        ((old, new, data, "--output", tmp_path), StorageError, "not empty"),
    ]
    for arguments, kind, message in cases:
        result = run(*arguments)
        assert isinstance(result.exception, kind), (arguments, result.exception)
        assert message in str(result.exception)
        assert "\n" not in str(result.exception)
