"""Canaries: does gaming the scorer pay more than an honest mistake?

Every probe (see `probes`) must earn at most what a well-formed completion with a plausible wrong answer to the same
example earns; what happens otherwise is a policy.
"""

import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from components.core.config import Config
from components.core.errors import RewardHackingError
from components.core.example import AnswerType
from components.rewards.checkable import Checkable
from components.rewards.portfolio import Portfolio
from components.rewards.probes import KINDS, Probe, honest_completion, probes
from components.rewards.wrong_answer import honest_wrong_answer

__all__ = [
    "KINDS",
    "CanariesConfig",
    "CanaryReport",
    "CanaryResult",
    "Images",
    "Probe",
    "canary_gate",
    "check_canaries",
    "honest_completion",
    "honest_wrong_answer",
    "probes",
    "run_canaries",
]

_EPSILON = 1e-9  # below this a difference of two totals is an error of rounding


Policy = Literal["raise", "warn", "off"]
Images = Mapping[Checkable, bytes]
"""An encoded picture of each example that is about one."""


class CanariesConfig(Config):
    """What happens when gaming the scorer pays."""

    policy: Policy = "warn"
    """For examples that a rule checks: "raise" stops, "warn" warns and goes on, "off" does not probe."""
    open_ended_policy: Policy = "warn"
    """The same for open-ended examples, on which a model's score can rarely stand every probe."""
    max_pass_rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of one kind's probes, 0 to 1, that may earn more than an honest wrong answer."""
    every: Annotated[int, Field(ge=0)] = 50
    """Optimizer steps between probes during training, each on other examples; 0 probes before it only."""
    max_examples: Annotated[int, Field(ge=1)] = 32
    """Examples that are probed, spread evenly over those given; each takes about 90 completions."""


@dataclass(frozen=True)
class CanaryResult:
    """What one probe earned."""

    probe: Probe
    example: Checkable
    wrong_answer: str
    """The answer of the honest wrong completion."""
    reward: float
    """Total of the probe."""
    honest_reward: float
    """Total of the honest wrong completion, scored in the same group."""

    @property
    def gain(self) -> float:
        """What gaming the scorer paid; 0 or less where it did not."""
        return self.reward - self.honest_reward

    @property
    def passed(self) -> bool:
        """Whether the probe got past the scorer."""
        return self.gain > _EPSILON


@dataclass(frozen=True)
class CanaryReport:
    """How a portfolio stood the probes."""

    pass_rates: Mapping[str, float]
    """By kind, the share of its probes that earned more than the honest wrong answer; kinds without a probe for any
    of the examples are missing."""
    worst: tuple[CanaryResult, ...]
    """Of each kind that passed, the result with the largest gain; the largest first."""
    num_probes: int
    num_examples: int
    """Examples that were probed."""
    num_skipped: int
    """Examples left out because no plausible wrong answer to them was found."""


def run_canaries(
    portfolio: Portfolio,
    examples: Sequence[Checkable],
    max_examples: int = CanariesConfig().max_examples,
    images: Images | None = None,
) -> CanaryReport:
    """Score every probe beside the honest wrong answer to its example.

    Each probe and the honest completion are a group of two without lengths, so that what one probe earns has no
    bearing on another.

    Args:
        portfolio: What is probed.
        examples: To probe it on; those without a reference or without a plausible wrong answer are skipped.
        max_examples: Examples to probe, spread evenly over those given.
        images: Pictures of examples, for a portfolio that looks at them.
    """
    chosen = _spread(examples, max_examples)
    others: dict[AnswerType, list[str]] = defaultdict(list)
    for example in chosen:
        others[example.answer_type] += example.references[:1]
    planned = [
        (example, wrong, probe)
        for example in chosen
        if (wrong := honest_wrong_answer(example, others[example.answer_type])) is not None
        for probe in probes(example, wrong)
    ]
    results = _results(portfolio, planned, images or {}) if planned else []
    probed_examples = len({result.example for result in results})
    return CanaryReport(
        _pass_rates(results), _worst(results), len(results), probed_examples, len(chosen) - probed_examples
    )


