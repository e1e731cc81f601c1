"""Frozen text models: tokens of texts, and vectors of windows of tokens that do not depend on what else is embedded.

A processor's kernel for a product of matrices may add in another order for another number of rows, and padding brings
another attention kernel. So a batch holds windows of exactly equal length, without padding, and never few rows.
That this makes the vectors equal bit for bit is not taken on trust: it is tried at load, and where it fails every
window is computed by itself.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from components.rewards.precision import Precision, computing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TOKENS_A_BATCH = 1024
"""Enough for the fastest kernels, few enough for the second-level cache."""
_FEWEST_ROWS = 16
"""Products of fewer rows have kernels of their own (MKL: below 4)."""

_log = logging.getLogger(__name__)


class TextModel(Protocol):
    """What the embedder needs of a model."""

    window: int | None
    """Tokens of a text that fit at once, special ones not counted; None: any number."""
    width: int
    """Of its vectors."""

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of texts, uncut, without special ones."""

    def vectors(self, windows: Sequence[Sequence[int]]) -> "NDArray[np.float32]":
        """Vectors of windows, shape (N, width), not normalised; each depends on its own window only."""

    def states(self, windows: Sequence[Sequence[int]]) -> "list[States]":
        """Vectors of windows and of their tokens, by one pass; each depends on its own window only."""

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The texts of tokens."""


class States(NamedTuple):
    """What a model makes of a window of T tokens."""

    vector: "NDArray[np.float32]"
    """Of the window, shape (width,), the same as `vectors` gives."""
    tokens: "NDArray[np.float32]"
    """Of each token in its context, without special ones, shape (T, width), not normalised."""


class TransformerModel:
    """A sentence-transformers model.

    Args:
        folder: Its files.
        precision: Of the products of matrices.
        window_tokens: Tokens of a window at most, special ones counted; less where the model reads less.
    """

    def __init__(self, folder: Path, precision: Precision, window_tokens: int) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        # On the processor even where there is a GPU: its scores are the same everywhere, and the policy needs the GPU.
        self._model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32}).eval()
        self._precision = precision
        if precision == "bfloat16":
            for module in self._model.modules():
                if isinstance(module, torch.nn.Linear):
                    module.to(torch.bfloat16)
        self._tokenizer = self._model.tokenizer
        self._before, self._after = _special_ids(self._tokenizer)
        special = len(self._before) + len(self._after)
        self.window: int | None = min(window_tokens, self._model.max_seq_length or window_tokens) - special
        self._together = True
        self.width = self.vectors([[0]]).shape[1]
        self._together = self._agrees_alone_and_together()
        if not self._together:
            _log.warning("%s: vectors differ between batches here, so every window is embedded by itself", folder)

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of texts, uncut, without special ones."""
        # A lone surrogate, which JSON can carry, is no Unicode text: the tokeniser sees a question mark.
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        ids = self._tokenizer(
            clean,
            add_special_tokens=False,
            truncation=False,
            verbose=False,
            return_attention_mask=False,
            return_token_type_ids=False,
        )["input_ids"]
        return list(ids)

    def vectors(self, windows: Sequence[Sequence[int]]) -> "NDArray[np.float32]":
        """Vectors of windows, shape (N, width), not normalised; each depends on its own window only."""
        import numpy as np

        return np.stack([vector for vector, _ in self._pass(windows, tokens=False)])

    def states(self, windows: Sequence[Sequence[int]]) -> list[States]:
        """Vectors of windows and of their tokens, by one pass; each depends on its own window only."""
        return self._pass(windows, tokens=True)

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The texts of tokens."""
        return list(self._tokenizer.convert_ids_to_tokens(list(ids)))

    def _pass(self, windows: Sequence[Sequence[int]], tokens: bool) -> list[States]:
        by_length: dict[int, list[int]] = defaultdict(list)
        for place, window in enumerate(windows):
            by_length[len(window)].append(place)
        found: dict[int, States] = {}
        with computing(self._precision):
            for length, places in by_length.items():
                size = max(1, _TOKENS_A_BATCH // self._full_length(length)) if self._together else 1
                for start in range(0, len(places), size):
                    batch = places[start : start + size]
                    found.update(zip(batch, self._forward([windows[place] for place in batch], tokens), strict=True))
        return [found[place] for place in range(len(windows))]

    def _full_length(self, length: int) -> int:
        return len(self._before) + length + len(self._after)

    def _forward(self, windows: Sequence[Sequence[int]], tokens: bool) -> list[States]:
        import numpy as np
        import torch

        length = self._full_length(len(windows[0]))
        copies = max(0, -(-_FEWEST_ROWS // length) - len(windows))
        rows = [[*self._before, *window, *self._after] for window in (*windows, *[windows[0]] * copies)]
        ids = torch.tensor(rows)
        features: dict[str, Any] = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if "token_type_ids" in self._tokenizer.model_input_names:
            features["token_type_ids"] = torch.zeros_like(ids)
        output = self._model(features)
        vectors = output["sentence_embedding"][: len(windows)].to(torch.float32).numpy()
        if not tokens:
            return [States(vector, np.empty((0, 0), dtype=np.float32)) for vector in vectors]
        end = length - len(self._after)
        states = output["token_embeddings"][: len(windows), len(self._before) : end].to(torch.float32).numpy()
        return [States(vector, own.copy()) for vector, own in zip(vectors, states, strict=True)]

    def _agrees_alone_and_together(self) -> bool:
        import numpy as np

        kinds = min(1000, len(self._tokenizer))
        for length in (1, 9, 40):
            windows = [[(7 + 31 * place + 13 * text) % kinds for place in range(length)] for text in range(5)]
            if not np.array_equal(self.vectors(windows), np.concatenate([self.vectors([each]) for each in windows])):
                return False
        return True


def _special_ids(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The special tokens that the model expects before and after a text."""
    full, bare = tokenizer("a")["input_ids"], tokenizer("a", add_special_tokens=False)["input_ids"]
    start = next(start for start in range(len(full)) if full[start : start + len(bare)] == bare)
    return list(full[:start]), list(full[start + len(bare) :])


