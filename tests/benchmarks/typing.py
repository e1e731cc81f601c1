"""What typing costs and what it proves: golds of both mixes and of plain ones, distinct, nothing remembered.

Prints, for each workload, rows a second by CPU and wall time (one process and the sandbox's workers), the share of
golds whose labelled type is proven where it is stated, the share for which the same type is found where it is not, and
what became of the others. The mixes' labels are certain by construction (`mix`, `mix_heldout`).

    python -m tests.benchmarks.typing [--list-others]
"""

import argparse
import resource
import time
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from components.curation.candidate import Candidate, Rejection
from components.curation.schema import SchemaStep
from components.curation.typing_step import TypingStep
from components.curation.wording_step import WordingStep
from components.rewards.rule import clear_caches, verify
from tests.benchmarks import mix, mix_heldout

_SHARD = 1000


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list-others", action="store_true", help="print golds whose type is not the labelled one")
    arguments = parser.parse_args()
    verify("x+1", ["x + 1"], "expression")  # type: ignore[arg-type]
    for name, rows in (("plain", plain_rows(8000)), ("mix", _rows(mix, 3000)), ("held-out", _rows(mix_heldout, 3000))):
        for stated in (True, False):
            _report(name, rows, stated, arguments.list_others)


def plain_rows(count: int) -> list[dict[str, Any]]:
    """Golds as most sets have them: integers, decimals, fractions, percents, quantities, letters, words; distinct."""
    rng = Random(3)
    makers = (
        lambda: ("number", str(rng.randint(-99999, 99999))),
        lambda: ("number", f"{rng.uniform(0, 999):.3f}"),
        lambda: ("number", rf"\frac{{{rng.randint(1, 999)}}}{{{rng.randint(2, 999)}}}"),
        lambda: ("number", f"{rng.randint(1, 99999) / 100}%"),
        lambda: ("number", f"{rng.randint(1, 99999)} cm"),
        lambda: ("short_text", "".join(rng.choices("abcdefghijklmnoprstuvw", k=7)) + " sign"),
    )
    golds = dict.fromkeys(makers[place % len(makers)]() for place in range(count))
    return [_row(answer_type, gold) for answer_type, gold in golds]


def _rows(source: Any, count: int) -> list[dict[str, Any]]:
    rows = {
        (item.reference, item.choices, item.unit, item.precision): _row(
            item.answer_type, item.reference, item.choices, item.unit, item.precision
        )
        for item in source.make_mix(count, seed=11)
    }
    return list(rows.values())


def _row(
    answer_type: str, gold: str, choices: Sequence[str] = (), unit: str = "", precision: int | None = None
) -> dict[str, Any]:
    texts = {"question": "What is asked?", "references": gold, "choices": choices, "unit": unit, "task": "math"}
    return {"images": [b"x"], **texts, "precision": precision, "answer_type": answer_type}


def _report(name: str, rows: Sequence[dict[str, Any]], stated: bool, list_others: bool) -> None:
    schema, wording, step = SchemaStep(), WordingStep(), TypingStep()
    raw = [row if stated else {**row, "answer_type": ""} for row in rows]
    candidates = [wording(schema(row, name, place)) for place, row in enumerate(raw)]
    clear_caches()
    cpu, wall = _cpu(), time.perf_counter()
    outcomes: list[Candidate | Rejection] = []
    for start in range(0, len(candidates), _SHARD):
        outcomes += step.together(candidates[start : start + _SHARD])
    cpu, wall = _cpu() - cpu, time.perf_counter() - wall
    fates = [_fate(outcome, row["answer_type"]) for outcome, row in zip(outcomes, rows, strict=True)]
    share = sum(fate == "as labelled" for fate in fates) / len(rows)
    print(
        f"{name:9} {'stated' if stated else 'not stated':10} {len(rows):5} golds  {len(rows) / cpu:7.0f} a second CPU"
    )
    print(f"{'':20} {len(rows) / wall:7.0f} a second wall  {share:.4f} as labelled  {dict(Counter(fates))}")
    if list_others:
        for row, fate, outcome in zip(rows, fates, outcomes, strict=True):
            if fate != "as labelled":
                print(
                    "   ",
                    row["references"],
                    row["choices"],
                    row["unit"],
                    "|",
                    row["answer_type"],
                    "|",
                    fate,
                    "|",
                    outcome if isinstance(outcome, Rejection) else outcome.flags,
                )


def _fate(outcome: Candidate | Rejection, labelled: str) -> str:
    if isinstance(outcome, Rejection):
        return outcome.reason
    found = outcome.example.answer_type.value
    return "as labelled" if found == labelled else found


def _cpu() -> float:
    """Seconds of this process; a sandbox's workers count when they end, so they are left out."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
