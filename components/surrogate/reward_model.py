"""Reward model: a teacher whose weights are here.

Two forms are in use. Most are published as a sequence classification model with one label, whose logit is the reward
(Skywork-Reward, FsfairX, ArmoRM, OpenAssistant's …). Skywork-VL-Reward is a Qwen2.5-VL with the value head of TRL
before 1.0 beside it: a linear layer in `value_head.safetensors`, read at the last token of the chat.

A logit has no scale of its own. `squash` says how it becomes a score in 0..1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from components.core.artifact import digest_file
from components.core.config import Config
from components.core.errors import ModelError
from components.core.hub import resolve_commit
from components.surrogate.rows import AnswerRow
from components.surrogate.teacher import Images, Refusal

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, ProcessorMixin

_VALUE_HEAD = "value_head.safetensors"
_WEIGHT, _BIAS = "v_head.summary.weight", "v_head.summary.bias"

_DECISIVE = (".safetensors", ".bin", ".json", ".jinja", ".py")
"""Of a model folder's files, those that decide a score."""


class RewardModelConfig(Config):
    """Which reward model, and how it is asked."""

    model: str = Field(min_length=1)
    """Hub id, or a folder."""
    revision: str = "main"
    """Commit, tag or branch on the hub; unused for a folder."""
    form: Literal["classifier", "value_head"] = "classifier"
    """A sequence classification model, or a vision-language model with value_head.safetensors (Skywork-VL-Reward)."""
    trust_remote_code: bool = False
    """Whether code that comes with the model may run on this machine."""
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """Of the weights."""
    device: str = "auto"
    """cuda, cuda:1, cpu …; auto takes a GPU where there is one."""
    batch_size: int = Field(default=8, ge=1)
    """Rows at a time; one where the model has no token to pad with."""
    max_length: int = Field(default=4096, ge=8)
    """Tokens of a row; a longer one is refused rather than cut."""
    prompt_template: str = "{question}\n\nAccepted answers:\n{references}"
    """The user's turn: {question}, and {references}, one a line. A model of preferences alone may do better without."""
    squash: Literal["sigmoid", "rank"] = "sigmoid"
    """How a logit becomes a score: 1 / (1 + exp(-logit / temperature)), or its mid-rank within the sample: the share of
    rows with a lower logit and half of those with the same."""
    temperature: float = Field(default=1.0, gt=0)
    """Of the sigmoid."""


@dataclass(frozen=True)
class _Loaded:
    """A model ready to score, whatever its form."""

    model: "PreTrainedModel"
    processor: "PreTrainedTokenizerBase | ProcessorMixin"
    head: "tuple[torch.Tensor, torch.Tensor] | None"
    """Weight, shape (1, H), and bias, shape (1,), of a value head."""
    fingerprint: str
    """The hub's commit, or a digest of the folder's weights."""


