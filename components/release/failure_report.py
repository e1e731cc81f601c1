"""The failure report: what the exit task leaves when a run did not succeed."""

from html import escape
from pathlib import Path

from components.core.failures import FailureNote, gather_failures
from components.core.kfp_facts import run_succeeded

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
pre{{white-space:pre-wrap;background:#f4f4f4;color:#222;padding:1rem}}</style>
<h1>{title}</h1><p>{summary}</p>{notes}</html>
"""
_MENDED = "Finished artifacts are intact; after mending the cause, run again: finished steps are taken from the cache."
_ELSEWHERE = (
    "The run ended in state {state}. Kubeflow passes no error text on: open the failed step's log in the run's graph, "
    "or read the object executor-logs-0 of the step below v2/artifacts/ in the object store. A step that timed out "
    "leaves no log there."
)


def write_failure_report(run: Path, output: Path, state: str, run_id: str) -> list[FailureNote]:
    """Write a page that says how the run ended.

    Args:
        run: The run's folder, searched for failure notes; on a cluster it holds only the exit task's own outputs.
        output: The page to write.
        state: The final status's state.
        run_id: Name of the run.

    Returns:
        The notes that were found.
    """
    notes = [] if run_succeeded(state) else gather_failures(run)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(_page(run_id, state, notes), encoding="utf-8")
    return notes


def _page(run_id: str, state: str, notes: list[FailureNote]) -> str:
    if run_succeeded(state):
        return _PAGE.format(title=f"Run {escape(run_id)} succeeded", summary="No step failed.", notes="")
    summary = _MENDED if notes else _ELSEWHERE.format(state=escape(state))
    shown = "".join(
        f"<h2>{escape(note.step)}: {escape(note.error)}</h2><pre>{escape(note.message)}</pre>" for note in notes
    )
    return _PAGE.format(title=f"Run {escape(run_id)} failed", summary=summary, notes=shown)
