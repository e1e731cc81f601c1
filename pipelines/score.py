"""What a person sees of `harmo score`: where the portfolio comes from, a bar, and where the scores go."""

from pathlib import Path

from components.core.json_lines import read_lines
from components.rewards.config import RewardsConfig
from components.rewards.portfolio import Portfolio
from components.rewards.score_file import score_lines
from pipelines.line_files import bar, check_output, refuse_bad_lines, write_lines
from pipelines.section_file import load_section


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
    portfolio = Portfolio(load_section(rewards, "rewards", RewardsConfig) if rewards else RewardsConfig(), None)
    if output is not None:
        check_output(output)
    lines = read_lines(file)
    with bar(len(lines)) as advance:
        scored = score_lines(lines, portfolio, advance)
    write_lines(scored.lines, output)
    refuse_bad_lines(file, scored.problems, len(lines))
