"""The runner's answers against plain transformers and stock lm-eval, and what a bad question or a kill costs."""

import dataclasses
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lm_eval
import pytest
import torch
from lm_eval.api.registry import get_model
from lm_eval.tasks import TaskManager
from tqdm import tqdm
from transformers import AutoModelForImageTextToText, AutoProcessor

from components.core.artifact import seal
from components.core.errors import ModelError, RecipeError, StorageError
from components.core.policy import Policy
from components.core.question import Question
from components.core.sample import NOT_GENERATED, RESIZED, SCORER_FAILED
from components.evaluation.answerer import LmEvalAnswerer
from components.evaluation.benchmark import Marks
from components.evaluation.config import EvaluationConfig, RunnerConfig
from components.evaluation.journal import Journal, journal_path
from components.evaluation.prompt_length import PromptLength
from components.evaluation.runner import BenchmarkRun, Runner
from components.evaluation.task import UNMARKED, task_config
from tests.evaluation.conftest import MAX_NEW_TOKENS, MAX_PIXELS, draw_questions, info_of, make_policy, png, question
from tests.evaluation.evaluated import COUNT, mark_length

pytestmark = pytest.mark.slow


def _mark(question: Question, text: str) -> Marks:
    return Marks(float(bool(text)), 0.0, text, f"marked {question.id}")


def _run(
    policy: Path,
    questions: Sequence[Question],
    journal: Path | None = None,
    marker: Callable[[Question, str], Marks] = _mark,
    **config: Any,
) -> BenchmarkRun:
    settings = EvaluationConfig(**{"batch_size": 4, **config})
    return Runner(policy, settings, journal).run(info_of(questions), questions, marker)


