"""The report as one HTML file that opens offline.

Model output, questions and flags are hostile text: the template escapes them, the browsers' JSON is escaped for a
script element and put into the page as text alone, and a content security policy forbids any script but the
report's own and any request.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.comparison import POLICIES
from components.core.sample import METRICS
from components.release import words
from components.release.browser import browser_data, categories_of, flags_of
from components.release.counters import category_rows, counters_of, span_of
from components.release.plots import curve_plots, forest_plot, length_plot, score_plot
from components.release.report_data import OUTCOMES, ReportData

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent


def render_report(data: ReportData) -> str:
    """Render the report.

    Args:
        data: Everything that the report shows; scores and shares in 0..1 are shown in points (0..100).

    Returns:
        A whole HTML document, without any reference to another file or host.
    """
    return _environment().get_template("report.html.j2").render(**_page(), **_plots(data), **_content(data))


def _page() -> dict[str, Any]:
    from markupsafe import Markup

    style, script = ((_FOLDER / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return {"style": Markup(style), "script": Markup(script), "script_hash": digest}


def _plots(data: ReportData) -> dict[str, Any]:
    from markupsafe import Markup

    comparison = data.comparison
    members = data.benchmarks_by_family()
    return {
        "score_plot": Markup(score_plot(comparison.overall, comparison.families)),
        "forest_plot": Markup(forest_plot(comparison.overall, comparison.families, comparison.benchmarks, members)),
        "curve_plots": {name: Markup(plot) for name, plot in curve_plots(data.curves).items()},
        "length_plot": Markup(length_plot(data.lengths)),
    }


def _content(data: ReportData) -> dict[str, Any]:
    comparison = data.comparison
    return {
        "report": data,
        "comparison": comparison,
        "members": data.benchmarks_by_family(),
        "infos": {info.name: info for info in data.suite},
        "policies": POLICIES,
        "outcomes": OUTCOMES,
        "metrics": METRICS,
        "metric_words": words.METRIC_WORDS,
        "flags": flags_of(data.samples),
        "categories": categories_of(data.samples),
        "counters": counters_of(comparison.health),
        "category_rows": category_rows(comparison.categories),
        "control_words": words.control_words(comparison.overall),
        "fallen_words": words.fallen_words(comparison.benchmarks),
        "reward_words": words.reward_words(data.reward_time),
        "recipe": json.dumps(data.recipe, indent=2, ensure_ascii=False, default=str),
        "browsers": browser_data(data),
    }


def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (
        *(words.points, words.signed, words.interval, words.number, words.trend),
        *(words.percent, words.p_value, words.share, words.duration, span_of),
    )
    environment.filters |= {filter_.__name__: filter_ for filter_ in filters}
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return environment
