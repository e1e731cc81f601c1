"""A curation in a process of its own that ends itself, and all that it started, at a given moment.

python -m tests.curation.driven MOMENT SOURCE OUTPUT WORK; prints fingerprints and what was made and found made.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from components.curation import curate as stage
from components.curation.engine import _Mapper
from components.curation.work_folder import WorkFolder
from tests.curation.engine_rows import config_of

MOMENTS = {
    "first rows mapped": (_Mapper, "done", 2),
    "all mapped, before the reduction": (stage, "judge", 1),
    "first examples written": (WorkFolder, "add", 12),
    "files put into the dataset": (stage, "take", 3),
    "provenance": (stage, "_write_provenance", 1),
    "quarantine sealed, dataset not": (stage, "seal", 2),
}
"""What is called and how often, the last time being the end, by name."""


def end_at(moment: str) -> None:
    """Have this process group killed when something is called for the last time it may be."""
    owner, name, allowed = MOMENTS[moment]
    real, calls = getattr(owner, name), [0]

    def counted(*arguments: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == allowed:
            os.killpg(os.getpgrp(), signal.SIGKILL)
        return real(*arguments, **named)

    setattr(owner, name, counted)


def main(moment: str, source: str, output: str, work: str) -> None:
    if moment:
        end_at(moment)
    out = Path(output)
    result = stage.curate(out / "dataset", out / "quarantine", config_of(Path(source)), seed=0, work=Path(work))
    tallies = {"mapped": vars(result.mapped), "written": vars(result.written)}
    fingerprints = {"dataset": result.dataset.fingerprint, "quarantine": result.quarantine.fingerprint}
    print(json.dumps({**fingerprints, **tallies}))


if __name__ == "__main__":
    main(*sys.argv[1:])
