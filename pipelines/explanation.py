"""What the command line prints of an audit: one reward derived step by step, and the outcome of a replay."""

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.rewards.portfolio import PARTS
from components.training.audit import CREDITED
from components.training.replay import NUMBERS, AuditedRun, Derivation, Difference, Replay, find_rollouts
from pipelines.plain_text import plain_text
from pipelines.summary import artifacts_root

_SHOWN = 10
_POLICIES = ("abstention", "normalise", "strata")
_SCALES = {
    "none": "total minus group mean",
    "group": "total minus group mean, divided by the group's standard deviation",
    "batch": "total minus group mean, which the trainer divides by the batch's standard deviation",
}


def load_audited(run: Path, root: Path | None) -> AuditedRun:
    """Load what a person means by a run, in the environment that a local training has.

    Args:
        run: The output folder of a local run, or a rollouts artifact.
        root: Where its artifacts lie; None finds them in a local run.

    Raises:
        ArtifactError: There are no rollouts, or an artifact that they were made from is missing or changed.
    """
    # Set before torch is loaded: other sums of an embedding differ in the last bits.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    folder = find_rollouts(run)
    return AuditedRun.load(folder, root or artifacts_root(folder))


def print_derivation(derivation: Derivation, console: Console) -> None:
    """Print how one rollout came by its reward."""
    for block in (_question(derivation), _answer(derivation), _group(derivation), _parts(derivation)):
        console.print(block)
    for line in (*_sums(derivation), _agreement(derivation)):
        console.print(plain_text(line))


def print_replay(replay: Replay, tolerance: float, console: Console) -> None:
    """Print what a replay found.

    Args:
        replay: What it found.
        tolerance: The largest difference that is let pass.
        console: Where to print.
    """
    versions = f"judged by verifier {_names(replay.judged_by)}, replayed by {_names(replay.replayed_by)}"
    console.print(plain_text(f"{replay.num_rollouts} rollouts, {versions}"))
    console.print(plain_text(f"{replay.num_equal} equal to the last bit"))
    console.print(plain_text(f"largest difference {_number(replay.largest_difference)}"))
    beyond = replay.beyond(tolerance)
    for difference in beyond[:_SHOWN]:
        console.print(plain_text(f"  {_difference(difference)}"))
    if len(beyond) > _SHOWN:
        console.print(plain_text(f"  and {len(beyond) - _SHOWN} more numbers"))


def _question(derivation: Derivation) -> Text:
    example, row = derivation.example, derivation.stored
    facts = [example.answer_type.value, "verifiable" if example.verifiable else "not verifiable"]
    facts += [f"unit {example.unit}"] if example.unit else []
    facts += [f"{example.precision} decimals"] if example.precision is not None else []
    lines = [
        f"rollout {derivation.rollout}: step {row['step']}, example {example.id} ({', '.join(facts)})",
        f"question    {example.question}",
        f"references  {' | '.join(example.references)}",
    ]
    if example.choices:
        lines.append(f"choices     {' | '.join(example.choices)}")
    return plain_text("\n".join(lines))


def _answer(derivation: Derivation) -> Text:
    row = derivation.stored
    cut = ", cut off at the longest length allowed" if row["truncated"] else ""
    lines = [
        f"completion  {row['length_tokens']} tokens{cut}",
        *(f"  {line}" for line in row["completion"].split("\n")),
        f"extracted   {'nothing' if row['extracted'] is None else row['extracted']}",
        f"verdict     {_verdict(row)} by {row['rule'] or 'no rule'}, confidence {_number(row['confidence'])}",
        f"flags       {', '.join(row['flags']) or 'none'}",
    ]
    return plain_text("\n".join(lines))


def _group(derivation: Derivation) -> Table:
    reference = derivation.reference_length
    held_against = "no length to compare with" if reference is None else f"L_ref {_number(reference)} tokens"
    table = Table(
        "", "tokens", "verdict", "correct", *PARTS, "total", title=f"the group: {held_against}", title_justify="left"
    )
    for place, (row, correct) in enumerate(zip(derivation.group, derivation.correct, strict=True)):
        table.add_row(
            "this" if place == derivation.place else "",
            str(row["length_tokens"]),
            _verdict(row),
            {True: "yes", False: "no", None: "unknown"}[correct],
            *(_number(row[column]) for column in CREDITED.values()),
            _number(row["total"]),
        )
    return table


def _parts(derivation: Derivation) -> Table:
    row = derivation.stored
    names = ("part", "value", "counted for", "recomputed", "weight", "adds", "why")
    table = Table(*names, title="the reward", title_justify="left")
    for part, weight in _weights(derivation).items():
        credited = row[CREDITED[part]]
        table.add_row(
            part,
            _number(row[part]),
            _number(credited),
            _number(derivation.recomputed[CREDITED[part]]),
            _number(weight),
            _number(weight * credited),
            plain_text(_why(derivation, part)),
        )
    return table


def _sums(derivation: Derivation) -> Iterator[str]:
    row, again = derivation.stored, derivation.recomputed
    terms = " + ".join(f"{_number(w)} * {_number(row[CREDITED[part]])}" for part, w in _weights(derivation).items())
    yield f"total       {terms} = {_number(row['total'])} (recomputed {_number(again['total'])})"
    yield f"group mean  {_number(derivation.mean_total)}"
    advantage = f"{_number(row['advantage'])} (recomputed {_number(again['advantage'])})"
    yield f"advantage   {advantage}: {_SCALES[derivation.scale]}"
    yield f"portfolio   {json.dumps(derivation.rewards.identity(), ensure_ascii=False)}"


def _agreement(derivation: Derivation) -> str:
    stored, again = derivation.stored, derivation.recomputed
    differences = [name for name in NUMBERS if stored[name] != again[name]]
    if not differences:
        return "recomputed  every number the same to the last bit"
    named = ", ".join(f"{name} {_number(again[name])} (stored {_number(stored[name])})" for name in differences)
    return f"recomputed  differs: {named}"


def _why(derivation: Derivation, part: str) -> str:
    row, settings = derivation.stored, derivation.rewards.identity()
    policies = [f"{name} {settings[name]}" for name in _POLICIES if name in settings]
    policy = f"; {', '.join(policies)}" if policies else ""
    if part in row["not_applicable"]:
        return f"does not apply: {row['not_applicable'][part]}{policy}"
    return "as it is" if row[part] == row[CREDITED[part]] else f"changed by the portfolio{policy}"


def _weights(derivation: Derivation) -> dict[str, float]:
    return {part: getattr(derivation.rewards.weights, part) for part in PARTS}


def _verdict(row: dict[str, Any]) -> str:
    return {True: "right", False: "wrong", None: "none"}[row["verdict"]]


def _difference(difference: Difference) -> str:
    stored, again = _number(difference.stored), _number(difference.recomputed)
    return f"rollout {difference.rollout}: {difference.column} is stored as {stored}, recomputed as {again}"


def _number(value: float | bool | None) -> str:
    """All digits of a number, as they distinguish it from every other."""
    if value is None or isinstance(value, bool):
        return "none" if value is None else str(value).lower()
    return "infinite" if math.isinf(value) else repr(float(value))


def _names(versions: frozenset[str]) -> str:
    return ", ".join(sorted(versions))
