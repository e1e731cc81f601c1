"""What our runner costs: items a CPU second against stock `lm_eval.simple_evaluate`.

Peer: lm-eval's hf-multimodal as it is, with the same task (real images in place of lazy ones), the same tiny policy
and the same questions, in the same process, in turns. Compares the responses item by item, prints the ratios at batch
sizes 1 and 16, and what a found batch size gives.

    python -m tests.benchmarks.evaluation
"""

import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lm_eval
from lm_eval.api.registry import get_model
from lm_eval.tasks import TaskManager

from components.core.question import Question
from components.evaluation.benchmark import Marks
from components.evaluation.config import EvaluationConfig
from components.evaluation.runner import Runner
from components.evaluation.task import task_config
from tests.evaluation.conftest import draw_questions, info_of, make_policy

_QUESTIONS = 200
_TURNS = 3


def main() -> None:
    """Measure and print."""
    questions = draw_questions(_QUESTIONS)
    with tempfile.TemporaryDirectory() as folder:
        policy = make_policy(Path(folder))
        for batch_size, target in ((1, 2.0), (16, 1.0)):
            _compare(policy, questions, batch_size, target)
        runner = Runner(policy, EvaluationConfig(batch_size=0))
        seconds, _, found = _timed(lambda: _ours(runner, questions))
        print(f"batch size found: {found}, {_QUESTIONS / seconds:.1f} items a CPU second")


def _compare(policy: Path, questions: Sequence[Question], batch_size: int, target: float) -> None:
    runner = Runner(policy, EvaluationConfig(batch_size=batch_size))
    arguments = {
        "pretrained": str(policy), "dtype": "float32", "max_pixels": runner.policy.max_pixels,
        "device": "cpu", "batch_size": batch_size,
    }  # fmt: skip
    stock = get_model("hf-multimodal").create_from_arg_obj(arguments)
    ratios, ours, theirs, frozen = [], [], [], []
    for _ in range(_TURNS):
        mine, texts, _ = _timed(lambda: _ours(runner, questions))
        peer, stock_texts, _ = _timed(lambda: _stock(runner, stock, questions))
        different = sum(text != other for text, other in zip(texts, stock_texts, strict=True))
        if different:
            raise SystemExit(
                f"batch size {batch_size}: {different} of {len(texts)} responses differ from stock lm-eval's"
            )
        ours.append(len(questions) / mine)
        theirs.append(len(questions) / peer)
        ratios.append(peer / mine)
        frozen.append(_timed(lambda: _stock(runner, stock, questions), freeze=True)[0] / mine)
    print(
        f"batch size {batch_size}: ours {_spread(ours)}, stock {_spread(theirs)} items a CPU second; "
        f"ratio {_spread(ratios)} (target {target}), {_spread(frozen)} where stock gets gc.freeze too; "
        f"{len(questions)} responses equal"
    )


def _timed(run: Callable[[], tuple[list[str], int]], freeze: bool = False) -> tuple[float, list[str], int]:
    """CPU seconds of a run that starts without anything frozen by another, unless asked for, and what it gave."""
    gc.unfreeze()
    gc.collect()
    if freeze:
        gc.freeze()
    start = time.process_time()
    texts, batch_size = run()
    return time.process_time() - start, texts, batch_size


def _ours(runner: Runner, questions: Sequence[Question]) -> tuple[list[str], int]:
    found = runner.run(info_of(questions), questions, _mark)
    return [response.text for response in found.responses], found.cost.batch_size


def _stock(runner: Runner, model: Any, questions: Sequence[Question]) -> tuple[list[str], int]:
    info = info_of(questions)
    limit = runner.policy.max_completion_length
    results = lm_eval.simple_evaluate(
        model=model,
        tasks=[task_config(info, questions, runner.text_of(info), _mark, max_new_tokens=limit)],
        task_manager=TaskManager(include_defaults=False),
        apply_chat_template=True,
        log_samples=True,
        bootstrap_iters=0,
    )
    samples = sorted(results["samples"][info.name], key=lambda sample: sample["doc_id"])
    return [sample["resps"][0][0] for sample in samples], 0


def _mark(question: Question, text: str) -> Marks:
    return Marks(float(text in question.references), 0.0, text, "equality")


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


if __name__ == "__main__":
    main()
