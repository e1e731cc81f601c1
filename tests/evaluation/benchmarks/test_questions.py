"""From a row to a question: prompts against the literal text that the official evaluation sends."""

from collections.abc import Callable

import pytest

from components.core.question import Question
from components.evaluation.benchmarks.mathverse import MATHVERSE_TESTMINI
from components.evaluation.benchmarks.mmmu import DISCIPLINES, MMMU_VAL
from components.evaluation.benchmarks.registry import NAMES, load_benchmark
from components.evaluation.benchmarks.rows import ROW_NUMBER
from tests.evaluation.fixtures import ASKED, BROKEN, FIXTURES, drawn

Read = Callable[[str], dict[str, Question]]

BOXED = (
    'Please solve the problem and put your answer in one "\\boxed{}". If it is a multiple choice question, only one '
    'letter is allowed in the "\\boxed{}".\n'
)
PROMPTS = {
    ("mathvista_testmini", "2"): (
        "<image>Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.\n"
        "Question: How large is angle A?\nChoices:\n(A) 135°\n(B) 140°\n(C) 145°\n(D) 150°"
    ),
    ("mathvista_testmini", "5"): (
        "<image>Hint: Please answer the question requiring an integer answer and provide the final value, e.g., 1, 2, "
        "3, at the end.\nQuestion: How old is the older one? (Unit: years)"
    ),
    ("mathverse_testmini", "2"): (
        "<image>Please directly answer the question and provide the correct option letter, e.g., A, B, C, D.\n"
        "Question: Angle A is 40° and angle B is 60°. How large is angle C?\nChoices:\nA:40°\nB:60°\nC:80°\nD:100°"
    ),
    ("mathvision_test", "3"): (
        f"<image>{BOXED}How large is the perimeter?\n<image1>\n(A) 10\n(B) 12\n(C) 14\n(D) 16\n(E) 18\n"
    ),
    ("mathvision_testmini", "2"): f"<image>{BOXED}Which picture is the mirror image?\n<image1>\n",
    ("ocrbench", "9"): (
        "<image>Please write out the expression of the formula in the image using LaTeX format."
    ),
    ("docvqa_val", "50002"): "<image>Who is the letter to?\nAnswer the question using a single word or phrase.",
    ("textvqa_val", "34002"): (
        "<image>How many hours is it open?\nAnswer the question using a single word or phrase."
    ),
    ("chartqa_test", "1"): "<image>Which bar is the highest?\nAnswer the question with a single word.",
    ("vqav2_val", "73001"): "<image>What color is the sky?\nAnswer the question using a single word or phrase.",
    ("ai2d", "0"): (
        "<image>Which of these is a producer?\nA. frog\nB. grass\nC. heron\nD. snake\n"
        "Answer with the option's letter from the given choices directly."
    ),
    ("mmmu_val", "validation_Accounting_2"): (
        "What is the total of <image>?\n(A) $310\n(B) $420\n(C) $510\n\n"
        "Answer with the option's letter from the given choices directly."
    ),
    ("mmmu_val", "validation_Accounting_3"): (
        "What is the net value? <image>\nAnswer the question using a single word or phrase."
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "key"), PROMPTS.keys())
def test_prompt_is_the_official_one(name: str, key: str, questions: Read) -> None:
    assert questions(name)[key].prompt == PROMPTS[name, key]


@pytest.mark.parametrize("name", NAMES)
def test_fixture_becomes_questions_whose_breakdowns_are_declared(name: str, questions: Read) -> None:
    benchmark, asked = load_benchmark(name), questions(name).values()
    assert len(asked) == ASKED
    assert {group for question in asked for group in question.groups} <= set(benchmark.breakdowns)
    assert all(question.references and question.cluster for question in asked)


@pytest.mark.parametrize("name", NAMES)
def test_broken_image_becomes_a_question_of_its_own_trouble(name: str, questions: Read) -> None:
    assert sum(not _opens(question) for question in questions(name).values()) == BROKEN


def _opens(question: Question) -> bool:
    try:
        return bool(question.open_images())
    except OSError:
        return False


def test_images_are_the_published_bytes(questions: Read) -> None:
    assert questions("ai2d")["0"].images == (drawn("web"),)
    assert questions("mathvista_testmini")["1"].images == (drawn("mv1"),)


