"""The surrogate reward model at work: an answer and its references to a score in [0, 1], with its confidence.

Features of the texts (answer_features), a head that components/surrogate chose (answer_heads), a calibration with
conformal intervals (calibration), an index of scored answers that says how strange an answer is and what it resembles
(answer_index), and rules for what no head need learn (answer_gate). The paper scores open-ended answers by an
embedding-based surrogate; its features, index and calibration are not public, so these are our choice.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.artifact import MANIFEST, verify
from components.core.errors import ArtifactError, ModelError
from components.rewards.answer_features import NAMES
from components.rewards.answer_gate import Ruling, rule_on
from components.rewards.answer_heads import Head, load_head
from components.rewards.answer_index import AnswerIndex, IndexedAnswer, read_index
from components.rewards.calibration import Calibration
from components.rewards.embedder import Embedder, EmbedderConfig
from components.rewards.estimate import Estimate, Neighbour
from components.rewards.feature_reader import FeatureReader
from components.rewards.image_embedder import ImageEmbedder, ImageEmbedderConfig
from components.rewards.image_features import IMAGE_NAMES
from components.rewards.picture import Picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TENSORS = "surrogate.safetensors"
SETTINGS = "surrogate.json"
FORMAT = 2
"""Of the artifact's files; 1 was the logistic head of the first version."""
_CHUNK = 512  # answers that are judged at a time


@dataclass(frozen=True)
class Model:
    """What fitting found."""

    head: Head
    calibration: Calibration
    index: AnswerIndex
    far: float
    """Mean distance to the nearest neighbours beyond which an answer is unlike all that was seen."""
    neighbours: int
    """How many neighbours are asked for the distance and the vote."""
    min_confidence: float
    """0.5..1: an answer whose score and its complement are both below this is left undecided."""


