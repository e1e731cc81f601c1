"""What a curation costs: rows a second, peak memory, and how much of that comes again when rows are added.

Rows are made once: pictures of 56 to 512 pixels a side, half of them JPEG and half PNG, 13 KB on average, each with a
question of its own. Then each size is curated from nothing, again with nothing changed, and again with 1 % of new rows
behind the others. Memory is the sum over all processes of what each has to itself and its part of what they share
(PSS), looked at twice a second.

    python -m tests.benchmarks.curation [--rows 10000 50000] [--folder FOLDER]
"""

import argparse
import io
import os
import random
import shutil
import tempfile
import threading
import time
from multiprocessing import Pool
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from components.curation.curate import curate
from tests.curation.engine_rows import config_of

_SIDES = (56, 512)
_HELD = 500  # rows


def made_row(number: int) -> dict[str, Any]:
    """A row whose picture nobody else has."""
    draw = random.Random(number)
    size = draw.randint(*_SIDES), draw.randint(*_SIDES)
    if number % 2:
        noise = Image.effect_noise((size[0] // 4 + 1, size[1] // 4 + 1), 60)
        image = noise.resize(size).convert("RGB")
    else:
        image = Image.new("RGB", size, _colour(draw))
    pen = ImageDraw.Draw(image)
    for _ in range(8):
        x, y = draw.randrange(size[0]), draw.randrange(size[1])
        pen.ellipse((x, y, x + draw.randint(5, 80), y + draw.randint(5, 80)), fill=_colour(draw))
    pen.text((5, 5), str(number), fill="white")
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG" if number % 2 else "PNG")
    question = f"How many discs of colour {number % 97} are there beside figure {number}?"
    return {"images": [buffer.getvalue()], "question": question, "references": [str(number % 9)]}


def _colour(draw: random.Random) -> tuple[int, int, int]:
    return draw.randrange(256), draw.randrange(256), draw.randrange(256)


def write_source(rows: int, path: Path) -> None:
    """A Parquet file of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [("images", pa.list_(pa.binary())), ("question", pa.string()), ("references", pa.list_(pa.string()))]
    schema = pa.schema(columns)
    with Pool() as pool, pq.ParquetWriter(path, schema) as writer:
        held = []
        for row in pool.imap(made_row, range(rows), chunksize=100):
            held.append(row)
            if len(held) == _HELD:
                writer.write_table(pa.Table.from_pylist(held, schema=schema))
                held = []
        writer.write_table(pa.Table.from_pylist(held, schema=schema))


class Memory:
    """The largest PSS of this process and all below it, in GB, while it is entered."""

    def __init__(self) -> None:
        self.peak = 0.0
        self._ended = threading.Event()

    def __enter__(self) -> "Memory":
        """Begin to look."""
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop looking."""
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.5):
            self.peak = max(self.peak, sum(map(_pss, _family(os.getpid()))))


def _family(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:  # it has ended
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting += children.get(process, [])
    return found


def _pss(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1e6


def measure(name: str, source: Path, rows: int, folder: Path) -> float:
    """Curate and print what it took; returns the seconds."""
    sources = [{"kind": "parquet", "path": str(source), "task": "vqa", "licence": "CC0", "max_rows": rows}]
    output = folder / "output"
    shutil.rmtree(output, ignore_errors=True)
    start = time.perf_counter()
    with Memory() as memory:
        result = curate(
            output / "dataset",
            output / "quarantine",
            config_of(sources=sources, shard_rows=1000),
            seed=0,
            work=folder / "work",
        )
    seconds = time.perf_counter() - start
    made = f"{result.mapped.made}+{result.written.made} of {result.mapped.made + result.mapped.found}"
    made += f"+{result.written.made + result.written.found} shards made"
    print(
        f"{rows:>8,} {name:<16} {seconds:7.1f} s {rows / seconds:7.0f} rows/s {memory.peak:5.2f} GB  {made}", flush=True
    )
    return seconds


def main() -> None:
    """Measure every size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--folder", type=Path, default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        source = folder / "rows.parquet"
        write_source(max(arguments.rows) * 101 // 100, source)
        for rows in arguments.rows:
            first = measure("from nothing", source, rows, folder)
            measure("nothing changed", source, rows, folder)
            more = measure("1 % added", source, rows * 101 // 100, folder)
            print(f"{'':>8} 1 % added takes {more / first:.1%} of the first time")
            shutil.rmtree(folder / "work")


if __name__ == "__main__":
    main()
