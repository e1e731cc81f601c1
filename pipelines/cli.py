"""The command line: harmo run | compile | curate | lineage | score | grade | rescore | rewards | surrogate ….

Heavy packages are imported inside the commands, so that `harmo --help` answers at once.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from components import __version__
from components.core.errors import HarmoError, as_storage_error
from pipelines.curation import app as curate_app
from pipelines.surrogate_import import add_import_command
from pipelines.surrogate_loop import add_commands as add_loop_commands

app = typer.Typer(
    help="Align a vision-language model with hybrid-reward GRPO, on a laptop or on Kubeflow.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
RecipeArgument = Annotated[str, typer.Argument(help="A recipe of this project by name, or a YAML file.")]
SettingOption = Annotated[
    list[str] | None, typer.Option("--set", help="Override one value: dotted.key=value. May be repeated.")
]

RootOption = Annotated[
    Path | None, typer.Option(help="Folder that holds the artifacts of the run; found by itself in a local run.")
]


def main() -> None:
    """Run the command line; a named error is one message and status 1."""
    try:
        app()
    except HarmoError as error:
        _fail(str(error))
    except OSError as error:
        named = as_storage_error(error, "the output folder")
        if named is None:
            raise
        _fail(str(named))


def _fail(message: str) -> None:
    typer.secho(f"error: {message}", err=True, fg=typer.colors.RED)
    raise SystemExit(1)


@app.callback(invoke_without_command=True)
def harmo(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    """Align a vision-language model with hybrid-reward GRPO, on a laptop or on Kubeflow."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def run(
    recipe: RecipeArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for artifacts, reports and logs.")],
    setting: SettingOption = None,
) -> None:
    """Run the alignment pipeline on this machine; finished steps are taken from the output folder's cache."""
    from pipelines.local import run_local
    from pipelines.recipe import load_recipe
    from pipelines.summary import print_summary

    print_summary(run_local(load_recipe(recipe, setting or ()), output))


@app.command("compile")
def compile_(
    recipe: RecipeArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The YAML file for Kubeflow's UI.")],
    setting: SettingOption = None,
) -> None:
    """Compile the alignment pipeline for Kubeflow, with a recipe's values as its defaults."""
    from pipelines.compile import compile_recipe
    from pipelines.recipe import load_recipe

    compile_recipe(load_recipe(recipe, setting or ()), output)
    typer.echo(f"wrote {output}")


@app.command()
def lineage(
    artifact: Annotated[Path, typer.Argument(help="Folder of an artifact.")],
    root: Annotated[
        Path | None, typer.Option(help="Folder that holds the artifacts of the run; found by itself in a local run.")
    ] = None,
) -> None:
    """Walk from an artifact back to its sources, verifying every byte on the way."""
    from components.core.lineage import trace
    from pipelines.summary import artifacts_root, lineage_lines

    for line in lineage_lines(trace(artifact, root or artifacts_root(artifact)), set()):
        typer.echo(line)


@app.command()
def score(
    file: Annotated[Path, typer.Argument(help="JSON Lines: completion and references, one completion a line.")],
    rewards: Annotated[
        Path | None, typer.Option(help="YAML with the keys of a recipe's rewards; the defaults without it.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File for the scores; standard output without it.")
    ] = None,
) -> None:
    """Score completions by the portfolio of rewards, without any model: one line in, one line out."""
    from pipelines.score import score_to

    score_to(file, rewards, output)


@app.command()
def grade(
    file: Annotated[Path, typer.Argument(help="JSON Lines: prediction, references and meta, one prediction a line.")],
    benchmark: Annotated[str, typer.Option(help="Whose official rule to grade by; a wrong name lists them all.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File for the grades; standard output without it.")
    ] = None,
    stage: Annotated[
        str | None, typer.Option(help="normalize: take the extraction as given (mathvista); all stages without it.")
    ] = None,
) -> None:
    """Grade predictions by a benchmark's official rule, without any model: one line in, one line out."""
    from pipelines.grade import grade_to

    grade_to(file, benchmark, output, stage)


