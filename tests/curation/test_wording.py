import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.curation.answer_wording import UNWRAPPING, figures, letter_alone, without_labels
from components.curation.candidate import Candidate, Rejection
from components.curation.wording import CLEANING, count_image_marks, reworded, without_image_marks
from components.curation.wording_step import WordingConfig, WordingStep
from tests.curation.candidates import candidate, choice

PIECES = [
    "&amp;", "&lt;image&gt;", "&amp;lt;", "&#8203;", "&#xD800;", "<image>", "<image 1>", "cafÃ©", "e\u0301",
    "\u200b", "\u00a0",
    "\r\n", "\n\n\n", "\t", "  ", ".", "Answer: ", "\\boxed{", "}", "$", "A. ", "(B) ", "1,234", " cm", "%",
    "#### ", "x",
    "<answer>", "</answer>", "\u202e", "5", "\\text{", "\u0000", "the answer is ", "\u0344", "²", "\ufeff",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8).map("".join)


@pytest.mark.parametrize(
    ("text", "expected", "changes"),
    [
        ("x &lt; 5 &amp;&amp; y &gt; 2", "x < 5 && y > 2", ("entities written out",)),
        ("&amp;lt;", "<", ("entities written out",)),
        (r"\begin{matrix} a & b \end{matrix}", r"\begin{matrix} a & b \end{matrix}", ()),
        ("cafe\u0301", "caf\u00e9", ("Unicode composed",)),
        ("x\u00b2 and \u00bd", "x\u00b2 and \u00bd", ()),
        ("a\u200bb\u202ec\x00", "abc", ("invisible characters removed",)),
        ("a\U000e0041b", "ab", ("invisible characters removed",)),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", ()),
        ("\U0001f469\u200d\U0001f52c", "\U0001f469\u200d\U0001f52c", ()),
        ("a\u200db", "ab", ("invisible characters removed",)),
        (" a \t b\u00a0c ", "a b c", ("whitespace",)),
        ("a\r\n\r\n\r\n\r\nb", "a\n\nb", ("invisible characters removed", "whitespace")),
    ],
)
def test_cleaning_says_what_it_changed(text: str, expected: str, changes: tuple[str, ...]) -> None:
    assert reworded(text, CLEANING) == (expected, changes)


@pytest.mark.parametrize(
    ("question", "expected", "count"),
    [
        ("<image>\nHow many?", "How many?", 1),
        ("How many?<image>", "How many?", 1),
        ("<image><image>Which is larger?", "Which is larger?", 2),
        ("Compare <image 1> and <image 2>.", "Compare image 1 and image 2.", 2),
        ("<image_1> shows a cat.", "Image 1 shows a cat.", 1),
        ("What is seen in <image>, on the left?", "What is seen in the image, on the left?", 1),
        ("<|vision_start|><|image_pad|><|vision_end|>How many?", "How many?", 1),
        ("<IMG> How many?", "How many?", 1),
        ("Is x<image?", "Is x<image?", 0),
    ],
)
def test_image_marks_are_left_out_or_named(question: str, expected: str, count: int) -> None:
    assert without_image_marks(question) == expected
    assert count_image_marks(question) == count


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("Answer: 5.", "5"),
        ("The answer is: $\\boxed{12}$.", "12"),
        ("<think>1+1</think><answer> 2 </answer>", "2"),
        ("1 + 1 = <<1+1=2>>2\n#### 2", "2"),
        ("So the area is $\\boxed{\\frac{1}{2}}$.", "\\frac{1}{2}"),
        ("$x^2$", "x^2"),
        ("$5$ and $6$", "$5$ and $6$"),
        ("$5", "$5"),
        (r"\text{no}", "no"),
        ("red.", "red"),
        ("3.14.", "3.14"),
        ("B.", "B"),
        ("U.S.", "U.S."),
        ("Acme Inc.", "Acme Inc."),
        ("and so on ...", "and so on ..."),
        ("It stands on the left of the tree.", "It stands on the left of the tree."),
        ("answer", "answer"),
    ],
)
def test_unwrapping_leaves_the_answer_alone(reference: str, expected: str) -> None:
    assert reworded(reference, UNWRAPPING).text == expected


