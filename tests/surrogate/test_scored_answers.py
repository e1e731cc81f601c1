from components.core.example import AnswerType, Example, Task
from components.surrogate.scored_answers import make_scored_answers


def _example(*references: str) -> Example:
    return Example(
        id="0" * 16,
        images=(b"x",),
        question="Describe.",
        references=references,
        answer_type=AnswerType.OPEN_ENDED,
        task=Task.GENERAL,
        verifiable=False,
    )


_EXAMPLES = [
    _example("a red circle above a blue square", "a blue square below a red circle"),
    _example("two dogs run on the beach"),
    _example("one"),
]


def test_wrong_answers_are_never_a_reference_of_their_example() -> None:
    for scored in make_scored_answers(_EXAMPLES * 20, seed=1):
        if scored.score == 0.0:
            assert scored.answer not in _EXAMPLES[scored.example % 3].references
            assert scored.answer


def test_every_example_has_a_right_answer_that_is_not_among_its_references_where_it_has_several() -> None:
    scored = make_scored_answers(_EXAMPLES, seed=0)

    held_out = [
        item for item in scored if item.example == 0 and item.score == 1.0 and item.answer not in item.references
    ]
    assert len(held_out) == 1
    assert {item.example for item in scored if item.score == 1.0} == {0, 1, 2}


def test_same_seed_makes_the_same_answers() -> None:
    assert make_scored_answers(_EXAMPLES, 5) == make_scored_answers(_EXAMPLES, 5)
