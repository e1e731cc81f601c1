"""The report bundle: report.html, report.json and the samples, as an artifact and under a stable key."""

import json
from pathlib import Path

from components.core.artifact import Manifest, seal
from components.release.gather import RunArtifacts, gather
from components.release.render import render_report
from components.release.report_data import ReportData
from components.release.report_json import report_json

REPORT = "report.html"


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
    content = json.dumps(report_json(data), indent=2, ensure_ascii=False, allow_nan=False)
    (output / "report.json").write_text(content, encoding="utf-8")
    _write_samples(data, output / "samples.jsonl")
    return seal(output, "report", {"pipeline": pipeline}, manifests)


def _write_samples(data: ReportData, path: Path) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for sample in data.samples:
            answers = {
                policy: {"text": answer.text, "extracted": answer.extracted, "score": answer.score}
                for policy, answer in sample.answers.items()
            }
            row = {
                "id": sample.id,
                "family": sample.family,
                "question": sample.question,
                "references": list(sample.references),
                "answers": answers,
            }
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
