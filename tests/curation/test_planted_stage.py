from pathlib import Path

import pytest

from tests.curation.planted import EXPECTED, lines
from tests.curation.planted_stage import planted_through_the_stage

NEAR = ("near photograph", "near leak")
"""Photographs of even ground count as drawings, and of those no copy is told from another exercise."""


@pytest.mark.slow
def test_whole_stage_finds_what_was_planted_and_loses_nothing_else(tmp_path: Path) -> None:
    found = planted_through_the_stage(tmp_path, rows=1_200, seed=0)

    report = "\n".join(lines(found.scores))
    scores = {item.label: item for item in found.scores}
    assert set(scores) == set(EXPECTED)
    for label, item in scores.items():
        assert item.recall >= (0.8 if label in NEAR else 0.99), report
    for label in ("clean", "other number", "template", "shared image", "held out"):
        assert scores[label].recall == 1.0, report
    summary = found.summary
    assert summary["rows_in"] == summary["rows_kept"] + summary["rows_quarantined"] + summary["rows_duplicate"] == 1_200