class RewardModel:
    """Scores rows by a reward model's weights; see `teacher.Teacher`.

    Args:
        config: Which model, and how it is asked.
        images: Finds the images of a row, for a vision-language model; None where no question is about one.

    Raises:
        ModelError: The model cannot be loaded, is no reward model, or has no use for images.
    """

    def __init__(self, config: RewardModelConfig, images: Images | None = None) -> None:
        if images is not None and config.form != "value_head":
            problem = "a classifier of text, to which images cannot be shown"
            raise ModelError(config.model, problem, "Give no images, or the form value_head")
        self._config = config
        self._images = images
        self._loaded = _load_classifier(config) if config.form == "classifier" else _load_value_head(config)

    def identity(self) -> dict[str, Any]:
        """The settings that decide a score, and what the weights are."""
        settings = self._config.model_dump(mode="json", exclude={"device", "batch_size", "model", "revision"})
        return {**settings, "weights": self._loaded.fingerprint}

    def score(self, rows: Sequence[AnswerRow]) -> list[float | Refusal]:
        """Score rows.

        Args:
            rows: N rows.

        Returns:
            N scores in [0, 1], or why there is none: too long, a special token in the text, an image is broken, or the
            logit is no number.
        """
        import math

        logits = self.logits(rows)
        judged = [
            Refusal("the model's logit is no number") if not isinstance(logit, Refusal) and math.isnan(logit) else logit
            for logit in logits
        ]
        numbers = [logit for logit in judged if not isinstance(logit, Refusal)]
        squashed = iter(squash(numbers, self._config))
        return [logit if isinstance(logit, Refusal) else next(squashed) for logit in judged]

    def logits(self, rows: Sequence[AnswerRow]) -> list[float | Refusal]:
        """What the model itself says of N rows, or why it was not asked."""
        found: list[float | Refusal] = [Refusal("not asked")] * len(rows)
        asked = []
        for place, row in enumerate(rows):
            length = self._length(row)
            if isinstance(length, Refusal):
                found[place] = length
            elif length > self._config.max_length:
                found[place] = Refusal(f"{length} tokens, more than max_length {self._config.max_length}")
            else:
                asked.append((length, place))
        asked.sort()  # by length, so that a batch has little padding
        size = self._config.batch_size if _can_pad(self._loaded) else 1
        for start in range(0, len(asked), size):
            places = [place for _, place in asked[start : start + size]]
            for place, logit in zip(places, self._batch([rows[place] for place in places]), strict=True):
                found[place] = logit
        return found

    def _length(self, row: AnswerRow) -> int | Refusal:
        tokens = getattr(self._loaded.processor, "tokenizer", self._loaded.processor).all_special_tokens
        texts = (row.question, *row.references, row.answer)
        spoofed = next((token for token in tokens if any(token in text for text in texts)), None)
        if spoofed is not None:
            return Refusal(f"the text holds the special token {spoofed}, by which the model would read it as a turn")
        try:
            return int(self._inputs([row])["input_ids"].shape[1])
        except (LookupError, OSError, ValueError) as error:
            return Refusal(f"an image is missing or broken ({error})")

    def _batch(self, rows: Sequence[AnswerRow]) -> list[float]:
        import torch

        loaded = self._loaded
        inputs = {name: value.to(loaded.model.device) for name, value in self._inputs(rows).items()}
        with torch.inference_mode():
            if loaded.head is None:
                return [float(logit) for logit in loaded.model(**inputs).logits[:, 0].float()]
            weight, bias = loaded.head
            states = loaded.model.base_model(**inputs, use_cache=False).last_hidden_state
            last = inputs["attention_mask"].sum(dim=1) - 1
            final = states[torch.arange(len(rows), device=states.device), last].to(weight.dtype)
            return [float(logit) for logit in (final @ weight.T + bias)[:, 0].float()]

    def _inputs(self, rows: Sequence[AnswerRow]) -> Mapping[str, "torch.Tensor"]:
        processor: Any = self._loaded.processor
        prompts = [self._prompt(row) for row in rows]
        answers = [row.answer for row in rows]
        padding = len(rows) > 1
        images = [list(self._images(row)) for row in rows] if self._images else [[] for _ in rows]
        if not processor.chat_template:
            return dict(processor(prompts, answers, padding=padding, return_tensors="pt"))
        chats = [
            processor.apply_chat_template(_chat(*turn, loaded_head=self._loaded.head is not None), tokenize=False)
            for turn in zip(prompts, answers, images, strict=True)
        ]
        if self._loaded.head is None:
            # The template has written the special tokens.
            return dict(processor(chats, padding=padding, add_special_tokens=False, return_tensors="pt"))
        opened = [_open(image) for several in images for image in several]
        return dict(processor(text=chats, images=opened or None, padding=padding, return_tensors="pt"))

    def _prompt(self, row: AnswerRow) -> str:
        references = "\n".join(row.references)
        parts = {"question": row.question, "references": references}
        # Not str.format, nor one replacement after the other: a question may hold braces.
        return _fill(self._config.prompt_template, parts)


def squash(logits: Sequence[float], config: RewardModelConfig) -> list[float]:
    """Scores in [0, 1] of logits, by the rule that the configuration states.

    Args:
        logits: N numbers, infinite ones included; of "rank", the whole sample.
        config: Rule and temperature.
    """
    import numpy as np
    from scipy.special import expit
    from scipy.stats import rankdata

    values = np.asarray(logits, dtype=np.float64)
    if config.squash == "rank":
        return [float(score) for score in (rankdata(values) - 0.5) / max(1, len(values))]
    return [float(score) for score in expit(values / config.temperature)]


def _fill(template: str, parts: Mapping[str, str]) -> str:
    import re

    return re.sub(r"\{(\w+)\}", lambda match: parts.get(match[1], match[0]), template)


def _chat(prompt: str, answer: str, images: Sequence[bytes], loaded_head: bool) -> list[dict[str, Any]]:
    """The chat that is scored; a vision-language processor takes blocks, a tokenizer texts."""
    if not loaded_head:
        return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    blocks: list[dict[str, Any]] = [*({"type": "image"} for _ in images), {"type": "text", "text": prompt}]
    return [
        {"role": "user", "content": blocks},
        {"role": "assistant", "content": [{"type": "text", "text": answer}]},
    ]


