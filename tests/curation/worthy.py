"""Small examples, and a policy whose pass rates are known."""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from components.core.artifact import seal
from components.core.example import AnswerType, Example, Split, Task, write_splits
from components.curation.asking import Ask, Generation, Refusal
from components.curation.worth_files import WorthInputs, WorthOutputs


def picture(seed: int, size: tuple[int, int] = (28, 28)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (seed % 256, seed // 256 % 256, 90)).save(stream, format="PNG")
    return stream.getvalue()


def example(id_: str, reference: str = "7", **others: Any) -> Example:
    values = {
        "answer_type": AnswerType.CHOICE if others.get("choices") else AnswerType.NUMBER,
        "task": Task.MATH,
        "question": f"What is {id_}?",
        "images": (picture(1),),
        **others,
    }
    open_ended = values["answer_type"] is AnswerType.OPEN_ENDED
    return Example(id=id_, references=(reference,), verifiable=not open_ended, **values)


class KnownPolicy:
    """Right about an example as often as it is told, with its image and without.

    Args:
        sighted: Right answers of eight, by id; a negative number refuses.
        blind: The same without the image; 0 for those not named.
    """

    def __init__(self, sighted: Mapping[str, int], blind: Mapping[str, int] | None = None, die_after: int = -1) -> None:
        self.sighted, self.blind = sighted, blind or {}
        self.asked: list[tuple[str, int, bool]] = []
        self.die_after = die_after

    def sample(self, asks: Sequence[Ask]) -> Iterator[tuple[Ask, Sequence[Generation] | Refusal]]:
        for ask in reversed(asks):  # an order of its own, as a server has
            if len(self.asked) == self.die_after:
                raise KeyboardInterrupt
            seen = bool(ask.images)
            self.asked.append((ask.id, len(ask.seeds), seen))
            right = (self.sighted if seen else self.blind).get(ask.id, 0)
            if right < 0:
                yield ask, Refusal("it cannot be read")
                continue
            answers = (["7"] * right + ["8"] * len(ask.seeds))[: len(ask.seeds)]
            yield ask, [Generation(f"<answer>{text}</answer>", cut=False) for text in answers]


def write_dataset(folder: Path, train: Sequence[Example], heldout: Sequence[Example] = ()) -> Path:
    """A dataset artifact, as curation leaves it."""
    import json

    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    held = [item.with_split(Split.HELD_OUT) for item in heldout]
    write_splits({Split.TRAIN: train, Split.HELD_OUT: held}, folder)
    demonstrations = [{"id": item.id, "completion": "<answer>7</answer>"} for item in train]
    schema = pa.schema([("id", pa.string()), ("completion", pa.string())])
    pq.write_table(pa.Table.from_pylist(demonstrations, schema=schema), folder / "demonstrations.parquet")
    everything = [*train, *held]

    def counts(values: Sequence[str]) -> dict[str, int]:
        return {value: values.count(value) for value in sorted(set(values))}

    summary = {
        "rows_in": len(everything) + 2,
        "rows_kept": len(everything),
        "rows_quarantined": 2,
        "quarantined_by_reason": {"image damaged": 2},
        "by_split": counts([item.split.value for item in everything]),
        "by_family": counts([item.family.value for item in everything]),
        "by_answer_type": counts([item.answer_type.value for item in everything]),
        "demonstrations": len(train),
        "sources": [],
    }
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    seal(folder, "dataset", {"curation": {"sources": [{"kind": "quickstart"}]}, "seed": 0})
    return folder


def outputs(folder: Path) -> WorthOutputs:
    return WorthOutputs(folder / "measured", folder / "out")


def inputs(dataset: Path, base: Path | None = None) -> WorthInputs:
    return WorthInputs(dataset, None, base)
