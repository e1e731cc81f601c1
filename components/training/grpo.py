"""GRPO with a portfolio of rewards: TRL's GRPOTrainer, our rewards, our records.

The advantage is the reward minus its group's mean; the standard deviation is not divided out unless the
recipe asks for it (`scale_rewards`), as in the paper. The loss is TRL's.
"""

import math
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from components.core.artifact import Manifest, seal, verify
from components.core.errors import EmptyDatasetError
from components.core.example import Example
from components.core.policy import Policy, load_model, load_processor
from components.core.rollouts import read_batches, reward_time, seconds_by_step, write_curves
from components.core.scratch import scratch_folder
from components.rewards.canaries import canary_gate
from components.rewards.checkable import Checkable
from components.rewards.config import RewardsConfig
from components.rewards.embedding_cache import EMBEDDINGS
from components.rewards.portfolio import PARTS, Portfolio
from components.rewards.surrogate import SurrogateScorer
from components.training.audit import RolloutAudit
from components.training.canary_watch import canary_watch, pictures_of
from components.training.config import TrainingConfig
from components.training.data import read_train, rollout_dataset
from components.training.rewarding import CompletionLimit, PortfolioRewards, Scale, silent_groups

if TYPE_CHECKING:
    from transformers import PreTrainedModel, ProcessorMixin
    from trl import GRPOConfig, GRPOTrainer


@dataclass(frozen=True)
class TrainingOutputs:
    """Where training writes."""

    policy: Path
    """The aligned policy."""
    rollouts: Path
    """The audit of every rollout, and the training curves."""


@dataclass(frozen=True)
class TrainingResult:
    """What training reports."""

    policy: Manifest
    rollouts: Manifest
    metrics: dict[str, float]


@dataclass(frozen=True)
class TrainingInputs:
    """What training reads."""

    dataset: Path
    surrogate: Path
    base: Path


def train(
    inputs: TrainingInputs,
    outputs: TrainingOutputs,
    config: TrainingConfig,
    rewards: RewardsConfig,
    seed: int,
) -> TrainingResult:
    """Align the base policy.

    Args:
        inputs: Dataset, surrogate and base-policy artifacts.
        outputs: Folders for the aligned policy and for the rollouts.
        config: GRPO settings.
        rewards: The portfolio.
        seed: Decides the order of prompts and the sampling.

    Raises:
        EmptyDatasetError: The dataset has no training example.
        ArtifactError: An input is not what it should be.
        RewardHackingError: A probe of the rewards earns more than an honest mistake, and the recipe says to stop then.
    """
    sealed_inputs = {
        "dataset": verify(inputs.dataset, "dataset"),
        "surrogate": verify(inputs.surrogate, "surrogate"),
        "base": verify(inputs.base, "policy"),
    }
    examples = read_train(inputs.dataset)
    if not examples:
        raise EmptyDatasetError(str(inputs.dataset), "it has no training example", "Loosen the recipe's curation")
    for folder in (outputs.policy, outputs.rollouts):
        folder.mkdir(parents=True, exist_ok=True)
    policy = Policy.load(inputs.base)
    portfolio = Portfolio(rewards, SurrogateScorer.load(inputs.surrogate, scratch_folder(EMBEDDINGS)))
    pictures = pictures_of(examples) if portfolio.wants_images else {}
    canaries = canary_gate(portfolio, [Checkable.of(example) for example in examples], config.canaries, pictures)
    trainer = _make_trainer(inputs.base, policy, examples, config, portfolio, rewards, outputs, seed)
    trainer.train()
    trainer.save_model(str(outputs.policy))
    # A pickle of the settings with paths of this machine: the manifest holds the settings, readably.
    (outputs.policy / "training_args.bin").unlink()
    Policy(**{**policy.__dict__, "model": "", "revision": ""}).save(outputs.policy)
    metrics = _write_curves(outputs.rollouts, trainer.state.log_history, config.num_generations)
    identity = {"training": config.identity(), "rewards": rewards.identity(), "seed": seed}
    return TrainingResult(
        policy=seal(outputs.policy, "policy", identity, sealed_inputs),
        rollouts=seal(outputs.rollouts, "rollouts", identity, sealed_inputs),
        metrics=metrics | canaries,
    )


def grpo_arguments(
    config: TrainingConfig, rewards: RewardsConfig, policy: Policy, seed: int, scratch: Path
) -> "GRPOConfig":
    """TRL's settings for ours.

    Args:
        config: GRPO settings.
        rewards: Gives the weights of the parts.
        policy: Gives the length of a completion.
        seed: Decides the order of prompts and the sampling.
        scratch: Folder for checkpoints.
    """
    import torch
    from trl import GRPOConfig

    on_gpu = torch.cuda.is_available()
    vllm = {"vllm_mode": "colocate", "vllm_gpu_memory_utilization": config.vllm_memory_share}
    return GRPOConfig(
        output_dir=str(scratch),
        max_steps=config.steps,
        per_device_train_batch_size=config.batch_size,
        gradient_accumulation_steps=config.gradient_accumulation_steps,
        num_generations=config.num_generations,
        max_completion_length=policy.max_completion_length,
        learning_rate=config.learning_rate,
        lr_scheduler_type="constant_with_warmup",
        warmup_steps=config.warmup_steps,
        temperature=config.temperature,
        beta=config.beta,
        epsilon=config.epsilon,
        loss_type=config.loss_type,
        scale_rewards=config.scale_rewards,
        reward_weights=[getattr(rewards.weights, part) for part in PARTS],
        bf16=config.bf16 and on_gpu,
        use_cpu=not on_gpu,
        gradient_checkpointing=config.gradient_checkpointing,
        use_vllm=config.vllm != "off",
        **(vllm if config.vllm != "off" else {}),
        seed=seed,
        logging_steps=config.log_every,
        save_steps=config.save_steps,
        save_total_limit=2,
        report_to="none",
        remove_unused_columns=False,
    )


