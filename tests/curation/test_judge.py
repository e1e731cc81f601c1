from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.core.example import Split
from components.curation.candidate import Candidate
from components.curation.conflicts import ConflictsConfig
from components.curation.duplicates import DuplicatesConfig
from components.curation.groups import GroupsConfig
from components.curation.judge import Fate, JudgeConfig, judge
from components.curation.near import NearConfig
from components.curation.sign_table import SignTable
from tests.curation.rows import NamedLooks, judged, row, steps, table_of, write_benchmark

LENIENT = JudgeConfig.model_validate({"decontamination": {"max_contaminated_fraction": 1.0}})


# Exact duplicates


def test_the_first_of_equal_rows_stays() -> None:
    fates = judged([row("How many?", "0.5"), row("how many", "1/2"), row("How many? ", "0.50")])
    assert steps(fates) == ["", "exact duplicates", "exact duplicates"]
    assert [fate.evidence for fate in fates.fates[1:]] == ["made#0", "made#0"]
    assert all(fate.is_duplicate for fate in fates.fates[1:])


def test_options_in_another_order_make_an_exact_duplicate_and_other_wrong_options_a_near_one() -> None:
    rows = [
        row("Which animal?", "A", choices=("cat", "dog")),
        row("Which animal?", "B", choices=("dog", "cat")),
        row("Which animal?", "A", choices=("cat", "cow")),
    ]
    assert steps(judged(rows)) == ["", "exact duplicates", "near duplicates"]


def test_the_same_question_about_another_image_stays() -> None:
    assert steps(judged([row("How many?", "5", "one"), row("How many?", "5", "two")])) == ["", ""]


def test_a_row_that_its_source_holds_out_stays_before_an_earlier_one() -> None:
    fates = judged([row("How many?", "5", split="train"), row("How many?", "5", split="heldout")])
    assert steps(fates) == ["exact duplicates", ""]
    assert fates[0].evidence == "made#1"


def test_duplicates_stay_where_the_step_is_off() -> None:
    config = JudgeConfig(duplicates=DuplicatesConfig(enabled=False), near=NearConfig(enabled=False))
    assert steps(judged([row("How many?", "5"), row("How many?", "5")], config)) == ["", ""]


# Near duplicates


@pytest.mark.parametrize(
    ("question", "image"),
    [
        ("Find the highest value of the triangles in the figure.", "cat"),
        ("What is the highest value of the triangels?", "cat"),
        ("What is the highest value of the triangles?", "cat~"),
        ("Please: what is the higest value of triangles", "cat~"),
    ],
)
def test_nearly_the_same_image_and_question_with_the_same_answer_is_a_duplicate(question: str, image: str) -> None:
    fates = judged([row("What is the highest value of the triangles?", "5"), row(question, "5.0", image)])
    assert steps(fates) == ["", "near duplicates"]
    assert (fates[1].evidence, fates[1].is_duplicate) == ("made#0", True)


@pytest.mark.parametrize(
    ("question", "answer", "image"),
    [
        ("What is the highest value of the 3 triangles?", "5", "cat"),
        ("What is the lowest value of the triangles?", "5", "cat"),
        ("Please: what is the highest value of the triangles?", "6", "cat"),
        ("Please: what is the highest value of the triangles?", "5", "dog"),
        ("Please: what is the highest value of the triangles?", "5", "cat+"),
        ("Please: what is the highest value of the triangles?", "5", "cat~~"),
    ],
)
def test_another_number_word_answer_or_picture_stays(question: str, answer: str, image: str) -> None:
    fates = judged([row("What is the highest value of the triangles?", "5"), row(question, answer, image)])
    assert steps(fates) == ["", ""]


def test_nothing_is_dropped_as_near_to_a_row_that_is_dropped() -> None:
    """The third is near the second alone, which is not in the dataset."""
    fates = judged([row("How many?", "5", "cat"), row("How many?", "5", "cat~"), row("How many?", "5", "cat~~")])
    assert steps(fates) == ["", "near duplicates", ""]


