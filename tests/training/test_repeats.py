"""An example that the mixture repeats: so many rows for GRPO, one for everything else."""

from dataclasses import replace
from pathlib import Path

from components.core.example import Split, read_examples, read_split, write_examples
from components.core.policy import Policy
from components.training.data import rollout_dataset


def test_repeated_example_has_so_many_rows_of_one_index(dataset: Path, tmp_path: Path) -> None:
    examples = list(read_split(dataset, Split.TRAIN))[:3]
    mixed = [replace(item, repeats=times) for item, times in zip(examples, (1, 3, 2), strict=True)]
    write_examples(mixed, tmp_path / "train.parquet")
    rows = rollout_dataset(list(read_examples(tmp_path / "train.parquet")), Policy("{question}", 8, 784))

    assert rows["example"][:] == [0, 1, 1, 1, 2, 2]
    pictures = [row["images"][0].tobytes() for row in rows]
    assert pictures[1] == pictures[2] == pictures[3]
    assert len(set(pictures)) == 3


def test_example_that_was_written_before_there_was_a_mixture_is_seen_once(dataset: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    examples = list(read_split(dataset, Split.TRAIN))
    write_examples(examples, tmp_path / "new.parquet")
    table = pq.read_table(tmp_path / "new.parquet")
    pq.write_table(table.drop_columns(["repeats"]), tmp_path / "old.parquet")

    assert list(read_examples(tmp_path / "old.parquet")) == examples
