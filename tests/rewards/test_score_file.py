import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.core.errors import SourceError
from components.core.json_lines import read_lines
from components.rewards.config import RewardsConfig
from components.rewards.portfolio import Portfolio
from components.rewards.score_file import ScoredLines, score_lines

PORTFOLIO = Portfolio(RewardsConfig(), None)
RIGHT, WRONG = "<think>2+3</think><answer>5</answer>", "<think>2+3</think><answer>6</answer>"
KEYS = {"total", "parts", "not_applicable", "verdict", "confidence", "extracted", "rule", "flags"}


def score(*lines: dict[str, Any] | str) -> list[dict[str, Any]]:
    return decoded(score_all(*lines))


def score_all(*lines: dict[str, Any] | str) -> ScoredLines:
    return score_lines([line if isinstance(line, str) else json.dumps(line) for line in lines], PORTFOLIO)


def decoded(scored: ScoredLines) -> list[dict[str, Any]]:
    assert all(line.isascii() and "\n" not in line for line in scored.lines)
    return [json.loads(line, parse_constant=lambda name: pytest.fail(name)) for line in scored.lines]


def line(completion: Any = RIGHT, references: Any = ("5",), **rest: Any) -> dict[str, Any]:
    return {"completion": completion, "references": references, **rest}


def test_a_line_has_all_that_led_to_its_total() -> None:
    [scored] = score(line(id=7))
    assert set(scored) == {"id", *KEYS}
    assert scored["id"] == 7
    assert scored["total"] == pytest.approx(1.2)
    assert scored["parts"] == {"accuracy": 1.0, "length": None, "format": 0.2}
    assert list(scored["not_applicable"]) == ["length"]
    assert (scored["verdict"], scored["extracted"], scored["flags"]) == (True, "5", [])


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"references": "5"}, True),
        ({"references": ["4", None, "5", ""]}, True),
        ({"references": ["5.4"], "precision": 0}, True),
        ({"references": ["5.4"], "precision": 0.0}, True),
        ({"references": ["5.4"], "precision": 1}, False),
        ({"references": ["B"], "choices": ["4", "5"]}, True),
        ({"references": ["B"], "choices": ["5", "4"]}, False),
        ({"references": ["yes"], "answer_type": "yes_no", "completion": "<answer>Yes.</answer>"}, True),
        ({"references": ["5 cm"], "answer_type": "number", "unit": "cm", "completion": "5 cm"}, True),
        ({"references": ["5 cm"], "answer_type": "number", "unit": "cm", "completion": "5 m"}, False),
        ({"references": ["5"], "answer_type": "infer"}, True),
        ({"references": ["5"], "answer_type": "open_ended"}, None),
        ({"references": ["5"], "choices": None, "unit": None, "precision": None, "question": None}, True),
    ],
)
def test_fields_decide_how_an_answer_is_judged(fields: dict[str, Any], verdict: bool | None) -> None:
    scored = score_all({"completion": RIGHT, **fields})
    assert decoded(scored)[0]["verdict"] is verdict
    assert scored.problems == []


@pytest.mark.parametrize("references", [[], None, "", " ", ["", "\n"], [None]])
@pytest.mark.parametrize("completion", [RIGHT, "", None])
def test_without_a_reference_nothing_is_decided(references: Any, completion: Any) -> None:
    [scored] = score(line(completion, references))
    assert scored["verdict"] is None
    assert "no reference" in scored["flags"]
    assert scored["total"] == pytest.approx(0.2 if completion else 0.0)


