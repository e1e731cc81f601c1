import pytest
from pydantic import Field

from components.core.config import Config, parse_config
from components.core.errors import RecipeError


class Inner(Config):
    steps: int = Field(default=1, ge=1)
    "Steps."


class Outer(Config):
    inner: Inner = Inner()
    "Inner."
    name: str
    "Name."


def test_unknown_key_is_named_with_the_nearest_known_one() -> None:
    with pytest.raises(RecipeError, match=r"recipe x: unknown key 'inner.stepz', did you mean 'steps'\?"):
        parse_config(Outer, {"name": "a", "inner": {"stepz": 3}}, "recipe x")


def test_value_out_of_range_is_named_with_the_value_and_the_range() -> None:
    with pytest.raises(RecipeError, match=r"inner\.steps = 0 should be greater than or equal to 1"):
        parse_config(Outer, {"name": "a", "inner": {"steps": 0}}, "x")


def test_all_problems_are_listed_at_once() -> None:
    with pytest.raises(RecipeError, match=r"inner\.steps = 'many'.*missing key 'name'"):
        parse_config(Outer, {"inner": {"steps": "many"}}, "x")


def test_whole_floats_become_ints_as_kfp_passes_them() -> None:
    assert parse_config(Outer, {"name": "a", "inner": {"steps": 4.0}}, "x").inner.steps == 4


def test_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse_config(Outer, {"name": "a"}, "x").name = "b"  # type: ignore[misc]
