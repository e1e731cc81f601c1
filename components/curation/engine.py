"""Engine of curation: shards of source rows mapped by many processes, and shards of examples written by them.

What is finished lies in the work folder under the key of all that decides it, so that whoever asks for it again
(the same run after a kill, a pod beside this one, a run over the same rows and some more) finds it there.
"""

import faulthandler
import json
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from types import TracebackType

from components.core.code import code_fingerprint
from components.core.config import parse_config
from components.core.example import Split, example_schema
from components.core.layout import Cutter, ShardWriter
from components.curation.candidate import Candidate, SourceRow
from components.curation.config import CurationConfig
from components.curation.judge import Fate
from components.curation.pool import Death, Progress, WorkerError, WorkerPool
from components.curation.shards import (
    ROWS_OF_RANGE,
    Outcome,
    Shard,
    ShardFile,
    SourceRows,
    cut,
    examples_of,
    write_outcomes,
)
from components.curation.sign_table import SignTable
from components.curation.steps import BuildSteps, RowSteps, lost_row, row_steps, take_steps
from components.curation.work_folder import WorkFolder, key_of, store

_TRIES = 2  # of a row that a worker died over: the first time may have been the machine's fault
_DEATHS_OF_SHARD = 10
_DEATHS_OF_WRITER = 2
_HANGS = ", which is how a process ends whose row has hung"


@dataclass(frozen=True)
class Share:
    """The part of the work that is done here: every `of`-th range of rows and shard of examples."""

    number: int = 0
    of: int = 1

    def holds(self, place: int) -> bool:
        """Whether the range or shard of this number is in it."""
        return place % self.of == self.number


WHOLE = Share()
LOOKED_AT, WRITTEN = "rows looked at", "examples written"
Advance = Callable[[str, int], object]


@dataclass
class Tally:
    """How much was done and how much was found done."""

    made: int = 0
    found: int = 0


