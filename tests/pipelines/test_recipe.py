from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from components.core.config import _models_in
from components.core.errors import RecipeError
from pipelines.recipe import RECIPES, Recipe, load_recipe, recipe_names


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_is_valid_and_named_like_its_file(name: str) -> None:
    assert load_recipe(name).name == name


def test_the_paper_target_and_the_quickstart_are_shipped() -> None:
    assert {"quickstart", "qwen2_5_vl_3b"} <= set(recipe_names())


def test_paper_recipe_follows_what_is_known_of_the_paper() -> None:
    recipe = load_recipe("qwen2_5_vl_3b")

    weights = recipe.rewards.weights
    assert (weights.accuracy, weights.length, weights.format) == (1.0, 1.0, 1.0)
    assert recipe.training.scale_rewards == "none"
    assert recipe.policy.warm_start.steps == 0


def _all_models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        for nested in _models_in(field.annotation):
            yield from _all_models(nested)


def test_every_field_of_a_recipe_is_documented() -> None:
    undocumented = {
        f"{model.__name__}.{name}"
        for model in _all_models(Recipe)
        for name, field in model.model_fields.items()
        if not field.description
    }

    assert undocumented == set()


def test_resources_and_names_are_no_part_of_the_identity() -> None:
    base = load_recipe("quickstart")
    moved = load_recipe("quickstart", ["resources.training.gpus=8", "description=other", "name=other"])
    other = load_recipe("quickstart", ["training.learning_rate=1e-6"])

    assert moved.identity() == base.identity()
    assert other.identity() != base.identity()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("training.stepz=3", r"unknown key 'training\.stepz', did you mean 'steps'\?"),
        ("training.steps=0", r"training\.steps = 0 should be greater than or equal to 1"),
        ("training.batch_size=30", "batch_size 30 x gradient_accumulation_steps 1 is not a multiple"),
        ("rewards.length.p_max=0.9", "must be below weights.accuracy"),
        ("rewards.weights.accuracy=.nan", "rewards.weights.accuracy"),
        ("resources.training.memory=lots", "resources.training.memory = 'lots'"),
        ("policy.base.kind=huge", "policy.base"),
        ("curation.sources=[]", "curation.sources"),
        ("steps", "not of the form key=value"),
        ("seed.x=1", "'seed' is not a section"),
    ],
)
def test_wrong_setting_is_named(setting: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe("quickstart", [setting])


def test_unknown_recipe_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match=r"'quickstrat': neither a recipe of this project nor a file.*quickstart"):
        load_recipe("quickstrat")


@pytest.mark.parametrize(("text", "message"), [("a: [", "not YAML"), ("- 1", "holds list"), ("", "holds NoneType")])
def test_file_that_is_no_recipe_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)

    with pytest.raises(RecipeError, match=message):
        load_recipe(str(path))


def test_recipes_hold_values_only() -> None:
    assert {path.suffix for path in RECIPES.iterdir()} == {".yaml"}
