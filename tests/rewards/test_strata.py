import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.rewards.config import StrataConfig
from components.rewards.strata import stratified

WIDTHS = StrataConfig(right=0.2, wrong=0.1)


def test_stratified_worked_by_hand() -> None:
    verdicts = [True, True, True, False, False, None]
    values = stratified(verdicts, [0.9, 0.5, 0.1, 0.8, 0.2, 0.7], WIDTHS, 0.05)
    assert values == [1.0, pytest.approx(0.9), 0.8, pytest.approx(0.1), 0.0, None]


def test_stratified_noise_below_the_floor_stays_noise() -> None:
    # 0.003 of 0.05 of the width, instead of the whole width
    values = stratified([True, True, False, False], [0.8, 0.803, 0.3, 0.303], WIDTHS, 0.05)
    assert values == pytest.approx([1 - 0.2 * 0.06, 1.0, 0.0, 0.1 * 0.06])


@pytest.mark.parametrize(("verdict", "value"), [(True, 1.0), (False, 0.0)])
def test_stratified_one_member_keeps_the_verifiers_value(verdict: bool, value: float) -> None:
    assert stratified([verdict], [0.4], WIDTHS, 0.05) == [value]


def test_stratified_without_scores_keeps_the_verifiers_values() -> None:
    assert stratified([True, False], [None, None], WIDTHS, 0.05) == [1.0, 0.0]


def test_stratified_member_without_score_has_the_mean_of_its_stratum() -> None:
    values = stratified([True, True, True], [0.9, None, 0.1], WIDTHS, 0.05)
    assert values == pytest.approx([1.0, 0.9, 0.8])


members = st.lists(
    st.tuples(st.sampled_from([True, False, None]), st.one_of(st.none(), st.floats(0, 1))), min_size=1, max_size=10
)


@given(members, st.floats(0, 0.45), st.floats(0, 0.45), st.floats(1e-6, 1))
def test_stratified_values_stay_in_their_stratum_and_keep_the_models_order(
    group: list[tuple[bool | None, float | None]], right: float, wrong: float, floor: float
) -> None:
    config = StrataConfig(right=right, wrong=wrong)
    values = stratified([verdict for verdict, _ in group], [score for _, score in group], config, floor)
    for (verdict, _), value in zip(group, values, strict=True):
        bounds = {True: (1 - right, 1.0), False: (0.0, wrong)}.get(verdict)  # type: ignore[arg-type]
        assert (value is None) if bounds is None else (bounds[0] <= value <= bounds[1])
    for verdict in (True, False):
        scored = sorted((s, v) for (own, s), v in zip(group, values, strict=True) if own is verdict and s is not None)
        assert [value for _, value in scored] == sorted(value for _, value in scored)
