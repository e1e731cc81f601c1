"""What the sample and rollout browsers of the page read: an index to filter by, and texts and images in pieces.

A page with thousands of samples opens fast because only the index is parsed at once; a piece is when it is shown, or
when its text is searched.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.core.comparison import POLICIES
from components.core.sample import CATEGORIES
from components.release.report_data import (
    OUTCOMES,
    AnswerView,
    ReportData,
    RolloutGroupView,
    RolloutView,
    SampleView,
)
from components.release.report_json import finite
from components.rewards.portfolio import PARTS

TEXT_BYTES = 48_000_000
"""What the texts of the samples may take as JSON; what is beyond it is in samples.jsonl alone."""
SAMPLES_A_PIECE, IMAGES_A_PIECE = 100, 50
_FORMATS = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"RIFF": "webp", b"BM": "bmp"}


@dataclass(frozen=True)
class BrowserData:
    """The browsers' content, as JSON values."""

    head: Mapping[str, Any]
    """What the filters need: names, and for every sample its numbers; and the rollout groups."""
    samples: Sequence[Sequence[Any]]
    """The samples, SAMPLES_A_PIECE to a piece."""
    images: Sequence[Sequence[str]]
    """The distinct images as data URIs, IMAGES_A_PIECE to a piece; samples and groups name them by their place."""


def browser_data(data: ReportData, budget: int = TEXT_BYTES) -> BrowserData:
    """The browsers' content.

    Args:
        data: The whole report.
        budget: Bytes of JSON that the samples may take; those whose outcome changed come first, then the flagged.
    """
    metric, images = data.comparison.metric, _Images()
    index, rows = _Index(metric), []
    for sample, row in _within(data.samples, metric, budget):
        index.add(sample)
        rows.append({**row, "images": images.places(sample.images)})
    head = {
        "policies": POLICIES,
        "parts": PARTS,
        "metric": metric,
        "outcomes": OUTCOMES,
        "total": len(data.samples),
        "samplesAPiece": SAMPLES_A_PIECE,
        "imagesAPiece": IMAGES_A_PIECE,
        "index": index.content(),
        "groups": [_group(group, images) for group in data.rollout_groups],
    }
    return BrowserData(finite(head), _pieces(rows, SAMPLES_A_PIECE), _pieces(images.uris(), IMAGES_A_PIECE))


def flags_of(samples: Iterable[SampleView]) -> list[str]:
    """Every flag that an answer has, sorted."""
    return sorted({flag for sample in samples for answer in sample.answers.values() for flag in answer.flags})


def categories_of(samples: Iterable[SampleView]) -> list[str]:
    """Every category, the known ones first."""
    found = {answer.category for sample in samples for answer in sample.answers.values()}
    return [*CATEGORIES, *sorted(found - set(CATEGORIES))]


class _Numbers:
    """Gives each distinct value a number, in the order of their coming."""

    def __init__(self) -> None:
        self.values: dict[Any, int] = {}

    def of(self, value: Any) -> int:
        return self.values.setdefault(value, len(self.values))


@dataclass
class _Index:
    """Columns with a number for each sample: what the filters look at."""

    metric: str
    names: dict[str, _Numbers] = field(
        default_factory=lambda: {key: _Numbers() for key in ("benchmarks", "flags", "categories", "groups")}
    )
    benchmark: list[int] = field(default_factory=list)
    outcome: list[int] = field(default_factory=list)
    groups: list[list[int]] = field(default_factory=list)
    flags: dict[str, list[list[int]]] = field(default_factory=lambda: {policy: [] for policy in POLICIES})
    category: dict[str, list[int]] = field(default_factory=lambda: {policy: [] for policy in POLICIES})

    def add(self, sample: SampleView) -> None:
        names = self.names
        self.benchmark.append(names["benchmarks"].of((sample.benchmark, sample.family)))
        self.outcome.append(OUTCOMES.index(sample.outcome(self.metric)))
        self.groups.append([names["groups"].of((sample.benchmark, *item)) for item in sample.groups.items()])
        for policy, answer in sample.answers.items():
            self.flags[policy].append([names["flags"].of(flag) for flag in answer.flags])
            self.category[policy].append(names["categories"].of(answer.category))

    def content(self) -> dict[str, Any]:
        columns = {key: getattr(self, key) for key in ("benchmark", "outcome", "groups", "flags", "category")}
        return {"names": {key: list(numbers.values) for key, numbers in self.names.items()}, **columns}


