"""Annotation formats: what annotation tools export, read as records of an answer and what people said of it.

Label Studio: its JSON export (labelstud.io/guide/task_format): tasks of data and annotations, whose results have a
from_name, a type and a value; cancelled ones do not count. Argilla: records as `Record.to_dict` writes them (responses
by question, each with value and user_id), as the server gives them (a list, with values and status; drafts and
discarded ones do not count), or flat as `to_list(flatten=True)` writes them. A suggestion is a model's opinion and
counts where no person gave one. Both tools leave out what a rating goes from and to, so that has to be said.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from components.core.errors import SourceError
from components.core.json_lines import BadLineError, read_lines, read_object, shown

Format = Literal["label-studio", "argilla", "jsonl", "csv"]
FORMATS: tuple[Format, ...] = ("label-studio", "argilla", "jsonl", "csv")
SUGGESTION = "suggestion"
"""The kind of a row that a model scored."""

_NAMES = {
    "question": ("question", "prompt", "instruction", "query", "problem"),
    "answer": ("answer", "response", "completion", "output", "prediction"),
    "references": ("references", "reference", "expected", "ground_truth", "gold", "target"),
    "group": ("group",),
    "kind": ("kind",),
}
"""What tools' fields are called; the first one that a record has counts."""
_SCORES = ("score", "rating", "label", "correct", "correctness", "quality")
_LABELS = {
    **dict.fromkeys(("1", "1.0", "true", "yes", "correct", "right", "good", "accept", "pass"), 1.0),
    **dict.fromkeys(("0", "0.0", "false", "no", "incorrect", "wrong", "bad", "reject", "fail"), 0.0),
}
_CONTROLS = ("rating", "choices", "number")
_LONGEST_CELL = 4_000_000  # characters


@dataclass(frozen=True)
class Opinion:
    """What someone said of an answer."""

    annotator: str
    """Who; "" where that is not known."""
    score: float
    """0..1, 1 is right."""


@dataclass(frozen=True)
class Record:
    """One entry of an export."""

    number: int
    """From 1."""
    values: Mapping[str, Any]
    """Question, references, answer, group and kind, as they are given."""
    opinions: tuple[Opinion, ...] = ()
    problem: str = ""
    """Why it cannot be used; "" where it can."""


def read_records(
    path: Path, format_: Format, scale: tuple[float, float] | None = None, score: str = ""
) -> list[Record]:
    """Read an export.

    Args:
        path: The file.
        format_: Whose it is.
        scale: Lowest and highest rating; None where scores are labels or numbers from 0 to 1.
        score: Name of the control or question that scores answers; "" finds it.

    Raises:
        SourceError: The file cannot be read, is not of the format, or does not say which rating is the score or what
            it goes from and to.
    """
    if format_ == "csv":
        return [_flat(number, item, scale) for number, item in enumerate(_read_csv(path), 1)]
    if format_ == "jsonl":
        return [_flat(number, _line(line), scale) for number, line in enumerate(read_lines(path), 1)]
    items = _read_json(path)
    find = _label_studio_scores if format_ == "label-studio" else _argilla_scores
    found = [_attempt(find, item) for item in items]
    name = _score_name(path, [judged for judged in found if not isinstance(judged, BadLineError)], score)
    fields = {"label-studio": "data", "argilla": "fields"}[format_]
    pairs = zip(items, found, strict=True)
    return [_judged(path, number, item, own, name, fields, scale) for number, (item, own) in enumerate(pairs, 1)]


@dataclass(frozen=True)
class _Judgement:
    """A value that a control or a question was given."""

    name: str
    annotator: str
    value: Any
    is_model: bool = False


def _judged(
    path: Path, number: int, item: Any, found: list[_Judgement] | BadLineError, name: str, fields: str,
    scale: tuple[float, float] | None,
) -> Record:  # fmt: skip
    if isinstance(found, BadLineError) or isinstance(item, BadLineError):
        return Record(number, {}, problem=str(found if isinstance(found, BadLineError) else item))
    nested = item.get(fields)
    texts = nested if isinstance(nested, Mapping) else item
    own = [judgement for judgement in found if judgement.name == name]
    people = [judgement for judgement in own if not judgement.is_model]
    try:
        opinions = tuple(
            Opinion(judgement.annotator, _score(judgement.value, scale, path)) for judgement in people or own
        )
        values = _values(texts)
    except BadLineError as error:
        return Record(number, _shown_values(texts), problem=str(error))
    if own and not people:
        values["kind"] = SUGGESTION
    return Record(number, values, opinions)


