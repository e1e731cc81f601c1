"""Warm start: the base policy that GRPO begins from.

A tiny policy is built and taught by supervised fine-tuning (TRL's SFTTrainer) on the dataset's
demonstrations. A pretrained policy is recorded by id and commit; its weights are not copied.
"""

import hashlib
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.core.artifact import InputRef, Manifest, digest_file, seal, verify
from components.core.errors import EmptyDatasetError, ModelError
from components.core.hub import resolve_commit
from components.core.lineage import SOURCE_KIND
from components.core.policy import Policy
from components.training.config import PolicySection, PretrainedPolicyConfig, TinyPolicyConfig, WarmStartConfig
from components.training.data import Demonstration, read_demonstrations, supervised_dataset
from components.training.tiny_policy import build_model, build_processor, build_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, ProcessorMixin

# About as long as careful reasoning, so that length alone does not tell the habits apart (DECISIONS.md).
_CARELESS = (
    "<think>I did not look at the picture, so I can only guess what the answer may be.</think><answer>{}</answer>"
)


@dataclass(frozen=True)
class WarmStartResult:
    """What a warm start reports."""

    manifest: Manifest
    metrics: dict[str, float]


def warm_start(dataset: Path, output: Path, section: PolicySection, seed: int) -> WarmStartResult:
    """Make the base policy.

    Args:
        dataset: A dataset artifact.
        output: Folder for the policy artifact.
        section: The policy and its warm start.
        seed: Decides initial weights and the order of demonstrations.

    Raises:
        EmptyDatasetError: Supervised steps are asked for and the dataset has no demonstrations.
        ModelError: The hub model does not exist or is out of reach.
    """
    data = verify(dataset, "dataset")
    output.mkdir(parents=True, exist_ok=True)
    identity = {**section.identity(), "seed": seed}
    if isinstance(section.base, PretrainedPolicyConfig):
        source = _record_pretrained(section.base, output)
        return WarmStartResult(seal(output, "policy", identity, {"pretrained": source}), {})
    metrics = _teach_tiny(section.base, section.warm_start, read_demonstrations(dataset), output, seed)
    return WarmStartResult(seal(output, "policy", identity, {"dataset": data}), metrics)


def _record_pretrained(config: PretrainedPolicyConfig, output: Path) -> InputRef:
    local = Path(config.model).is_dir()
    commit = (
        folder_digest(Path(config.model))
        if local
        else resolve_commit("model", config.model, config.revision, ModelError)
    )
    Policy(
        prompt_template=config.prompt.template,
        max_completion_length=config.prompt.max_completion_length,
        max_pixels=config.max_pixels,
        model=config.model,
        revision="" if local else commit,
        dtype=config.dtype,
    ).save(output)
    return InputRef(SOURCE_KIND, commit)


def folder_digest(folder: Path) -> str:
    """sha-256 over the names and bytes of a folder's files."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()} {digest_file(path)}\n".encode())
    return digest.hexdigest()


def _teach_tiny(
    base: TinyPolicyConfig, config: WarmStartConfig, demonstrations: Sequence[Demonstration], output: Path, seed: int
) -> dict[str, float]:
    if not demonstrations:
        raise EmptyDatasetError(
            "the dataset", "it has no demonstrations to start a tiny policy from", "Add a source with demonstrations"
        )
    texts = [_CARELESS, *(text for item in demonstrations for text in (item.example.question, item.completion))]
    tokenizer = build_tokenizer(texts, base.vocabulary)
    processor = build_processor(tokenizer, base.max_pixels)
    model = build_model(base, tokenizer, seed)
    policy = Policy(
        prompt_template=base.prompt.template,
        max_completion_length=base.prompt.max_completion_length,
        max_pixels=base.max_pixels,
    )
    losses = {}
    if config.steps:
        losses["loss"] = _supervise(
            model, processor, policy, demonstrations, config.steps, config.learning_rate, config, seed
        )
    if config.careless_steps:
        careless = make_careless(demonstrations, config.careless_share, seed)
        losses["careless_loss"] = _supervise(
            model, processor, policy, careless, config.careless_steps, config.careless_learning_rate, config, seed + 1
        )
    model.save_pretrained(output)
    processor.save_pretrained(output)
    policy.save(output)
    parameters = float(sum(parameter.numel() for parameter in model.parameters()))
    return {**losses, "parameters": parameters, "demonstrations": float(len(demonstrations))}


def make_careless(demonstrations: Sequence[Demonstration], share: float, seed: int) -> list[Demonstration]:
    """Replace a share of the demonstrations by careless ones.

    A careless demonstration does not reason and gives the answer of another example that asks the
    same question: right in form, right only by chance.

    Args:
        demonstrations: The careful ones.
        share: Probability (0..1) that one is replaced.
        seed: Decides which, and by what.
    """
    choose = random.Random(seed)
    answers: dict[str, list[str]] = {}
    for item in demonstrations:
        answers.setdefault(item.example.question, []).append(item.example.references[0])
    return [
        Demonstration(item.example, _CARELESS.format(choose.choice(answers[item.example.question])))
        if choose.random() < share
        else item
        for item in demonstrations
    ]


def _supervise(
    model: "PreTrainedModel",
    processor: "ProcessorMixin",
    policy: Policy,
    demonstrations: Sequence[Demonstration],
    steps: int,
    learning_rate: float,
    config: WarmStartConfig,
    seed: int,
) -> float:
    """Fine-tune in place; returns the mean loss over the steps."""
    from trl import SFTConfig, SFTTrainer

    with tempfile.TemporaryDirectory() as scratch:
        arguments = SFTConfig(
            output_dir=scratch,
            max_steps=steps,
            per_device_train_batch_size=config.batch_size,
            learning_rate=learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=min(20, steps // 10),
            weight_decay=0.01,
            max_length=None,
            completion_only_loss=True,
            gradient_checkpointing=False,
            bf16=False,
            use_cpu=True,
            seed=seed,
            logging_steps=25,
            save_strategy="no",
            report_to="none",
            disable_tqdm=False,
        )
        trainer = SFTTrainer(
            model=model,
            args=arguments,
            train_dataset=supervised_dataset(demonstrations, policy),
            processing_class=processor,
        )
        return float(trainer.train().training_loss)
