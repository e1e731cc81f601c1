"""A promoted policy becomes a versioned model folder with a model card."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.core.artifact import MANIFEST, Manifest, seal, verify
from components.core.comparison import COMPARISON
from components.release.words import METRIC_WORDS

CARD = "README.md"


def register(policy: Path, comparison: Path, output: Path, name: str) -> Manifest:
    """Register a policy.

    Args:
        policy: The policy artifact; must hold the weights themselves.
        comparison: The comparison that promoted it.
        output: Folder for the registered model.
        name: Name of the model.

    Returns:
        The manifest; `identity["version"]` is the version, the first 12 digits of the policy's fingerprint.

    Raises:
        ArtifactError: An input is not what it should be.
    """
    inputs = {"policy": verify(policy, "policy"), "comparison": verify(comparison, "comparison")}
    shutil.copytree(policy, output, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST))
    version = inputs["policy"].fingerprint[:12]
    content = json.loads((comparison / COMPARISON).read_text(encoding="utf-8"))
    (output / CARD).write_text(model_card(name, version, inputs["policy"], content), encoding="utf-8")
    return seal(output, "registered_model", {"name": name, "version": version}, inputs)


def model_card(name: str, version: str, policy: Manifest, comparison: dict[str, Any]) -> str:
    """The model card, Markdown with the front matter that model hubs read.

    Args:
        name: Name of the model.
        version: Its version.
        policy: The policy's manifest.
        comparison: The content of comparison.json.
    """
    lines = [
        "---",
        "pipeline_tag: image-text-to-text",
        "library_name: transformers",
        "tags: [grpo, hybrid-reward, harmo]",
        "---",
        "",
        f"# {name} {version}",
        "",
        "Aligned with GRPO on a portfolio of rewards: hybrid accuracy, length penalty, format.",
        "",
        "## Scores",
        "",
        f"In points (0 to 100), under {METRIC_WORDS[comparison['metric']]}.",
        "",
        *_table("family", {**comparison["families"], "overall": comparison["overall"]}),
        "",
        *_table("benchmark", comparison["benchmarks"]),
        "",
        *[f"- {reason}" for reason in comparison["reasons"]],
        "",
        "## Provenance",
        "",
        f"- policy fingerprint: `{policy.fingerprint}`",
        *[f"- {role}: `{reference.fingerprint}`" for role, reference in sorted(policy.inputs.items())],
        f"- code: {policy.code_version}",
        "",
        "```json",
        json.dumps(policy.identity, indent=2, sort_keys=True, ensure_ascii=False),
        "```",
        "",
    ]
    return "\n".join(lines)


def _table(first: str, rows: Mapping[str, dict[str, Any]]) -> list[str]:
    head = [f"| {first} | n | baseline | this model | gain (paired 95 % CI) |", "|---|---|---|---|---|"]
    return [*head, *(_table_row(name, row) for name, row in rows.items())]


def _table_row(name: str, row: dict[str, Any]) -> str:
    baseline, candidate = (f"{100 * row['scores'][policy]:.1f}" for policy in ("baseline", "candidate"))
    low, high = (f"{100 * bound:.1f}" for bound in row["difference_ci95"])
    return f"| {name} | {row['n']} | {baseline} | {candidate} | {100 * row['difference']:+.1f} [{low}, {high}] |"
