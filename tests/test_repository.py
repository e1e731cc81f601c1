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
    """A line holds one or more names, then two spaces and a phrase; an indented one lies in the folder above it."""
    missing, top = [], _ROOT
    for line in _TREE.strip().splitlines():
        names = [name for name in re.split(r"\s{2,}", line.strip())[0].split() if re.search(r"[./]", name)]
        if not line.startswith(" "):
            top = _ROOT / names[0]
            missing += [name for name in names if not (_ROOT / name).exists()]
        else:
            missing += [name for name in names if not (top / name).exists() and not list(top.glob(f"*/{name}"))]

    assert missing == []


def test_every_top_level_folder_is_in_the_readme_tree() -> None:
    folders = {path.name for path in _ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    shown = {line.split("/")[0] for line in _TREE.splitlines() if line and not line.startswith(" ")}

    assert {"components", "pipelines", "images", "manifests", "tests", "docs"} <= shown & folders


def test_every_command_of_the_readme_exists() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    targets = set(re.findall(r"^(\w+):", (_ROOT / "Makefile").read_text(), flags=re.MULTILINE))

    assert set(re.findall(r"^harmo (\w+)", _README, flags=re.MULTILINE)) == commands
    groups = re.findall(r"^make ([\w|]+)", _README, flags=re.MULTILINE)
    assert {target for group in groups for target in group.split("|")} <= targets


def test_every_shipped_recipe_is_named_in_the_readme() -> None:
    assert [name for name in recipe_names() if f"`{name}`" not in _README] == []


def test_ci_runs_the_tests_that_the_readme_names() -> None:
    assert "make check test" in (_ROOT / ".ci" / "run").read_text()
    assert "make test" in _README


_COMPONENTS = sorted((_ROOT / "components").glob("*/component.py"))


@pytest.mark.parametrize("path", _COMPONENTS, ids=lambda path: path.parent.name)
def test_components_stay_thin(path: Path) -> None:
    bodies = re.split(r"^@dsl\.component", path.read_text(), flags=re.MULTILINE)[1:]

    assert bodies
    assert all(len(body.splitlines()) <= 60 for body in bodies)
