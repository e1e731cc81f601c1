import pytest

from components.evaluation.facts import FactScorer

_TRUE = ("red circle", "blue square", "circle left of square")
_SCORER = FactScorer([*_TRUE, "green circle", "circle above square", "orange square"])


@pytest.mark.parametrize(
    ("description", "score"),
    [
        ("a red circle left of a blue square", 1.0),
        ("A blue square right of a red circle.", 1.0),
        ("there is a red circle and a blue square, the circle is left of the square", 1.0),
        ("a red circle", 1 / 3),
        ("a green circle left of a blue square", 2 / 4),
        ("a blue circle left of a red square", 1 / 5),
        ("a red circle above a blue square", 2 / 4),
        ("it is not true that a red circle is left of a blue square", 0.0),
        ("a red circle and a green circle and an orange square and a blue square", 2 / 5),
        ("nonsense", 0.0),
        ("", 0.0),
    ],
)
def test_score_is_the_jaccard_index_of_stated_and_true_facts(description: str, score: float) -> None:
    assert _SCORER.score(description, _TRUE) == pytest.approx(score)


def test_saying_a_fact_twice_earns_nothing() -> None:
    assert _SCORER.score("a red circle, a red circle, a red circle", _TRUE) == pytest.approx(1 / 3)


def test_without_facts_nothing_is_stated() -> None:
    assert FactScorer([]).stated("a red circle left of a blue square") == set()
