import json
import math
from pathlib import Path

import pytest

from components.core.kfp_facts import log_metrics, run_succeeded, store_endpoint


class RecordedMetrics:
    """A Metrics artifact as KFP's launcher treats it: a value that is not finite fails the step."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.logged: dict[str, float] = {}

    def log_metric(self, metric: str, value: float) -> None:
        if not math.isfinite(value):
            raise ValueError(f"invalid value {value}")
        self.logged[metric] = value


def test_metrics_that_are_not_finite_are_kept_in_the_file_only(tmp_path: Path) -> None:
    artifact = RecordedMetrics(tmp_path / "metrics")

    log_metrics(artifact, {"loss": math.nan, "reward": 0.5, "norm": math.inf})

    assert artifact.logged == {"reward": 0.5}
    assert json.loads((tmp_path / "metrics").read_text()) == {"loss": "nan", "norm": "inf", "reward": 0.5}


@pytest.mark.parametrize(
    ("state", "succeeded"), [("COMPLETE", True), ("SUCCEEDED", True), ("FAILED", False), ("RUNNING", False)]
)
def test_only_a_complete_run_succeeded(state: str, succeeded: bool) -> None:
    assert run_succeeded(state) is succeeded


@pytest.mark.parametrize(
    ("parameters", "endpoint"),
    [
        ({"endpoint": "store.kubeflow:9000", "disableSSL": "true"}, "http://store.kubeflow:9000"),
        ({"endpoint": "store.example", "disableSSL": "false"}, "https://store.example"),
        ({"endpoint": "http://store:1"}, "http://store:1"),
        ({}, ""),
    ],
)
def test_store_endpoint_is_read_from_session_info(parameters: dict[str, str], endpoint: str) -> None:
    session = json.dumps({"Provider": "minio", "Params": parameters})

    assert store_endpoint({"store_session_info": session}) == endpoint


def test_store_endpoint_of_a_local_artifact_is_empty() -> None:
    assert store_endpoint({}) == ""