def _attempt(find: Any, item: Any) -> list[_Judgement] | BadLineError:
    if isinstance(item, BadLineError):
        return item
    try:
        return list(find(item))
    except BadLineError as error:
        return error


def _label_studio_scores(task: Mapping[str, Any]) -> Iterator[_Judgement]:
    if not isinstance(task.get("data"), Mapping):
        raise BadLineError("data is missing: export as JSON, not as JSON-MIN or CSV")
    for key, is_model in (("annotations", False), ("predictions", True)):
        for annotation in _objects(task.get(key) or (), key):
            if annotation.get("was_cancelled"):
                continue
            by = annotation.get("model_version") if is_model else annotation.get("completed_by")
            annotator = by.get("email") or by.get("id") if isinstance(by, Mapping) else by
            for result in _objects(annotation.get("result") or (), "result"):
                kind, value = result.get("type"), result.get("value")
                if kind in _CONTROLS and isinstance(value, Mapping) and kind in value:
                    yield _Judgement(str(result.get("from_name")), _name(annotator), value[kind], is_model)


def _argilla_scores(record: Mapping[str, Any]) -> Iterator[_Judgement]:
    yield from _argilla_responses(record.get("responses") or {})
    suggestions = record.get("suggestions") or {}
    if isinstance(suggestions, Mapping):
        suggestions = [{"question_name": name, **own} for name, own in suggestions.items() if isinstance(own, Mapping)]
    for own in _objects(suggestions, "suggestions"):
        yield _Judgement(str(own.get("question_name")), _name(own.get("agent")), own.get("value"), is_model=True)
    yield from _flat_argilla_scores(record)


def _argilla_responses(responses: Any) -> Iterator[_Judgement]:
    """Of an object by question, or of a list of what each person said to one question or to all."""
    if isinstance(responses, Mapping):
        responses = [
            {"question_name": question, **own}
            for question, given in responses.items()
            for own in _objects(given, f"responses of {question}")
        ]
    for response in _objects(responses, "responses"):
        if response.get("status") not in (None, "submitted"):
            continue
        values = response.get("values", {response.get("question_name"): response.get("value")})
        if not isinstance(values, Mapping):
            raise BadLineError(f"values of a response is {shown(values)}: give an object by question")
        for question, own in values.items():
            value = own.get("value") if isinstance(own, Mapping) else own
            yield _Judgement(str(question), _name(response.get("user_id")), value)


def _flat_argilla_scores(record: Mapping[str, Any]) -> Iterator[_Judgement]:
    """Of keys such as "quality.responses", "quality.responses.users", "quality.suggestion"."""
    for key, given in record.items():
        question, _, ending = str(key).rpartition(".")
        if ending == "responses" and isinstance(given, list):
            users, states = record.get(f"{key}.users") or [], record.get(f"{key}.status") or []
            for place, value in enumerate(given):
                state = states[place] if place < len(states) else None
                if state in (None, "submitted"):
                    yield _Judgement(question, _name(users[place] if place < len(users) else None), value)
        elif ending == "suggestion" and given is not None:
            yield _Judgement(question, _name(record.get(f"{key}.agent")), given, is_model=True)


def _score_name(path: Path, found: Iterable[Sequence[_Judgement]], wanted: str) -> str:
    """Which control or question scores answers."""
    names = sorted({judgement.name for own in found for judgement in own})
    if wanted and names and wanted not in names:
        raise SourceError(str(path), f"nothing is called {wanted!r}, but {', '.join(names)}", "Correct --score")
    if wanted or len(names) <= 1:
        return wanted or (names[0] if names else "")
    usual = [name for name in _SCORES if name in names]
    if len(usual) == 1:
        return usual[0]
    raise SourceError(str(path), f"several could be the score: {', '.join(names)}", "Name the one with --score")


def _flat(number: int, item: Any, scale: tuple[float, float] | None) -> Record:
    """A record of a flat object: question, references, answer, score or label, annotator."""
    if isinstance(item, BadLineError):
        return Record(number, {}, problem=str(item))
    given = {key: item.get(key) for key in ("score", "label") if item.get(key) not in (None, "")}
    try:
        values = _values(item)
        scores = {key: _score(value, scale if key == "score" else None) for key, value in given.items()}
    except BadLineError as error:
        return Record(number, _shown_values(item), problem=str(error))
    if len({score > 0.5 for score in scores.values()}) > 1:
        problem = f"label {given['label']} and score {given['score']} contradict each other"
        return Record(number, values, problem=problem)
    opinions = tuple(Opinion(_name(item.get("annotator")), score) for score in list(scores.values())[:1])
    return Record(number, values, opinions)


