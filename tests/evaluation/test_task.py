import hashlib
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.question import IMAGE, Question
from components.core.sample import SCORER_FAILED
from components.evaluation.benchmark import Marks
from components.evaluation.task import UNMARKED, LazyImages, Missing, marks_of, message_of, neutralise, task_config
from tests.evaluation.conftest import draw_questions, info_of, png, question

_SPECIAL = ("<|im_start|>", "<|im_end|>", "<|image_pad|>", "<s>", "</s>", "[INST]")
_PIECES = st.lists(st.sampled_from([*_SPECIAL, IMAGE, "<", "|", ">", "a", " ", "<|im", "_end|>", "<<s>"]), max_size=12)


@given(_PIECES.map("".join))
def test_no_special_token_is_left_and_nothing_but_spaces_is_added(text: str) -> None:
    broken = neutralise(_SPECIAL)(text)

    assert not any(token in broken for token in (*_SPECIAL, IMAGE))
    assert broken.replace(" ", "") == text.replace(" ", "")


@given(st.lists(st.text("ab <|", min_size=1, max_size=4), max_size=6), st.text("ab <|", max_size=20))
def test_breaking_ends_whatever_the_tokens(tokens: list[str], text: str) -> None:
    broken = neutralise(tokens)(text)

    breakable = [token for token in tokens if len(token) > 1 and " " not in token[:2]]
    assert not any(token in broken for token in breakable)


def test_text_without_special_tokens_stays_as_it_is() -> None:
    assert neutralise(_SPECIAL)("Is 3 < 4 | 5 > 2, <b>?") == "Is 3 < 4 | 5 > 2, <b>?"


_IMAGE = png((40, 30), 0)


@pytest.mark.parametrize(
    ("parts", "template", "expected"),
    [
        (("", "What?"), "{question}", "<image>What?"),
        (("", "What?"), "Look: {question} Think.", "<image>Look: What? Think."),
        (("Is ", " it?"), "Look: {question} Think.", "Look: Is <image> it? Think."),
        (("", "", "Alike?"), "Look: {question}", "<image><image>Look: Alike?"),
        (("", " or ", "?"), "Look: {question}", "<image>Look:  or <image>?"),
        (("", ""), "Describe.{question}", "<image>Describe."),
        (("", "An <image> tag </s>"), "{question}", "<image>An < image> tag < /s>"),
        (("", "{question}"), "<image> {question}", "<image>< image > {question}"),
    ],
)
def test_message_is_the_question_in_the_template_behind_leading_images(
    parts: Sequence[str], template: str, expected: str
) -> None:
    asked = question("q", "", *[_IMAGE] * (len(parts) - 1), parts=parts)

    assert message_of(template, _SPECIAL)(asked) == expected


def test_message_has_an_image_mark_for_each_image() -> None:
    for asked in draw_questions(10):
        assert message_of("{question}", _SPECIAL)(asked).count(IMAGE) == len(asked.images)


class _ReadAgain(Sequence[Question]):
    """Questions that are made anew at each reading, as from a file."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.questions, self.read = questions, list[int]()

    def __getitem__(self, index: int) -> Question:  # type: ignore[override]
        self.read.append(index)
        return self.questions[index]

    def __len__(self) -> int:
        return len(self.questions)

    def __iter__(self) -> Iterator[Question]:
        raise AssertionError("all questions were read at once")


def test_lazy_images_know_their_digests_and_sizes_and_decode_when_asked() -> None:
    questions = _ReadAgain([question("q", "?", _IMAGE, b"no image")])

    images = LazyImages.of(questions, 0, questions[0])

    assert images.digests == tuple(hashlib.sha256(data).hexdigest() for data in (_IMAGE, b"no image"))
    assert images.sizes == ((40, 30), None)
    assert questions.read == [0]
    with pytest.raises(OSError, match="cannot identify"):
        images.open()
    assert questions.read == [0, 0]


def test_lazy_task_reads_a_question_once_to_ask_it_and_once_to_mark_it() -> None:
    questions = _ReadAgain(draw_questions(3))
    task = task_config(
        info_of(questions), questions, message_of("{question}", ()), lambda *_: UNMARKED, max_new_tokens=5, lazy=True
    )
    for index in range(3):
        task["doc_to_text"]({"index": index})
        task["doc_to_image"]({"index": index})
    for index in range(3):
        task["process_results"]({"index": index}, ["7"])

    assert questions.read == [0, 1, 2, 0, 1, 2]


def test_marks_are_kept_and_given_to_lm_eval() -> None:
    kept: dict[int, Marks] = {}
    questions = draw_questions(2)
    marks = Marks(0.5, 0.25, "7", "made up")
    task = task_config(
        info_of(questions), questions, message_of("{question}", ()), lambda *_: marks, max_new_tokens=5,
        keep=kept.__setitem__,
    )  # fmt: skip

    assert task["process_results"]({"index": 1}, ["7"]) == {"score": 0.5, "strict": 0.25}
    assert kept == {1: marks}


def _raise(question: Question, text: str) -> Marks:
    raise ZeroDivisionError("division by zero\nin a rule")


def test_rule_that_raises_costs_the_item() -> None:
    marks = marks_of(_raise, draw_questions(1)[0], "7")

    assert marks == Marks(0.0, 0.0, None, "the rule failed: ZeroDivisionError: division by zero", (SCORER_FAILED,))


def test_missing_response_is_not_marked_and_an_empty_one_is() -> None:
    """A rule may pay for an empty answer; a question that was never answered is not worth that."""
    asked = draw_questions(1)[0]
    generous = Marks(1.0, 1.0, None, "the shortest choice")

    assert marks_of(lambda *_: generous, asked, Missing()) == UNMARKED
    assert marks_of(lambda *_: generous, asked, "") == generous
