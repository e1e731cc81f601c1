"""Pictures: what goes into a dataset decodes in full, is upright and RGB, and within limits.

The decoding is done by a worker process of one's own, since hostile or damaged bytes can crash, hang or exhaust a
decoder: an image that does costs its row, and a new worker goes on with the next one.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

from pydantic import Field

from components.core.config import Config
from components.core.errors import HarmoError
from components.curation.candidate import Rejection
from components.curation.picture_decoding import Animated, Limits
from components.curation.picture_worker import ANSWER, NUMBER, PATIENCE, READY

DECODER = "components.curation.picture_decoding:decode"
"""The function by which a worker decodes."""
TIME_LIMIT, KILLED = "image exceeds the time limit", "image kills its decoder"
_BATCH_IMAGES, _BATCH_BYTES = 64, 32 * 2**20

Format = Literal["PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF"]


class PictureConfig(Config):
    """What is a fit picture."""

    formats: tuple[Format, ...] = Field(default=("PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "TIFF"), min_length=1)
    """Formats that are accepted; rows with others are quarantined. Each further decoder is further risk."""
    max_bytes: int = Field(default=64 * 2**20, ge=1, le=2**31)
    """Encoded images of more bytes are quarantined."""
    max_pixels: int = Field(default=50_000_000, ge=1)
    """Images of more pixels are quarantined before they are decoded: a small file may hold billions."""
    min_side: int = Field(default=8, ge=1)
    """Images with a shorter side of fewer pixels are quarantined."""
    max_aspect_ratio: float = Field(default=50, ge=1)
    """Images whose longer side is more than so many times the shorter one are quarantined; Qwen2.5-VL's own processor
    refuses 200."""
    animated: Animated = "first frame"
    """What becomes of animations and of files with several pages: their first frame is taken and flagged, or the row
    is quarantined (reject)."""
    seconds: float = Field(default=10, gt=0, le=3600)
    """Processor seconds of one image, after which its worker is killed; one of 50 megapixels takes 1 to 3."""
    memory_mb: int = Field(default=2048, ge=256)
    """Address space of a worker in MiB; an image of 50 megapixels takes 200 to 1,000."""

    def limits(self) -> Limits:
        """What a worker has to know."""
        values = self.model_dump(exclude={"seconds", "memory_mb"})
        return Limits(**values)


class PictureWorkerError(HarmoError):
    """The process that decodes pictures cannot be started."""


@dataclass(frozen=True)
class Prepared:
    """The pictures of a row."""

    images: tuple[bytes, ...]
    """Encoded: as they were, or as PNG where something had to be changed."""
    pixels: tuple[str, ...]
    """Of each, for Signs.pixels."""
    looks: tuple[bytes, ...]
    """Of each, for Signs.looks."""
    flags: tuple[str, ...]
    """What is notable of any: animated, pages, mpo, rotated, alpha, cmyk, ycbcr, hsv, 16-bit, converted."""


@dataclass(frozen=True)
class _Fit:
    """A worker's answer to an image that is fit."""

    image: bytes
    pixels: str
    look: bytes
    flags: tuple[str, ...]


