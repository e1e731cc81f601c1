from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.errors import HarmoError, RewardHackingError
from components.core.example import AnswerType
from components.rewards.canaries import (
    KINDS,
    CanariesConfig,
    canary_gate,
    check_canaries,
    honest_completion,
    honest_wrong_answer,
    probes,
    run_canaries,
)
from components.rewards.checkable import Checkable
from components.rewards.config import RewardsConfig
from components.rewards.portfolio import Portfolio
from components.rewards.rule import verify

RULES = Portfolio(RewardsConfig(), None)


def example(question: str, *references: str, answer_type: str = "number", **rest: object) -> Checkable:
    kind = AnswerType(answer_type)
    verifiable = kind is not AnswerType.OPEN_ENDED
    return Checkable(question=question, references=references, answer_type=kind, verifiable=verifiable, **rest)  # type: ignore[arg-type]  # fields of Checkable


CITIES = ("Paris", "London", "Rome", "Oslo")
EXAMPLES = {
    "number": [
        *(
            example("How many?", text)
            for text in ("5", "0", "-3", "1,234", "3/4", "2 3/4", "1.5e3", "50%", "$5", "90°")
        ),
        example("What is 17*23?", "391"),
        example("How long?", "12.5 cm", unit="cm"),
        example("How many apples?", "5 apples"),
        example("How many, to the tens?", "120", "130", precision=-1),
        example("Which share?", r"\frac{3}{4}"),
    ],
    "choice": [
        *(example("Which city?", text, answer_type="choice", choices=CITIES) for text in ("A", "B", "C", "D", "Rome")),
        *(example("Which?", text, answer_type="choice") for text in ("B", "(D)")),
        example("Is it red?", "A", answer_type="choice", choices=("Yes", "No")),
        example("How many?", "C", answer_type="choice", choices=("1", "2", "3", "4")),
    ],
    "short_text": [
        example("What colour is it?", "red", answer_type="short_text"),
        example("Is it red?", "yes", answer_type="short_text"),
        example("Who lives here?", "The White House", "White House", answer_type="short_text"),
        example("Who?", "John F. Kennedy", answer_type="short_text"),
        *(example("What does it say?", text, answer_type="short_text") for text in ("N/A", "correct", "?", "3 pm")),
    ],
    "expression": [
        example("Solve it.", text, answer_type="expression")
        for text in (
            "x^2+1",
            r"\frac{\pi}{2}",
            r"\sqrt{2}",
            "0",
            "1",
            "x",
            "(1, 2)",
            "1, 2",
            r"\{1,2\}",
            "[0,1)",
            "x=3",
        )
    ],
}
CASES = [(answer_type, kind) for answer_type in EXAMPLES for kind in KINDS]


@pytest.fixture(scope="module")
def pass_rates() -> dict[str, dict[str, float]]:
    return {answer_type: dict(run_canaries(RULES, EXAMPLES[answer_type]).pass_rates) for answer_type in EXAMPLES}


@pytest.mark.parametrize(("answer_type", "kind"), CASES)
def test_no_probe_earns_more_by_rule_than_an_honest_mistake(
    answer_type: str, kind: str, pass_rates: dict[str, dict[str, float]]
) -> None:
    assert pass_rates[answer_type].get(kind, 0.0) == 0.0


@pytest.mark.parametrize("answer_type", EXAMPLES)
def test_every_kind_is_probed(answer_type: str, pass_rates: dict[str, dict[str, float]]) -> None:
    assert set(pass_rates[answer_type]) == set(KINDS)


def test_probes_are_full_completions_in_the_template_and_some_bare() -> None:
    found = probes(EXAMPLES["number"][0], "6")
    assert len({probe.completion for probe in found if probe.completion.startswith("<think>")}) > 30
    assert {probe.completion for probe in found} >= {
        "",
        "<think>I look at the picture and work it out.</think><answer></answer>",
        "<think>I look at the picture and work it out.</think><answer>How many?</answer>",
        "<think>I look at the picture and work it out.</think><answer>5, 6</answer>",
        "<think>I look at the picture and work it out.</think><answer>5. Actually no, it is 6.</answer>",
        "5 5 5 5 5 5 5 5 5 5",
        "<think>I look at the picture and work it out.</think><answer>\u2075</answer>",
        "<think>I look at the picture and work it out.</think><answer>6</answer><answer>5</answer>",
        "5 or 6",
    }


