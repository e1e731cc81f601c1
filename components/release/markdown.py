"""The report's tables as Markdown: report.md, for a pull request, a wiki or a terminal."""

import re
from collections.abc import Callable, Iterable, Sequence

from components.core.comparison import POLICIES, ScoreRow
from components.core.sample import METRICS
from components.release.counters import FORMAT, PROMPT_TOKENS, TOKENS, category_rows, counters_of
from components.release.report_data import ReportData
from components.release.words import (
    METRIC_WORDS,
    control_words,
    duration,
    fallen_words,
    interval,
    number,
    p_value,
    percent,
    points,
    share,
    signed,
)

# An underscore within a word is no emphasis, and names are full of them.
_SPECIAL = re.compile(r"([\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_]))|^(?=[#+=-])|^(\d+)(?=[.)])")


def report_markdown(data: ReportData) -> str:
    """The verdict, the scores and what is to be known of them.

    Args:
        data: The whole report; its samples, rollouts and curves are not shown.
    """
    blocks = [
        *_verdict(data),
        *_scores(data),
        *_other_scores(data),
        *_breakdowns(data),
        *_health(data),
        *_categories(data),
        *_cost(data),
        *_provenance(data),
        *_limits(data),
    ]
    return "\n\n".join(blocks) + "\n"


def escaped(text: object) -> str:
    """Any text on one line, so that Markdown shows it as it is and it makes no element of HTML."""
    flat = " ".join(str(text).split())
    html = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(lambda found: f"{found[2] or ''}\\{found[1] or ''}", html)


def _verdict(data: ReportData) -> list[str]:
    overall = data.comparison.overall
    gain = f"{signed(overall.difference)} points {interval(overall.difference_ci95)}, {percent(overall.relative)}"
    return [
        f"# {escaped(data.pipeline)}: {'promoted' if data.comparison.promoted else 'not promoted'}",
        f"Run {escaped(data.run_id)}, {escaped(data.created_at)}, seed {data.seed}. Overall "
        f"{points(overall.scores['baseline'])} to {points(overall.scores['candidate'])}: {gain} relative.",
        _bullets(data.comparison.reasons),
    ]


def _scores(data: ReportData) -> list[str]:
    comparison = data.comparison
    head = (
        *("benchmark", "family", "n", *POLICIES, "candidate - baseline [95 % CI]", "relative", "p (Holm)"),
        *("wins / losses / ties", "detectable", "candidate - control [95 % CI]"),
    )
    rows = []
    for family, names in data.benchmarks_by_family().items():
        if len(names) > 1:
            rows.append([f"**{escaped(family)}, mean**", escaped(family), *_row(comparison.families[family])])
        rows += [[escaped(name), escaped(family), *_row(comparison.benchmarks[name])] for name in names]
    rows.append(["**overall**", "", *_row(comparison.overall)])
    return [
        "## Scores",
        f"In points (0 to 100), under {METRIC_WORDS[comparison.metric]}. {_fallen(data)}",
        _table(head, rows),
        escaped(control_words(comparison.overall)),
    ]


def _fallen(data: ReportData) -> str:
    """Which benchmarks fell, in words, or that none did."""
    return escaped(fallen_words(data.comparison.benchmarks) or "No benchmark fell below the baseline.")


def _row(row: ScoreRow) -> list[str]:
    detectable = "n/a" if row.minimal_detectable is None else points(row.minimal_detectable)
    return [
        str(row.n),
        *(points(row.scores[policy]) for policy in POLICIES),
        f"{signed(row.difference)} {interval(row.difference_ci95)}",
        percent(row.relative),
        p_value(row.p_adjusted).replace("<", "&lt;"),
        f"{row.wins} / {row.losses} / {row.ties}",
        detectable,
        f"{signed(row.over_control)} {interval(row.over_control_ci95)}",
    ]


