"""Registry: the graders by the name of their benchmark, imported when they are asked for.

To add one, write a function of type Grader in a module of this package and add its name below.
"""

import importlib
from typing import cast

from components.core.errors import SourceError
from components.evaluation.grade import Grader

_PACKAGE = "components.evaluation.graders"
_GRADERS = {
    "vqa": "vqa:vqa",
    "textvqa": "vqa:textvqa",
    "anls": "anls:anls",
    "chartqa_relaxed": "chartqa:chartqa_relaxed",
    "ocrbench": "ocrbench:ocrbench",
    "mathvista": "mathvista:mathvista",
    "mathverse": "mathverse:mathverse",
    "mathvision": "mathvision:mathvision",
    "mmmu_multichoice": "mmmu:mmmu_multichoice",
    "mmmu_open": "mmmu:mmmu_open",
    "ai2d": "ai2d:ai2d",
}
NAMES = tuple(_GRADERS)


def load_grader(name: str) -> Grader:
    """The grader of a benchmark.

    Args:
        name: One of NAMES.

    Raises:
        SourceError: There is no benchmark of this name.
    """
    if name not in _GRADERS:
        raise SourceError(f"benchmark {name[:60]!r}", "unknown", f"Give one of {', '.join(NAMES)}")
    module, function = _GRADERS[name].split(":")
    return cast(Grader, getattr(importlib.import_module(f"{_PACKAGE}.{module}"), function))