def test_an_exact_duplicate_of_a_near_one_points_at_the_row_that_stays() -> None:
    rows = [row("How many?", "5", "cat"), row("How many?", "5", "cat~"), row("How many?", "5", "cat~")]
    fates = judged(rows)
    assert steps(fates) == ["", "near duplicates", "exact duplicates"]
    assert fates[2].evidence == "made#0"


# Conflicts


def test_contradicting_golds_take_all_rows_of_the_question_out() -> None:
    fates = judged([row("How many?", "5"), row("How many?", "6"), row("How many?", "5.0"), row("Which?", "7")])
    assert steps(fates) == ["conflicts", "conflicts", "conflicts", ""]
    assert [fate.evidence for fate in fates.fates[:3]] == ["made#1 says '6'", "made#0 says '5'", "made#1 says '6'"]
    assert not any(fate.is_duplicate for fate in fates.fates)


def test_a_row_near_a_disputed_one_is_disputed() -> None:
    fates = judged([row("How many?", "5"), row("How many?", "6"), row("Please: how many?", "5")])
    assert steps(fates) == ["conflicts"] * 3
    assert fates[2].evidence == "made#0"


def test_open_ended_answers_do_not_contradict_each_other() -> None:
    rows = [
        row("Describe it.", "A man walks a small dog along the river."),
        row("Describe it.", "Somebody is out with a pet beside the water."),
    ]
    assert steps(judged(rows)) == ["", ""]


def test_contradictions_stay_where_the_step_is_off() -> None:
    config = JudgeConfig(conflicts=ConflictsConfig(enabled=False))
    assert steps(judged([row("How many?", "5"), row("How many?", "6"), row("How many?", "5")], config)) == [
        "",
        "",
        "exact duplicates",
    ]


def test_a_survey_with_a_common_answer_is_no_conflict() -> None:
    rows = [row("What colour?", ["red", "dark red"]), row("What colour?", ["red", "crimson"])]
    assert steps(judged(rows)) == ["", "exact duplicates"]


# Order of the steps


def test_no_row_is_the_duplicate_of_one_that_leaks(tmp_path: Path) -> None:
    suite = write_benchmark(tmp_path, [("How many stripes has it?", "5", "cat")])
    rows = [row("How many stripes has it?", "5"), row("Please: how many stripes has it?", "5", "cat~"), row("A?", "1")]
    fates = judged([*rows, rows[0]], LENIENT, [suite])
    assert steps(fates) == ["decontamination", "decontamination", "", "decontamination"]
    assert not any(fate.is_duplicate for fate in fates.fates)


def test_what_repeats_a_row_that_crosses_splits_goes_with_it() -> None:
    rows = [
        row("How many?", "5", split="train"),
        row("Which?", "6", split="heldout"),
        row("How many?", "5", split="train"),
    ]
    fates = judged(rows)
    assert steps(fates) == ["split", "", "split"]
    assert fates[0].evidence == fates[2].evidence == "made#1"


def test_fates_are_counted_by_step() -> None:
    fates = judged([row("How many?", "5"), row("How many?", "5"), row("Which?", "6", "dog")])
    assert fates.counts() == {"": 2, "exact duplicates": 1}


def test_no_rows_have_no_fates() -> None:
    assert judged([]).fates == ()


