import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from components.core.artifact import verify
from components.core.config import parse_config
from components.core.example import Example, read_examples
from components.curation.croissant import COLUMNS, CROISSANT, write_croissant
from components.curation.dataset_texts import DatasetTexts
from components.curation.gathering import gather_numbers
from tests.curation.made_dataset import SETTINGS, seal_dataset, summary_of, whole_dataset, write_dataset

_TEXTS = parse_config(DatasetTexts, {**SETTINGS["texts"], "citation": "Us.", "date_published": "2025-01-02"}, "texts")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, quarantine = whole_dataset(tmp_path_factory.mktemp("croissant"))
    numbers = gather_numbers(folder, json.loads((folder / "summary.json").read_text()), quarantine)
    write_croissant(folder, numbers, _TEXTS, SETTINGS)
    return folder


@pytest.fixture(scope="module")
def metadata(dataset: Path) -> dict[str, Any]:
    return json.loads((dataset / CROISSANT).read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def _records(metadata: dict[str, Any], name: str) -> dict[str, Any]:
    return next(item for item in metadata["recordSet"] if item["name"] == name)


def test_every_file_is_named_with_its_digest_and_size(dataset: Path, metadata: dict[str, Any]) -> None:
    files = {item["contentUrl"]: item for item in metadata["distribution"] if item["@type"] == "cr:FileObject"}

    present = {path.relative_to(dataset).as_posix() for path in dataset.rglob("*") if path.is_file()}
    assert set(files) == present - {CROISSANT}
    for name, item in files.items():
        content = (dataset / name).read_bytes()
        assert item["sha256"] == hashlib.sha256(content).hexdigest()
        assert item["contentSize"] == f"{len(content)} B"


def test_every_column_of_an_example_is_a_field_with_a_description(metadata: dict[str, Any]) -> None:
    fields = {field["name"]: field for field in _records(metadata, "examples")["field"]}

    assert set(fields) == set(COLUMNS) == set(Example.__dataclass_fields__)
    assert all(field["description"] for field in fields.values())
    assert {name for name, field in fields.items() if field.get("isArray")} == {
        "images",
        "references",
        "choices",
        "facts",
    }
    types = {name: fields[name]["dataType"] for name in ("images", "question", "verifiable", "precision", "pass_rate")}
    assert types == {
        "images": "sc:ImageObject",
        "question": "sc:Text",
        "verifiable": "sc:Boolean",
        "precision": "sc:Integer",
        "pass_rate": "sc:Float",
    }


def test_metadata_say_what_the_recipe_says_and_the_licences_of_the_rows(metadata: dict[str, Any]) -> None:
    assert (metadata["name"], metadata["description"]) == (_TEXTS.name, _TEXTS.description)
    assert metadata["license"] == ["CC-BY-4.0", "CC0-1.0"]
    assert metadata["citeAs"] == "Us."
    assert "http://mlcommons.org/croissant/1.1" in metadata["conformsTo"]
    assert metadata["rai:dataUseCases"] == ["Testing."]
    assert any(said.startswith("pictures: ") for said in metadata["rai:dataPreprocessingProtocol"])


def test_known_digests_are_not_computed_again(dataset: Path, tmp_path: Path) -> None:
    made, quarantine = whole_dataset(tmp_path)
    numbers = gather_numbers(made, json.loads((made / "summary.json").read_text()), quarantine)

    path = write_croissant(made, numbers, _TEXTS, SETTINGS, {"train/0000.parquet": "f" * 64})

    files = json.loads(path.read_text())["distribution"]
    assert [item["sha256"] for item in files if item["name"] == "train/0000.parquet"] == ["f" * 64]


def test_same_dataset_has_the_same_metadata_and_can_be_sealed(dataset: Path, tmp_path: Path) -> None:
    made, quarantine = whole_dataset(tmp_path)
    numbers = gather_numbers(made, json.loads((made / "summary.json").read_text()), quarantine)
    path = write_croissant(made, numbers, _TEXTS, SETTINGS)

    assert path.read_bytes() == (dataset / CROISSANT).read_bytes()
    seal_dataset(made)
    assert CROISSANT in verify(made, "dataset").files


def _load(folder: Path) -> Any:
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    return mlcroissant.Dataset(folder / CROISSANT)


def test_mlcroissant_finds_nothing_wrong(dataset: Path) -> None:
    issues = _load(dataset).metadata.ctx.issues

    assert issues.errors == set()
    assert issues.warnings == set()


def test_mlcroissant_finds_nothing_wrong_without_any_text(tmp_path: Path) -> None:
    made, quarantine = whole_dataset(tmp_path)
    numbers = gather_numbers(made, json.loads((made / "summary.json").read_text()), quarantine)
    write_croissant(made, numbers, DatasetTexts(), {})

    issues = _load(made).metadata.ctx.issues

    assert issues.errors == set()
    assert all("citeAs" in warning or "datePublished" in warning for warning in issues.warnings)


def test_mlcroissant_reads_what_this_project_reads(dataset: Path) -> None:
    records = {record["examples/id"].decode(): record for record in _load(dataset).records("examples")}

    paths = sorted(dataset.glob("train/*.parquet")) + sorted(dataset.glob("heldout/*.parquet"))
    examples = [item for path in paths for item in read_examples(path)]
    assert set(records) == {item.id for item in examples}
    for item in examples:
        record = records[item.id]
        assert record["examples/question"].decode() == item.question
        assert tuple(text.decode() for text in record["examples/references"]) == item.references
        assert record["examples/split"].decode() == item.split.value
        images = [picture.convert("RGB") for picture in record["examples/images"]]
        assert [picture.tobytes() for picture in images] == [picture.tobytes() for picture in item.open_images()]


def test_dataset_without_a_shard_has_metadata(tmp_path: Path) -> None:
    dataset, quarantine = write_dataset(tmp_path, {}, [], summary_of(0, []))
    numbers = gather_numbers(dataset, summary_of(0, []), quarantine)

    content = json.loads(write_croissant(dataset, numbers, _TEXTS, {}).read_text())

    assert [item["name"] for item in content["recordSet"]] == ["splits"]
