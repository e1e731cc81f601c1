import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from components.core.example import AnswerType, Example, Split
from components.curation.gathering import gather_numbers
from components.curation.numbers import CardNumbers
from components.curation.survey import SAMPLES_A_TYPE, measure_images, survey
from tests.curation.made_dataset import (
    HOSTILE,
    QUARANTINE,
    account,
    bomb,
    example,
    image,
    lost,
    summary_of,
    whole_dataset,
    write_dataset,
)


def _gather(folder: Path, train: list[Example], quarantine: list[dict[str, Any]] | None = None) -> CardNumbers:
    lines = quarantine or []
    summary = summary_of(len(train), lines)
    dataset, beside = write_dataset(folder, {Split.TRAIN: (train,)}, lines, summary)
    return gather_numbers(dataset, summary, beside)


def _summary(dataset: Path) -> dict[str, Any]:
    return json.loads((dataset / "summary.json").read_text())  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return whole_dataset(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def numbers(whole: tuple[Path, Path]) -> CardNumbers:
    dataset, quarantine = whole
    return gather_numbers(dataset, _summary(dataset), quarantine)


def test_examples_are_counted_by_what_they_are(tmp_path: Path) -> None:
    train = [example(number) for number in range(23)]

    found = _gather(tmp_path, train)

    for name in ("answer_type", "task", "source", "licence"):
        assert found.by[name] == Counter(str(getattr(item, name)) for item in train)
    assert found.by["family"] == Counter(item.family.value for item in train)
    assert found.by["split"] == {"train": 23}
    assert found.task_and_type["math"] == {"number": 5, "expression": 5}
    assert found.verifiable == sum(item.verifiable for item in train)
    assert found.rows_kept == 23


def test_rows_in_are_kept_quarantined_and_duplicates_in_all_and_by_step_and_source(numbers: CardNumbers) -> None:
    assert (numbers.rows_in, numbers.rows_kept, numbers.rows_quarantined, numbers.rows_duplicate) == (51, 36, 11, 4)
    assert all(step.adds_up for step in numbers.steps)
    assert [step.step for step in numbers.steps][:2] == ["schema", "pictures"]
    assert {source.name: (source.rows_in, source.rows_kept) for source in numbers.sources} == {
        "maps": (32, 18),
        "scenes": (19, 18),
    }
    assert numbers.problems == ()


def test_reasons_follow_the_steps_and_have_examples_with_evidence(numbers: CardNumbers) -> None:
    assert [(reason.step, reason.rows, reason.is_duplicate) for reason in numbers.reasons] == [
        ("schema", 2, False),
        ("pictures", 5, False),
        ("exact duplicates", 4, True),
        ("conflicts", 1, False),
        ("decontamination", 3, False),
    ]
    assert [len(reason.examples) for reason in numbers.reasons] == [2, 3, 3, 1, 3]
    lines = {(line["source"], line["place"]): line["evidence"] for line in QUARANTINE}
    for reason in numbers.reasons:
        for row in reason.examples:
            assert lines[row.source, row.place] == row.evidence


def test_lengths_and_pass_rates_are_those_of_the_examples(tmp_path: Path) -> None:
    rates = [None, 0.0, 0.05, 0.1, 0.99, 1.0]
    train = [
        example(
            number, question="x" * (number + 1), references=("y" * 2**number, "longer than the first"), pass_rate=rate
        )
        for number, rate in enumerate(rates)
    ]

    found = _gather(tmp_path, train)

    assert found.question_characters.lows == (1, 2, 4)
    assert found.question_characters.counts == (1, 2, 3)
    assert found.answer_characters.counts == (1,) * 6
    assert found.answer_characters.largest == 32
    assert found.difficulty.counts == (2, 1, 0, 0, 0, 0, 0, 0, 0, 2)
    assert (found.difficulty.never, found.difficulty.always, found.difficulty.unmeasured) == (1, 1, 1)
    assert found.difficulty.mean == pytest.approx((0.05 + 0.1 + 0.99 + 1) / 5)


def test_groups_are_those_that_the_split_went_by(whole: tuple[Path, Path], numbers: CardNumbers) -> None:
    assert (numbers.groups.n, numbers.groups.sizes.counts, numbers.groups.crossing) == (12, (12,), 0)
    assert numbers.groups.sizes.largest == 3


def test_group_on_both_sides_is_counted(tmp_path: Path) -> None:
    splits = {
        Split.TRAIN: ([example(0, group="one"), example(1, group="two")],),
        Split.HELD_OUT: ([example(2, group="two"), example(3, group="")],),
    }
    summary = summary_of(4, [])
    dataset, quarantine = write_dataset(tmp_path, splits, [], summary)

    groups = gather_numbers(dataset, summary, quarantine).groups

    assert (groups.n, groups.crossing, groups.ungrouped) == (3, 1, 1)


def test_flags_are_counted_without_what_they_say_of_one_row(numbers: CardNumbers) -> None:
    assert numbers.flags == {"cmyk": 2, "benchmark image": 1}


def test_benchmarks_are_those_that_curation_reports(numbers: CardNumbers) -> None:
    assert numbers.benchmarks is not None
    assert [(item.name, item.leaking_rows) for item in numbers.benchmarks] == [
        ("mathvista_testmini", 3),
        ("ocrbench", 0),
    ]
    assert numbers.leaked() == 3
    assert numbers.broken_benchmark_images == 1


def test_without_benchmarks_and_flags_nothing_is_claimed_of_them(tmp_path: Path) -> None:
    found = _gather(tmp_path, [example(0)])

    assert found.benchmarks is None
    assert found.flags is None


def test_samples_show_each_answer_type_and_its_tasks(numbers: CardNumbers) -> None:
    shown = Counter(sample.answer_type for sample in numbers.samples)

    assert set(shown) == {type_.value for type_ in AnswerType}
    assert max(shown.values()) <= SAMPLES_A_TYPE
    assert len({sample.id for sample in numbers.samples}) == len(numbers.samples)
    assert all(len(sample.pictures) + sample.more_images >= 1 for sample in numbers.samples)


def test_samples_do_not_depend_on_shards_and_do_on_the_seed(tmp_path: Path) -> None:
    examples = [example(number) for number in range(120)]

    def shown(name: str, size: int, seed: int = 0) -> list[str]:
        shards = [examples[start : start + size] for start in range(0, len(examples), size)]
        summary = summary_of(len(examples), [])
        dataset, quarantine = write_dataset(tmp_path / name, {Split.TRAIN: shards}, [], summary)
        return [sample.id for sample in gather_numbers(dataset, summary, quarantine, seed).samples]

    assert shown("a", 120) == shown("b", 7)
    assert shown("c", 120, seed=1) != shown("d", 120)


def test_samples_ask_different_questions_first(tmp_path: Path) -> None:
    same = [example(5 * number, question="What is it?", images=(image((30, 30), number),)) for number in range(10)]
    others = [example(5 * number, question=f"Is it {number}?") for number in range(10)]

    found = _gather(tmp_path, [*same, *others])

    questions = Counter(sample.question for sample in found.samples)
    assert questions.pop("What is it?", 1) == 1
    assert set(questions.values()) == {1}


def test_long_texts_are_cut_with_a_note(tmp_path: Path) -> None:
    long = example(2, question="q" * 5000, references=("r" * 900,) * 9, choices=tuple(f"{n}" * 400 for n in range(20)))

    (sample,) = _gather(tmp_path, [long]).samples

    assert sample.question.endswith("… (5,000 characters)")
    assert (len(sample.references), sample.more_references) == (6, 3)
    assert (len(sample.choices), sample.more_choices) == (12, 8)
    assert max(map(len, (*sample.references, *sample.choices))) < 340


def test_broken_images_cost_no_card(tmp_path: Path) -> None:
    broken = example(0, images=(b"no image", image((40, 30)), bomb()))

    found = _gather(tmp_path, [broken])

    (sample,) = found.samples
    assert (len(sample.pictures), sample.more_images) == (1, 2)
    assert found.image_sizes.unreadable == 2
    assert found.image_sizes.images_a_row.largest == 3


def test_images_of_a_large_dataset_are_measured_on_whole_row_groups(tmp_path: Path) -> None:
    shards = [[example(number + 10 * shard) for number in range(10)] for shard in range(8)]
    dataset, _ = write_dataset(tmp_path, {Split.TRAIN: shards}, [], summary_of(80, []))

    some, none, every = (measure_images(dataset, most_rows=rows) for rows in (25, 0, 1000))

    assert (some.rows, none.rows, every.rows) == (20, 10, 80)
    assert some.rows_in_all == none.rows_in_all == 80
    assert some.longer_side.n == 20
    assert measure_images(dataset, most_bytes=0).rows == 10
    assert measure_images(dataset, seed=1, most_rows=25) != some


def test_summary_that_is_not_what_the_dataset_holds_is_a_problem(whole: tuple[Path, Path]) -> None:
    dataset, quarantine = whole
    summary = _summary(dataset)

    fewer = gather_numbers(dataset, {**summary, "rows_kept": 37}, quarantine).problems
    steps = account(51, (("schema", 2, 0),))
    steps[0]["rows_kept"] = 50
    wrong = gather_numbers(dataset, {**summary, "steps": steps}, quarantine).problems
    other = gather_numbers(dataset, {**summary, "rows_quarantined": 12, "rows_in": 52}, quarantine).problems

    assert fewer == (
        "Curation reports 37 rows kept; the dataset holds 36.",
        "51 rows in are not 37 kept + 11 quarantined + 4 duplicates.",
    )
    assert wrong == ("The account of the step schema does not add up.",)
    assert other == ("Curation reports 12 quarantined rows and 4 duplicates; the quarantine holds 11 and 4.",)


def test_without_a_quarantine_reasons_are_those_that_curation_reports(tmp_path: Path) -> None:
    summary = {**summary_of(2, [lost(0, "pictures", "x")]), "quarantined_by_reason": {"image damaged": 1}}
    dataset, _ = write_dataset(tmp_path, {Split.TRAIN: ([example(0), example(1)],)}, [], summary)

    found = gather_numbers(dataset, summary, None)

    assert [(reason.reason, reason.rows, reason.examples) for reason in found.reasons] == [("image damaged", 1, ())]
    assert found.problems == ()


def test_reasons_without_end_are_summed_up(tmp_path: Path) -> None:
    lines = [lost(number, "schema", f"reason {number}", evidence=HOSTILE) for number in range(300)]

    found = _gather(tmp_path, [example(0)], lines)

    assert len(found.reasons) == 201
    assert sum(reason.rows for reason in found.reasons) == 300
    assert found.reasons[-1].reason == "other reasons"


def test_empty_dataset_has_numbers(tmp_path: Path) -> None:
    found = _gather(tmp_path, [], [lost(0, "schema", "question missing")])

    assert (found.rows_in, found.rows_kept, found.samples) == (1, 0, ())
    assert found.question_characters.n == found.image_sizes.rows == found.groups.n == 0


def test_ranks_are_those_of_all_examples_and_not_of_the_first(tmp_path: Path) -> None:
    examples = [example(5 * number) for number in range(300)]
    dataset, _ = write_dataset(tmp_path, {Split.TRAIN: (examples,)}, [], summary_of(300, []))

    places = [entry[1].row for entry in survey(dataset).candidates["number", "math"]]

    assert len(places) == 24
    assert max(places) > 150  # 24 of 300 rows are all of the first half once in 30 million draws
