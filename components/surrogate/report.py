"""The surrogate's report as one HTML file that opens offline.

Questions, answers and references are hostile text: the template escapes them, and a content security policy forbids
any script and any request.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.artifact import Manifest
from components.surrogate import words
from components.surrogate.measurement import Measurement
from components.surrogate.plots import calibration_plot, coverage_plot

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent
FIT_METRICS = "metrics.json"
TRAINED_LIMIT, KEPT_OUT_LIMIT = 0.02, 0.25
"""Shares of canaries above which a kind is marked: of kinds seen in fitting, and of kinds kept out."""
_REASONS = 8
LIMITS = (
    "It compares an answer with references. Which of two right answers a person would prefer it cannot say, and a "
    "question without references it cannot score.",
    "An answer that is right in a way that no reference covers may look wrong, and a wrong reference makes wrong "
    "answers look right.",
    "It does not look at the picture: of what is seen it knows what the references say.",
    "Its cues for denials, contradictions and empty phrases are English; in another language it rests on the embedding "
    "alone, and is easier to fool.",
    "A score is the share of right answers among those of its like in the data that it was fitted on. Where right "
    "answers are rarer or wrong ones subtler, it is too sure of itself.",
    "The canaries are the ways to game a scorer that we know of. The kinds kept out of fitting tell best what an "
    "unknown one may earn.",
    "The intervals say how the figures would vary with other questions of the same kind; they say nothing of other "
    "kinds of questions.",
)
"""What a reader must not take the surrogate for."""


@dataclass(frozen=True)
class ReportFacts:
    """What was measured, and on what."""

    manifest: Manifest
    fit_metrics: Mapping[str, Any]
    """The scalars that fitting reported."""
    data_name: str
    data_digest: str
    """sha-256 of the rows' file, or the fingerprint of their artifact."""
    bad_lines: int = 0
    """Lines of the data that could not be read and are in no figure."""

    @classmethod
    def of(
        cls, folder: Path, manifest: Manifest, data_name: str, data_digest: str, bad_lines: int = 0
    ) -> "ReportFacts":
        """Read what fitting left in a surrogate's folder."""
        path = folder / FIT_METRICS
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        scalars = {key: value for key, value in found.items() if isinstance(value, int | float | str)}
        return cls(manifest, scalars, data_name, data_digest, bad_lines)


def render_report(facts: ReportFacts, measurement: Measurement | None) -> str:
    """Render the report.

    Args:
        facts: What was measured, and on what.
        measurement: The figures; None where the surrogate was not fitted, or nothing was held out to measure it on.

    Returns:
        A whole HTML document, without any script and any reference to another file or host.
    """
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            style=style(),
            facts=facts,
            limits=LIMITS,
            settings=json.dumps(facts.manifest.identity, indent=2, ensure_ascii=False),
            **(_content(measurement) if measurement else {"measurement": None}),
        )
    )


def _content(measurement: Measurement) -> dict[str, Any]:
    tables = [
        ("Kinds that it has seen in fitting", measurement.canaries_of(trained=True), TRAINED_LIMIT),
        ("Kinds kept out of fitting", measurement.canaries_of(trained=False), KEPT_OUT_LIMIT),
    ]
    return {
        "measurement": measurement,
        "figures": words.figure_cells(measurement),
        "figure_heads": words.FIGURE_HEADS,
        "headline": _headline(measurement),
        "calibration_plot": safe(calibration_plot(measurement.calibration)),
        "coverage_plot": safe(coverage_plot(measurement.coverage, measurement.figures)),
        "canary_tables": [table for table in tables if table[1]],
        "reasons": _reasons(measurement.abstains),
        "length": {
            "scores": words.with_interval("length_correlation", measurement.figures["length_correlation"]),
            "truth": measurement.truth_length_correlation,
        },
    }


def _reasons(abstains: Mapping[str, int]) -> dict[str, int]:
    """The most frequent reasons, and the others as one."""
    ranked = sorted(abstains.items(), key=lambda pair: -pair[1])
    rest = sum(count for _, count in ranked[_REASONS:])
    return dict(ranked[:_REASONS]) | ({"other reasons": rest} if rest else {})


def _headline(measurement: Measurement) -> list[tuple[str, str, str]]:
    """The three figures that a reader looks for first: words, value, and the cosine's beside it."""
    cosine = measurement.baselines["cosine"]
    beside = {
        "pairwise_accuracy": cosine["pairwise_accuracy"],
        "auc": cosine["auc"],
        "ece": None,
    }
    return [
        (
            words.FIGURES[name],
            words.with_interval(name, measurement.figures[name]),
            f"cosine {words.value(name, peer.value)}" if peer else "",
        )
        for name, peer in beside.items()
    ]


def style() -> Any:
    """The style sheet of the surrogate's pages, as markup."""
    return safe((_FOLDER / "report.css").read_text(encoding="utf-8"))


def safe(markup: str) -> Any:
    """Markup of this project's own making, which the template does not escape."""
    from markupsafe import Markup

    return Markup(markup)


def environment() -> "Environment":
    """The templates of the surrogate's pages; what they are given is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (words.share, words.clipped, words.canary_row, words.pooled, words.value)
    templates.filters |= {filter_.__name__: filter_ for filter_ in filters}
    return templates
