"""Champion and challenger: a new version of the surrogate replaces the old one only if it is not worse.

Both score the same held-out rows and the same canaries. The rules:
* Held-out accuracy is not worse: the one-sided 95 % lower bound of the paired difference, challenger minus champion,
  by the bootstrap over groups, is not below minus the tolerance; in the pairwise accuracy and in the share of rows
  that a score above 0.5 tells rightly.
* No class of canaries passes more often: of the canaries that pass one version alone, no more pass the challenger's
  than chance explains (exact one-sided McNemar test at 5 %, each class by itself: keeping a champion that was no better
  costs less than crowning one that can be fooled). A canary passes where its score reaches the median of the right
  held-out answers, by the scorer's own scale; equal counts, since it would be paid as much. In a class too small for
  the test to ever fail, any rise counts.
What cannot be decided is decided for the champion.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from components.core.artifact import InputRef, Manifest, seal
from components.core.config import Config
from components.core.errors import SourceError
from components.surrogate.ordering import RIGHT, Scores, ordered_pairs
from components.surrogate.rows import AnswerRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DECISION = "decision.json"
DECISION_KIND = "surrogate_decision"
_CHUNK = 256  # resamples at a time


class ChampionConfig(Config):
    """What a challenger has to show."""

    tolerance: float = Field(default=0.02, ge=0, le=1)
    """By how much accuracy may be worse, to be told from noise by a held-out set of the usual size."""
    level: float = Field(default=0.05, gt=0, lt=0.5)
    """Of each one-sided test."""
    min_groups: int = Field(default=20, ge=2)
    """Groups with something to order; a bootstrap of fewer believes too much."""
    resamples: int = Field(default=2000, ge=200)
    """Of the bootstrap."""


@dataclass(frozen=True)
class Paired:
    """One accuracy of both versions on the same rows."""

    groups: int
    champion: float
    challenger: float
    difference: float
    """Challenger minus champion."""
    lower: float
    """One-sided lower bound of the difference."""
    not_worse: bool


@dataclass(frozen=True)
class CanaryClass:
    """How one class of canaries fared with both versions."""

    canaries: int
    champion: int
    """Canaries that pass the champion's."""
    challenger: int
    """Canaries that pass the challenger's."""
    only_champion: int
    only_challenger: int
    p_value: float
    """One-sided, of no rise."""
    rises: bool