class PictureStep:
    """Decodes and checks the pictures of rows; for one thread, in whatever process it is used first.

    Args:
        config: Limits.
        decoder: "module:function" by which the worker decodes instead of Pillow; it has the signature of
            `picture_decoding.decode` and is imported in the worker alone.

    Attributes:
        restarts: Workers that died or were killed; each is replaced when the next image is due.
    """

    def __init__(self, config: PictureConfig, decoder: str = DECODER) -> None:
        self.config = config
        self.restarts = 0
        self._decoder = decoder
        self._worker: _Worker | None = None

    def __reduce__(self) -> tuple[type["PictureStep"], tuple[PictureConfig, str]]:
        """Pickle without the worker: it belongs to this process."""
        return type(self), (self.config, self._decoder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def prepare(self, images: Sequence[bytes]) -> Prepared:
        """Decode and check the images of one row.

        Args:
            images: Encoded bytes of each.

        Raises:
            Rejection: One of them is not fit.
            PictureWorkerError: The worker cannot be started.
        """
        outcome = self.prepare_all([images])[0]
        if isinstance(outcome, Rejection):
            raise outcome
        return outcome

    def prepare_all(self, rows: Sequence[Sequence[bytes]]) -> list[Prepared | Rejection]:
        """Decode and check the images of many rows; cheaper than one after the other.

        Args:
            rows: The images of each row; shape (N,).

        Returns:
            An outcome a row, in order; of several unfit images of a row the first is named.

        Raises:
            PictureWorkerError: The worker cannot be started.
        """
        outcomes = self._decode([image for images in rows for image in images])
        return [_prepared([next(outcomes) for _ in images]) for images in rows]

    def close(self) -> None:
        """End the worker; the next row starts a new one."""
        if self._worker:
            self._worker.close()
        self._worker = None

    def _decode(self, images: Sequence[bytes]) -> Iterator[_Fit | Rejection]:
        batch: list[bytes] = []
        size = 0
        for image in images:
            if batch and (len(batch) == _BATCH_IMAGES or size + len(image) > _BATCH_BYTES):
                yield from self._decode_batch(batch)
                batch, size = [], 0
            batch.append(image)
            size += len(image)
        yield from self._decode_batch(batch)

    def _decode_batch(self, images: Sequence[bytes]) -> list[_Fit | Rejection]:
        """Answers of the worker, or of its successors: whoever kills two of them is guilty.

        One kill proves nothing: the kernel, short of memory, may have chosen the worker for another's sake.
        """
        outcomes: list[_Fit | Rejection] = []
        is_suspected = False
        while len(outcomes) < len(images):
            first = len(outcomes)
            asked = images[first : first + 1] if is_suspected else images[first:]
            try:
                for outcome in self._running().ask(asked):
                    outcomes.append(outcome)
                    is_suspected = False
            except _WorkerDied as death:
                self.restarts += 1
                self.close()
                is_guilty = death.is_over_time or is_suspected
                if is_guilty:
                    outcomes.append(death.rejection(len(images[len(outcomes)]), self.config.seconds))
                is_suspected = not is_guilty
            except BaseException:  # answers that nobody reads must not be taken for those to the next batch
                self.close()
                raise
        return outcomes

    def _running(self) -> "_Worker":
        if self._worker and not self._worker.is_mine():
            self._worker.let_go()  # after a fork it is the parent's
            self._worker = None
        if self._worker is None:
            self._worker = _Worker(self.config, self._decoder)
        return self._worker


def _prepared(outcomes: Sequence[_Fit | Rejection]) -> Prepared | Rejection:
    if not outcomes:
        return Rejection("image missing", "the row has no image")
    for place, outcome in enumerate(outcomes, 1):
        if isinstance(outcome, Rejection):
            where = f"image {place} of {len(outcomes)}: " if len(outcomes) > 1 else ""
            return Rejection(outcome.reason, where + outcome.evidence)
    fit = [outcome for outcome in outcomes if isinstance(outcome, _Fit)]
    return Prepared(
        images=tuple(outcome.image for outcome in fit),
        pixels=tuple(outcome.pixels for outcome in fit),
        looks=tuple(outcome.look for outcome in fit),
        flags=tuple(dict.fromkeys(flag for outcome in fit for flag in outcome.flags)),
    )


class _WorkerDied(Exception):
    """A worker ended before it had answered.

    Args:
        status: How, as subprocess tells it: minus the signal's number where a signal ended it.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status

    @property
    def is_over_time(self) -> bool:
        """Whether it used up the processor time of an image, which no other process can do for it."""
        return self.status == -signal.SIGPROF

    def rejection(self, size: int, seconds: float) -> Rejection:
        """What becomes of the image of so many bytes."""
        if self.is_over_time:
            return Rejection(TIME_LIMIT, f"{seconds:g} s of processor time, {size} bytes")
        if self.status == -signal.SIGALRM:
            return Rejection(TIME_LIMIT, f"{seconds * PATIENCE:g} s, {size} bytes")
        return Rejection(KILLED, f"twice, the last time with status {self.status}; {size} bytes")


class _Worker:
    """The worker process, as its owner sees it."""

    def __init__(self, config: PictureConfig, decoder: str) -> None:
        settings = {
            "limits": asdict(config.limits()), "seconds": config.seconds, "memory_mb": config.memory_mb,
            "decoder": decoder,
        }  # fmt: skip
        command = [sys.executable, "-m", "components.curation.picture_worker", json.dumps(settings)]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment()
            )
        except OSError as error:
            raise _cannot_start(str(error)) from error
        assert self._process.stdin
        assert self._process.stdout
        self._requests: IO[bytes] = self._process.stdin
        self._answers: IO[bytes] = self._process.stdout
        self._owner = os.getpid()
        if self._answers.read(len(READY)) != READY:
            raise _cannot_start(f"it ended with status {self._process.wait()}")

    def ask(self, images: Sequence[bytes]) -> Iterator[_Fit | Rejection]:
        """Send a batch; yields the answers in order.

        Raises:
            _WorkerDied: Before the next answer.
        """
        with contextlib.suppress(BrokenPipeError):  # it died: the answers end, which says so
            self._requests.write(NUMBER.pack(len(images)))
            for image in images:
                self._requests.write(NUMBER.pack(len(image)))
                self._requests.write(image)
            self._requests.flush()
        for image in images:
            head_length, look_length, data_length = ANSWER.unpack(self._read(ANSWER.size))
            head: dict[str, Any] = json.loads(self._read(head_length))
            look, data = self._read(look_length), self._read(data_length)
            if "reason" in head:
                yield Rejection(head["reason"], head["evidence"])
            else:
                yield _Fit(data if head["changed"] else image, head["pixels"], look, tuple(head["flags"]))

    def is_mine(self) -> bool:
        """Whether this process has started it."""
        return self._owner == os.getpid()

    def close(self) -> None:
        """End the process: by the end of its input, by force if it is busy."""
        with contextlib.suppress(OSError):
            self._requests.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=0.2)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._answers.close()

    def let_go(self) -> None:
        """Close this process's ends of the pipes; the worker lives on."""
        with Path(os.devnull).open("r+b") as nothing:  # where buffered bytes go: not to the parent's worker
            for stream in (self._requests, self._answers):
                os.dup2(nothing.fileno(), stream.fileno())
                stream.close()

    def _read(self, size: int) -> bytes:
        content = self._answers.read(size)
        if len(content) < size:
            raise _WorkerDied(self._process.wait())
        return content


def _cannot_start(reason: str) -> PictureWorkerError:
    return PictureWorkerError(
        "the worker that decodes pictures",
        f"its process cannot be started ({reason})",
        "Allow this process to start others, and raise pictures.memory_mb if it is low",
    )


def _environment() -> dict[str, str]:
    """What a worker needs to start and nothing else: no tokens, no keys."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
