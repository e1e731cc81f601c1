"""A surrogate that looks at pictures, on questions whose texts alone tell nothing: fitting, scoring, the commands."""

import io
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from components.core.errors import ArtifactError, ModelError, SourceError
from components.core.example import AnswerType, Example, Task
from components.rewards import surrogate as surrogate_module
from components.rewards.answer_features import NAMES
from components.rewards.image_features import IMAGE_NAMES
from components.rewards.surrogate import SurrogateScorer
from components.surrogate import fit as fit_module
from components.surrogate.config import SurrogateConfig
from components.surrogate.fit import fit_rows
from components.surrogate.measure import estimate_rows, measure
from components.surrogate.ordering import auc
from components.surrogate.rows import AnswerRow
from components.surrogate.scored_answers import answer_rows
from pipelines.cli import app
from tests.rewards.tiny_models import COLOURS, disc, make_clip, teach_colours
from tests.surrogate.stub import StubEmbedder
from tests.surrogate.tiny import WordEmbedder

_PLAIN = {"head": "logistic", "folds": 3, "negatives": [], "rewordings": 0}


@pytest.fixture(autouse=True)
def _stub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit_module, "Embedder", StubEmbedder)
    monkeypatch.setattr(surrogate_module, "Embedder", StubEmbedder)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return teach_colours(make_clip(tmp_path_factory.mktemp("clip") / "model"))


