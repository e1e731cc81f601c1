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
