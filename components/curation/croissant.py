"""Croissant metadata of a dataset: what its files are, what their columns hold, and how it was made.

Croissant 1.1 (http://mlcommons.org/croissant/1.1) with the vocabulary for responsible AI 1.0. It is JSON of a fixed
form, so it is written without a library; tests hold it against mlcroissant, which also reads the examples through it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.artifact import digest_file
from components.core.example import Split
from components.core.layout import split_files
from components.curation.dataset_texts import DatasetTexts, responsible_ai
from components.curation.numbers import CardNumbers

if TYPE_CHECKING:
    import pyarrow as pa

CROISSANT = "croissant.json"
CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
_PARQUET = "application/x-parquet"
_JSON = "application/json"
_FILES = "example-files"
_CR = (
    *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileProperty"),
    *("fileObject", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5"),
    *("parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator"),
    *("source", "subField", "transform"),
)
_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    **{term: f"cr:{term}" for term in _CR},
}
"""The context that the standard prescribes."""
COLUMNS: Mapping[str, str] = {
    "id": "Content hash: the same images, question and references give the same id.",
    "images": "The images that the question is about, at least one.",
    "question": "The question.",
    "references": "Accepted answers, the canonical one first.",
    "answer_type": "How an answer is compared with its references.",
    "task": "What the question asks for.",
    "verifiable": "Whether a rule can decide an answer.",
    "choices": "Options of a multiple-choice question, in order.",
    "unit": "Unit that the answer is given in; empty where it has none.",
    "precision": "Decimals that a number has to agree to; none asks for exact equality.",
    "source": "Name of the source.",
    "licence": "Licence of the row.",
    "split": "train or heldout: whether training may see it.",
    "pass_rate": "Share of a base policy's answers that were right (0 to 1), where it was measured.",
    "facts": "Statements that are true of the images, for evaluation of open-ended answers.",
    "group": "Examples of one group never cross splits.",
    "repeats": "How often training sees it, beside one for most.",
}
"""What the columns of an example hold."""


@dataclass(frozen=True)
class _Table:
    """A file beside the examples."""

    name: str
    description: str
    columns: Mapping[str, str]


_TABLES = (
    _Table(
        "demonstrations",
        "Completions to imitate in a warm start.",
        {"id": "Id of the example.", "completion": "The completion."},
    ),
    _Table(
        "provenance",
        "Where each example came from.",
        {
            "id": "Id of the example.",
            "source": "Name of the source.",
            "place": "Number of the row in its source, from 0.",
            "split": "train or heldout.",
            "shard": "File that the example lies in.",
            "group": "Group that the split went by.",
            "kind": "Finer kind of the answer: integer, fraction, interval, yes-no …",
            "gold": "The answer as its rule reads it; empty for open-ended ones.",
            "flags": "What is notable and no reason to leave it out.",
            "changes": "What steps did to it.",
        },
    ),
)


def write_croissant(
    dataset: Path,
    numbers: CardNumbers,
    texts: DatasetTexts,
    settings: Mapping[str, Any],
    digests: Mapping[str, str] | None = None,
) -> Path:
    """Write the metadata into a dataset's folder, before it is sealed: the same bytes for the same dataset.

    Args:
        dataset: The folder, with its files.
        numbers: Of the dataset.
        texts: What the recipe says.
        settings: Of curation, as plain JSON values.
        digests: sha-256 of files by path relative to the folder, where they are known already.

    Returns:
        The file.
    """
    path = dataset / CROISSANT
    content = croissant(dataset, numbers, texts, settings, digests or {})
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    return path


def croissant(
    dataset: Path,
    numbers: CardNumbers,
    texts: DatasetTexts,
    settings: Mapping[str, Any],
    digests: Mapping[str, str],
) -> dict[str, Any]:
    """The metadata as JSON values; see `write_croissant`."""
    shards = [path for split in Split for path in split_files(dataset, split.value)]
    tables = [table for table in _TABLES if _path(dataset, table).is_file()]
    others = [_path(dataset, table) for table in tables]
    files = [_file_object(path, dataset, digests) for path in dict.fromkeys((*shards, *others, *_json_files(dataset)))]
    return {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        **_about(numbers, texts),
        "distribution": [*files, *([_file_set(shards, dataset)] if shards else [])],
        "recordSet": [
            _splits(),
            *([_examples(shards[0])] if shards else []),
            *(_table(table, dataset) for table in tables),
        ],
        **{
            f"rai:{name}": " ".join(said) if name in _SINGLE else said
            for name, said in responsible_ai(numbers, texts, settings).items()
        },
    }


_SINGLE = ("dataCollection", "dataSocialImpact", "dataReleaseMaintenancePlan")
"""Of these the vocabulary has one value each."""


def _path(dataset: Path, table: _Table) -> Path:
    return dataset / f"{table.name}.parquet"


def _json_files(dataset: Path) -> list[Path]:
    """What else is in the folder and says something of the examples: their order, the counts."""
    return sorted(path for path in dataset.glob("*.json") if path.name not in (CROISSANT, "manifest.json"))


def _about(numbers: CardNumbers, texts: DatasetTexts) -> dict[str, Any]:
    stated = {
        "url": texts.url,
        "citeAs": texts.citation,
        "datePublished": texts.date_published,
        "inLanguage": list(texts.languages),
        "creator": [{"@type": "sc:Organization", "name": name} for name in texts.creators],
    }
    return {
        "name": texts.name,
        "description": texts.description or _description(numbers),
        "conformsTo": list(CONFORMS_TO),
        "version": texts.version,
        "license": list(numbers.by["licence"]),
        "keywords": [*numbers.by["task"], *numbers.by["answer_type"]],
        **{name: value for name, value in stated.items() if value},
    }


def _description(numbers: CardNumbers) -> str:
    splits = ", ".join(f"{count:,} {split}" for split, count in numbers.by["split"].items())
    return f"{numbers.rows_kept:,} questions about images with reference answers ({splits})."


def _file_object(path: Path, dataset: Path, digests: Mapping[str, str]) -> dict[str, Any]:
    name = path.relative_to(dataset).as_posix()
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": _PARQUET if path.suffix == ".parquet" else _JSON,
        "sha256": digests.get(name) or digest_file(path),
    }


def _file_set(shards: Sequence[Path], dataset: Path) -> dict[str, Any]:
    folders = dict.fromkeys(path.parent.relative_to(dataset).as_posix() for path in shards)
    return {
        "@type": "cr:FileSet",
        "@id": _FILES,
        "name": _FILES,
        "description": "The examples, in files that are read in the order of shards.json where there is one.",
        "encodingFormat": _PARQUET,
        "includes": [f"{folder}/*.parquet" for folder in folders],
    }


def _splits() -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [{"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"}],
        "data": [{"splits/name": split.value} for split in Split],
    }


def _examples(shard: Path) -> dict[str, Any]:
    import pyarrow.parquet as pq

    schema = pq.read_schema(shard)
    fields = [
        _field("examples", column, {"fileSet": {"@id": _FILES}}, COLUMNS.get(column.name, "")) for column in schema
    ]
    for field in fields:
        if field["name"] == "split":
            field["references"] = {"field": {"@id": "splits/name"}}
    return {
        "@type": "cr:RecordSet",
        "@id": "examples",
        "name": "examples",
        "description": "One question about images a record.",
        "key": {"@id": "examples/id"},
        "field": fields,
    }


def _table(table: _Table, dataset: Path) -> dict[str, Any]:
    import pyarrow.parquet as pq

    path = _path(dataset, table)
    source = {"fileObject": {"@id": path.name}}
    return {
        "@type": "cr:RecordSet",
        "@id": table.name,
        "name": table.name,
        "description": table.description,
        "field": [
            _field(table.name, column, source, table.columns.get(column.name, "")) for column in pq.read_schema(path)
        ],
    }


def _field(record_set: str, column: "pa.Field", source: Mapping[str, Any], description: str) -> dict[str, Any]:
    import pyarrow as pa

    is_list = pa.types.is_list(column.type)
    type_ = _data_type(column.type.value_type if is_list else column.type)
    is_image = type_ == "sc:ImageObject"
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{column.name}",
        "name": column.name,
        **({"description": description} if description else {}),
        "dataType": type_,
        "source": {
            **source,
            "extract": {"column": column.name},
            **({"transform": {"jsonPath": "bytes"}} if is_image else {}),
        },
        **({"isArray": True, "arrayShape": "-1"} if is_list else {}),
        # Of the older standard, and without it mlcroissant does not decode the images of a list.
        **({"repeated": True} if is_list and is_image else {}),
    }


def _data_type(type_: "pa.DataType") -> str:
    import pyarrow as pa

    if pa.types.is_struct(type_):
        return "sc:ImageObject"
    if pa.types.is_boolean(type_):
        return "sc:Boolean"
    if pa.types.is_integer(type_):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(type_) else "sc:Text"