class SurrogateScorer:
    """Scores open-ended answers against references.

    Args:
        model: What fitting found; None where the dataset had nothing open-ended.
        reader: Makes the features of answers; None likewise.
        answers: The texts of the index's points, or the folder that they are read from when they are asked for.
    """

    def __init__(
        self, model: Model | None, reader: FeatureReader | None, answers: Sequence[IndexedAnswer] | Path = ()
    ) -> None:
        self._model = model
        self._reader = reader
        self._answers = answers

    @classmethod
    def load(cls, folder: Path, cache: Path | None = None) -> "SurrogateScorer":
        """Load a surrogate artifact, every byte of it checked where it is sealed.

        Args:
            folder: The artifact.
            cache: Folder where embeddings and features are kept from run to run, on a local disk; None: in memory only.

        Raises:
            ArtifactError: The folder holds no surrogate, one of another version, or a byte has changed.
            ModelError: The embedding model is missing or is not the one the surrogate was fitted on.
        """
        from safetensors.numpy import load_file

        if (folder / MANIFEST).is_file():
            verify(folder, "surrogate")
        settings = _read_settings(folder)
        if not settings["fitted"]:
            return cls(None, None)
        try:
            tensors = load_file(str(folder / TENSORS))
            model = read_model(settings, tensors)
        except (OSError, KeyError, ValueError) as error:
            raise ArtifactError(
                str(folder), f"its tensors cannot be read ({error})", "Fit the surrogate again"
            ) from None
        return cls(model, _reader_of(settings, cache), folder)

    @property
    def wants_images(self) -> bool:
        """Whether it was fitted to look at the pictures that answers are about."""
        return self.image_embedder is not None

    @property
    def image_embedder(self) -> ImageEmbedderConfig | None:
        """How it looks at pictures; None where it does not."""
        images = None if self._reader is None else self._reader.images
        return None if images is None else images.config

    def score(
        self,
        questions: Sequence[str],
        answers: Sequence[str],
        references: Sequence[Sequence[str]],
        images: Sequence[Picture | None] | None = None,
    ) -> list[float | None]:
        """Score answers.

        Args:
            questions: N questions, "" where there is none.
            answers: N answers.
            references: N lists of references, none empty.
            images: N pictures, None where there is none; only for a surrogate that `wants_images`.

        Returns:
            N scores in [0, 1], None where the surrogate abstains.

        Raises:
            ModelError: The surrogate was fitted on a dataset without open-ended examples.
            ValueError: See `estimate`.
        """
        estimates = self.estimate(questions, answers, references, images=images)
        return [None if found.abstains else found.score for found in estimates]

    def estimate(
        self,
        questions: Sequence[str],
        answers: Sequence[str],
        references: Sequence[Sequence[str]],
        neighbours: int = 0,
        images: Sequence[Picture | None] | None = None,
    ) -> list[Estimate]:
        """What the surrogate says of answers, and how sure it is.

        Args:
            questions: N questions, "" where there is none.
            answers: N answers.
            references: N lists of references, none empty.
            neighbours: How many of the nearest scored answers to show with each.
            images: N pictures, None where there is none; only for a surrogate that `wants_images`.

        Raises:
            ModelError: The surrogate was fitted on a dataset without open-ended examples.
            ValueError: An answer has no reference, the lists differ in length, an image is damaged, or images are given
                to a surrogate that does not look at any.
        """
        if self._model is None or self._reader is None:
            raise ModelError(
                "the surrogate",
                "it was fitted on a dataset without open-ended examples and cannot score one",
                "Fit it on a dataset that has open-ended examples with references",
            )
        if images is not None and not self.wants_images:
            raise ValueError("the surrogate was fitted without an image embedder: leave images out")
        pictures = [None] * len(answers) if images is None else images
        rows = list(zip(questions, answers, references, pictures, strict=True))
        for place, (_, _, texts, _) in enumerate(rows):
            if not texts:
                raise ValueError(f"references[{place}] is empty: give at least one accepted answer")
        found: list[Estimate] = []
        for start in range(0, len(rows), _CHUNK):
            some, texts, accepted, seen = zip(*rows[start : start + _CHUNK], strict=True)
            features = self._reader.read(some, texts, accepted, seen if self.wants_images else None)
            rulings = [rule_on(text, given) for text, given in zip(texts, accepted, strict=True)]
            found += judge(self._model, features, rulings, neighbours, self._texts() if neighbours else ())
        return found

    def _texts(self) -> Sequence[IndexedAnswer]:
        if isinstance(self._answers, Path):
            self._answers = read_index(self._answers)
        return self._answers


def judge(
    model: Model,
    features: "NDArray[np.float32]",
    rulings: Sequence[Ruling],
    neighbours: int = 0,
    texts: Sequence[IndexedAnswer] = (),
) -> list[Estimate]:
    """Estimates of answers whose features are known.

    Args:
        model: What fitting found.
        features: Shape (N, F).
        rulings: What the rules say, shape (N,).
        neighbours: How many neighbours to show.
        texts: Of the index's points, needed for that.
    """
    import numpy as np

    scores = model.calibration.scores(model.head.raw(features))
    scores = np.clip(scores, [ruling.least for ruling in rulings], [ruling.most for ruling in rulings])
    low, high = model.calibration.intervals(scores)
    distances, places = model.index.nearest(features, max(model.neighbours, neighbours))
    far = distances[:, : model.neighbours].mean(axis=1)
    return [
        Estimate(
            score=float(scores[row]),
            low=float(scores[row] if ruling.decides else low[row]),
            high=float(scores[row] if ruling.decides else high[row]),
            abstains="" if ruling.decides else _doubt(model, float(scores[row]), float(far[row])),
            neighbours=tuple(
                Neighbour(**texts[place].__dict__, distance=float(distance))
                for place, distance in zip(places[row, :neighbours], distances[row, :neighbours], strict=True)
            ),
            flags=ruling.flags,
        )
        for row, ruling in enumerate(rulings)
    ]


