"""The report bundle: report.html, report.md, report.json and the samples, as an artifact and under a stable key."""

import json
from dataclasses import asdict
from pathlib import Path

from components.core.artifact import Manifest, seal
from components.release.gather import RunArtifacts, gather
from components.release.markdown import report_markdown
from components.release.render import render_report
from components.release.report_data import ReportData
from components.release.report_json import finite, report_json

REPORT = "report.html"
# Within JSON these stand in strings alone; some readers of lines would end a line there.
_LINE_ENDS = {ord(character): f"\\u{ord(character):04x}" for character in "\x85\u2028\u2029"}


def write_bundle(run: RunArtifacts, output: Path, pipeline: str, run_id: str) -> Manifest:
    """Write the report bundle.

    Args:
        run: The artifact folders of the run.
        output: Folder for the report artifact.
        pipeline: Name of the pipeline.
        run_id: Name of the run.

    Raises:
        ArtifactError: An artifact of the run is missing or changed.
    """
    data, manifests = gather(run, pipeline, run_id)
    output.mkdir(parents=True, exist_ok=True)
    (output / REPORT).write_text(render_report(data), encoding="utf-8")
    (output / "report.md").write_text(report_markdown(data), encoding="utf-8")
    content = json.dumps(report_json(data), indent=2, ensure_ascii=False, allow_nan=False)
    (output / "report.json").write_text(content, encoding="utf-8")
    _write_samples(data, output / "samples.jsonl")
    return seal(output, "report", {"pipeline": pipeline}, manifests)


def _write_samples(data: ReportData, path: Path) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for sample in data.samples:
            row = {
                "benchmark": sample.benchmark,
                "id": sample.id,
                "family": sample.family,
                "groups": dict(sample.groups),
                "question": sample.question,
                "references": list(sample.references),
                "answers": {policy: asdict(answer) for policy, answer in sample.answers.items()},
            }
            stream.write(json.dumps(finite(row), ensure_ascii=False).translate(_LINE_ENDS) + "\n")
