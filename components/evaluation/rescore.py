"""Mark the answers of an old evaluation again: no model is needed, and nothing of the old artifact is changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from components.core.artifact import Manifest, verify
from components.core.errors import ArtifactError
from components.core.question import QuestionFile
from components.core.sample import Sample, read_samples
from components.core.suite import BenchmarkInfo, questions_path, read_suite
from components.evaluation.evaluate import marker_of, write_evaluation
from components.evaluation.judged import to_response, to_sample
from components.evaluation.task import UNMARKED, marks_of


@dataclass(frozen=True)
class Rescored:
    """What marking again gave."""

    manifest: Manifest
    samples: int
    changed: tuple[tuple[Sample, Sample], ...]
    """Before and after, of the samples whose score or extraction is another now."""


def rescore(suite: Path, evaluation: Path, output: Path) -> Rescored:
    """Mark an evaluation's answers again.

    Args:
        suite: The suite artifact that was evaluated.
        evaluation: The evaluation artifact.
        output: Folder for the new evaluation artifact; what the old one cost is not told again.

    Raises:
        ArtifactError: An artifact is not what it should be, or the samples are not of this suite.
    """
    inputs = {"suite": verify(suite, "suite"), "evaluation": verify(evaluation, "evaluation")}
    benchmarks = {info.name: info for info in read_suite(suite)}
    old = read_samples(evaluation)
    new: list[Sample] = []
    for name, samples in groupby(old, key=lambda sample: sample.benchmark):
        if name not in benchmarks:
            raise _stranger(name, suite)
        new += _marked_again(suite, benchmarks[name], list(samples))
    manifest = write_evaluation(output, new, inputs["evaluation"].identity, inputs, {})
    changed = tuple(pair for pair in zip(old, new, strict=True) if _differ(*pair))
    return Rescored(manifest, len(new), changed)


def _marked_again(suite: Path, info: BenchmarkInfo, samples: Sequence[Sample]) -> list[Sample]:
    questions = QuestionFile(questions_path(suite, info.name))
    if [sample.id for sample in samples] != [question.id for question in questions]:
        raise _stranger(info.name, suite)
    marker = marker_of(info, questions)
    again = []
    for question, sample in zip(questions, samples, strict=True):
        response = to_response(sample)
        marks = UNMARKED if response.missing else marks_of(marker, question, response.text)
        again.append(to_sample(info, question, response, marks))
    return again


def _differ(before: Sample, after: Sample) -> bool:
    return (before.score, before.strict, before.extracted) != (after.score, after.strict, after.extracted)


def _stranger(name: str, suite: Path) -> ArtifactError:
    return ArtifactError(
        f"the samples of {name}", f"they are not of the suite {suite}", "Give the suite that the samples were made from"
    )
