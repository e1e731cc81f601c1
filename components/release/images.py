"""Images of the samples, as many as a page can hold: first of the questions that a reader looks for."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from components.core.question import QuestionFile
from components.core.suite import questions_path
from components.release.report_data import SampleView
from components.release.thumbnail import thumbnail

IMAGE_BYTES = 16_000_000
"""What all images of the samples may take, each distinct one counted once."""
_RANKS = (0, 1, 2)
_Key = tuple[str, str]


def with_images(samples: Sequence[SampleView], suite: Path, metric: str, budget: int = IMAGE_BYTES) -> list[SampleView]:
    """Give samples their images, until the budget is spent.

    Those whose outcome changed come first, then those with a flag, then the rest; in each round the benchmarks share
    what is left evenly. A sample that goes without says where its images are.

    Args:
        samples: Without images.
        suite: The suite artifact.
        metric: The score that decides what changed.
        budget: Bytes of distinct thumbnails.
    """
    chosen = _Thumbnails(budget)
    for rank in _RANKS:
        wanted: dict[str, set[str]] = defaultdict(set)
        for sample in samples:
            if sample.rank(metric) == rank:
                wanted[sample.benchmark].add(sample.id)
        # The small sets first: what they leave is for the large ones.
        for turn, benchmark in enumerate(sorted(wanted, key=lambda name: len(wanted[name]))):
            share = chosen.left // (len(wanted) - turn)
            chosen.read(questions_path(suite, benchmark), benchmark, wanted[benchmark], share)
    return [chosen.put_on(sample) for sample in samples]


class _Thumbnails:
    """The thumbnails that were taken, by question."""

    def __init__(self, budget: int) -> None:
        self.left = budget
        self._made: dict[str, bytes] = {}
        self._kept: set[bytes] = set()
        self._of: dict[_Key, tuple[bytes, ...]] = {}
        self._broken: set[_Key] = set()

    def read(self, questions: Path, benchmark: str, ids: set[str], share: int) -> None:
        """Take the images of these questions, until they cost more than this share of the budget."""
        floor = self.left - share
        open_ids = set(ids)
        # The budget may be spent before the first question: then the file, which may be large, is not read.
        for question in QuestionFile(questions) if share > 0 else ():
            if question.id not in open_ids:
                continue
            open_ids.remove(question.id)
            try:
                images = tuple(self._thumbnail(image) for image in question.images)
            except ValueError:
                self._broken.add((benchmark, question.id))
                continue
            price = self._price(images)
            if self.left - price < floor:
                return
            self.left -= price
            self._kept.update(images)
            self._of[benchmark, question.id] = images
            if not open_ids:
                return

    def put_on(self, sample: SampleView) -> SampleView:
        """The sample with its images, or with a note where they are."""
        key = (sample.benchmark, sample.id)
        if key in self._of:
            return replace(sample, images=self._of[key])
        where = f"in the suite artifact: benchmark {sample.benchmark}, question {sample.id}"
        if key in self._broken:
            return replace(sample, images_note=f"An image cannot be decoded; it is {where}.")
        return replace(sample, images_note=f"Left out to keep this page small; the image is {where}.")

    def _thumbnail(self, image: bytes) -> bytes:
        digest = hashlib.sha256(image).hexdigest()
        if digest not in self._made:
            self._made[digest] = thumbnail(image)
        return self._made[digest]

    def _price(self, images: Iterable[bytes]) -> int:
        return sum(len(image) for image in set(images) - self._kept)
