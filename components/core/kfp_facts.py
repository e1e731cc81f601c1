"""The quirks of Kubeflow Pipelines 2.17 that the project works around, in one place; nothing else knows them.

Seen on a real 2.17:
* NaN or infinity in a metric, and None in artifact metadata, fail a step after its work.
* A Metrics artifact without a file is never a local cache hit, and is a warning on a cluster.
* A final status is COMPLETE on a cluster, SUCCEEDED locally, and never carries the error's text.
* An input artifact's metadata carries `store_session_info`, which names the object store.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

_SUCCESS_STATES = ("COMPLETE", "SUCCEEDED")


class MetricsLike(Protocol):
    """What is used of kfp.dsl.Metrics."""

    path: str

    def log_metric(self, metric: str, value: float) -> None:
        """Record a scalar."""


class ArtifactLike(Protocol):
    """What is used of kfp.dsl.Artifact."""

    path: str
    metadata: dict[str, Any]


def log_metrics(artifact: MetricsLike, metrics: Mapping[str, float]) -> None:
    """Log the finite metrics as scalars, and write all of them to the artifact's file.

    Args:
        artifact: A Metrics output.
        metrics: Values by name; one that is not finite is written to the file as a string only.
    """
    for name, value in metrics.items():
        if math.isfinite(value):
            artifact.log_metric(name, float(value))
    shown = {name: value if math.isfinite(value) else str(value) for name, value in metrics.items()}
    path = Path(artifact.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(shown, indent=2, sort_keys=True), encoding="utf-8")


def describe(artifact: ArtifactLike, metadata: Mapping[str, str | float]) -> None:
    """Put flat metadata on an output artifact."""
    artifact.metadata.update(metadata)


def run_succeeded(state: str) -> bool:
    """Whether a PipelineTaskFinalStatus state means success; on a cluster RUNNING can mean a timeout."""
    return state in _SUCCESS_STATES


def store_endpoint(metadata: Mapping[str, Any]) -> str:
    """The object store's endpoint address, from an input artifact's metadata; "" where it names none."""
    session = metadata.get("store_session_info")
    if not session:
        return ""
    parameters = json.loads(session).get("Params", {})
    endpoint = str(parameters.get("endpoint", ""))
    if not endpoint or "://" in endpoint:
        return endpoint
    insecure = str(parameters.get("disableSSL", "false")).lower() == "true"
    return f"{'http' if insecure else 'https'}://{endpoint}"
