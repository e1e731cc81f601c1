r"""Random and mutated completions for the rule verifier: does any of them crash or stall it? There is no peer.

Completions come from the developers' mix as they are, with their bytes disturbed or hostile fragments spliced in, from
an alphabet of LaTeX that parsers trip over, from noise, and from the hostile cases; references, types, choices, units
and precisions from the same sources. A batch that took longer than one item may is judged again item by item. Prints
each crash and stall with its input, counts of verdicts, why items were undecided, and a summary; the exit status is 1
after any crash or stall. A batch that never ends is reported by Python's fault handler, which ends the process.

    python -m tests.benchmarks.verifier_fuzz [COUNT] [--seed SEED] [--replay BATCH ITEM]
"""

import argparse
import faulthandler
import re
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from tests.benchmarks.hostile import HOSTILE, blocked, boxed
from tests.benchmarks.mix import Completion, make_mix
from tests.benchmarks.verifier import sandbox_with

if TYPE_CHECKING:
    from components.rewards.checkable import Checkable

_POOL = 2000  # completions of the mix that are mutated
_SHOWN = 4000  # characters of an input that are printed; --replay gives the rest
_MARGIN = 0.05  # seconds beyond its limit that an item may take
_TRIES = 3  # a stall has to happen each time: the machine may have been busy
_HANG_SECONDS = 60.0  # beyond what the limits of all its items allow, after which a batch counts as hung

_SYMBOLS = r"""
\frac \dfrac \tfrac \sqrt \sqrt[3] \left( \right) \left[ \right. \left\{ \{ \} \pi \infty \cup \cap \in \pm \cdot
\times \div \le \geq \neq \to \text{ \mathrm{ \textbf{ \mbox{ \mathbb{R} \operatorname{lcm} \color{red} \boxed{
\boxed \fbox{ \log \log_2 \ln \sin \arctan \exp \binom \sum_{k=1}^{9} \int_0^1 \lim_{x} \begin{pmatrix}
\end{pmatrix} \begin{cases} \end{cases} \\ & \% \$ \, \; \! ^\circ ^{\prime} \circ \ldots \approx \equiv \mid
\emptyset \forall \xyz \ { } {{ }} ( ) [ ] | ^ _ ^{ _{ $ $$ \( \) \[ \] 0 1 2 3 7 10 42 007 1234567 3.14 .5 5. 1e9
1E-7 1e400 1,000 9^9^9 10^{10} 99999999 10! x y n e i a A B D (B) x^2 x_1 f(x) dx True None nan inf -inf + - * / =
== < > <= ! !! % %% , ; : ' " ` ~ # @ ... <think> </think> <answer> </answer> Answer: **Answer:** or and not I cm m
kg km/h m^2 percent dollars yes no Paris hundred lambda
"""
_ALPHABET = (
    *_SYMBOLS.split(),
    *(" ", "  ", " and ", " or ", "1 000", "the answer is ", "none of the above", "\n", "\t", "\r\n", "\x00", "\x1b"),
    *("\u00a0", "\u2009", "\u200b", "\u202e", "\ufeff", "\ud800", "\udfff", "\U0001f600", "\u4e2d", "\u0301", "\u0130"),
    *("\u2212", "\u00d7", "\u00f7", "\u00b0", "\u00b2", "\u00bd", "\u03c0", "\u221a", "\u221e", "\u2264", "\u222a"),
    *("\u0664", "\uff15", "\u20ac", "\u00b5", "\u2044", "\u2155", "\u2460", "\u00df"),
)
_QUOTED = re.compile(r"""'.*'|".*"|\\\w+""", re.DOTALL)
_UNITS = ("", "", "", "cm", "%", "$", "m/s^2", "\u00b0", "\x00", "\\", "{", "m" * 300)
_PRECISIONS = (None, None, 0, 1, 2, 6, 30, 400)


@dataclass
class Tally:
    """What came out of the run."""

    verdicts: Counter[str] = field(default_factory=Counter)
    undecided: Counter[str] = field(default_factory=Counter)
    crashes: int = 0
    stalls: int = 0
    slowest: float = 0.0
    """Seconds of the slowest item that was timed by itself, or of a whole batch where none had to be."""


# Inputs


def make_batch(seed: int, number: int, size: int, pool: Sequence[Completion]) -> list[tuple["Checkable", str]]:
    """The items of one batch; they depend on the seed and the batch's number alone."""
    rng = Random(f"{seed}/{number}")
    return [_item(rng, pool) for _ in range(size)]


def _item(rng: Random, pool: Sequence[Completion]) -> tuple["Checkable", str]:
    origin = rng.choice(pool)
    make = rng.choices(list(_SOURCES), list(_SOURCES.values()))[0]
    return _example(origin, rng), make(origin, rng)