def _make_trainer(
    base: Path,
    policy: Policy,
    examples: list[Example],
    config: TrainingConfig,
    portfolio: Portfolio,
    rewards: RewardsConfig,
    outputs: TrainingOutputs,
    seed: int,
) -> "GRPOTrainer":
    from trl import GRPOTrainer

    model, processor = _trainable(load_model(base, policy), config), load_processor(base, policy)
    limit = CompletionLimit(policy.max_completion_length, _stop_tokens(model, processor))
    # Set by torchrun and accelerate where a training has several processes.
    audit = RolloutAudit(outputs.rollouts, process=int(os.environ.get("RANK", "0")))
    adapter = PortfolioRewards(
        portfolio, examples, config.num_generations, audit_scale(config.scale_rewards), audit, limit
    )
    pictures = pictures_of(examples) if portfolio.wants_images else {}
    checkables = [Checkable.of(example) for example in examples]
    return GRPOTrainer(
        model=model,
        reward_funcs=adapter.functions(),
        args=grpo_arguments(config, rewards, policy, seed, outputs.policy.parent / "checkpoints"),
        train_dataset=rollout_dataset(examples, policy),
        processing_class=processor,
        callbacks=[canary_watch(portfolio, checkables, config.canaries, pictures)],
    )


def _stop_tokens(model: "PreTrainedModel", processor: "ProcessorMixin") -> frozenset[int]:
    """What ends a completion, as TRL counts it."""
    configured = model.generation_config.eos_token_id
    several = configured if isinstance(configured, list) else [configured]
    tokenizer = processor.tokenizer
    return frozenset({*several, tokenizer.eos_token_id, tokenizer.pad_token_id} - {None})


def _trainable(model: "PreTrainedModel", config: TrainingConfig) -> "PreTrainedModel":
    if config.freeze_vision_tower:
        for parameter in model.model.visual.parameters():
            parameter.requires_grad_(False)
    return model


def audit_scale(scale_rewards: str) -> Scale:
    """How the audit scales advantages: a batch's deviation is TRL's to compute, so there it is the plain difference."""
    return "group" if scale_rewards == "group" else "none"


def groups_without_signal(rollouts: Path, group_size: int) -> dict[int, float]:
    """Share (0..1) of groups whose completions all earned the same, by optimizer steps done.

    TRL logs such a share too, from float32 deviations against a tolerance of 1e-8, which rounding passes: eight
    rewards of 1.2 count as a signal there.

    Args:
        rollouts: The rollouts artifact.
        group_size: Completions a prompt; consecutive rows are a group.
    """
    silent: dict[int, list[bool]] = defaultdict(list)
    for batch in read_batches(rollouts, ("step", "total")):
        silent[batch[0]["step"]] += silent_groups([row["total"] for row in batch], group_size)
    return {step: fmean(flags) for step, flags in silent.items()}


_CURVES = {
    "reward": "reward",
    "completions/mean_length": "completion_length",
    "completions/clipped_ratio": "truncated_share",
    "entropy": "entropy",
    "loss": "loss",
    "grad_norm": "grad_norm",
    "rewards/undecided": "undecided",
    "rewards/no_answer": "no_answer",
    **{f"parts/{part}": part for part in PARTS},
}


def _write_curves(rollouts: Path, history: Sequence[Mapping[str, Any]], group_size: int) -> dict[str, float]:
    """Write the training curves and return the metrics of the training."""
    silent = groups_without_signal(rollouts, group_size)
    entries = [entry for entry in history if "reward" in entry]
    curves = [{**_curve_point(entry), "groups_without_signal": silent[entry["step"] - 1]} for entry in entries]
    timings = timing_points(entries, seconds_by_step(rollouts))
    write_curves(rollouts, curves, timings)
    count = sum(len(batch) for batch in read_batches(rollouts, ("step",)))
    final = {f"final_{name}": value for name, value in {**curves[-1], **timings[-1]}.items()}
    return {"rollouts": float(count), **final, **reward_time(timings)}


def _curve_point(entry: Mapping[str, Any]) -> dict[str, float]:
    """One point of the training curves, by our names; a value that TRL could not compute is left out."""
    values = {name: float(entry[key]) for key, name in _CURVES.items() if entry.get(key) is not None}
    finite = {name: value for name, value in values.items() if math.isfinite(value)}
    return {"step": float(entry["step"]), **finite}


def timing_points(entries: Sequence[Mapping[str, Any]], rewards: Mapping[int, float]) -> list[dict[str, float]]:
    """What a step took, and what judging its rollouts took of it, at each point of the curves.

    Args:
        entries: TRL's log: "step" and the mean "step_time" in seconds since the entry before, which covers
            generation, rewards and learning.
        rewards: Seconds that judging took, by optimizer steps done.

    Returns:
        Points with step, reward_seconds (a step), step_seconds and reward_share (0..1); the last two are left out
        where no step_time was logged.
    """
    points, before = [], 0
    for entry in entries:
        step = int(entry["step"])
        steps = range(before, step)
        seconds = math.fsum(rewards.get(done, 0.0) for done in steps) / max(1, len(steps))
        whole = float(entry.get("step_time") or 0.0)
        shares = {"step_seconds": whole, "reward_share": seconds / whole} if whole else {}
        points.append({"step": float(step), "reward_seconds": seconds, **shares})
        before = step
    return points
