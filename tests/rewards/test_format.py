import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.rewards.config import FormatConfig
from components.rewards.format import adheres, format_reward


@pytest.mark.parametrize(
    "completion",
    [
        "<think>a</think><answer>b</answer>",
        "\n<think>\na\n</think>\n\n<answer> b </answer>\n",
        "<think>1 < 2 and 3 > 2, {\\frac}</think> <answer>+</answer>",
    ],
)
def test_adheres_template_holds(completion: str) -> None:
    assert adheres(completion)


@pytest.mark.parametrize(
    "completion",
    [
        "",
        "b",
        "<think>a</think>b",
        "<answer>b</answer>",
        "<think></think><answer>b</answer>",
        "<think> \n</think><answer>b</answer>",
        "<think>a</think><answer></answer>",
        "<think>\u200b</think><answer>b</answer>",
        "<answer>b</answer><think>a</think>",
        "<think><answer>b</think></answer>",
        "<think><answer>b</answer></think>",
        "<think>a</think>and so<answer>b</answer>",
        "First <think>a</think><answer>b</answer>",
        "<think>a</think><answer>b</answer> done",
        "<think>a</think><think>a</think><answer>b</answer>",
        "<think>a</think><answer>b</answer><answer>c</answer>",
        "<think>a<think></think><answer>b</answer>",
        "<THINK>a</THINK><ANSWER>b</ANSWER>",
        "<think>a</think><answer>b",
    ],
)
def test_adheres_anything_else_fails(completion: str) -> None:
    assert not adheres(completion)


words = st.text(alphabet="ab <>/\\{}\n", max_size=20)


@given(words, words, st.text(alphabet=" \n\t", max_size=3))
def test_adheres_needs_visible_content_in_both_blocks(thinking: str, answer: str, space: str) -> None:
    completion = f"{space}<think>{thinking}</think>{space}<answer>{answer}</answer>{space}"
    assert adheres(completion) == bool(thinking.strip() and answer.strip())


@given(st.lists(st.sampled_from(["<think>", "</think>", "<answer>", "</answer>", "a", " "])))
def test_format_reward_is_all_or_nothing(pieces: list[str]) -> None:
    completion = "".join(pieces)
    config = FormatConfig(reward=0.25)
    assert format_reward(completion, config) == (0.25 if adheres(completion) else 0.0)


@pytest.mark.parametrize("tag", ["<think>", "</think>", "<answer>", "</answer>", "<", " "])
def test_adheres_a_megabyte_of_one_tag_fails(tag: str) -> None:
    assert not adheres(tag * (1_000_000 // len(tag)))


GOOD = "<think>a</think><answer>b</answer>"


@pytest.mark.parametrize(
    "alike",
    [
        "<answer>c</answer>",
        "</answer><answer>",
        "<ANSWER>",
        "</Answer>",
        "<answer kind='final'>",
        "</think\n>",
        "< answer >",
        "< / answer>",
        "<answer/>",
        "<an\u200bswer>",
        "<\u2060think>",
        "\uff1cthink\uff1e",
        "<\uff41nswer>",
    ],
)
@pytest.mark.parametrize("block", ["think", "answer"])
def test_adheres_is_not_fooled_by_a_tag_or_its_look_alike_inside_a_block(alike: str, block: str) -> None:
    completion = GOOD.replace(f"</{block}>", f" {alike}</{block}>")
    assert not adheres(completion)
    assert format_reward(completion, FormatConfig(grading="graded")) < FormatConfig().reward


@pytest.mark.parametrize(
    "text", ["1 < think", "<b>bold</b>", "answer > think", "<thinking>", "</answers>", "\u00e9 < \uff1e"]
)
def test_adheres_other_text_in_a_block_is_no_tag(text: str) -> None:
    assert adheres(f"<think>{text}</think><answer>{text}</answer>")


@pytest.mark.parametrize(
    "blank",
    ["\u200b", "\u2060\ufeff", "\u00ad", "\u3164", "\u115f\u1160", "\u2800", "\ufe0f", "\u034f", "\ud800", "\0"],
)
def test_adheres_invisible_characters_are_no_content(blank: str) -> None:
    assert not adheres(f"<think>a</think><answer>{blank}</answer>")
    assert not adheres(f"<think>{blank}</think><answer>b</answer>")


@pytest.mark.parametrize("text", ["é", "答", "٣", "√", "😀", "."])
def test_adheres_any_visible_character_is_content(text: str) -> None:
    assert adheres(f"<think>{text}</think><answer>{text}</answer>")


def test_adheres_takes_the_template_from_its_tags() -> None:
    tags = ("look", "reason", "final")
    completion = "<look>a</look>\n<reason><answer>b</answer></reason> <final>c</final>"
    assert adheres(completion, tags)
    assert not adheres(completion)
    assert not adheres(completion, ("reason", "look", "final"))
    assert format_reward(completion, FormatConfig(tags=tags)) == FormatConfig().reward
    assert adheres("<answer>b</answer>", ("answer",))


@pytest.mark.parametrize(
    ("completion", "conditions"),
    [
        ("", 0),
        ("b", 0),
        ("<answer>b</answer>", 2),  # once and visible, of answer
        ("<think></think><answer>b</answer>", 5),
        ("<think></think><answer></answer>", 4),
        ("<answer>b</answer><think>a</think>", 4),  # not in order, so not alone either
        ("<think>a</think>so<answer>b</answer>", 5),
        ("<think>a</think><answer>b</answer><answer>c</answer>", 2),
        ("<think>a<answer>b</answer></think>", 4),
        (GOOD, 6),
    ],
)
def test_format_reward_graded_worked_by_hand(completion: str, conditions: int) -> None:
    config = FormatConfig(reward=0.6, grading="graded")
    assert format_reward(completion, config) == pytest.approx(0.1 * conditions)


pieces = st.sampled_from(["<think>", "</think>", "<answer>", "</answer>", "<ANSWER>", "<answer x>", "a", " ", "\u200b"])


@given(st.lists(pieces, max_size=10), st.floats(0, 1))
def test_format_reward_graded_is_full_exactly_where_the_template_holds(found: list[str], reward: float) -> None:
    completion = "".join(found)
    graded = format_reward(completion, FormatConfig(reward=reward, grading="graded"))
    assert 0 <= graded <= reward
    if reward > 1e-6:
        assert (graded == reward) == adheres(completion)


@pytest.mark.parametrize("text", ["<think ", "< ", "</", "<think\n", "<answer " + "a" * 50, "\u200b<", "é</think "])
def test_adheres_a_megabyte_of_almost_tags_is_read_in_linear_time(text: str) -> None:
    started = time.process_time()
    assert not adheres("<answer>" + text * (1_000_000 // len(text)))
    assert time.process_time() - started < 3
