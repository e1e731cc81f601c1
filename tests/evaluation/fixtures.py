"""Fixtures: small sets of our own making in exactly the schemas of the published benchmarks, as Parquet.

Each has a dozen rows with every kind of question, one broken image (BROKEN of them: they become questions) and one odd
row (ODD of them: they are quarantined). None of the content is of a published set.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

Row = dict[str, Any]
ROWS, ODD, BROKEN = 12, 1, 1
ASKED = ROWS - ODD
_BROKEN_IMAGE = b"\x89PNG\r\n\x1a\n and then nothing"
_LETTERS = ["A", "B", "C", "D", "E"]


def write_fixture(name: str, folder: Path) -> Path:
    """Write a benchmark's fixture.

    Args:
        name: The benchmark.
        folder: Where to; it is made if need be.

    Returns:
        The folder, to be prepared from with partial=True.
    """
    from datasets import Dataset

    fixture = FIXTURES[name]
    features = fixture.features()
    for path, rows in fixture.files().items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Dataset.from_list(rows, features=features).to_parquet(file)
    return folder


@dataclass(frozen=True)
class Fixture:
    """A set's schema and its rows by the path that the hub keeps them under."""

    features: Callable[[], Any]
    files: Callable[[], dict[str, list[Row]]]


@lru_cache(maxsize=256)
def drawn(text: str, size: int = 56) -> bytes:
    """A PNG with a shape and a text on it; another text gives another image."""
    image = Image.new("RGB", (size, size), (255, 255, 240))
    pen = ImageDraw.Draw(image)
    shade = sum(text.encode()) % 200
    pen.rectangle((4, 4, size - 5, size // 2), outline=(shade, 60, 120), width=2)
    pen.ellipse((8, size // 2 + 2, size - 9, size - 5), fill=(40, shade, 90))
    pen.text((7, 8), text[:9], fill=(0, 0, 0))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def _image(text: str) -> dict[str, Any]:
    return {"bytes": drawn(text), "path": f"{text}.png"}


def _broken() -> dict[str, Any]:
    return {"bytes": _BROKEN_IMAGE, "path": "broken.png"}


def _features(**columns: Any) -> Any:
    """Features of `datasets`: a dtype, "image", a list of one of them, or a mapping of such."""
    from datasets import Features

    return Features({name: _feature(kind) for name, kind in columns.items()})


def _feature(kind: Any) -> Any:
    import datasets

    if isinstance(kind, list):
        return datasets.List(_feature(kind[0]))
    if isinstance(kind, dict):
        return {name: _feature(inner) for name, inner in kind.items()}
    if isinstance(kind, tuple):
        return datasets.ClassLabel(names=list(kind))
    return datasets.Image() if kind == "image" else datasets.Value(kind)


# --- MathVista ----------------------------------------------------------------------------------------------------


def _mathvista_features() -> Any:
    return _features(
        pid="string", question="string", image="string", decoded_image="image", choices=["string"], unit="string",
        precision="float64", answer="string", question_type="string", answer_type="string",
        metadata={
            "category": "string", "context": "string", "grade": "string", "img_height": "int64", "img_width": "int64",
            "language": "string", "skills": ["string"], "source": "string", "split": "string", "task": "string",
        },
        query="string",
    )  # fmt: skip


_MATHVISTA_HINTS = {
    "text": "Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.",
    "integer": "Hint: Please answer the question requiring an integer answer and provide the final value, e.g., 1, 2, "
    "3, at the end.",
    "float": "Hint: Please answer the question requiring a floating-point number with one decimal place and provide "
    "the final value, e.g., 1.2, 1.3, 1.4, at the end.",
    "list": "Hint: Please answer the question requiring a Python list as an answer and provide the final list, e.g., "
    "[1, 2, 3], [1.2, 1.3, 1.4], at the end.",
}


def _mathvista_row(
    pid: int,
    question: str,
    answer: str | None,
    answer_type: str,
    task: str,
    skills: list[str],
    choices: list[str] | None = None,
    *,
    precision: float | None = None,
    unit: str | None = None,
    image: dict[str, Any] | None = None,
) -> Row:
    asked = f"{_MATHVISTA_HINTS[answer_type]}\nQuestion: {question}" + (f" (Unit: {unit})" if unit else "")
    listed = "".join(f"\n({letter}) {choice}" for letter, choice in zip(_LETTERS, choices or (), strict=False))
    return {
        "pid": str(pid), "question": question, "image": f"images/{pid}.jpg",
        "decoded_image": image or _image(f"mv{pid}"), "choices": choices, "unit": unit, "precision": precision,
        "answer": answer, "question_type": "multi_choice" if choices else "free_form", "answer_type": answer_type,
        "metadata": {
            "category": "math-targeted-vqa", "context": "geometry diagram", "grade": "high school", "img_height": 56,
            "img_width": 56, "language": "english", "skills": skills, "source": "Drawn", "split": "testmini",
            "task": task,
        },
        "query": asked + (f"\nChoices:{listed}" if choices else ""),
    }  # fmt: skip


def _mathvista() -> dict[str, list[Row]]:
    geometry, words, figure = "geometry problem solving", "math word problem", "figure question answering"
    algebra, arithmetic, statistics = "algebraic reasoning", "arithmetic reasoning", "statistical reasoning"
    shape = "geometry reasoning"
    return {
        "data/testmini-00000-of-00001.parquet": [
            _mathvista_row(1, "Which shape is filled?", "ellipse", "text", geometry, [shape], ["square", "ellipse"]),
            _mathvista_row(
                2, "How large is angle A?", "140°", "text", geometry, [algebra, shape], ["135°", "140°", "145°", "150°"]
            ),
            _mathvista_row(3, "Is the upper shape closed?", "Yes", "text", figure, [statistics], ["Yes", "No"]),
            _mathvista_row(4, "How many shapes are there?", "2", "integer", figure, [arithmetic]),
            _mathvista_row(5, "How old is the older one?", "14", "integer", words, [arithmetic], unit="years"),
            _mathvista_row(6, "How long is the side?", "1.5", "float", geometry, [shape], precision=1.0),
            _mathvista_row(7, "How large is the area?", "2.25", "float", geometry, [shape, algebra], precision=2.0),
            _mathvista_row(8, "Which years are shown?", "[2014, 2016]", "list", figure, [statistics]),
            _mathvista_row(9, "How many corners are there?", "4", "integer", figure, [arithmetic, statistics]),
            _mathvista_row(10, "Which is larger?", "left", "text", figure, ["numeric commonsense"], ["left", "right"]),
            _mathvista_row(
                11, "Which side is dark?", "upper", "text", figure, ["logical reasoning"], ["upper", "lower"],
                image=_broken(),
            ),
            _mathvista_row(12, "How many are left?", None, "integer", words, ["scientific reasoning"]),
        ]
    }  # fmt: skip


# --- MathVerse ----------------------------------------------------------------------------------------------------


def _mathverse_features() -> Any:
    return _features(
        sample_index="string", problem_index="string", problem_version="string", question="string", image="image",
        answer="string", question_type="string",
        metadata={"split": "string", "source": "string", "subject": "string", "subfield": "string"},
        query_wo="string", query_cot="string", question_for_eval="string",
    )  # fmt: skip


_MATHVERSE_VERSIONS = ("Text Dominant", "Text Lite", "Vision Intensive", "Vision Dominant", "Vision Only")


def _mathverse_row(
    sample: int, problem: int, version: str, question: str, answer: str, subject: str, image: dict[str, Any] | None
) -> Row:
    lettered = "Choices:" in question
    wanted = "the correct option letter, e.g., A, B, C, D" if lettered else "the final value, e.g., 1, 2.5, 300"
    shown = "" if version == "Vision Only" else question
    directly = f"Please directly answer the question and provide {wanted}.\nQuestion: {shown}".rstrip()
    return {
        "sample_index": str(sample), "problem_index": str(problem), "problem_version": version, "question": shown,
        "image": image, "answer": answer, "question_type": "multi-choice" if lettered else "free-form",
        "metadata": {"split": "testmini", "source": "Drawn", "subject": subject, "subfield": "Angle"},
        "query_wo": directly,
        "query_cot": directly.replace("directly answer the question", "first conduct reasoning, and then answer"),
        "question_for_eval": question,
    }  # fmt: skip


def _mathverse() -> dict[str, list[Row]]:
    angle = "Angle A is 40° and angle B is 60°. How large is angle C?\nChoices:\nA:40°\nB:60°\nC:80°\nD:100°"
    slope = "What is the slope of the line?"
    rows = [
        _mathverse_row(1 + place, 1, version, angle, "C", "Plane Geometry", _image(f"angle{place}"))
        for place, version in enumerate(_MATHVERSE_VERSIONS)
    ]
    rows += [
        _mathverse_row(6 + place, 2, version, slope, "\\frac{1}{2}", "Functions", _image(f"slope{place}"))
        for place, version in enumerate(_MATHVERSE_VERSIONS)
    ]
    rows[-1]["image"] = _broken()
    bearing = "What is the true bearing of the lighthouse?"
    rows.append(_mathverse_row(11, 3, "Text Lite", bearing, "212°T", "Plane Geometry", _image("bearing")))
    rows.append(_mathverse_row(12, 3, "Vision Intensive", bearing, "212°T", "Plane Geometry", None))
    return {"testmini.parquet": rows}


# --- MathVision ---------------------------------------------------------------------------------------------------


def _mathvision_features() -> Any:
    return _features(
        id="string", question="string", options=["string"], image="string", decoded_image="image", answer="string",
        solution="string", level="int64", subject="string",
    )  # fmt: skip


def _mathvision_row(
    number: int, question: str, options: list[str], answer: str, level: int, subject: str, image: Any = None
) -> Row:
    return {
        "id": str(number), "question": question, "options": options, "image": f"images/{number}.jpg",
        "decoded_image": image or _image(f"vision{number}"), "answer": answer, "solution": None, "level": level,
        "subject": subject,
    }  # fmt: skip


def _mathvision_rows() -> list[Row]:
    numbers = ["10", "12", "14", "16", "18"]
    return [
        _mathvision_row(1, "How many shapes are there?\n<image1>", [], "2", 1, "counting"),
        _mathvision_row(2, "Which picture is the mirror image?\n<image1>", _LETTERS, "D", 3, "logic"),
        _mathvision_row(3, "How large is the perimeter?\n<image1>", numbers, "B", 2, "metric geometry - length"),
        _mathvision_row(4, "Which piece fits?\n<image1>\n<image2>", _LETTERS, "A", 1, "combinatorial geometry"),
        _mathvision_row(5, "How large is the angle?\n<image1>", [], "60", 4, "metric geometry - angle"),
        _mathvision_row(6, "How large is the area?\n<image1>", [], "$\\frac{3}{4}$", 5, "metric geometry - area"),
        _mathvision_row(7, "Which point is it?\n<image1>", [], "(3,4)", 4, "analytic geometry"),
        _mathvision_row(8, "How far is it?\n<image1>", [], "$5\\sqrt{2}$", 5, "metric geometry - length"),
        _mathvision_row(9, "Which graph is it?", [f"<image{n}>" for n in range(1, 6)], "E", 3, "statistics"),
        _mathvision_row(10, "How many ways are there?\n<image1>", numbers, "E", 5, "combinatorics"),
        _mathvision_row(11, "How many edges are there?\n<image1>", [], "7", 2, "graph theory", _broken()),
        _mathvision_row(12, "Which one is left out?\n<image1>", _LETTERS, "F", 2, "logic"),
    ]


# --- OCRBench -----------------------------------------------------------------------------------------------------


def _ocrbench_features() -> Any:
    return _features(dataset="string", question="string", question_type="string", answer=["string"], image="image")


def _ocrbench_row(source: str, kind: str, question: str, answer: list[str], image: Any = None) -> Row:
    return {
        "dataset": source, "question": question, "question_type": kind, "answer": answer,
        "image": image or _image(answer[0] if answer else "none"),
    }  # fmt: skip


def _ocrbench() -> dict[str, list[Row]]:
    read, formula = "what is written in the image?", "Handwritten Mathematical Expression Recognition"
    write_out = "Please write out the expression of the formula in the image using LaTeX format."
    return {
        "data/test-00000-of-00001.parquet": [
            _ocrbench_row("IIIT5K", "Regular Text Recognition", read, ["HARBOUR"]),
            _ocrbench_row("svtp", "Irregular Text Recognition", read, ["bakery"]),
            _ocrbench_row("WordArt", "Artistic Text Recognition", read, ["Lantern"]),
            _ocrbench_row("IAM", "Handwriting Recognition", read, ["meadow"]),
            _ocrbench_row("ORAND", "Digit String Recognition", "what is the number in the image?", ["40712"]),
            _ocrbench_row("NonSemanticText", "Non-Semantic Text Recognition", read, ["qzvt"]),
            _ocrbench_row("textVQA", "Scene Text-centric VQA", "What is the shop called?", ["Finch", "Finch & Co"]),
            _ocrbench_row("docVQA", "Doc-oriented VQA", "Who signed the letter?", ["M. Okafor"]),
            _ocrbench_row("SROIE", "Key Information Extraction", "what is the total amount?", ["31.40"]),
            _ocrbench_row("HME100k", formula, write_out, ["x ^ { 2 } = 9\n", "x^2 = 9\n"]),
            _ocrbench_row("ct80", "Irregular Text Recognition", read, ["orchard"], _broken()),
            _ocrbench_row("SROIE", "Key Information Extraction", "what is the date?", []),
        ]
    }


# --- DocVQA -------------------------------------------------------------------------------------------------------


def _docvqa_features() -> Any:
    return _features(
        questionId="string", question="string", question_types=["string"], image="image", docId="int64",
        ucsf_document_id="string", ucsf_document_page_no="string", answers=["string"], data_split="string",
    )  # fmt: skip


def _docvqa_row(number: int, document: int, question: str, kinds: list[str], answers: list[str] | None) -> Row:
    return {
        "questionId": str(50000 + number), "question": question, "question_types": kinds,
        "image": _image(f"page{document}"), "docId": document, "ucsf_document_id": f"abcd{document:04}",
        "ucsf_document_page_no": "2", "answers": answers, "data_split": "val",
    }  # fmt: skip


def _docvqa() -> dict[str, list[Row]]:
    rows = [
        _docvqa_row(1, 11, "What is the date of the letter?", ["form"], ["12 May 1984", "May 12, 1984"]),
        _docvqa_row(2, 11, "Who is the letter to?", ["layout", "free_text"], ["Dr. Halloran"]),
        _docvqa_row(3, 12, "What is the total?", ["table/list"], ["1,204"]),
        _docvqa_row(4, 12, "Is it approved?", ["Yes/No"], ["yes"]),
        _docvqa_row(5, 13, "What is on the y axis?", ["figure/diagram"], ["tonnes per year"]),
        _docvqa_row(6, 13, "What is noted in the margin?", ["handwritten"], ["ask Ruth"]),
        _docvqa_row(7, 14, "What does the photograph show?", ["Image/Photo"], ["a greenhouse"]),
        _docvqa_row(8, 14, "Which page is it?", ["others"], ["7"]),
        _docvqa_row(9, 15, "What is the title?", ["layout"], ["Annual Report"]),
        _docvqa_row(10, 15, "Who wrote it?", ["form", "handwritten"], ["L. Brandt", "Brandt"]),
        _docvqa_row(11, 16, "What is the number?", ["form"], ["N-118"]),
        _docvqa_row(12, 16, "What is the address?", ["form"], None),
    ]
    rows[10]["image"] = _broken()
    return {"DocVQA/validation-00000-of-00001.parquet": rows}


# --- TextVQA ------------------------------------------------------------------------------------------------------


def _textvqa_features() -> Any:
    return _features(
        image_id="string", question_id="int32", question="string", question_tokens=["string"], image="image",
        image_width="int32", image_height="int32", flickr_original_url="string", flickr_300k_url="string",
        answers=["string"], image_classes=["string"], set_name="string", ocr_tokens=["string"],
    )  # fmt: skip


def _textvqa_row(number: int, image: str, question: str, answers: list[str] | None) -> Row:
    return {
        "image_id": image, "question_id": 34000 + number, "question": question,
        "question_tokens": question.rstrip("?").split(), "image": _image(image), "image_width": 56, "image_height": 56,
        "flickr_original_url": "", "flickr_300k_url": "", "answers": answers, "image_classes": ["Sign"],
        "set_name": "val", "ocr_tokens": ["OPEN", "24H"],
    }  # fmt: skip


def _textvqa() -> dict[str, list[Row]]:
    rows = [
        _textvqa_row(1, "003a", "what does the sign say?", ["open"] * 7 + ["open 24h"] * 3),
        _textvqa_row(2, "003a", "How many hours is it open?", ["24"] * 10),
        _textvqa_row(3, "003b", "who is the author?", ["dana's press"] * 4 + ["dana"] * 6),
        _textvqa_row(4, "003c", "What number is on the shirt?", ["two"] * 5 + ["2"] * 5),
        _textvqa_row(5, "003d", "what brand is it?", ["unanswerable"] * 2 + ["kestrel"] * 8),
        _textvqa_row(6, "003e", "what is the time?", ["10:10"] * 6 + ["10:11"] * 4),
        _textvqa_row(7, "003f", "what is the last word?", ["the end", "end"] * 5),
        _textvqa_row(8, "0040", "which year?", ["1998"] * 10),
        _textvqa_row(9, "0041", "what is sold?", ["bread, rolls"] * 5 + ["bread rolls"] * 5),
        _textvqa_row(10, "0042", "is it closed?", ["no"] * 9 + [""]),
        _textvqa_row(11, "0043", "what is the price?", ["$3.50"] * 10),
        _textvqa_row(12, "0044", "what is the name?", None),
    ]
    rows[10]["image"] = _broken()
    return {"data/validation-00000-of-00001.parquet": rows}


# --- ChartQA ------------------------------------------------------------------------------------------------------


def _chartqa_features() -> Any:
    return _features(image="image", query="string", label=["string"], human_or_machine=("human", "machine"))


def _chartqa() -> dict[str, list[Row]]:
    asked = [
        ("bars", "How many bars are there?", ["4"], 0),
        ("bars", "Which bar is the highest?", ["Norway"], 0),
        ("bars", "What is the sum of the first two?", ["12.5"], 0),
        ("lines", "In which year do the lines cross?", ["2011"], 0),
        ("lines", "Is the dashed line above 3?", ["Yes"], 0),
        ("lines", "What was the value in 2009?", ["0"], 1),
        ("pie", "What share do trains have?", ["23%"], 1),
        ("pie", "What is the largest share?", ["Bus and tram"], 1),
        ("pie", "What share do bicycles have?", ["8.1"], 1),
        ("areas", "What are the two lowest values?", ["[3, 5]"], 1),
        ("broken", "How many areas are there?", ["3"], 1),
        ("areas", "How many are labelled?", [], 1),
    ]
    rows = [
        {"image": _image(chart), "query": query, "label": label, "human_or_machine": origin}
        for chart, query, label, origin in asked
    ]
    rows[10]["image"] = _broken()
    return {"data/test-00000-of-00001.parquet": rows}


# --- VQAv2 --------------------------------------------------------------------------------------------------------


def _vqav2_features() -> Any:
    return _features(
        question_type="string", multiple_choice_answer="string",
        answers=[{"answer": "string", "answer_confidence": "string", "answer_id": "int64"}],
        image_id="int64", answer_type="string", question_id="int64", question="string", image="image",
    )  # fmt: skip


def _vqav2_row(number: int, image: int, words: str, question: str, kind: str, answers: list[str]) -> Row:
    return {
        "question_type": words, "multiple_choice_answer": answers[0] if answers else "",
        "answers": [
            {"answer": answer, "answer_confidence": "yes", "answer_id": number}
            for number, answer in enumerate(answers, 1)
        ],
        "image_id": image, "answer_type": kind, "question_id": image * 1000 + number, "question": question,
        "image": _image(f"coco{image}"),
    }  # fmt: skip


def _vqav2() -> dict[str, list[Row]]:
    what, many = "what color is the", "how many"
    rows = [
        _vqav2_row(1, 42, "is the", "Is the cup full?", "yes/no", ["yes"] * 10),
        _vqav2_row(2, 42, "is the", "Is the door open?", "yes/no", ["no"] * 7 + ["yes"] * 3),
        _vqav2_row(3, 42, many, "How many cups are there?", "number", ["2"] * 6 + ["two"] * 4),
        _vqav2_row(0, 73, what, "What color is the roof?", "other", ["red"] * 2 + ["brown"] * 8),
        _vqav2_row(1, 73, what, "What color is the sky?", "other", ["blue"] * 10),
        _vqav2_row(2, 73, "where is the", "Where is the cat?", "other", ["on the mat", "mat"] * 5),
        _vqav2_row(0, 91, many, "How many people walk?", "number", ["0"] * 5 + ["none"] * 5),
        _vqav2_row(1, 91, "what is the", "What is the man holding?", "other", ["an umbrella"] * 9 + ["cane"]),
        _vqav2_row(2, 91, "none of the above", "Whose dog is it?", "other", ["man's"] * 4 + ["his"] * 6),
        _vqav2_row(3, 91, "is this a", "Is this a town?", "yes/no", ["yes"] * 9 + ["maybe"]),
        _vqav2_row(0, 95, many, "How many lamps?", "number", ["12"] * 10),
        _vqav2_row(1, 95, "what is", "What is behind it?", "other", []),
    ]
    rows[10]["image"] = _broken()
    return {"data/validation-00000-of-00001.parquet": rows}


# --- AI2D ---------------------------------------------------------------------------------------------------------


def _ai2d_features() -> Any:
    return _features(question="string", options=["string"], answer="string", image="image")


def _ai2d() -> dict[str, list[Row]]:
    animals = ["frog", "grass", "heron", "snake"]
    asked = [
        ("web", "Which of these is a producer?", animals, "1"),
        ("web", "Which of these eats the frog?", ["grass", "sun", "soil", "snake"], "3"),
        ("web", "What would fewer frogs mean for the heron?", ["less food", "more food", "no change", "none"], "0"),
        ("leaf", "Which label is the stem?", ["A", "B", "C", "D"], "2"),
        ("leaf", "Where is the vein?", ["K", "E", "H", "A"], "1"),
        ("moon", "Which phase is shown?", ["full moon", "new moon", "first quarter", "last quarter"], "0"),
        ("moon", "How many phases are there?", ["6", "7", "8", "9"], "2"),
        ("cycle", "What follows the egg?", ["adult", "larva", "pupa", "egg"], "1"),
        ("cycle", "How many stages are there?", ["2", "3"], "1"),
        ("rock", "Which layer is the oldest?", ["top", "middle", "bottom", "left"], "2"),
        ("broken", "Which one is the crust?", ["W", "X", "Y", "Z"], "3"),
        ("rock", "Which one is youngest?", animals, "4"),
    ]
    rows = [
        {"question": question, "options": options, "answer": answer, "image": _image(diagram)}
        for diagram, question, options, answer in asked
    ]
    rows[10]["image"] = _broken()
    return {"data/test-00000-of-00001.parquet": rows}


# --- MMMU ---------------------------------------------------------------------------------------------------------


def _mmmu_features() -> Any:
    images = {f"image_{number}": "image" for number in range(1, 8)}
    return _features(
        id="string", question="string", options="string", explanation="string", **images, img_type="string",
        answer="string", topic_difficulty="string", question_type="string", subfield="string",
    )  # fmt: skip


def _mmmu_row(subject: str, number: int, question: str, options: str, answer: str, images: int = 1) -> Row:
    pictures = {
        f"image_{place}": _image(f"{subject[:4]}{number}{place}") if place <= images else None for place in range(1, 8)
    }
    return {
        "id": f"validation_{subject}_{number}", "question": question, "options": options, "explanation": "",
        **pictures, "img_type": "['Diagrams']", "answer": answer, "topic_difficulty": "Easy",
        "question_type": "open" if options == "[]" else "multiple-choice", "subfield": subject,
    }  # fmt: skip


def _mmmu() -> dict[str, list[Row]]:
    four = "['rises', 'falls', 'stays the same', \"can't be told\"]"
    between = "Both <image 1> and <image 2> show one cell. Which is older?"
    rows = {
        "Accounting": [
            _mmmu_row("Accounting", 1, "<image 1> What happens to the balance?", four, "B"),
            _mmmu_row("Accounting", 2, "What is the total of <image 1>?", "['$310', '$420', '$510']", "C"),
            _mmmu_row("Accounting", 3, "What is the net value? <image 1>", "[]", "1.25"),
            _mmmu_row("Accounting", 4, "Which entry of <image 1> is wrong?", four, "A"),
        ],
        "Basic_Medical_Science": [
            _mmmu_row("Basic_Medical_Science", 1, between, "['the first', 'the second']", "A", images=2),
            _mmmu_row("Basic_Medical_Science", 2, "Name the tissue in <image 1>.", "[]", "['cartilage', 'gristle']"),
            _mmmu_row("Basic_Medical_Science", 3, "Which is healthy?", "['<image 1>', '<image 2>']", "B", images=2),
            _mmmu_row("Basic_Medical_Science", 4, "What does <image 1> show? See <image 1>.", four, "D"),
        ],
        "Math": [
            _mmmu_row("Math", 1, "Which curve is it? <image 1>", "['a line', 'a circle', 'an ellipse']", "C"),
            _mmmu_row("Math", 2, "Which name has the complex? <image 1>", "[]", "[Co(NH3)6]"),
            _mmmu_row("Math", 3, "What is the limit? <image 1>", "['0', '1', '2', '3', '4']", "E"),
            _mmmu_row("Math", 4, "What is next? <image 1>", "__import__('os').getcwd()", "A"),
        ],
    }
    rows["Math"][2]["image_1"] = _broken()
    return {f"{subject}/validation-00000-of-00001.parquet": listed for subject, listed in rows.items()}


FIXTURES = {
    "mathvista_testmini": Fixture(_mathvista_features, _mathvista),
    "mathverse_testmini": Fixture(_mathverse_features, _mathverse),
    "mathvision_test": Fixture(_mathvision_features, lambda: {"data/test-00000-of-00001.parquet": _mathvision_rows()}),
    "mathvision_testmini": Fixture(
        _mathvision_features, lambda: {"data/testmini-00000-of-00001.parquet": _mathvision_rows()}
    ),
    "ocrbench": Fixture(_ocrbench_features, _ocrbench),
    "docvqa_val": Fixture(_docvqa_features, _docvqa),
    "textvqa_val": Fixture(_textvqa_features, _textvqa),
    "chartqa_test": Fixture(_chartqa_features, _chartqa),
    "vqav2_val": Fixture(_vqav2_features, _vqav2),
    "ai2d": Fixture(_ai2d_features, _ai2d),
    "mmmu_val": Fixture(_mmmu_features, _mmmu),
}
