"""The repository says what it is: the README's tree and commands are true."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from pipelines.cli import app
from pipelines.recipe import recipe_names

_ROOT = Path(__file__).parents[1]
_README = (_ROOT / "README.md").read_text(encoding="utf-8")
_TREE = _README.split("## The tree")[1].split("```")[1]


def test_every_path_of_the_readme_tree_exists() -> None:
    base, missing = _ROOT, []
    for line in _TREE.splitlines():
        words = line.split("  ")[0] if not line.startswith("  ") else line.strip().split("  ")[0]
        names = [word for word in words.split() if word.endswith("/") or "." in word]
        folder = base if line.startswith("  ") else _ROOT
        if not line.startswith("  ") and names:
            base = _ROOT / names[0]
        where = [name for name in names if not _exists(folder, name)]
        missing += where

    assert missing == []


def _exists(folder: Path, name: str) -> bool:
    return (folder / name).exists() or any(folder.glob(f"*/{name}"))


def test_every_top_level_folder_is_in_the_readme_tree() -> None:
    folders = {path.name for path in _ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    shown = {line.split("/")[0] for line in _TREE.splitlines() if line and not line.startswith(" ")}

    assert {"components", "pipelines", "images", "manifests", "tests", "docs"} <= shown & folders


def test_every_command_of_the_readme_exists() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    targets = set(re.findall(r"^(\w+):", (_ROOT / "Makefile").read_text(), flags=re.MULTILINE))

    assert set(re.findall(r"^harmo (\w+)", _README, flags=re.MULTILINE)) == commands
    assert {target for group in re.findall(r"^make ([\w|]+)", _README, flags=re.MULTILINE) for target in group.split("|")} <= targets


def test_every_shipped_recipe_is_named_in_the_readme() -> None:
    assert [name for name in recipe_names() if f"`{name}`" not in _README] == []


def test_ci_runs_the_tests_that_the_readme_names() -> None:
    assert "make check test" in (_ROOT / ".ci" / "run").read_text()
    assert "make test" in _README


@pytest.mark.parametrize("path", sorted((_ROOT / "components").glob("*/component.py")), ids=lambda path: path.parent.name)
def test_components_stay_thin(path: Path) -> None:
    bodies = re.split(r"^@dsl\.component", path.read_text(), flags=re.MULTILINE)[1:]

    assert bodies
    assert all(len(body.splitlines()) <= 60 for body in bodies)
