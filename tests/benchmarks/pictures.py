"""What checking pictures costs and what it finds: our step beside ImageHash, the usual way to do it with Pillow.

Peer: Pillow's `verify()` and ImageHash's pHash and dHash of each image, in this process. Ours: the full decode in a
killable worker, the hash of the pixels and the look, with everything sent to the worker and back. The same files in
turns: photographs as JPEG and triangles as PNG, of 56 to 512 pixels, a thirtieth of them with transparency or turned
by EXIF. Prints medians of images a second of processor time (ours with the worker's) and their ratios to the peer's,
two processes at once, and what a killed worker costs. Then what each way finds: truncated JPEGs, copies of
photographs, other diagrams.

ImageHash is no dependency of this project: pip install imagehash, anywhere on the path.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.pictures
"""

import argparse
import io
import os
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance

from components.curation.candidate import Rejection
from components.curation.looks import LookTable
from components.curation.picture_decoding import decode
from components.curation.pictures import PictureConfig, PictureStep, Prepared
from tests.curation.picture_files import encode, photographs, triangle, with_orientation

_RADIUS = 8  # the usual one for 64-bit hashes


def make_files(count: int) -> list[bytes]:
    """Pictures of 56 to 512 pixels: a third photographs as JPEG, the others drawings as PNG."""
    draw = Random(0)
    photos = list(photographs().values())
    return [_file(number, photos, draw) for number in range(count)]


