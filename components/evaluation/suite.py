"""Gather the suite that policies are evaluated on: the dataset's held-out families, and public benchmarks."""

import random
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from components.core.artifact import MANIFEST, InputRef, Manifest, read_manifest, seal, verify
from components.core.errors import EmptyDatasetError, RecipeError, SourceError
from components.core.lineage import SOURCE_KIND
from components.core.question import QuestionFile, write_questions
from components.core.suite import BENCHMARK, QUESTIONS, BenchmarkInfo, questions_path, write_suite
from components.evaluation.config import BenchmarkEntry, EvaluationConfig
from components.evaluation.heldout import heldout_info, heldout_questions
from components.evaluation.prepare import prepare, read_prepared


def gather_suite(dataset: Path, output: Path, config: EvaluationConfig, seed: int) -> Manifest:
    """Write the suite.

    Args:
        dataset: A dataset artifact; its held-out split is the first part.
        output: Folder for the suite artifact.
        config: Which public benchmarks, and how many questions of each.
        seed: Draws the questions of a benchmark that has a limit.

    Raises:
        ArtifactError: The dataset, or a prepared benchmark, is not what it should be.
        EmptyDatasetError: There is no question at all.
        RecipeError: A benchmark is named twice.
        SourceError: A benchmark is unknown, not to be had, or lacks columns or questions.
    """
    inputs: dict[str, Manifest | InputRef] = {"dataset": verify(dataset, "dataset")}
    _refuse_repeated(config.benchmarks)
    output.mkdir(parents=True, exist_ok=True)
    infos = _write_heldout(dataset, output, config.max_examples)
    for entry in config.benchmarks:
        info, reference = _add(entry, output, config, seed)
        infos.append(info)
        inputs[entry.name] = reference
    if not infos:
        raise EmptyDatasetError(
            str(dataset), "it has no held-out example", "Raise curation.heldout_fraction, or name evaluation.benchmarks"
        )
    write_suite(output, infos)
    identity = {
        "benchmarks": [entry.model_dump(mode="json") for entry in config.benchmarks],
        "max_examples": config.max_examples,
        "prompts": config.prompts,
        "seed": seed,
    }
    return seal(output, "suite", identity, inputs)


def _write_heldout(dataset: Path, output: Path, max_examples: int) -> list[BenchmarkInfo]:
    infos = []
    source = f"dataset {verify(dataset, 'dataset').fingerprint[:12]}"
    for name, questions in heldout_questions(dataset, max_examples).items():
        (output / name).mkdir(exist_ok=True)
        write_questions(questions, questions_path(output, name))
        infos.append(heldout_info(name, questions, source))
    return infos


def _add(entry: BenchmarkEntry, output: Path, config: EvaluationConfig, seed: int) -> tuple[BenchmarkInfo, InputRef]:
    """Put a public benchmark into the suite; its fingerprint is what the suite was made from."""
    folder = output / entry.name
    if (Path(entry.path) / MANIFEST).is_file():
        info, manifest = _take_prepared(entry, folder, seed)
    else:
        info, manifest = _prepare(entry, folder, seed)
    info = replace(info, policy_prompt=config.prompts == "policy")
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
    """Prepare the published set inside of the suite, whose own manifest then stands for it."""
    manifest = prepare(entry, folder, seed)
    info, _ = read_prepared(folder)
    (folder / MANIFEST).unlink()
    (folder / BENCHMARK).unlink()
    return info, manifest


def _refuse_repeated(entries: Sequence[BenchmarkEntry]) -> None:
    names = [entry.name for entry in entries]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise RecipeError("evaluation.benchmarks", f"{', '.join(repeated)} is named twice", "Name each benchmark once")