def test_groups_of_each_benchmark(questions: Read) -> None:
    def groups(name: str, key: str) -> dict[str, str]:
        return dict(questions(name)[key].groups)

    assert groups("mathvista_testmini", "2") == {
        "task": "geometry problem solving",
        "question type": "multi_choice",
        "source": "Drawn",
        "skill: algebraic reasoning": "yes",
        "skill: geometry reasoning": "yes",
    }
    assert groups("mathverse_testmini", "5") == {
        "problem version": "Vision Only",
        "subject": "Plane Geometry",
        "question type": "multi-choice",
    }
    assert groups("mathvision_test", "3") == {
        "subject": "metric geometry - length",
        "level": "2",
        "question type": "multiple choice",
    }
    assert groups("ocrbench", "4") == {"type": "Digit String Recognition", "category": "Text Recognition"}
    assert groups("docvqa_val", "50010") == {"type: form": "yes", "type: handwritten": "yes"}
    assert groups("textvqa_val", "34001") == {}
    assert groups("chartqa_test", "4") == {"origin": "human"}
    assert groups("chartqa_test", "5") == {"origin": "augmented"}
    assert groups("vqav2_val", "42003") == {"answer type": "number", "question type": "how many"}
    assert groups("ai2d", "0") == {}
    assert groups("mmmu_val", "validation_Basic_Medical_Science_2") == {
        "subject": "Basic_Medical_Science",
        "discipline": "Health and Medicine",
        "question type": "open",
    }


@pytest.mark.parametrize(
    ("name", "alike", "other"),
    [
        ("mathverse_testmini", ("1", "5"), "6"),  # versions of a problem, though their images differ
        ("docvqa_val", ("50001", "50002"), "50003"),  # one page
        ("textvqa_val", ("34001", "34002"), "34003"),
        ("vqav2_val", ("42001", "42002"), "73000"),
        ("chartqa_test", ("0", "1"), "3"),  # one image, told by its bytes
        ("ai2d", ("0", "1"), "3"),
    ],
)
def test_questions_that_share_an_image_are_one_cluster(
    name: str, alike: tuple[str, str], other: str, questions: Read
) -> None:
    asked = questions(name)
    assert asked[alike[0]].cluster == asked[alike[1]].cluster != asked[other].cluster


def test_mathvista_keeps_what_its_rule_needs(questions: Read) -> None:
    asked = questions("mathvista_testmini")
    assert asked["6"].meta == {"question_type": "free_form", "answer_type": "float", "choices": [], "precision": 1.0}
    assert asked["4"].meta["precision"] is None
    assert asked["1"].meta["choices"] == ["square", "ellipse"]


def test_vqav2_answers_are_in_the_order_of_their_ids() -> None:
    benchmark = load_benchmark("vqav2_val")
    (row, *_) = FIXTURES["vqav2_val"].files()["data/validation-00000-of-00001.parquet"]
    answers = [{"answer": f"answer {key}", "answer_confidence": "yes", "answer_id": key} for key in (3, 1, 2)]
    assert benchmark.to_question({**row, "answers": answers}).references == ("answer 1", "answer 2", "answer 3")
    with pytest.raises(ValueError, match="two have one answer_id"):
        benchmark.to_question({**row, "answers": [*answers, answers[0]]})


def verse(question: str, answer: str = "B") -> list[str]:
    (row, *_) = FIXTURES["mathverse_testmini"].files()["testmini.parquet"]
    return list(
        MATHVERSE_TESTMINI.to_question({**row, "question_for_eval": question, "answer": answer}).meta["choices"]
    )


@pytest.mark.parametrize(
    ("question", "choices"),
    [
        ("How far?\nChoices:\nA:1 cm\nB:2 cm", ["1 cm", "2 cm"]),
        ("True?\nChoice:\nA. True\nB. False", ["True", "False"]),
        ("How far?\nChoices:\nA: 1\nB: 2\n102", []),  # a line that is no option: letters alone can be told
        ("How far?\nChoices:\nB:1\nA:2", []),
        ("How far?", []),
    ],
)
def test_mathverse_options_are_read_off_the_question(question: str, choices: list[str]) -> None:
    assert verse(question) == choices