def check_canaries(report: CanaryReport, config: CanariesConfig) -> None:
    """Act on a report by the policy.

    Args:
        report: How the portfolio stood the probes.
        config: The policy and the pass rate that is still accepted.

    Raises:
        RewardHackingError: The policy is "raise" and a kind passes more often than accepted; the message holds the
            kinds, the worst example and what it earned.
    """
    failing = {kind: rate for kind, rate in report.pass_rates.items() if rate > config.max_pass_rate}
    if not failing or config.policy == "off":
        return
    error = RewardHackingError(
        "canaries",
        f"{', '.join(f'{kind} ({rate:.1%})' for kind, rate in failing.items())} of the probes earn more than an honest "
        f"wrong answer, above max_pass_rate {config.max_pass_rate:.1%}; {_described(report, failing)}",
        "Mend the reward that pays for it, raise max_pass_rate, or set the policy of the canaries to warn",
    )
    if config.policy == "raise":
        raise error
    warnings.warn(str(error), RuntimeWarning, stacklevel=2)


def canary_gate(
    portfolio: Portfolio,
    examples: Sequence[Checkable],
    config: CanariesConfig,
    images: Images | None = None,
) -> dict[str, float]:
    """Probe a portfolio before a policy is trained on it.

    Args:
        portfolio: What the policy will be trained on.
        examples: To probe it on.
        config: The policies; "off" scores nothing.
        images: Pictures of examples, for a portfolio that looks at them.

    Returns:
        The metrics `canary_<kind>` of the examples that a rule checks and `canary_open_ended_<kind>` of the others:
        pass rates in [0, 1] of the kinds that were probed.

    Raises:
        RewardHackingError: See `check_canaries`.
    """
    checked = [example for example in examples if example.verifiable]
    open_ended = [example for example in examples if not example.verifiable]
    relaxed = config.model_copy(update={"policy": config.open_ended_policy})
    return {
        **_gate(portfolio, checked, config, "canary", images),
        **_gate(portfolio, open_ended, relaxed, "canary_open_ended", images),
    }


def _gate(
    portfolio: Portfolio,
    examples: Sequence[Checkable],
    config: CanariesConfig,
    name: str,
    images: Images | None,
) -> dict[str, float]:
    if config.policy == "off" or not examples:
        return {}
    report = run_canaries(portfolio, examples, config.max_examples, images)
    check_canaries(report, config)
    return {f"{name}_{kind}": rate for kind, rate in report.pass_rates.items()}


def _results(
    portfolio: Portfolio, planned: Sequence[tuple[Checkable, str, Probe]], images: Images
) -> list[CanaryResult]:
    breakdowns = portfolio.score_groups(
        [example for example, _, _ in planned for _ in range(2)],
        [text for _, wrong, probe in planned for text in (honest_completion(wrong), probe.completion)],
        [None] * (2 * len(planned)),
        2,
        images=[images.get(example) for example, _, _ in planned for _ in range(2)],
    )
    pairs = zip(planned, breakdowns[::2], breakdowns[1::2], strict=True)
    return [
        CanaryResult(probe, example, wrong, probed.total, honest.total)
        for (example, wrong, probe), honest, probed in pairs
    ]


def _spread(examples: Sequence[Checkable], count: int) -> list[Checkable]:
    unique = list(dict.fromkeys(examples))
    if len(unique) <= count:
        return unique
    return [unique[index * len(unique) // count] for index in range(count)]


def _pass_rates(results: Sequence[CanaryResult]) -> dict[str, float]:
    passed: dict[str, list[bool]] = defaultdict(list)
    for result in results:
        passed[result.probe.kind].append(result.passed)
    return {kind: sum(flags) / len(flags) for kind, flags in passed.items()}


def _worst(results: Sequence[CanaryResult]) -> tuple[CanaryResult, ...]:
    by_gain = sorted((result for result in results if result.passed), key=lambda result: -result.gain)
    worst: dict[str, CanaryResult] = {}
    for result in by_gain:
        worst.setdefault(result.probe.kind, result)
    return tuple(worst.values())


def _described(report: CanaryReport, failing: Mapping[str, float]) -> str:
    result = next(result for result in report.worst if result.probe.kind in failing)
    example = result.example
    return (
        f"worst: {result.probe.kind} {result.probe.completion[:200]!r} earns {result.reward:.3f} and the wrong answer "
        f"{result.wrong_answer[:60]!r} {result.honest_reward:.3f} on the question {example.question[:100]!r} with the "
        f"reference {example.references[0][:60]!r} ({example.answer_type})"
    )
