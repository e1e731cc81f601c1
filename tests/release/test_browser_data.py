import json
from dataclasses import replace

import pytest
from jinja2.utils import htmlsafe_json_dumps

from components.core.comparison import CANDIDATE, POLICIES
from components.release.browser import IMAGES_A_PIECE, SAMPLES_A_PIECE, browser_data, categories_of, flags_of
from components.release.report_data import ReportData
from tests.release.synthetic import BENCHMARKS, HOSTILE, HOSTILE_FLAG, make_report, make_sample


@pytest.fixture(scope="module")
def report() -> ReportData:
    return make_report()


def test_pieces_hold_every_sample_in_order() -> None:
    count = SAMPLES_A_PIECE + 1
    samples = [make_sample(number) for number in range(count)]

    data = browser_data(replace(make_report(0), samples=samples))

    assert [len(piece) for piece in data.samples] == [SAMPLES_A_PIECE, 1]
    assert [row["id"] for piece in data.samples for row in piece] == [sample.id for sample in samples]


def test_index_agrees_with_the_samples(report: ReportData) -> None:
    data = browser_data(report)
    index = data.head["index"]
    names = index["names"]

    for place, sample in enumerate(report.samples):
        assert names["benchmarks"][index["benchmark"][place]] == [sample.benchmark, BENCHMARKS[sample.benchmark]]
        assert data.head["outcomes"][index["outcome"][place]] == sample.outcome("strict")
        groups = [names["groups"][number] for number in index["groups"][place]]
        assert groups == [[sample.benchmark, name, value] for name, value in sample.groups.items()]
        for policy in POLICIES:
            answer = sample.answers[policy]
            assert [names["flags"][number] for number in index["flags"][policy][place]] == list(answer.flags)
            assert names["categories"][index["category"][policy][place]] == answer.category


def test_outcome_is_judged_by_the_metric_that_counts(report: ReportData) -> None:
    sample = make_sample(2)  # unchanged
    answers = {**sample.answers, CANDIDATE: replace(sample.answers[CANDIDATE], score=0.5)}
    data = replace(report, samples=[replace(sample, answers=answers)])

    strict = browser_data(data)
    official = browser_data(replace(data, comparison=replace(data.comparison, metric="score")))

    assert strict.samples[0][0]["outcome"] == "unchanged"
    assert official.samples[0][0]["outcome"] == "regressed"
    assert official.samples[0][0]["change"] == -0.5


def test_images_are_embedded_once(report: ReportData) -> None:
    data = browser_data(report)

    (images,) = data.images
    assert len(images) == 5 <= IMAGES_A_PIECE  # the rollout groups' are among the samples'
    assert all(image.startswith("data:image/png;base64,iVBOR") for image in images)
    assert {tuple(row["images"]) for row in data.samples[0] if row["images"]} == {(place,) for place in range(5)}


def test_prompt_that_all_policies_were_sent_is_kept_once(report: ReportData) -> None:
    sample = make_sample(1)
    answers = {**sample.answers, CANDIDATE: replace(sample.answers[CANDIDATE], prompt="another")}

    same, other = browser_data(replace(report, samples=[sample, replace(sample, answers=answers)])).samples[0]

    assert same["prompts"] == {"all": sample.answers[CANDIDATE].prompt}
    assert set(other["prompts"]) == set(POLICIES)


def test_budget_keeps_changed_samples_first_then_flagged_ones(report: ReportData) -> None:
    samples = [make_sample(number) for number in range(9)]  # 2, 5 and 8 are unchanged and have no flag
    plain = {2, 5, 8}
    flagged = replace(samples[5], answers={p: replace(a, flags=["odd"]) for p, a in samples[5].answers.items()})
    samples[5] = flagged
    whole = replace(report, samples=samples)
    every = sum(len(json.dumps(row)) for row in browser_data(whole).samples[0])

    kept = {
        budget: [int(row["id"], 16) for piece in browser_data(whole, budget).samples for row in piece]
        for budget in (0, every // 2, 10 * every)
    }

    assert kept[0] == []
    assert kept[10 * every] == list(range(9))
    assert kept[every // 2]
    assert not plain & set(kept[every // 2])
    assert kept[every // 2] == sorted(kept[every // 2])


def test_budget_is_kept_to_by_what_the_page_holds(report: ReportData) -> None:
    data = browser_data(replace(report, samples=[make_sample(number) for number in range(200)]), budget=100_000)

    assert 80_000 < len(htmlsafe_json_dumps(list(data.samples), separators=(",", ":"))) <= 101_000
    assert data.head["total"] == 200
    assert len(data.head["index"]["outcome"]) == sum(map(len, data.samples)) < 200


def test_flags_and_categories_are_all_that_occur(report: ReportData) -> None:
    odd = make_sample(2)
    odd = replace(odd, answers={p: replace(a, category=HOSTILE) for p, a in odd.answers.items()})

    assert flags_of(report.samples) == [HOSTILE_FLAG, "no answer"]
    assert categories_of([odd])[-1] == HOSTILE
    assert categories_of(report.samples)[0] == "right"
