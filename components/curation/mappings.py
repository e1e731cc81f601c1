r"""Mappings: public sets for reinforcement learning with verifiable rewards, by name, from their columns to raw rows.

Where a schema comes from is said at each mapping: a data set's card on the Hugging Face hub (huggingface.co/datasets/…)
or public code that reads the set. `confirmed` is False where neither states the form of the answers. A licence is the
card's; it is left out where the card states none, and then has to be given by the recipe.

In all of them the question stays as a policy has to see it, with its options in it, without marks of images (`<image>`)
and without MathVista's hint on the form of the answer. Options are told from it where the answer names one. What an
answer could be read from (letters of options beside them, solutions, rationales) is left out of the metadata.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.core.example import AnswerType, Task
from components.curation.candidate import RawRow, Rejection
from components.curation.columns import Values, as_choices, as_images, as_metadata, as_text, as_texts, as_whole
from components.curation.options import bare, choices_of, lettered, stated, tagged, unboxed
from components.curation.source_images import decode_base64


@dataclass(frozen=True)
class SetMapping:
    """What is known of a public set."""

    name: str
    dataset: str
    """Id on the hub."""
    task: Task
    licence: str
    """As its card states it; "" where it states none."""
    columns: tuple[str, ...]
    """That every row needs."""
    convert: Callable[[Values], RawRow]
    """A row of the set as a raw row; raises Rejection where it cannot be one."""
    confirmed: bool = True
    """Whether the form of its answers is stated where the schema comes from."""
    image_root: str = ""
    """Path within the hub's repository that image paths are relative to."""
    answer_type: AnswerType | None = None
    """How all of its answers are compared, where that does not depend on the row."""

    def raw_row(self, row: Values) -> RawRow:
        """A row of the set as a raw row.

        Raises:
            Rejection: A column is missing, or the row is not of the set's form.
        """
        absent = [column for column in self.columns if column not in row]
        if absent:
            raise Rejection("column missing", f"{', '.join(absent)}; the row has {', '.join(map(str, row))[:200]}")
        return self.convert(row)


def _raw(images: Any, question: str | None, references: Sequence[str], **more: Any) -> RawRow:
    return {"images": images, "question": question, "references": list(references), **more}


def _question(value: Any, column: str) -> str:
    """The question as it is asked; a missing one is left to the schema check."""
    return bare(as_text(value, column) or "")


def _metadata(row: Values, *columns: str) -> dict[str, str]:
    return as_metadata({column: row[column] for column in columns if column in row})


def _most_given(answers: Sequence[str]) -> list[str]:
    """Answers of several people, the one that most gave first; equal ones are kept, their number is information."""
    counts = Counter(answers)
    return sorted(answers, key=lambda answer: -counts[answer])


def geometry3k(row: Values) -> RawRow:
    """Geometry3K: a figure, "<image>Find x.", and the value.

    Schema: card of hiyouga/geometry3k (images, problem, answer, id, choices, ground_truth; 2,101 training rows). The
    question does not show the options, so the value is asked for, as EasyR1 and verl do.
    """
    question, answer = _question(row["problem"], "problem"), as_texts(row["answer"], "answer")
    return _raw(row["images"], question, answer, metadata=_metadata(row, "id"))


def mmk12(row: Values) -> RawRow:
    """MMK12, the training set of MM-Eureka: school questions, with options as lines "A. …" in some.

    Schema: public code that reads FanqingM/MMK12 (id, question, answer, subject, image; the test split's questions hold
    their options and its answers are letters); 15,616 training rows.
    """
    question, answer = _question(row["question"], "question"), as_text(row["answer"], "answer") or ""
    choices = choices_of(question, answer)
    return _raw(row["image"], question, [answer], choices=choices, metadata=_metadata(row, "id", "subject"))


def virl39k(row: Values) -> RawRow:
    r"""ViRL39K: questions of many sets, paths of images, answers in \boxed{}.

    Schema: card of TIGER-Lab/ViRL39K ("all answers are with \boxed{}", pass rates, category) and public code that reads
    it (image is a list of paths such as images/Processed-….jpg, which lie in images.zip; some rows have no image).
    """
    question, written = _question(row["question"], "question"), as_text(row["answer"], "answer") or ""
    answer = unboxed(written)
    if answer is None:
        raise Rejection("answer not boxed", written[:200])
    metadata = _metadata(row, "qid", "category", "source", "PassRate_32BTrained", "PassRate_7BBase")
    choices = choices_of(question, answer)
    return _raw(as_images(row["image"]), question, [answer], choices=choices, metadata=metadata)


