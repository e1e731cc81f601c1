"""Each public set's mapping on rows of exactly its published columns and types, as the hub's files hold them."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import datasets
import pytest
from datasets import ClassLabel, Dataset, Features, Image, List, Value
from PIL import Image as PilImage

from components.core.errors import SourceError
from components.curation.candidate import Rejection
from components.curation.mappings import MAPPINGS
from tests.curation.source_material import opened, png, rejection, values, write_zip

TEXT, TEXTS = Value("string"), List(Value("string"))
HINT = "Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end."
TURNS = List({"from": TEXT, "value": TEXT})
OPTIONS = "\nA. 3\nB. 4\nC. 5"

FEATURES: dict[str, Features] = {
    "geometry3k": Features(
        images=List(Image()), problem=TEXT, answer=TEXT, id=Value("int64"), choices=TEXTS, ground_truth=TEXT
    ),
    "mmk12": Features(id=TEXT, question=TEXT, answer=TEXT, subject=TEXT, image=Image()),
    "llava_onevision": Features(id=TEXT, image=Image(), conversations=TURNS, data_source=TEXT),
    "r1_onevision": Features(id=TEXT, image=TEXT, conversations=TURNS),
    "geoqa_r1v": Features(image=Image(), problem=TEXT, solution=TEXT),
    "clevr_r1v": Features(image=Image(), problem=TEXT, solution=TEXT),
    "open_r1_multimodal": Features(
        image=Image(), problem=TEXT, solution=TEXT, original_question=TEXT, original_answer=TEXT
    ),
    "docvqa": Features(
        questionId=Value("int32"), question=TEXT, question_types=TEXTS, image=Image(), docId=Value("int32"),
        ucsf_document_id=TEXT, ucsf_document_page_no=TEXT, answers=TEXTS,
    ),
    "chartqa": Features(
        image=Image(), query=TEXT, label=TEXTS, human_or_machine=ClassLabel(names=["human", "machine"])
    ),
    "textvqa": Features(
        image_id=TEXT, question_id=Value("int32"), question=TEXT, question_tokens=TEXTS, image=Image(),
        image_width=Value("int32"), image_height=Value("int32"), flickr_original_url=TEXT, flickr_300k_url=TEXT,
        answers=TEXTS, image_classes=TEXTS, set_name=TEXT, ocr_tokens=TEXTS,
    ),
    "scienceqa": Features(
        image=Image(), question=TEXT, choices=TEXTS, answer=Value("int8"), hint=TEXT, task=TEXT, grade=TEXT,
        subject=TEXT, topic=TEXT, category=TEXT, skill=TEXT, lecture=TEXT, solution=TEXT,
    ),
    "aokvqa": Features(
        image=Image(), question_id=TEXT, question=TEXT, choices=TEXTS, correct_choice_idx=Value("int8"),
        direct_answers=TEXT, difficult_direct_answer=Value("bool"), rationales=TEXTS,
    ),
    "rlaif_v": Features(
        ds_name=TEXT, image=Image(), question=TEXT, chosen=TEXT, rejected=TEXT, origin_dataset=TEXT, origin_split=TEXT,
        idx=TEXT, image_path=TEXT,
    ),
}  # fmt: skip
"""Of the sets that have their images inside; where they come from is said at each mapping."""

CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "geometry3k",
        {"images": 1, "problem": "<image>Find x.", "answer": "28 \\sqrt 2", "id": 3, "choices": ["28", "28 \\sqrt 2"],
         "ground_truth": "B"},
        {"question": "Find x.", "references": ["28 \\sqrt 2"], "task": "math", "licence": "MIT (Geometry3K)",
         "metadata": {"id": "3"}},
    ),
    (
        "mmk12",
        {"id": "a1", "question": f"<image>How much?{OPTIONS}", "answer": "B", "subject": "physics"},
        {"question": f"How much?{OPTIONS}", "references": ["B"], "choices": ["3", "4", "5"], "task": "math",
         "metadata": {"id": "a1", "subject": "physics"}},
    ),
    (
        "mmk12",
        {"id": "a2", "question": "As shown, AB = $3$; what is BC?", "answer": "$12$", "subject": "math"},
        {"question": "As shown, AB = $3$; what is BC?", "references": ["$12$"], "choices": []},
    ),
    (
        "llava_onevision",
        {"id": "c1", "data_source": "Geometry3K(MathV360K)", "conversations": [
            {"from": "human", "value": f"<image>\n{HINT}\nQuestion: Find m.\nChoices:\n(A) 97\n(B) 102"},
            {"from": "gpt", "value": "The answer is B"}]},
        {"question": "Find m.\nChoices:\n(A) 97\n(B) 102", "references": ["B"], "choices": ["97", "102"], "task": "vqa",
         "metadata": {"id": "c1", "data_source": "Geometry3K(MathV360K)"}},
    ),
    (
        "llava_onevision",
        {"id": "c2", "data_source": "vqav2", "conversations": [
            {"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A dog."},
            {"from": "human", "value": "Where?"}, {"from": "gpt", "value": "On a sofa."}]},
        {"question": "What is it?", "references": ["A dog."],
         "metadata": {"id": "c2", "data_source": "vqav2", "turns": "2"}},
    ),
    (
        "r1_onevision",
        {"id": "r1", "image": base64.b64encode(png(1)).decode(), "conversations": [
            {"from": "human", "value": "<image>How many?"},
            {"from": "gpt", "value": "<think>one, two</think><answer>so \\boxed{2}</answer>"}]},
        {"question": "How many?", "references": ["2"]},
    ),
    (
        "geoqa_r1v",
        {"problem": "What is angle ABC?", "solution": "<answer> 145° </answer>"},
        {"question": "What is angle ABC?", "references": ["145°"], "task": "math"},
    ),
    (
        "clevr_r1v",
        {"problem": "How many different items are there?", "solution": "<answer> 3 </answer>"},
        {"question": "How many different items are there?", "references": ["3"], "task": "vqa"},
    ),
    (
        "open_r1_multimodal",
        {"problem": f"How much?{OPTIONS}", "solution": "<think>…</think>\n<answer>C</answer>",
         "original_question": "How much?", "original_answer": "C"},
        {"references": ["C"], "choices": ["3", "4", "5"]},
    ),
    (
        "docvqa",
        {"questionId": 337, "question": "What is the date?", "question_types": ["handwritten"], "docId": 279,
         "ucsf_document_id": "xnbl0037", "ucsf_document_page_no": "1", "answers": ["1/8/93", "1-8-93"]},
        {"question": "What is the date?", "references": ["1/8/93", "1-8-93"], "task": "document",
         "group": "document 279"},
    ),
    (
        "chartqa",
        {"query": "What is the peak?", "label": ["14"], "human_or_machine": 1},
        {"question": "What is the peak?", "references": ["14"], "task": "chart", "licence": "GPL-3.0 (ChartQA)",
         "metadata": {"human_or_machine": "1"}},
    ),
    (
        "textvqa",
        {"image_id": "0054c", "question_id": 0, "question": "what is the brand?", "question_tokens": ["what"],
         "image_width": 6, "image_height": 4, "flickr_original_url": "", "flickr_300k_url": "",
         "answers": ["dakota", "nokia", "nokia", "dakota digital", "nokia"], "image_classes": ["Camera"],
         "set_name": "train", "ocr_tokens": ["DAKOTA", "nokia"]},
        {"references": ["nokia", "nokia", "nokia", "dakota", "dakota digital"], "task": "ocr", "group": "image 0054c",
         "metadata": {"question_id": "0", "image_classes": '["Camera"]'}},
    ),
    (
        "scienceqa",
        {"question": "Which is it?", "choices": ["cat", "dog"], "answer": 1, "hint": "It barks.", "grade": "grade2",
         "lecture": "Dogs bark.", "solution": "It barks, so it is a dog."},
        {"question": "It barks.\nWhich is it?\nA. cat\nB. dog", "references": ["B"], "choices": ["cat", "dog"],
         "licence": "CC BY-NC-SA 4.0 (ScienceQA)", "metadata": {"grade": "grade2"}},
    ),
    (
        "aokvqa",
        {"question_id": "22jb", "question": "What is in his mouth?", "choices": ["toothpick", "cigarette"],
         "correct_choice_idx": 1, "direct_answers": "['cigarette', 'cigarette']", "difficult_direct_answer": False,
         "rationales": ["He is smoking."]},
        {"question": "What is in his mouth?\nA. toothpick\nB. cigarette", "references": ["B"],
         "metadata": {"question_id": "22jb"}},
    ),
    (
        "rlaif_v",
        {"ds_name": "RLAIF-V", "question": "Describe it.", "chosen": "A dog on a sofa.", "rejected": "A cat.",
         "origin_dataset": "COCO", "origin_split": "{}", "idx": "7", "image_path": "a.jpg"},
        {"references": ["A dog on a sofa."], "answer_type": "open_ended", "task": "general",
         "metadata": {"origin_dataset": "COCO", "idx": "7"}},
    ),
]  # fmt: skip


def write_set(name: str, row: dict[str, Any], path: Path) -> Path:
    """A set of one row, with the types and the metadata that the hub's Parquet files have."""
    features = FEATURES[name]
    picture = PilImage.open(io.BytesIO(png(1)))
    picture.load()
    images = {"images": [picture], "image": picture}
    given = dict.fromkeys(features) | {key: images[key] for key in images if key in features and features[key] != TEXT}
    Dataset.from_list([given | {key: row[key] for key in row if key != "images"}], features=features).to_parquet(path)
    return path


