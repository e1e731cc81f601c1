"""Model types: what a recipe's runner names, loaded for a policy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.core.artifact import read_manifest
from components.core.errors import ModelError, RecipeError
from components.core.policy import Policy, load_processor
from components.evaluation.answerer import Answerer, ChatAnswerer, LmEvalAnswerer, TransformersAnswerer
from components.evaluation.config import EvaluationConfig
from components.evaluation.prompt_length import PromptLength
from components.evaluation.response import first_line

_OURS = ("batch_size", "max_batch_size", "max_pixels", "pretrained", "revision")
"""Arguments that the policy and the recipe give."""
_POLICY = "{policy}"
_VLLM_AT_ONCE, _SERVER_AT_ONCE = 256, 8


def load_answerer(folder: Path, policy: Policy, config: EvaluationConfig) -> Answerer:
    """Load a policy behind the model type that the runner names.

    Args:
        folder: The policy's.
        policy: Its policy.json.
        config: Names the model type and its arguments.

    Raises:
        ModelError: The model, or a package that its type needs, is missing, or it cannot be loaded.
        RecipeError: An argument is missing, or not the runner's to give.
    """
    kind, arguments = config.runner.kind, dict(config.runner.arguments)
    taken = sorted(set(arguments) & set(_OURS))
    if taken:
        raise RecipeError(
            f"evaluation.runner.arguments.{taken[0]}",
            f"{arguments[taken[0]]!r}, which the policy or evaluation.batch_size gives",
            "Leave it out",
        )
    loaders = {
        "hf-multimodal": _load_transformers,
        "vllm-vlm": _load_vllm,
        "local-chat-completions": _load_server,
    }
    return loaders[kind](folder, policy, config, arguments)


def _load_transformers(folder: Path, policy: Policy, config: EvaluationConfig, arguments: dict[str, Any]) -> Answerer:
    import torch

    own = {
        "dtype": policy.dtype,
        "max_pixels": policy.max_pixels,
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "batch_size": config.batch_size or 1,
    }
    lm = _create("hf-multimodal", {**_weights(folder, policy), **own, **arguments})
    return TransformersAnswerer(lm, PromptLength(lm.processor, policy.max_pixels), policy.max_completion_length)


def _load_vllm(folder: Path, policy: Policy, config: EvaluationConfig, arguments: dict[str, Any]) -> Answerer:
    at_once = config.batch_size or _VLLM_AT_ONCE
    own = {"dtype": policy.dtype, "batch_size": at_once}
    lm = _create("vllm-vlm", {**_weights(folder, policy), **own, **arguments})
    return LmEvalAnswerer(
        lm,
        _length(folder, policy),
        policy.max_completion_length,
        lm.max_length - policy.max_completion_length,
        at_once=at_once,
        max_pixels=policy.max_pixels,
    )


def _load_server(folder: Path, policy: Policy, config: EvaluationConfig, arguments: dict[str, Any]) -> Answerer:
    if not arguments.get("base_url"):
        raise RecipeError(
            "evaluation.runner.arguments.base_url",
            "missing",
            "Give the server's address, such as http://host:8000/v1/chat/completions",
        )
    at_once = int(arguments.setdefault("num_concurrent", config.batch_size or _SERVER_AT_ONCE))
    own = {"model": _served_name(folder, arguments), "batch_size": 1, "max_images": 999}
    lm = _create("local-chat-completions", {**arguments, **own})
    # lm-eval's own default says nothing about the server: its limit is known only where the recipe gives it.
    limit = arguments.get("max_length")
    return ChatAnswerer(
        lm,
        _length(folder, policy),
        policy.max_completion_length,
        int(limit) - policy.max_completion_length if limit else None,
        at_once=at_once,
        max_pixels=policy.max_pixels,
    )


def _served_name(folder: Path, arguments: Mapping[str, Any]) -> str:
    """The name by which a server knows the policy, so that no policy is judged by another's answers."""
    name = str(arguments.get("model", _POLICY))
    if _POLICY not in name:
        raise RecipeError(
            "evaluation.runner.arguments.model",
            f"{name!r} names one model, and all policies would be asked as it",
            f"Write {_POLICY} where the first 12 digits of a policy's fingerprint stand, and serve each by that name",
        )
    return name.replace(_POLICY, read_manifest(folder).fingerprint[:12])


def _weights(folder: Path, policy: Policy) -> dict[str, Any]:
    return {"pretrained": policy.model or str(folder), "revision": policy.revision or "main"}


def _length(folder: Path, policy: Policy) -> PromptLength:
    """Counts by the policy's own processor; where it has none, as a policy that only a server holds, by nothing."""
    try:
        processor = load_processor(folder, policy)
    except ModelError:
        processor = None
    return PromptLength(processor, policy.max_pixels)


def _create(kind: str, arguments: Mapping[str, Any]) -> Any:
    from lm_eval.api.registry import get_model

    where = str(arguments.get("pretrained") or arguments.get("base_url"))
    try:
        return get_model(kind).create_from_arg_obj(dict(arguments))
    except ImportError as error:
        needed = {"vllm-vlm": "vllm and ray", "local-chat-completions": "tenacity and aiohttp"}.get(kind, "torchvision")
        raise ModelError(
            f"evaluation.runner.kind {kind}",
            f"a package that it needs is not installed ({first_line(error)})",
            f"Install {needed}, or choose another kind",
        ) from error
    except (OSError, ValueError, TypeError, AssertionError) as error:
        raise ModelError(
            where,
            f"lm-eval's {kind} cannot be made ({first_line(error)})",
            "Check the policy, the access to it and evaluation.runner.arguments",
        ) from error
