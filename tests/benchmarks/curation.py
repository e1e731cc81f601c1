"""What a curation costs: rows a second, peak memory, and how much of that comes again when rows are added.

Rows are made once: pictures of 56 to 512 pixels a side, half of them JPEG and half PNG, 13 KB on average, each with a
question of its own. Then each size is curated from nothing, again with nothing changed, and again with 1 % of new rows
behind the others. Memory is the sum over all processes of what each has to itself and its part of what they share
(PSS), looked at twice a second; so is the CPU time that they have used, which other work on the machine changes less
than the wall time.

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


class Watch:
    """What this process and all below it use while it is entered."""

    def __init__(self) -> None:
        self.peak = 0.0
        """Largest PSS, in GB."""
        self._used: dict[int, float] = {}
        self._ended = threading.Event()

    def __enter__(self) -> "Watch":
        """Begin to look."""
        self._before = {process: _cpu(process) for process in _family(os.getpid())}
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop looking."""
        self._ended.set()
        self._thread.join()
        self._look_once()

    @property
    def cpu_seconds(self) -> float:
        """Of all processes."""
        return sum(used - self._before.get(process, 0.0) for process, used in self._used.items())

    def _look(self) -> None:
        while not self._ended.wait(0.5):
            self._look_once()

    def _look_once(self) -> None:
        family = _family(os.getpid())
        self.peak = max(self.peak, sum(map(_pss, family)))
        for process in family:
            self._used[process] = max(self._used.get(process, 0.0), _cpu(process))


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


def _cpu(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:  # it has ended
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(name: str, source: Path, rows: int, folder: Path) -> float:
    """Curate and print what it took; returns the CPU seconds."""
    sources = [{"kind": "parquet", "path": str(source), "task": "vqa", "licence": "CC0", "max_rows": rows}]
    output = folder / "output"
    shutil.rmtree(output, ignore_errors=True)
    start = time.perf_counter()
    with Watch() as watch:
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
    cpu = watch.cpu_seconds
    print(
        f"{rows:>8,} {name:<16} {seconds:6.1f} s wall {rows / seconds:5.0f} rows/s {cpu:6.1f} CPU s "
        f"{rows / cpu:5.0f} rows/CPU s {watch.peak:5.2f} GB  {made}",
        flush=True,
    )
    return cpu


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
            print(f"{'':>8} 1 % added takes {more / first:.1%} of the first CPU time")
            shutil.rmtree(folder / "work")


if __name__ == "__main__":
    main()
