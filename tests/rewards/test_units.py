import pytest

from components.rewards.units import canonical_unit


@pytest.mark.parametrize(
    ("spellings", "unit"),
    [
        (["cm", "centimetre", "centimeters", " cm "], "cm"),
        (["m^2", "m\u00b2", "m2", "m^{2}", "square metres", "sq m"], "m^2"),
        (["km/h", "km / h", "kilometres per hour", "km/hr"], "km/h"),
        (["%", "percent", "per cent"], "%"),
        (["\u00b0", "degrees", "deg"], "\u00b0"),
        (["apples", "apple", "Apples"], "apple"),
        (["boxes", "box"], "box"),
        (["inches", "inch"], "in"),
        (["kg m s^-2", "kg\u00b7m\u00b7s^{-2}"], "kg m s^-2"),
        (["", " "], ""),
    ],
)
def test_canonical_unit_spellings_of_one_unit_are_one(spellings: list[str], unit: str) -> None:
    assert {canonical_unit(spelling) for spelling in spellings} == {unit}


@pytest.mark.parametrize(("one", "other"), [("m", "cm"), ("mW", "MW"), ("m", "m^2"), ("m/s", "m s"), ("$", "€")])
def test_canonical_unit_different_units_stay_different(one: str, other: str) -> None:
    assert canonical_unit(one) != canonical_unit(other)
