import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.rewards.extraction import Extraction, extract


@pytest.mark.parametrize(
    ("completion", "answer"),
    [
        ("<think>2+3</think><answer> 5 </answer>", "5"),
        ("<answer>two\nlines</answer>", "two\nlines"),
        (r"<answer>\boxed{5}</answer>", "5"),
        (r"<answer>It is \boxed{\frac{1}{2}}.</answer>", r"\frac{1}{2}"),
        (r"so \boxed{7} <answer>8</answer>", "8"),
        ("the answer is 7 <answer>8</answer>", "8"),
    ],
)
def test_extract_single_answer_block_wins(completion: str, answer: str) -> None:
    assert extract(completion) == Extraction(answer, "answer block")


def test_extract_two_different_boxes_in_the_block_are_not_unwrapped() -> None:
    block = r"\boxed{5}, later it turns out to be \boxed{6}"
    assert extract(f"<answer>{block}</answer>").answer == block


def test_extract_strict_demands_the_template() -> None:
    assert extract(r"so \boxed{5}", strict=True).answer is None
    assert extract("<answer>5</answer>", strict=True).answer is None
    assert extract("<think>so</think><answer>5</answer>", strict=True).answer == "5"


@pytest.mark.parametrize(
    ("block", "answer"),
    [(r"The answer is \boxed{5}", "5"), ("The answer is 5.", "5"), (r"\boxed{1}, \boxed{2}", "1, 2")],
)
def test_extract_looks_again_inside_the_block(block: str, answer: str) -> None:
    assert extract(f"<answer>{block}</answer>").answer == answer


@pytest.mark.parametrize("empty", ["<think>x</think><answer></answer>", "<answer> \n </answer>"])
def test_extract_empty_block_is_no_answer(empty: str) -> None:
    assert extract(empty).answer is None
    assert extract(r"\boxed{5}" + empty).answer is None


@pytest.mark.parametrize(
    ("completion", "answer"),
    [
        (r"so \boxed{5}", "5"),
        (r"\boxed{4} no, \boxed{5}", "5"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{\{1,2\}}", r"\{1,2\}"),
        (r"\boxed{\boxed{5}}", "5"),
        (r"{ a stray brace, then \boxed {5}", "5"),
        (r"\boxed{5} and a cut-off \boxed{6", "5"),
        (r"\boxed{1}, \boxed{2} and \boxed{3}", "1, 2, 3"),
        (r"$\boxed{1}$ or $\boxed{2}$", "1, 2"),
        (r"\boxed{7} is the last one. \boxed{7}", "7"),
        (r"<think>\boxed{4}</think> \boxed{5}", "5"),
        (r"The answer is 4, that is \boxed{5}", "5"),
    ],
)
def test_extract_last_balanced_box(completion: str, answer: str) -> None:
    assert extract(completion) == Extraction(answer, "boxed")


@pytest.mark.parametrize(
    ("completion", "answer"),
    [
        ("First this. Then that.\nThe answer is 5.", "5"),
        ("We add.\nAnswer: B", "B"),
        ("We add.\n**Final answer:** 12 cm", "12 cm"),
        ("We add.\nThe final answer is: **B**.", "B"),
        ("The answer is 4? No.\nThe answer is 5 or 6", "5 or 6"),
        ("The final answer is $28 \\%$. I hope it is correct.", "$28 \\%$"),
        ("The answer is 5. This follows\nfrom the figure.", "5"),
        ("The answer is 5. There are no other solutions.", "5"),
        ("The correct option is B", "B"),
        ("The answer is: A. Oslo", "A. Oslo"),
        ("The answer should be approximately 3.14.", "3.14"),
    ],
)
def test_extract_closing_phrase(completion: str, answer: str) -> None:
    assert extract(completion) == Extraction(answer, "answer phrase")


@pytest.mark.parametrize("completion", ["B", " 12 cm \n", "Paris", r"\frac{1}{2}"])
def test_extract_bare_answer(completion: str) -> None:
    assert extract(completion) == Extraction(completion.strip(), "bare answer")


@pytest.mark.parametrize(
    "completion",
    [
        "",
        " \n ",
        "<think>cut off while think",
        "<answer>5</answer><answer>6</answer>",
        "</answer>5<answer>",
        r"<answer>\boxed{6}</answer><answer>\boxed{5}</answer>",
        r"<answer>1</answer><answer>2</answer> \boxed{3}",
        r"<think>So \boxed{5}.</think>",
        r"<think>The answer is 5.",
        "The answer is 5. But then\nI went on.",
        "The answer is 5. No, it cannot be so, since the sides of the figure are longer than that by far and away.",
        "a long paragraph " * 20,
    ],
)
def test_extract_nothing_to_find_is_none(completion: str) -> None:
    assert extract(completion) == Extraction(None, "none")


@given(st.text(alphabet=" \t\n", max_size=5), st.integers())
def test_extract_whitespace_around_the_answer_is_irrelevant(space: str, value: int) -> None:
    assert extract(f"{space}<answer>{space}{value}{space}</answer>{space}").answer == str(value)


@given(st.lists(st.sampled_from(["<answer>", "</answer>", "\\boxed{", "{", "}", "\\", " ", "5", "answer is ", "\n"])))
def test_extract_any_text_gives_a_stripped_answer_or_none(pieces: list[str]) -> None:
    answer = extract("".join(pieces)).answer
    assert answer is None or (answer == answer.strip() != "")


@pytest.mark.parametrize(
    "hostile",
    [
        "{" * 1_000_000,
        "}" * 1_000_000,
        "<answer>" * 125_000,
        "</answer>" * 110_000,
        "\\boxed{" * 140_000,
        "\\boxed{" * 70_000 + "}" * 70_000,
        "\\boxed" + " " * 1_000_000,
        "\\" * 1_000_000,
        "answer is " * 100_000,
        " " * 1_000_000,
        "<answer>" + "\\boxed{5} " * 100_000 + "</answer>",
    ],
    ids=lambda text: text[:9],
)
def test_extract_a_megabyte_of_hostile_text_returns(hostile: str) -> None:
    assert extract(hostile).rule in {"answer block", "boxed", "answer phrase", "bare answer", "none"}
