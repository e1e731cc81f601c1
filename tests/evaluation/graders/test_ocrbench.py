import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation.grade import NO_ANSWER, MetaError
from components.evaluation.graders.ocrbench import CATEGORIES, NO_DATASET_NAME, ocrbench, ocrbench_total

FORMULA = {"type": "Handwritten Mathematical Expression Recognition", "dataset_name": "HME100k"}
WORD = {"type": "Regular Text Recognition", "dataset_name": "IIIT5K"}


@pytest.mark.parametrize(
    ("prediction", "references", "meta", "expected"),
    [
        ('The word is "CENTRE".', ["centre"], WORD, 1),
        ("centre", ["CENTRE "], WORD, 1),
        ("cannot", ["not"], WORD, 1),  # containment, as officially
        ("21", ["1"], WORD, 1),
        ("cent re", ["centre"], WORD, 0),
        ("a\nb", ["a b"], WORD, 1),
        ("a b", ["A\nB"], WORD, 1),
        ("a\tb", ["a b"], WORD, 0),
        ("a  b", ["a b"], WORD, 0),
        ("x", ["y", "x"], WORD, 1),
        ("x", [""], WORD, 1),
        ("", [" \n"], WORD, 1),
        ("", ["x"], WORD, 0),
        ("x ^ 2 + 1", ["x^2+1"], FORMULA, 1),
        ("x^2\n+1", ["x^{ }2 + 1", "x ^2 +1"], FORMULA, 1),
        ("X^2", ["x^2"], FORMULA, 0),  # formulas tell capitals
        ("x\t2", ["x2"], FORMULA, 0),  # a tab is no space
        ("$x^2$", ["x^2"], FORMULA, 1),
        ("X", ["x"], {"dataset_name": "hme100k"}, 1),  # the name is exact
        ("X", ["x"], {"type": FORMULA["type"]}, 1),  # and the type does not stand in for it
    ],
)
def test_rule(prediction, references, meta, expected) -> None:
    assert ocrbench(prediction, references, meta).score == expected


def test_extraction_and_flags() -> None:
    assert ocrbench(" A\nB ", ["x"], WORD).extraction == "a b"
    assert ocrbench(" A\nB ", ["x"], FORMULA).extraction == "AB"
    assert ocrbench(" ", ["x"], WORD).flags == (NO_ANSWER,)
    assert ocrbench("x", ["x"], {}).flags == (NO_DATASET_NAME,)


@pytest.mark.parametrize("key", ["type", "dataset_name"])
def test_meta_that_is_no_text_is_refused(key) -> None:
    with pytest.raises(MetaError, match=f"{key}: got 7, allowed is a text"):
        ocrbench("x", ["x"], {key: 7})


def test_no_reference_is_refused() -> None:
    with pytest.raises(MetaError, match="references"):
        ocrbench("x", [], WORD)


def test_total_is_of_a_thousand_points_by_category() -> None:
    everything = [(kind, 1.0) for kinds in CATEGORIES.values() for kind, count in kinds.items() for _ in range(count)]

    total = ocrbench_total(everything)

    assert total.complete
    assert total.total == 1000
    assert list(total.categories.values()) == [300, 200, 200, 200, 100]
    assert total.types["Digit String Recognition"] == 50


def test_total_of_a_part_says_so() -> None:
    total = ocrbench_total([("Doc-oriented VQA", 1.0), ("Doc-oriented VQA", 0.0), ("Handwriting Recognition", 1.0)])

    assert not total.complete
    assert total.total == 2
    assert total.categories["Text Recognition"] == 1


def test_total_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(MetaError, match="'Poetry', allowed is one of Regular"):
        ocrbench_total([("Poetry", 1.0)])


@given(st.text(), st.text(), st.text(), st.sampled_from(["HME100k", "svt"]))
def test_a_reference_in_the_midst_of_words_is_found(before, reference, after, source) -> None:
    meta = {"dataset_name": source}

    assert ocrbench(reference, [reference], meta).score == 1.0
    assert ocrbench(f"{before}{reference}{after}", ["\0never\0", before + reference + after], meta).score == 1.0
    assert ocrbench(f" {before}\n", [reference], meta).score == ocrbench(before, [reference], meta).score
