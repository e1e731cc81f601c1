"""Section file: the keys of one section of a recipe, in a YAML file of its own or within a recipe."""

from pathlib import Path
from typing import Any

import yaml

from components.core.config import ConfigT, parse_config
from components.core.errors import RecipeError


def load_section(path: Path, section: str, model: type[ConfigT]) -> ConfigT:
    """Read a section of a recipe.

    Args:
        path: YAML with the section's keys, or with these under the section's name, as in a recipe.
        section: Its name in a recipe.
        model: Its configuration.

    Raises:
        RecipeError: It cannot be read, is not YAML, or has a wrong key, type or range.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(str(path), f"cannot be read ({error.strerror})", "Give a readable YAML file") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = f"not YAML ({' '.join(str(error).split())[:200]})"
        raise RecipeError(str(path), problem, "Correct the file") from None
    return parse_config(model, _keys(values, section, str(path)), f"{section} in {path.name}")


def _keys(values: Any, section: str, name: str) -> dict[str, Any]:
    if isinstance(values, dict) and section in values:
        from pipelines.recipe import Recipe

        unknown = sorted(str(key) for key in values if key not in Recipe.model_fields)
        if unknown:
            remedy = f"Move the keys of {section} under it and drop the others"
            raise RecipeError(name, f"unknown keys beside {section}: {', '.join(unknown)}", remedy)
        values = values[section]
    if not isinstance(values, dict):
        raise RecipeError(name, f"holds {type(values).__name__}, not keys and values", f"Write the keys of {section}")
    return values
