import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from transformers import CLIPImageProcessor, CLIPModel, PreTrainedTokenizerFast

from components.core.errors import ModelError
from components.rewards.image_embedder import ImageEmbedder, ImageEmbedderConfig
from tests.rewards.tiny_models import make_clip, make_transformer


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def embedder(clip: Path) -> ImageEmbedder:
    return ImageEmbedder(config(clip))


def config(folder: Path, **settings: object) -> ImageEmbedderConfig:
    return ImageEmbedderConfig.model_validate({"source": "folder", "model": str(folder), **settings})


def drawing(colour: str, kind: str = "PNG", size: tuple[int, int] = (48, 40), mode: str = "RGB") -> bytes:
    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).ellipse((5, 5, 30, 30), fill=colour)
    buffer = io.BytesIO()
    picture.convert(mode).save(buffer, format=kind)
    return buffer.getvalue()


def test_image_vectors_are_those_of_the_model(embedder: ImageEmbedder, clip: Path) -> None:
    images = [drawing("red"), drawing("blue", "JPEG"), drawing("green", size=(20, 90))]
    pictures = [Image.open(io.BytesIO(image)).convert("RGB") for image in images]
    pixels = CLIPImageProcessor.from_pretrained(str(clip))(images=pictures, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        model = CLIPModel.from_pretrained(str(clip)).eval()
        features = model.visual_projection(model.vision_model(pixels).pooler_output).numpy()
    expected = features / np.linalg.norm(features, axis=1, keepdims=True)

    vectors = embedder.embed(images)

    assert vectors.dtype == np.float32
    assert vectors.shape == (3, 16)
    np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_an_image_vector_does_not_depend_on_the_others(clip: Path, embedder: ImageEmbedder) -> None:
    images = [drawing(colour, mode=mode) for colour in ("red", "blue") for mode in ("RGB", "L", "RGBA", "P", "1")]
    alone = np.concatenate([ImageEmbedder(config(clip)).embed([image]) for image in images])

    np.testing.assert_array_equal(embedder.embed([*images, *images[::-1]]), [*alone, *alone[::-1]])
    assert embedder.embed([]).shape == (0, 16)


@pytest.mark.parametrize("damage", ["truncated", "text", "empty"])
def test_a_broken_image_is_refused_by_its_place(damage: str, embedder: ImageEmbedder) -> None:
    whole = drawing("red", "JPEG", size=(200, 200))
    broken = {"truncated": whole[: len(whole) // 2], "text": b"no image", "empty": b""}[damage]

    with pytest.raises(ValueError, match=r"image 1 of 2 \(from 0\) is damaged or no image"):
        embedder.embed([whole, broken])


def test_an_image_of_too_many_pixels_is_refused_by_its_place(clip: Path) -> None:
    small = ImageEmbedder(config(clip, max_pixels=1000))

    with pytest.raises(ValueError, match=r"image 0 of 1 \(from 0\) has 48x40 pixels, more than max_pixels = 1000"):
        small.embed([drawing("red")])


def test_image_vectors_are_kept_from_run_to_run(clip: Path, tmp_path: Path) -> None:
    expected = ImageEmbedder(config(clip), tmp_path).embed([drawing("red")])
    again = ImageEmbedder(config(clip), tmp_path)
    again._model = None

    np.testing.assert_array_equal(again.embed([drawing("red")]), expected)


def test_a_model_without_image_features_or_with_other_weights_is_refused(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not the expected 0000"):
        ImageEmbedder(config(clip, sha256="0" * 64))
    assert len(config(clip).resolved().sha256) == 64

    bert = make_transformer(tmp_path)
    (bert / "preprocessor_config.json").write_bytes((clip / "preprocessor_config.json").read_bytes())
    with pytest.raises(ModelError, match="a BertModel has no image features"):
        ImageEmbedder(config(bert))


def test_text_vectors_are_those_of_the_model_one_by_one(embedder: ImageEmbedder, clip: Path) -> None:
    texts = ["red", "A blue disc above a green one.", "red " * 200]
    tokenizer = PreTrainedTokenizerFast.from_pretrained(str(clip))
    with torch.inference_mode():
        model = CLIPModel.from_pretrained(str(clip)).eval()
        states = [
            model.text_model(tokenizer(text, truncation=True, max_length=16, return_tensors="pt")["input_ids"])
            for text in texts
        ]
        features = np.concatenate([model.text_projection(state.pooler_output).numpy() for state in states])
    expected = features / np.linalg.norm(features, axis=1, keepdims=True)

    vectors = embedder.embed_texts(texts)

    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    np.testing.assert_array_equal(
        np.concatenate([ImageEmbedder(config(clip)).embed_texts([text]) for text in texts]), vectors
    )


def test_a_blank_text_is_like_nothing_and_a_lone_surrogate_is_read(embedder: ImageEmbedder) -> None:
    blank, broken, other = embedder.embed_texts([" ", "red \ud800", "red ?"])

    assert not blank.any()
    np.testing.assert_array_equal(broken, other)
    assert embedder.embed_texts([]).shape == (0, 16)


def test_text_vectors_are_kept_from_run_to_run(clip: Path, tmp_path: Path) -> None:
    expected = ImageEmbedder(config(clip), tmp_path).embed_texts(["red", "blue"])
    again = ImageEmbedder(config(clip), tmp_path)
    again._model = None

    np.testing.assert_array_equal(again.embed_texts(["red", "blue"]), expected)


def test_a_model_without_a_tokeniser_is_refused_where_a_text_is_asked_for(clip: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(clip, tmp_path / "clip")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()

    with pytest.raises(ModelError, match="its tokeniser cannot be loaded"):
        ImageEmbedder(config(folder)).embed_texts(["red"])
