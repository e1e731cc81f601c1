"""Settings of the surrogate reward model."""

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from components.core.config import Config
from components.rewards.embedder import EmbedderConfig
from components.rewards.image_embedder import ImageEmbedderConfig
from components.surrogate.negatives import KINDS, TRAINED

HeadName = Literal["logistic", "boosting", "bradley_terry", "knn"]


class SurrogateConfig(Config):
    """How the surrogate is fitted."""

    embedder: EmbedderConfig = EmbedderConfig()
    """The frozen sentence embedding."""
    image_embedder: ImageEmbedderConfig | None = None
    """The frozen embedding of images and texts (CLIP, SigLIP) for answers about a picture; without one, texts are all
    that is looked at."""
    head: Literal["auto", "logistic", "boosting", "bradley_terry", "knn"] = "auto"
    """What turns features into a score; auto chooses by cross-validation divided by group."""
    max_examples: int = Field(default=300, ge=5)
    """Open-ended training examples of a dataset to fit on at most, the first ones."""
    neighbours: int = Field(default=15, ge=1)
    """Scored answers of the index that vote on an answer and tell how strange it is."""
    regularisation: float = Field(default=0.1, gt=0)
    """Inverse strength of the linear heads' L2 penalty (scikit-learn's C)."""
    folds: int = Field(default=5, ge=2)
    """Folds of the cross-validation, whose scores calibration and intervals are fitted on; divided by group."""
    negatives: tuple[str, ...] = TRAINED
    """Kinds of hard negatives that are made of each question and taught; the other kinds are kept out as an alarm.
    Empty teaches none."""
    rewordings: int = Field(default=4, ge=0)
    """Rewordings of a right answer that are made of each question and taught as right, at most."""
    calibration: Literal["auto", "isotonic", "platt"] = "auto"
    """Curve from raw to calibrated score; auto takes isotonic from 1,000 scored answers on."""
    coverage: Annotated[float, Field(gt=0.5, lt=1)] = 0.9
    """Share of answers whose true score lies in its interval."""
    min_confidence: Annotated[float, Field(ge=0.5, le=1)] = 0.55
    """The surrogate abstains where neither its score nor 1 minus it reaches this; 0.5 never abstains for it."""
    max_distance_quantile: Annotated[float, Field(gt=0, le=1)] = 0.995
    """The surrogate abstains on an answer farther from its nearest neighbours than this share of the scored answers
    are from theirs; 1 allows the farthest of them."""

    @field_validator("negatives")
    @classmethod
    def _known(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [kind for kind in kinds if kind not in KINDS]
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: no such kind; choose from {', '.join(KINDS)}")
        return kinds

    @model_serializer(mode="wrap")
    def _without_absent(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The settings of a surrogate of texts alone do not speak of images; KFP takes no null either."""
        values: dict[str, Any] = serialise(self)
        if values.get("image_embedder", ()) is None:
            del values["image_embedder"]
        return values
