"""Worth: what the examples of a curated dataset are worth to training, by a base policy's own generations.

Difficulty, then what can be solved blind, then the mixture of what is left. Only the training split is looked at:
evaluation must not depend on what a policy finds hard. Results are on each example (pass_rate, repeats), in
worth.parquet (the counts behind them, and flags), in the summary and in the quarantine.
"""

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from components.core.artifact import InputRef, Manifest, seal, verify
from components.core.errors import EmptyDatasetError
from components.core.example import AnswerType, Example
from components.core.reply_journal import ReplyJournal
from components.core.scratch import scratch_folder
from components.curation.asking import Asker, Refusal
from components.curation.base_policy import find_base_policy
from components.curation.blind import BLIND_SOLVABLE, BlindFinding, doubt_blind, guessing_chance, summarise_blind
from components.curation.difficulty import Doubt, doubt_difficulty
from components.curation.mixture import LEFT_OUT, Kind, multiplicities, repeats, summarise_mixture
from components.curation.pass_rates import PassCounts, count_passes, flat_metrics, summarise_rates
from components.curation.worth_config import WorthConfig
from components.curation.worth_files import STEPS, Worth, WorthInputs, WorthOutputs, make_room, read_train, write_worth
from components.rewards.config import RewardsConfig
from components.rewards.hybrid import AnswerScorer
from components.rewards.sandbox import set_limits
from components.rewards.surrogate import SurrogateScorer

_WINDOW = 512  # examples whose images are held at a time


@dataclass(frozen=True)
class WorthResult:
    """What is reported."""

    dataset: Manifest
    quarantine: Manifest
    summary: dict[str, Any]
    """That of the dataset: counts brought up to date, and `worth` with a report a step."""
    metrics: dict[str, float]


@dataclass
class _Measuring:
    """Measures examples, a window at a time."""

    config: WorthConfig
    asker: Asker
    scorer: AnswerScorer | None
    rewards: RewardsConfig
    found: dict[str, Worth] = field(default_factory=dict)

    def measure(self, examples: Sequence[Example]) -> None:
        """Find out what some examples are worth."""
        worths = {example.id: Worth(example.id, Kind(example.task, example.answer_type)) for example in examples}
        self.found.update(worths)
        if self.config.difficulty.enabled:
            self._measure_difficulty([(example, worths[example.id]) for example in self._answerable(examples)])
        if self.config.blind.enabled:
            staying = [example for example in examples if example.verifiable and not worths[example.id].step]
            self._measure_blind([(example, worths[example.id]) for example in staying])

    def _answerable(self, examples: Sequence[Example]) -> Iterator[Example]:
        """Those whose answers can be judged."""
        judged = self.scorer is not None
        return (example for example in examples if judged or example.answer_type is not AnswerType.OPEN_ENDED)

    def _measure_difficulty(self, items: Sequence[tuple[Example, Worth]]) -> None:
        config = self.config.difficulty
        counts = self._count([example for example, _ in items], config.generations, sighted=True)
        for (_, worth), passes in zip(items, counts, strict=True):
            worth.sighted = passes
            doubt = doubt_difficulty(passes, config)
            if doubt is not None and config.outside == "quarantine":
                worth.lose("difficulty", doubt)

    def _measure_blind(self, items: Sequence[tuple[Example, Worth]]) -> None:
        config = self.config.blind
        counts = self._count([example for example, _ in items], config.generations, sighted=False)
        for (example, worth), passes in zip(items, counts, strict=True):
            worth.blind, worth.chance = passes, guessing_chance(example)
            doubt = doubt_blind(passes, worth.chance, config)
            if doubt is None:
                continue
            worth.flags = (BLIND_SOLVABLE,)
            if config.solvable == "quarantine":
                worth.lose("blind", doubt)

    def _count(self, examples: Sequence[Example], generations: int, sighted: bool) -> list[PassCounts]:
        answers = self.asker.ask(examples, generations, "sighted" if sighted else "blind")
        texts = [() if isinstance(answer, Refusal) else tuple(item.text for item in answer) for answer in answers]
        return count_passes(list(zip(examples, texts, strict=True)), self.scorer, self.rewards)


