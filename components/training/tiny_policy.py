"""A Qwen2.5-VL of about a million parameters, made here: real architecture, real processor, own tokenizer.

For a laptop and for tests. It knows nothing before its warm start. `initializer_range` is 0.1, about
1/sqrt(hidden_size): at the library's 0.02 a model this narrow does not learn in minutes (DECISIONS.md).
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from components.training.config import TinyPolicyConfig

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

PATCH = 14
"""Pixels along a vision patch; two by two of them make one token of the language model."""
_SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
_TEMPLATE_TAGS = ("<think>", "</think>", "<answer>", "</answer>")
# Qwen2's split: digits stand alone, so that numbers are spelled the same way everywhere.
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for block in message['content'] %}"
    "{% if block['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif block['type'] == 'text' %}{{ block['text'] }}{% endif %}{% endfor %}{% endif %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def build_tokenizer(texts: Iterable[str], vocabulary: int) -> "PreTrainedTokenizerFast":
    """Train a byte-level BPE tokenizer with Qwen's special tokens and split.

    Args:
        texts: What it will have to spell; any other text can be spelled too, in more tokens.
        vocabulary: Number of tokens at most, special tokens included (at least 300).
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(_SPLIT), behavior="isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(_TEMPLATE_TAGS),
        special_tokens=list(_SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    # Not special: a completion's template has to survive decoding, the format reward reads it.
    tokenizer.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in _TEMPLATE_TAGS])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=list(_SPECIAL[1:]),
        padding_side="left",
        chat_template=_CHAT_TEMPLATE,
    )


def build_processor(tokenizer: "PreTrainedTokenizerFast", max_pixels: int) -> "Qwen2_5_VLProcessor":
    """Qwen2.5-VL's own processor around a tokenizer.

    Args:
        tokenizer: As `build_tokenizer` makes it.
        max_pixels: Larger images are scaled down to this many pixels.
    """
    from transformers import Qwen2_5_VLProcessor, Qwen2VLImageProcessor, Qwen2VLVideoProcessor

    sizes = {"shortest_edge": (2 * PATCH) ** 2, "longest_edge": max_pixels}
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(patch_size=PATCH, merge_size=2, size=sizes),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(patch_size=PATCH, merge_size=2),
        chat_template=_CHAT_TEMPLATE,
    )


def build_model(
    config: TinyPolicyConfig, tokenizer: "PreTrainedTokenizerFast", seed: int
) -> "Qwen2_5_VLForConditionalGeneration":
    """A freshly initialised model.

    Args:
        config: Sizes.
        tokenizer: Gives the vocabulary and the ids of the special tokens.
        seed: Decides the initial weights.
    """
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    heads = config.hidden_size // config.head_size
    token = tokenizer.convert_tokens_to_ids
    ids = {
        "bos_token_id": token("<|im_start|>"),
        "eos_token_id": token("<|im_end|>"),
        "pad_token_id": token("<|endoftext|>"),
    }
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": config.hidden_size,
        "intermediate_size": 3 * config.hidden_size,
        "num_hidden_layers": config.layers,
        "num_attention_heads": heads,
        "num_key_value_heads": max(1, heads // 2),
        "max_position_embeddings": 1024,
        "initializer_range": config.initializer_range,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [config.head_size // 8, 3 * config.head_size // 16, 3 * config.head_size // 16],
        },
        "tie_word_embeddings": True,
        **ids,
    }
    vision = {
        "depth": config.layers,
        "hidden_size": config.hidden_size,
        "out_hidden_size": config.hidden_size,
        "intermediate_size": 3 * config.hidden_size,
        "num_heads": heads,
        "patch_size": PATCH,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "window_size": 8 * PATCH,
        "fullatt_block_indexes": list(range(config.layers)),
        "initializer_range": config.initializer_range,
    }
    model_config = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
        tie_word_embeddings=True,
        initializer_range=config.initializer_range,
        **ids,
    )
    torch.manual_seed(seed)
    model = Qwen2_5_VLForConditionalGeneration(model_config)
    model.generation_config.eos_token_id = ids["eos_token_id"]
    model.generation_config.pad_token_id = ids["pad_token_id"]
    return model