@pytest.fixture(scope="module")
def fitted(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fitted") / "surrogate"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit_module, "Embedder", StubEmbedder)
        fit_rows(rows(range(12)), folder, settings(clip), seed=0)
    return folder


def settings(clip: Path | None, **others: object) -> SurrogateConfig:
    images = None if clip is None else {"source": "folder", "model": str(clip)}
    return SurrogateConfig.model_validate({**_PLAIN, "image_embedder": images, **others})


def rows(numbers: Sequence[int]) -> list[AnswerRow]:
    """To each picture the right colour and a wrong one, each colour right as often as wrong."""
    found = []
    for number in numbers:
        for place, colour in enumerate(COLOURS):
            other = COLOURS[(place + 1 + number % (len(COLOURS) - 1)) % len(COLOURS)]
            for answer, score in ((colour, 1.0), (other, 0.0)):
                found.append(
                    AnswerRow(
                        question="Which colour has the disc?",
                        references=("It is named as the picture shows it.",),
                        answer=f"The disc is {answer}.",
                        score=score,
                        group=f"{number} {colour}",
                        image=disc(colour, number),
                    )
                )
    return found


def area(folder: Path, on: Sequence[AnswerRow]) -> float:
    found = auc(on, [estimate.score for estimate in estimate_rows(SurrogateScorer.load(folder), on)])
    assert found is not None
    return found


def test_where_only_the_picture_tells_right_from_wrong_looking_at_it_pays(fitted: Path, tmp_path: Path) -> None:
    held = rows(range(100, 105))
    fit_rows(rows(range(12)), tmp_path / "texts", settings(None), seed=0)

    assert area(tmp_path / "texts", held) < 0.6
    assert area(fitted, held) > 0.95
    assert area(fitted, [replace(row, image=None) for row in held]) < 0.6


def test_the_same_question_about_two_pictures_is_two_questions(fitted: Path) -> None:
    together = [replace(row, group="all") for row in rows([200, 201])]

    found = measure(SurrogateScorer.load(fitted), together, embedder=WordEmbedder())

    assert found.questions == 2 * len(COLOURS)
    assert found.figures["pairwise_accuracy"].value > 0.9
    assert not any("no score can be right about both" in note for note in found.notes)


def test_boosting_takes_the_pictures_features(clip: Path, tmp_path: Path) -> None:
    fit_rows(rows(range(12)), tmp_path / "trees", settings(clip, head="boosting"), seed=0)

    assert area(tmp_path / "trees", rows(range(100, 105))) > 0.95


def test_the_same_rows_and_seed_give_the_same_fingerprint(clip: Path, fitted: Path, tmp_path: Path) -> None:
    again = fit_rows(rows(range(12)), tmp_path / "again", settings(clip), seed=0).manifest

    assert again.fingerprint == json.loads((fitted / "manifest.json").read_text())["fingerprint"]


def test_bytes_files_and_pictures_are_the_same_in_a_batch_and_one_by_one(fitted: Path, tmp_path: Path) -> None:
    some = rows([300])
    texts = [row.question for row in some], [row.answer for row in some], [row.references for row in some]
    contents = [row.image for row in some]
    files = [tmp_path / f"{place}.png" for place in range(len(some))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    scorer = SurrogateScorer.load(fitted)

    batch = scorer.score(*texts, images=contents)

    opened = [Image.open(io.BytesIO(content)) for content in contents]
    assert scorer.score(*texts, images=files) == scorer.score(*texts, images=opened) == batch
    for place, score in enumerate(batch):
        alone = SurrogateScorer.load(fitted).score(*([column[place]] for column in texts), images=[contents[place]])
        assert alone == [score]


def test_an_answer_without_a_picture_is_scored_as_one_whose_picture_is_missing(fitted: Path) -> None:
    some = rows([300])[:4]
    texts = [row.question for row in some], [row.answer for row in some], [row.references for row in some]
    scorer = SurrogateScorer.load(fitted)

    assert scorer.estimate(*texts) == scorer.estimate(*texts, images=[None] * 4)
    assert scorer.estimate(*texts) != scorer.estimate(*texts, images=[row.image for row in some])


def test_a_surrogate_of_texts_takes_no_pictures(tmp_path: Path) -> None:
    fit_rows(rows(range(12)), tmp_path / "texts", settings(None), seed=0)
    scorer = SurrogateScorer.load(tmp_path / "texts")

    assert not scorer.wants_images
    with pytest.raises(ValueError, match="fitted without an image embedder"):
        scorer.score(["q"], ["a"], [["r"]], images=[disc("red", 0)])


def test_a_surrogate_of_texts_is_what_it_was_before_there_were_pictures(tmp_path: Path) -> None:
    manifest = fit_rows(
        [replace(row, image=None) for row in rows(range(6))], tmp_path / "a", settings(None), 0
    ).manifest
    written = json.loads((tmp_path / "a" / "surrogate.json").read_text())

    assert written["features"] == list(NAMES)
    assert "image_embedder" not in written
    assert "image_embedder" not in manifest.identity["surrogate"]


def test_the_image_embedder_is_written_down_and_another_is_refused(fitted: Path, clip: Path, tmp_path: Path) -> None:
    written = json.loads((fitted / "surrogate.json").read_text())
    assert written["features"] == [*NAMES, *IMAGE_NAMES]
    assert len(written["image_embedder"]["sha256"]) == 64

    shutil.copytree(fitted, tmp_path / "copy")
    (tmp_path / "copy" / "manifest.json").unlink()
    other = make_clip(tmp_path / "other")
    written["image_embedder"]["model"] = str(other)
    (tmp_path / "copy" / "surrogate.json").write_text(json.dumps(written))
    with pytest.raises(ModelError, match="is not the expected"):
        SurrogateScorer.load(tmp_path / "copy")

    del written["image_embedder"]
    (tmp_path / "copy" / "surrogate.json").write_text(json.dumps(written))
    with pytest.raises(ArtifactError, match="other features"):
        SurrogateScorer.load(tmp_path / "copy")


def test_a_damaged_picture_is_refused_by_its_answer(fitted: Path) -> None:
    with pytest.raises(ValueError, match=r"the answer 'a disc': image .* is damaged or no image"):
        SurrogateScorer.load(fitted).score(["q"], ["a disc"], [["r"]], images=[b"no picture"])


def test_a_second_fit_finds_pictures_and_features_of_the_first(
    clip: Path, fitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARMO_SCRATCH", str(tmp_path / "scratch"))
    first, second = (fit_rows(rows(range(12)), tmp_path / name, settings(clip), seed=0) for name in ("a", "b"))

    assert second.cache["computed"] == 0 < first.cache["computed"]
    assert first.manifest.fingerprint == second.manifest.fingerprint
    names = {path.name.rpartition("-")[0] for path in (tmp_path / "scratch" / "embeddings").glob("*.sqlite")}
    assert names == {"features", "image", "image-text"}  # the stub of texts has no file


def test_examples_lend_their_picture_where_there_is_one_and_somebody_looks() -> None:
    one = Example(
        id="1", images=(disc("red", 0),), question="Which?", references=("r",), answer_type=AnswerType.OPEN_ENDED,
        task=Task.GENERAL, verifiable=False,
    )  # fmt: skip
    examples = [one, replace(one, images=(disc("red", 0), disc("blue", 0)))]

    seen = {row.group: row.image for row in answer_rows(examples, seed=0, with_images=True)}

    assert seen == {"0": disc("red", 0), "1": None}
    assert {row.image for row in answer_rows(examples, seed=0)} == {None}


def write(on: Sequence[AnswerRow], folder: Path) -> Path:
    (folder / "pictures").mkdir()
    lines = []
    for place, row in enumerate(on):
        name = f"pictures/{place // 2}.png"
        (folder / name).write_bytes(row.image)
        lines.append(
            {"question": row.question, "references": list(row.references), "answer": row.answer, "image": name}
        )
        lines[-1]["label"] = int(row.score)
    (folder / "data.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "data.jsonl"


def command(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["surrogate", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0
    return result.stdout


def test_the_commands_read_pictures_from_beside_the_file(fitted: Path, clip: Path, tmp_path: Path) -> None:
    data = write(rows(range(12)), tmp_path)
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps(settings(clip).model_dump(mode="json")))

    command("fit", data, "--output", tmp_path / "own", "--config", config)
    right, wrong = (json.loads(line)["score"] for line in command("score", tmp_path / "own", data).splitlines()[:2])
    command("eval", tmp_path / "own", data, "--output", tmp_path / "report")

    assert right > wrong + 0.3
    measured = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert measured["questions"] == 12 * len(COLOURS)


@pytest.mark.parametrize(
    ("image", "problem"),
    [("missing.png", "cannot be read"), ("text.png", "is damaged or no image"), (7, "give the path of a file")],
)
def test_a_line_whose_picture_is_none_is_a_bad_line_and_leaves_the_others(
    image: object, problem: str, fitted: Path, clip: Path, tmp_path: Path
) -> None:
    data = write(rows([0])[:2], tmp_path)
    (tmp_path / "text.png").write_text("no picture")
    first = json.loads(data.read_text().splitlines()[0])
    data.write_text(data.read_text() + json.dumps({**first, "image": image}) + "\n")

    with pytest.raises(SourceError, match=rf"line 3: image .*{problem}"):
        command("score", fitted, data, "--output", tmp_path / "scores.jsonl")
    scores = [json.loads(line)["score"] for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    assert [score is None for score in scores] == [False, False, True]
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps(settings(clip).model_dump(mode="json")))
    with pytest.raises(SourceError, match=rf"image .*{problem}"):
        command("fit", data, "--output", tmp_path / "own", "--config", config)


def test_pictures_make_features_of_their_own_and_leave_the_others_as_they_were(clip: Path) -> None:
    from components.rewards.feature_reader import FeatureReader
    from components.rewards.image_embedder import ImageEmbedder

    embedder = ImageEmbedder(settings(clip).image_embedder)
    some = [*rows([0])[:3], replace(rows([0])[3], image=None, question="")]
    texts = [row.question for row in some], [row.answer for row in some], [row.references for row in some]

    found = FeatureReader(StubEmbedder(), embedder).read(*texts, images=[row.image for row in some])

    np.testing.assert_array_equal(found[:, : len(NAMES)], FeatureReader(StubEmbedder()).read(*texts))
    (picture,) = embedder.embed([some[0].image])
    answer, reference, question = (
        embedder.embed_texts([some[0].answer, *some[0].references, some[0].question]) @ picture
    )
    expected = [answer, reference, question, answer - reference, answer - question, 0]
    np.testing.assert_allclose(found[0, len(NAMES) :], expected, atol=1e-6)
    assert found[3, len(NAMES) :].tolist() == [0, 0, 0, 0, 0, 1]
