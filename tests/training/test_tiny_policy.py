from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor, Qwen2_5_VLProcessor

from components.core.policy import Policy
from components.training.config import TinyPolicyConfig
from components.training.tiny_policy import build_model, build_processor, build_tokenizer

_TEXTS = ["What is the sum of the two digits?", "<think>3 + 4 = 7</think><answer>7</answer>"] * 3
_TOKENIZER = build_tokenizer(_TEXTS, 320)
_CONFIG = TinyPolicyConfig(hidden_size=32, head_size=16, layers=1)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_tokenizer_spells_any_text(text: str) -> None:
    ids = _TOKENIZER(text, add_special_tokens=False)["input_ids"]

    assert _TOKENIZER.decode(ids, skip_special_tokens=False) == text


def test_template_tags_are_single_tokens_that_survive_decoding() -> None:
    ids = _TOKENIZER("<think>3</think><answer>3</answer>")["input_ids"]

    assert len(ids) == 6
    assert _TOKENIZER.decode(ids, skip_special_tokens=True) == "<think>3</think><answer>3</answer>"


def test_digits_stand_alone() -> None:
    assert _TOKENIZER.tokenize("2024") == ["2", "0", "2", "4"]


def test_model_and_processor_round_trip_as_real_qwen(tmp_path: Path) -> None:
    processor = build_processor(_TOKENIZER, 3136)
    build_model(_CONFIG, _TOKENIZER, seed=0).save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)

    loaded = AutoProcessor.from_pretrained(tmp_path)
    model = AutoModelForImageTextToText.from_pretrained(tmp_path)
    chat = Policy("{question}", 8, 3136).conversation("What?", num_images=1)
    inputs = loaded.apply_chat_template(
        [{**chat[0], "content": [{"type": "image", "image": Image.new("RGB", (56, 56))}, *chat[0]["content"][1:]]}],
        tokenize=True, return_dict=True, return_tensors="pt", add_generation_prompt=True,
    )  # fmt: skip

    assert type(loaded) is Qwen2_5_VLProcessor
    assert model.config.model_type == "qwen2_5_vl"
    assert (inputs["input_ids"] == loaded.tokenizer.convert_tokens_to_ids("<|image_pad|>")).sum() == 4
    assert model(**inputs).logits.shape[-1] == len(_TOKENIZER)


def test_seed_decides_the_weights() -> None:
    def first(seed: int) -> list[float]:
        return next(build_model(_CONFIG, _TOKENIZER, seed).parameters()).flatten()[:5].tolist()

    assert first(0) == first(0)
    assert first(0) != first(1)


def test_prompt_template_holds_the_question_verbatim() -> None:
    policy = Policy("Q: {question} {not a field}", 8, 3136)

    assert policy.prompt("{x} 100%") == "Q: {x} 100% {not a field}"


@pytest.mark.parametrize("template", ["", "no place"])
def test_template_without_a_place_for_the_question_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="template"):
        TinyPolicyConfig.model_validate({"prompt": {"template": template}})
