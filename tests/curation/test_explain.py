from pathlib import Path

import pyarrow.parquet as pq
import pytest

from components.core.errors import ArtifactError, SourceError
from components.core.example import Split, read_split
from components.curation.curate import curate
from components.curation.explain import NOT_REACHED, PASSED, explain
from components.curation.judge import REDUCE_STEPS
from tests.curation import engine_rows as odd
from tests.curation.engine_rows import config_of, row, write_rows


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A curation of which some rows are lost in every way, with a step that changes and flags the others."""
    folder = tmp_path_factory.mktemp("explained")
    rows = [
        *(row(number) for number in range(30)),
        row(3),
        row(3),
        row(4, references=["another"]),
        row(40, images=[]),
        row(41, "faulty"),
    ]
    config = config_of(write_rows(rows, folder / "rows.parquet"))
    curate(folder / "dataset", folder / "quarantine", config, seed=0, steps=odd.faulty)
    return folder


def test_kept_row_tells_where_it_is_and_what_was_done_to_it(output: Path) -> None:
    (found,) = explain(output, "rows.parquet#7")

    assert (found.key, found.question, found.lost) == ("rows.parquet#7", "How many are there in 7?", {})
    words = {step.name: step.words for step in found.steps}
    assert words.pop("fault") == ("unit '' became 'cm'", "flag seen")
    assert set(words) >= {"schema", "pictures", "typing", *REDUCE_STEPS}
    assert set(words.values()) == {(PASSED,)}
    assert found.kept["flags"] == "seen"
    shard = output / "dataset" / found.kept["split"] / found.kept["shard"]
    (example,) = pq.read_table(shard, filters=[("id", "=", found.id)]).to_pylist()
    assert example["question"] == found.question
    assert (example["split"], example["group"]) == (found.kept["split"], found.kept["group"])


def test_kept_row_names_its_duplicates_and_what_was_lost_to_it(output: Path) -> None:
    (third,), (fourth,), (fifth,) = (explain(output, f"rows.parquet#{place}") for place in (3, 4, 5))

    assert [(item.key, item.step, item.is_duplicate) for item in third.mentions] == [
        ("rows.parquet#30", "exact duplicates", True),
        ("rows.parquet#31", "exact duplicates", True),
    ]
    assert [(item.key, item.step, item.is_duplicate) for item in fourth.mentions] == [
        ("rows.parquet#32", "conflicts", False)
    ]
    assert fifth.mentions == ()


def test_every_kept_example_is_found_by_its_id_with_the_rows_that_had_it(output: Path) -> None:
    for split in Split:
        for example in read_split(output / "dataset", split):
            first, *others = explain(output / "dataset", example.id)
            assert first.kept["split"] == split.value
            repeats = 2 if first.place == 3 else 0
            assert len(others) == repeats
            assert all(other.lost["step"] == "exact duplicates" for other in others)


@pytest.mark.parametrize(
    ("place", "step", "words"),
    [
        (32, "conflicts", "contradicting answers: rows.parquet#4 says '4'"),
        (33, "schema", "image missing: []"),
        (34, "fault", "step failed: KeyError: 'nothing there'"),
    ],
)
def test_lost_row_tells_which_step_took_it_out_and_why(output: Path, place: int, step: str, words: str) -> None:
    (found,) = explain(output, f"rows.parquet#{place}")

    said = [step.words[0] for step in found.steps]
    names = [step.name for step in found.steps]
    at = names.index(step)
    assert said == [PASSED] * at + [words] + [NOT_REACHED] * (len(names) - at - 1)
    assert found.kept == {}


@pytest.mark.parametrize("name", ["rows.parquet#35", "other.parquet#1", "f" * 16, "rows.parquet#", "#1", "", "#" * 30])
def test_row_that_there_is_not_is_refused(output: Path, name: str) -> None:
    with pytest.raises(SourceError, match="neither an example of"):
        explain(output, name)


def test_quarantine_of_another_curation_is_refused(output: Path, tmp_path: Path) -> None:
    config = config_of(write_rows([row(1)], tmp_path / "rows.parquet"), groups={"heldout_fraction": 0.0})
    curate(tmp_path / "dataset", tmp_path / "quarantine", config, seed=0)

    with pytest.raises(ArtifactError, match="not the quarantine of the dataset"):
        explain(output / "dataset", "rows.parquet#1", tmp_path / "quarantine")
    with pytest.raises(ArtifactError, match="holds a dataset, a quarantine is needed"):
        explain(output / "dataset", "rows.parquet#1", tmp_path / "dataset")
