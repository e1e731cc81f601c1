"""Recipes: everything that decides a run, in one typed, validated YAML file.

A recipe is the sum of the stages' configurations, a seed, and the resources of each step. Resources say
where a run happens; they are no part of any artifact's identity.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from components.core.config import Config, parse_config
from components.core.errors import RecipeError
from components.curation.config import CurationConfig
from components.evaluation.config import DecisionConfig, EvaluationConfig
from components.rewards.config import RewardsConfig
from components.surrogate.config import SurrogateConfig
from components.training.config import PolicySection, TrainingConfig

RECIPES = Path(__file__).parent / "recipes"
_QUANTITY = r"^[1-9]\d*(\.\d+)?(m|Ki|Mi|Gi|Ti|K|M|G|T)?$"


class StageResources(Config):
    """What a step asks the cluster for."""

    cpu: str = Field(default="500m", pattern=_QUANTITY)
    """Processors that the step is scheduled by (Kubernetes quantity)."""
    cpu_limit: str = Field(default="2", pattern=_QUANTITY)
    """Processors that the step may use."""
    memory: str = Field(default="2Gi", pattern=_QUANTITY)
    """Memory that the step is scheduled by (Kubernetes quantity)."""
    memory_limit: str = Field(default="4Gi", pattern=_QUANTITY)
    """Memory beyond which the step is killed."""
    threads: int = Field(default=1, ge=1, le=256)
    """Threads of the numerical libraries (OMP_NUM_THREADS); on a shared node 2 can be far slower than 1."""
    gpus: int = Field(default=0, ge=0, le=16)
    """GPUs of one node."""
    gpu_type: str = "nvidia.com/gpu"
    """Resource name of the GPU."""
    shared_memory: str = Field(default="16Gi", pattern=_QUANTITY)
    """Size of /dev/shm, mounted where gpus is above 0."""
    scratch_claim: str = Field(default="", pattern=r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$")
    """A persistent volume claim, mounted as scratch: a retry of a killed evaluation goes on where it was, and
    fitting and training find the embeddings of earlier runs."""


class Resources(Config):
    """Resources of every step, by stage."""

    curation: StageResources = StageResources()
    """Curating the sources."""
    measuring: StageResources = StageResources()
    """Asking the base policy about the training examples."""
    surrogate: StageResources = StageResources()
    """Fitting the surrogate."""
    warm_start: StageResources = StageResources()
    """Making the base policy."""
    training: StageResources = StageResources()
    """GRPO."""
    evaluation: StageResources = StageResources()
    """Generating and scoring held-out answers."""
    release: StageResources = StageResources(cpu="250m", cpu_limit="1", memory="1Gi")
    """Decision, registration, report and exit task."""


class Recipe(Config):
    """Everything that decides a run."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    """Names the run and the registered model."""
    description: str = ""
    """What the recipe is for."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Decides data, initial weights, order and sampling."""
    curation: CurationConfig
    """Data."""
    surrogate: SurrogateConfig = SurrogateConfig()
    """Surrogate reward model."""
    policy: PolicySection
    """Policy and warm start."""
    training: TrainingConfig = TrainingConfig()
    """GRPO."""
    rewards: RewardsConfig = RewardsConfig()
    """Portfolio of rewards."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """Evaluation on the held-out split."""
    decision: DecisionConfig = DecisionConfig()
    """Promotion."""
    resources: Resources = Resources()
    """What the steps ask the cluster for; no part of any artifact's identity."""

    def identity(self) -> dict[str, Any]:
        """The settings that decide a result: all but name, description, resources and the number of pods."""
        left_out: dict[str, Any] = dict.fromkeys(("name", "description", "resources"), True)
        # KFP's structs hold no null; where a key is missing, its default is null.
        return self.model_dump(mode="json", exclude={**left_out, "curation": {"pods"}}, exclude_none=True)


def load_recipe(name_or_path: str, settings: Sequence[str] = ()) -> Recipe:
    """Load a recipe.

    Args:
        name_or_path: A recipe of this project by name (quickstart), or the path of a YAML file.
        settings: Overrides of single values, each "dotted.key=value" with a YAML value.

    Raises:
        RecipeError: There is no such recipe, it is not YAML, or it has a wrong key, type or range.
    """
    return parse_config(Recipe, load_values(name_or_path, settings), f"recipe {_find(name_or_path).name}")


def load_values(name_or_path: str, settings: Sequence[str] = ()) -> dict[str, Any]:
    """The values of a recipe as they are written, with overrides and not validated; see `load_recipe`."""
    path = _find(name_or_path)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(str(path), f"not YAML ({' '.join(str(error).split())})", "Correct the file") from None
    if not isinstance(values, dict):
        raise RecipeError(str(path), f"holds {type(values).__name__}, not keys and values", "Write the recipe's keys")
    for setting in settings:
        _override(values, setting)
    return values


def recipe_names() -> list[str]:
    """The recipes that this project ships, by name."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def _find(name_or_path: str) -> Path:
    shipped = RECIPES / f"{name_or_path}.yaml"
    path = Path(name_or_path)
    if shipped.is_file():
        return shipped
    if path.is_file():
        return path
    raise RecipeError(
        f"recipe {name_or_path!r}",
        "neither a recipe of this project nor a file",
        f"Give one of {', '.join(recipe_names())}, or the path of a YAML file",
    )


def _override(values: dict[str, Any], setting: str) -> None:
    key, separator, value = setting.partition("=")
    if not separator or not key:
        raise RecipeError(f"setting {setting!r}", "not of the form key=value", "Write it as training.steps=40")
    *parents, last = key.split(".")
    section: Any = values
    for parent in parents:
        section = section.setdefault(parent, {})
        if not isinstance(section, dict):
            raise RecipeError(f"setting {setting!r}", f"{parent!r} is not a section", "Give the key of a single value")
    section[last] = yaml.safe_load(value)
