"""Settings of the evaluation and of the decision."""

from typing import Literal

from pydantic import Field

from components.core.config import Config


class BenchmarkEntry(Config):
    """A public benchmark that policies are evaluated on."""

    name: str = Field(min_length=1)
    """mathvista_testmini, ocrbench …; `harmo benchmarks list` names them."""
    path: str = ""
    """A folder that `harmo benchmarks prepare` wrote, or the published set's own files; "" reads the hub."""
    revision: str = "main"
    """Branch, tag or commit on the hub; it is resolved to a commit, which is recorded."""
    limit: int = Field(default=0, ge=0)
    """Questions to take at most, drawn at random by the run's seed; 0 takes all."""


class RunnerConfig(Config):
    """What generates the answers: a model type of lm-eval."""

    kind: Literal["hf-multimodal", "vllm-vlm", "local-chat-completions"] = "hf-multimodal"
    """transformers in this process, vLLM in this process, or a server that speaks the OpenAI protocol."""
    arguments: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Arguments of lm-eval's model type, beside those that the policy gives; a server is asked for the model
    `{policy}`, which stands for the first 12 digits of the policy's fingerprint."""


class EvaluationConfig(Config):
    """How policies are evaluated."""

    batch_size: int = Field(default=0, ge=0)
    """Questions generated at a time; 0 finds it: doubled while that pays and the memory holds."""
    max_examples: int = Field(default=0, ge=0)
    """Held-out examples of each family at most, the first ones; 0 takes all."""
    benchmarks: tuple[BenchmarkEntry, ...] = ()
    """Public benchmarks, beside the held-out families."""
    prompts: Literal["policy", "official"] = "policy"
    """Whether the policy's prompt template is put around a public benchmark's own prompt, or nothing is."""
    runner: RunnerConfig = RunnerConfig()
    """What generates the answers."""


class DecisionConfig(Config):
    """When a candidate is promoted, judged on held-out scores."""

    metric: Literal["strict", "score"] = "strict"
    """The score that counts: the official one, or the variant that pays nothing for a guess of the rule's own."""
    min_gain: float = Field(default=0.0, ge=-1, le=1)
    """The lower end of the paired 95 % interval of the overall gain must lie above this (scores 0..1)."""
    max_benchmark_loss: float = Field(default=0.02, ge=0, le=1)
    """A benchmark may lose this much (scores 0..1); a larger loss that is significant blocks promotion."""
    resamples: int = Field(default=10000, ge=1000)
    """Bootstrap resamples of the intervals."""
