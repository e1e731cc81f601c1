"""An evaluation in a process of its own, slow enough to be killed in the middle: its generations go to a file.

python -m tests.evaluation.evaluated POLICY JOURNAL GENERATIONS RESULT
"""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from components.core.question import Question
from components.evaluation.answerer import Request
from components.evaluation.benchmark import Marks
from components.evaluation.config import EvaluationConfig
from components.evaluation.response import Response
from components.evaluation.runner import Runner
from tests.evaluation.conftest import draw_questions, info_of

COUNT = 24


def mark_length(question: Question, text: str) -> Marks:
    return Marks(len(text) % 5 / 4, len(text) % 3 / 2, text, f"length of {question.id}")


def main(policy: str, journal: str, generations: str, result: str) -> None:
    """Evaluate, a batch of three every twentieth of a second."""
    runner = Runner(Path(policy), EvaluationConfig(batch_size=3), Path(journal))
    answer = runner._answerer.answer

    def counted(requests: Sequence[Request]) -> list[Response]:
        with Path(generations).open("a") as stream:
            stream.writelines(f"{request.images.question}\n" for request in requests)
        time.sleep(0.05)
        return answer(requests)

    runner._answerer.answer = counted  # type: ignore[method-assign]
    questions = draw_questions(COUNT)
    run = runner.run(info_of(questions), questions, mark_length)
    values = {"responses": list(map(asdict, run.responses)), "marks": list(map(asdict, run.marks))}
    Path(result).write_text(json.dumps({**values, "from_journal": run.cost.from_journal}))


if __name__ == "__main__":
    main(*sys.argv[1:])
