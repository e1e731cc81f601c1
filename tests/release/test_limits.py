from dataclasses import replace
from typing import Any

import pytest

from components.core.artifact import Manifest
from components.core.example import Family
from components.core.suite import BenchmarkInfo
from components.release.limits import benchmark_limits, limits_of

_INFO = BenchmarkInfo(
    name="mathvista_testmini",
    family=Family.MATH,
    version=1.0,
    questions=1000,
    expected=1000,
    split="testmini",
    scoring="MathVista's script, without a judge",
    chance=0.168,
    notes=("Lists are compared as text.",),
)


def _manifests(source: str, base: str, careless: int) -> dict[str, Manifest]:
    identities: dict[str, dict[str, Any]] = {
        "dataset": {"curation": {"sources": [{"kind": source}]}},
        "base": {"base": {"kind": base}, "warm_start": {"careless_steps": careless}},
        "rollouts": {"seed": 11},
    }
    return {role: Manifest(role, "0" * 64, identity, {}, {}) for role, identity in identities.items()}


@pytest.mark.parametrize(
    ("source", "base", "careless", "more"),
    [("quickstart", "tiny", 5, 3), ("hub", "tiny", 0, 1), ("hub", "pretrained", 0, 0), ("hub", "pretrained", 1, 1)],
)
def test_limits_follow_what_was_run(source: str, base: str, careless: int, more: int) -> None:
    always = len(limits_of(_manifests("hub", "pretrained", 0)))

    assert len(limits_of(_manifests(source, base, careless))) == always + more


def test_limits_name_the_seed() -> None:
    assert any("One training seed (11)" in limit for limit in limits_of(_manifests("hub", "pretrained", 0)))


def test_whole_benchmark_says_split_rule_chance_prompt_and_notes() -> None:
    assert benchmark_limits(_INFO)[:3] == [
        "Split testmini, all 1,000 questions.",
        "Judged by: MathVista's script, without a judge.",
        "Guessing scores 16.8 points.",
    ]
    assert benchmark_limits(_INFO)[-1] == "Lists are compared as text."
    assert any("A public set" in sentence for sentence in benchmark_limits(_INFO))


def test_part_of_a_benchmark_says_of_how_many() -> None:
    (first, *_) = benchmark_limits(replace(_INFO, questions=100))

    assert first.startswith("Split testmini, 100 of 1,000 questions: a part of the published set")


def test_unknown_facts_are_said_to_be_unknown() -> None:
    bare = BenchmarkInfo(name="x", family=Family.OCR, version=1.0, questions=3)

    assert benchmark_limits(bare)[:3] == [
        "The split is not recorded, 3 questions.",
        "How answers are judged is not recorded.",
        "What guessing would score is not known.",
    ]


def test_prompt_and_contamination_depend_on_the_benchmark() -> None:
    public, own = (benchmark_limits(replace(_INFO, name=name)) for name in ("chartqa_test", "heldout_math"))
    official = benchmark_limits(replace(_INFO, policy_prompt=False))

    assert any("training has not seen them" in sentence for sentence in own)
    assert not any("training has not seen them" in sentence for sentence in public)
    assert any("benchmark's own prompt alone" in sentence for sentence in official)
    assert not any("benchmark's own prompt alone" in sentence for sentence in public)
