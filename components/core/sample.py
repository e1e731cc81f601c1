"""Sample: what a policy answered to one question of a benchmark, and how it was judged.

An evaluation's samples are all that statistics, decision and report rest on: each can be made again from them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SAMPLES = "samples.parquet"

# Flags: what a reader should know of a sample.
NO_ANSWER = "no answer"
"""Nothing could be extracted from the response."""
FALLBACK = "fallback"
"""The official rule guessed where it found no answer."""
UNDECIDED = "undecided"
"""The rule could not judge within its limits."""
TRUNCATED = "truncated"
"""The response was cut at the longest length allowed."""
REPETITION = "repetition"
"""The response ends in a loop."""
RESIZED = "resized"
"""An image was scaled down further than the policy's own bound, so that the prompt fits."""
NOT_GENERATED = "not generated"
"""There is no response: a broken image, a prompt that does not fit, or a model that failed on it."""
SCORER_FAILED = "scorer failed"
"""The rule raised an exception; the answer counts as wrong."""

# Categories: what came of a question, one a sample.
RIGHT, PARTLY_RIGHT, WRONG = "right", "partly right", "wrong"
CATEGORIES = (RIGHT, PARTLY_RIGHT, WRONG, "near miss", "extraction", NO_ANSWER, TRUNCATED, NOT_GENERATED)
"""near miss: a number or a text close to a reference; extraction: a reference stands in the response, but something
else was taken for the answer."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One question, answered and judged."""

    benchmark: str
    family: str
    id: str
    """The question's id in its benchmark."""
    cluster: str
    groups: Mapping[str, str] = field(default_factory=dict)
    question: str
    """The benchmark's prompt, with <image> where an image stands."""
    prompt: str
    """What the model was sent, chat template and all; "" where nothing was."""
    references: tuple[str, ...]
    completion: str
    """The response, as it came; "" where there is none."""
    extracted: str | None
    """What was compared with the references under `strict`."""
    score: float
    """0..1 by the official rule; where that draws at random, what it gives on average."""
    strict: float
    """0..1 by the saner variant of the rule: nothing is paid for a guess of the rule's own; where there is no variant,
    the same as score."""
    rule: str
    """What decided."""
    flags: tuple[str, ...] = ()
    category: str
    """One of CATEGORIES."""
    problem: str = ""
    """What went wrong, where there is no response or the rule failed."""
    format: bool
    """Whether the response keeps to the format that training rewards."""
    length_tokens: int
    """Of the response."""
    prompt_tokens: int
    """With the image's."""


METRICS = ("score", "strict")


def write_samples(samples: Iterable[Sample], path: Path) -> None:
    """Write samples as Parquet, in order."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist([_to_row(sample) for sample in samples], schema=_schema()), path)


def read_samples(evaluation: Path) -> list[Sample]:
    """The samples of an evaluation's folder, in order."""
    import pyarrow.parquet as pq

    return [_from_row(row) for row in pq.read_table(evaluation / SAMPLES).to_pylist()]


def _to_row(sample: Sample) -> dict[str, Any]:
    groups = json.dumps(dict(sample.groups), ensure_ascii=False, sort_keys=True)
    return {**sample.__dict__, "groups": groups}


def _from_row(row: Mapping[str, Any]) -> Sample:
    tuples = {name: tuple(row[name]) for name in ("references", "flags")}
    return Sample(**{**row, **tuples, "groups": json.loads(row["groups"])})


def _schema() -> Any:
    import pyarrow as pa

    texts = dict.fromkeys(
        ("benchmark", "family", "id", "cluster", "groups", "question", "prompt", "completion", "extracted", "rule",
         "category", "problem"),
        pa.string(),
    )  # fmt: skip
    lists = dict.fromkeys(("references", "flags"), pa.list_(pa.string()))
    numbers = {
        **dict.fromkeys(("score", "strict"), pa.float64()),
        **dict.fromkeys(("length_tokens", "prompt_tokens"), pa.int64()),
        "format": pa.bool_(),
    }
    return pa.schema(list({**texts, **lists, **numbers}.items()))