def _values(texts: Mapping[str, Any]) -> dict[str, Any]:
    """Question, references, answer, group and kind by our names."""
    lowered = {str(key).strip().lower(): value for key, value in texts.items()}
    found = {}
    for role, names in _NAMES.items():
        name = next((name for name in names if lowered.get(name) is not None), None)
        if name is not None:
            found[role] = lowered[name]
    found["references"] = _references(found.get("references"))
    return found


def _shown_values(texts: Mapping[str, Any]) -> dict[str, Any]:
    """As much of a bad record as a reader needs to find it."""
    return {key: texts[key] for key in ("question", "answer") if isinstance(texts.get(key), str)}


def _references(value: Any) -> Any:
    """A list: of a text that is a list written as JSON, else of the text alone."""
    if not isinstance(value, str):
        return value
    try:
        written = json.loads(value)
    except (ValueError, RecursionError):
        return [value]
    return written if isinstance(written, list) and all(isinstance(item, str) for item in written) else [value]


def _score(value: Any, scale: tuple[float, float] | None, path: Path | None = None) -> float:
    """A score from 0 to 1 of a label, of a rating, or of one in a list.

    Args:
        value: As it is given.
        scale: What ratings go from and to.
        path: The export of a tool, whose numbers mean nothing without a scale; None where they go from 0 to 1.
    """
    if isinstance(value, list):
        if len(value) != 1:
            raise BadLineError(f"{shown(value)} is given as the score: give one value")
        value = value[0]
    label = str(value).strip().lower() if isinstance(value, str | bool) else ""
    if label in _LABELS and (scale is None or not _is_number(label)):
        return _LABELS[label]
    number = _number(value)
    if scale is None and path is not None:
        problem = f"answers are rated with numbers such as {value}, and the export does not say from what to what"
        raise SourceError(str(path), problem, "Say so with --scale low:high")
    low, high = scale or (0.0, 1.0)
    if not low <= number <= high:
        raise BadLineError(f"score is {number:g}: give a number from {low:g} to {high:g}")
    return (number - low) / (high - low)


def _number(value: Any) -> float:
    if isinstance(value, str) and _is_number(value.strip().replace(",", ".")):
        return float(value.strip().replace(",", "."))
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadLineError(f"score is {shown(value)}: give a number, or a label such as correct or wrong")
    return float(value)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _name(value: Any) -> str:
    return "" if value is None else str(value)


def _objects(value: Any, name: str) -> Iterator[Mapping[str, Any]]:
    if not isinstance(value, list | tuple):
        raise BadLineError(f"{name} is {shown(value)}: give a list")
    for item in value:
        if not isinstance(item, Mapping):
            raise BadLineError(f"{name} holds {shown(item)}: give objects")
        yield item


def _read_json(path: Path) -> list[Any]:
    """The objects of a list in JSON, or of JSON Lines; what is none is a BadLineError in its place."""
    lines = read_lines(path)
    text = "\n".join(lines)
    if not text.lstrip().startswith("["):
        return [_line(line) for line in lines if line.strip()]
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SourceError(str(path), f"not JSON ({error})", "Export it again") from None
    return [item if isinstance(item, dict) else BadLineError(f"{shown(item)} is not an object") for item in items]


def _line(line: str) -> Any:
    try:
        return read_object(line)
    except BadLineError as error:
        return error


def _read_csv(path: Path) -> list[Any]:
    text = "\n".join(read_lines(path))
    header = text.partition("\n")[0]
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)
    try:
        records = [record for record in reader if record]
    except csv.Error as error:
        raise SourceError(f"{path}, line {reader.line_num}", f"not CSV ({error})", "Mend its quotes") from None
    names = [name.strip().lower() for name in records[0]] if records else []
    if records and (not {"answer", *_NAMES["answer"]} & set(names) or not {"score", "label"} & set(names)):
        problem = f"its columns are {', '.join(names)[:100]}, without answer, or without score and label"
        raise SourceError(str(path), problem, "Name the columns question, references, answer and score or label")
    return [
        dict(zip(names, record, strict=True))
        if len(record) == len(names)
        else BadLineError(f"{len(record)} cells, {len(names)} are needed")
        for record in records[1:]
    ]
