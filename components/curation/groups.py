"""Groups: rows that may not be parted by a split, and the split that each group falls into.

Rows belong together where they share an image or a near one, or where their source says so. A group is held out by a
hash of its first row's group or image, so that rows which are added behind the others move none of them, unless they
join two groups. What a source states about its split is kept; where it would part a group, the held-out side wins.
"""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from components.core.config import Config
from components.core.example import Split
from components.curation.image_index import ImageIndex, components
from components.curation.sign_table import SignTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class GroupsConfig(Config):
    """How rows are divided between training and held-out."""

    heldout_fraction: float = Field(default=0.1, ge=0, lt=1)
    """Share of groups that is held out, where no row of the group states its split."""
    max_heldout_rows: int = Field(default=100, ge=1)
    """A larger group is never held out, unless its source says so: rows about one blank image would take the whole
    held-out share."""
    images: Literal["same", "near", "alike"] = "near"
    """Which images belong together: equal ones, also near ones (the same picture saved differently), or also those of
    a composition, which puts all diagrams of one template into one group."""
    crossing: Literal["quarantine", "move"] = "quarantine"
    """What becomes of training rows whose group a source has held out in part: out of the dataset, or held out too."""


@dataclass
class Division:
    """Group and split of rows."""

    groups: dict[int, str]
    """Name of each row's group: that of its first row."""
    splits: dict[int, Split]
    crossing: dict[int, int]
    """Of training rows that a held-out row of their group forbids, that row."""


def divide(
    table: SignTable, images: ImageIndex, rows: "NDArray[np.int64]", config: GroupsConfig, seed: int
) -> Division:
    """Divide rows by groups.

    Args:
        table: All rows.
        images: Their images.
        rows: Which of them are in the dataset, ascending.
        config: Shares and rules.
        seed: Another seed holds out other groups.
    """
    import numpy as np

    labels = _labels(table, images, rows, config)
    order = np.argsort(labels, kind="stable")
    members = np.split(rows[order], np.flatnonzero(np.diff(labels[order])) + 1) if len(rows) else []
    stated = table.texts("split")
    division = Division({}, {}, {})
    for group in members:
        _place(table, images, group.tolist(), stated, division, (config, seed))
    return division


def _labels(
    table: SignTable, images: ImageIndex, rows: "NDArray[np.int64]", config: GroupsConfig
) -> "NDArray[np.int64]":
    """Number of each row's group; shape (len(rows),)."""
    import numpy as np

    size, num_images = len(table), images.num_distinct
    chosen = np.isin(images.owners, rows)
    edges = [np.stack([images.owners[chosen], size + images.ids[chosen]], axis=1)]
    if config.images != "same":
        present = np.zeros(num_images, dtype=np.bool_)
        present[images.ids[chosen]] = True
        near = images.near_pairs if config.images == "near" else images.pairs("alike")
        edges.append(size + near[present[near].all(axis=1)])
    names: dict[tuple[str, str], int] = {}
    sources, groups = table.texts("source"), table.texts("group")
    stated = [
        (row, size + num_images + names.setdefault((sources[row], groups[row]), len(names)))
        for row in rows.tolist()
        if groups[row]
    ]
    edges.append(np.array(stated, dtype=np.int64).reshape(-1, 2))
    return components(np.concatenate(edges), size + num_images + len(names))[rows]


def _place(
    table: SignTable,
    images: ImageIndex,
    group: list[int],
    stated: list[str],
    division: Division,
    rule: tuple[GroupsConfig, int],
) -> None:
    config, seed = rule
    name = _name(table, images, group[0])
    split = _split_of(group, stated, name, config, seed)
    heldout = next((row for row in group if stated[row] == Split.HELD_OUT), None)
    for row in group:
        if heldout is not None and stated[row] == Split.TRAIN and config.crossing == "quarantine":
            division.crossing[row] = heldout
        else:
            division.groups[row] = name
            division.splits[row] = split


def _split_of(group: list[int], stated: list[str], name: str, config: GroupsConfig, seed: int) -> Split:
    said = {stated[row] for row in group} - {""}
    if said:
        return Split.HELD_OUT if Split.HELD_OUT in said else Split.TRAIN
    if len(group) > config.max_heldout_rows:
        return Split.TRAIN
    place = int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8]) / 2**64
    return Split.HELD_OUT if place < config.heldout_fraction else Split.TRAIN


def _name(table: SignTable, images: ImageIndex, row: int) -> str:
    stated = table.value("group", row)
    if stated:
        return f"{table.value('source', row)} {stated}"
    start = int(images.table.starts[row])
    has_image = start < int(images.table.starts[row + 1])
    return bytes(table.pixels[start]).hex() if has_image else table.key(row)