class _Plain:
    """The policy as transformers alone asks it, one question at a time."""

    def __init__(self, policy: Path) -> None:
        self.processor = AutoProcessor.from_pretrained(policy, max_pixels=MAX_PIXELS)
        self.model = AutoModelForImageTextToText.from_pretrained(policy)

    def ids(self, question: Question) -> tuple[int, list[int]]:
        """Length of the prompt, and generated ids with the end token."""
        images, blocks = iter(question.open_images()), []
        for number, part in enumerate(question.parts):
            if number:
                blocks.append({"type": "image", "image": next(images)})
            if part:
                blocks.append({"type": "text", "text": part})
        inputs = self.processor.apply_chat_template(
            [{"role": "user", "content": blocks}],
            tokenize=True, return_dict=True, return_tensors="pt", add_generation_prompt=True,
        )  # fmt: skip
        length = inputs["input_ids"].shape[1]
        output = self.model.generate(**inputs, max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
        return length, output[0, length:].tolist()

    def text(self, ids: Sequence[int]) -> str:
        return str(self.processor.decode(ids, skip_special_tokens=True))


@pytest.fixture(scope="module")
def plain(policy: Path) -> _Plain:
    return _Plain(policy)


@pytest.fixture(scope="module")
def expected(plain: _Plain, questions: list[Question]) -> list[tuple[int, list[int]]]:
    found = [plain.ids(question) for question in questions]
    assert len({plain.text(ids) for _, ids in found}) > len(found) // 2  # the images and texts matter
    return found


@pytest.mark.parametrize("batch_size", [1, 4, 0], ids=["one", "four", "found"])
def test_responses_are_those_of_plain_transformers(
    policy: Path, plain: _Plain, questions: list[Question], expected: list[tuple[int, list[int]]], batch_size: int
) -> None:
    found = _run(policy, questions, batch_size=batch_size)

    end = plain.processor.tokenizer.eos_token_id
    for response, (length, ids) in zip(found.responses, expected, strict=True):
        assert response.text == plain.text(ids)
        assert response.prompt_tokens == length
        assert response.length_tokens == len([id_ for id_ in ids if id_ != end])
        assert response.truncated == (ids[-1] != end)
    assert {response.truncated for response in found.responses} == {True, False}
    assert [marks.rule for marks in found.marks] == [f"marked {question.id}" for question in questions]
    assert [marks.extracted for marks in found.marks] == [response.text for response in found.responses]


def test_cost_adds_up(policy: Path, questions: list[Question]) -> None:
    found = _run(policy, questions, batch_size=4)

    assert (found.cost.generated, found.cost.from_journal, found.cost.batch_size) == (len(questions), 0, 4)
    assert found.cost.prompt_tokens == sum(response.prompt_tokens for response in found.responses)
    assert found.cost.completion_tokens == sum(response.length_tokens for response in found.responses)
    assert found.cost.seconds > 0


def test_stock_lm_eval_runs_the_same_task_with_the_same_responses(policy: Path, questions: list[Question]) -> None:
    info, runner = info_of(questions, version=2.5), Runner(policy, EvaluationConfig(batch_size=4))
    arguments = {"pretrained": str(policy), "max_pixels": MAX_PIXELS, "batch_size": 4, "device": "cpu"}
    kept: dict[int, Marks] = {}

    results = lm_eval.simple_evaluate(
        model=get_model("hf-multimodal").create_from_arg_obj(arguments),
        tasks=[
            task_config(
                info, questions, runner.text_of(info), _mark, max_new_tokens=MAX_NEW_TOKENS, keep=kept.__setitem__
            )
        ],
        task_manager=TaskManager(include_defaults=False),
        apply_chat_template=True,
        bootstrap_iters=0,
    )

    ours = runner.run(info, questions, _mark)
    samples = sorted(results["samples"]["drawn"], key=lambda sample: sample["doc_id"])
    assert [sample["resps"][0][0] for sample in samples] == [response.text for response in ours.responses]
    assert [sample["arguments"][0][0] for sample in samples] == [response.prompt for response in ours.responses]
    assert [kept[index] for index in range(len(questions))] == ours.marks
    assert results["versions"]["drawn"] == 2.5
    assert results["results"]["drawn"]["score,none"] == pytest.approx(
        sum(marks.score for marks in ours.marks) / len(questions)
    )


def test_order_of_questions_does_not_matter(policy: Path, questions: list[Question]) -> None:
    forth, back = _run(policy, questions), _run(policy, questions[::-1])

    assert forth.responses == back.responses[::-1]


def test_no_more_than_a_batch_of_images_is_decoded_at_a_time(
    policy: Path, questions: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoded images are counted as they are made and as they are freed."""
    alive: list[Any] = []
    most = 0
    decode = Question.open_images

    def counted(self: Question) -> list[Any]:
        nonlocal most
        images = decode(self)
        alive.extend(weakref.ref(image) for image in images)
        most = max(most, sum(reference() is not None for reference in alive))
        return images

    monkeypatch.setattr(Question, "open_images", counted)
    singles = [item for item in questions if len(item.images) == 1]

    _run(policy, singles, batch_size=3)

    assert len(alive) == len(singles)
    assert most <= 2 * 3  # the next batch is opened before the last one's variables are gone


def test_no_questions_give_an_empty_run(policy: Path) -> None:
    found = _run(policy, [])

    assert (found.responses, found.marks, found.cost.generated) == ([], [], 0)


# What one bad question costs.

_GOOD = draw_questions(5)
_TRUNCATED = png((120, 90), 1)[:200]


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (question("bad", "What?", _TRUNCATED), "truncated"),
        (question("bad", "What?", b"no image"), "UnidentifiedImageError"),
        (question("bad", "What?", b""), "UnidentifiedImageError"),
        (question("bad", "What?", png((1000, 4), 1)), "aspect ratio"),
        (question("bad", "What is it? " * 400, png((60, 60), 1)), "more than 1012 tokens"),
        (question("bad", "What?", png((60, 60), 1), b"no image"), "UnidentifiedImageError"),
    ],
    ids=["truncated", "garbage", "empty", "aspect", "long", "second"],
)
def test_bad_question_costs_itself_alone(policy: Path, bad: Question, problem: str, batch_size: int) -> None:
    found = _run(policy, [*_GOOD[:2], bad, *_GOOD[2:]], batch_size=batch_size)
    good = _run(policy, _GOOD, batch_size=batch_size)

    response = found.responses.pop(2)
    assert response.flags == (NOT_GENERATED,)
    assert problem in response.problem
    assert "\n" not in response.problem
    assert (response.text, response.prompt, response.prompt_tokens, response.length_tokens) == ("", "", 0, 0)
    assert found.marks.pop(2) == UNMARKED
    assert found.responses == good.responses
    assert found.marks == good.marks
    assert found.cost.generated == 5


def test_model_exception_costs_the_question_that_causes_it(policy: Path) -> None:
    runner = Runner(policy, EvaluationConfig(batch_size=4))
    clean = runner.run(info_of(_GOOD), _GOOD, _mark)
    generate, lengths = runner._answerer.lm.model.generate, [response.prompt_tokens for response in clean.responses]
    assert len(set(lengths)) == 5

    def failing(**inputs: Any) -> Any:
        if lengths[3] in inputs["attention_mask"].sum(1).tolist():
            raise RuntimeError("a kernel failed\nfor a long reason")
        return generate(**inputs)

    runner._answerer.lm.model.generate = failing
    found = runner.run(info_of(_GOOD), _GOOD, _mark)

    assert [response.missing for response in found.responses] == [False, False, False, True, False]
    assert found.responses[3].problem == "RuntimeError: a kernel failed"
    assert [found.responses[index] for index in (0, 1, 2, 4)] == [clean.responses[index] for index in (0, 1, 2, 4)]


def test_marker_exception_costs_the_question_that_causes_it(policy: Path) -> None:
    def failing(question: Question, text: str) -> Marks:
        if question.id == "q1":
            raise RecursionError("too deep\nby far")
        return _mark(question, text)

    found = _run(policy, _GOOD, marker=failing)

    assert found.marks[1] == Marks(0.0, 0.0, None, "the rule failed: RecursionError: too deep", (SCORER_FAILED,))
    assert [marks.rule for marks in found.marks if not marks.flags] == [f"marked q{index}" for index in (0, 2, 3, 4)]
    assert not any(response.missing for response in found.responses)


def test_full_memory_halves_the_batch_and_the_responses_stay(policy: Path) -> None:
    runner = Runner(policy, EvaluationConfig(batch_size=5))
    clean = runner.run(info_of(_GOOD), _GOOD, _mark)
    generate, sizes = runner._answerer.lm.model.generate, []

    def limited(**inputs: Any) -> Any:
        sizes.append(len(inputs["input_ids"]))
        if sizes[-1] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return generate(**inputs)

    runner._answerer.lm.model.generate = limited
    found = runner.run(info_of(_GOOD), _GOOD, _mark)

    assert sizes == [5, 2, 2, 1]
    assert found.responses == clean.responses
    assert found.cost.batch_size == 2


def test_full_memory_is_never_kept_as_an_answer(policy: Path, tmp_path: Path) -> None:
    runner = Runner(policy, EvaluationConfig(batch_size=1), tmp_path)
    generate = runner._answerer.lm.model.generate
    runner._answerer.lm.model.generate = _full
    full = runner.run(info_of(_GOOD), _GOOD, _mark)
    runner._answerer.lm.model.generate = generate

    again = runner.run(info_of(_GOOD), _GOOD, _mark)

    assert [response.problem for response in full.responses] == ["OutOfMemoryError: CUDA out of memory"] * 5
    assert again.cost.from_journal == 0
    assert again.cost.generated == 5


def _full(**_inputs: Any) -> Any:
    raise torch.OutOfMemoryError("CUDA out of memory")


# The prompt.


@pytest.mark.parametrize("counted", [True, False], ids=["processor counts", "processor does not count"])
def test_images_are_scaled_down_until_the_prompt_fits(
    policy: Path, counted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """224 x 224 pixels are 64 tokens, beside some twenty of text."""
    if not counted:
        monkeypatch.setattr(PromptLength, "_tokens", lambda _self, sizes: [None] * len(sizes))
    large, small = png((224, 224), 1), png((56, 56), 2)
    asked = [
        question("large", "What?", large),
        question("small", "What?", small),
        question("two", "What?", large, large),
        question("text", "What is it? " * 30, small),
    ]
    limited = RunnerConfig(arguments={"max_length": 60 + MAX_NEW_TOKENS})

    whole, found = _run(policy, asked), _run(policy, asked, runner=limited)

    assert [response.flags for response in found.responses] == [(RESIZED,), (), (RESIZED,), (NOT_GENERATED,)]
    assert found.responses[1] == whole.responses[1]
    for index in (0, 2):
        assert 50 < found.responses[index].prompt_tokens <= 60 < whole.responses[index].prompt_tokens
    assert found.responses[3].problem == "the prompt has more than 60 tokens even with the smallest images"


def test_longest_response_that_leaves_no_room_is_refused(policy: Path) -> None:
    with pytest.raises(ModelError, match="leave no room for a prompt in the model's 10"):
        Runner(policy, EvaluationConfig(runner=RunnerConfig(arguments={"max_length": 10})))


@pytest.mark.parametrize("literal", ["<|image_pad|>", "<|im_end|>\n<|im_start|>system", "<image>", "<|vision_start|>"])
def test_literal_special_tokens_are_plain_text(policy: Path, plain: _Plain, literal: str) -> None:
    asked = question("literal", f"What does {literal} mean?", png((60, 60), 1))
    harmless = question("harmless", "What does it mean?", png((60, 60), 1))

    response, other = _run(policy, [asked, harmless]).responses

    assert not response.missing
    special = plain.processor.tokenizer.all_special_ids
    ids, others = (plain.processor.tokenizer(text)["input_ids"] for text in (response.prompt, other.prompt))
    assert [id_ for id_ in ids if id_ in special] == [id_ for id_ in others if id_ in special]


def test_template_is_put_around_the_text_and_behind_leading_images(tmp_path: Path) -> None:
    templated = make_policy(tmp_path / "policy", template="Look. {question} Think.")
    image = png((60, 60), 1)
    asked = [question("first", "What?", image), question("middle", "", image, parts=("This ", " is what?"))]
    place = "<|vision_start|><|image_pad|><|vision_end|>"

    def prompts(policy_prompt: bool) -> list[str]:
        info = dataclasses.replace(info_of(asked), policy_prompt=policy_prompt)
        run = Runner(templated, EvaluationConfig(batch_size=2)).run(info, asked, _mark)
        return [response.prompt.split("user\n")[1].split("<|im_end|>")[0] for response in run.responses]

    assert prompts(True) == [f"{place}Look. What? Think.", f"Look. This {place} is what? Think."]
    assert prompts(False) == [f"{place}What?", f"This {place} is what?"]


# The journal.


def test_second_run_generates_nothing_and_is_the_same(policy: Path, questions: list[Question], tmp_path: Path) -> None:
    first, second = _run(policy, questions, tmp_path), _run(policy, questions, tmp_path)

    assert (first.cost.generated, first.cost.from_journal) == (len(questions), 0)
    assert (second.cost.generated, second.cost.from_journal) == (0, len(questions))
    assert (second.cost.prompt_tokens, second.cost.completion_tokens, second.cost.batch_size) == (0, 0, 0)
    assert second.responses == first.responses
    assert second.marks == first.marks


def test_what_changed_is_generated_anew(policy: Path, tmp_path: Path) -> None:
    _run(policy, _GOOD, tmp_path / "journal")
    other_image = dataclasses.replace(_GOOD[0], images=(png((60, 60), 99),))
    other_text = dataclasses.replace(_GOOD[1], parts=("", "What else?"))
    other_id = dataclasses.replace(_GOOD[2], id="renamed")
    other_references = dataclasses.replace(_GOOD[4], references=("8",))  # not asked, and no part of the answer

    changed = [other_image, other_text, other_id, _GOOD[3], other_references]

    assert _run(policy, changed, tmp_path / "journal").cost.generated == 3


@pytest.mark.parametrize("change", ["policy", "version", "arguments"])
def test_other_policy_version_or_arguments_generate_all_anew(policy: Path, tmp_path: Path, change: str) -> None:
    journal = tmp_path / "journal"
    _run(policy, _GOOD, journal)
    other = make_policy(tmp_path / "other", seed=1) if change == "policy" else policy
    arguments = {"max_length": 1000} if change == "arguments" else {}
    config = EvaluationConfig(batch_size=4, runner=RunnerConfig(arguments=arguments))
    info = info_of(_GOOD, version=1.1 if change == "version" else 1.0)

    assert Runner(other, config, journal).run(info, _GOOD, _mark).cost.generated == 5


def test_other_batch_size_goes_on_with_the_same_journal(policy: Path, tmp_path: Path) -> None:
    _run(policy, _GOOD, tmp_path, batch_size=4)

    assert _run(policy, _GOOD, tmp_path, batch_size=1).cost.from_journal == 5


def test_broken_image_is_tried_again(policy: Path, tmp_path: Path) -> None:
    broken = dataclasses.replace(_GOOD[0], images=(_TRUNCATED,))
    first = _run(policy, [broken, *_GOOD[1:]], tmp_path)
    second = _run(policy, _GOOD, tmp_path)

    assert first.responses[0].missing
    assert not second.responses[0].missing
    assert (second.cost.generated, second.cost.from_journal) == (1, 4)


def test_torn_journal_costs_one_answer(policy: Path, tmp_path: Path) -> None:
    first = _run(policy, _GOOD, tmp_path)
    (path,) = tmp_path.rglob("*.jsonl")
    path.write_bytes(path.read_bytes()[:-10])

    second = _run(policy, _GOOD, tmp_path)

    assert (second.cost.generated, second.cost.from_journal) == (1, 4)
    assert second.responses == first.responses


def test_journal_in_use_is_refused(policy: Path, tmp_path: Path) -> None:
    fingerprint = json.loads((policy / "manifest.json").read_text())["fingerprint"]
    path = journal_path(tmp_path, fingerprint, "drawn", 1.0)
    with Journal(path), pytest.raises(StorageError, match="another process"):
        _run(policy, _GOOD, tmp_path)


def _evaluated(policy: Path, folder: Path) -> list[str]:
    paths = [str(folder / name) for name in ("journal", "generations", "result")]
    return [sys.executable, "-m", "tests.evaluation.evaluated", str(policy), *paths]


def test_killed_evaluation_goes_on_where_it_was(policy: Path, tmp_path: Path) -> None:
    """SIGKILL in the middle, again and again; no answer that was journalled is generated a second time."""
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    kept: set[str] = set()
    generated = ""
    for least in (6, 15):
        process = subprocess.Popen(_evaluated(policy, tmp_path), env=environment, cwd=root, stderr=subprocess.DEVNULL)
        while len(_journalled(tmp_path)) < least:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        again = _generated(tmp_path).removeprefix(generated)
        assert not kept & set(again.split())
        generated, kept = _generated(tmp_path), set(_journalled(tmp_path))
        assert least <= len(kept) < COUNT

    subprocess.run(_evaluated(policy, tmp_path), env=environment, cwd=root, stderr=subprocess.DEVNULL, check=True)

    last = _generated(tmp_path).removeprefix(generated).split()
    assert sorted(last) == sorted({f"q{number}" for number in range(COUNT)} - kept)
    result = json.loads((tmp_path / "result").read_text())
    questions = draw_questions(COUNT)
    undisturbed = _run(policy, questions, marker=mark_length, batch_size=3)
    assert result["from_journal"] == len(kept)
    assert result["responses"] == json.loads(json.dumps(list(map(dataclasses.asdict, undisturbed.responses))))
    assert result["marks"] == json.loads(json.dumps(list(map(dataclasses.asdict, undisturbed.marks))))


def _generated(folder: Path) -> str:
    path = folder / "generations"
    return path.read_text() if path.exists() else ""


def _journalled(folder: Path) -> list[str]:
    """Ids of the questions whose line is whole."""
    lines = [line for path in folder.rglob("*.jsonl") for line in path.read_text().splitlines(keepends=True)]
    return [json.loads(line)["id"] for line in lines if line.endswith("\n")]


# The model type.


def test_model_type_whose_package_is_missing_is_named(policy: Path) -> None:
    with pytest.raises(ModelError, match=r"evaluation\.runner\.kind vllm-vlm: .*not installed.*Install vllm"):
        Runner(policy, EvaluationConfig(runner=RunnerConfig(kind="vllm-vlm")))


@pytest.mark.parametrize("argument", ["pretrained", "batch_size", "max_pixels"])
def test_argument_that_is_not_the_runners_to_give_is_refused(policy: Path, argument: str) -> None:
    with pytest.raises(RecipeError, match=rf"evaluation\.runner\.arguments\.{argument}"):
        Runner(policy, EvaluationConfig(runner=RunnerConfig(arguments={argument: 1})))


def test_policy_that_cannot_be_loaded_is_named(policy: Path, tmp_path: Path) -> None:
    shutil.copytree(policy, tmp_path / "policy")
    (tmp_path / "policy" / "model.safetensors").unlink()

    with pytest.raises(ModelError, match=f"{tmp_path}/policy: lm-eval's hf-multimodal cannot be made"):
        Runner(tmp_path / "policy", EvaluationConfig())


def test_any_other_multimodal_model_type_gives_the_same_texts(policy: Path, questions: list[Question]) -> None:
    """The path of vllm-vlm, with lm-eval's own generation on transformers behind it."""
    runner = Runner(policy, EvaluationConfig(batch_size=4))
    ours = runner.run(info_of(questions), questions, _mark)
    answerer = runner._answerer
    room = answerer.lm.max_length - MAX_NEW_TOKENS
    runner._answerer = LmEvalAnswerer(
        answerer.lm, answerer.length, MAX_NEW_TOKENS, room, at_once=5, max_pixels=MAX_PIXELS
    )

    theirs = runner.run(info_of(questions), questions, _mark)

    assert [response.text for response in theirs.responses] == [response.text for response in ours.responses]
    assert [response.prompt_tokens for response in theirs.responses] == [
        response.prompt_tokens for response in ours.responses
    ]


def test_policys_bound_on_pixels_holds_whatever_its_processor_says(policy: Path, tmp_path: Path) -> None:
    """112 x 112 pixels are 16 tokens; the processor was saved with a bound of 224 x 224."""
    shutil.copytree(policy, tmp_path / "policy", ignore=shutil.ignore_patterns("manifest.json"))
    dataclasses.replace(Policy.load(policy), max_pixels=112 * 112).save(tmp_path / "policy")
    seal(tmp_path / "policy", "policy", {})
    asked = [question("large", "What?", png((224, 224), 1))]

    (bounded,), (whole,) = _run(tmp_path / "policy", asked).responses, _run(policy, asked).responses

    assert whole.prompt_tokens - bounded.prompt_tokens == 64 - 16
    assert bounded.flags == ()


def test_log_is_a_line_a_benchmark(policy: Path, capfd: pytest.CaptureFixture[str]) -> None:
    runner = Runner(policy, EvaluationConfig(batch_size=4))
    capfd.readouterr()

    runner.run(info_of(_GOOD), _GOOD, _mark)

    output, errors = capfd.readouterr()
    assert output == ""
    assert re.fullmatch(r"drawn: 5/5 \[[\d.]+ a second, batch size 4, 0 from the journal, \d+ s\]\n", errors)


def test_global_state_of_other_libraries_is_as_before(policy: Path) -> None:
    before = (tqdm.__init__, logging.getLogger("lm_eval").level)

    _run(policy, _GOOD)

    assert (tqdm.__init__, logging.getLogger("lm_eval").level) == before
