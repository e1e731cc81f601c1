"""Settings of the policy, its warm start and its GRPO training."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.core.config import Config
from components.rewards.canaries import CanariesConfig


class PromptConfig(Config):
    """How the policy is asked; the same in warm start, training and evaluation."""

    template: str = Field(default="{question}", pattern=r"\{question\}")
    """The user's message; {question} stands for the example's question. Images come before it."""
    max_completion_length: int = Field(default=48, ge=1, le=32768)
    """Tokens that a completion may have, in training and in evaluation."""


class TinyPolicyConfig(Config):
    """A small Qwen2.5-VL made on the spot; it needs a warm start."""

    kind: Literal["tiny"] = "tiny"
    """Selects this policy."""
    hidden_size: int = Field(default=128, ge=32, le=1024, multiple_of=32)
    """Width of the language model and of the vision tower."""
    head_size: int = Field(default=32, ge=16, le=128, multiple_of=16)
    """Width of an attention head; must divide hidden_size."""
    layers: int = Field(default=2, ge=1, le=32)
    """Layers of the language model and of the vision tower each."""
    initializer_range: float = Field(default=0.1, gt=0, le=1)
    """Standard deviation of the initial weights; about 1/sqrt(hidden_size)."""
    vocabulary: int = Field(default=448, ge=300, le=65536)
    """Tokens of the tokenizer at most."""
    max_pixels: int = Field(default=3136, ge=784)
    """Larger images are scaled down to this many pixels."""
    prompt: PromptConfig = PromptConfig()
    """How it is asked."""


class PretrainedPolicyConfig(Config):
    """A model from the hub or from a folder."""

    kind: Literal["pretrained"]
    """Selects this policy."""
    model: str = Field(min_length=1)
    """Hub id (Qwen/Qwen2.5-VL-3B-Instruct) or folder."""
    revision: str = "main"
    """Branch, tag or commit on the hub; it is resolved to a commit, which is recorded."""
    max_pixels: int = Field(default=1003520, ge=784)
    """Larger images are scaled down to this many pixels; bounds the image tokens of a prompt."""
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    """Type of the weights in memory."""
    prompt: PromptConfig = PromptConfig()
    """How it is asked."""


PolicyConfig = Annotated[TinyPolicyConfig | PretrainedPolicyConfig, Field(discriminator="kind")]


class WarmStartConfig(Config):
    """Supervised fine-tuning on demonstrations, so that GRPO has something to choose from.

    The careless tail gives the policy a second, worse habit: to answer without looking. GRPO is then
    seen to choose between the two by reward; it does not teach perception that the warm start did not.
    """

    steps: int = Field(default=0, ge=0)
    """Optimizer steps on demonstrations; 0 skips the warm start."""
    batch_size: int = Field(default=32, ge=1)
    """Demonstrations a step."""
    learning_rate: float = Field(default=1.5e-3, gt=0, le=1)
    """Peak learning rate (AdamW, cosine decay)."""
    careless_steps: int = Field(default=0, ge=0)
    """Further steps in which a share of the demonstrations is careless."""
    careless_share: float = Field(default=0.68, ge=0, le=1)
    """Share of careless demonstrations: no reasoning, and an answer taken from another example of the question."""
    careless_learning_rate: float = Field(default=4e-4, gt=0, le=1)
    """Learning rate of the careless steps."""


class PolicySection(Config):
    """The policy of a recipe."""

    base: PolicyConfig
    """Where the policy comes from."""
    warm_start: WarmStartConfig = WarmStartConfig()
    """Supervised steps before GRPO; none for a policy that can already see and answer."""


class TrainingConfig(Config):
    """GRPO, as TRL's GRPOTrainer runs it."""

    steps: int = Field(default=30, ge=1)
    """Optimizer steps."""
    batch_size: int = Field(default=32, ge=2)
    """Completions a device generates and learns from at a time; a multiple of num_generations."""
    gradient_accumulation_steps: int = Field(default=1, ge=1)
    """Batches a step."""
    num_generations: int = Field(default=8, ge=2)
    """Completions a prompt: the group whose mean reward is the baseline."""
    learning_rate: float = Field(default=6e-5, gt=0, le=1)
    """Peak learning rate."""
    warmup_steps: int = Field(default=5, ge=0)
    """Steps over which the learning rate rises; constant afterwards."""
    temperature: float = Field(default=1.0, gt=0)
    """Sampling temperature of the rollouts."""
    beta: float = Field(default=0.0, ge=0)
    """Weight of the KL divergence from the base policy; 0 keeps no reference model."""
    epsilon: float = Field(default=0.2, gt=0, lt=1)
    """Clipping range of the importance ratio."""
    loss_type: Literal["grpo", "dr_grpo", "dapo", "bnpo"] = "dr_grpo"
    """How token losses are averaged; dr_grpo divides by a constant, so that length is not rewarded."""
    scale_rewards: Literal["none", "group", "batch"] = "none"
    """Division of the advantage by a standard deviation; the paper uses the group mean only ("none")."""
    bf16: bool = False
    """Mixed precision on a GPU."""
    gradient_checkpointing: bool = False
    """Recompute activations to save memory."""
    freeze_vision_tower: bool = False
    """Train the language model only."""
    vllm: Literal["off", "colocate"] = "off"
    """Generate with vLLM in the same process (GPU only)."""
    vllm_memory_share: float = Field(default=0.3, gt=0, lt=1)
    """Share of the GPU's memory for vLLM."""
    canaries: CanariesConfig = CanariesConfig()
    """Probes of the rewards before training: completions that game a scorer, none of which may pay."""
    save_steps: int = Field(default=50, ge=1)
    """Steps between checkpoints."""
    log_every: int = Field(default=1, ge=1)
    """Steps between points of the training curves."""

    @model_validator(mode="after")
    def _check_whole_groups(self) -> Self:
        """The length penalty compares a whole group, so a process has to generate whole groups."""
        if self.batch_size * self.gradient_accumulation_steps % self.num_generations:
            raise ValueError(
                f"batch_size {self.batch_size} x gradient_accumulation_steps {self.gradient_accumulation_steps} is not "
                f"a multiple of num_generations {self.num_generations}"
            )
        return self
