import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.curation.comparable import asks_the_same, comparable, content, hard_tokens, same_but_for_spelling


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is the value of x?", "what  is the value of x"),
        ("WHAT IS THE TALLEST BAR?", "What is the tallest bar?"),
        ("Find $\\angle ABC$ if $x^{2} = 4^\\circ$.", "Find ∠ABC if x² = 4°"),
        ("<image>\nHow many cars?", "How many cars? <image 1>"),
        ("How many cars?\nAnswer the question using a single word or phrase.", "How many cars?"),
        ("Hint: Please answer the question and provide the final value, e.g., 1, 2, at the end.\nQuestion: 5?", "5?"),
        ("The right-angled triangle (in cm)", "the right angled triangle in cm"),
        ("\u201cWhat\u2019s the colour?\u201d", "What's the color?"),
        ("A man stands here. Who?", "a man stands here. who?"),
        (r"$\dfrac{1}{2}$", r"\frac{1}{2}"),
        ("5 \u2212 3", "5 - 3"),
    ],
)
def test_writing_does_not_make_another_question(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("An angle of 40 degrees", "An angle of 50 degrees"),
        ("Find side a", "Find side A"),
        ("Find angle ABC", "Find angle ACB"),
        ("What is 5!?", "What is 5?"),
        ("What is f'(x)?", "What is f(x)?"),
        ("What is -5 + x?", "What is 5 + x?"),
        (r"\frac{1}{23}", r"\frac{12}{3}"),
        ("a scale of 1.5", "a scale of 15"),
        ("x < 3", "x > 3"),
    ],
)
def test_numbers_names_and_signs_make_another_question(one: str, other: str) -> None:
    assert comparable(one) != comparable(other)
    assert hard_tokens(comparable(one)) != hard_tokens(comparable(other))


def test_an_instruction_alone_is_kept() -> None:
    assert comparable("Please think step by step") == "please think step by step"


@given(st.text(max_size=80))
def test_the_form_of_a_form_is_itself_and_holds_single_spaces(text: str) -> None:
    form = comparable(text)
    assert form == " ".join(form.split())
    assert set(hard_tokens(form).split()) <= set(form.split())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is the highest value?", "Find the highest value in the figure."),
        ("What is the highest value?", "Please give the highest value as shown in the picture below"),
        ("How many triangles are there?", "How many triangels are there?"),
        ("How many triangles are there?", "How many triangle are there?"),
    ],
)
def test_another_way_of_asking_has_the_same_content(one: str, other: str) -> None:
    assert same_but_for_spelling(content(comparable(one)), content(comparable(other)), 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is the highest value?", "What is the lowest value?"),
        ("Is the red car left of the tree?", "Is the blue car left of the tree?"),
        ("Is the tree left of the car?", "Is the car left of the tree?"),
        ("What color is the horse?", "What color is the house?"),
        ("Does the value increase?", "Does the value decrease?"),
        ("Find the interior angle", "Find the exterior angle"),
        ("How many of the seven cars are new?", "How many of the eleven cars are new?"),
        ("Find angle ABCDEF", "Find angle ABCDFE"),
        ("Which one is not a fruit?", "Which one is a fruit?"),
    ],
)
def test_another_word_that_matters_is_another_question(one: str, other: str) -> None:
    assert not same_but_for_spelling(content(comparable(one)), content(comparable(other)), 2)


def test_more_slips_than_allowed_are_another_question() -> None:
    one, other = "the longest diagonal", "the lonegst daigonal"
    assert same_but_for_spelling(one, other, 2)
    assert not same_but_for_spelling(one, other, 1)


def test_a_prompt_holds_the_question_it_is_made_of() -> None:
    prompt = comparable("Look at the chart.\nWhat is the highest value?\nChoices:\n(A) 5\n(B) 6")
    assert asks_the_same(comparable("What is the highest value?"), prompt)
    assert not asks_the_same(comparable("What is the lowest value?"), prompt)
    assert not asks_the_same("value", prompt)