@pytest.mark.parametrize(("name", "row", "expected"), CASES, ids=[f"{name}-{n}" for n, (name, *_) in enumerate(CASES)])
def test_a_row_of_the_set_becomes_a_raw_row(
    name: str, row: dict[str, Any], expected: dict[str, Any], tmp_path: Path
) -> None:
    path = write_set(name, row, tmp_path / "train.parquet")

    (found,) = values(opened("parquet", path, mapping=name, licence=expected.get("licence", "as given")))

    assert {key: found[key] for key in expected} == expected
    assert "<image>" not in found["question"]
    assert [PilImage.open(io.BytesIO(image)).size for image in found["images"]] == [(6, 4)]


def test_every_mapping_is_tested() -> None:
    assert {name for name, *_ in CASES} | {"virl39k", "mathv360k", "mm_eureka", "mm_math"} == set(MAPPINGS)


def test_no_answer_hides_in_the_metadata() -> None:
    for name, row, expected in CASES:
        metadata = MAPPINGS[name].raw_row({**dict.fromkeys(FEATURES[name]), **row, "images": []}).get("metadata", {})
        texts = [text for text in metadata.values() if len(text) > 1]
        assert not [text for text in texts if any(answer in text for answer in expected["references"])], name


@pytest.mark.parametrize("name", sorted(MAPPINGS))
def test_a_set_without_the_columns_is_refused_by_name(name: str, tmp_path: Path) -> None:
    Dataset.from_dict({"something": ["else"]}).to_parquet(tmp_path / "rows.parquet")

    with pytest.raises(SourceError, match=f"no column .*Use the set that {name} is for"):
        opened("parquet", tmp_path / "rows.parquet", mapping=name, licence="CC0")


