import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation.grade import NO_ANSWER, MetaError
from components.evaluation.graders.vqa import FEW_REFERENCES, textvqa, vqa

OTHERS = [f"other {i}" for i in range(10)]


def among_ten(answer: str, count: int) -> list[str]:
    return [answer] * count + OTHERS[count:]


def normalised(prediction: str) -> str | None:
    return vqa(prediction, OTHERS, {}).extraction


@pytest.mark.parametrize("grader", [vqa, textvqa])
@pytest.mark.parametrize(
    ("count", "score"),
    [
        (0, 0.0),
        # None left of one match for its giver, one for nine others: 9/3/10; the thirds are added up one by one.
        (1, 0.3),
        # One third for two givers, two thirds for eight others, and these do not sum to a round number.
        (2, (1 / 3 + 1 / 3 + 2 / 3 + 2 / 3 + 2 / 3 + 2 / 3 + 2 / 3 + 2 / 3 + 2 / 3 + 2 / 3) / 10),
        # Two thirds for three givers, one for seven others.
        (3, (2 / 3 + 2 / 3 + 2 / 3 + 1 + 1 + 1 + 1 + 1 + 1 + 1) / 10),
        (4, 1.0),
        (10, 1.0),
    ],
)
def test_score_is_the_mean_over_the_annotators_left_out(grader, count, score) -> None:
    assert grader("red", among_ten("red", count), {}).score == score


def test_last_digits_depend_on_the_order_as_officially() -> None:
    first, last = among_ten("red", 2), among_ten("red", 2)[::-1]

    assert vqa("red", first, {}).score == 0.6
    assert vqa("red", last, {}).score == pytest.approx(0.6, abs=1e-15)


@pytest.mark.parametrize(("count", "score"), [(1, 0.0), (2, 1 / 3), (3, 2 / 3), (4, 1.0), (12, 1.0)])
def test_any_number_of_references_is_scored_by_the_same_rule(count, score) -> None:
    grade = vqa("yes", ["yes"] * count, {})

    assert grade.score == pytest.approx(score)
    assert (FEW_REFERENCES in grade.flags) == (count < 4)


def test_unanimous_annotators_are_compared_to_the_letter() -> None:
    assert vqa("Yes", ["yes"] * 10, {}).score == 0.0
    assert vqa(" yes\n", ["yes"] * 9 + ["yes\t"], {}).score == 1.0
    assert vqa("two", ["2"] * 10, {}).score == 0.0
    assert vqa("Yes", ["yes"] * 9 + ["no"], {}).score == 1.0


def test_textvqa_normalises_unanimous_annotators_too() -> None:
    assert textvqa("Yes", ["yes"] * 10, {}).score == 1.0
    assert textvqa("The TWO", ["2"] * 10, {}).score == 1.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Red  CAR", "red car"),
        ("a red an the car", "red car"),
        ("A", ""),
        ("none", "0"),
        ("Zero one ten eleven", "0 1 10 eleven"),
        ("dont", "don't"),
        ("couldnt've couldn'tve", "couldn't've couldn't've"),
        ("yall'd've 'ows'at twas", "y'all'd've 'ow's'at 'twas"),
        ("somebody'd", "somebodyd"),
        ("Im ive id've", "im ive id've"),  # capitalised entries never meet a lower-case word
        ("well", "well"),
        ("red-blue", "red blue"),
        ("red - blue", "red blue"),
        ("red- blue-green", "red bluegreen"),  # one mark beside a space: all of them go without a space
        ("red-blue/ x", "red blue x"),
        ("1,000", "1000"),
        ("1,000 red-blue", "1000 redblue"),  # a comma in a number: every mark goes without a space
        ("red,blue", "red blue"),
        ("what?!", "what"),
        ("5:30 $5 50% a&b #1 c*", "5:30 $5 50% a&b #1 c*"),
        ("3.5", "3.5"),
        ("3.", "3"),  # the look-behind is a typing error, so "3." loses its point
        ("u.s.a.", "usa"),
        (".5", ".5"),
        ("x\ny\tz", "x y z"),
        ("a" + "." * 40, "a" + "." * 8),  # at most 32 full stops
    ],
)
def test_normalisation(text, expected) -> None:
    assert normalised(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("john's", "john 's"),
        ("1,000", "1000"),
        ("1,000 red-blue", "1000 red blue"),  # the comma is gone before the rule for numbers looks for it
        ("red,blue", "redblue"),
        ("what?now", "whatnow"),
        ("thats", "that's"),
        ("that's", "that 's"),
    ],
)
def test_textvqa_tokenizes_first(text, expected) -> None:
    assert textvqa(text, OTHERS, {}).extraction == expected


def test_references_are_normalised_alike() -> None:
    assert vqa("dont", ["Don't", "dont.", "the dont", "DONT", *OTHERS[4:]], {}).score == 1.0


def test_blank_prediction_is_flagged() -> None:
    assert vqa(" \n", OTHERS, {}).flags == (NO_ANSWER,)


@pytest.mark.parametrize("grader", [vqa, textvqa])
def test_no_reference_is_refused(grader) -> None:
    with pytest.raises(MetaError, match="references"):
        grader("x", [], {})


@pytest.mark.parametrize("grader", [vqa, textvqa])
@given(prediction=st.text(), references=st.lists(st.text(), min_size=1, max_size=12))
def test_score_is_in_range_and_white_space_round_a_prediction_is_free(grader, prediction, references) -> None:
    grade = grader(prediction, references, {})

    assert 0 <= grade.score <= 1
    assert grader(f"\n {prediction}\t", references, {}).score == grade.score


@given(st.text(alphabet="abc'.,- 12", max_size=12), st.permutations(range(10)))
def test_order_of_the_references_matters_to_rounding_alone(text, order) -> None:
    references = [text] * 3 + OTHERS[3:]

    shuffled = vqa(text, [references[i] for i in order], {}).score

    assert shuffled == pytest.approx(vqa(text, references, {}).score, abs=1e-12)
