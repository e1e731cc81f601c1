"""Scratch: a folder that outlives a killed step, so that its retry goes on where it was.

Where it lies is no part of what an artifact is: HARMO_SCRATCH names it, a local run sets it to a folder beside its
artifacts, and on a cluster it is a volume.
"""

import os
from pathlib import Path

from components.core.errors import StorageError, as_storage_error

VARIABLE = "HARMO_SCRATCH"


def scratch_folder(purpose: str) -> Path | None:
    """A folder for a purpose, made if need be; None where there is no scratch.

    Args:
        purpose: Name of the folder: journal, embeddings …

    Raises:
        StorageError: It cannot be made.
    """
    root = os.environ.get(VARIABLE)
    if not root:
        return None
    folder = Path(root) / purpose
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise as_storage_error(error, str(folder)) or StorageError(
            str(folder), str(error), f"Give {VARIABLE} a folder that can be written, or leave it out"
        ) from error
    return folder
