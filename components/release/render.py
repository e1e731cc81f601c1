"""The report as one HTML file that opens offline.

Model output, questions and flags are hostile text: the template escapes them, the browsers' JSON is escaped for a
script element and put into the page as text alone, and a content security policy forbids any script but the
report's own and any request.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.comparison import BASELINE, CANDIDATE, CONTROL, POLICIES, ScoreRow
from components.release.plots import curve_plots, length_plot, score_plot
from components.release.report_data import AnswerView, ReportData, RolloutGroupView, RolloutView, SampleView
from components.release.report_json import finite
from components.rewards.portfolio import PARTS

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent
_MINUS = "\u2212"
_FORMATS = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"RIFF": "webp", b"BM": "bmp"}


def render_report(data: ReportData) -> str:
    """Render the report.

    Args:
        data: Everything that the report shows; scores and shares in 0..1 are shown in points (0..100).

    Returns:
        A whole HTML document, without any reference to another file or host.
    """
    from markupsafe import Markup

    style, script = ((_FOLDER / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=data,
            policies=POLICIES,
            style=Markup(style),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            control_words=control_words(data.overall),
            fallen_words=fallen_words(data.families),
            reward_words=reward_words(data.reward_time),
            score_plot=Markup(score_plot(data.overall, data.families)),
            curve_plots={name: Markup(plot) for name, plot in curve_plots(data.curves).items()},
            length_plot=Markup(length_plot(data.lengths)),
            recipe=json.dumps(data.recipe, indent=2, ensure_ascii=False, default=str),
            browsers=browser_data(data),
        )
    )


def browser_data(data: ReportData) -> dict[str, Any]:
    """What the sample and rollout browsers read, as JSON values; samples and groups name images by their place."""
    images = _Images()
    content = {
        "policies": POLICIES,
        "parts": PARTS,
        "samples": [_sample(sample, images) for sample in data.samples],
        "groups": [_group(group, images) for group in data.rollout_groups],
        "images": images.uris(),
    }
    unfolded: dict[str, Any] = finite(content)
    return unfolded


def trend(row: ScoreRow) -> tuple[str, str]:
    """How the candidate stands to the baseline, as a word (rose, fell, unchanged) and what its interval adds."""
    if row.difference == 0:
        return "unchanged", ""
    low, high = row.difference_ci95
    return ("rose" if row.difference > 0 else "fell"), ("" if low > 0 or high < 0 else "interval includes 0")


def fallen_words(families: Mapping[str, ScoreRow]) -> str:
    """A sentence that names every family in which the candidate scored below the baseline; empty where none did."""
    fallen = [
        f"{name} {signed(row.difference)} points {interval(row.difference_ci95)}"
        + (f" ({trend(row)[1]})" if trend(row)[1] else "")
        for name, row in families.items()
        if trend(row)[0] == "fell"
    ]
    return f"Fell below the baseline: {'; '.join(fallen)}." if fallen else ""


def control_words(overall: ScoreRow) -> str:
    """Sentences on how much of the gain came without any accuracy reward, and how much with it."""
    reached = overall.scores[CONTROL] - overall.scores[BASELINE]
    low, high = overall.over_control_ci95
    doubt = "" if low > 0 or high < 0 else ", an interval that includes 0: no effect of the accuracy reward is shown"
    return (
        f"Without any accuracy reward the control moved by {signed(reached)} points against the baseline, the "
        f"candidate by {signed(overall.difference)}: {_share_words(reached, overall.difference)}. Candidate minus "
        f"control is {signed(overall.over_control)} points {interval(overall.over_control_ci95)}{doubt}."
    )


def _share_words(reached: float, gain: float) -> str:
    if gain <= 0:
        return "there is no gain to divide"
    share = "none" if reached <= 0 else "all" if reached >= gain else f"{100 * reached / gain:.0f} %"
    return f"format and length alone bring {share} of the gain"


def reward_words(reward_time: Mapping[str, Mapping[str, float]]) -> str:
    """A sentence on the share of a training step that the rewards took, by policy; empty where it was not timed."""
    shares = [
        f"{100 * time['reward_share']:.1f} % for the {policy} ({1000 * time['reward_seconds']:.3g} ms of "
        f"{time['step_seconds']:.3g} s)"
        for policy, time in reward_time.items()
        if time
    ]
    return f"Judging the rollouts took, of a training step's time, {' and '.join(shares)}." if shares else ""


def points(score: float) -> str:
    """A score (0..1) in points, one decimal."""
    return f"{_rounded(score):.1f}".replace("-", _MINUS)


def signed(difference: float) -> str:
    """A difference of scores (-1..1) in points with its sign, one decimal; what rounds to zero has none."""
    rounded = _rounded(difference)
    return f"{rounded:+.1f}".replace("-", _MINUS) if rounded else "0.0"


def interval(bounds: tuple[float, float]) -> str:
    """A confidence interval of scores or differences (-1..1) in points, as [low, high]."""
    return f"[{points(bounds[0])}, {points(bounds[1])}]"


def number(value: float) -> str:
    """A count as it is, any other number with three decimals."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3f}".replace("-", _MINUS)


def _rounded(score: float) -> float:
    """Points to one decimal; adding 0.0 drops the sign of a negative zero."""
    return round(100 * score, 1) + 0.0


def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {filter_.__name__: filter_ for filter_ in (points, signed, interval, number, trend)}
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return environment


class _Images:
    """Gives each distinct image one place, so that it is embedded once."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}

    def places(self, images: Sequence[bytes]) -> list[int]:
        return [self._places.setdefault(image, len(self._places)) for image in images]

    def uris(self) -> list[str]:
        return [_data_uri(image) for image in self._places]


def _data_uri(image: bytes) -> str:
    kind = next((f"image/{name}" for magic, name in _FORMATS.items() if image.startswith(magic)), "")
    return f"data:{kind or 'application/octet-stream'};base64,{base64.b64encode(image).decode()}"


def _sample(sample: SampleView, images: _Images) -> dict[str, Any]:
    change = sample.answers[CANDIDATE].score - sample.answers[BASELINE].score
    return {
        "id": sample.id,
        "family": sample.family,
        "outcome": "improved" if change > 0 else "regressed" if change < 0 else "unchanged",
        "change": change,
        "images": images.places(sample.images),
        "question": sample.question,
        "references": sample.references,
        "answers": {policy: _answer(sample.answers[policy]) for policy in POLICIES},
    }


def _answer(answer: AnswerView) -> dict[str, Any]:
    return {
        "text": answer.text,
        "extracted": answer.extracted,
        "score": answer.score,
        "parts": answer.parts,
        "notApplicable": answer.not_applicable,
        "flags": answer.flags,
        "tokens": answer.length_tokens,
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
