r"""Hostile answers: what costs a verifier minutes, gigabytes or its process; it has no peer and prints nothing.

No case is right. Towers and factorials overflow time, nested fractions and brackets the stack, floods of one character
whatever is quadratic, and the rest looks for what a parser does with NUL, lone surrogates or right-to-left marks.
"""

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from tests.benchmarks.mix import Completion, make_mix

if TYPE_CHECKING:
    from components.rewards.checkable import Checkable

_MEGABYTE = 2**20


def boxed(latex: str) -> str:
    """A completion that boxes an answer."""
    return rf"We compute it. The answer is $\boxed{{{latex}}}$."


def blocked(answer: str) -> str:
    """A completion that keeps to the template."""
    return f"<think>\nWe compute it.\n</think>\n<answer>{answer}</answer>"


def _nested(opening: str, kernel: str, closing: str, depth: int) -> str:
    return opening * depth + kernel + closing * depth


_LARGE = (  # numbers that cannot be written out
    ("9", boxed("9^{9^{9^9}}")),
    ("9", blocked("9**9**9**9")),
    ("1", boxed("10^{10^8}")),
    ("4", boxed("2^{2^{31}}")),
    ("2", boxed("2^{2^{2^{2^{2^{2^{2}}}}}}")),
    ("1", boxed("100000000!")),
    ("9", boxed("9!!!!!")),
    ("9", blocked("((9!)!)!")),
    ("9", boxed("9!!!!!!!!!!!!")),
    ("2", boxed(r"\binom{10000000}{5000000}")),
    ("0", boxed("3^{50000000}")),
    ("1", boxed("7^{30000000} + 1")),
    ("0", boxed(r"\frac{1}{3^{50000000}}")),
    ("49999999", boxed(r"\log_3(3^{50000000})")),
    ("29", boxed(r"\log_2(\log_2(2^{2^{2^{30}}}))")),
    ("3", boxed(r"\gcd(3^{50000000}, 9^{20000000})")),
    ("1", boxed(r"1.0000001^{10^{12}}")),
    ("0", boxed("10^{-10^9}")),
    ("1", blocked("1e999999999")),
    ("0", blocked("1e-999999999")),
    ("0", boxed(r"\sin(10^{10^{7}})")),
    ("1", boxed(r"(\sqrt{2})^{10^{9}}")),
)
_LONG_SUMS = (  # what is short to write and long to compute
    ("21", boxed(r"\sum_{k=1}^{10^9} \frac{1}{k}")),
    ("1", boxed(r"\sum_{k=1}^{10^6} k^k")),
    ("1", boxed(r"\prod_{k=1}^{10^7} k")),
    ("2", boxed(r"\int_0^{10^9} e^{x^2} \sin(x^3) dx")),
    ("2", boxed(r"\lim_{x \to 0} \frac{\sin^{50} x}{x^{51}}")),
    ("x", boxed("(x+1)^{100000}")),
    ("x", boxed("(a+b+c+d+e)^{60}")),
    ("x", boxed(r"\sin(\cos(\tan(\exp(x^{x^{x}}))))^{64} - (\sqrt{x+\sqrt{x+\sqrt{x}}})^{63}")),
)
_SLOW = (  # short, flat and without a large number: no bound on the text finds them, and computer algebra does not end
    ("x = 1", boxed(r"x^{21} + 3x^{17} - \sqrt{x} + \sin(x) = 0")),
    ("x = 1", boxed(r"\sin(x)^{2} + x\cos(x)^3 + x^5 = 0")),
    ("x = 1", boxed(r"\sqrt{x + \sqrt{x^{3}+2}} + x^{7} = \sqrt{x}")),
    ("x = 1", boxed(r"e^{x} + x^{5} = \sin(x) + 3")),
    ("y = x", boxed(r"\sin(x^{3} y) + x^{21} y^{17} - \sqrt{y + \sqrt{x}} = \tan(x y)")),
    ("x = 2", boxed(r"\log(x + \sqrt{x}) + x^{9} = \cos(x^2)")),
    ("x = 2", boxed(r"\frac{x^{7} + \sqrt{x + 1}}{x^{5} - \sqrt{x}} = \sqrt{x + \sqrt{x + 1}}")),
    ("x^2 + y^2 = 1", boxed(r"\sqrt{x^{3} + \sqrt{y}} + \sqrt{y^{3} + \sqrt{x}} = \sqrt{x y + 1}")),
    (r"x = \pi", boxed(r"\tan(x)\sin(x^2) + \cos(x)^{5} = \sqrt{x}")),
)
_DEEP = (
    ("3", boxed(_nested(r"\frac{1}{", "2", "}", 200))),
    ("3", boxed(_nested(r"\frac{1}{1+", "2", "}", 2000))),
    ("1", boxed(_nested(r"\sqrt{", "2", "}", 300))),
    ("2", boxed(_nested("{", "1", "}", 10_000))),
    ("2", boxed(_nested("(", "1", ")", 5_000))),
    ("2", boxed(_nested(r"\left(", "1", r"\right)", 3_000))),
    ("2", boxed(_nested("|", "1", "|", 2_000))),
    ("2", blocked(_nested(r"\boxed{", "1", "}", 20_000))),
    ("2", blocked(_nested("-", "1", "", 50_000))),
)
_LONG = (
    ("3", boxed("1" + "+1" * 50_000)),
    ("x", boxed("x" * 20_000)),
    ("1", boxed(",".join(map(str, range(20_000))))),
    ("1", boxed("0." + "9" * 50_000)),
    ("7", boxed("7" * _MEGABYTE)),
    ("7", "{" * _MEGABYTE),
    ("7", "{}" * (_MEGABYTE // 2)),
    ("7", "$" * _MEGABYTE),
    ("7", "\\" * _MEGABYTE),
    ("7", boxed(" " * _MEGABYTE)),
    ("2", r"\boxed{1} " * 5_000),
    ("2", r"\boxed{1" * 2_000),
    ("2", "<answer>1" * 50_000),
    ("2", "<think></think><answer>1</answer>" * 20_000),
    ("2", "The answer is " * 50_000 + "1"),
    ("2", "the " * 100_000 + "cat"),
    ("2", blocked("1" + "\u0301" * 100_000)),
    ("2", blocked("1," * 100_000)),
)
_ODD = (
    ("5", boxed("\x004")),
    ("5", "\x00" * 10_000),
    ("5", boxed("\ud8004\udfff")),
    ("5", "\udcff" * 10_000),
    ("12", boxed("\u202e21")),
    ("43", blocked("\u200f\u0664\u0662\u200e")),
    ("0", blocked("__import__('time').sleep(60)")),
    ("0", boxed("(lambda f: f(f))(lambda f: f(f))")),
    ("9^{9^{9^9}}", boxed("9^{9^{9^8}}")),
    ("10^{10^8}", boxed("10^{10^8} + 1")),
)

HOSTILE: tuple[tuple[str, str], ...] = (*_LARGE, *_LONG_SUMS, *_SLOW, *_DEEP, *_LONG, *_ODD)
"""References with completions that answer them in bad faith; none is right."""


def hostile_batch(
    good: int, bad: int, seed: int, slow: float = 0.5
) -> list[tuple["Checkable", str, bool | None, bool]]:
    """Honest and hostile completions in random order.

    Args:
        good: How many honest ones, all with an answer, from the developers' mix.
        bad: How many hostile ones.
        seed: The same seed gives the same batch.
        slow: Share of the hostile ones that pass for honest until computer algebra has them.

    Returns:
        Of each item the example, the completion, the verdict that is right for it (None for a hostile one: anything
        but right will do), and whether it is hostile.
    """
    rng = Random(seed)
    honest = [each for each in make_mix(good * 2 + 20, seed) if "/truncated/" not in each.kind][:good]
    items: list[tuple[Checkable, str, bool | None, bool]]
    items = [(checkable(each), each.completion, each.right, False) for each in honest]
    others = [case for case in HOSTILE if case not in _SLOW]
    cases = _drawn(_SLOW, round(bad * slow), rng) + _drawn(others, bad - round(bad * slow), rng)
    items += [(*hostile_item(*case), None, True) for case in cases]
    rng.shuffle(items)
    return items


def checkable(completion: Completion, question: str = "") -> "Checkable":
    """The example that a completion answers.

    Args:
        completion: From any of the mixes.
        question: Tells examples apart that have the same reference.
    """
    from components.core.example import AnswerType
    from components.rewards.checkable import Checkable

    return Checkable(
        question=question,
        references=(completion.reference,),
        answer_type=AnswerType(completion.answer_type),
        verifiable=True,
        choices=completion.choices,
        unit=completion.unit,
        precision=completion.precision,
    )


def hostile_item(reference: str, completion: str) -> tuple["Checkable", str]:
    """A hostile case as an example and its completion."""
    answer_type = "number" if reference.isdigit() else "expression"
    return checkable(Completion(completion, reference, answer_type, right=False, kind="hostile")), completion


def _drawn(cases: Sequence[tuple[str, str]], count: int, rng: Random) -> list[tuple[str, str]]:
    whole, rest = divmod(count, len(cases))
    return [*list(cases) * whole, *rng.sample(cases, rest)]
