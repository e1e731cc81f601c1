"""Registry: the benchmarks by name, imported when they are asked for.

To add one, write a Benchmark in a module of this package and add its name below.
"""

import importlib
from typing import cast

from components.core.errors import SourceError
from components.evaluation.benchmark import Benchmark

_PACKAGE = "components.evaluation.benchmarks"
_BENCHMARKS = {
    "mathvista_testmini": "mathvista:MATHVISTA_TESTMINI",
    "mathverse_testmini": "mathverse:MATHVERSE_TESTMINI",
    "mathvision_test": "mathvision:MATHVISION_TEST",
    "mathvision_testmini": "mathvision:MATHVISION_TESTMINI",
    "ocrbench": "ocrbench:OCRBENCH",
    "docvqa_val": "docvqa:DOCVQA_VAL",
    "textvqa_val": "textvqa:TEXTVQA_VAL",
    "chartqa_test": "chartqa:CHARTQA_TEST",
    "vqav2_val": "vqav2:VQAV2_VAL",
    "ai2d": "ai2d:AI2D",
    "mmmu_val": "mmmu:MMMU_VAL",
}
NAMES = tuple(_BENCHMARKS)


def load_benchmark(name: str) -> Benchmark:
    """A benchmark.

    Args:
        name: One of NAMES.

    Raises:
        SourceError: There is none of this name.
    """
    if name not in _BENCHMARKS:
        raise SourceError(f"benchmark {name[:60]!r}", "unknown", f"Give one of {', '.join(NAMES)}")
    module, constant = _BENCHMARKS[name].split(":")
    return cast(Benchmark, getattr(importlib.import_module(f"{_PACKAGE}.{module}"), constant))
