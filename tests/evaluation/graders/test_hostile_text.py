import time

import pytest

from components.evaluation.graders.anls import anls, anls_collapsed
from components.evaluation.graders.chartqa import chartqa_relaxed
from components.evaluation.graders.ocrbench import ocrbench
from components.evaluation.graders.vqa import textvqa, vqa

MEGABYTE = 1_000_000
GRADERS = [vqa, textvqa, anls, anls_collapsed, chartqa_relaxed, ocrbench]
HOSTILE = {
    "empty": "",
    "nul": "\0" * MEGABYTE,
    "surrogates": "\ud800\udfff" * (MEGABYTE // 2),
    "right to left": "\u202e\u05e9\u05dc\u05d5\u05dd \u200f" * (MEGABYTE // 7),
    "full stops": "." * MEGABYTE,
    "marks": ';/[]"{}()=+\\_-><@`,?! ' * (MEGABYTE // 23),
    "commas": "1,,1" * (MEGABYTE // 4),
    "spaces": " " * MEGABYTE + "x",
    "lines": "\n" * MEGABYTE,
    "words": "the dont two " * (MEGABYTE // 13),
    "digits": "9" * MEGABYTE,
    "fraction": "0." + "3" * MEGABYTE,
    "exponent": "1e" + "9" * MEGABYTE,
    "underscores": "1_" * (MEGABYTE // 2) + "1",
    "percent": "%" * MEGABYTE,
    "apostrophes": "'s" * (MEGABYTE // 2),
    "growing": "ß\u0130" * (MEGABYTE // 2),
    "tower": "9^{9^{9^9}}",
    "latex": r"\frac{" * (MEGABYTE // 6),
}


@pytest.mark.parametrize("grader", GRADERS)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_prediction_is_scored_in_time(grader, text) -> None:
    started = time.process_time()

    grade = grader(text, ["red"] * 5 + ["1,000 cars"] * 5, {})

    assert time.process_time() - started < 2
    # Officially, padding earns: see the rule of ANLS.
    assert grade.score == 0.0 or (grader is anls and not text.strip(" \nx"))
    assert grade.extraction is not None


@pytest.mark.parametrize("grader", GRADERS)
def test_hostile_references_are_scored_in_time(grader) -> None:
    references = ["ab" * (MEGABYTE // 2), "ba" * (MEGABYTE // 2), "abc" * (MEGABYTE // 3), "red"]
    started = time.process_time()

    grade = grader("bca" * (MEGABYTE // 3), references, {})

    assert time.process_time() - started < 2
    assert grade.score == 0.0
