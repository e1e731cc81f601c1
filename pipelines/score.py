"""What a person sees of `harmo score`: where the portfolio comes from, a bar, and where the scores go."""

from pathlib import Path
from typing import Any

import yaml

from components.core.config import parse_config
from components.core.errors import RecipeError
from components.core.json_lines import read_lines
from components.rewards.config import RewardsConfig
from components.rewards.portfolio import Portfolio
from components.rewards.score_file import score_lines
from pipelines.line_files import bar, check_output, refuse_bad_lines, write_lines


def score_to(file: Path, rewards: Path | None, output: Path | None) -> None:
    """Score a file of completions and write the scores.

    Args:
        file: JSON Lines, one completion a line.
        rewards: YAML with the keys of a recipe's `rewards`; None takes their defaults.
        output: Written whole or not at all; None is standard output.

    Raises:
        SourceError: The file cannot be read (nothing is written), or some of its lines are bad (the others are
            scored and all are written).
        RecipeError: The portfolio cannot be read or has a wrong key, type or range.
        StorageError: The output cannot be written.
    """
    portfolio = Portfolio(load_rewards(rewards) if rewards else RewardsConfig(), None)
    if output is not None:
        check_output(output)
    lines = read_lines(file)
    with bar(len(lines)) as advance:
        scored = score_lines(lines, portfolio, advance)
    write_lines(scored.lines, output)
    refuse_bad_lines(file, scored.problems, len(lines))


def load_rewards(path: Path) -> RewardsConfig:
    """Read a portfolio.

    Args:
        path: YAML with the keys of a recipe's `rewards`, or with these under `rewards`, as in a recipe.

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
    return parse_config(RewardsConfig, _section(values, str(path)), f"rewards in {path.name}")


def _section(values: Any, name: str) -> dict[str, Any]:
    if isinstance(values, dict) and "rewards" in values:
        from pipelines.recipe import Recipe

        unknown = sorted(str(key) for key in values if key not in Recipe.model_fields)
        if unknown:
            remedy = "Move the keys of the portfolio under rewards and drop the others"
            raise RecipeError(name, f"unknown keys beside rewards: {', '.join(unknown)}", remedy)
        values = values["rewards"]
    if not isinstance(values, dict):
        raise RecipeError(name, f"holds {type(values).__name__}, not keys and values", "Write the portfolio's keys")
    return values