def _file(number: int, photos: Sequence[Image.Image], draw: Random) -> bytes:
    side = draw.randint(56, 512)
    if number % 3 == 0:
        photo = photos[number % len(photos)].copy()
        photo.thumbnail((side, side))
        return with_orientation(photo, 6, "JPEG") if number % 60 == 0 else encode(photo, "JPEG", quality=90)
    drawing = triangle([draw.randint(2, 99) for _ in range(3)], side, max(8, side // 30))
    if number % 60 == 1:
        drawing.putalpha(200)
    return encode(drawing)


def peer(data: bytes) -> tuple[Any, Any]:
    """Verified, then hashed twice."""
    import imagehash

    Image.open(io.BytesIO(data)).verify()
    image = Image.open(io.BytesIO(data))
    return imagehash.phash(image), imagehash.dhash(image)


def measure_speed(files: Sequence[bytes], turns: int) -> None:
    """Print images a second of processor time and of the clock, each way in turn."""
    limits, rows = PictureConfig().limits(), [[data] for data in files]
    with PictureStep(PictureConfig()) as step:
        step.prepare([files[0]])
        ways: dict[str, Callable[[], object]] = {
            "verify, pHash, dHash": lambda: [peer(data) for data in files],
            "ours, in a worker": lambda: step.prepare_all(rows),
            "ours, row by row": lambda: [step.prepare(row) for row in rows],
            "ours, without a worker": lambda: [decode(data, limits) for data in files],
        }
        rates: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for turn in range(turns + 1):
            for name, run in ways.items():
                wall, cpu = time.perf_counter(), _processor_seconds(step)
                run()
                if turn:
                    spent = _processor_seconds(step) - cpu, time.perf_counter() - wall
                    rates[name].append((len(files) / spent[0], len(files) / spent[1]))
    print(
        f"{len(files)} images, {sum(map(len, files)) / len(files) / 1000:.0f} kB each, {turns} turns; images a second"
    )
    print(f"{'':24}{'of processor time (from to)':>32}{'ratio':>8}{'of the clock':>16}")
    first = statistics.median(cpu for cpu, _ in rates["verify, pHash, dHash"])
    for name, found in rates.items():
        cpus, walls = zip(*found, strict=True)
        middle = statistics.median(cpus)
        spread = f"{middle:.0f} ({min(cpus):.0f} to {max(cpus):.0f})"
        print(f"{name:24}{spread:>32}{middle / first:>8.2f}{statistics.median(walls):>16.0f}")


def _processor_seconds(step: PictureStep) -> float:
    """Of this process and the worker."""
    assert step._worker
    fields = Path(f"/proc/{step._worker._process.pid}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_two_processes(files: Sequence[bytes], turns: int) -> None:
    """Print images a second of two processes with a worker each, as the stage runs them on two cores."""
    with ProcessPoolExecutor(2) as pool:
        halves = (files[::2], files[1::2])
        list(pool.map(_prepare, halves))
        rates = []
        for _ in range(turns):
            start = time.perf_counter()
            list(pool.map(_prepare, halves))
            rates.append(len(files) / (time.perf_counter() - start))
    print(f"\ntwo processes, with their start: {statistics.median(rates):.0f} ({min(rates):.0f} to {max(rates):.0f})")


def _prepare(files: Sequence[bytes]) -> int:
    with PictureStep(PictureConfig()) as step:
        return sum(isinstance(outcome, Prepared) for outcome in step.prepare_all([[data] for data in files]))


def measure_kills(kills: int) -> None:
    """Print what an image costs that kills its worker."""
    with PictureStep(PictureConfig(), "tests.curation.decoders:decode") as step:
        step.prepare([b"fine"])
        start = time.perf_counter()
        outcomes = step.prepare_all([[b"fine"], [b"kill"]] * kills)
        seconds = time.perf_counter() - start
    lost = sum(isinstance(outcome, Rejection) for outcome in outcomes)
    print(f"\n{kills} images that kill: {lost} rows lost, {step.restarts} restarts, {seconds / kills:.2f} s each")


def _copies(image: Image.Image) -> list[Image.Image]:
    half = image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)
    jpeg = Image.open(io.BytesIO(encode(image, "JPEG", quality=30))).convert("RGB")
    return [half, jpeg, ImageEnhance.Brightness(image).enhance(1.25)]


def compare_findings() -> None:
    """Print what each way finds."""
    photos = list(photographs().values())
    draw = Random(1)
    triangles = [triangle([draw.randint(2, 99) for _ in range(3)]) for _ in range(60)]
    cut = [encode(photo, "JPEG")[:-1000] for photo in photos]
    with PictureStep(PictureConfig()) as step:
        damaged = sum(isinstance(outcome, Rejection) for outcome in step.prepare_all([[data] for data in cut]))
        images = [*photos, *(copy for photo in photos for copy in _copies(photo)), *triangles]
        prepared = step.prepare([encode(image) for image in images])
    table = LookTable(prepared.looks)
    hashes = [peer(encode(image))[0] for image in images]
    ways: dict[str, Callable[[int, int], bool]] = {
        f"pHash <= {_RADIUS}": lambda one, other: bool(hashes[one] - hashes[other] <= _RADIUS),
        "near": lambda one, other: bool(table.near(np.array([one]), np.array([other]))[0]),
        "alike": lambda one, other: bool(table.alike(np.array([one]), np.array([other]))[0]),
    }
    print(f"\ntruncated JPEGs found: verify {sum(map(_is_refused, cut))}, ours {damaged}, of {len(cut)}")
    count = len(photos)
    copies = [(place // 3, count + place) for place in range(3 * count)]
    other_photos = list(combinations(range(count), 2))
    other_triangles = list(combinations(range(4 * count, len(images)), 2))
    print(f"{'called equal':14}{'copies of photos':>20}{'other photos':>16}{'other triangles':>20}")
    for name, is_equal in ways.items():
        cells = [
            (sum(is_equal(*pair) for pair in pairs), len(pairs)) for pairs in (copies, other_photos, other_triangles)
        ]
        print(
            f"{name:14}{cells[0][0]:>15}/{cells[0][1]:<4}{cells[1][0]:>11}/{cells[1][1]:<4}{cells[2][0]:>15}/{cells[2][1]}"
        )


def _is_refused(data: bytes) -> bool:
    try:
        peer(data)
    except (OSError, SyntaxError):
        return True
    return False


def measure_comparisons(pairs: int) -> None:
    """Print pairs a second."""
    generator = np.random.default_rng(0)
    heads = np.zeros((2000, 21), np.uint8)
    heads[:, 5:13] = generator.integers(0, 256, (2000, 8))
    cells = generator.integers(0, 256, (2000, 768), dtype=np.uint8)
    table = LookTable([bytes(look) for look in np.hstack([heads, cells])])
    ones, others = generator.integers(0, 2000, (2, pairs))
    start = time.process_time()
    table.near(ones, others)
    print(f"\ncomparisons: {pairs / (time.process_time() - start):,.0f} pairs a second of processor time")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    made = make_files(arguments.images)
    measure_speed(made, arguments.turns)
    measure_two_processes(made, arguments.turns)
    measure_kills(20)
    compare_findings()
    measure_comparisons(200_000)