@dataclass(frozen=True)
class Decision:
    """Which version stands."""

    replaced: bool
    """Whether the challenger replaces the champion."""
    reasons: tuple[str, ...]
    """In words, a sentence each."""
    accuracy: Mapping[str, Paired]
    """pairwise and rows."""
    canaries: Mapping[str, CanaryClass]
    """By kind."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def decide(
    champion: Scores,
    challenger: Scores,
    heldout: Sequence[AnswerRow],
    canaries: Sequence[AnswerRow],
    fitted: Sequence[AnswerRow] = (),
    config: ChampionConfig | None = None,
    seed: int = 0,
) -> Decision:
    """Decide whether a challenger replaces the champion.

    Args:
        champion: The version that stands.
        challenger: The new version.
        heldout: Rows with scores, which neither was fitted on.
        canaries: Answers that game a scorer, by kind; their scores are not looked at.
        fitted: The rows that either was fitted on, to make sure that none of their groups is held out.
        config: What the challenger has to show; the defaults if None.
        seed: Decides the resamples.

    Raises:
        SourceError: A held-out row has no score or was fitted, or a canary has no kind.
    """
    config = config or ChampionConfig()
    _check(heldout, canaries, fitted)
    asked = [*heldout, *canaries]
    scores = {name: _scores(scorer, asked) for name, scorer in (("champion", champion), ("challenger", challenger))}
    broken = [name for name, values in scores.items() if not all(map(math.isfinite, values))]
    if broken:
        problem = f"Some scores of the {' and of the '.join(broken)} are no numbers: not to be decided."
        return Decision(False, (problem, "The champion stands."), {}, {})
    count = len(heldout)
    accuracy = _accuracy(heldout, {name: values[:count] for name, values in scores.items()}, config, seed)
    classes = _canary_classes(heldout, canaries, scores, config)
    return _decision(accuracy, classes, config)


def seal_decision(
    decision: Decision, folder: Path, config: ChampionConfig, seed: int, inputs: Mapping[str, Manifest | InputRef]
) -> Manifest:
    """Make a decision an artifact.

    Args:
        decision: What was decided.
        folder: For the artifact.
        config: What the challenger had to show.
        seed: Of the resamples.
        inputs: champion, challenger, and the rows, by role.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(decision.to_json(), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (folder / DECISION).write_text(text, encoding="utf-8")
    return seal(folder, DECISION_KIND, {"champion": config.identity(), "seed": seed}, inputs)


def _check(heldout: Sequence[AnswerRow], canaries: Sequence[AnswerRow], fitted: Sequence[AnswerRow]) -> None:
    unscored = sum(row.score is None for row in heldout)
    if unscored:
        raise SourceError("held-out rows", f"{unscored} have no score", "Give scored rows alone")
    if any(not row.kind for row in canaries):
        raise SourceError("canaries", "one has no kind", "Say of each what kind it is")
    groups, texts = {row.group for row in fitted}, {_text(row) for row in fitted}
    both = {row.group for row in heldout if row.group in groups or _text(row) in texts}
    if both:
        problem = f"{len(both)} groups were fitted, such as {min(both)[:60]!r}"
        raise SourceError("held-out rows", problem, "Hold out questions that neither version was fitted on")


def _text(row: AnswerRow) -> tuple[str, tuple[str, ...]]:
    return row.question, row.references


def _scores(scorer: Scores, rows: Sequence[AnswerRow]) -> list[float]:
    scores = [estimate.score for estimate in scorer(rows)]
    if len(scores) != len(rows):
        raise ValueError(f"{len(scores)} scores for {len(rows)} rows")
    return scores


def _accuracy(
    rows: Sequence[AnswerRow], scores: Mapping[str, Sequence[float]], config: ChampionConfig, seed: int
) -> dict[str, Paired]:
    ordered = {name: ordered_pairs(rows, values) for name, values in scores.items()}
    hits = {
        name: [float((value > RIGHT) == ((row.score or 0.0) > RIGHT)) for row, value in zip(rows, values, strict=True)]
        for name, values in scores.items()
    }
    groups = [item.group for item in ordered["champion"]]
    pairs = [float(item.pairs) for item in ordered["champion"]]
    won = {name: [item.won for item in items] for name, items in ordered.items()}
    return {
        "pairwise": _paired(groups, won, pairs, config, seed),
        "rows": _paired([row.group for row in rows], hits, [1.0] * len(rows), config, seed),
    }


def _paired(
    groups: Sequence[str],
    won: Mapping[str, Sequence[float]],
    of: Sequence[float],
    config: ChampionConfig,
    seed: int,
) -> Paired:
    """Compare two shares, each the sum of what was won over the sum of what there was to win."""
    import numpy as np

    names = list(dict.fromkeys(groups))
    if not names:
        return Paired(0, 0.0, 0.0, 0.0, -1.0, False)
    units = _numbers(groups)
    totals = np.bincount(units, weights=of).astype(np.float64)
    sums = {name: np.bincount(units, weights=values).astype(np.float64) for name, values in won.items()}
    shares = {name: float(values.sum() / totals.sum()) for name, values in sums.items()}
    gains = sums["challenger"] - sums["champion"]
    lower = float(np.quantile(_resampled(gains, totals, config.resamples, seed), config.level))
    enough = len(names) >= config.min_groups
    return Paired(
        groups=len(names),
        champion=shares["champion"],
        challenger=shares["challenger"],
        difference=shares["challenger"] - shares["champion"],
        lower=lower,
        not_worse=enough and lower >= -config.tolerance - 1e-12,
    )


def _numbers(groups: Sequence[str]) -> "NDArray[np.int64]":
    import numpy as np

    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=np.int64)