@pytest.mark.parametrize(("completion", "shown"), [(None, "null"), (5, "5"), (["5"], "a list of 1"), (True, "true")])
def test_a_completion_that_is_no_text_is_scored_as_empty(completion: Any, shown: str) -> None:
    scored = score_all(line(completion))
    assert decoded(scored)[0]["flags"][0] == f"completion is {shown}, not text: scored as empty"
    assert decoded(scored)[0]["verdict"] is False
    assert scored.problems == []


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("not json", "'not json' is not JSON (Expecting value at character 1)"),
        ("", "'' is not JSON"),
        ('{"completion": "5", "references": ["5"]', "is not JSON"),
        ('{"completion": "5", "references": ["5"], "id": NaN}', "NaN is no JSON number"),
        (json.dumps("text"), "'text' is not an object"),
        ("[1, 2]", "a list of 2 is not an object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"id": ' + "9" * 5000 + "}", "is not JSON"),
        ('{"id": 1e999, "completion": "", "references": []}', "id holds a number beyond 1.8e308"),
        ('{"id": ' + "[" * 60 + "]" * 60 + "}", "id is nested deeper than 50 levels"),
        ({"references": ["5"]}, "completion is missing"),
        ({"completion": "5"}, "references is missing"),
        (line(references=5), "references[0] is 5: write it as a string"),
        (line(references=["5", 5.5]), "references[1] is 5.5: write it as a string"),
        (line(references={"a": 1}), "references[0] is an object of 1 keys: write it as a string"),
        (line(answer_type="numbr"), "answer_type is 'numbr': did you mean 'number'?"),
        (line(answer_type="z"), "answer_type is 'z': give one of number, expression"),
        (line(answer_type=3), "answer_type is 3: give one of"),
        (line(answer_type=["number"]), "answer_type is a list of 1: give one of"),
        (line(choices="AB"), "choices is 'AB': give a list of strings"),
        (line(choices=[1]), "choices[0] is 1: write it as a string"),
        (line(precision="1"), "precision is '1': give a whole number, -100 to 100"),
        (line(precision=1.5), "precision is 1.5: give a whole number"),
        (line(precision=True), "precision is true: give a whole number"),
        (line(precision=10**9), "precision is 1000000000: give a whole number"),
        ('{"completion": "", "references": [], "precision": 1e999}', "precision is Infinity: give a whole number"),
        (line(length_tokens=-1), "length_tokens is -1: give a whole number, 0 to"),
        (line(length_tokens=10**400), "length_tokens is 1000"),
        (line(unit=3), "unit is 3: write it as a string"),
        (line(question=["?"]), "question is a list of 1: write it as a string"),
        (line(truncated="no"), "truncated is 'no': give true or false"),
    ],
)
def test_a_bad_line_is_named_and_the_others_unharmed(bad: dict[str, Any] | str, message: str) -> None:
    scored = score_all(line(), bad, line(WRONG))
    before, between, after = decoded(scored)
    assert (before["total"], after["total"]) == (pytest.approx(1.2), pytest.approx(0.2))
    assert set(between) - {"id"} == KEYS
    assert between["total"] is None
    assert between["verdict"] is None
    assert between["parts"] == {"accuracy": None, "length": None, "format": None}
    [flag], [problem] = between["flags"], scored.problems
    assert flag == f"bad line: {problem}"
    assert flag.startswith("bad line: line 2: ")
    assert message in flag
    assert len(flag) < 400


def test_a_bad_line_keeps_its_id() -> None:
    assert score({"id": ["a", {"b": None}], "references": []})[0]["id"] == ["a", {"b": None}]


GROUP = [
    line(RIGHT, group="q", length_tokens=100, id=0),
    line(WRONG, group="q", length_tokens=50, id=1),
    line(RIGHT, group="q", length_tokens=300.0, id=2),
]


def test_completions_of_a_group_are_held_against_each_other() -> None:
    assert [item["parts"]["length"] for item in score(*GROUP)] == [0.0, pytest.approx(-0.3 * 0.75), 0.0]
    assert [item["parts"]["length"] for item in score(line(WRONG, length_tokens=50), GROUP[0])] == [None, 0.0]


@given(st.permutations([*GROUP, line(WRONG, id=3, length_tokens=5), line(WRONG, ["6"], id=4, group="p"), "bad"]))
def test_order_of_the_lines_does_not_matter(lines: list[dict[str, Any] | str]) -> None:
    by_id = {item["id"]: item for item in score(*GROUP)}
    scored = score(*lines)
    assert [item.get("id") for item in scored] == [None if isinstance(item, str) else item["id"] for item in lines]
    assert [by_id[item["id"]] for item in scored if item.get("id", 9) < 3] == [
        item for item in scored if item.get("id", 9) < 3
    ]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [(1, 1, True), (1, "1", False), (None, None, False), ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True), (0, False, False)],
)
def test_a_group_is_named_by_any_json_value(first: Any, second: Any, same: bool) -> None:
    _, wrong = score(line(RIGHT, group=first, length_tokens=9), line(WRONG, group=second, length_tokens=0))
    assert wrong["parts"]["length"] == (pytest.approx(-0.3) if same else None)


def test_a_group_with_two_prompts_keeps_its_first() -> None:
    scored = score_all(line(group=1), line(references=["6"], group=1), line(WRONG, group=1))
    first, second, third = decoded(scored)
    assert (first["verdict"], second["verdict"], third["verdict"]) == (True, None, False)
    assert "group 1 holds another prompt on line 1" in second["flags"][0]


def test_progress_adds_up_to_all_lines() -> None:
    seen: list[int] = []
    lines = [json.dumps(line())] * 2500 + ["bad"] * 3
    assert len(score_lines(lines, PORTFOLIO, seen.append).lines) == sum(seen) == 2503
    assert len(seen) > 2


