"""Configuration: frozen pydantic models that refuse unknown keys by name.

Each stage has one such model beside it (components/<stage>/config.py); a recipe is their sum. Field
docstrings are the documentation of the recipe, so every field has one (a test checks it).
"""

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from components.core.errors import RecipeError


class Config(BaseModel):
    """Base of every configuration: immutable, strict about keys, documented by attribute docstrings."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False, validate_default=True
    )

    def identity(self) -> dict[str, Any]:
        """The settings that decide a result, as plain JSON values."""
        return self.model_dump(mode="json")


ConfigT = TypeVar("ConfigT", bound=Config)


def parse_config(model: type[ConfigT], values: Mapping[str, Any], where: str) -> ConfigT:
    """Validate values against a model.

    Args:
        model: The configuration class.
        values: Plain values, as read from YAML or passed by KFP (which turns ints into floats).
        where: What the values are called in messages: a recipe's name or a parameter.

    Returns:
        The validated, frozen configuration.

    Raises:
        RecipeError: Names every wrong key with its value and what is allowed there.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        problems = [_describe(model, dict(problem)) for problem in error.errors(include_url=False)]
        raise RecipeError(where, "; ".join(problems), "Correct the recipe and run again") from None


def _describe(model: type[BaseModel], problem: dict[str, Any]) -> str:
    location = [str(part) for part in problem["loc"]]
    key = ".".join(location) or "the whole recipe"
    if problem["type"] == "extra_forbidden":
        known = _keys_at(model, location[:-1])
        near = difflib.get_close_matches(location[-1], known, n=1)
        hint = f", did you mean {near[0]!r}?" if near else f", known keys: {', '.join(known)}"
        return f"unknown key {key!r}{hint}"
    if problem["type"] == "missing":
        return f"missing key {key!r}"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if problem["type"] == "value_error":
        return f"{key}: {message}"
    return f"{key} = {problem['input']!r} should be {message}"


def _keys_at(model: type[BaseModel], path: list[str]) -> list[str]:
    """The field names of the model reached by a path of field names, indices and union tags."""
    current: type[BaseModel] = model
    for part in path:
        field = current.model_fields.get(part)
        if field is None:
            continue
        nested = _models_in(field.annotation)
        if not nested:
            return []
        current = nested[0]
    return sorted(current.model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in getattr(annotation, "__args__", ()) for model in _models_in(argument)]