def test_virl39k_has_paths_in_an_archive_and_boxed_answers(tmp_path: Path) -> None:
    features = Features(
        question=TEXT, answer=TEXT, PassRate_32BTrained=Value("float64"), PassRate_7BBase=Value("float64"),
        category=TEXT, source=TEXT, qid=TEXT, image=TEXTS,
    )  # fmt: skip
    rates = {"PassRate_32BTrained": 0.5, "PassRate_7BBase": -1.0, "category": "(GradeSchool) Geometric"}
    rows = [
        {
            "question": f"<image><image>Which?{OPTIONS}",
            "answer": "\\boxed{A}",
            "image": ["images/a.png", "images/b.png"],
        },
        {"question": "<image>Solve.", "answer": "\\boxed{\\frac{1}{2}}", "image": ["images/a.png"]},
        {"question": "Solve.", "answer": "\\boxed{1}", "image": []},
        {"question": "<image>Solve.", "answer": "\\boxed{1", "image": ["images/a.png"]},
        {"question": "<image>Solve.", "answer": "\\boxed{1}", "image": ["images/gone.png"]},
    ]
    filled = [{**row, **rates, "source": "K12", "qid": f"q{number}"} for number, row in enumerate(rows)]
    Dataset.from_list(filled, features=features).to_parquet(tmp_path / "39Krelease.parquet")
    write_zip(tmp_path / "images.zip", {"images/a.png": png(1), "images/b.png": png(2)})

    source = opened("parquet", tmp_path, mapping="virl39k", image_root=str(tmp_path / "images.zip"))
    first, second, third, *others = [row.values for row in source.rows()]

    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert isinstance(third, dict)
    assert (first["images"], first["references"], first["choices"]) == ([png(1), png(2)], ["A"], ["3", "4", "5"])
    assert second["references"] == ["\\frac{1}{2}"]
    assert second["metadata"]["PassRate_32BTrained"] == "0.5"
    assert third["images"] == []
    assert [other.reason for other in others if isinstance(other, Rejection)] == ["answer not boxed", "image missing"]


