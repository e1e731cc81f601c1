"""Greedy answers of a policy to held-out examples, with lm-eval's hf-multimodal as the runner.

Around what lm-eval 0.4.13 does: one call a family, since a call that mixes images and text fails; the chat
template always on; and `gc.freeze`, since lm-eval collects garbage after every batch.
"""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core.example import Example
from components.core.policy import Policy, load_processor
from components.evaluation.config import EvaluationConfig

TASK_VERSION = 1.0


@dataclass(frozen=True)
class Answer:
    """A policy's completion for one example."""

    completion: str
    length_tokens: int


class Generator:
    """A policy ready to answer.

    Args:
        folder: A policy artifact that has been verified.
        config: Batch size.
    """

    def __init__(self, folder: Path, config: EvaluationConfig) -> None:
        import torch
        from lm_eval.models.hf_vlms import HFMultimodalLM

        self._policy = Policy.load(folder)
        self._tokenizer = load_processor(folder, self._policy).tokenizer
        self._batch_size = config.batch_size
        self._model = HFMultimodalLM(
            pretrained=self._policy.model or str(folder),
            revision=self._policy.revision or "main",
            dtype=self._policy.dtype,
            max_pixels=self._policy.max_pixels,
            batch_size=config.batch_size,
            device="cuda" if torch.cuda.is_available() else "cpu",
        )

    @property
    def max_completion_length(self) -> int:
        """Tokens at which a completion is cut."""
        return self._policy.max_completion_length

    def answer(self, name: str, examples: Sequence[Example]) -> list[Answer]:
        """Answer examples greedily.

        Args:
            name: What the set is called in lm-eval's output.
            examples: N examples with images.

        Returns:
            N answers, in order.
        """
        import lm_eval
        from lm_eval.tasks import TaskManager

        gc.collect()
        gc.freeze()
        results = lm_eval.simple_evaluate(
            model=self._model,
            tasks=[self._task(name, examples)],
            task_manager=TaskManager(include_defaults=False),
            apply_chat_template=True,
            log_samples=True,
            bootstrap_iters=0,
        )
        samples = sorted(results["samples"][name], key=lambda sample: sample["doc_id"])
        return [self._to_answer(sample["resps"][0][0]) for sample in samples]

    def _to_answer(self, completion: str) -> Answer:
        return Answer(completion, len(self._tokenizer(completion, add_special_tokens=False)["input_ids"]))

    def _task(self, name: str, examples: Sequence[Example]) -> dict[str, Any]:
        """An lm-eval task of our own, made of callables; scoring is done by us afterwards."""
        return {
            "task": name,
            "custom_dataset": _dataset_of(len(examples)),
            "test_split": "test",
            "output_type": "generate_until",
            "doc_to_image": lambda doc: examples[doc["index"]].open_images(),
            "doc_to_text": lambda doc: self._text(examples[doc["index"]]),
            "doc_to_target": "",
            "generation_kwargs": {"until": [], "do_sample": False, "max_gen_toks": self.max_completion_length},
            "process_results": lambda _doc, responses: {"answered": float(bool(responses[0]))},
            "metric_list": [{"metric": "answered", "aggregation": "mean", "higher_is_better": True}],
            "metadata": {"version": TASK_VERSION},
        }

    def _text(self, example: Example) -> str:
        return "<image>" * len(example.images) + self._policy.prompt(example.question)


def _dataset_of(count: int) -> Callable[..., dict[str, Any]]:
    """lm-eval hands documents around by value: ours are indices, so that no image is hashed or copied."""

    def load(**_metadata: Any) -> dict[str, Any]:
        import datasets

        return {"test": datasets.Dataset.from_dict({"index": list(range(count))})}

    return load
