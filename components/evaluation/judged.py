"""A response and its marks as the sample that is kept of a question."""

from components.core.question import Question
from components.core.sample import NOT_GENERATED, REPETITION, RESIZED, TRUNCATED, Sample
from components.core.suite import BenchmarkInfo
from components.evaluation.benchmark import Marks
from components.evaluation.categories import category_of, repeats
from components.evaluation.response import Response
from components.rewards.format import adheres

_OF_THE_RESPONSE = (NOT_GENERATED, RESIZED)


def to_sample(info: BenchmarkInfo, question: Question, response: Response, marks: Marks) -> Sample:
    """The sample of a question.

    Args:
        info: The question's benchmark.
        question: What was asked.
        response: What came back.
        marks: What it is worth.
    """
    own = [TRUNCATED] if response.truncated else []
    own += [REPETITION] if repeats(response.text) else []
    flags = tuple(dict.fromkeys([*response.flags, *marks.flags, *own]))
    return Sample(
        benchmark=info.name,
        family=info.family.value,
        id=question.id,
        cluster=question.cluster,
        groups=question.groups,
        question=question.prompt,
        prompt=response.prompt,
        references=question.references,
        completion=response.text,
        extracted=marks.extracted,
        score=marks.score,
        strict=marks.strict,
        rule=marks.rule,
        flags=flags,
        category=category_of(response.text, marks.extracted, question.references, marks.strict, flags),
        problem=response.problem,
        format=adheres(response.text),
        length_tokens=response.length_tokens,
        prompt_tokens=response.prompt_tokens,
    )


def to_response(sample: Sample) -> Response:
    """The response that a sample was made of, for judging it again."""
    flags = tuple(flag for flag in sample.flags if flag in _OF_THE_RESPONSE)
    return Response(
        text=sample.completion,
        prompt=sample.prompt,
        prompt_tokens=sample.prompt_tokens,
        length_tokens=sample.length_tokens,
        truncated=TRUNCATED in sample.flags,
        flags=flags,
        problem=sample.problem,
    )