class Engine:
    """What all phases of a curation have in common; a context manager, in which its processes live.

    Args:
        config: Settings.
        folder: Where work lies.
        workers: Processes.
        steps: Makes the row steps; importable, as the processes call it.
        advance: Called with what was done and with how many rows, as they are done or found done.
    """

    def __init__(
        self,
        config: CurationConfig,
        folder: WorkFolder,
        workers: int,
        steps: BuildSteps = row_steps,
        advance: Advance = lambda _done, _rows: None,
    ) -> None:
        self.config, self.folder = config, folder
        self.mapped, self.written = Tally(), Tally()
        self._steps, self.advance = steps, advance
        settings = json.dumps(config.model_dump(mode="json"))
        work = partial(_work, folder.path, steps, settings)
        self._pool = WorkerPool(work, workers)

    def __enter__(self) -> "Engine":
        """Processes start when there is something to do."""
        self._pool.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End them."""
        self._pool.__exit__(kind, error, trace)

    def step_names(self) -> tuple[str, ...]:
        """Of the row steps, in order."""
        return self._steps(self.config).names

    def key(self, *parts: object) -> str:
        """The key of work that the parts decide, together with our code."""
        return key_of(_code(), f"{self._steps.__module__}.{self._steps.__qualname__}", *parts)

    def map_sources(self, sources: Sequence[SourceRows], share: Share = WHOLE) -> list[ShardFile]:
        """Take the rows of all sources through the row steps.

        Args:
            sources: Whose rows.
            share: Which ranges of them.

        Returns:
            What became of them, in order of the sources.

        Raises:
            SourceError: A source ends in the middle; what was finished is kept.
        """
        mapper = _Mapper(self, share)
        for task, (path, signs) in self._pool.run(mapper.tasks(sources), mapper.died):
            mapper.done(task, self.folder.add(task.key, path), self.folder.add(signs_key(task.key), signs))
            self.mapped.made += 1
            self.advance(LOOKED_AT, len(task.shard.rows))
        return mapper.files()

    def write_splits(self, tasks: Iterable["WriteTask"], share: Share = WHOLE) -> dict[Split, list[Path]]:
        """Write shards of examples into the work folder.

        Args:
            tasks: All of them.
            share: Which are written.

        Returns:
            The files of those by split, in order.

        Raises:
            WorkerError: Workers died over one again and again.
        """
        found: dict[tuple[Split, int], Path] = {}

        def missing() -> Iterator[WriteTask]:
            for number, task in enumerate(tasks):
                if not share.holds(number):
                    continue
                path = self.folder.find(task.key)
                if path is None:
                    yield task
                else:
                    self.written.found += 1
                    self.advance(WRITTEN, task.rows)
                    found[task.split, task.number] = path

        for task, (path,) in self._pool.run(missing(), _write_again):
            found[task.split, task.number] = self.folder.add(task.key, path)
            self.written.made += 1
            self.advance(WRITTEN, task.rows)
        return {split: [found[place] for place in sorted(found) if place[0] is split] for split in Split}


@lru_cache(maxsize=1)
def _code() -> str:
    """Of all that can decide what a row becomes."""
    return code_fingerprint("core", "rewards", "curation")


@dataclass(frozen=True)
class MapTask:
    """A shard of source rows to take through the row steps."""

    shard: Shard
    key: str
    source: int
    """Number of its source."""
    killers: Mapping[int, tuple[int, str]] = field(default_factory=dict)
    """Rows that are lost without being looked at, by number in the shard: in which step and how a worker died."""
    deaths: Mapping[int, int] = field(default_factory=dict)
    """How often a worker died, by row."""


class _Mapper:
    """Which shards are to be made, and where those are that are made."""

    def __init__(self, engine: Engine, share: Share) -> None:
        self._engine, self._share = engine, share
        self._files: dict[tuple[int, int], ShardFile] = {}
        self._settings = engine.config.row_identity()

    def files(self) -> list[ShardFile]:
        """What is made, in order of the sources."""
        return [self._files[place] for place in sorted(self._files)]

    def done(self, task: MapTask, path: Path, signs: Path) -> None:
        """Note the files of a shard."""
        shard = task.shard
        self._files[task.source, shard.start] = ShardFile(shard.source, shard.start, task.key, path, signs)

    def tasks(self, sources: Sequence[SourceRows]) -> Iterator[MapTask]:
        """The shards that are to be made; the others are noted."""
        for number, source in enumerate(sources):
            place, rows = self._share.number, ROWS_OF_RANGE
            while rows == ROWS_OF_RANGE:  # a shorter range is the last one
                known = self._known(number, source, place)
                if known is None:
                    rows = yield from self._read(number, source, place)
                else:
                    rows = known
                place += self._share.of

    def _range_key(self, source: SourceRows, place: int) -> str:
        return self._engine.key("range", source.name, source.identity, place, self._settings)

    def _known(self, number: int, source: SourceRows, place: int) -> int | None:
        """Note the shards of a range if all are made, and return its rows."""
        folder = self._engine.folder
        index = folder.find(self._range_key(source, place)) if source.identity else None
        if index is None:
            return None
        content = json.loads(index.read_text(encoding="utf-8"))
        if not all(folder.find(key) and folder.find(signs_key(key)) for key, _ in content["shards"]):
            return None
        for key, start in content["shards"]:
            self._note(number, source.name, start, key)
        self._engine.advance(LOOKED_AT, content["rows"])
        return int(content["rows"])

    def _read(self, number: int, source: SourceRows, place: int) -> Generator[MapTask, None, int]:
        """Read a range; returns its rows."""
        start = place * ROWS_OF_RANGE
        rows, shards = 0, []
        for shard in cut(source.read(start, start + ROWS_OF_RANGE), source.name, start):
            # With its place, which the signs and the quarantine name; rows behind new ones are looked at again.
            key = self._engine.key("shard", source.name, shard.start, shard.digest, self._settings)
            task = MapTask(shard, key, number)
            rows += len(shard.rows)
            shards.append((task.key, shard.start))
            if self._note(number, source.name, shard.start, task.key):
                self._engine.advance(LOOKED_AT, len(shard.rows))
            else:
                yield task
        if source.identity:
            content = json.dumps({"rows": rows, "shards": shards})
            key = self._range_key(source, place)
            self._engine.folder.make(key, lambda path: path.write_text(content, encoding="utf-8"))
        return rows

    def _note(self, number: int, source: str, start: int, key: str) -> bool:
        """Note a shard if it is made; whether it is."""
        path, signs = self._engine.folder.find(key), self._engine.folder.find(signs_key(key))
        if path is None or signs is None:
            return False
        self._files[number, start] = ShardFile(source, start, key, path, signs)
        self._engine.mapped.found += 1
        return True

    def died(self, task: MapTask, death: Death) -> MapTask:
        """The shard without the row that a worker has died over again and again; without all where that goes on."""
        deaths = {**task.deaths, death.row: task.deaths.get(death.row, 0) + 1}
        if sum(deaths.values()) > _TRIES * _DEATHS_OF_SHARD or deaths.get(-1, 0) > _TRIES:
            return _given_up(task, death)
        if death.row < 0 or deaths[death.row] < _TRIES:
            return replace(task, deaths=deaths)
        said = f"{death}{_HANGS}" if death.exit_code == 1 else str(death)
        killers = {**task.killers, death.row: (death.step, said)}
        return replace(task, deaths=deaths, killers=killers)


def _given_up(task: MapTask, death: Death) -> MapTask:
    """A shard of which no row is looked at; its images are not sent again."""
    bare = tuple(SourceRow(row.place, {"question": _question(row)}) for row in task.shard.rows)
    lost = (max(death.step, 0), f"{death}; so did many workers over this shard of {len(bare)} rows")
    killers = {number: task.killers.get(number, lost) for number in range(len(bare))}
    return replace(task, shard=replace(task.shard, rows=bare), killers=killers, deaths={})


def _question(row: SourceRow) -> str:
    return str(row.values.get("question") or "") if isinstance(row.values, dict) else ""


def _work(
    folder: Path, build: BuildSteps, config: str, task: "MapTask | WriteTask", progress: Progress
) -> tuple[Path, ...]:
    """What a worker does; returns the files that it made."""
    if isinstance(task, WriteTask):
        return (store(folder, task.key, lambda path: _write_examples(task, path)),)
    return _map_shard(folder, _built(build, config), task, progress)


def signs_key(shard: str) -> str:
    """The key of a shard's signs, of the key of the shard."""
    return key_of("signs", shard)


