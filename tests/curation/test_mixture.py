from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.config import parse_config
from components.core.errors import RecipeError
from components.core.example import AnswerType, Task
from components.curation.mixture import Kind, MixtureConfig, multiplicities, repeats, summarise_mixture

MATH = Kind(Task.MATH, AnswerType.NUMBER)
CHOICE = Kind(Task.MATH, AnswerType.CHOICE)
OCR = Kind(Task.OCR, AnswerType.SHORT_TEXT)
kinds_of = st.lists(st.sampled_from([MATH, CHOICE, OCR]), min_size=1, max_size=60)
configs = st.builds(
    MixtureConfig,
    task=st.dictionaries(st.sampled_from([Task.MATH, Task.OCR]), st.floats(0.01, 10)),
    answer_type=st.dictionaries(st.sampled_from(list(AnswerType)), st.floats(0.01, 10)),
    alpha=st.floats(0, 1),
    kinds=st.sampled_from(["task", "answer_type", "both"]),
    by=st.sampled_from(["leaving out", "repeating", "both"]),
    maximum_repeats=st.just(10**9),
)


def share(kinds: list[Kind], wanted: dict[Kind, float], task: Task) -> float:
    total = sum(wanted[kind] for kind in kinds)
    return sum(wanted[kind] for kind in kinds if kind.task is task) / total


def test_without_weights_each_example_is_seen_once() -> None:
    assert multiplicities([MATH] * 7 + [OCR] * 3, MixtureConfig()) == {MATH: 1.0, OCR: 1.0}


def test_example_of_weight_2_is_seen_twice_as_often_and_the_epoch_stays_as_long() -> None:
    kinds = [MATH] * 100 + [OCR] * 100
    wanted = multiplicities(kinds, MixtureConfig(task={Task.MATH: 2, Task.OCR: 1}))

    assert wanted[MATH] == pytest.approx(2 * wanted[OCR])
    assert sum(wanted[kind] for kind in kinds) == pytest.approx(200)


@pytest.mark.parametrize(("alpha", "expected"), [(1.0, 0.9), (0.5, 0.75), (0.0, 0.5)])
def test_alpha_smooths_the_sizes_of_tasks(alpha: float, expected: float) -> None:
    kinds = [MATH] * 450 + [CHOICE] * 450 + [OCR] * 100
    wanted = multiplicities(kinds, MixtureConfig(alpha=alpha, maximum_repeats=9))

    assert share(kinds, wanted, Task.MATH) == pytest.approx(expected)
    assert wanted[MATH] == pytest.approx(wanted[CHOICE])


@given(kinds_of, configs)
def test_shares_are_as_weights_and_sizes_ask(kinds: list[Kind], config: MixtureConfig) -> None:
    wanted = multiplicities(kinds, config)
    sizes: Counter[object] = Counter()
    name = {
        "task": lambda kind: kind.task,
        "answer_type": lambda kind: kind.answer_type,
        "both": lambda kind: kind,
    }[config.kinds]
    for kind in kinds:
        sizes[name(kind)] += 1
    rates = {
        kind: config.task.get(kind.task, 1)
        * config.answer_type.get(kind.answer_type, 1)
        * sizes[name(kind)] ** config.alpha
        / sizes[name(kind)]
        for kind in wanted
    }

    for kind in wanted:
        assert wanted[kind] / wanted[kinds[0]] == pytest.approx(rates[kind] / rates[kinds[0]])


@given(kinds_of, configs)
def test_way_of_sampling_decides_what_is_kept(kinds: list[Kind], config: MixtureConfig) -> None:
    wanted = multiplicities(kinds, config)

    if config.by == "leaving out":
        assert max(wanted.values()) == 1
    elif config.by == "repeating":
        assert min(wanted.values()) == 1
    else:
        assert sum(wanted[kind] for kind in kinds) == pytest.approx(len(kinds))


