"""What grading costs: items a CPU second of every grader, and lm-eval's own rules beside ours where it has the same.

Peers: lm-eval's MMMU rules, written after the same official script, and its ChartQA rule, which is another one (a
response has to say "answer:") but does the same kind of work. Both grade the same predictions in one process, in turns;
medians. Predictions: short answers and responses of 60 words, half of them right.
Then a whole rescoring: the answers to 10,000 questions of three policies marked again, and all statistics of them.

    python -m tests.benchmarks.graders
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lm_eval.tasks.chartqa.utils import relaxed_accuracy
from lm_eval.tasks.mmmu.utils import parse_multi_choice_response, parse_open_response

from components.core.comparison import POLICIES
from components.core.question import Question
from components.core.sample import Sample
from components.core.suite import BenchmarkInfo
from components.evaluation.benchmarks.registry import load_benchmark
from components.evaluation.compare import comparison_of
from components.evaluation.config import DecisionConfig
from components.evaluation.graders.registry import NAMES, load_grader
from components.evaluation.judged import to_sample
from components.evaluation.prepare import info_of
from components.evaluation.response import Response
from components.evaluation.task import marks_of

_OPTIONS = ("a red car", "a blue bus", "a green tram", "a white boat")
_META: dict[str, dict[str, Any]] = {
    "mathvista": {"question_type": "multi_choice", "answer_type": "text", "choices": list(_OPTIONS)},
    "mathverse": {"question_type": "multi-choice"},
    "mathvision": {"options": ["1", "2", "3", "4", "5"]},
    "mmmu_multichoice": {"options": list(_OPTIONS)},
}
_REFERENCES = {"mathvista": "a red car", "mathverse": "B", "mathvision": "B", "mmmu_multichoice": "B", "ai2d": "B"}
_SENTENCE = "The picture shows a street with several vehicles and I look at each of them in turn before deciding. "
_RESCORED = 10_000


@dataclass(frozen=True)
class Workload:
    """Predictions with what they are compared with."""

    predictions: Sequence[str]
    references: Sequence[str]
    meta: Mapping[str, Any] = field(default_factory=dict)


def workload(name: str, items: int) -> Workload:
    """Half right, half long."""
    reference = _REFERENCES.get(name, "42")
    wrong = "C" if len(reference) == 1 else "17"
    draw = random.Random(0)
    answers = [reference if draw.random() < 0.5 else wrong for _ in range(items)]
    texts = [f"{_SENTENCE * 3}The answer is {answer}." if draw.random() < 0.5 else answer for answer in answers]
    references = [reference] * 10 if "vqa" in name else [reference]
    return Workload(texts, references, _META.get(name, {}))


def peers() -> dict[str, Callable[[Workload], Any]]:
    """lm-eval's rules, by the name of ours."""
    letters = ["A", "B", "C", "D"]
    texts = dict(zip(letters, _OPTIONS, strict=True))
    return {
        "chartqa_relaxed": lambda work: [relaxed_accuracy(work.references, [text]) for text in work.predictions],
        "mmmu_multichoice": lambda work: [
            parse_multi_choice_response(text, letters, texts) for text in work.predictions
        ],
        "mmmu_open": lambda work: [parse_open_response(text) for text in work.predictions],
    }


def rate(work: Workload, run: Callable[[Workload], Any]) -> float:
    """Items a CPU second."""
    start = time.process_time()
    run(work)
    return len(work.predictions) / (time.process_time() - start)


def grade_all(name: str) -> Callable[[Workload], Any]:
    """Our grader over a workload."""
    grader = load_grader(name)
    return lambda work: [grader(text, work.references, work.meta) for text in work.predictions]


def rescored(name: str, work: Workload) -> Callable[[], list[Sample]]:
    """What a rescoring does with a policy's answers."""
    benchmark = load_benchmark(name)
    questions = [
        Question(
            id=str(number), parts=("", "Which?"), images=(b"",), references=tuple(work.references), meta=work.meta,
            cluster=str(number // 2), groups={"kind": str(number % 20)},
        )
        for number in range(len(work.predictions))
    ]  # fmt: skip
    info: BenchmarkInfo = info_of(benchmark, len(questions), "made here")

    def run() -> list[Sample]:
        marker = benchmark.marker(questions)
        return [
            to_sample(info, question, response, marks_of(marker, question, text))
            for question, text in zip(questions, work.predictions, strict=True)
            for response in (Response(text, "", 100, 40, truncated=False),)
        ]

    return run


def main(items: int, turns: int) -> None:
    """Measure and print."""
    beside = peers()
    print(f"{items} items, {turns} turns, items a CPU second (median)")
    for name in NAMES:
        work, run = workload(name, items), grade_all(name)
        pairs = [(rate(work, run), rate(work, beside[name]) if name in beside else 0.0) for _ in range(turns)]
        ours, theirs = (statistics.median(values) for values in zip(*pairs, strict=True))
        peer = f"   lm-eval {theirs:10,.0f}   ratio {ours / theirs:6.1f}" if theirs else ""
        print(f"{name:18} {ours:10,.0f}{peer}")
    print(f"rescoring {_RESCORED:,} questions of 3 policies, with all statistics")
    half = _RESCORED // 2
    runs = [
        rescored("mathvista_testmini", workload("mathvista", half)),
        rescored("ocrbench", workload("ocrbench", half)),
    ]
    start = time.perf_counter()
    samples = {policy: [sample for run in runs for sample in run()] for policy in POLICIES}
    marked = time.perf_counter()
    comparison_of(samples, DecisionConfig())
    print(f"marks {marked - start:.1f} s, statistics {time.perf_counter() - marked:.1f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=5_000, help="items of each grader")
    parser.add_argument("--turns", type=int, default=3, help="turns of ours and the peer")
    arguments = parser.parse_args()
    main(arguments.items, arguments.turns)
