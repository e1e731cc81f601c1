import subprocess
import sys

import pytest

_HEAVY = ("torch", "transformers", "lm_eval", "trl", "kfp", "sklearn", "pandas")


@pytest.mark.parametrize(
    "module",
    [
        "components.core.example",
        "components.core.policy",
        "components.evaluation.runner",
        "pipelines.recipe",
        "pipelines.cli",
        "pipelines.grade",
        "pipelines.benchmarks",
        "pipelines.surrogate",
        "pipelines.surrogate_loop",
        "pipelines.surrogate_curve",
        "pipelines.surrogate_refit",
        "pipelines.surrogate_decision",
        "components.surrogate.fitted_rows",
        "components.surrogate.curve_page",
        "components.surrogate.measure",
    ],
)
def test_importing_does_not_load_heavy_packages(module: str) -> None:
    code = f"import sys, {module}; print(*(set({_HEAVY!r}) & set(sys.modules)))"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert loaded == []