def test_repeats_are_bounded() -> None:
    config = MixtureConfig(task={Task.MATH: 100}, by="repeating", maximum_repeats=3)

    assert multiplicities([MATH, OCR], config) == {MATH: 3.0, OCR: 1.0}


@pytest.mark.parametrize("by", ["leaving out", "repeating", "both"])
def test_weight_0_leaves_a_task_out(by: str) -> None:
    config = parse_config(MixtureConfig, {"task": {"ocr": 0}, "by": by, "maximum_repeats": 9}, "x")
    wanted = multiplicities([MATH] * 5 + [OCR] * 5, config)

    assert wanted[OCR] == 0
    assert wanted[MATH] == (2 if by == "both" else 1)
    assert repeats("any", wanted[OCR], 0) == 0


def test_nothing_is_left_where_all_weights_are_0() -> None:
    assert multiplicities([OCR], MixtureConfig(task={Task.OCR: 0})) == {OCR: 0.0}


def test_negative_weight_is_refused_by_name() -> None:
    with pytest.raises(RecipeError, match=r"task\.ocr = -1 should be greater than or equal to 0"):
        parse_config(MixtureConfig, {"task": {"ocr": -1}}, "x")


@given(st.text(max_size=20), st.floats(0, 8), st.integers(0, 2**32))
def test_repeats_round_the_multiplicity_up_or_down(id_: str, multiplicity: float, seed: int) -> None:
    assert repeats(id_, multiplicity, seed) in {int(multiplicity), int(multiplicity) + 1}
    assert repeats(id_, float(int(multiplicity)), seed) == int(multiplicity)


@given(st.text(max_size=20), st.floats(0, 8), st.floats(0, 8))
def test_repeats_grow_with_the_multiplicity(id_: str, one: float, other: float) -> None:
    assert repeats(id_, min(one, other), 0) <= repeats(id_, max(one, other), 0)


def test_mean_of_repeats_is_the_multiplicity() -> None:
    times = [repeats(f"{number:016x}", 1.3, seed=5) for number in range(20_000)]

    assert sum(times) / len(times) == pytest.approx(1.3, abs=4 * (0.21 / 20_000) ** 0.5)


def test_new_examples_change_the_fate_of_no_more_old_ones_than_the_shares_ask() -> None:
    config = MixtureConfig(task={Task.MATH: 2, Task.OCR: 1})
    old = [(f"m{number}", MATH) for number in range(3000)] + [(f"o{number}", OCR) for number in range(3000)]
    new = [*old, *((f"n{number}", MATH) for number in range(60))]
    before, after = (multiplicities([kind for _, kind in rows], config) for rows in (old, new))
    changed = sum(repeats(id_, before[kind], 0) != repeats(id_, after[kind], 0) for id_, kind in old)
    expected = sum(abs(before[kind] - after[kind]) for _, kind in old)

    assert 0 < expected < 60
    assert changed <= expected + 4 * expected**0.5


def test_leaving_out_by_weight_touches_no_old_example_when_new_ones_come() -> None:
    config = MixtureConfig(task={Task.MATH: 1, Task.OCR: 0.4}, by="leaving out")
    before = multiplicities([MATH] * 10 + [OCR] * 10, config)

    assert multiplicities([MATH] * 99 + [OCR] * 10, config) == before


def test_another_seed_leaves_out_others() -> None:
    ids = [f"{number}" for number in range(200)]

    assert [repeats(id_, 0.5, 0) for id_ in ids] != [repeats(id_, 0.5, 1) for id_ in ids]


def test_report_has_a_line_a_kind() -> None:
    rows = summarise_mixture([OCR, MATH, MATH, MATH], [3, 0, 1, 2], {OCR: 3.0, MATH: 1.0})

    assert [(row["task"], row["examples"], row["left_out"], row["repeated"], row["seen"]) for row in rows] == [
        ("math", 3, 1, 1, 3),
        ("ocr", 1, 0, 1, 3),
    ]
    assert [row["share"] for row in rows] == [0.5, 0.5]
