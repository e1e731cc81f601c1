import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from components.rewards.estimate import Estimate
from components.surrogate.answer_file import score_answers
from tests.surrogate.tiny import OverlapSurrogate

GOOD = {"id": "a", "question": "What?", "references": ["a red bus"], "answer": "a red bus"}


def scored(*lines: object, scorer: Any = None) -> list[dict[str, Any]]:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return [json.loads(line) for line in score_answers(texts, scorer or OverlapSurrogate()).lines]


def test_a_line_comes_back_with_interval_and_neighbours() -> None:
    [line] = scored(GOOD)
    near = [{"question": "What?", "answer": "a red bus", "score": 1.0, "distance": float(n)} for n in range(3)]
    assert line == {"id": "a", "score": 1.0, "low": 0.8, "high": 1.0, "abstain": False, "neighbours": near}


def test_an_abstention_has_its_reason_and_keeps_the_score() -> None:
    [line] = scored({**GOOD, "answer": "bus"})
    assert (line["abstain"], line["reason"], line["score"]) == (True, "too short to tell", 0.5)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"answer": "A', "is not JSON"),
        ('{"answer": NaN}', "NaN is no JSON number"),
        ("[]", "is not an object"),
        ({**GOOD, "answer": ""}, "answer is blank"),
        ({**GOOD, "answer": " \n\t"}, "answer is blank"),
        ({**GOOD, "answer": 5}, "answer is 5: give a text"),
        ({**GOOD, "answer": "x" * 1_000_001}, "answer has 1000001 characters"),
        ({**GOOD, "answer": "x\ud800"}, "answer holds U+D800, half of a surrogate pair"),
        ({**GOOD, "references": ["x", "\udfff"]}, "references[1] holds U+DFFF"),
        ({**GOOD, "references": []}, "references is missing"),
        ({**GOOD, "references": ["x", " "]}, "references[1] is ' '"),
        ({**GOOD, "score": 2}, "score is 2"),
        ({**GOOD, "id": 1e999}, "is not JSON|beyond 1.8e308"),
    ],
)
def test_a_bad_line_has_no_score_and_harms_no_other(line: object, message: str) -> None:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in (GOOD, line, {**GOOD, "id": 3})]
    found = score_answers(texts, OverlapSurrogate())
    first, bad, last = map(json.loads, found.lines)
    assert (first["score"], last["score"], last["id"]) == (1.0, 1.0, 3)
    assert [bad[key] for key in ("score", "low", "high")] == [None] * 3
    assert (bad["abstain"], bad["neighbours"]) == (True, [])
    assert bad["reason"].startswith("bad line: line 2: ")
    assert any(part in bad["reason"] for part in message.split("|"))
    assert len(found.problems) == 1
    assert (found.scores, found.abstained) == ([1.0, 1.0], 0)


def test_a_long_answer_is_scored() -> None:
    [line] = scored({**GOOD, "answer": "bus " * 249_999})
    assert line["score"] is not None


def test_a_score_that_is_no_number_is_null_with_its_reason() -> None:
    class Broken(OverlapSurrogate):
        def estimate(self, questions: Sequence[str], *rest: Any) -> list[Estimate]:
            first, *others = super().estimate(questions, *rest)
            return [replace(first, score=float("nan")), *others]

    first, second = scored(GOOD, GOOD, scorer=Broken())
    assert (first["score"], second["score"]) == (None, 1.0)
    assert first["reason"] == "bad line: line 1: score is nan, which is no number from 0 to 1"


def test_many_lines_keep_their_order_and_are_all_counted() -> None:
    lines = [json.dumps({**GOOD, "id": n, "answer": "a red bus" if n % 2 else ""}) for n in range(1500)]
    done: list[int] = []
    found = score_answers(lines, OverlapSurrogate(), done.append)
    read = [json.loads(line) for line in found.lines]
    assert [line["id"] for line in read] == list(range(1500))
    assert [line["score"] for line in read] == [1.0 if n % 2 else None for n in range(1500)]
    assert (sum(done), len(found.problems), found.problems[1][:7]) == (1500, 750, "line 3:")