ANY_TEXT = st.text(st.characters())  # lone surrogates and NUL included
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner), max_leaves=8)
ANSWERS = ANY_TEXT | st.text(alphabet="0123456789{}\\()^/.$%,-= xAB", max_size=40) | st.sampled_from(["5", RIGHT, "B"])
FIELDS = {
    "id": VALUES,
    "completion": ANSWERS | ANSWERS.map("<think>x</think><answer>{}</answer>".format) | VALUES,
    "references": st.lists(ANSWERS) | VALUES,
    "answer_type": st.sampled_from(["number", "choice", "short_text", "open_ended", "yes_no"]) | VALUES,
    "choices": st.lists(ANSWERS) | VALUES,
    "precision": st.integers(-100, 100) | VALUES,
    "unit": ANY_TEXT | VALUES,
    "question": ANY_TEXT | VALUES,
    "group": st.integers(0, 2) | VALUES,
    "length_tokens": st.integers(0, 9) | VALUES,
    "truncated": st.booleans() | VALUES,
}
USUAL = {"completion", "references"}
LINES = st.fixed_dictionaries(
    {name: FIELDS[name] for name in USUAL}, optional={name: FIELDS[name] for name in FIELDS.keys() - USUAL}
)


@settings(max_examples=300)
@given(st.lists(LINES | st.fixed_dictionaries({}, optional=FIELDS), max_size=6))
def test_every_object_gives_one_line_with_its_id(lines: list[dict[str, Any]]) -> None:
    scored = score(*lines)
    read = [json.loads(json.dumps(fields)) for fields in lines]  # two lone surrogates may be read as one character
    assert [item.get("id", "none") for item in scored] == [fields.get("id", "none") for fields in read]
    assert all(set(item) - {"id"} == KEYS for item in scored)


@given(st.lists(ANY_TEXT.map(lambda text: text.replace("\n", "")), max_size=6))
def test_every_text_gives_one_line(lines: list[str]) -> None:
    assert len(score(*lines)) == len(lines)


HOSTILE = {
    "braces": "{" * 1_000_000,
    "closing braces": "}" * 1_000_000,
    "boxes": r"\boxed{" * 100_000,
    "tower": r"\boxed{9^{9^{9^9}}}",
    "factorial": r"\boxed{100000000!}",
    "nul": "\0" * 1_000_000,
    "surrogates": "\ud800" * 100_000,
    "tags": "<answer>" * 100_000,
    "nested": r"\frac{" * 50_000 + "1" + "}{2}" * 50_000,
    "spaces": " " * 1_000_000,
    "digits": "9" * 1_000_000,
    "mixed scripts": "А١五𝟓" * 100_000,
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("answer_type", ["number", "expression", "choice", "short_text", "open_ended"])
def test_hostile_text_is_scored_anywhere_in_a_line(hostile: str, answer_type: str) -> None:
    lines = [
        line(hostile, ["5"], answer_type=answer_type),
        line(f"<think>x</think><answer>{hostile}</answer>", ["5"], answer_type=answer_type, choices=["4", "5"]),
        line("5", [hostile], answer_type=answer_type, choices=[hostile, "5"], unit=hostile[:1000]),
        line(id=1),
    ]
    scored = score(*lines)
    assert len(scored) == 4
    assert [item["verdict"] is True for item in scored] == [False, False, False, True]


def test_lone_surrogates_come_back() -> None:
    [scored] = score(line("\ud800", ["\ud800"], id="\udfff"))
    assert (scored["id"], scored["extracted"]) == ("\udfff", "\ud800")


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"\xef\xbb\xbfa\r\n\nb", ["a\r", "", "b"]),
        ("a\u2028b\x0bc\x85\n".encode(), ["a\u2028b\x0bc\x85"]),
    ],
)
def test_lines_end_at_line_feeds_alone(content: bytes, lines: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    assert read_lines(tmp_path / "file") == lines


def test_unreadable_files_are_named_errors(tmp_path: Path) -> None:
    (tmp_path / "latin.jsonl").write_bytes(b"{}\n{}\n\xe9")
    with pytest.raises(SourceError, match=r"latin.jsonl: not UTF-8: byte 0xe9 on line 3"):
        read_lines(tmp_path / "latin.jsonl")
    with pytest.raises(SourceError, match="No such file"):
        read_lines(tmp_path / "missing")
    with pytest.raises(SourceError, match="Is a directory"):
        read_lines(tmp_path)
    with pytest.raises(SourceError, match="not the path of a file"):
        read_lines(Path("a\0b"))