def test_mathv360k_is_a_list_in_json_with_images_in_an_archive(tmp_path: Path) -> None:
    rows = [
        {"id": "identity_0", "image": "TabMWP/images/1.png", "conversations": [
            {"from": "human", "value": f"<image>\n{HINT}\nQuestion: Is it?\nChoices:\n(A) yes\n(B) no"},
            {"from": "gpt", "value": "The answer is A"}]},
        {"image": "CLEVR-Math/images/2.png", "conversations": [
            {"from": "human", "value": "<image>\nHint: Please answer the question requiring an integer answer.\n"
                                       "Question: How many are left?"},
            {"from": "gpt", "value": "The answer is 10"}]},
        {"id": "identity_2", "image": "TabMWP/images/1.png", "conversations": [
            {"from": "gpt", "value": "The answer is A"}, {"from": "human", "value": "Is it?"}]},
        {"id": "identity_3", "image": "TabMWP/images/1.png", "conversations": "none"},
    ]  # fmt: skip
    (tmp_path / "train_samples_all_tuning.json").write_text(json.dumps(rows))
    members = {"data_images/TabMWP/images/1.png": png(1), "data_images/CLEVR-Math/images/2.png": png(2)}
    archive = write_zip(tmp_path / "data_images.zip", members)
    source = opened("json", tmp_path, mapping="mathv360k", licence="of its sources", image_root=str(archive))

    first, second = [row.values for row in source.rows(0, 2)]

    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert (first["question"], first["references"]) == ("Is it?\nChoices:\n(A) yes\n(B) no", ["A"])
    assert (first["choices"], first["images"]) == (["yes", "no"], [png(1)])
    assert (second["question"], second["references"], second["images"]) == ("How many are left?", ["10"], [png(2)])
    assert [rejection(source, place).reason for place in (2, 3)] == ["not a conversation", "not a conversation"]


