"""The reduce steps against planted faults, and the scorer by hand."""

import io
from pathlib import Path

import pytest
from PIL import Image

from components.core.example import AnswerType, Example, Task
from components.core.question import QuestionFile
from components.core.suite import questions_path, read_suite
from components.curation.candidate import Candidate, Signs
from components.curation.groups import GroupsConfig
from components.curation.judge import Fates, JudgeConfig, judge
from components.curation.sign_table import SignTable
from components.rewards.answer_types import infer_answer_type
from tests.curation.looks import TileLooks
from tests.curation.planted import (
    EXPECTED,
    ROW_FAULTS,
    Planted,
    PlantedRow,
    lines,
    plant,
    read_labels,
    score,
    write,
    write_benchmarks,
)

_NEAR = ("near leak", "near text", "near photograph", "near drawing")


def fates_of(planted: Planted, folder: Path, heldout_fraction: float = 0.1) -> tuple[list[PlantedRow], Fates]:
    """Judge the rows that have no fault of their own."""
    looks, candidates, rows = TileLooks(), [], []
    for place, row in enumerate(planted.rows):
        if row.label not in ROW_FAULTS:
            candidates.append(_candidate(place, row, looks))
            rows.append(row)
    write_benchmarks(planted, folder)
    table = SignTable.concatenated(
        [SignTable.of(candidates[start : start + 1000]) for start in range(0, len(candidates), 1000)]
    )
    config = JudgeConfig(groups=GroupsConfig(heldout_fraction=heldout_fraction))
    return rows, judge(table, [folder], config, comparison=looks)


def _candidate(place: int, row: PlantedRow, looks: TileLooks) -> Candidate:
    signs = looks.sign(row.image)
    assert signs is not None
    references = tuple(reference.strip() for reference in row.references)
    kind = infer_answer_type(references, row.choices)
    example = Example(
        id=str(place),
        images=(),
        question=row.question,
        references=references,
        answer_type=kind,
        task=Task(row.task),
        verifiable=kind is not AnswerType.OPEN_ENDED,
        choices=row.choices,
    )
    return Candidate("planted", place, example, signs=Signs((signs[0],), (signs[1],)), stated_split=row.split)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_planted_faults_are_found_and_nothing_else(tmp_path: Path, seed: int) -> None:
    rows, fates = fates_of(plant(1_200, seed), tmp_path)
    scores = {item.label: item for item in score([row.label for row in rows], [fate.step for fate in fates.fates])}
    report = "\n".join(lines(scores.values()))
    assert set(scores) == set(EXPECTED) - set(ROW_FAULTS)
    for label, item in scores.items():
        bar = 0.95 if label in _NEAR else 0.99
        assert item.recall >= bar, report
        assert item.precision >= (0.95 if "near duplicates" in EXPECTED[label] else 0.98), report
    assert scores["other number"].recall == 1.0, report
    assert scores["near drawing"].went.get("near duplicates", 0) >= 0.95 * scores["near drawing"].rows, report


@pytest.mark.slow
def test_evidence_names_the_original_and_the_leaked_question(tmp_path: Path) -> None:
    planted = plant(800, seed=2)
    rows, fates = fates_of(planted, tmp_path)
    kept = {row.partner: fate for row, fate in zip(rows, fates.fates, strict=True) if "duplicate" in row.label}
    assert kept
    assert all(fate.evidence == f"planted#{partner}" for partner, fate in kept.items())
    leaks = [(row, fate) for row, fate in zip(rows, fates.fates, strict=True) if row.leaks]
    assert leaks
    assert all(row.leaks in fate.evidence for row, fate in leaks)


@pytest.mark.slow
def test_rows_that_share_an_image_share_a_split(tmp_path: Path) -> None:
    planted = plant(800, seed=3)
    rows, fates = fates_of(planted, tmp_path, heldout_fraction=0.5)
    places = [place for place, row in enumerate(planted.rows) if row.label not in ROW_FAULTS]
    splits = dict(zip(places, fates.fates, strict=True))
    shared = [(place, row) for place, row in zip(places, rows, strict=True) if row.label == "shared image"]
    assert {splits[place].split for place, _ in shared} == {"train", "heldout"}
    assert all(splits[place].split == splits[row.partner].split for place, row in shared)


def test_the_set_is_what_it_says(tmp_path: Path) -> None:
    planted = plant(300, seed=4)
    assert len(planted.rows) == 300
    assert set(planted.labels) == set(EXPECTED)
    assert plant(300, seed=4).rows == planted.rows
    for place, row in enumerate(planted.rows):
        assert row.partner < place
        if row.label not in ROW_FAULTS:
            Image.open(io.BytesIO(row.image)).load()
    write(planted, tmp_path)
    assert read_labels(tmp_path) == planted.labels
    assert len((tmp_path / "source.jsonl").read_text().splitlines()) == 300
    for info in read_suite(tmp_path / "suite"):
        assert len(QuestionFile(questions_path(tmp_path / "suite", info.name))) == info.questions


@pytest.mark.parametrize("label", ["truncated", "bomb", "not an image"])
def test_planted_images_cannot_be_read(label: str) -> None:
    broken = [row for row in plant(300, seed=5).rows if row.label == label]
    assert broken
    for row in broken:
        with pytest.raises((OSError, Image.DecompressionBombError)):
            Image.open(io.BytesIO(row.image)).load()


def test_scores_are_those_of_a_table_by_hand() -> None:
    labels = ["clean", "clean", "exact duplicate", "exact duplicate", "near text"]
    steps = ["", "exact duplicates", "exact duplicates", "", "near duplicates"]
    found = {item.label: (item.rows, item.recall, item.precision) for item in score(labels, steps)}
    assert found == {"clean": (2, 0.5, 0.5), "exact duplicate": (2, 0.5, 0.5), "near text": (1, 1.0, 1.0)}