def _other_scores(data: ReportData) -> list[str]:
    comparison = data.comparison
    if not comparison.other_scores:
        return []
    names = {"score": "official"}
    head = ("benchmark", *(f"{names.get(metric, metric)}: {policy}" for metric in METRICS for policy in POLICIES))
    rows = []
    for name in comparison.benchmarks:
        scores = [data.scores(name, metric).get(policy) for metric in METRICS for policy in POLICIES]
        rows.append([escaped(name), *("n/a" if score is None else points(score) for score in scores)])
    return ["## Official beside strict scores", _table(head, rows)]


def _breakdowns(data: ReportData) -> list[str]:
    blocks = []
    for benchmark, names in data.comparison.breakdowns.items():
        for name, groups in names.items():
            rows = [
                [
                    escaped(value),
                    str(row.n),
                    *(points(row.scores[policy]) for policy in POLICIES),
                    f"{signed(row.difference)} {interval(row.difference_ci95)}",
                ]
                for value, row in sorted(groups.items())
            ]
            head = (escaped(name), "n", *POLICIES, "candidate - baseline [95 % CI]")
            blocks += [f"### {escaped(benchmark)} by {escaped(name)}", _table(head, rows)]
    return ["## Breakdowns", *blocks] if blocks else []


def _health(data: ReportData) -> list[str]:
    health = data.comparison.health
    if not health:
        return []
    counters = counters_of(health)
    rows = [
        [
            escaped(benchmark),
            policy,
            *(share(shares.get(counter, 0.0)).replace("<", "&lt;") for counter in counters),
            _or_na(shares.get(FORMAT), points),
            _or_na(shares.get(TOKENS), number),
            _or_na(shares.get(PROMPT_TOKENS), number),
        ]
        for benchmark, policies in health.items()
        for policy, shares in policies.items()
    ]
    head = ("benchmark", "policy", *map(escaped, counters), "keeps to format", "mean tokens", "mean prompt tokens")
    return ["## Health", "Share of responses, in %.", _table(head, rows)]


def _categories(data: ReportData) -> list[str]:
    rows = category_rows(data.comparison.categories)
    if not rows:
        return []
    names = list(dict.fromkeys(name for row in rows for name in row.counts))
    body = [[escaped(row.benchmark), row.policy, *(str(row.counts.get(name, 0)) for name in names)] for row in rows]
    return ["## What came of the questions", _table(("benchmark", "policy", *map(escaped, names)), body)]


def _cost(data: ReportData) -> list[str]:
    rows = []
    for benchmark, policies in data.cost.items():
        for policy, cost in policies.items():
            seconds, made = cost.get("seconds"), cost.get("generated")
            rate = f"{made / seconds:.2f}" if seconds and made is not None else "n/a"
            counts = ("generated", "from_journal", "prompt_tokens", "completion_tokens", "batch_size")
            rows.append(
                [
                    *(escaped(benchmark), policy, _or_na(seconds, duration), rate),
                    *(_or_na(cost.get(key), number) for key in counts),
                ]
            )
    head = (
        *("benchmark", "policy", "wall time", "generated a second", "generated", "from the journal"),
        *("tokens in", "tokens out", "batch size"),
    )
    return ["## Cost", _table(head, rows)] if rows else []


def _provenance(data: ReportData) -> list[str]:
    head = ("benchmark", "source", "split", "version", "questions", "licence")
    rows = [
        [
            escaped(info.name),
            escaped(info.source),
            escaped(info.split),
            f"{info.version:g}",
            f"{info.questions} of {info.expected}" if info.expected else str(info.questions),
            escaped(info.licence),
        ]
        for info in data.suite
    ]
    artifacts = [[escaped(a.role), a.kind, f"`{a.fingerprint}`", escaped(a.code_version)] for a in data.artifacts]
    return [
        "## Provenance",
        _table(head, rows),
        _table(("role", "kind", "fingerprint", "code version"), artifacts),
    ]


def _limits(data: ReportData) -> list[str]:
    blocks = ["## Limits of this report", _bullets(data.limits)]
    for benchmark, sentences in data.benchmark_limits.items():
        blocks += [f"### {escaped(benchmark)}", _bullets(sentences)]
    return blocks


def _or_na(value: float | None, say: Callable[[float], str]) -> str:
    return "n/a" if value is None else say(value)


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {escaped(sentence)}" for sentence in sentences) or "None."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