def _resampled(
    gains: "NDArray[np.float64]", totals: "NDArray[np.float64]", resamples: int, seed: int
) -> "NDArray[np.float64]":
    """Differences of bootstrap resamples over groups, shape (resamples,): as many groups, with replacement."""
    import numpy as np

    random, size = np.random.default_rng(seed), len(gains)
    found = []
    for start in range(0, resamples, _CHUNK):
        drawn = random.integers(size, size=(min(_CHUNK, resamples - start), size))
        found.append(gains[drawn].sum(axis=1) / totals[drawn].sum(axis=1))
    return np.concatenate(found)


def _canary_classes(
    heldout: Sequence[AnswerRow],
    canaries: Sequence[AnswerRow],
    scores: Mapping[str, Sequence[float]],
    config: ChampionConfig,
) -> dict[str, CanaryClass]:
    import numpy as np

    rights = [place for place, row in enumerate(heldout) if (row.score or 0.0) > RIGHT]
    if not rights:
        return {}
    passed: dict[str, list[bool]] = {}
    for name, values in scores.items():
        bar = float(np.median([values[place] for place in rights]))
        passed[name] = [value >= bar for value in values[len(heldout) :]]
    kinds = sorted({row.kind for row in canaries})
    places = {kind: [place for place, row in enumerate(canaries) if row.kind == kind] for kind in kinds}
    return {
        kind: _canary_class(
            [passed["champion"][place] for place in own], [passed["challenger"][place] for place in own], config
        )
        for kind, own in places.items()
    }


def _canary_class(before: Sequence[bool], after: Sequence[bool], config: ChampionConfig) -> CanaryClass:
    from scipy.stats import binomtest

    fell = sum(old and not new for old, new in zip(before, after, strict=True))
    rose = sum(new and not old for old, new in zip(before, after, strict=True))
    p_value = float(binomtest(rose, rose + fell, alternative="greater").pvalue) if rose + fell else 1.0
    can_fail = 0.5 ** len(before) < config.level
    return CanaryClass(
        canaries=len(before),
        champion=sum(before),
        challenger=sum(after),
        only_champion=fell,
        only_challenger=rose,
        p_value=p_value,
        rises=p_value < config.level if can_fail else rose > fell,
    )


def _decision(accuracy: Mapping[str, Paired], classes: Mapping[str, CanaryClass], config: ChampionConfig) -> Decision:
    rising = [kind for kind, item in classes.items() if item.rises]
    replaced = all(item.not_worse for item in accuracy.values()) and bool(classes) and not rising
    reasons = [_accuracy_reason(name, item, config) for name, item in accuracy.items()]
    reasons += [_canary_reason(kind, classes[kind]) for kind in rising]
    if not classes:
        reasons.append("There was no canary, or no right held-out answer to hold one against: not to be decided.")
    elif not rising:
        reasons.append(f"None of the {len(classes)} classes of canaries passes more often than chance explains.")
    reasons.append("The challenger replaces the champion." if replaced else "The champion stands.")
    return Decision(replaced, tuple(reasons), dict(accuracy), dict(classes))


def _accuracy_reason(name: str, item: Paired, config: ChampionConfig) -> str:
    what = {"pairwise": "Pairwise accuracy", "rows": "Accuracy of rows"}[name]
    if item.groups < config.min_groups:
        return f"{what} is of {item.groups} groups, fewer than {config.min_groups}: not to be decided."
    verdict = "not worse" if item.not_worse else "worse, or not to be told from worse"
    return (
        f"{what} is {verdict}: {item.champion:.3f} before and {item.challenger:.3f} after on {item.groups} groups, a "
        f"difference of {item.difference:+.3f} that is at least {item.lower:+.3f} with {1 - config.level:.0%} "
        f"confidence; {-config.tolerance:+.3f} is tolerated."
    )


def _canary_reason(kind: str, item: CanaryClass) -> str:
    return (
        f"Canaries of the class {kind} pass more often: {item.champion} of {item.canaries} before and "
        f"{item.challenger} after ({item.only_challenger} pass the challenger's alone, {item.only_champion} the "
        f"champion's; p = {item.p_value:.3g})."
    )
