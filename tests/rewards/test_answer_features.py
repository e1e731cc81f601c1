import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.rewards.answer_features import NAMES, RISING, _longest_run, normalised
from components.rewards.answer_gate import BLANK, EQUAL, LONG, LOOP, rule_on
from components.rewards.embedder import Embedder, EmbedderConfig
from components.rewards.english import OPPOSITES
from components.rewards.feature_reader import FeatureReader
from tests.surrogate.stub import StubEmbedder

_TEXTS = st.text(max_size=80) | st.sampled_from(["", " ", "no", "3.5", "a a a a", "\ud800", "The cat, 1,000 cats."])


def _values(answer: str, *references: str, question: str = "") -> dict[str, float]:
    row = FeatureReader(StubEmbedder()).read([question], [answer], [references])[0]  # type: ignore[arg-type]
    return dict(zip(NAMES, row.tolist(), strict=True))


@settings(max_examples=150)
@given(st.lists(st.tuples(_TEXTS, _TEXTS, st.lists(_TEXTS, min_size=1, max_size=3)), min_size=1, max_size=5))
def test_features_of_any_text_are_finite_and_do_not_depend_on_the_batch(rows: list) -> None:
    questions, answers, references = zip(*rows, strict=True)

    together = FeatureReader(StubEmbedder()).read(questions, answers, references)  # type: ignore[arg-type]

    assert together.shape == (len(rows), len(NAMES))
    assert np.isfinite(together).all()
    for place, (question, answer, texts) in enumerate(rows):
        alone = FeatureReader(StubEmbedder()).read([question], [answer], [texts])  # type: ignore[arg-type]
        assert np.array_equal(alone[0], together[place])


@pytest.mark.slow
def test_real_vectors_are_the_same_bits_alone_and_in_a_batch() -> None:
    texts = ["red", "A red circle.", "the quick brown fox jumps over the lazy dog " * 40, "", "Über 3,5 €", "a b c d e"]
    references = [["A red circle above a blue square.", "red"]] * len(texts)
    batch = FeatureReader(Embedder(EmbedderConfig())).read(["What is it?"] * len(texts), texts, references)
    lonely = FeatureReader(Embedder(EmbedderConfig()))

    for place, text in enumerate(texts):
        alone = lonely.read(["What is it?"], [text], references[:1])
        assert np.abs(alone[0] - batch[place]).max() <= 1e-6


def test_features_without_answers_are_empty() -> None:
    assert FeatureReader(StubEmbedder()).read([], [], []).shape == (0, len(NAMES))  # type: ignore[arg-type]


def test_rising_features_exist() -> None:
    assert set(RISING) <= set(NAMES)


@pytest.mark.parametrize(
    ("name", "answer", "reference", "expected"),
    [
        ("cosine", "red cat", "red cat", 1.0),
        ("negation_differs", "It is not red", "It is red", 1.0),
        ("negation_differs", "It isn't red", "It is not red", 0.0),
        ("opposites", "left of it", "right of it", 1.0),
        ("opposites", "left and right of it", "right and left of it", 0.0),
        ("numbers_conflict", "3 cats", "4 cats", 1.0),
        ("numbers_conflict", "three cats", "3 cats", 0.0),
        ("numbers_shared", "1,000 cats", "1000 cats", 1.0),
        ("numbers_missing", "cats", "4 cats", 1.0),
        ("names_extra", "It is in Paris", "It is in France", 1.0),
        ("order", "dog bites man", "man bites dog", 0.0),
        ("order", "man bites dog", "man bites dog", 1.0),
        ("recall", "walks", "walking quickly", 0.5),
        ("denials", "It is not true that cats purr", "cats purr", 1.0),
        ("turns", "It is red. Actually no, blue", "It is red", 1.0),
        ("hedges", "perhaps red", "red", 1.0),
        ("ors", "red or blue", "red", 1.0),
        ("most_frequent", "cat cat cat", "cat", 3.0),
        ("ends_on_function_word", "it stands on the", "it stands on the shelf", 1.0),
        ("length_ratio", "a b c", "a b c", 0.0),
    ],
)
def test_cues_worked_by_hand(name: str, answer: str, reference: str, expected: float) -> None:
    assert _values(answer, reference)[name] == pytest.approx(expected, abs=1e-6)


def test_copied_question_is_seen() -> None:
    values = _values("what is the colour of the car", "red", question="What is the colour of the car?")

    assert values["question_copied"] == values["question_run"] == 1.0


def test_cues_are_held_against_the_nearest_reference() -> None:
    assert _values("two dogs", "three cats", "two dogs")["cosine"] == pytest.approx(1.0)
    assert _values("two dogs", "three cats", "two dogs")["numbers_extra"] == 0.0


def test_opposites_go_both_ways() -> None:
    assert all(word in OPPOSITES[other] for word, others in OPPOSITES.items() for other in others)


def test_megabyte_is_cut_before_it_is_read() -> None:
    assert np.isfinite(list(_values("word " * 200_000, "word").values())).all()


@pytest.mark.parametrize(
    ("answer", "flags", "least", "most"),
    [
        ("", (BLANK,), 0.0, 0.0),
        (" \n", (BLANK,), 0.0, 0.0),
        ("...", (BLANK,), 0.0, 0.0),
        ("It falls DOWN", (EQUAL,), 0.98, 1.0),
        ("It falls down. " * 5, (LOOP,), 0.0, 0.02),
        ("It rises.", (), 0.0, 1.0),
        (" ".join(f"word{number}" for number in range(500)), (LONG,), 0.0, 1.0),
    ],
)
def test_rules_decide_what_no_head_need_learn(answer: str, flags: tuple[str, ...], least: float, most: float) -> None:
    ruling = rule_on(answer, ["It falls down."])

    assert (ruling.flags, ruling.least, ruling.most) == (flags, least, most)


def test_reference_of_signs_alone_is_an_answer() -> None:
    assert rule_on("∞", ["∞"]).flags == (EQUAL,)
    assert rule_on("+", ["-"]).flags == (BLANK,)


def test_normalised_leaves_letters_and_digits() -> None:
    assert normalised("  It's RED, isn\u2019t it?") == "it's red isn't it"


@given(st.lists(st.sampled_from("abcd"), max_size=12), st.lists(st.sampled_from("abcd"), max_size=12))
def test_the_longest_run_is_that_of_all_runs(mine: list[str], theirs: list[str]) -> None:
    runs = {tuple(theirs[start:end]) for start in range(len(theirs)) for end in range(start, len(theirs) + 1)}
    own = (tuple(mine[start:end]) for start in range(len(mine)) for end in range(start, len(mine) + 1))

    assert _longest_run(mine, theirs) == max((len(run) for run in own if run in runs), default=0)