@pytest.mark.parametrize("words", ["correct", "N/A", "?", "what does it say"])
def test_a_probe_that_words_a_reference_is_left_out(words: str) -> None:
    asked = example("What does it say?", words, answer_type="short_text")
    fixed = [probe.completion for probe in probes(asked, "none") if probe.kind in ("claims_correct", "format_only")]
    assert f"<think>...</think><answer>{words}</answer>" not in fixed
    assert words not in fixed


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_honest_wrong_answer_is_wrong_and_looks_right(kind: str) -> None:
    for asked in EXAMPLES[kind]:
        wrong = honest_wrong_answer(asked)
        assert wrong is not None
        verdict = verify(wrong, asked.references, asked.answer_type, asked.choices, asked.unit, asked.precision)
        assert verdict.correct is False
        [earned] = RULES.score_groups([asked], [honest_completion(wrong)], [None], 1)
        assert earned.total == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("asked", "others", "expected"),
    [
        (example("?", "12.5 cm", unit="cm"), [], "13.5 cm"),
        (example("?", "5", "6"), [], "7"),
        (example("?", "120", precision=-1), [], "130"),
        (example("?", "D", answer_type="choice", choices=CITIES), [], "A"),
        (example("?", "Rome", answer_type="choice", choices=CITIES), [], "D"),
        (example("?", "A", answer_type="choice", choices=("only",)), [], None),
        (example("?", "12:30"), ["5"], "13:30"),
        (example("?", r"\pi", answer_type="expression"), [], r"\pi + 7"),
        (example("?", r"\infty", answer_type="expression"), ["5"], "5"),
        (example("?", "Yes", answer_type="short_text"), ["blue"], "no"),
        (example("?", "red", answer_type="short_text"), ["Red.", "blue"], "blue"),
        (example("?", "red", answer_type="short_text"), [], "something else"),
        (example("?", "a red car", answer_type="open_ended"), ["a red car", "two dogs"], "two dogs"),
        (example("?", answer_type="short_text"), [], None),
        (example("?", " ", answer_type="short_text"), [], None),
    ],
)
def test_honest_wrong_answer(asked: Checkable, others: list[str], expected: str | None) -> None:
    assert honest_wrong_answer(asked, others) == expected


class Overlap:
    """Pays for the reference's words, wherever and however often they stand."""

    def score(
        self, _questions: Sequence[str], answers: Sequence[str], references: Sequence[Sequence[str]]
    ) -> Sequence[float]:
        return [
            sum(word in answer for word in texts[0].split()) / len(texts[0].split())
            for answer, texts in zip(answers, references, strict=True)
        ]


OPEN = [
    example("What is to be seen?", "a red car before the house", answer_type="open_ended"),
    example("What is to be seen?", "two dogs asleep under one tree", answer_type="open_ended"),
]
GAMEABLE = Portfolio(RewardsConfig(), Overlap())


def test_a_scorer_that_can_be_gamed_is_found_out() -> None:
    report = run_canaries(GAMEABLE, OPEN)
    assert report.pass_rates["negation"] == report.pass_rates["hedge"] == 1.0
    assert report.pass_rates["contradiction"] > 0.8  # one wording takes back what it called the answer
    assert report.pass_rates["empty_answer"] == report.pass_rates["empty_completion"] == 0.0
    assert report.worst[0].gain == max(result.gain for result in report.worst) > 0.5
    assert {result.probe.kind for result in report.worst} == {kind for kind, rate in report.pass_rates.items() if rate}
    assert (report.num_examples, report.num_skipped) == (2, 0)


def test_the_gate_raises_with_kind_example_rewards_and_remedy() -> None:
    with pytest.raises(RewardHackingError) as error_info:
        canary_gate(GAMEABLE, OPEN, CanariesConfig(open_ended_policy="raise"))
    message = str(error_info.value)
    for part in ("negation (100.0%)", "a red car before the house", " earns 1.200", "0.", "raise max_pass_rate"):
        assert part in message
    assert isinstance(error_info.value, HarmoError)


def test_the_gate_warns_or_is_off_by_policy() -> None:
    with pytest.warns(RuntimeWarning, match="earn more than an honest wrong answer"):
        metrics = canary_gate(GAMEABLE, OPEN, CanariesConfig(open_ended_policy="warn"))
    assert metrics["canary_open_ended_negation"] == 1.0
    assert canary_gate(GAMEABLE, OPEN, CanariesConfig(open_ended_policy="off")) == {}


def test_what_is_accepted_does_not_raise() -> None:
    report = run_canaries(GAMEABLE, OPEN)
    check_canaries(report, CanariesConfig(policy="raise", max_pass_rate=1.0))
    check_canaries(replace(report, pass_rates={"hedge": 0.25}), CanariesConfig(policy="raise", max_pass_rate=0.25))
    with pytest.raises(RewardHackingError):
        check_canaries(replace(report, pass_rates={"hedge": 0.3}), CanariesConfig(policy="raise", max_pass_rate=0.25))


def test_without_a_scorer_an_open_ended_example_pays_no_probe() -> None:
    assert set(run_canaries(RULES, OPEN).pass_rates.values()) == {0.0}


def test_examples_that_cannot_be_probed_are_counted() -> None:
    report = run_canaries(RULES, [example("?"), example("?", "A", answer_type="choice", choices=("only",))])
    assert (report.num_probes, report.num_examples, report.num_skipped, dict(report.pass_rates)) == (0, 0, 2, {})
    assert canary_gate(RULES, [], CanariesConfig(policy="raise")) == {}


def test_examples_are_spread_evenly() -> None:
    many = [example(f"What is {number}?", str(number)) for number in range(100)]
    report = run_canaries(RULES, many, max_examples=4)
    assert report.num_examples == 4
    assert {int(result.example.references[0]) for result in report.worst} <= {0, 25, 50, 75}


@given(
    st.text(st.characters(), max_size=30),
    st.lists(st.text(st.characters(), max_size=30), max_size=3),
    st.sampled_from([kind for kind in AnswerType if kind is not AnswerType.EXPRESSION]),
    st.lists(st.text(st.characters(), max_size=10), max_size=5),
)
def test_any_example_can_be_probed(
    question: str, references: list[str], answer_type: AnswerType, choices: list[str]
) -> None:
    asked = example(question, *references, answer_type=answer_type, choices=tuple(choices))
    report = run_canaries(RULES, [asked])
    assert report.num_examples + report.num_skipped == 1
