"""What a person sees of `harmo score`: where the portfolio comes from, a bar, and where the scores go."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from components.core.config import parse_config
from components.core.errors import RecipeError, SourceError, StorageError, as_storage_error
from components.rewards.config import RewardsConfig
from components.rewards.portfolio import Portfolio
from components.rewards.score_file import read_lines, score_lines

_BAR_FROM = 2000  # lines; fewer are scored before a bar could be read


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
        _check_output(output)
    lines = read_lines(file)
    with _bar(len(lines)) as advance:
        scored = score_lines(lines, portfolio, advance)
    if output is None:
        sys.stdout.writelines(f"{line}\n" for line in scored.lines)
    else:
        _write(scored.lines, output)
    if scored.problems:
        raise SourceError(
            str(file),
            f"{len(scored.problems)} of {len(lines)} lines are bad, the first is {scored.problems[0]}",
            "The other lines are scored; mend the bad ones, which the output flags, and run again",
        )


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


@contextlib.contextmanager
def _bar(lines: int) -> Iterator[Callable[[int], object]]:
    if lines <= _BAR_FROM:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("scoring", total=lines)
        yield lambda count: progress.advance(task, count)


def _check_output(output: Path) -> None:
    """Refuse before the work what would only be refused after it."""
    if output.is_dir() or not output.parent.is_dir():
        problem = "is a folder" if output.is_dir() else f"there is no folder {output.parent}"
        raise StorageError(str(output), problem, "Give the path of a file in a folder that exists")


def _write(lines: Iterable[str], output: Path) -> None:
    is_special = output.exists() and not output.is_file()  # a pipe or a device is written to, never replaced
    temporary = output if is_special else output.with_name(f"{output.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="ascii", newline="\n") as stream:
            stream.writelines(f"{line}\n" for line in lines)
        if not is_special:
            temporary.replace(output)
    except OSError as error:
        named = as_storage_error(error, str(output))
        raise named or StorageError(str(output), str(error.strerror), "Choose another place") from None
    finally:
        if not is_special:
            temporary.unlink(missing_ok=True)
