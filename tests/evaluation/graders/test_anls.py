import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation.grade import NO_ANSWER, MetaError
from components.evaluation.graders.anls import PADDED, TIME_LIMIT, anls, anls_collapsed


def score(prediction: str, *references: str, **meta: object) -> float | None:
    return anls(prediction, references, meta).score


@pytest.mark.parametrize(
    ("prediction", "references", "expected"),
    [
        ("Hello", ["hello"], 1.0),
        ("hallo", ["hello"], 1 - 1 / 5),
        ("a b", ["a  b"], 1.0),
        ("kitten", ["sitting"], 1 - 3 / 7),
        ("ab", ["ax"], 0.5),  # 0.5 counts
        ("abc", ["axy"], 0.0),  # 1 - 2/3
        ("abcd", ["wxyz", "abcx"], 0.75),  # the nearest
        ("", [""], 1.0),
        ("", ["a"], 0.0),
        ("a", [""], 0.0),
        # One edit of the four letters, but the raw prediction has eight characters: padding raises the score.
        ("abcx    ", ["abcd"], 1 - 1 / 8),
        ("ab cd", ["ab   cx"], 1 - 1 / 7),
        # Lengths are those of capitals, and "ß" is "SS": one edit of four.
        ("aßb", ["axb"], 1 - 1 / 4),
    ],
)
def test_rule(prediction, references, expected) -> None:
    assert score(prediction, *references) == expected


def test_threshold_is_the_metas_and_inclusive() -> None:
    assert score("abcx", "abcd", threshold=0.75) == 0.75
    assert score("abcx", "abcd", threshold=0.76) == 0.0
    assert score("axyz", "abcd", threshold=0) == 0.25
    assert score("abcd", "abcd", threshold=1) == 1.0
    assert score("ab", "ax", threshold=None) == 0.5


@pytest.mark.parametrize(
    "value", ["0.5", -0.1, 1.1, float("nan"), float("inf"), True, [], pytest.param(10**5000, id="long")]
)
def test_bad_threshold_is_refused(value) -> None:
    with pytest.raises(MetaError, match=r"threshold.*allowed is a number from 0 to 1"):
        score("a", "a", threshold=value)


def test_no_reference_is_refused() -> None:
    with pytest.raises(MetaError, match="references"):
        score("a")


def test_extraction_is_what_is_compared_and_a_blank_prediction_is_flagged() -> None:
    assert anls("  A \n B ", ["x"], {}).extraction == "a b"
    assert anls(" ", ["x"], {}).flags == (NO_ANSWER,)


def test_a_reference_past_the_time_limit_is_flagged_and_the_others_count() -> None:
    grade = anls("ab" * 100_000, ["ba" * 100_000, "ab" * 100_000], {})

    assert grade.score == 1.0
    assert grade.flags == (TIME_LIMIT,)


def test_padding_earns_officially_and_not_in_the_collapsed_variant() -> None:
    padded = anls(" " * 97 + "x", ["abcd"], {})

    assert padded.score == 1 - 4 / 98
    assert padded.flags == (PADDED,)
    assert anls_collapsed(" " * 97 + "x", ["abcd"], {}).score == 0.0
    assert anls_collapsed("abcx  ", ["ab  "], {}).score == 0.5
    assert anls_collapsed("", [" "], {}).score == 1.0
    assert anls("abcd ", ["abcd"], {}).flags == ()


def distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            last, row[j] = row[j], min(last + (a != b), row[j] + 1, row[j - 1] + 1)
    return row[-1]


TEXT = st.text(alphabet="abAB ß1", max_size=10)


@given(TEXT, st.lists(TEXT, min_size=1, max_size=3), st.sampled_from([0, 0.3, 0.5, 0.8, 1]))
def test_equals_the_plain_definition(prediction, references, threshold) -> None:
    def value(reference: str) -> float:
        one, other = (" ".join(text.lower().split()) for text in (reference, prediction))
        length = max(len(reference.upper()), len(prediction.upper()))
        return distance(one, other) / length if length else 0.0

    similarity = 1 - min(map(value, references))

    assert score(prediction, *references, threshold=threshold) == (similarity if similarity >= threshold else 0)


@given(st.text(), st.lists(st.text(), min_size=1, max_size=4))
def test_score_is_in_range_and_order_is_free(prediction, references) -> None:
    result = score(prediction, *references)

    assert result == 0 or 0.5 <= result <= 1
    assert score(prediction, *reversed(references)) == result