def _doubt(model: Model, score: float, far: float) -> str:
    """Why the score is not stood by; "" where it is."""
    if far > model.far:
        return f"unlike all scored answers: {far:.2f} away from the nearest, where {model.far:.2f} is usual at most"
    confidence = max(score, 1 - score)
    if confidence < model.min_confidence:
        return f"unsure: confidence {confidence:.2f} is below {model.min_confidence:.2f}"
    return ""


def read_model(settings: dict[str, Any], tensors: "dict[str, NDArray[np.generic]]") -> Model:
    """The model of an artifact's settings and tensors.

    Raises:
        KeyError: Something is missing.
    """
    import numpy as np

    index = AnswerIndex(
        centre=np.asarray(tensors["index.centre"], dtype=np.float32),
        spread=np.asarray(tensors["index.spread"], dtype=np.float32),
        points=np.asarray(tensors["index.points"]).astype(np.float32),
        scores=np.asarray(tensors["index.scores"], dtype=np.float32),
    )
    return Model(
        head=load_head(settings["head"], tensors, index, settings["neighbours"]),
        calibration=Calibration(
            **{
                key: np.asarray(tensors[f"calibration.{key}"], dtype=np.float64)
                for key in ("raw", "share", "edges", "radius")
            }
        ),
        index=index,
        far=float(settings["far"]),
        neighbours=int(settings["neighbours"]),
        min_confidence=float(settings["min_confidence"]),
    )


def model_tensors(model: Model) -> "dict[str, NDArray[np.generic]]":
    """What `read_model` needs, as a file holds it."""
    import numpy as np

    tensors = {
        **model.head.tensors(),
        **{f"calibration.{key}": value for key, value in model.calibration.__dict__.items()},
        "index.centre": model.index.centre,
        "index.spread": model.index.spread,
        "index.points": model.index.points.astype(np.float16),
        "index.scores": model.index.scores,
    }
    return {name: np.ascontiguousarray(value) for name, value in tensors.items()}


def _reader_of(settings: dict[str, Any], cache: Path | None) -> FeatureReader:
    """What makes the features that a surrogate was fitted on.

    Raises:
        ModelError: An embedding model is missing or is not the one the surrogate was fitted on.
    """
    images = settings.get("image_embedder")
    return FeatureReader(
        Embedder(EmbedderConfig(**settings["embedder"]), cache),
        None if images is None else ImageEmbedder(ImageEmbedderConfig(**images), cache),
        cache,
    )


def _read_settings(folder: Path) -> dict[str, Any]:
    path = folder / SETTINGS
    if not path.is_file():
        raise ArtifactError(str(folder), f"no {SETTINGS}", "Give the folder of a surrogate artifact")
    try:
        settings: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ArtifactError(str(path), f"not readable as JSON ({error})", "Fit the surrogate again") from None
    if settings.get("format") != FORMAT:
        raise ArtifactError(
            str(path), f"format {settings.get('format')!r}, this code reads {FORMAT}", "Fit the surrogate again"
        )
    names = [*NAMES, *(IMAGE_NAMES if settings.get("image_embedder") else ())]
    if settings["fitted"] and settings["features"] != names:
        raise ArtifactError(
            str(path), "it was fitted on other features than this code makes", "Fit the surrogate again"
        )
    return settings


def ngram_f1(answer: str, reference: str, n: int) -> float:
    """F1 of the multisets of word n-grams, in [0, 1]; 0 where either has none."""
    found, wanted = _ngrams(answer, n), _ngrams(reference, n)
    shared = (found & wanted).total()
    return 2 * shared / (found.total() + wanted.total()) if shared else 0.0


def _ngrams(text: str, n: int) -> Counter[tuple[str, ...]]:
    words = text.casefold().split()
    return Counter(zip(*(words[start:] for start in range(n)), strict=False))
