"""What comparing all candidates costs: time and memory of the reduce steps over 10,000, 50,000 and 200,000 rows.

Rows are made up: four templates and word problems, two about each image, 5 % exact
and 5 % near duplicates, 1 % contradictions; looks are 256 random bits, copies' with a few flipped, and a tenth of the
images belong to a crowd that shares half of its bits. The benchmark has 2,000 questions, of which 0.5 % of the rows
are leaks. Each size runs in a process of its own; printed are CPU seconds of signing the texts and of judging, and
the peak of the resident memory in judging, which has the table read from Parquet files of 1,000 rows.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.curation_sets
"""

import argparse
import hashlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from components.core.example import AnswerType, Example, Family, Task
from components.core.question import Question, write_questions
from components.core.suite import BenchmarkInfo, questions_path, write_suite
from components.curation.candidate import Candidate, Signs
from components.curation.decontaminate import DecontaminationConfig
from components.curation.judge import JudgeConfig, judge
from components.curation.sign_table import SignTable
from tests.curation.looks import HammingLooks

_SHARD = 1_000
_QUESTIONS = 2_000
_TEMPLATES = (
    "What is the value of x?",
    "What is the highest value of the chart?",
    "How many people are there in the picture?",
    "Find the area of the shaded region.",
)
_NAMES = ("Anna", "Boris", "Clara", "Daniel", "Elena", "Farid", "Greta", "Hugo", "Irene", "Jonas")


class MadeUpLooks(HammingLooks):
    """Images are their own names: what they look like follows from a number."""

    def sign(self, image: bytes) -> tuple[str, bytes]:
        number = int(image)
        return digest_of(number), look_of(number)


def digest_of(number: int) -> str:
    """Pixels of an image."""
    return hashlib.sha256(f"image {number}".encode()).hexdigest()[:32]


def look_of(number: int) -> bytes:
    """256 bits, of which a crowd of a tenth of the images shares the first half."""
    bits = hashlib.sha256(f"look {number}".encode()).digest()
    return bytes(16) + bits[16:] if number % 20 == 0 else bits


def question_of(number: int) -> str:
    """A template, or a word problem."""
    chance = random.Random(number)
    if number % 2:
        return chance.choice(_TEMPLATES)
    first, second = chance.sample(_NAMES, 2)
    return (
        f"{first} has {chance.randint(10, 9999)} stamps and {second} has {chance.randint(10, 9999)} more than half of "
        f"them; they share all of these with {chance.randint(2, 99)} friends of their class. How many stamps does "
        f"each of the friends get in the end?"
    )


def candidates(size: int) -> Iterator[Candidate]:
    """Rows in order; one of twenty copies an earlier one exactly, one nearly, one of a hundred contradicts it."""
    for place in range(size):
        kind, other = place % 100, max(0, place - 37)
        copied = kind < 11
        number = other if copied else place
        image = number - number % 2
        look = bytearray(look_of(image))
        pixels, question, answer = digest_of(image), question_of(number), str(number % 997)
        if 5 <= kind < 10:
            look[3] ^= 5
            pixels, question = digest_of(-place), f"Please: {question}"
        if kind == 10:
            answer = "1000"
        yield _candidate(place, (pixels, bytes(look)), question, answer)


def _candidate(place: int, signs: tuple[str, bytes], question: str, answer: str) -> Candidate:
    example = Example(
        id=str(place),
        images=(),
        question=question,
        references=(answer,),
        answer_type=AnswerType.NUMBER,
        task=Task.MATH,
        verifiable=True,
    )
    return Candidate("made up", place, example, signs=Signs((signs[0],), (signs[1],)))


def write_benchmark(folder: Path, size: int) -> None:
    """Questions of which one in 200 rows is a leak."""
    places = [200 * number + 12 for number in range(size // 200)]
    others = range(10_000_000, 10_000_000 + _QUESTIONS - len(places))
    path = questions_path(folder, "made_up")
    path.parent.mkdir(parents=True)
    questions = [_question(number) for number in [*places, *others]]
    count = write_questions(questions, path)
    write_suite(folder, [BenchmarkInfo(name="made_up", family=Family.MATH, version=1.0, questions=count)])


def _question(number: int) -> Question:
    return Question(
        id=str(number),
        parts=("", question_of(number)),
        images=(str(number).encode(),),
        references=(str(number % 997),),
        cluster=str(number),
    )


def measure(size: int) -> dict[str, float]:
    """Sign in shards, then judge; in this process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_benchmark(folder / "suite", size)
        signing, paths = _sign(folder, size)
        before, wall = time.process_time(), time.perf_counter()
        table = SignTable.read(paths)
        config = JudgeConfig(decontamination=DecontaminationConfig(max_contaminated_fraction=0.2))
        fates = judge(table, [folder / "suite"], config, comparison=MadeUpLooks(10))
        judging = time.process_time() - before
        counts = fates.counts()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "rows": size,
        "signing s": signing,
        "judging s": judging,
        "wall s": time.perf_counter() - wall,
        "peak MiB": peak,
        **{step or "stays": count for step, count in sorted(counts.items())},
    }


def _sign(folder: Path, size: int) -> tuple[float, Sequence[Path]]:
    spent, paths, shard = 0.0, [], []
    for candidate in candidates(size):
        shard.append(candidate)
        if len(shard) == _SHARD:
            before = time.process_time()
            table = SignTable.of(shard)
            spent += time.process_time() - before
            paths.append(folder / f"{len(paths)}.parquet")
            table.write(paths[-1])
            shard = []
    return spent, paths


def main() -> None:
    """Measure every size in a process of its own."""
    parser = argparse.ArgumentParser(description="Benchmark of the reduce steps of curation")
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 50_000, 200_000])
    parser.add_argument("--alone", type=int, default=0, help="measure one size in this process")
    arguments = parser.parse_args()
    if arguments.alone:
        print(json.dumps(measure(arguments.alone)))
        return
    for size in arguments.sizes:
        command = [sys.executable, "-m", "tests.benchmarks.curation_sets", "--alone", str(size)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        rate = size / found["judging s"]
        print(", ".join(f"{name} {value:,.4g}" for name, value in found.items()), f"; {rate:,.0f} rows/s judged")


if __name__ == "__main__":
    main()
