"""Gather the suite that policies are evaluated on: the dataset's held-out families, and public benchmarks.

The benchmarks are prepared before the data is curated, so that no example is from them.
"""

import random
import shutil
from collections.abc import Sequence, Set
from dataclasses import replace
from pathlib import Path

from components.core.artifact import MANIFEST, InputRef, Manifest, read_manifest, seal, verify
from components.core.errors import EmptyDatasetError, RecipeError, SourceError
from components.core.lineage import SOURCE_KIND
from components.core.question import QuestionFile, write_questions
from components.core.suite import (
    BENCHMARK,
    BENCHMARKS,
    QUESTIONS,
    BenchmarkInfo,
    questions_path,
    read_suite,
    write_suite,
)
from components.evaluation.config import BenchmarkEntry, EvaluationConfig
from components.evaluation.heldout import heldout_info, heldout_questions
from components.evaluation.prepare import prepare, read_prepared


def prepare_benchmarks(entries: Sequence[BenchmarkEntry], output: Path, seed: int) -> Manifest:
    """Prepare the public benchmarks of a recipe, before there is a dataset: none of its examples may be from them.

    Args:
        entries: Which ones, and how many questions of each; none makes an artifact without a question.
        output: Folder for the benchmarks artifact.
        seed: Draws the questions of a benchmark that has a limit.

    Raises:
        ArtifactError: A prepared benchmark is not what it should be.
        RecipeError: A benchmark is named twice.
        SourceError: A benchmark is unknown, not to be had, or lacks columns or questions.
    """
    _refuse_repeated(entries)
    output.mkdir(parents=True, exist_ok=True)
    inputs: dict[str, Manifest | InputRef] = {}
    infos = []
    for entry in entries:
        info, inputs[entry.name] = _add(entry, output, seed)
        infos.append(info)
    write_suite(output, infos)
    identity = {"benchmarks": [entry.model_dump(mode="json") for entry in entries], "seed": seed if entries else 0}
    return seal(output, BENCHMARKS, identity, inputs)


def gather_suite(dataset: Path, benchmarks: Path, output: Path, config: EvaluationConfig) -> Manifest:
    """Write the suite.

    Args:
        dataset: A dataset artifact; its held-out split is the first part.
        benchmarks: A benchmarks artifact, the second part.
        output: Folder for the suite artifact.
        config: How many held-out examples, and whose prompts.

    Raises:
        ArtifactError: The dataset or the benchmarks are not what they should be.
        EmptyDatasetError: There is no question at all.
        RecipeError: The configuration names a benchmark that was not prepared.
    """
    data = verify(dataset, "dataset")
    inputs: dict[str, Manifest | InputRef] = {"dataset": data, "benchmarks": verify(benchmarks, BENCHMARKS)}
    public = read_suite(benchmarks)
    _refuse_unprepared(config.benchmarks, {info.name for info in public})
    output.mkdir(parents=True, exist_ok=True)
    infos = _write_heldout(dataset, output, config.max_examples, data.fingerprint)
    for info in public:
        shutil.copytree(benchmarks / info.name, output / info.name)
        infos.append(replace(info, policy_prompt=config.prompts == "policy"))
    if not infos:
        raise EmptyDatasetError(
            str(dataset),
            "it has no held-out example",
            "Raise curation.groups.heldout_fraction, or name evaluation.benchmarks",
        )
    write_suite(output, infos)
    return seal(output, "suite", {"max_examples": config.max_examples, "prompts": config.prompts}, inputs)


def _write_heldout(dataset: Path, output: Path, max_examples: int, fingerprint: str) -> list[BenchmarkInfo]:
    infos = []
    source = f"dataset {fingerprint[:12]}"
    for name, questions in heldout_questions(dataset, max_examples).items():
        (output / name).mkdir(exist_ok=True)
        write_questions(questions, questions_path(output, name))
        infos.append(heldout_info(name, questions, source))
    return infos


def _add(entry: BenchmarkEntry, output: Path, seed: int) -> tuple[BenchmarkInfo, InputRef]:
    """Put a public benchmark into the artifact; its fingerprint is what the artifact was made from."""
    folder = output / entry.name
    if (Path(entry.path) / MANIFEST).is_file():
        info, manifest = _take_prepared(entry, folder, seed)
    else:
        info, manifest = _prepare(entry, folder, seed)
    return info, InputRef(SOURCE_KIND, manifest.fingerprint)


def _take_prepared(entry: BenchmarkEntry, folder: Path, seed: int) -> tuple[BenchmarkInfo, Manifest]:
    info, source = read_prepared(Path(entry.path))
    if info.name != entry.name:
        raise SourceError(entry.path, f"it holds {info.name}, not {entry.name}", "Correct the path or the name")
    folder.mkdir(parents=True, exist_ok=True)
    if not 0 < entry.limit < info.questions:
        shutil.copyfile(source, folder / QUESTIONS)
    else:
        questions = QuestionFile(source)
        places = sorted(random.Random(seed).sample(range(len(questions)), entry.limit))
        info = replace(info, questions=write_questions((questions[place] for place in places), folder / QUESTIONS))
    return info, read_manifest(Path(entry.path))


def _prepare(entry: BenchmarkEntry, folder: Path, seed: int) -> tuple[BenchmarkInfo, Manifest]:
    """Prepare the published set inside of the artifact, whose own manifest then stands for it."""
    manifest = prepare(entry, folder, seed)
    info, _ = read_prepared(folder)
    (folder / MANIFEST).unlink()
    (folder / BENCHMARK).unlink()
    return info, manifest


def _refuse_unprepared(entries: Sequence[BenchmarkEntry], prepared: Set[str]) -> None:
    missing = [entry.name for entry in entries if entry.name not in prepared]
    if missing:
        problem = f"{', '.join(missing)} was not prepared before the data was curated"
        raise RecipeError("evaluation.benchmarks", problem, "Name it in the pipeline's parameter benchmarks")


def _refuse_repeated(entries: Sequence[BenchmarkEntry]) -> None:
    names = [entry.name for entry in entries]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise RecipeError("evaluation.benchmarks", f"{', '.join(repeated)} is named twice", "Name each benchmark once")