def _example(origin: Completion, rng: Random) -> "Checkable":
    from components.core.example import AnswerType
    from components.rewards.checkable import Checkable

    is_its_own = rng.random() < 0.6
    return Checkable(
        question=rng.choice(["", "How many?", origin.completion[:200]]),
        references=(origin.reference,) if is_its_own else _references(origin, rng),
        answer_type=AnswerType(origin.answer_type) if rng.random() < 0.6 else rng.choice(list(AnswerType)),
        verifiable=rng.random() < 0.95,
        choices=origin.choices if is_its_own else rng.choice([(), origin.choices, _texts(rng)]),
        unit=origin.unit if is_its_own else rng.choice(_UNITS),
        precision=origin.precision if is_its_own else rng.choice(_PRECISIONS),
    )


def _references(origin: Completion, rng: Random) -> tuple[str, ...]:
    return rng.choice(
        [
            (_disturbed(origin.reference, rng),),
            (_symbols(rng),),
            (origin.reference, _symbols(rng), origin.reference),
            (rng.choice(HOSTILE)[0],),
            (rng.choice(HOSTILE)[1][:3000],),
            _texts(rng),
            ("",),
            (" ", "\x00"),
            (),
        ]
    )


def _texts(rng: Random) -> tuple[str, ...]:
    return tuple(_symbols(rng) for _ in range(rng.randint(0, 12)))


def _symbols(rng: Random) -> str:
    joint = rng.choice(["", "", " "])
    return joint.join(rng.choices(_ALPHABET, k=rng.choice([0, 1, 2, 3, 5, 8, 13, 30, 80])))


def _as_it_is(origin: Completion, rng: Random) -> str:
    return origin.completion


def _mutated(origin: Completion, rng: Random) -> str:
    return _disturbed(origin.completion, rng)


def _framed(origin: Completion, rng: Random) -> str:
    """Random or disturbed text where a verifier looks for the answer."""
    answer = rng.choice([_symbols, lambda rng: _disturbed(origin.reference, rng)])(rng)
    frames: tuple[Callable[[str], str], ...] = (
        boxed,
        blocked,
        lambda text: blocked(boxed(text)),
        lambda text: f"{origin.completion[:300]}\n\nThe answer is ${text}$.",
        lambda text: f"The answer is: {text}",
        lambda text: f"<answer>{text}",
        lambda text: text,
    )
    return rng.choice(frames)(answer)


def _spliced(origin: Completion, rng: Random) -> str:
    """An honest completion with a piece of a hostile one in it, most often near its end."""
    hostile = rng.choice(HOSTILE)[1]
    start = rng.randrange(min(len(hostile), 200))
    fragment = hostile[start : start + rng.choice([10, 60, 300, 2000])]
    position = _position(origin.completion, rng)
    return origin.completion[:position] + fragment + origin.completion[position:]


def _noise(origin: Completion, rng: Random) -> str:
    data = rng.randbytes(rng.choice([0, 1, 10, 100, 3000]))
    return rng.choice([data.decode("latin-1"), data.decode(errors="surrogateescape"), data.decode("utf-16", "replace")])


def _hostile(origin: Completion, rng: Random) -> str:
    return rng.choice(HOSTILE)[1]


_SOURCES: dict[Callable[[Completion, Random], str], int] = {
    _as_it_is: 5,
    _mutated: 35,
    _framed: 40,
    _spliced: 12,
    _noise: 7,
    _hostile: 1,
}


def _disturbed(text: str, rng: Random) -> str:
    for _ in range(rng.choice([1, 1, 2, 4, 10])):
        text = rng.choice(_CHANGES)(text, _position(text, rng), rng)
    return text


def _position(text: str, rng: Random) -> int:
    """A place in the text: half of the time in its last 120 characters, where the answer is."""
    return rng.randint(max(0, len(text) - 120) if rng.random() < 0.5 else 0, len(text))


_CHANGES: tuple[Callable[[str, int, Random], str], ...] = (
    lambda text, at, rng: text[:at] + rng.choice(_ALPHABET) + text[at:],
    lambda text, at, rng: text[:at] + rng.choice(_ALPHABET) + text[at + 1 :],
    lambda text, at, rng: text[:at] + text[at + rng.choice([1, 1, 3, 30]) :],
    lambda text, at, rng: text[:at] + text[at : at + 20] * rng.choice([2, 3, 50]) + text[at + 20 :],
    lambda text, at, _: text[:at] + text[at : at + 40][::-1] + text[at + 40 :],
    lambda text, at, _: text[:at] + text[at : at + 1].swapcase() + text[at + 1 :],
    lambda text, at, rng: text[:at] + chr(rng.choice([rng.randrange(128), rng.randrange(0x110000)])) + text[at + 1 :],
    lambda text, at, _: text[:at],
)


# Judging