class _Images:
    """Gives each distinct image one place, so that it is embedded once."""

    def __init__(self) -> None:
        self._places = _Numbers()

    def places(self, images: Sequence[bytes]) -> list[int]:
        return [self._places.of(image) for image in images]

    def uris(self) -> list[str]:
        return [_data_uri(image) for image in self._places.values]


def _data_uri(image: bytes) -> str:
    kind = next((f"image/{name}" for magic, name in _FORMATS.items() if image.startswith(magic)), "")
    return f"data:{kind or 'application/octet-stream'};base64,{base64.b64encode(image).decode()}"


def _within(samples: Sequence[SampleView], metric: str, budget: int) -> list[tuple[SampleView, dict[str, Any]]]:
    """The samples that fit into the budget, in their order, with their rows; which ones is decided by their rank."""
    rows: dict[int, dict[str, Any]] = {}
    for place in sorted(range(len(samples)), key=lambda place: samples[place].rank(metric)):
        row = finite(_sample(samples[place], metric))
        budget -= _size(row)
        if budget < 0:
            break
        rows[place] = row
    return [(samples[place], rows[place]) for place in sorted(rows)]


def _size(row: Mapping[str, Any]) -> int:
    """Bytes of a row in the page, where what could end a script element is written in six characters."""
    text = json.dumps(row, separators=(",", ":"))
    return len(text) + 5 * sum(map(text.count, "<>&'"))


def _pieces(rows: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _prompts(sample: SampleView) -> dict[str, str]:
    """What was sent, by policy; under "all" where every policy was sent the same."""
    sent = {policy: answer.prompt for policy, answer in sample.answers.items()}
    return {"all": next(iter(sent.values()))} if len(set(sent.values())) == 1 else sent


def _sample(sample: SampleView, metric: str) -> dict[str, Any]:
    return {
        "id": sample.id,
        "benchmark": sample.benchmark,
        "family": sample.family,
        "groups": sample.groups,
        "change": sample.change(metric),
        "outcome": sample.outcome(metric),
        "note": sample.images_note,
        "question": sample.question,
        "references": sample.references,
        "prompts": _prompts(sample),
        "answers": {policy: _answer(sample.answers[policy]) for policy in POLICIES},
    }


def _answer(answer: AnswerView) -> dict[str, Any]:
    return {
        "text": answer.text,
        "extracted": answer.extracted,
        "score": answer.score,
        "strict": answer.strict,
        "rule": answer.rule,
        "category": answer.category,
        "problem": answer.problem,
        "parts": answer.parts,
        "notApplicable": answer.not_applicable,
        "flags": answer.flags,
        "tokens": answer.length_tokens,
        "promptTokens": answer.prompt_tokens,
    }


def _group(group: RolloutGroupView, images: _Images) -> dict[str, Any]:
    return {
        "step": group.step,
        "images": images.places(group.images),
        "question": group.question,
        "references": group.references,
        "rollouts": [_rollout(rollout) for rollout in group.rollouts],
    }


def _rollout(rollout: RolloutView) -> dict[str, Any]:
    return {
        "text": rollout.completion,
        "total": rollout.total,
        "parts": rollout.parts,
        "notApplicable": rollout.not_applicable,
        "advantage": rollout.advantage,
        "rule": rollout.rule,
    }
