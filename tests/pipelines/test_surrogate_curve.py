"""`harmo surrogate curve`, with an encoder that needs no weights."""

import json
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from components.core.errors import EmptyDatasetError, HarmoError, RecipeError, SourceError, StorageError
from components.surrogate.rows import AnswerRow, write_rows
from pipelines.surrogate_curve import add_commands, sizes_of
from tests.surrogate.loop import questions
from tests.surrogate.quick import QUICK
from tests.surrogate.stub import use_stub


@pytest.fixture(autouse=True)
def _stub(monkeypatch: pytest.MonkeyPatch) -> None:
    use_stub(monkeypatch)


def run(*arguments: object) -> Result:
    app = typer.Typer()
    add_commands(app)
    app.callback()(lambda: None)  # a group, as in the whole command line
    return CliRunner().invoke(app, ["curve", *map(str, arguments)])


def data_of(path: Path, rows: list[AnswerRow]) -> Path:
    write_rows(rows, path)
    return path


def quick(folder: Path) -> Path:
    """The settings of a cheap fit, as a file."""
    path = folder / "quick.yaml"
    path.write_text(yaml.safe_dump(QUICK.model_dump(mode="json", include={"head", "folds", "rewordings", "negatives"})))
    return path


def test_curve_is_printed_written_and_the_same_each_time(tmp_path: Path) -> None:
    data = data_of(tmp_path / "data.jsonl", questions(14, seed=0, noise=0.0))
    command = (data, "--config", quick(tmp_path), "--sizes", "40, 12,9000", "--draws", 2, "--seed", 5)

    first, second = (run(*command, "--output", tmp_path / name) for name in ("first", "second"))

    assert first.exit_code == second.exit_code == 0, first.output
    values = json.loads((tmp_path / "first" / "curve.json").read_text())
    assert values == json.loads((tmp_path / "second" / "curve.json").read_text())
    assert [(point["rows"], len(point["pairwise"]), len(point["auc"])) for point in values["points"]] == [
        (12, 2, 2),
        (40, 2, 2),
    ]
    assert values["rows"] + values["heldout_rows"] == 84
    assert (values["heldout_rows"], values["heldout_groups"], values["draws"]) == (24, 4, 2)
    assert values["settings"]["head"] == "logistic"
    assert "left out, since there are 60 rows to fit on: 9,000" in first.stderr
    assert [line.split(":")[0] for line in first.stderr.splitlines() if line.startswith("fit ")] == [
        f"fit {count} of 4" for count in range(1, 5)
    ]
    assert "pairs ordered rightly ± sd" in first.stdout
    assert "measured on 24 rows of 4 groups that none was fitted on" in first.stdout
    assert "labels" in (tmp_path / "first" / "curve.html").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.jsonl", "first", "quick.yaml", "second"]


def test_heldout_rows_may_be_given_and_a_sample_that_cannot_be_fitted_is_told_of(tmp_path: Path) -> None:
    rows = questions(6, seed=0, noise=0.0)
    data = data_of(tmp_path / "data.jsonl", rows)
    heldout = data_of(tmp_path / "held.jsonl", questions(3, seed=1, noise=0.0))

    result = run(
        data, "--heldout", heldout, "--config", quick(tmp_path), "--sizes", "1,36", "--draws", 1, "-o", tmp_path / "out"
    )

    assert result.exit_code == 0, result.output
    values = json.loads((tmp_path / "out" / "curve.json").read_text())
    assert (values["rows"], values["heldout_rows"], values["heldout"]["name"]) == (36, 18, "held.jsonl")
    assert [len(point["failures"]) for point in values["points"]] == [1, 0]
    assert "1 of 2 not fitted: rows: all 1 answers are" in result.stderr
    assert "fit 2 of 2" in result.stderr


ONE_GROUP = [AnswerRow("q", ("r",), f"answer {place}", float(place % 2), "q") for place in range(6)]
ALL_RIGHT = [AnswerRow(f"q{place}", ("r",), "answer", 1.0, f"q{place}") for place in range(8)]


@pytest.mark.parametrize(
    ("rows", "options", "kind", "message"),
    [
        (questions(4, seed=0), ("--sizes", "50,x"), RecipeError, "--sizes: 'x' is no number of rows. Give whole"),
        (questions(4, seed=0), ("--sizes", "0"), RecipeError, "'0' is no number of rows"),
        (questions(4, seed=0), ("--sizes", "500"), SourceError, "there are 18 rows to fit on, fewer than every size"),
        (ONE_GROUP, (), SourceError, "all of one group"),
        (ALL_RIGHT, (), EmptyDatasetError, "all right or all wrong"),
        ([], (), SourceError, "holds no line"),
        (questions(4, seed=0), ("--heldout", "none.jsonl"), SourceError, "none.jsonl"),
    ],
)
def test_bad_input_is_refused_in_a_line_before_any_fit(
    rows: list[AnswerRow], options: tuple[str, ...], kind: type[HarmoError], message: str, tmp_path: Path
) -> None:
    result = run(data_of(tmp_path / "data.jsonl", rows), *options, "--output", tmp_path / "out")

    assert isinstance(result.exception, kind)
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)
    assert "fit 1" not in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["data.jsonl"]


def test_same_group_on_both_sides_and_a_full_folder_are_refused(tmp_path: Path) -> None:
    data = data_of(tmp_path / "data.jsonl", questions(4, seed=0))

    both = run(data, "--heldout", data, "--output", tmp_path / "out")
    full = run(data, "--output", tmp_path)

    assert "4 groups are both fitted and held out" in str(both.exception)
    assert isinstance(full.exception, StorageError)


def test_sizes_are_read_once_each_and_rising() -> None:
    assert sizes_of(" 200,50, 200 ") == [50, 200]
    assert sizes_of(" ") == []
    for text in ("50,", "-5", "5.0", "٣", "1e3"):
        with pytest.raises(RecipeError, match="is no number of rows"):
            sizes_of(text)
