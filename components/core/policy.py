"""A policy on disk: a Hugging Face model folder, or a hub model by reference, and how to ask it.

`policy.json` beside the weights holds what a model folder does not: the prompt template and the length
a completion may have. Warm start, training and evaluation all ask through `conversation`, so that they
ask alike.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, ProcessorMixin

POLICY_FILE = "policy.json"


@dataclass(frozen=True)
class Policy:
    """What has to be known to ask a model."""

    prompt_template: str
    max_completion_length: int
    """Tokens."""
    max_pixels: int
    """Larger images are scaled down to this many pixels."""
    model: str = ""
    """Hub id, where the weights are not in the folder itself."""
    revision: str = ""
    """Commit of the hub model."""
    dtype: str = "float32"

    def prompt(self, question: str) -> str:
        """The user's message for a question."""
        return self.prompt_template.replace("{question}", question)

    def conversation(self, question: str, num_images: int) -> list[dict[str, Any]]:
        """The chat that asks a question about images, in the processors' block form."""
        blocks: list[dict[str, Any]] = [{"type": "image"} for _ in range(num_images)]
        return [{"role": "user", "content": [*blocks, {"type": "text", "text": self.prompt(question)}]}]

    def save(self, folder: Path) -> None:
        """Write policy.json into the model folder."""
        text = json.dumps(asdict(self), indent=2, sort_keys=True, ensure_ascii=False)
        (folder / POLICY_FILE).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Policy":
        """Read policy.json.

        Raises:
            ModelError: There is none in the folder.
        """
        try:
            values = json.loads((folder / POLICY_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ModelError(
                str(folder), f"no {POLICY_FILE} in the folder", "Give a policy artifact of this project"
            ) from None
        return cls(**values)


def load_model(folder: Path, policy: Policy) -> "PreTrainedModel":
    """Load a policy's weights from its folder, or from the hub at the recorded commit.

    Raises:
        ModelError: The weights cannot be read.
    """
    import torch
    from transformers import AutoModelForImageTextToText

    try:
        return AutoModelForImageTextToText.from_pretrained(
            policy.model or str(folder), revision=policy.revision or None, dtype=getattr(torch, policy.dtype)
        )
    except (OSError, ValueError) as error:
        raise _unreadable(folder, policy, error) from error


def load_processor(folder: Path, policy: Policy) -> "ProcessorMixin":
    """Load a policy's processor from its folder, or from the hub at the recorded commit.

    Raises:
        ModelError: The processor cannot be read.
    """
    from transformers import AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(policy.model or str(folder), revision=policy.revision or None)
    except (OSError, ValueError) as error:
        raise _unreadable(folder, policy, error) from error
    processor.image_processor.size["longest_edge"] = policy.max_pixels
    processor.tokenizer.padding_side = "left"
    return processor


def _unreadable(folder: Path, policy: Policy, error: Exception) -> ModelError:
    where = f"{policy.model}@{policy.revision}" if policy.model else str(folder)
    first_line = str(error).splitlines()[0]
    return ModelError(
        where, f"the model cannot be loaded ({first_line})", "Check the id, the revision and the access to it"
    )
