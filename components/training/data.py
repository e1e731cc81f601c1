"""The rows that trainers see: a chat prompt, images, and what the rewards need to know."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.example import Example, Split, read_split
from components.core.policy import Policy

if TYPE_CHECKING:
    import datasets

DEMONSTRATIONS = "demonstrations.parquet"


@dataclass(frozen=True)
class Demonstration:
    """An example with a completion to imitate."""

    example: Example
    completion: str


def read_train(dataset: Path) -> list[Example]:
    """The training examples of a dataset artifact, in order."""
    return list(read_split(dataset, Split.TRAIN))


def read_demonstrations(dataset: Path) -> list[Demonstration]:
    """The training examples of a dataset artifact that have a demonstration, in order."""
    import pyarrow.parquet as pq

    table = pq.read_table(dataset / DEMONSTRATIONS)
    completions = dict(zip(table["id"].to_pylist(), table["completion"].to_pylist(), strict=True))
    examples = (example for example in read_train(dataset) if example.id in completions)
    return [Demonstration(example, completions[example.id]) for example in examples]


def supervised_dataset(demonstrations: Sequence[Demonstration], policy: Policy) -> "datasets.Dataset":
    """Prompt, completion and images, as TRL's SFTTrainer takes them."""
    rows = [
        {
            **_prompt_and_images(item.example, policy),
            "completion": [{"role": "assistant", "content": [{"type": "text", "text": item.completion}]}],
        }
        for item in demonstrations
    ]
    return _to_dataset(rows)


def rollout_dataset(examples: Sequence[Example], policy: Policy) -> "datasets.Dataset":
    """Prompt, images and the index of the example, as TRL's GRPOTrainer takes them; `repeats` rows an example."""
    rows = [
        {**_prompt_and_images(example, policy), "example": index}
        for index, example in enumerate(examples)
        for _ in range(example.repeats)
    ]
    return _to_dataset(rows)


def _prompt_and_images(example: Example, policy: Policy) -> dict[str, Any]:
    images = [{"bytes": data, "path": None} for data in example.images]
    return {"prompt": policy.conversation(example.question, len(images)), "images": images}


def _to_dataset(rows: list[dict[str, Any]]) -> "datasets.Dataset":
    import datasets

    dataset = datasets.Dataset.from_list(rows)
    return dataset.cast_column("images", datasets.List(datasets.Image()))
