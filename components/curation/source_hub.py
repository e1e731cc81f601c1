"""Source hub: rows of a data set of the Hugging Face hub, at the commit that its revision stands for.

Images stay the bytes that were published: decoding is the business of the steps that check them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from components.core.errors import SourceError
from components.core.hub import ask_hub, resolve_commit
from components.curation.archives import ArchiveLimits, is_archive, open_archive
from components.curation.source_config import HubSource
from components.curation.source_files import one_file
from components.curation.source_images import FolderImages, ImageRoot, NoRoot
from components.curation.source_parts import Item, Part

_ROWS = 64  # a batch of a downloaded set
_REMEDY = "Check the configuration, the split, the network and HF_TOKEN, or use a local copy"


@dataclass(frozen=True)
class HubSet:
    """A data set that was found on the hub."""

    name: str
    commit: str
    part: Part
    columns: frozenset[str]
    """Names of its columns; none where they are not known before rows are read."""
    stated_count: int | None
    """Rows, as the set says of itself."""
    images: ImageRoot


def open_hub(source: HubSource, dataset: str, root: str) -> HubSet:
    """Find a data set.

    Args:
        source: Its settings.
        dataset: Its id.
        root: Folder or archive in its repository that image paths are relative to; "" where images are in the rows.

    Raises:
        SourceError: It is not to be had.
    """
    commit = resolve_commit("dataset", dataset, source.revision, SourceError)
    label = " ".join(filter(None, (f"{dataset}@{commit[:12]}", source.config, source.split)))
    data = ask_hub(partial(_load, source, dataset, commit), label, SourceError, _REMEDY)
    features = getattr(data, "features", None)
    splits = getattr(getattr(data, "info", None), "splits", None) or {}
    stated = len(data) if not source.streaming else getattr(splits.get(source.split), "num_examples", None)
    read = partial(_read_streamed if source.streaming else _read_downloaded, data, label)
    return HubSet(
        name=label,
        commit=commit,
        part=Part(read=read, can_enter=True),
        columns=frozenset(features or ()),
        stated_count=stated,
        images=_images(dataset, commit, root, source.archive),
    )


def _load(source: HubSource, dataset: str, commit: str) -> Any:
    import datasets

    data = datasets.load_dataset(
        dataset, source.config or None, split=source.split, revision=commit, streaming=source.streaming
    )
    # The arrow format gives images as they are stored, without decoding them.
    return data.decode(False) if source.streaming else data.with_format("arrow")


def _read_streamed(data: Any, label: str, start: int) -> Iterator[Item]:
    rows = iter(data.skip(start) if start else data)
    number = start
    while (row := _asked(lambda: next(rows, None), f"{label}, row {number}")) is not None:
        yield partial(dict, row)
        number += 1


def _read_downloaded(data: Any, label: str, start: int) -> Iterator[Item]:
    for first in range(start, len(data), _ROWS):
        batch = _asked(partial(data.__getitem__, slice(first, first + _ROWS)), f"{label}, row {first}")
        for row in batch.to_pylist():
            yield partial(dict, row)


def _asked(action: Callable[[], Any], where: str) -> Any:
    return ask_hub(action, where, SourceError, _REMEDY)


def _images(dataset: str, commit: str, root: str, limits: ArchiveLimits) -> ImageRoot:
    if not root:
        return NoRoot()
    if is_archive(root):
        return _HubArchive(dataset, commit, root, limits)
    return FolderImages(f"hf://datasets/{dataset}@{commit}/{root}", limits)


class _HubArchive:
    """An archive in a data set's repository, downloaded when it is first needed."""

    def __init__(self, dataset: str, commit: str, path: str, limits: ArchiveLimits) -> None:
        self._ask, self._limits = (dataset, commit, path), limits
        self._archive: Any = None

    def read(self, name: str) -> bytes:
        """See `ImageRoot`."""
        if self._archive is None:
            self._archive = open_archive(one_file(self._download()), self._limits)
        return bytes(self._archive.read(name))

    def _download(self) -> str:
        from huggingface_hub import hf_hub_download

        dataset, commit, path = self._ask
        return str(
            ask_hub(
                lambda: hf_hub_download(dataset, path, repo_type="dataset", revision=commit),
                f"{path} of {dataset}@{commit[:12]}",
                SourceError,
                "Check the network and HF_TOKEN, or give the source's image_root",
            )
        )