class StaticModel:
    """A table with a vector a token, whose mean is the text's: model2vec's format, or sentence-transformers'.

    Args:
        folder: Holds model.safetensors and tokenizer.json.
    """

    window: int | None = None

    def __init__(self, folder: Path) -> None:
        import numpy as np
        import torch
        from sentence_transformers.sentence_transformer.modules import StaticEmbedding

        static = StaticEmbedding.load(str(folder))
        self._table: NDArray[np.float32] = static.embedding.weight.detach().to(torch.float32).numpy()
        self._tokenizer = static.tokenizer
        self._tokenizer.no_truncation()
        self.width = self._table.shape[1]

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of texts, uncut, without special ones."""
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        return [encoding.ids for encoding in self._tokenizer.encode_batch(clean, add_special_tokens=False)]

    def vectors(self, windows: Sequence[Sequence[int]]) -> "NDArray[np.float32]":
        """Means of the tokens' vectors, shape (N, width)."""
        import numpy as np

        means = np.empty((len(windows), self.width), dtype=np.float32)
        for place, window in enumerate(windows):
            ids, counts = np.unique(np.asarray(window), return_counts=True)  # a long text has few kinds of tokens
            means[place] = counts @ self._table[ids].astype(np.float64) / len(window)
        return means

    def states(self, windows: Sequence[Sequence[int]]) -> list[States]:
        """Vectors of windows and of their tokens, which have no context here."""
        import numpy as np

        tokens = [self._table[np.asarray(window, dtype=np.int64)] for window in windows]
        return [States(vector, own) for vector, own in zip(self.vectors(windows), tokens, strict=True)]

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The texts of tokens."""
        return [str(self._tokenizer.id_to_token(id_)) for id_ in ids]