def mmmu(**values: object) -> Question:
    (row, *_) = FIXTURES["mmmu_val"].files()["Accounting/validation-00000-of-00001.parquet"]
    return MMMU_VAL.to_question({**row, **values})


def test_mmmu_places_images_where_their_tags_stand() -> None:
    first, second = {"bytes": b"first"}, {"bytes": b"second"}
    question = mmmu(
        question="See <image 2>, then <image 1>; again <image 2>.",
        options="['<image 1>', 'none']",
        answer="B",
        image_1=first,
        image_2=second,
    )
    assert question.images == (b"second", b"first")
    assert question.parts == (
        "See ",
        ", then ",
        "; again <image 2>.\n(A) <image 1>\n(B) none\n\n"
        "Answer with the option's letter from the given choices directly.",
    )
    assert mmmu(question="No tag at all?").parts[0] == ""
    with pytest.raises(ValueError, match="image_7: there is no image"):
        mmmu(question="See <image 7>.")


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("1.25", ("1.25",)),
        ("['24/7', '3.429']", ("24/7", "3.429")),
        ("[Co(NH3)6]", ("[Co(NH3)6]",)),
        ("[3, 4]", ("[3, 4]",)),
        ("[]", ("[]",)),
    ],
)
def test_mmmu_open_answers(answer: str, accepted: tuple[str, ...]) -> None:
    assert mmmu(options="[]", question_type="open", answer=answer).references == accepted


@pytest.mark.parametrize("options", ["__import__('os')", "['a', 2]", "('a', 'b')", "[" * 5000, "['a'", "[]"])
def test_mmmu_options_that_are_no_list_of_texts_are_refused(options: str) -> None:
    with pytest.raises(ValueError, match=r"options: .*Python list of texts"):
        mmmu(options=options)


def test_mmmu_has_thirty_subjects() -> None:
    assert len(MMMU_VAL.hub.configs) == len({s for subjects in DISCIPLINES.values() for s in subjects}) == 30


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("mathvista_testmini", {"answer": None}, "answer: null is no text"),
        ("mathvista_testmini", {"query": " "}, "query: ' ' is no text"),
        ("mathvista_testmini", {"decoded_image": None}, "decoded_image: there is no image"),
        ("mathvista_testmini", {"decoded_image": {"bytes": b"", "path": "x.png"}}, "decoded_image: there is no image"),
        ("mathverse_testmini", {"problem_version": "Text Only"}, "problem_version: 'Text Only' is not one of"),
        ("mathvision_test", {"options": ["a", "b"], "answer": "C"}, "'C' is not the letter of one of 2 options"),
        ("mathvision_test", {"level": "hard"}, "level: 'hard' is no whole number"),
        ("ocrbench", {"question_type": "Reading"}, "question_type: 'Reading' is not one of"),
        ("ocrbench", {"answer": ["a", ""]}, "answer: an empty reference"),
        ("ocrbench", {"answer": "text"}, "answer: 'text' is no list of texts"),
        ("docvqa_val", {"answers": []}, "answers: a list of 0 is no list of texts"),
        ("chartqa_test", {"human_or_machine": 2}, "human_or_machine: '2' is neither"),
        ("chartqa_test", {"human_or_machine": True}, "human_or_machine: 'True' is neither"),
        ("vqav2_val", {"answers": [{"answer": None, "answer_id": 1}]}, "one is no text"),
        ("vqav2_val", {"image_id": 1.5}, "image_id: 1.5 is no text"),
        ("ai2d", {"answer": "4"}, "answer: 4 is not the position of one of 4 options"),
        ("ai2d", {"options": [str(n) for n in range(27)]}, "option 27 has no letter"),
        ("mmmu_val", {"id": "validation_Cooking_1"}, "names none of the thirty subjects"),
        ("mmmu_val", {"question_type": "essay"}, "question_type: 'essay' is neither"),
        ("mmmu_val", {"answer": "F"}, "'F' is not the letter of one of 4 options"),
    ],
)
def test_row_that_is_not_as_it_should_be_is_refused(name: str, change: dict[str, object], message: str) -> None:
    (row, *_) = next(iter(FIXTURES[name].files().values()))
    with pytest.raises(ValueError, match=message):
        load_benchmark(name).to_question({**row, ROW_NUMBER: 0, **change})