@app.command("rescore")
def rescore_(
    run: Annotated[Path, typer.Argument(help="The output folder of a local run, or a report bundle.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="An empty or new folder; beside the run without it.")
    ] = None,
    root: RootOption = None,
) -> None:
    """Mark the answers of a finished run again, with the rules of this code; new statistics, decision and report."""
    from pipelines.rescore import rescore_to
    from pipelines.summary import wide_console

    rescore_to(run, output, root, wide_console())


app.add_typer(curate_app, name="curate")

rewards_app = typer.Typer(help="Look into the rewards of a training.", no_args_is_help=True)
app.add_typer(rewards_app, name="rewards")
RunArgument = Annotated[Path, typer.Argument(help="The output folder of a local run, or a folder of rollouts.")]


@rewards_app.command()
def explain(
    run: RunArgument,
    rollout: Annotated[int, typer.Argument(help="The rollout's number: its place in the audit, from 0.")],
    root: RootOption = None,
) -> None:
    """Derive the reward of one training rollout, step by step, and compute it again."""
    from pipelines.explanation import load_audited, print_derivation
    from pipelines.summary import wide_console

    print_derivation(load_audited(run, root).explain(rollout), wide_console())


@rewards_app.command()
def replay(
    run: RunArgument,
    root: RootOption = None,
    tolerance: Annotated[
        float, typer.Option(min=0, help="Largest difference of a number that is let pass; 0 lets none.")
    ] = 1e-6,
) -> None:
    """Compute every reward of a training again and compare; a number beyond the tolerance is status 1."""
    from pipelines.explanation import load_audited, print_replay
    from pipelines.summary import wide_console

    outcome = load_audited(run, root).replay()
    print_replay(outcome, tolerance, wide_console())
    if outcome.beyond(tolerance):
        raise typer.Exit(1)


surrogate_app = typer.Typer(help="The surrogate reward model: fit, score, evaluate.", no_args_is_help=True)
app.add_typer(surrogate_app, name="surrogate")
SurrogateArgument = Annotated[str, typer.Argument(help="Folder of a surrogate, or the word builtin.")]
ScoredArgument = Annotated[
    Path, typer.Argument(help="JSON Lines: question, references, answer, and score (0..1) or label (0 or 1).")
]


@surrogate_app.command("fit")
def fit_surrogate(
    data: ScoredArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the surrogate, new or empty.")],
    config: Annotated[
        Path | None, typer.Option(help="YAML with the keys of a recipe's surrogate; the defaults without it.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides whatever is drawn.")] = 0,
) -> None:
    """Fit a surrogate on scored answers."""
    from pipelines.summary import wide_console
    from pipelines.surrogate import fit_to

    fit_to(data, output, config, seed, wide_console())


@surrogate_app.command("score")
def score_by_surrogate(
    surrogate: SurrogateArgument,
    file: Annotated[Path, typer.Argument(help="JSON Lines: question, references and answer, one answer a line.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File for the scores; standard output without it.")
    ] = None,
) -> None:
    """Score open-ended answers: one line in, one line out, with interval, abstention and neighbours."""
    from pipelines.surrogate import score_to

    score_to(surrogate, file, output)


@surrogate_app.command("eval")
def evaluate_surrogate(
    surrogate: SurrogateArgument,
    data: ScoredArgument,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for metrics.json and report.html.")
    ] = None,
) -> None:
    """Measure a surrogate on scored answers, beside baselines and with answers that game it."""
    from pipelines.summary import wide_console
    from pipelines.surrogate import eval_to

    eval_to(surrogate, data, output, wide_console())


def _load_surrogate(name: str) -> Any:
    from pipelines.surrogate import load_surrogate

    return load_surrogate(name)[0]


add_loop_commands(surrogate_app, _load_surrogate)
add_import_command(surrogate_app)

benchmarks_app = typer.Typer(help="The public benchmarks of the evaluation.", no_args_is_help=True)
app.add_typer(benchmarks_app, name="benchmarks")


@benchmarks_app.command("list")
def list_benchmarks() -> None:
    """List the public benchmarks: family, questions, where the data is, and its licence."""
    from pipelines.benchmarks import print_benchmarks
    from pipelines.summary import wide_console

    print_benchmarks(wide_console())


@benchmarks_app.command("prepare")
def prepare_benchmark(
    name: Annotated[str, typer.Argument(help="The benchmark; `harmo benchmarks list` names them.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the prepared benchmark, new or empty.")],
    source: Annotated[str, typer.Option(help="The published set's files, or their folder; the hub without it.")] = "",
    revision: Annotated[str, typer.Option(help="Branch, tag or commit of the hub.")] = "main",
    limit: Annotated[int, typer.Option(min=0, help="Questions at most, drawn at random; 0 takes all.")] = 0,
    partial: Annotated[bool, typer.Option("--partial", help="Accept a set that is not complete.")] = False,
) -> None:
    """Turn a published set into questions as they are asked, every row accounted for."""
    from components.evaluation.config import BenchmarkEntry
    from pipelines.benchmarks import prepare_to
    from pipelines.summary import wide_console

    entry = BenchmarkEntry(name=name, path=source, revision=revision, limit=limit)
    prepare_to(entry, output, partial, wide_console())