def test_mm_eureka_names_image_files_by_address(tmp_path: Path) -> None:
    row = {
        "id": "0",
        "conversations": [
            {"role": "system", "content": "Think first."},
            {"role": "user", "content": "Solve the problem. Question: What is x?"},
        ],
        "answer": "$3$",
        "image_urls": ["file:///K12/1.png"],
    }
    (tmp_path / "dataset.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "K12").mkdir()
    (tmp_path / "K12" / "1.png").write_bytes(png(1))

    (found,) = values(opened("jsonl", tmp_path / "dataset.jsonl", mapping="mm_eureka", licence="Apache-2.0"))

    assert (found["question"], found["references"], found["images"]) == ("What is x?", ["$3$"], [png(1)])


def test_mm_math_takes_the_answer_out_of_the_solution(tmp_path: Path) -> None:
    row = {
        "question": "As shown, what is $AB$?", "file_name": "1.png", "year": "eight", "difficult": "medium",
        "solution": "Since …, $AB=\\boxed{2\\sqrt{3}}$.", "knowledge": ["level_1"],
    }  # fmt: skip
    lines = [row, {**row, "solution": "Since …, it follows."}]
    (tmp_path / "MM_Math.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    archive = write_zip(tmp_path / "MM_Math.zip", {"MM_Math/1.png": png(1)})
    source = opened("jsonl", tmp_path, mapping="mm_math", licence="MIT", image_root=str(archive))

    found, lost = [item.values for item in source.rows()]

    assert isinstance(found, dict)
    assert (found["references"], found["images"]) == (["2\\sqrt{3}"], [png(1)])
    assert isinstance(lost, Rejection)
    assert lost.reason == "no final answer"


@pytest.mark.parametrize("place", [-1, 2, None, "x", 0.5, True])
def test_an_answer_that_names_no_option_costs_its_row(place: Any) -> None:
    row = {"image": png(), "question": "Which?", "choices": ["cat", "dog"], "answer": place}

    with pytest.raises(Rejection, match="answer names no option"):
        MAPPINGS["scienceqa"].raw_row(row)


class TestHub:
    """A local folder stands for the hub's repository: `datasets` reads both by the same code."""

    @pytest.fixture
    def repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.setattr("components.curation.source_hub.resolve_commit", lambda *_: "c0ffee" * 6 + "abcd")
        picture = PilImage.open(io.BytesIO(png(1)))
        for part in range(3):
            same = {"images": [picture], "choices": ["1"], "ground_truth": "A"}
            rows = [{**same, "problem": f"<image>Find x{part}{n}.", "answer": str(n), "id": n} for n in range(50)]
            file = tmp_path / "data" / f"train-{part:05}-of-00003.parquet"
            file.parent.mkdir(exist_ok=True)
            Dataset.from_list(rows, features=FEATURES["geometry3k"]).to_parquet(file)
        datasets.disable_progress_bars()
        return str(tmp_path)

    @pytest.mark.slow
    @pytest.mark.parametrize("streaming", [True, False])
    def test_rows_are_read_and_entered(self, repository: str, streaming: bool) -> None:
        source = opened("hub", mapping="geometry3k", dataset=repository, streaming=streaming)
        questions = [f"Find x{part}{n}." for part in range(3) for n in range(50)]

        assert [item["question"] for item in values(source)] == questions
        assert [row.place for row in source.rows(70, 75)] == [70, 71, 72, 73, 74]
        assert [row.values["question"] for row in source.rows(149)] == questions[149:]  # type: ignore[index]
        assert source.name == f"{repository}@c0ffeec0ffee train"
        assert source.fingerprint == "c0ffee" * 6 + "abcd"
        assert source.count == (None if streaming else 150)

    @pytest.mark.parametrize("streaming", [True, False])
    def test_images_stay_the_bytes_that_were_published(self, repository: str, streaming: bool) -> None:
        source = opened("hub", mapping="geometry3k", dataset=repository, streaming=streaming, max_rows=1)

        (found,) = values(source)
        import pyarrow.parquet as pq

        stored = pq.read_table(Path(repository) / "data" / "train-00000-of-00003.parquet").to_pylist()[0]
        assert found["images"] == [stored["images"][0]["bytes"]]

    def test_an_unknown_split_is_one_error(self, repository: str) -> None:
        with pytest.raises(SourceError, match=r"train2: not to be had from the hub .*Check the configuration"):
            opened("hub", mapping="geometry3k", dataset=repository, split="train2")

    def test_a_set_of_other_columns_is_refused(self, repository: str) -> None:
        with pytest.raises(SourceError, match=r"no column 'question'.*Use the set that mmk12 is for"):
            opened("hub", mapping="mmk12", dataset=repository, streaming=False)
