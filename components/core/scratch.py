"""Scratch: a folder that outlives a killed step, so that its retry goes on where it was.

Where it lies is no part of what an artifact is: HARMO_SCRATCH names it, a local run sets it to a folder beside its
artifacts, and on a cluster it is a volume.
"""

import os
from pathlib import Path

VARIABLE = "HARMO_SCRATCH"


def scratch_folder(purpose: str) -> Path | None:
    """A folder for a purpose, made if need be; None where there is no scratch.

    Args:
        purpose: Name of the folder: journal …
    """
    root = os.environ.get(VARIABLE)
    if not root:
        return None
    folder = Path(root) / purpose
    folder.mkdir(parents=True, exist_ok=True)
    return folder
