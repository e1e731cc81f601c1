import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.config import parse_config
from components.core.errors import RecipeError
from components.core.example import AnswerType
from components.curation.blind import BlindConfig, BlindFinding, doubt_blind, guessing_chance, summarise_blind
from components.curation.difficulty import DifficultyConfig, Doubt, doubt_difficulty
from components.curation.pass_rates import PassCounts, learning_gap
from tests.curation.worthy import example


def reason(right: int, judged: int, config: DifficultyConfig) -> str | None:
    doubt = doubt_difficulty(PassCounts(right, judged - right), config)
    return doubt.reason if doubt else None


def test_window_keeps_what_lies_strictly_between_its_bounds() -> None:
    config = DifficultyConfig(generations=10)

    assert [reason(right, 10, config) for right in (0, 1, 2, 8, 9, 10)] == [
        "too hard", "too hard", None, None, "too easy", "too easy",
    ]  # fmt: skip


def test_open_ends_of_the_window_let_all_or_nothing_pass() -> None:
    config = DifficultyConfig(minimum=-1, maximum=2)

    assert [reason(right, 8, config) for right in (0, 8)] == [None, None]


def test_gap_criterion_leans_to_the_hard_side() -> None:
    config = DifficultyConfig(criterion="gap")

    assert [right for right in range(9) if reason(right, 8, config) is None] == [1, 2, 3, 4, 5, 6]
    assert doubt_difficulty(PassCounts(7, 1), config) == Doubt(
        "too small a gap", "7 of 8 generations right, pass@4 - pass@1 = 0.125"
    )


@given(st.integers(0, 8), st.integers(0, 8), st.floats(0, 0.99))
def test_gap_criterion_works_with_as_many_attempts_as_were_judged(right: int, wrong: int, least: float) -> None:
    config = DifficultyConfig(criterion="gap", minimum_gap=least)
    doubt = doubt_difficulty(PassCounts(right, wrong, 16 - right - wrong), config)
    judged = right + wrong

    assert (doubt is None) == (judged < 8 or learning_gap(judged, right, min(4, judged)) > least)


def test_example_of_which_too_few_generations_were_judged_is_not_doubted() -> None:
    assert [
        doubt_difficulty(PassCounts(0, judged, 8 - judged), DifficultyConfig()) is None for judged in (1, 3, 4, 8)
    ] == [True, True, False, False]
    assert doubt_blind(PassCounts(3, 0, 5), 0.0, BlindConfig()) is None
    assert doubt_difficulty(PassCounts(0, 0, 8), DifficultyConfig()) is None
    assert doubt_blind(PassCounts(0, 0, 8), 0.0, BlindConfig()) is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"minimum": 0.9, "maximum": 0.2}, r"minimum 0\.9 leaves nothing below maximum 0\.2"),
        ({"k": 9}, "k 9 needs as many generations, there are 8"),
        ({"generations": 1}, "greater than or equal to 2"),
    ],
)
def test_criterion_that_cannot_be_met_is_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse_config(DifficultyConfig, values, "curation.difficulty")


@pytest.mark.parametrize(
    ("reference", "choices", "chance"),
    [
        ("B", ("red", "blue", "green", "black"), 0.25),
        ("A", ("red", "blue"), 0.5),
        ("Yes", (), 0.5),
        ("false.", (), 0.5),
        ("7", (), 0.0),
    ],
)
def test_chance_of_a_guess_is_one_over_the_options(reference: str, choices: tuple[str, ...], chance: float) -> None:
    assert guessing_chance(example("a", reference, choices=choices)) == chance


def test_choice_without_listed_options_offers_nothing_to_guess_from() -> None:
    assert guessing_chance(example("a", "B", answer_type=AnswerType.CHOICE)) == 0.0


@pytest.mark.parametrize(
    ("right", "chance", "solvable"),
    [(5, 0.0, False), (6, 0.0, True), (6, 0.25, True), (6, 0.5, False), (7, 0.5, True), (8, 0.9, False)],
)
def test_blind_solvable_takes_a_high_rate_that_guessing_does_not_explain(
    right: int, chance: float, solvable: bool
) -> None:
    assert (doubt_blind(PassCounts(right, 8 - right), chance, BlindConfig()) is not None) == solvable


def test_evidence_names_counts_and_the_probability_of_guessing_as_well() -> None:
    doubt = doubt_blind(PassCounts(8, 0), 0.5, BlindConfig())

    assert doubt == Doubt("blind-solvable", "8 of 8 generations right without the image, by guessing p = 0.0039")


def test_report_sets_what_was_solved_beside_what_a_stubborn_guess_would_solve() -> None:
    report = summarise_blind(
        BlindFinding(*values)
        for values in (
            ("math", 0.25, 1.0, True),
            ("math", 0.25, 0.5, False),
            ("vqa", 0.5, 0, False),
            ("vqa", 0, 1, True),
        )
    )

    assert (report["measured"], report["solvable"], report["share"], report["share_by_luck"]) == (4, 2, 0.5, 0.25)
    assert (report["by_task"]["math"]["share_by_luck"], report["by_task"]["math"]["pass_at_1"]) == (0.25, 0.75)
    assert summarise_blind([])["share"] is None
