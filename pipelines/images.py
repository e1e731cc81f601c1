"""Which image a step runs in, and what stands for the image where there is none.

On a cluster the image is pinned by digest and is part of KFP's cache key, so a new image re-runs its
steps. On a laptop there is no image: a fingerprint of the code that the step calls, and of the libraries
it is recorded with, takes its place in the key, since KFP does not look into library code.
"""

import hashlib
import os
import platform
from importlib import metadata
from pathlib import Path

import yaml

from components.core.code import code_fingerprint

_LOCK = Path(__file__).parent / "images.yaml"
_CODE_OF_STAGE = {
    "curation": ("core", "rewards", "curation"),
    "measuring": ("core", "rewards", "curation"),
    "surrogate": ("core", "rewards", "surrogate"),
    "training": ("core", "rewards", "training"),
    "evaluation": ("core", "rewards", "evaluation"),
    "release": ("core", "rewards", "release"),
}
ROLE_OF_STAGE = {
    "curation": "cpu",
    "measuring": "gpu",
    "surrogate": "cpu",
    "training": "gpu",
    "evaluation": "gpu",
    "release": "cpu",
}
"""The gpu image also runs without a GPU."""


def cluster_image(stage: str) -> str:
    """The image reference of a stage: HARMO_IMAGE_CPU or HARMO_IMAGE_GPU where set, else the lock's.

    Args:
        stage: curation, surrogate, training, evaluation or release.
    """
    role = ROLE_OF_STAGE[stage]
    locked: dict[str, str] = yaml.safe_load(_LOCK.read_text(encoding="utf-8"))
    return os.environ.get(f"HARMO_IMAGE_{role.upper()}") or locked[role]


def local_image(stage: str) -> str:
    """What stands for the image of a stage on a laptop; changes with its code and its libraries."""
    code = code_fingerprint(*_CODE_OF_STAGE[stage])
    versions = sorted(f"{item.name}=={item.version}" for item in metadata.distributions())
    libraries = hashlib.sha256("\n".join([platform.python_version(), *versions]).encode()).hexdigest()
    return f"python-local/{stage}:{code[:16]}-{libraries[:16]}"