def judge_batch(items: Sequence[tuple["Checkable", str]], number: int, limit: float, tally: Tally) -> None:
    """Judge a batch, strictly every other time, and count what comes of it."""
    strict = number % 2 == 1
    start = time.perf_counter()
    judgements = _judged(items, strict)
    seconds = time.perf_counter() - start
    if isinstance(judgements, BaseException):
        _find_crashes(items, number, strict, judgements, tally)
        return
    for index, judgement in enumerate(judgements):
        tally.verdicts[str(judgement.verdict)] += 1
        if judgement.verdict is None:
            tally.undecided[_why_undecided(judgement)] += 1
        if not _is_sound(judgement):
            tally.crashes += 1
            _report(f"UNSOUND {judgement!a}", items[index], number, index)
    if len(judgements) != len(items):
        tally.crashes += 1
        print(f"CRASH batch {number}: {len(judgements)} judgements of {len(items)} items")
    if seconds <= limit + _MARGIN:
        tally.slowest = max(tally.slowest, seconds / len(items))
        return
    for index, item in enumerate(items):
        _check_time(item, number, index, limit, tally)


def _judged(items: Sequence[tuple["Checkable", str]], strict: bool) -> Any:
    """The judgements, or what was raised instead."""
    from components.rewards.judge import judge_all

    try:
        return judge_all(items, strict=strict)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # math-verify's timeout is no Exception
        return error


def _why_undecided(judgement: Any) -> str:
    """The rule and its reason, without what it quotes of the input."""
    reason = getattr(judgement, "reason", "") or ", ".join(judgement.flags)
    return f"{judgement.rule}: {_QUOTED.sub('...', reason)}"


def _is_sound(judgement: Any) -> bool:
    is_verdict = judgement.verdict is None or isinstance(judgement.verdict, bool)
    return is_verdict and 0 <= judgement.confidence <= 1


def _find_crashes(
    items: Sequence[tuple["Checkable", str]], number: int, strict: bool, error: BaseException, tally: Tally
) -> None:
    before = tally.crashes
    for index, item in enumerate(items):
        outcome = _judged([item], strict)
        if isinstance(outcome, BaseException):
            tally.crashes += 1
            _report(f"CRASH {outcome!a}", item, number, index)
            traceback.print_exception(outcome, limit=-6, file=sys.stdout)
        else:
            tally.verdicts[str(outcome[0].verdict)] += 1
    if tally.crashes == before:
        tally.crashes += 1
        print(f"CRASH {error!a} in batch {number} as a whole, in none of its items")


def _check_time(item: tuple["Checkable", str], number: int, index: int, limit: float, tally: Tally) -> None:
    from components.rewards.judge import clear_caches

    fastest = limit + _MARGIN
    for _ in range(_TRIES):
        clear_caches()
        start = time.perf_counter()
        _judged([item], number % 2 == 1)
        seconds = time.perf_counter() - start
        fastest = min(fastest, seconds)
        if seconds <= limit + _MARGIN:
            tally.slowest = max(tally.slowest, seconds)
            return
    tally.stalls += 1
    tally.slowest = max(tally.slowest, seconds)
    _report(f"STALL of {seconds:.3f} s", item, number, index)


def _report(what: str, item: tuple["Checkable", str], number: int, index: int) -> None:
    example, completion = item
    print(f"{what} (--replay {number} {index})\n  {_shown(example)}\n  {_shown(completion)}", flush=True)


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"


def main(arguments: argparse.Namespace) -> int:
    """Run and print; the exit status."""
    pool = make_mix(_POOL, arguments.seed)
    tally = Tally()
    start = time.perf_counter()
    with sandbox_with(arguments.workers, arguments.seconds, memory_mb=512):
        if arguments.replay:
            number, index = arguments.replay
            item = make_batch(arguments.seed, number, arguments.batch, pool)[index]
            _report("REPLAY", item, number, index)
            judge_batch([item], number, arguments.seconds, tally)
        for number in range(0 if arguments.replay else -(-arguments.count // arguments.batch)):
            size = min(arguments.batch, arguments.count - number * arguments.batch)
            faulthandler.dump_traceback_later(size * arguments.seconds + _HANG_SECONDS, exit=True)
            print(f"\rbatch {number}", end="", file=sys.stderr, flush=True)
            judge_batch(make_batch(arguments.seed, number, size, pool), number, arguments.seconds, tally)
            faulthandler.cancel_dump_traceback_later()
    print(file=sys.stderr)
    _print_summary(tally, time.perf_counter() - start)
    return 1 if tally.crashes or tally.stalls else 0


def _print_summary(tally: Tally, seconds: float) -> None:
    for reason, count in tally.undecided.most_common(40):
        print(f"undecided {count:7}  {reason[:160]!a}")
    judged = sum(tally.verdicts.values())
    counts = ", ".join(f"{tally.verdicts[verdict]} {verdict}" for verdict in ("True", "False", "None"))
    print(
        f"{judged} judged in {seconds:.0f} s ({counts}): {tally.crashes} crashes, {tally.stalls} stalls, "
        f"the slowest item timed by itself {tally.slowest:.3f} s"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fuzz run of the rule verifier")
    parser.add_argument("count", nargs="?", type=int, default=100_000, help="completions")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--batch", type=int, default=100, help="completions a batch")
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--seconds", type=float, default=0.5, help="limit of an item")
    parser.add_argument("--replay", nargs=2, type=int, metavar=("BATCH", "ITEM"), help="judge one item again")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(_arguments()))