def measure_worth(
    inputs: WorthInputs,
    outputs: WorthOutputs,
    config: WorthConfig,
    rewards: RewardsConfig,
    seed: int,
    work: Path | None = None,
) -> WorthResult:
    """Measure the examples of a dataset, and leave out those that are not worth training on.

    Args:
        inputs: Dataset, surrogate and base policy.
        outputs: Folders for the dataset and the quarantine.
        config: Steps.
        rewards: How answers are judged, as in training.
        seed: Decides the generations, and what the mixture leaves out.
        work: Folder for generations, which outlives a kill; the scratch of the step by default, and where there is none
            a folder beside the dataset, removed in the end.

    Raises:
        ArtifactError: An input is not what it should be.
        ModelError: The base policy cannot be loaded or asked.
        EmptyDatasetError: No training example is left.
        StorageError: An output folder holds something else, or generations cannot be kept.
    """
    manifest = verify(inputs.dataset, "dataset")
    references: dict[str, InputRef] = {"dataset": manifest.reference()}
    make_room(outputs)
    folder = work or scratch_folder("worth")
    beside = outputs.dataset.with_name(f"{outputs.dataset.name}.work")
    metrics: dict[str, float] = {}
    if config.asks:
        worths, report = _ask(inputs, config, rewards, seed, folder or beside, references, metrics)
    else:
        worths, report = _unasked(read_train(inputs.dataset)), {}
    if config.mixture.enabled:
        report["mixture"] = _mix(list(worths.values()), config, seed)
    _check_left(worths, inputs.dataset)
    summary = write_worth(inputs.dataset, outputs, worths, report)
    identity = {**manifest.identity, "worth": config.identity(), "worth_seed": seed, "rewards": rewards.identity()}
    # The dataset last: where it is finished, so is its quarantine.
    quarantine = seal(outputs.quarantine, "quarantine", identity, references)
    dataset = seal(outputs.dataset, "dataset", identity, references)
    if folder is None:
        shutil.rmtree(beside, ignore_errors=True)
    return WorthResult(dataset, quarantine, summary, {**metrics, **_metrics(summary)})


def _ask(
    inputs: WorthInputs,
    config: WorthConfig,
    rewards: RewardsConfig,
    seed: int,
    work: Path,
    references: dict[str, InputRef],
    metrics: dict[str, float],
) -> tuple[dict[str, Worth], dict[str, Any]]:
    """Measure all examples; what was read is added to the references, what it took to the metrics."""
    base = find_base_policy(config.asking, inputs.base)
    references["base"] = base.reference
    scorer = None
    if inputs.surrogate is not None:
        references["surrogate"] = verify(inputs.surrogate, "surrogate").reference()
        scorer = SurrogateScorer.load(inputs.surrogate)
    set_limits(rewards.verifier)
    with ReplyJournal(work / f"{base.reference.fingerprint[:16]}.jsonl") as journal:
        measuring = _Measuring(config, base.asker(config.asking, journal, seed), scorer, rewards)
        examples = read_train(inputs.dataset)
        while window := list(islice(examples, _WINDOW)):
            measuring.measure(window)
    cost = measuring.asker.cost
    metrics.update({name: float(value) for name, value in asdict(cost).items() if isinstance(value, int)})
    report = _report(list(measuring.found.values()), config)
    made = cost.generated + cost.found
    return measuring.found, {**report, "cut_share": cost.cut / made if made else None}


def _unasked(examples: Iterable[Example]) -> dict[str, Worth]:
    return {example.id: Worth(example.id, Kind(example.task, example.answer_type)) for example in examples}


def _report(worths: Sequence[Worth], config: WorthConfig) -> dict[str, Any]:
    report: dict[str, Any] = {}
    if config.difficulty.enabled:
        counts = [(worth.kind.task.value, worth.sighted or PassCounts()) for worth in worths]
        report["difficulty"] = summarise_rates(counts, config.difficulty.generations, config.difficulty.k)
    if config.blind.enabled:
        report["blind"] = summarise_blind(
            BlindFinding(worth.kind.task.value, worth.chance, worth.blind.rate, BLIND_SOLVABLE in worth.flags)
            for worth in worths
            if worth.blind is not None and worth.blind.rate is not None
        )
    return report


def _mix(worths: Sequence[Worth], config: WorthConfig, seed: int) -> list[dict[str, Any]]:
    """Decide how often each example that is left is seen."""
    left = [worth for worth in worths if not worth.step]
    kinds = [worth.kind for worth in left]
    wanted = multiplicities(kinds, config.mixture)
    seen = [repeats(worth.id, wanted[worth.kind], seed) for worth in left]
    for worth, times in zip(left, seen, strict=True):
        worth.repeats = max(1, times)
        if not times:
            kind = f"{worth.kind.task.value}, {worth.kind.answer_type.value}"
            worth.lose("mixture", Doubt(LEFT_OUT, f"{wanted[worth.kind]:.3f} of the examples of {kind} are wanted"))
    return summarise_mixture(kinds, seen, wanted)


def _check_left(worths: Mapping[str, Worth], dataset: Path) -> None:
    if any(not worth.step for worth in worths.values()):
        return
    reasons = Counter(worth.reason for worth in worths.values())
    counts = ", ".join(f"{count} x {reason}" for reason, count in sorted(reasons.items()))
    raise EmptyDatasetError(
        str(dataset),
        f"none of its {len(worths)} training examples is worth training on ({counts})",
        "Widen curation.difficulty, ask a policy of another strength, or only record",
    )


def _metrics(summary: Mapping[str, Any]) -> dict[str, float]:
    """Scalars of the report."""
    report = summary["worth"]
    metrics = {f"rows_{step['step']}": float(step["rows_quarantined"]) for step in summary["steps"][-len(STEPS) :]}
    metrics["rows_kept"] = float(summary["rows_kept"])
    if report.get("cut_share") is not None:
        metrics["cut_share"] = report["cut_share"]
    for step in ("difficulty", "blind"):
        metrics |= flat_metrics(report.get(step, {}), step)
    if "mixture" in report:
        metrics["mixture_seen"] = float(sum(row["seen"] for row in report["mixture"]))
    return metrics
