from pathlib import Path
from typing import Any

import pytest

from components.core.errors import SourceError
from components.curation.decontaminate import ContaminationError
from components.curation.judge import Fates, JudgeConfig
from components.rewards.embedder import EmbedderConfig
from tests.curation.rows import judged, row, steps, write_benchmark

LONG = (
    "Anna collected 230 stamps during the summer and Boris collected 490 more from his neighbours while their sister "
    "sold 8 of them at the market. How many stamps remain with the two at the end of the day?"
)
OTHER_NUMBERS = LONG.replace("230", "231").replace("490", "70").replace("8", "11")
HINT = "Hint: Answer what is asked with an integer and give the final value in the last line of your reply, please. "


def _against(tmp_path: Path, questions: list[tuple[str, str, str]], rows: list[Any], **config: Any) -> Fates:
    settings = {"max_contaminated_fraction": 1.0, **config}
    suite = write_benchmark(tmp_path, questions)
    return judged(rows, JudgeConfig.model_validate({"decontamination": settings}), [suite])


def test_a_long_question_leaks_by_its_words_whatever_the_image(tmp_path: Path) -> None:
    rows = [row(LONG, "712", "dog"), row(f"Think. {LONG} Say it in one word.", "712", "cow"), row("Which?", "5")]
    fates = _against(tmp_path, [(LONG, "712", "cat")], rows)
    assert steps(fates) == ["decontamination", "decontamination", ""]
    assert fates[0].evidence.startswith("bench q0 (")
    assert fates.benchmarks == {"bench": {"questions": 1, "leaked_questions": 1, "leaking_rows": 2}}


def test_a_long_question_with_a_changed_word_leaks(tmp_path: Path) -> None:
    rows = [row(LONG.replace("sister", "cousin"), "712", "dog")]
    assert steps(_against(tmp_path, [(LONG, "712", "cat")], rows)) == ["decontamination"]


def test_the_same_story_with_other_numbers_is_another_question(tmp_path: Path) -> None:
    rows = [row(OTHER_NUMBERS, "290", "dog")]
    assert steps(_against(tmp_path, [(LONG, "712", "cat")], rows)) == [""]


def test_a_short_question_leaks_with_its_image_alone(tmp_path: Path) -> None:
    question = "What is the value of x?"
    rows = [row(question, "5", image) for image in ("cat", "cat~", "dog", "cat+")]
    fates = _against(tmp_path, [(f"{question}\nAnswer the question using a single word or phrase.", "5", "cat")], rows)
    assert steps(fates) == ["decontamination", "decontamination", "", ""]
    assert fates[0].evidence == "bench q0 (the same question and image)"


def test_a_question_within_a_prompt_with_options_leaks(tmp_path: Path) -> None:
    prompt = "Look.\nWhich bar is the highest?\nChoices:\n(A) red\n(B) blue"
    rows = [row("Which bar is the highest?", "red"), row("Which bar is the lowest?", "blue")]
    assert steps(_against(tmp_path, [(prompt, "red", "cat")], rows)) == ["decontamination", ""]


def test_another_question_about_the_image_stays_with_a_flag(tmp_path: Path) -> None:
    rows = [row("Which?", "7"), row("How many legs?", "5.0", "cat~"), row("Which?", "7", "dog")]
    fates = _against(tmp_path, [("How wide is it?", "5", "cat")], rows)
    assert steps(fates) == ["", "", ""]
    assert [fate.flags for fate in fates.fates] == [
        ("benchmark image: bench q0",),
        ("benchmark image and answer: bench q0",),
        (),
    ]


def test_a_lookalike_with_the_same_question_and_answer_is_flagged_or_quarantined(tmp_path: Path) -> None:
    rows = [row("What is x?", "5", "cat+"), row("What is x?", "6", "cat+"), row("What is y?", "5", "cat+")]
    fates = _against(tmp_path / "a", [("What is x?", "5", "cat")], rows[:1])
    assert (steps(fates), fates[0].flags) == ([""], ("looks like a benchmark question: bench q0",))
    for item in rows[1:]:
        fates = _against(
            tmp_path / item.example.question / item.example.references[0], [("What is x?", "5", "cat")], [item]
        )
        assert (steps(fates), fates[0].flags) == ([""], ())
    fates = _against(tmp_path / "b", [("What is x?", "5", "cat")], rows[:1], lookalikes="quarantine")
    assert steps(fates) == ["decontamination"]