def _load_classifier(config: RewardModelConfig) -> _Loaded:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    source, fingerprint = _source(config)
    options = {**_revision(source, fingerprint), "trust_remote_code": config.trust_remote_code}
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, **options)
        model, report = AutoModelForSequenceClassification.from_pretrained(
            source, dtype=getattr(torch, config.dtype), output_loading_info=True, **options
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise _unreadable(config, error) from error
    missing = sorted(report["missing_keys"])
    if missing:
        problem = f"its weights lack {', '.join(missing[:5])}, so it would score at random"
        raise ModelError(config.model, problem, "Give a reward model: one that was trained as a classifier")
    if model.config.num_labels != 1:
        problem = f"it has {model.config.num_labels} labels, a reward model has one"
        raise ModelError(config.model, problem, "Give a reward model")
    tokenizer.padding_side = "right"
    return _Loaded(model.to(_device(config)).eval(), tokenizer, None, fingerprint)


def _load_value_head(config: RewardModelConfig) -> _Loaded:
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForImageTextToText, AutoProcessor
    from transformers.utils import cached_file

    source, fingerprint = _source(config)
    options = _revision(source, fingerprint)
    remote = {"trust_remote_code": config.trust_remote_code}
    try:
        processor = AutoProcessor.from_pretrained(source, **options, **remote)
        model = AutoModelForImageTextToText.from_pretrained(
            source, dtype=getattr(torch, config.dtype), **options, **remote
        )
        tensors = load_file(cached_file(source, _VALUE_HEAD, **options))
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise _unreadable(config, error) from error
    width = model.config.get_text_config().hidden_size
    if _shape(tensors, _WEIGHT) != (1, width) or _shape(tensors, _BIAS) != (1,):
        problem = f"{_VALUE_HEAD} holds no {_WEIGHT} of shape (1, {width}) and {_BIAS} of shape (1,)"
        raise ModelError(config.model, problem, "Give a model with a value head as TRL saved it")
    device = _device(config)
    processor.tokenizer.padding_side = "right"
    head = (tensors[_WEIGHT].to(device), tensors[_BIAS].to(device))
    return _Loaded(model.to(device).eval(), processor, head, fingerprint)


def _source(config: RewardModelConfig) -> tuple[str, str]:
    """Where the model is read from, and what names its weights: a commit, or digests of a folder's files."""
    folder = Path(config.model)
    if not folder.is_dir():
        commit = resolve_commit("model", config.model, config.revision, ModelError)
        return config.model, commit
    import hashlib

    paths = sorted(path for path in folder.rglob("*") if path.suffix in _DECISIVE)
    digests = "".join(f"{path.relative_to(folder).as_posix()} {digest_file(path)}\n" for path in paths)
    return str(folder), hashlib.sha256(digests.encode()).hexdigest()


def _revision(source: str, fingerprint: str) -> dict[str, Any]:
    """The commit of a hub model; a folder has none."""
    return {} if Path(source).is_dir() else {"revision": fingerprint}


def _can_pad(loaded: _Loaded) -> bool:
    """Whether rows of several lengths can go together without a bearing on one another.

    A decoder finds the last token of a row by the padding token of its configuration, so that has to be the
    tokenizer's; an encoder goes by the mask, for which the same test is only stricter than need be.
    """
    if loaded.head is not None:
        return True
    padding = getattr(loaded.processor, "pad_token_id", None)
    return padding is not None and padding == loaded.model.config.pad_token_id


def _device(config: RewardModelConfig) -> str:
    import torch

    if config.device != "auto":
        return config.device
    return "cuda" if torch.cuda.is_available() else "cpu"


def _shape(tensors: Mapping[str, "torch.Tensor"], name: str) -> tuple[int, ...]:
    return tuple(tensors[name].shape) if name in tensors else ()


def _open(image: bytes) -> Any:
    import io

    from PIL import Image

    try:
        return Image.open(io.BytesIO(image)).convert("RGB")
    except Image.DecompressionBombError as error:
        raise ValueError(str(error)) from None


def _unreadable(config: RewardModelConfig, error: Exception) -> ModelError:
    first_line = (str(error).splitlines() or [type(error).__name__])[0]
    return ModelError(
        f"{config.model}@{config.revision}",
        f"the reward model cannot be loaded ({first_line})",
        "Check the id, the revision and the access to it; trust_remote_code lets code that comes with it run",
    )
