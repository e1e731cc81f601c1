import json
import math
from dataclasses import replace

import pytest

from components.core.suite import BenchmarkInfo
from components.release.report_json import finite, report_json
from tests.release.synthetic import BENCHMARKS, FALLEN, FAMILIES, HOSTILE, make_report


def test_report_json_round_trips() -> None:
    content = report_json(make_report())

    assert json.loads(json.dumps(content, allow_nan=False)) == content


@pytest.mark.parametrize("row", ["overall", *FAMILIES])
def test_report_json_has_every_score(row: str) -> None:
    content = report_json(make_report())
    scores = content["overall"] if row == "overall" else content["families"][row]

    assert scores["difference"] == scores["candidate"] - scores["baseline"]
    assert scores["over_control"] == scores["candidate"] - scores["control"]
    assert scores["ci95"][0] < scores["difference"] < scores["ci95"][1]
    assert scores["over_control_ci95"][0] < scores["over_control"] < scores["over_control_ci95"][1]
    assert scores["n"] == {"overall": 70, "open_ended": 10}.get(row, 20)


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_report_json_has_every_number_of_a_benchmark(benchmark: str) -> None:
    scores = report_json(make_report())["benchmarks"][benchmark]

    assert (scores["n"], scores["clusters"], scores["wins"], scores["losses"], scores["ties"]) == (10, 10, 4, 2, 4)
    assert scores["relative"] == pytest.approx(scores["difference"] / scores["baseline"])
    assert scores["minimal_detectable"] == 0.062
    assert 0 < scores["p_value"] <= scores["p_adjusted"]
    assert set(scores["score_ci95"]) == {"baseline", "candidate", "control"}


def test_report_json_has_what_is_said_of_the_benchmarks() -> None:
    data = make_report()

    content = report_json(data)

    assert content["metric"] == "strict"
    assert content["other_scores"][FALLEN]["candidate"] == 0.66
    group = content["breakdowns"][FALLEN]["type"]["Digit String"]
    assert (group["n"], group["baseline"], group["candidate"]) == (5, 0.8, 0.6)
    assert group["ci95"] == pytest.approx([-0.3, -0.1])
    assert content["benchmark_health"][FALLEN]["control"]["no answer"] == 0.1
    assert content["categories"][FALLEN]["baseline"]["right"] == 6
    assert content["cost"][FALLEN]["candidate"]["completion_tokens"] == 567
    assert [BenchmarkInfo.from_json(info) for info in content["suite"]] == list(data.suite)
    assert content["benchmark_limits"][FALLEN][-1] == HOSTILE
    assert set(content["health"]["candidate"]) == {"no_answer", "truncated", "format"}


def test_report_json_names_the_run_and_its_artifacts() -> None:
    data = make_report()

    content = report_json(data)

    assert (content["pipeline"], content["run_id"], content["seed"]) == ("synthetic", "run-0001", 7)
    assert content["promoted"] is True
    assert content["reasons"][1] == HOSTILE
    assert content["reward_time"]["candidate"]["reward_share"] == 0.025
    assert content["limits"] == list(data.limits)
    assert content["benchmarks"][FALLEN]["difference"] < 0
    assert [item["fingerprint"] for item in content["artifacts"] if item["role"] == "policy"] == [
        data.artifacts[1].fingerprint
    ]


def test_number_that_is_not_finite_becomes_null() -> None:
    content = report_json(replace(make_report(), surrogate={"heldout_brier": math.nan, "num_rows": math.inf}))

    assert content["surrogate"] == {"heldout_brier": None, "num_rows": None}
    assert json.dumps(content, allow_nan=False)


def test_finite_unfolds_mappings_and_sequences() -> None:
    assert finite({1: (0.5, [math.inf, "text"])}) == {"1": [0.5, [None, "text"]]}