@lru_cache(maxsize=1)
def _built(build: BuildSteps, config: str) -> RowSteps:
    """The row steps of this process, made once: they may hold processes of their own."""
    return build(parse_config(CurationConfig, json.loads(config), "curation"))


def _map_shard(folder: Path, steps: RowSteps, task: MapTask, progress: Progress) -> tuple[Path, Path]:
    """Take a shard's rows through the row steps, and write what became of them, and the signs of what stays."""
    shard = task.shard
    outcomes: list[Outcome] = []
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        for number, row in enumerate(shard.rows):
            if number in task.killers:
                step, evidence = task.killers[number]
                outcomes.append(lost_row(row, shard.source, steps.names[step], "worker died", evidence))
                continue
            faulthandler.dump_traceback_later(steps.seconds, exit=True, file=nowhere)
            outcomes.append(take_steps(row, shard.source, steps, partial(progress.at, number)))
        faulthandler.cancel_dump_traceback_later()
    progress.at(-1, -1)  # what kills the worker from here on is no row
    candidates = [outcome for outcome in outcomes if isinstance(outcome, Candidate)]
    return (
        store(folder, task.key, lambda path: write_outcomes(outcomes, shard.start, path)),
        store(folder, signs_key(task.key), lambda path: SignTable.of(candidates).write(path)),
    )


