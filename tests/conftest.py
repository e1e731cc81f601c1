"""Small real artifacts that several tests read; made once a session, never written to."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from components.core.config import parse_config
from components.curation.config import CurationConfig
from components.curation.curate import curate

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
settings.register_profile("patient", deadline=None)  # a busy machine is no failure
settings.load_profile("patient")


def quickstart_curation(train: int = 20, heldout: int = 3) -> CurationConfig:
    """Curation of a small quickstart corpus."""
    sources = [{"kind": "quickstart", "train": train, "heldout": heldout}]
    return parse_config(CurationConfig, {"sources": sources}, "test")


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset artifact: 20 training and 3 held-out examples of each kind."""
    folder = tmp_path_factory.mktemp("dataset")
    curate(folder / "dataset", folder / "quarantine", quickstart_curation(), seed=0)
    return folder / "dataset"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones first, so that processes that share the tests end at about the same time."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