def conversation(row: Values) -> RawRow:
    """MathV360K and LLaVA-OneVision: the first question and answer of a conversation.

    Schema of MathV360K: public code that reads train_samples_all_tuning.json of Zhiqiang007/MathV360K (a list of
    objects with id, image, a path in data_images.zip, and conversations of from and value; lines "Hint: …",
    "Question: …" and "Choices:" in the question, "The answer is B" for an answer). Schema of LLaVA-OneVision: the code
    that uploaded lmms-lab/LLaVA-OneVision-Data (id, image, conversations, data_source). A conversation may go on about
    the same image; its further turns are not taken, and their number is in the metadata.
    """
    turns = row["conversations"]
    if not isinstance(turns, list | tuple) or len(turns) < 2:
        raise Rejection("not a conversation", f"conversations has no question and answer: {str(turns)[:200]}")
    speakers = [_speaker(turn) for turn in turns[:2]]
    if [speaker for speaker, _ in speakers] != ["human", "gpt"]:
        raise Rejection("not a conversation", f"it begins with {' and '.join(str(name) for name, _ in speakers)}")
    question, answer = bare(speakers[0][1]), stated(speakers[1][1])
    metadata = _metadata(row, "id", "data_source")
    if len(turns) > 2:
        metadata["turns"] = str(len(turns) // 2)
    return _raw(row.get("image"), question, [answer], choices=choices_of(question, answer), metadata=metadata)


def _speaker(turn: Any) -> tuple[Any, str]:
    if not isinstance(turn, Mapping):
        raise Rejection("not a conversation", f"a turn is a {type(turn).__name__}")
    name = turn.get("from", turn.get("role"))
    return name, as_text(turn.get("value", turn.get("content")), "a turn's text") or ""


def mm_eureka(row: Values) -> RawRow:
    """MM-Eureka: a conversation that ends in the user's question, addresses of image files, and the answer.

    Schema: README of ModalMinds/MM-EUREKA (id, conversations of role and content, answer that math_verify can parse,
    image_urls such as file:///path); the question may follow "Question:". Images lie in K12.zip and MMPR.zip of
    FanqingM/MM-Eureka-Dataset: read dataset.jsonl with the unpacked folder as image_root.
    """
    turns = row["conversations"]
    asked = [text for name, text in map(_speaker, turns) if name == "user"] if isinstance(turns, list | tuple) else []
    if not asked:
        raise Rejection("not a conversation", "no turn of the user's")
    question = bare(asked[-1]).rpartition("Question:")[2].strip()
    answer = as_text(row["answer"], "answer") or ""
    choices = choices_of(question, answer)
    return _raw(row["image_urls"], question, [answer], choices=choices, metadata=_metadata(row, "id"))


def r1_onevision(row: Values) -> RawRow:
    r"""R1-OneVision: an image as base64 in a text, a question, and reasoning that ends in the answer.

    Schema: public code that reads Fancy-MLLM/R1-Onevision (id, image, conversations of from and value). The form of
    the answer is not stated: it is taken from the last <answer> tag, else the last \boxed{}; without either the row is
    rejected.
    """
    raw = conversation(row)
    turns = row["conversations"]
    answer = _final(_speaker(turns[1])[1])
    image = row.get("image")
    if isinstance(image, str):
        image = decode_base64(image)
    question = raw["question"]
    return {**raw, "images": image, "references": [answer], "choices": choices_of(question, answer)}


def _final(text: str) -> str:
    answer = tagged(text)
    answer = unboxed(text) if answer is None else unboxed(answer) or answer
    if not answer:
        raise Rejection("no final answer", text[-200:])
    return answer


def problem_and_solution(row: Values) -> RawRow:
    """Sets of R1-V and of open-r1-multimodal: image, problem, and a solution with the answer in a tag.

    Schema: public code that reads leonardPKU/GEOQA_R1V_Train_8K ("<answer> 145° </answer>"),
    leonardPKU/clevr_cogen_a_train ("<answer> 3 </answer>") and lmms-lab/multimodal-open-r1-8k-verified (image, problem,
    solution; that its solutions hold the tag is not stated).
    """
    question, written = _question(row["problem"], "problem"), as_text(row["solution"], "solution") or ""
    answer = _final(written)
    return _raw(row["image"], question, [answer], choices=choices_of(question, answer))


def mm_math(row: Values) -> RawRow:
    r"""MM-Math: geometry of secondary schools, with a worked solution that ends in \boxed{}.

    Schema: public code that reads MM_Math.jsonl of THU-KEG/MM_Math (question, file_name, solution, year, difficult,
    knowledge; images in MM_Math.zip). That solutions end in \boxed{} is not stated.
    """
    solution = as_text(row["solution"], "solution") or ""
    answer = unboxed(solution)
    if not answer:
        raise Rejection("no final answer", solution[-200:])
    metadata = _metadata(row, "year", "difficult", "knowledge")
    return _raw(row["file_name"], _question(row["question"], "question"), [answer], metadata=metadata)


def docvqa(row: Values) -> RawRow:
    """DocVQA: a page and its accepted answers; rows of one document stay together.

    Schema: public code that reads HuggingFaceM4/DocumentVQA (questionId, question, question_types, image, docId,
    ucsf_document_id, ucsf_document_page_no, answers; 39.5 thousand training rows; lmms-lab/DocVQA has none).
    """
    metadata = _metadata(row, "questionId", "question_types", "ucsf_document_id", "ucsf_document_page_no")
    answers = as_texts(row["answers"], "answers")
    question, group = _question(row["question"], "question"), as_text(row["docId"], "docId") or ""
    return _raw(row["image"], question, answers, group=f"document {group}" if group else "", metadata=metadata)


def chartqa(row: Values) -> RawRow:
    """ChartQA: a chart, a query, a list with the label; 0 is a question by people, 1 one made by a program.

    Schema: card of HuggingFaceM4/ChartQA (image, query, label, human_or_machine; 28,299 training rows, GPL-3.0).
    """
    labels, question = as_texts(row["label"], "label"), _question(row["query"], "query")
    return _raw(row["image"], question, labels, metadata=_metadata(row, "human_or_machine"))


def textvqa(row: Values) -> RawRow:
    """TextVQA: a photograph and ten people's answers, what most gave first; rows of one image stay together.

    Schema: cards of lmms-lab/textvqa and facebook/textvqa (image_id, question_id, question, image, answers, ocr_tokens
    and others; 34,602 training rows, CC BY 4.0). The words that a reader found on the image hold most answers, and are
    left out of the metadata.
    """
    answers, question = _most_given(as_texts(row["answers"], "answers")), _question(row["question"], "question")
    group = as_text(row.get("image_id"), "image_id") or ""
    metadata = _metadata(row, "question_id", "image_classes")
    return _raw(row["image"], question, answers, group=f"image {group}" if group else "", metadata=metadata)


def scienceqa(row: Values) -> RawRow:
    """ScienceQA: options and the place of the right one; the hint is part of what is asked.

    Schema: card of lmms-lab/ScienceQA, after derek-thomas/ScienceQA (image, question, choices, answer as int8, hint and
    others; CC BY-NC-SA 4.0). Half of the rows have no image.
    """
    choices = as_choices(row["choices"])
    hint = (as_text(row.get("hint"), "hint") or "").strip()
    asked = [hint, _question(row["question"], "question")]
    return _chosen(row, [text for text in asked if text], choices, row["answer"], ("subject", "topic", "grade"))


def aokvqa(row: Values) -> RawRow:
    """A-OKVQA: options and the place of the right one.

    Schema: public code that reads HuggingFaceM4/A-OKVQA (image, question_id, question, choices, correct_choice_idx,
    direct_answers as a list written in a text, rationales).
    """
    choices = as_choices(row["choices"])
    question = _question(row["question"], "question")
    return _chosen(row, [question], choices, row["correct_choice_idx"], ("question_id",))


def _chosen(row: Values, asked: Sequence[str], choices: list[str], place: Any, metadata: tuple[str, ...]) -> RawRow:
    """A row whose answer is the place of an option; the question gets the options."""
    number = as_whole(place)
    if number is None or not 0 <= number < len(choices):
        raise Rejection("answer names no option", f"{place!r} of {len(choices)} options")
    question = "\n".join([*asked, lettered(choices)]) if asked else ""
    letter = chr(ord("A") + number)
    return _raw(row["image"], question, [letter], choices=choices, metadata=_metadata(row, *metadata))


def rlaif_v(row: Values) -> RawRow:
    """RLAIF-V: the response that was preferred, as the reference of an open-ended question.

    Schema: card of openbmb/RLAIF-V-Dataset (ds_name, image, question, chosen, rejected, origin_dataset, origin_split,
    idx, image_path; CC BY-NC 4.0). Questions about one image stay together by its pixels.
    """
    chosen, question = as_texts([row["chosen"]], "chosen"), _question(row["question"], "question")
    return _raw(row["image"], question, chosen, metadata=_metadata(row, "origin_dataset", "idx"))


_SETS = (
    SetMapping(
        "geometry3k", "hiyouga/geometry3k", Task.MATH, "MIT (Geometry3K)", ("images", "problem", "answer"), geometry3k
    ),
    SetMapping(
        "mmk12", "FanqingM/MMK12", Task.MATH, "Apache-2.0 (MMK12)", ("question", "answer", "image"), mmk12
    ),
    SetMapping(
        "virl39k", "TIGER-Lab/ViRL39K", Task.MATH, "MIT (ViRL39K)", ("question", "answer", "image"), virl39k,
        image_root="images.zip",
    ),
    SetMapping(
        "mathv360k", "Zhiqiang007/MathV360K", Task.MATH, "", ("image", "conversations"), conversation,
        image_root="data_images.zip",
    ),
    SetMapping(
        "llava_onevision", "lmms-lab/LLaVA-OneVision-Data", Task.VQA, "Apache-2.0 (LLaVA-OneVision-Data)",
        ("image", "conversations"), conversation,
    ),
    SetMapping(
        "mm_eureka", "FanqingM/MM-Eureka-Dataset", Task.MATH, "", ("conversations", "answer", "image_urls"), mm_eureka
    ),
    SetMapping(
        "r1_onevision", "Fancy-MLLM/R1-Onevision", Task.VQA, "Apache-2.0 (R1-Onevision)", ("image", "conversations"),
        r1_onevision, confirmed=False,
    ),
    SetMapping(
        "geoqa_r1v", "leonardPKU/GEOQA_R1V_Train_8K", Task.MATH, "", ("image", "problem", "solution"),
        problem_and_solution,
    ),
    SetMapping(
        "clevr_r1v", "leonardPKU/clevr_cogen_a_train", Task.VQA, "", ("image", "problem", "solution"),
        problem_and_solution,
    ),
    SetMapping(
        "open_r1_multimodal", "lmms-lab/multimodal-open-r1-8k-verified", Task.MATH, "",
        ("image", "problem", "solution"), problem_and_solution, confirmed=False,
    ),
    SetMapping(
        "mm_math", "THU-KEG/MM_Math", Task.MATH, "", ("question", "file_name", "solution"), mm_math, confirmed=False,
        image_root="MM_Math/MM_Math.zip",
    ),
    SetMapping(
        "docvqa", "HuggingFaceM4/DocumentVQA", Task.DOCUMENT, "", ("question", "image", "answers", "docId"), docvqa
    ),
    SetMapping(
        "chartqa", "HuggingFaceM4/ChartQA", Task.CHART, "GPL-3.0 (ChartQA)", ("image", "query", "label"), chartqa
    ),
    SetMapping(
        "textvqa", "lmms-lab/textvqa", Task.OCR, "CC BY 4.0 (TextVQA)", ("image", "question", "answers"), textvqa
    ),
    SetMapping(
        "scienceqa", "lmms-lab/ScienceQA", Task.VQA, "CC BY-NC-SA 4.0 (ScienceQA)",
        ("image", "question", "choices", "answer"), scienceqa,
    ),
    SetMapping(
        "aokvqa", "HuggingFaceM4/A-OKVQA", Task.VQA, "", ("image", "question", "choices", "correct_choice_idx"), aokvqa
    ),
    SetMapping(
        "rlaif_v", "openbmb/RLAIF-V-Dataset", Task.GENERAL, "CC BY-NC 4.0 (RLAIF-V)", ("image", "question", "chosen"),
        rlaif_v, answer_type=AnswerType.OPEN_ENDED,
    ),
)  # fmt: skip
MAPPINGS: Mapping[str, SetMapping] = {item.name: item for item in _SETS}
"""The sets by name."""