def test_a_template_of_many_images_is_no_leak(tmp_path: Path) -> None:
    questions = [(f"{HINT}How many are {number}?", "5", f"bench {number}") for number in range(12)]
    rows = [row(f"{HINT}What is {number}?", "6", f"image {number}") for number in range(12)]
    assert set(steps(_against(tmp_path, questions, rows))) == {""}


def test_a_template_is_known_from_the_rows_too(tmp_path: Path) -> None:
    question = "What is the difference between the highest and the lowest of all the values that the chart shows?"
    rows = [row(question, str(number), f"image {number}") for number in range(12)]
    fates = _against(tmp_path, [(question, "5", "image 3")], rows)
    assert [place for place, step in enumerate(steps(fates)) if step] == [3]


def test_few_copies_of_a_long_question_are_no_template(tmp_path: Path) -> None:
    rows = [row(LONG, "712", f"image {number}") for number in range(10)]
    assert set(steps(_against(tmp_path, [(LONG, "712", "cat")], rows))) == {"decontamination"}


def test_too_many_leaks_fail_with_the_counts_of_each_benchmark(tmp_path: Path) -> None:
    rows = [row("Which cat is it?", "5"), *(row("How many?", str(number), f"i{number}") for number in range(8))]
    with pytest.raises(
        ContaminationError, match=r"1 of 9 rows leak benchmarks \(bench 1; first: made#0 leaks bench q0"
    ):
        _against(tmp_path / "a", [("Which cat is it?", "5", "cat")], rows, max_contaminated_fraction=0.1)
    fates = _against(tmp_path / "b", [("Which cat is it?", "5", "cat")], rows, max_contaminated_fraction=0.12)
    assert fates.counts() == {"": 8, "decontamination": 1}


def test_leaks_stay_where_the_step_is_off(tmp_path: Path) -> None:
    fates = _against(tmp_path, [("Which cat?", "5", "cat")], [row("Which cat?", "5")], enabled=False)
    assert (steps(fates), fates.benchmarks) == ([""], {})


def test_each_benchmark_of_several_folders_is_counted(tmp_path: Path) -> None:
    first = write_benchmark(tmp_path / "a", [("Which cat is it?", "5", "cat"), ("Other?", "1", "fish")], "one")
    second = write_benchmark(tmp_path / "b", [("Which cat is it?", "5", "cat")], "two")
    config = JudgeConfig.model_validate({"decontamination": {"max_contaminated_fraction": 1}})
    fates = judged([row("Which cat is it?", "5"), row("Who?", "6", "dog")], config, [first, second / "two"])
    assert {name: found["leaking_rows"] for name, found in fates.benchmarks.items()} == {"one": 1, "two": 1}
    assert fates[0].evidence == "one q0 (the same question and image); two q0 (the same question and image)"


def test_a_folder_without_questions_and_a_benchmark_given_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no suite.json and no questions.parquet"):
        judged([row("Which?", "5")], benchmarks=[tmp_path])
    suite = write_benchmark(tmp_path / "a", [("Which?", "5", "cat")])
    with pytest.raises(SourceError, match="a second benchmark named 'bench'"):
        judged([row("Which?", "5")], benchmarks=[suite, suite])


def test_a_broken_image_of_a_benchmark_is_counted_and_its_words_still_compared(tmp_path: Path) -> None:
    fates = _against(tmp_path, [(LONG, "712", "broken")], [row(LONG, "712", "dog"), row("Which?", "1")])
    assert steps(fates) == ["decontamination", ""]
    assert fates.broken_benchmark_images == 1


@pytest.mark.slow
def test_another_wording_about_the_same_pixels_leaks_by_its_meaning(tmp_path: Path) -> None:
    prompt = "How many people are standing in front of the house?"
    rows = [
        row("What is the number of people who stand before the house?", "5"),
        row("What is the number of people who stand before the house?", "5", "cat~"),
        row("Which colour does the roof have?", "red"),
    ]
    config = {"embedder": EmbedderConfig().model_dump(), "cosine": 0.8}
    fates = _against(tmp_path, [(prompt, "5", "cat")], rows, **config)
    assert steps(fates)[0] == "decontamination"
    assert "cosine of the questions 0." in fates[0].evidence
    assert steps(fates)[2] == ""