_QUESTIONS = ("How many?", "Please: how many?", "How many 5?", "Which?")
_ROWS = st.lists(
    st.builds(
        lambda question, answer, image, split: row(question, answer, image, split=split),
        st.sampled_from(_QUESTIONS),
        st.sampled_from(("5", "5.0", "6")),
        st.sampled_from(("cat", "cat~", "cat~~", "dog")),
        st.sampled_from(("", "", "train", "heldout")),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(_ROWS, st.integers(0, 14))
def test_every_row_has_one_fate_whatever_the_shards(rows: Sequence[Candidate], cut: int) -> None:
    whole = table_of(rows)
    parts = SignTable.concatenated([SignTable(whole.columns.slice(0, cut)), SignTable(whole.columns.slice(cut))])
    fates = judge(whole, [], JudgeConfig(), comparison=NamedLooks())
    assert judge(parts, [], JudgeConfig(), comparison=NamedLooks()) == fates
    assert sum(fates.counts().values()) == len(rows)
    staying = {whole.key(place): fate for place, fate in enumerate(fates.fates) if not fate.step}
    for fate in fates.fates:
        assert bool(fate.step) == (fate.split == "") == (fate.group == "")
        assert not fate.is_duplicate or fate.evidence in staying


@settings(max_examples=60, deadline=None)
@given(_ROWS)
def test_near_images_and_equal_ones_never_cross_splits(rows: Sequence[Candidate]) -> None:
    config = JudgeConfig(groups=GroupsConfig(heldout_fraction=0.5))
    fates = judged(rows, config).fates
    images = [bytes(item.signs.looks[0]).decode() for item in rows]
    for one, first in zip(images, fates, strict=True):
        for other, second in zip(images, fates, strict=True):
            near = one.rstrip("~") == other.rstrip("~") and abs(len(one) - len(other)) <= 1
            if near and not first.step and not second.step:
                assert first.split == second.split


# Groups


def _splits(rows: Sequence[Candidate], **config: object) -> list[str]:
    groups = GroupsConfig.model_validate({"heldout_fraction": 0.5, **config})
    return [fate.split for fate in judged(rows, JudgeConfig(groups=groups)).fates]


def test_rows_added_behind_do_not_move_those_before() -> None:
    old = [row("Which?", str(number), f"image {number}") for number in range(200)]
    new = [row("How many?", str(number), f"image {number % 300}") for number in range(100, 160)]
    before, after = _splits(old), _splits([*old, *new])
    assert after[:200] == before
    assert 70 < before.count("heldout") < 130


def test_another_seed_holds_out_others_and_the_share_is_met() -> None:
    rows = [row("Which?", str(number), f"image {number}") for number in range(1000)]
    config = JudgeConfig(groups=GroupsConfig(heldout_fraction=0.1))
    first, second = ([fate.split for fate in judged(rows, config, seed=seed).fates] for seed in (0, 1))
    assert first != second
    assert 70 <= first.count("heldout") <= 130


def test_a_stated_group_is_kept_together_within_its_source() -> None:
    rows = [row("Which?", str(number), f"image {number}", group="scene") for number in range(20)]
    other = [row("Which?", str(number), f"other {number}", group="scene", source="b") for number in range(20)]
    fates = judged([*rows, *other], JudgeConfig(groups=GroupsConfig(heldout_fraction=0.5))).fates
    assert {fate.group for fate in fates[:20]} == {"made scene"}
    assert {fate.group for fate in fates[20:]} == {"b scene"}
    assert len({fate.split for fate in fates[:20]}) == 1


def test_rows_without_a_stated_split_follow_their_group() -> None:
    rows = [row("Which?", "1"), row("How many?", "2", split="heldout"), row("Where?", "3", "cat~")]
    assert _splits(rows, heldout_fraction=0.0) == ["heldout"] * 3


def test_training_rows_of_a_held_out_image_are_moved_by_config() -> None:
    rows = [row("Which?", "1", split="train"), row("How many?", "2", "cat~", split="heldout")]
    assert steps(judged(rows)) == ["split", ""]
    assert _splits(rows, crossing="move") == ["heldout", "heldout"]


def test_only_the_same_pixels_belong_together_by_config() -> None:
    rows = [row("Which?", "1", split="train"), row("How many?", "2", "cat~", split="heldout")]
    assert _splits(rows, images="same") == ["train", "heldout"]
    rows = [row("Which?", "1", split="train"), row("How many?", "2", "cat+", split="heldout")]
    assert _splits(rows) == ["train", "heldout"]
    assert _splits(rows, images="alike") == ["", "heldout"]


def test_one_blank_image_under_most_rows_is_not_held_out() -> None:
    rows = [row(f"What is word {number}?", str(number), "blank") for number in range(120)]
    for seed in range(12):
        fates = judged(rows, JudgeConfig(groups=GroupsConfig(heldout_fraction=0.3)), seed=seed).fates
        assert {fate.split for fate in fates} == {Split.TRAIN.value}


def test_a_fate_says_nothing_of_what_stays() -> None:
    assert judged([row("Which?", "1")], JudgeConfig(groups=GroupsConfig(heldout_fraction=0))).fates == (
        Fate(split="train", group=table_of([row("Which?", "1")]).pixels[0].tobytes().hex()),
    )