@dataclass(frozen=True)
class Part:
    """The examples that a shard of examples takes from one shard of source rows."""

    path: Path
    """Its file."""
    key: str
    lines: tuple[int, ...]
    """Their lines in it."""
    groups: tuple[str, ...]
    """What they must not be divided from."""


@dataclass(frozen=True)
class WriteTask:
    """A shard of examples to write."""

    split: Split
    number: int
    """Its place in the split."""
    key: str
    parts: tuple[Part, ...]
    deaths: int = 0

    @property
    def rows(self) -> int:
        """Examples."""
        return sum(len(part.lines) for part in self.parts)


def plan_splits(
    engine: Engine, files: Sequence[ShardFile], fates: Iterator[Fate], note: Callable[[int], object]
) -> Iterator[WriteTask]:
    """Cut the examples that stay into shards.

    Args:
        engine: Gives the rows of a shard.
        files: Of the shards of source rows, in order.
        fates: Of all candidates, in order.
        note: Called with the number of the shard in its split of each example that stays, in order.

    Yields:
        The shards, each as soon as its last example is known.
    """
    open_ = {split: _OpenShard(engine, split) for split in Split}
    for file in files:
        for line, id_, weight in _lines(file):
            fate = next(fates)
            if fate.step:
                continue
            shard = open_[Split(fate.split)]
            note(shard.number)
            if shard.add(file, line, fate.group, id_, weight):
                yield shard.close()
    yield from (shard.close() for shard in open_.values() if shard.parts)


class _OpenShard:
    """A shard of examples while its end is not known."""

    def __init__(self, engine: Engine, split: Split) -> None:
        self._engine, self._cutter = engine, Cutter(engine.config.shard_rows)
        self.split, self.number = split, 0
        self.parts: list[tuple[ShardFile, list[int], list[str]]] = []

    def add(self, file: ShardFile, line: int, group: str, id_: str, weight: int) -> bool:
        """Add an example; whether it is the last one."""
        if not self.parts or self.parts[-1][0] is not file:
            self.parts.append((file, [], []))
        self.parts[-1][1].append(line)
        self.parts[-1][2].append(group)
        return self._cutter.ends(id_, weight)

    def close(self) -> WriteTask:
        """What is to be written; the next shard begins."""
        parts = tuple(Part(file.path, file.key, tuple(lines), tuple(groups)) for file, lines, groups in self.parts)
        key = self._engine.key("examples", self.split.value, [[part.key, part.lines, part.groups] for part in parts])
        task = WriteTask(self.split, self.number, key, parts)
        self.parts, self.number = [], self.number + 1
        return task


def _lines(file: ShardFile) -> Iterator[tuple[int, str, int]]:
    """Line, id and weight of each candidate of a shard of source rows."""
    table = file.read(["example_id", "weight"])
    for line, (id_, weight) in enumerate(zip(*(column.to_pylist() for column in table.columns), strict=True)):
        if id_ is not None:
            yield line, id_, weight


def _write_examples(task: WriteTask, path: Path) -> None:
    """Write a shard of examples."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = example_schema()
    with ShardWriter(path, schema) as writer:
        for part in task.parts:
            table = pq.read_table(part.path, use_threads=False).take(pa.array(part.lines))
            examples = examples_of(table)
            for name, values in (("split", [task.split.value] * len(examples)), ("group", part.groups)):
                place = schema.get_field_index(name)
                examples = examples.set_column(place, schema.field(name), pa.array(values, pa.string()))
            writer.add(examples, table["weight"].to_pylist())


def _write_again(task: WriteTask, death: Death) -> WriteTask:
    if task.deaths >= _DEATHS_OF_WRITER:
        raise WorkerError(
            f"writing shard {task.number} of {task.split.value}",
            f"{task.deaths + 1} workers died over it ({death})",
            "Give the step more memory, or look for what kills its processes",
        )
    return replace(task, deaths=task.deaths + 1)