@pytest.mark.parametrize(
    ("references", "unit", "expected"),
    [
        (["1,234"], "", (("1234",), "")),
        (["1,234 m"], "", (("1234",), "m")),
        (["12 cm", "12 centimetres"], "", (("12", "12"), "cm")),
        (["$5.50"], "", (("5.50",), "$")),
        (["50 percent"], "", (("50%",), "")),
        (["50 \\%"], "", (("50%",), "")),
        (["9 m^2"], "", (("9",), "m^2")),
        ([r"90^\circ"], "", (("90",), "\u00b0")),
        ([r"12\text{ cm}"], "", (("12",), "cm")),
        ([r"\frac{3}{4} kg"], "", ((r"\frac{3}{4}",), "kg")),
        ([r"2\sqrt{3} cm"], "", ((r"2\sqrt{3}",), "cm")),
        (["2,74"], "", (("2,74",), "")),
        (["12 cm", "12 m"], "", (("12 cm", "12 m"), "")),
        (["12 m"], "cm", (("12 m",), "cm")),
        (["5 million"], "", None),
        (["3x m"], "", None),
        (["red"], "", None),
    ],
)
def test_figures_take_the_unit_apart(
    references: list[str], unit: str, expected: tuple[tuple[str, ...], str] | None
) -> None:
    assert figures(references, unit) == expected


def test_letters_stand_for_their_options() -> None:
    assert letter_alone("B. Paris", ["Rome", "Paris"]) == "B"
    assert letter_alone("(b) Paris", ["Rome", "Paris"]) == "B"
    assert letter_alone("B. Rome", ["Rome", "Paris"]) == "B. Rome"
    assert letter_alone("Paris", ["Rome", "Paris"]) == "Paris"
    assert without_labels(["A. Rome", "B. Paris"]) == ("Rome", "Paris")
    assert without_labels(["A. Rome", "C. Paris"]) == ("A. Rome", "C. Paris")


def test_step_flags_what_it_changed_and_keeps_the_id_true() -> None:
    row = choice("B. Paris.", ["A. Rome", "B. Paris"], question="<image>\nWhere&#63;")
    found = WordingStep()(row)
    assert (found.example.question, found.example.references) == ("Where?", ("B",))
    assert found.example.choices == ("Rome", "Paris")
    assert found.example.id == choice("B", ["Rome", "Paris"], question="Where?").example.id != row.example.id
    assert "choices: labels removed" in found.flags
    assert "question: image marks removed" in found.flags


def test_step_keeps_transcriptions_as_printed() -> None:
    found = WordingStep()(candidate("Answer:  1,234 cm.", task="ocr"))
    assert (found.example.references, found.example.unit) == (("Answer: 1,234 cm.",), "")


def test_step_keeps_numbers_that_are_stated_to_be_texts() -> None:
    found = WordingStep()(candidate("1,234 cm", answer_type="short_text"))
    assert (found.example.references, found.example.unit) == (("1,234 cm",), "")


def test_step_brings_a_surveys_majority_first_and_loses_no_vote() -> None:
    found = WordingStep()(candidate(["cat", "dog", "dog", "Cat.", "dog"], task="vqa"))
    assert found.example.references == ("dog", "dog", "dog", "cat", "Cat")


def test_step_drops_repeated_references_of_no_survey() -> None:
    assert WordingStep()(candidate(["5", "5.", "$5$"])).example.references == ("5",)


def test_step_tells_of_marks_that_do_not_match_the_images() -> None:
    flags = WordingStep()(candidate(question="<image><image>How many?")).flags
    assert "question: image marks and images differ in number" in flags


@pytest.mark.parametrize(
    ("config", "question", "reason"),
    [
        (WordingConfig(), "<image>\u200b", "question blank"),
        (WordingConfig(mojibake="reject"), "cafÃ©?", "mojibake"),
        (WordingConfig(lost_characters="reject"), "caf\ufffd?", "characters lost"),
    ],
)
def test_step_rejects(config: WordingConfig, question: str, reason: str) -> None:
    with pytest.raises(Rejection) as caught:
        WordingStep(config)(candidate(question=question))
    assert caught.value.reason == reason


def test_step_flags_mojibake_where_it_may_not_repair() -> None:
    found = WordingStep(WordingConfig(mojibake="flag"))(candidate(question="cafÃ©?"))
    assert (found.example.question, found.flags) == ("cafÃ©?", ("question: mojibake",))


def test_step_that_is_switched_off_changes_nothing() -> None:
    row = candidate("Answer: 5.", question="<image> a  b")
    assert WordingStep(WordingConfig(enabled=False))(row) == row


@given(texts)
@example("&amp;" * 40 + "lt;")
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = reworded(text, CLEANING).text
    assert reworded(once, CLEANING) == (once, ())
    assert unicodedata.is_normalized("NFC", once)
    assert once == once.strip()


@given(texts, st.lists(texts, min_size=1, max_size=3), st.lists(texts, max_size=3))
def test_step_twice_is_step_once(question: str, references: list[str], choices: list[str]) -> None:
    try:
        once = WordingStep()(candidate(references, question, choices=choices))
    except Rejection:
        return
    twice = WordingStep()(once)
    assert isinstance(twice, Candidate)
    assert twice.example == once.example
