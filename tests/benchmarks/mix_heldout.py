"""A held-out mix of labelled completions, for benchmarking an answer verifier.

It was written without sight of the verifier's rules, so that it measures them rather than repeats them. A label is
never asserted by hand: every candidate answer carries an exact key (fractions, canonical surds, sets of end points),
and an answer is right when its key is among the keys that its problem accepts.

What is right beyond equality is a convention of the mix:

* A quantity is right with its unit or with none; another unit is wrong, whatever the number.
* A percentage needs its sign or the word; the bare number and the decimal are wrong.
* With ``precision = p``, an answer within half a unit of the p-th decimal place of the reference is right.
* Arithmetic that is copied from the question, two candidates joined by "or", and two options named are wrong.
* Letter case and quotation marks do not matter in a short text.
* The last stated answer counts; a completion that breaks off before one is wrong.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

Slots = dict[str, object]
# A connected piece of the real line: low end (None: unbounded), is it included, high end, is it included.
Piece = tuple[Fraction | None, bool, Fraction | None, bool]
# "surd", the rational part, the factor of the root, and a radicand without square factors.
Surd = tuple[str, Fraction, Fraction, int]

# Percent of the mix; the first six are prescribed, the rest share what is left.
FAMILY_SHARES = {
    "integer": 20,
    "fraction": 14,
    "decimal": 10,
    "quantity": 8,
    "choice": 8,
    "root": 6,
    "polynomial": 6,
    "interval": 5,
    "pi": 4,
    "tuple": 4,
    "percent": 4,
    "equation": 4,
    "short_text": 4,
    "set": 3,
}
# Percent of the mix, by how the final answer is stated.
FORM_SHARES = {"tagged": 40, "boxed": 35, "tagged_boxed": 15, "last_line": 5, "truncated": 5}
# Among the completions that do answer. With the truncated ones, 35 % of the whole are wrong.
LABEL_SHARES = {"same": 50, "equal": 15, "wrong": 30}
# Characters of reasoning, drawn log-uniformly: about 300 to 2,000 tokens with what surrounds it.
SHORTEST, LONGEST = 1250, 6600
# Share of completions that state, and then revise, an earlier candidate.
HEDGED = 0.4
# Share of completions that box an intermediate result on the way.
BOXED_ON_THE_WAY = 0.25
# Decimal rounding, in units of the last asked place: nothing is generated between these, where half a unit lies.
SURELY_WITHIN, SURELY_OUTSIDE = Fraction(45, 100), Fraction(55, 100)

MINUS = "\u2212"  # the typographic minus, which models write in plain text


@dataclass(frozen=True)
class Completion:
    """A model's completion with its reference and its label.

    Attributes:
        completion: What the model wrote.
        reference: The reference answer.
        answer_type: "number", "expression", "choice" or "short_text".
        right: Whether the completion answers the question rightly.
        kind: The family of the problem and how the answer relates to the reference, "family/how".
        choices: The texts of the options, in the order of their letters.
        unit: The unit of the reference.
        precision: Decimal places that were asked for; None when the answer is to be exact.
    """

    completion: str
    reference: str
    answer_type: str
    right: bool
    kind: str
    choices: tuple[str, ...] = ()
    unit: str = ""
    precision: int | None = None


@dataclass(frozen=True)
class Candidate:
    """A possible answer.

    Attributes:
        how: "same", or "equal-..." or "wrong-..." with how it relates to the reference.
        key: The exact value; None when it is too close to call, and then the candidate is dropped.
        tex: The answer in math mode.
        plain: The answer outside of math mode; empty when it is written as in math mode.
    """

    how: str
    key: Hashable
    tex: str
    plain: str = ""

    @property
    def text(self) -> str:
        """The answer outside of math mode."""
        return self.plain or self.tex


@dataclass(frozen=True)
class Problem:
    """A question with its reference and its candidate answers.

    Attributes:
        answer_type: As in `Completion`.
        topic: What is asked for, as a noun phrase.
        reference: The reference answer.
        accepted: The keys of right answers.
        candidates: The possible answers, right and wrong.
        given: What the question states, as a sentence; may be empty.
        prefixes: What may stand before an answer, as pairs in math mode and outside of it.
        choices: As in `Completion`.
        unit: As in `Completion`.
        precision: As in `Completion`.
    """

    answer_type: str
    topic: str
    reference: str
    accepted: frozenset[Hashable]
    candidates: list[Candidate]
    given: str = ""
    prefixes: tuple[tuple[str, str], ...] = ()
    choices: tuple[str, ...] = ()
    unit: str = ""
    precision: int | None = None


def _pick(rng: random.Random, shares: dict[str, int]) -> str:
    """Draw a name in proportion to its share."""
    return rng.choices(list(shares), weights=list(shares.values()))[0]


def _nonzero(rng: random.Random, bound: int) -> int:
    """Draw an integer of either sign, other than zero."""
    return rng.choice((1, -1)) * rng.randint(1, bound)


def _fill(template: str, slots: Slots) -> str:
    """Put values into a template whose slots are written <name>."""
    for name, value in slots.items():
        template = template.replace(f"<{name}>", str(value))
    return template


# --- Rendering of exact values ---------------------------------------------------------------------------------------


def _terminates(value: Fraction) -> bool:
    """Say whether a fraction has a short decimal expansion."""
    return 10**4 % value.denominator == 0


def _decimal(value: Fraction, places: int | None = None) -> str:
    """Render a terminating fraction as a decimal, exactly.

    Args:
        value: The number.
        places: Decimal places to show; as many as are needed when None.

    Returns:
        The digits.

    Raises:
        ValueError: When the number of places does not hold the value.
    """
    if places is None:
        places = next(p for p in range(20) if 10**p % value.denominator == 0)
    scaled = value * 10**places
    if scaled.denominator != 1:
        raise ValueError(f"{value} needs more than {places} places")
    digits = f"{abs(scaled.numerator):0{places + 1}d}"
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def _frac(value: Fraction, command: str = r"\frac") -> str:
    """Render a fraction in math mode, its sign before it."""
    if value.denominator == 1:
        return str(value.numerator)
    sign = "-" if value < 0 else ""
    return rf"{sign}{command}{{{abs(value.numerator)}}}{{{value.denominator}}}"


def _thousands(value: int, separator: str) -> str:
    """Render an integer with its thousands set apart."""
    return f"{value:,}".replace(",", separator)


def _scientific(value: Fraction) -> tuple[str, str]:
    """Render a positive terminating number in scientific notation, in math mode and outside of it."""
    exponent = 0
    while value >= 10:
        value, exponent = value / 10, exponent + 1
    while value < 1:
        value, exponent = value * 10, exponent - 1
    mantissa = _decimal(value)
    return rf"{mantissa} \times 10^{{{exponent}}}", f"{mantissa}e{exponent}"


def _swapped(digits: str, rng: random.Random) -> str:
    """Swap two neighbouring, different digits, where there are any."""
    places = [
        i
        for i in range(len(digits) - 1)
        if digits[i].isdigit() and digits[i + 1].isdigit() and digits[i] != digits[i + 1]
    ]
    if not places:
        return digits
    i = rng.choice(places)
    return digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :]


def _terms(parts: Iterable[tuple[Fraction | int, str]], times: str = "") -> str:
    """Render a sum of monomials such as 2x - 3y + 1, leaving out those with a coefficient of zero."""
    text = ""
    for coefficient, symbol in parts:
        if coefficient == 0:
            continue
        size = _frac(abs(Fraction(coefficient)))
        body = symbol if symbol and size == "1" else size + (times if symbol else "") + symbol
        sign = "-" if coefficient < 0 else "+"
        text += f" {sign} {body}" if text else ("-" if coefficient < 0 else "") + body
    return text or "0"


def _square_part(radicand: int) -> int:
    """Give the largest integer whose square divides the radicand."""
    return max(s for s in range(1, math.isqrt(radicand) + 1) if radicand % (s * s) == 0)


def _surd_key(rational: Fraction | int, factor: Fraction | int, radicand: int) -> Surd:
    """Give the canonical form of rational + factor * sqrt(radicand)."""
    square = _square_part(radicand)
    rational, factor, radicand = Fraction(rational), Fraction(factor) * square, radicand // square**2
    if radicand == 1 or factor == 0:
        return ("surd", rational + (factor if radicand == 1 else 0), Fraction(0), 1)
    return ("surd", rational, factor, radicand)


def _surd(rational: Fraction | int, factor: Fraction | int, radicand: int) -> tuple[str, str]:
    """Render rational + factor * sqrt(radicand), in math mode and outside of it."""
    rational, factor = Fraction(rational), Fraction(factor)
    top = abs(factor.numerator)
    tex = ("" if top == 1 else str(top)) + rf"\sqrt{{{radicand}}}"
    plain = ("" if top == 1 else str(top)) + f"\u221a{radicand}"
    if factor.denominator != 1:
        tex, plain = rf"\frac{{{tex}}}{{{factor.denominator}}}", f"{plain}/{factor.denominator}"
    if rational == 0:
        sign = "-" if factor < 0 else ""
        return sign + tex, sign + plain
    sign = " - " if factor < 0 else " + "
    return _frac(rational) + sign + tex, str(rational) + sign + plain


# --- Families of problems --------------------------------------------------------------------------------------------

_NUMBER_TOPICS = (
    "the missing entry of the table",
    "the value of $x$ that makes the two sides balance",
    "the total over all rows of the chart",
    "the number of small squares in the pattern",
    "how many more votes the first bar has than the second",
    "the value at the marked point of the graph",
    "the number that belongs in the empty circle",
    "the output of the function machine",
    "the entry in the lower right corner of the grid",
    "the value that the flow chart prints",
)
_SHARE_TOPICS = (
    "the fraction of the figure that is shaded",
    "the probability that the spinner stops on a marked sector",
    "the probability of the event in the tree diagram",
    "the ratio of the shorter segment to the longer one",
)
_RATIO_TOPICS = (
    "the slope of the line through the two points",
    "the value of $x$ where the graph crosses the axis",
    "the exact value at the marked place of the number line",
    "the missing factor in the second row",
)


def _arithmetic(rng: random.Random) -> tuple[int, str]:
    """Draw an arithmetic task.

    Returns:
        Its value and the task in math mode.
    """
    a, b, c = rng.randint(6, 99), rng.randint(3, 60), rng.randint(2, 15)
    large, huge = rng.randint(500, 9000), rng.randint(300, 60000)
    return rng.choice(
        (
            (a + b, f"{a} + {b}"),
            (a - b, f"{a} - {b}"),
            (a * c, rf"{a} \times {c}"),
            (a + b * c, rf"{a} + {b} \times {c}"),
            (a * c - b, rf"{a} \times {c} - {b}"),
            ((a + b) * c, rf"({a} + {b}) \times {c}"),
            (c * c - b, f"{c}^2 - {b}"),
            (large + huge, f"{large} + {huge}"),
            (large - huge, f"{large} - {huge}"),
            (large * c, rf"{large} \times {c}"),
        )
    )


def _integer_wrong(rng: random.Random, value: int, asked: str) -> list[Candidate]:
    """Give near misses of an integer."""
    step = rng.choice((1, -1))
    swapped = int(_swapped(str(value), rng))
    far = value + 10 * step
    return [
        Candidate("wrong-off-by-one", value + step, str(value + step)),
        Candidate("wrong-sign", -value, str(-value)),
        Candidate("wrong-swapped-digits", swapped, str(swapped)),
        Candidate("wrong-scale", value * 10, str(value * 10)),
        Candidate("wrong-carry", far, _thousands(far, "{,}"), _thousands(far, ",")),
        Candidate("wrong-unevaluated", ("unevaluated", asked), asked, asked.replace(r"\times", rng.choice("*\u00d7"))),
    ]


def _integer(rng: random.Random) -> Problem:
    """Draw a problem whose reference is an integer."""
    value, asked = _arithmetic(rng)
    bare = Candidate("same", value, str(value))
    grouped = Candidate("same", value, _thousands(value, "{,}"), _thousands(value, ","))
    reference, right = str(value), [bare]
    places = rng.choice((1, 1, 2))
    right.append(Candidate("equal-trailing-zero", value, _decimal(Fraction(value * 10**places, 10**places), places)))
    if abs(value) >= 1000:
        narrow = Candidate("equal-thin-space", value, _thousands(value, r"\,"), _thousands(value, ","))
        if rng.random() < 0.25:  # some references come with separators
            reference = _thousands(value, ",")
            right[0] = grouped
            right += [Candidate("equal-no-separator", value, str(value)), narrow]
        else:
            right += [Candidate("equal-separator", value, grouped.tex, grouped.plain), narrow]
        if value > 0:
            right.append(Candidate("equal-scientific", value, *_scientific(Fraction(value))))
    letter = rng.choice("xnNkam")
    return Problem(
        "number",
        rng.choice(_NUMBER_TOPICS),
        reference,
        frozenset({value}),
        right + _integer_wrong(rng, value, asked),
        given=rng.choice(
            (f"The question asks me to compute ${asked}$.", rf"I have to find \({asked}\).", f"We need ${asked}$.")
        ),
        prefixes=((f"{letter} = ", f"{letter} = "), (f"{letter}=", f"{letter}=")),
    )


def _fraction_equal(rng: random.Random, value: Fraction) -> list[Candidate]:
    """Give other forms of a fraction."""
    sign, top, bottom = "-" if value < 0 else "", abs(value.numerator), value.denominator
    factor = rng.randint(2, 6)
    unreduced = rf"{sign}\frac{{{top * factor}}}{{{bottom * factor}}}"
    right = [
        Candidate("equal-dfrac", value, _frac(value, rng.choice((r"\dfrac", r"\tfrac", r"\cfrac"))), str(value)),
        Candidate("equal-unreduced", value, unreduced, f"{sign}{top * factor}/{bottom * factor}"),
    ]
    if top < 10 and bottom < 10:
        right.append(Candidate("equal-compact", value, rf"{sign}\frac{top}{bottom}"))
    if value < 0:
        right.append(Candidate("equal-sign-inside", value, rf"\frac{{-{top}}}{{{bottom}}}"))
    if _terminates(value):
        right += [Candidate("equal-decimal", value, _decimal(value))] * 2  # the commonest other form
    if top > bottom:
        whole, rest = divmod(top, bottom)
        mixed = rf"{sign}{whole}\frac{{{rest}}}{{{bottom}}}", f"{sign}{whole} {rest}/{bottom}"
        right.append(Candidate("equal-mixed", value, *mixed))
    return right


def _fraction_wrong(rng: random.Random, value: Fraction) -> list[Candidate]:
    """Give near misses of a fraction."""
    top, bottom = value.numerator, value.denominator
    step = rng.choice((1, -1))
    near = {
        "wrong-numerator": Fraction(top + step, bottom),
        "wrong-denominator": Fraction(top, bottom + 1),
        "wrong-sign": -value,
        "wrong-reciprocal": 1 / value,
        "wrong-complement": 1 - value,
        "wrong-swapped-digits": Fraction(int(_swapped(str(top), rng)), bottom),
    }
    wrong = [Candidate(how, key, _frac(key), str(key)) for how, key in near.items()]
    decimals = [key for key in near.values() if _terminates(key)]
    if decimals:
        key = rng.choice(decimals)
        wrong.append(Candidate("wrong-decimal", key, _decimal(key)))
    if value > 1:
        whole, rest = divmod(top, bottom)
        key = whole + 1 + Fraction(rest, bottom)
        mixed = rf"{whole + 1}\frac{{{rest}}}{{{bottom}}}", f"{whole + 1} {rest}/{bottom}"
        wrong.append(Candidate("wrong-mixed", key, *mixed))
    return wrong


def _fraction(rng: random.Random) -> Problem:
    """Draw a problem whose reference is a fraction."""
    value = Fraction(1)
    while value.denominator == 1:
        bottom = rng.choice((2, 4, 5, 8, 10, 20, rng.randint(3, 40)))  # more of those with a short decimal
        value = Fraction(rng.randint(1, 60), bottom) * rng.choice((1, 1, 1, -1))
    reference = rng.choice((_frac(value), str(value)))
    same = [Candidate("same", value, _frac(value), str(value)), Candidate("same", value, str(value))]
    letter = rng.choice("xpmrk")
    is_share = 0 < value < 1
    other = "P(A)" if is_share else "y"
    return Problem(
        "number",
        rng.choice(_SHARE_TOPICS if is_share else _RATIO_TOPICS),
        reference,
        frozenset({value}),
        same + _fraction_equal(rng, value) + _fraction_wrong(rng, value),
        prefixes=((f"{letter} = ", f"{letter} = "), (f"{other} = ", f"{other} = ")),
    )


def _decimal_exact(rng: random.Random) -> Problem:
    """Draw a problem whose reference is a decimal that is to be met exactly."""
    places = rng.choice((1, 2, 2, 3, 4))
    scaled = rng.choice((rng.randint(1, 99), rng.randint(10, 9999), rng.randint(1000, 99999)))
    scaled += 1 if scaled % 10 == 0 else 0
    value = Fraction(scaled * rng.choice((1, 1, 1, -1)), 10**places)
    text = _decimal(value, places)
    right = [
        Candidate("same", value, text),
        Candidate("equal-trailing-zero", value, _decimal(value, places + rng.randint(1, 2))),
        Candidate("equal-fraction", value, _frac(value), str(value)),
    ]
    if abs(value) < 1:
        right.append(Candidate("equal-no-leading-zero", value, text.replace("0.", ".", 1)))
    if value > 1000 or 0 < value < Fraction(1, 10):
        right.append(Candidate("equal-scientific", value, *_scientific(value)))
    near = {
        "wrong-last-digit": value + Fraction(rng.choice((1, -1)), 10**places),
        "wrong-first-digit": value + rng.choice((1, -1)),
        "wrong-sign": -value,
        "wrong-point-right": value * 10,
        "wrong-point-left": value / 10,
        "wrong-swapped-digits": Fraction(_swapped(text, rng)),
    }
    wrong = [Candidate(how, key, _decimal(key)) for how, key in near.items()]
    letter = rng.choice("xtwd")
    return Problem(
        "number",
        rng.choice(_NUMBER_TOPICS),
        text,
        frozenset({value}),
        right + wrong,
        prefixes=((f"{letter} = ", f"{letter} = "), (f"{letter}=", f"{letter}=")),
    )


def _rounded_key(value: Fraction, target: Fraction, places: int) -> Hashable:
    """Give the target itself for a value within half a unit of a place, and None for one that is close to half."""
    distance = abs(value - target) * 10**places
    if distance <= SURELY_WITHIN:
        return target
    return value if distance >= SURELY_OUTSIDE else None


def _decimal_rounded(rng: random.Random) -> Problem:
    """Draw a problem whose reference is a decimal that was asked for to some places."""
    places = rng.choice((0, 1, 2, 2, 3))
    # The finer value lies up to 0.42 units off the rounded one, so that rounding is never in doubt.
    coarse, offset = rng.randint(12, 9800), _nonzero(rng, 42)
    rounded = Fraction(coarse, 10**places)
    fine = rounded + Fraction(offset, 10 ** (places + 2))
    rounded_text, fine_text = _decimal(rounded, places), _decimal(fine, places + 2)
    target, reference = rng.choice(((fine, fine_text), (rounded, rounded_text)))
    unit = Fraction(1, 10**places)
    drawn = {
        "wrong-last-digit-up": (rounded + unit, places),
        "wrong-last-digit-down": (rounded - unit, places),
        "wrong-cut-off": (Fraction(math.floor(fine / unit)) * unit, places),
        "wrong-sign": (-rounded, places),
        "wrong-point": (rounded * 10, places),
        "wrong-swapped-digits": (Fraction(_swapped(rounded_text, rng)), places),
        "wrong-outside": (target + unit * Fraction(rng.randint(6, 14), 10), places + 2),
        "equal-within": (target + unit * Fraction(_nonzero(rng, 4), 10), places + 2),
    }
    candidates = [
        Candidate(how, _rounded_key(value, target, places), _decimal(value, shown))
        for how, (value, shown) in drawn.items()
    ]
    other = rounded_text if reference == fine_text else fine_text
    candidates += [Candidate("same", target, reference), *[Candidate("equal-rounding", target, other)] * 2]
    word = "the nearest integer" if places == 0 else f"{places} decimal place{'s' if places > 1 else ''}"
    return Problem(
        "number",
        rng.choice(_NUMBER_TOPICS),
        reference,
        frozenset({target}),
        candidates,
        given=f"The result is asked for to {word}.",
        prefixes=((r"x \approx ", "x \u2248 "), ("x = ", "x = ")),
        precision=places,
    )


def _decimal_problem(rng: random.Random) -> Problem:
    """Draw a problem whose reference is a decimal."""
    return _decimal_rounded(rng) if rng.random() < 0.4 else _decimal_exact(rng)


def _unit_forms(unit: str) -> tuple[tuple[str, str], ...]:
    """Give the ways to write a simple unit after a number, as pairs in math mode and outside of it."""
    return (
        (rf"<v>\text{{ {unit}}}", f"<v> {unit}"),
        (rf"<v>\,\text{{{unit}}}", f"<v> {unit}"),
        (rf"<v>\ \mathrm{{{unit}}}", f"<v>{unit}"),
        (rf"<v> \text{{ {unit}}}", f"<v> {unit}"),
    )


_UNITS: dict[str, tuple[tuple[str, str], ...]] = {
    **{unit: _unit_forms(unit) for unit in ("cm", "m", "mm", "km", "kg", "g", "m/s", "km/h", "cm/s")},
    "m^2": ((r"<v>\text{ m}^2", "<v> m^2"), (r"<v>\,\mathrm{m^2}", "<v> m\u00b2"), (r"<v>\text{ m}^{2}", "<v>m^2")),
    "cm^2": ((r"<v>\text{ cm}^2", "<v> cm^2"), (r"<v>\,\mathrm{cm}^2", "<v> cm\u00b2")),
    "m^3": ((r"<v>\text{ m}^3", "<v> m^3"), (r"<v>\,\mathrm{m}^3", "<v> m\u00b3")),
    "degrees": ((r"<v>^\circ", "<v>\u00b0"), (r"<v>^{\circ}", "<v> degrees"), (r"<v>\text{ degrees}", "<v> degrees")),
    "radians": ((r"<v>\text{ radians}", "<v> radians"), (r"<v>\text{ rad}", "<v> rad")),
    "$": ((r"\$<v>", "$<v>"), (r"\$ <v>", "$ <v>"), (r"\text{\$}<v>", "$<v>")),
    "euros": ((r"<v>\text{ euros}", "\u20ac<v>"), (r"<v>\text{ euros}", "<v> euros")),
    "cents": ((r"<v>\text{ cents}", "<v> cents"), (r"<v>\text{ cents}", "<v> cents")),
}
# The unit of a reference: its words in full, other units than it, what is asked for, and a letter for it.
_MEASURES: dict[str, tuple[tuple[str, ...], tuple[str, ...], str, str]] = {
    "cm": (("centimeters", "centimetres"), ("m", "mm", "cm^2"), "the length of the marked side", "d"),
    "m/s": (("meters per second", "metres per second"), ("km/h", "cm/s", "m"), "the speed of the cart", "v"),
    "kg": (("kilograms",), ("g", "m"), "the reading of the scale", "m"),
    "m^2": (("square meters", "square metres"), ("m", "cm^2", "m^3"), "the area of the floor plan", "A"),
    "degrees": (("degrees",), ("radians", "cm"), "the size of the marked angle", r"\alpha"),
    "$": (("dollars",), ("euros", "cents", "kg"), "the total price on the receipt", "P"),
}


def _measure(rng: random.Random, value: str, unit: str) -> tuple[str, str]:
    """Write a number with its unit, in math mode and outside of it."""
    tex, plain = rng.choice(_UNITS[unit])
    return tex.replace("<v>", value), plain.replace("<v>", value)


def _quantity(rng: random.Random) -> Problem:
    """Draw a problem whose reference has a unit."""
    unit = rng.choice(list(_MEASURES))
    words, others, topic, letter = _MEASURES[unit]
    places = 2 if unit == "$" else rng.choice((0, 0, 1))
    number = Fraction(rng.randint(3 * 10**places, 178 * 10**places), 10**places)
    text = _decimal(number, places)
    word, other = rng.choice(words), rng.choice(others)
    right = [Candidate("same", (number, unit), *_measure(rng, text, unit)) for _ in range(2)]
    right.append(Candidate("equal-word", (number, unit), rf"{text}\text{{ {word}}}", f"{text} {word}"))
    right.append(Candidate("equal-no-unit", (number, ""), text))
    if unit == "m/s":
        right.append(Candidate("equal-exponent", (number, unit), rf"{text}\,\mathrm{{m\,s^{{-1}}}}", f"{text} m s^-1"))
    near = {
        "wrong-off-by-one": number + rng.choice((1, -1)),
        "wrong-swapped-digits": Fraction(_swapped(text, rng)),
        "wrong-scale": number * 10,
        "wrong-half": number / 2,
    }
    wrong = [Candidate(how, (key, unit), *_measure(rng, _decimal(key), unit)) for how, key in near.items()]
    bare = number + rng.choice((2, -2))
    wrong += [Candidate("wrong-number-no-unit", (bare, ""), _decimal(bare))]
    wrong += [Candidate("wrong-unit", (number, other), *_measure(rng, text, other)) for _ in range(2)]
    plain_letter = "angle" if letter == r"\alpha" else letter
    return Problem(
        "number",
        topic,
        rng.choice(_measure(rng, text, unit)),
        frozenset({(number, unit), (number, "")}),
        right + wrong,
        prefixes=((f"{letter} = ", f"{plain_letter} = "),),
        unit=unit,
    )


_OPTION_POOLS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("the city that the arrow points to", ("Paris", "London", "Madrid", "Vienna", "Oslo", "Lisbon", "Prague")),
    ("the animal in the middle of the picture", ("cat", "horse", "rabbit", "goose", "sheep", "otter", "donkey")),
    ("the shape that completes the pattern", ("circle", "square", "hexagon", "triangle", "star", "kite", "pentagon")),
    (
        "the statement that the line chart supports",
        (
            "Sales rose in every quarter",
            "Sales fell after the second quarter",
            "Sales stayed the same all year",
            "Sales doubled between March and May",
            "Sales peaked in November",
        ),
    ),
    ("the layer that is marked in the diagram", ("crust", "upper mantle", "lower mantle", "outer core", "inner core")),
    ("the part of the cell that is labelled", ("nucleus", "cell wall", "vacuole", "chloroplast", "mitochondrion")),
    ("the month with the tallest bar", ("January", "March", "April", "June", "August", "October", "December")),
    ("the instrument in the foreground", ("violin", "trumpet", "piano", "flute", "drum", "harp", "cello")),
)


def _options(rng: random.Random, count: int) -> tuple[str, tuple[str, ...]]:
    """Draw what is asked for and the texts of the options."""
    if rng.random() < 0.3:  # some options are numbers
        start, step, unit = rng.randint(3, 60), rng.randint(2, 9), rng.choice(("", " cm", " km", " students"))
        texts = [f"{start + step * i}{unit}" for i in range(count)]
        return "the option that matches the measurement", tuple(texts)
    topic, pool = rng.choice(_OPTION_POOLS)
    return topic, tuple(rng.sample(pool, count))


def _option_candidates(rng: random.Random, how: str, letter: str, text: str) -> list[Candidate]:
    """Give the ways to name an option by its letter, and by its letter and text."""
    forms = ((letter, letter), (rf"\text{{{letter}}}", f"({letter})"), (rf"\textbf{{({letter})}}", f"{letter})"))
    alone = [Candidate(f"{how}letter", letter, *form) for form in forms]
    mark = rng.choice(("<l>. <t>", "<l>) <t>", "(<l>) <t>", "<l>: <t>"))
    both = _fill(mark, {"l": letter, "t": text})
    alone.append(Candidate(f"{how}letter-and-text", letter, rf"\text{{{both}}}", both))
    word = f"{rng.choice(('Option', 'option', 'Choice'))} {letter}"
    alone.append(Candidate(f"{how}option-word", letter, rf"\text{{{word}}}", word))
    return alone


def _choice(rng: random.Random) -> Problem:
    """Draw a multiple-choice problem."""
    count = rng.choice((4, 5))
    topic, texts = _options(rng, count)
    letters = "ABCDE"[:count]
    at = rng.randrange(count)
    beside = at + rng.choice([step for step in (-1, 1) if 0 <= at + step < count])
    by_letter = rng.random() < 0.75  # most references are letters
    right = _option_candidates(rng, "equal-", letters[at], texts[at])
    right.append(Candidate("equal-text", letters[at], rf"\text{{{texts[at]}}}", texts[at]))
    own = "equal-letter" if by_letter else "equal-text"
    right = [Candidate("same", c.key, c.tex, c.plain) if c.how == own else c for c in right]
    wrong = [*_option_candidates(rng, "wrong-", letters[beside], texts[beside])]
    wrong.append(Candidate("wrong-text", letters[beside], rf"\text{{{texts[beside]}}}", texts[beside]))
    pair = sorted((letters[at], letters[beside]))
    for joint in (" and ", ", ", " or "):
        both = joint.join(pair)
        wrong.append(Candidate("wrong-two-options", ("two", *pair), rf"\text{{{both}}}", both))
    listed = "; ".join(f"({letter}) {text}" for letter, text in zip(letters, texts, strict=True))
    return Problem(
        "choice",
        topic,
        letters[at] if by_letter else texts[at],
        frozenset({letters[at]}),
        right + wrong,
        given=rng.choice((f"The options are {listed}.", f"I can choose between {listed}.")),
        choices=texts,
    )


def _plain_root(rng: random.Random) -> tuple[Surd, list[Candidate]]:
    """Draw a multiple of a root, such as 2 sqrt(3).

    Returns:
        Its key and right candidates; the first is the reference's form.
    """
    factor, radicand = rng.randint(2, 9), rng.choice((2, 3, 5, 6, 7, 10, 11, 13))
    key = _surd_key(0, factor, radicand)
    whole = factor**2 * radicand
    forms = [_surd(0, factor, radicand), (rf"\sqrt{{{whole}}}", f"sqrt({whole})")]
    if rng.random() < 0.3:  # some references are under one root
        forms.reverse()
    forms.append((rf"{factor} \cdot \sqrt{{{radicand}}}", f"{factor}*sqrt({radicand})"))
    forms.append((rf"\sqrt{{{radicand}}} \cdot {factor}", f"sqrt({radicand}) * {factor}"))
    return key, [Candidate("equal-root", key, *form) for form in forms]


def _inverse_root(rng: random.Random) -> tuple[Surd, list[Candidate]]:
    """Draw a quotient by a root, such as 3 / sqrt(2); see `_plain_root`."""
    radicand = rng.choice((2, 3, 5, 6, 7, 10))
    top = rng.choice([n for n in (1, 1, 2, 3, 4, 5, 7) if math.gcd(n, radicand) == 1])
    key = _surd_key(0, Fraction(top, radicand), radicand)
    lead = "" if top == 1 else str(top)
    forms = [
        (rf"\frac{{{top}}}{{\sqrt{{{radicand}}}}}", f"{top}/sqrt({radicand})"),
        (rf"\frac{{{lead}\sqrt{{{radicand}}}}}{{{radicand}}}", f"{lead}\u221a{radicand}/{radicand}"),
    ]
    if rng.random() < 0.5:
        forms.reverse()
    forms.append((rf"\frac{{{top}}}{{{radicand}}}\sqrt{{{radicand}}}", f"({top}/{radicand})*sqrt({radicand})"))
    return key, [Candidate("equal-rationalised", key, *form) for form in forms]


def _binomial_root(rng: random.Random) -> tuple[Surd, list[Candidate]]:
    """Draw a sum with a root, such as 1 + 2 sqrt(3); see `_plain_root`."""
    rational, factor, radicand = rng.randint(1, 12), _nonzero(rng, 6), rng.choice((2, 3, 5, 6, 7))
    key = _surd_key(rational, factor, radicand)
    tex, plain = _surd(0, factor, radicand)
    forms = [_surd(rational, factor, radicand), (f"{tex} + {rational}", f"{plain} + {rational}")]
    under = factor**2 * radicand
    sign = "-" if factor < 0 else "+"
    forms.append((rf"{rational} {sign} \sqrt{{{under}}}", f"{rational} {sign} sqrt({under})"))
    return key, [Candidate("equal-reordered-root", key, *form) for form in forms]


def _conjugate_root(rng: random.Random) -> tuple[Surd, list[Candidate]]:
    """Draw a quotient by a difference, such as 1 / (sqrt(3) - 1); see `_plain_root`."""
    radicand, less = rng.choice(((3, 1), (5, 1), (7, 1), (5, 2), (7, 2), (6, 2), (11, 3), (13, 3)))
    gap = radicand - less**2
    key = _surd_key(Fraction(less, gap), Fraction(1, gap), radicand)
    ratio = (rf"\frac{{1}}{{\sqrt{{{radicand}}} - {less}}}", f"1/(sqrt({radicand}) - {less})")
    if gap == 1:
        rational = (rf"\sqrt{{{radicand}}} + {less}", f"sqrt({radicand}) + {less}")
    else:
        rational = (rf"\frac{{\sqrt{{{radicand}}} + {less}}}{{{gap}}}", f"(sqrt({radicand}) + {less})/{gap}")
    forms = [rational, ratio]
    if rng.random() < 0.4:
        forms.reverse()
    return key, [Candidate("equal-conjugate", key, *form) for form in forms]


def _root(rng: random.Random) -> Problem:
    """Draw a problem whose reference has a square root."""
    key, right = rng.choice((_plain_root, _plain_root, _inverse_root, _binomial_root, _conjugate_root))(rng)
    _, rational, factor, radicand = key
    near = {
        "wrong-factor": (rational, factor + 1, radicand),
        "wrong-radicand": (rational, factor, radicand + 1),
        "wrong-sign": (rational, -factor, radicand),
        "wrong-rational-part": (rational + rng.choice((1, -1)), factor, radicand),
        "wrong-halved": (rational, factor / 2, radicand),
    }
    wrong = [
        Candidate(how, _surd_key(*parts), *_surd(*parts)) for how, parts in near.items() if parts[1] and parts[2] != 1
    ]
    lost = rational + factor * radicand
    wrong.append(Candidate("wrong-lost-root", _surd_key(lost, 0, 1), _frac(lost), str(lost)))
    same = Candidate("same", key, right[0].tex, right[0].plain)
    letter = rng.choice("dxcrh")
    return Problem(
        "expression",
        rng.choice(("the length of the diagonal", "the exact distance between the points", "the height of the solid")),
        rng.choice((right[0].tex, right[0].tex, right[0].text)),
        frozenset({key}),
        [same, *right[1:], *wrong],
        prefixes=((f"{letter} = ", f"{letter} = "),),
    )


def _product(lead: int, roots: Sequence[int]) -> tuple[int, ...]:
    """Multiply out lead * (x - r) * ..., lowest power first."""
    powers = [lead]
    for root in roots:
        powers = [a - root * b for a, b in zip([0, *powers], [*powers, 0], strict=True)]
    return tuple(powers)


def _expanded(powers: Sequence[int], name: str, times: str = "") -> str:
    """Render a polynomial, highest power first."""
    symbols = ["", name] + [f"{name}^{i}" for i in range(2, len(powers))]
    return _terms(list(zip(powers, symbols, strict=True))[::-1], times)


def _factored(lead: int, roots: Sequence[int], name: str) -> str:
    """Render a polynomial by its roots, none of which is zero."""
    body = "".join(f"({_terms([(1, name), (-root, '')])})" for root in roots)
    return {1: "", -1: "-"}.get(lead, str(lead)) + body


def _polynomial(rng: random.Random) -> Problem:
    """Draw a problem whose reference is a polynomial in one variable."""
    name, lead = rng.choice("xxxtna"), rng.choice((1, 1, 2, 3, -1))
    roots = rng.sample([r for r in range(-9, 10) if r], rng.choice((2, 2, 3)))
    powers = _product(lead, roots)
    key = ("polynomial", powers)
    symbols = ["", name] + [f"{name}^{i}" for i in range(2, len(powers))]
    lowest_first = [part for part in zip(powers, symbols, strict=True) if part[0]]
    shuffled = rng.choice((lowest_first, lowest_first[1:] + lowest_first[:1]))
    inner = _expanded(powers[1:], name)
    grouped = f"{name}({inner})" + (f" + {powers[0]}" if powers[0] > 0 else f" - {-powers[0]}")
    forms = {"expanded": _expanded(powers, name), "factored": _factored(lead, roots, name)}
    own = rng.choice(("expanded", "expanded", "factored"))
    right = [Candidate("same" if form == own else f"equal-{form}", key, text) for form, text in forms.items()]
    right += [
        Candidate("equal-reordered", key, _terms(shuffled)),
        Candidate("equal-reordered", key, _factored(lead, roots[::-1], name)),
        Candidate("equal-grouped", key, grouped),
        Candidate("equal-stars", key, _expanded(powers, name), _expanded(powers, name, "*")),
    ]
    at = rng.randrange(len(powers))
    changed = list(powers)
    changed[at] += rng.choice((1, -1))
    flipped = [-power if i == len(powers) - 2 else power for i, power in enumerate(powers)]
    one_off = [roots[0] + (1 if roots[0] != -1 else 2), *roots[1:]]
    mirrored = [-root for root in roots]
    wrong = [
        Candidate("wrong-coefficient", ("polynomial", tuple(changed)), _expanded(changed, name)),
        Candidate("wrong-sign-of-term", ("polynomial", tuple(flipped)), _expanded(flipped, name)),
        Candidate("wrong-factor", ("polynomial", _product(lead, one_off)), _factored(lead, one_off, name)),
        Candidate("wrong-mirrored", ("polynomial", _product(lead, mirrored)), _factored(lead, mirrored, name)),
        Candidate("wrong-sign", ("polynomial", _product(-lead, roots)), _factored(-lead, roots, name)),
    ]
    reference = forms[own]
    head = rng.choice((f"P({name}) = ", f"f({name}) = "))
    topics = ("the polynomial whose graph is drawn", "the area in terms of the side", "the cubic or quadratic shown")
    return Problem(
        "expression", rng.choice(topics), reference, frozenset({key}), right + wrong, prefixes=((head, head),)
    )


def _two_letters(rng: random.Random) -> Problem:
    """Draw a problem whose reference is linear in two letters."""
    first, second = rng.choice(("ab", "xy", "mn", "pq"))
    a, b, c = rng.randint(2, 12), _nonzero(rng, 12), rng.choice((0, _nonzero(rng, 9)))
    parts = [(a, first), (b, second), (c, "")]
    moved = [parts[i] for i in rng.choice(((1, 0, 2), (2, 1, 0), (1, 2, 0)))]
    right = [Candidate("same", (a, b, c), _terms(parts)), Candidate("equal-reordered", (a, b, c), _terms(moved))]
    drawn = {
        "wrong-coefficient": (a + 1, b, c),
        "wrong-sign-of-term": (a, -b, c),
        "wrong-swapped-letters": (b, a, c),
        "wrong-constant": (a, b, c + rng.choice((1, -1))),
    }
    wrong = [
        Candidate(how, key, _terms(zip(key, (first, second, ""), strict=True)))
        for how, key in drawn.items()
        if any(key)
    ]
    topic = rng.choice(("the perimeter in terms of the two sides", "the simplified expression on the board"))
    return Problem("expression", topic, _terms(parts), frozenset({(a, b, c)}), right + wrong)


def _polynomial_problem(rng: random.Random) -> Problem:
    """Draw a problem whose reference is a polynomial."""
    return _two_letters(rng) if rng.random() < 0.2 else _polynomial(rng)


def _end(value: Fraction | None, low: bool, plain: bool) -> str:
    """Render an end of an interval."""
    if value is None:
        return ("-" if low else "") + ("\u221e" if plain else r"\infty")
    return str(value) if plain else _frac(value)


def _interval_text(pieces: Sequence[Piece], plain: bool = False, cup: str = r" \cup ", sized: bool = False) -> str:
    """Render a union of intervals."""
    texts = []
    for low, low_in, high, high_in in pieces:
        left, right = "[" if low_in else "(", "]" if high_in else ")"
        if sized:
            left, right = r"\left" + left, r"\right" + right
        texts.append(f"{left}{_end(low, True, plain)}, {_end(high, False, plain)}{right}")
    return cup.join(texts)


def _interval_pair(pieces: Sequence[Piece], rng: random.Random) -> tuple[str, str]:
    """Render a union of intervals in math mode and outside of it."""
    tex = _interval_text(pieces, sized=rng.random() < 0.3)
    return tex, _interval_text(pieces, plain=True, cup=rng.choice((" U ", " \u222a ")))


def _inequality(pieces: Sequence[Piece], plain: bool) -> str:
    """Render a union of intervals as inequalities in x."""
    weak = "\u2264" if plain else r"\le"
    strong_weak = "\u2265" if plain else r"\ge"
    texts = []
    for low, low_in, high, high_in in pieces:
        ends = _end(low, True, plain), _end(high, False, plain)
        if low is None:
            texts.append(f"x {weak if high_in else '<'} {ends[1]}")
        elif high is None:
            texts.append(f"x {strong_weak if low_in else '>'} {ends[0]}")
        else:
            texts.append(f"{ends[0]} {weak if low_in else '<'} x {weak if high_in else '<'} {ends[1]}")
    return (" or " if plain else r" \text{ or } ").join(texts)


def _pieces(rng: random.Random) -> list[Piece]:
    """Draw an interval, or two that do not touch."""

    def closed() -> bool:
        return rng.random() < 0.5

    a, b, c = sorted(rng.sample(range(-12, 16), 3))
    step = rng.choice((Fraction(0), Fraction(0), Fraction(1, 2)))  # some ends are halves
    low, middle, high = a + step, Fraction(b), c + step
    drawn: tuple[list[Piece], ...] = (
        [(low, closed(), high, closed())],
        [(low, closed(), high, closed())],
        [(None, False, middle, closed())],
        [(low, closed(), None, False)],
        [(None, False, low, closed()), (high, closed(), None, False)],
        [(None, False, low, closed()), (middle + 1, closed(), high + 1, closed())],
    )
    return rng.choice(drawn)


def _interval_wrong(rng: random.Random, pieces: list[Piece]) -> list[tuple[str, list[Piece]]]:
    """Give near misses of a union of intervals."""
    at = rng.randrange(len(pieces))
    low, low_in, high, high_in = pieces[at]

    def with_piece(piece: Piece) -> list[Piece]:
        return [piece if i == at else other for i, other in enumerate(pieces)]

    wrong: list[tuple[str, list[Piece]]] = []
    if low is not None:
        wrong.append(("wrong-bracket", with_piece((low, not low_in, high, high_in))))
        wrong.append(("wrong-end", with_piece((low - Fraction(1, 4), low_in, high, high_in))))
    if high is not None:
        wrong.append(("wrong-bracket", with_piece((low, low_in, high, not high_in))))
        wrong.append(("wrong-end", with_piece((low, low_in, high + Fraction(1, 4), high_in))))
    if len(pieces) > 1:
        wrong.append(("wrong-one-piece", [pieces[1 - at]]))
    mirrored: list[Piece] = [
        (None if h is None else -h, h_in, None if lo is None else -lo, lo_in) for lo, lo_in, h, h_in in pieces[::-1]
    ]
    wrong.append(("wrong-mirrored", mirrored))
    return wrong


def _interval(rng: random.Random) -> Problem:
    """Draw a problem whose reference is an interval or a union of two."""
    pieces = _pieces(rng)
    key = ("interval", tuple(pieces))
    right = [Candidate("same", key, *_interval_pair(pieces, rng)) for _ in range(2)]
    right.append(Candidate("equal-inequality", key, _inequality(pieces, False), _inequality(pieces, True)))
    if len(pieces) > 1:
        right += [Candidate("equal-reordered", key, *_interval_pair(pieces[::-1], rng))] * 2
    ends = [end for low, _, high, _ in pieces for end in (low, high) if end is not None]
    if any(end.denominator > 1 for end in ends):
        swaps = {_frac(end): _decimal(end) for end in ends if end.denominator > 1}
        text = _interval_text(pieces)
        for fraction in sorted(swaps, key=len, reverse=True):
            text = text.replace(fraction, swaps[fraction])
        right.append(Candidate("equal-decimal-ends", key, text))
    if any(high is None for _, _, high, _ in pieces):
        text = re.sub(r"(?<!-)\\infty", r"+\\infty", _interval_text(pieces))
        right.append(Candidate("equal-plus-infinity", key, text))
    wrong = [
        Candidate(how, ("interval", tuple(other)), *_interval_pair(other, rng))
        for how, other in _interval_wrong(rng, pieces)
    ]
    how, other = rng.choice(_interval_wrong(rng, pieces))
    texts = _inequality(other, False), _inequality(other, True)
    wrong.append(Candidate(f"{how}-inequality", ("interval", tuple(other)), *texts))
    topics = (
        "the set of all $x$ below the line",
        "the interval on which the graph rises",
        "the domain of the function",
    )
    return Problem(
        "expression",
        rng.choice(topics),
        _interval_text(pieces),
        frozenset({key}),
        right + wrong,
        given="Here $x$ is a real number." if rng.random() < 0.3 else "",
        prefixes=((r"x \in ", "x \u2208 "),),
    )


def _pi_forms(value: Fraction) -> list[tuple[str, str]]:
    """Give the ways to write a multiple of pi, in math mode and outside of it."""
    sign, top, bottom = "-" if value < 0 else "", abs(value.numerator), value.denominator
    lead = "" if top == 1 else str(top)
    if bottom == 1:
        return [
            (rf"{sign}{lead}\pi", f"{sign}{lead}\u03c0"),
            (rf"{sign}{top} \cdot \pi", f"{sign}{top}*pi"),
            (rf"{sign}{top} \pi", f"{sign}{top} pi"),
        ]
    forms = [
        (rf"{sign}\frac{{{lead}\pi}}{{{bottom}}}", f"{sign}{lead}\u03c0/{bottom}"),
        (rf"{sign}\frac{{{top}}}{{{bottom}}}\pi", f"{sign}({top}/{bottom})\u03c0"),
        (rf"{sign}{lead}\pi/{bottom}", f"{sign}{lead}pi/{bottom}"),
    ]
    if _terminates(value):
        forms.append((rf"{_decimal(value)}\pi", f"{_decimal(value)}\u03c0"))
    return forms


def _pi(rng: random.Random) -> Problem:
    """Draw a problem whose reference is a multiple of pi."""
    value = Fraction(rng.randint(2, 60), rng.choice((1, 1, 2, 3, 4, 6))) * rng.choice((1, 1, 1, 1, -1))
    key = ("pi", value, 1)
    forms = _pi_forms(value)
    reference, *others = forms if rng.random() < 0.7 else [forms[1], forms[0], *forms[2:]]
    right = [Candidate("same", key, *reference), *[Candidate("equal-pi", key, *form) for form in others]]
    near = {
        "wrong-factor": value + rng.choice((1, -1)),
        "wrong-doubled": value * 2,
        "wrong-halved": value / 2,
        "wrong-sign": -value,
    }
    wrong = [
        Candidate(how, ("pi", factor, 1), *rng.choice(_pi_forms(factor))) for how, factor in near.items() if factor
    ]
    wrong.append(Candidate("wrong-no-pi", ("pi", value, 0), _frac(value), str(value)))
    tex, plain = forms[0]
    wrong.append(
        Candidate("wrong-pi-squared", ("pi", value, 2), tex.replace(r"\pi", r"\pi^2"), plain.replace("\u03c0", "pi^2"))
    )
    topics = (
        "the area of the shaded disc",
        "the length of the arc",
        "the volume of the cylinder",
        "the angle in radians",
    )
    letter = rng.choice(("A", "V", "L", "s"))
    return Problem(
        "expression",
        topics[-1] if value < 0 else rng.choice(topics),
        reference[0],
        frozenset({key}),
        right + wrong,
        prefixes=((f"{letter} = ", f"{letter} = "),),
    )


def _listed(values: Iterable[Fraction], marks: tuple[str, str], show: Callable[[Fraction], str]) -> str:
    """Render values between two marks."""
    return marks[0] + ", ".join(map(show, values)) + marks[1]


def _decimal_if_short(value: Fraction) -> str:
    """Render a number as a decimal where that is exact."""
    return _decimal(value) if _terminates(value) else _frac(value)


def _coordinates(rng: random.Random, values: tuple[Fraction, ...]) -> tuple[str, str]:
    """Render a point in math mode and outside of it."""
    marks = rng.choice((("(", ")"), ("(", ")"), (r"\left(", r"\right)")))
    text = _listed(values, marks, _frac)
    return text.replace(", ", rng.choice((", ", ",", r",\, "))), _listed(values, ("(", ")"), str)


def _tuple(rng: random.Random) -> Problem:
    """Draw a problem whose reference is a point."""
    size = rng.choice((2, 2, 2, 3))
    values = tuple(Fraction(_nonzero(rng, 14), rng.choice((1, 1, 1, 2, 4))) for _ in range(size))
    step = rng.choice((1, -1))
    at = rng.randrange(size)
    right = [Candidate("same", values, *_coordinates(rng, values)) for _ in range(2)]
    named = [f"{name} = {_frac(v)}" for name, v in zip("xyz", values, strict=False)]
    right.append(
        Candidate("equal-named", values, ", ".join(named), ", ".join(named) if "frac" not in str(named) else "")
    )
    if any(v.denominator > 1 for v in values):
        right += [Candidate("equal-decimals", values, _listed(values, ("(", ")"), _decimal_if_short))] * 2
    near = {
        "wrong-order": (*values[1:], values[0]),
        "wrong-sign": tuple(-v if i == at else v for i, v in enumerate(values)),
        "wrong-coordinate": tuple(v + step if i == at else v for i, v in enumerate(values)),
        "wrong-short": values[:-1] if size == 3 else (*values, Fraction(0)),
    }
    wrong = [Candidate(how, key, *_coordinates(rng, key)) for how, key in near.items()]
    left = "(x, y)" if size == 2 else "(x, y, z)"
    topics = ("the coordinates of the vertex", "the point where the lines meet", "the image of the point $P$")
    return Problem(
        "expression",
        rng.choice(topics),
        _listed(values, ("(", ")"), _frac),
        frozenset({values}),
        right + wrong,
        prefixes=((f"{left} = ", f"{left} = "), ("P = ", "P = ")),
    )


def _percent(rng: random.Random) -> Problem:
    """Draw a problem whose reference is a percentage."""
    value = Fraction(rng.randint(1, 99)) if rng.random() < 0.7 else Fraction(rng.randint(11, 999), 10)
    text = _decimal(value)
    key = ("percent", value)
    right = [
        Candidate("same", key, rf"{text}\%", f"{text}%"),
        Candidate("same", key, rf"{text} \%", f"{text} %"),
        Candidate("equal-word", key, rf"{text}\text{{ percent}}", f"{text} percent"),
        Candidate("equal-word", key, rf"{text}\text{{ per cent}}", f"{text} per cent"),
        Candidate("equal-trailing-zero", key, rf"{text if '.' in text else text + '.'}0\%"),
    ]
    swapped = Fraction(_swapped(text, rng))
    near = {
        "wrong-off-by-one": value + rng.choice((1, -1)),
        "wrong-swapped-digits": swapped,
        "wrong-scale": rng.choice((value * 10, value / 10)),
        "wrong-complement": 100 - value,
    }
    wrong = [Candidate(how, ("percent", key), rf"{_decimal(key)}\%", f"{_decimal(key)}%") for how, key in near.items()]
    wrong += [Candidate("wrong-form-no-sign", ("bare", value), text)] * 2
    wrong.append(Candidate("wrong-form-decimal", ("bare", value / 100), _decimal(value / 100)))
    topics = (
        "the share of the largest sector",
        "the share of students who walk",
        "the relative change",
    )
    return Problem(
        "number",
        rng.choice(topics),
        rf"{text}\%",
        frozenset({key}),
        right + wrong,
        prefixes=(("p = ", "p = "),),
    )


def _line_key(x: Fraction | int, y: Fraction | int, constant: Fraction | int) -> Hashable:
    """Give the canonical form of the line x X + y Y = constant."""
    lead = Fraction(x if x else y)
    return ("line", x / lead, y / lead, constant / lead)


def _line_forms(rng: random.Random, slope: int, offset: int) -> dict[str, str]:
    """Give the ways to write the line y = slope x + offset."""
    at = _nonzero(rng, 5)
    height = slope * at + offset
    k = rng.choice((2, 3))
    return {
        "explicit": "y = " + _terms([(slope, "x"), (offset, "")]),
        "standard": f"{_terms([(slope, 'x'), (-1, 'y')])} = {-offset}",
        "constant-first": "y = " + _terms([(offset, ""), (slope, "x")]),
        "y-first": f"{_terms([(1, 'y'), (-slope, 'x')])} = {offset}",
        "zero-right": f"{_terms([(slope, 'x'), (-1, 'y'), (offset, '')])} = 0",
        "turned": f"{_terms([(slope, 'x'), (offset, '')])} = y",
        "multiple": f"{k}y = {_terms([(k * slope, 'x'), (k * offset, '')])}",
        "point": f"{_terms([(1, 'y'), (-height, '')])} = {_terms([(slope, '')])}({_terms([(1, 'x'), (-at, '')])})",
    }


def _equation(rng: random.Random) -> Problem:
    """Draw a problem whose reference is the equation of a line."""
    slope, offset = rng.choice((1, -1)) * rng.randint(2, 9), _nonzero(rng, 12)
    forms = _line_forms(rng, slope, offset)
    key = _line_key(slope, -1, -offset)
    own = rng.choice(("explicit", "explicit", "explicit", "standard"))
    right = [Candidate("same" if form == own else f"equal-{form}", key, text) for form, text in forms.items()]
    right.append(Candidate("same", key, forms[own].replace(" ", "")))
    step = rng.choice((1, -1))
    near = {
        "wrong-slope-sign": (-slope, offset),
        "wrong-offset-sign": (slope, -offset),
        "wrong-slope": (slope + step, offset),
        "wrong-offset": (slope, offset + step),
        "wrong-exchanged": (offset, slope),
    }
    wrong = []
    for how, (m, b) in near.items():
        key_of = _line_key(m, -1, -b)
        wrong.append(Candidate(how, key_of, "y = " + _terms([(m, "x"), (b, "")])))
        wrong.append(Candidate(how, key_of, f"{_terms([(1, 'y'), (-m, 'x')])} = {b}"))
    inverse = "x = " + _terms([(slope, "y"), (offset, "")])
    wrong.append(Candidate("wrong-exchanged-axes", _line_key(1, -slope, offset), inverse))
    topics = ("the equation of the line in the figure", "an equation of the line of best fit that is drawn")
    return Problem("expression", rng.choice(topics), forms[own], frozenset({key}), right + wrong)


_COLOURS = ("red", "blue", "green", "yellow", "purple", "orange", "brown", "black", "white", "pink")
_NAMES = ("Maria", "Jonas", "Amina", "Viktor", "Elena", "Rashid", "Sophie", "Daniel", "Ingrid", "Tomas")
# What a sign says, and what a careless reader makes of it.
_SIGNS = (
    ("STOP", ("SHOP", "STEP", "STOP AHEAD")),
    ("NO PARKING", ("PARKING", "NO PASSING", "NO WALKING")),
    ("Main Street", ("Main Road", "Maine Street", "Mill Street")),
    ("Bakery", ("Brewery", "Battery", "Bakery closed")),
    ("EXIT 27", ("EXIT 72", "EXIT 26", "EXIST 27")),
    ("Open Daily", ("Open Sunday", "Closed Daily", "Open Dally")),
    ("Central Station", ("Central Stadium", "North Station", "Central Library")),
    ("SLOW", ("SNOW", "FLOW", "SLOT")),
    ("Platform 9", ("Platform 6", "Platform 19", "Platform 8")),
    ("PUSH", ("PULL", "PUSS", "RUSH")),
)


def _word(rng: random.Random) -> tuple[str, str, list[str]]:
    """Draw what is asked for, the text that answers it and texts that do not."""
    draw = rng.random()
    if draw < 0.3:
        text, other, third = rng.sample(_COLOURS, 3)
        topic = rng.choice(("the colour of the car on the left", "the colour of the tallest bar"))
        return topic, text, [other, third, f"not {text}", f"{text} and {other}"]
    if draw < 0.5:
        text, other, third = rng.sample(_NAMES, 3)
        topic = rng.choice(("who scored the most points in the table", "the name on the badge"))
        return topic, text, [other, third, f"{text} and {other}"]
    if draw < 0.7:
        text, other = rng.choice((("yes", "no"), ("no", "yes")))
        return rng.choice(("whether the two figures are congruent", "whether the lamp is lit")), text, [other, other]
    text, others = rng.choice(_SIGNS)
    return rng.choice(("the text on the sign", "what is written above the door")), text, list(others)


def _short_text(rng: random.Random) -> Problem:
    """Draw a problem whose reference is a word or a few."""
    topic, text, others = _word(rng)
    reference = rng.choice((text, text, text.capitalize() if " " not in text and text.islower() else text))

    def forms(how: str, key: str, written: str) -> list[Candidate]:
        command = rng.choice((r"\text", r"\text", r"\textbf", r"\mathrm"))
        if " " in written:
            command = r"\text"  # math mode would swallow the space
        return [Candidate(how, key, f"{command}{{{written}}}", written)]

    right = forms("same", text, reference)
    cased = [form for form in (text.lower(), text.upper(), text.title()) if form != reference]
    right += [c for form in cased for c in forms("equal-case", text, form)]
    right.append(Candidate("equal-quoted", text, rf"\text{{``{reference}''}}", f'"{reference}"'))
    wrong = []
    for other in others:
        how = "wrong-two-texts" if " and " in other else "wrong-text"
        how = "wrong-negated" if other.startswith("not ") else how
        wrong += forms(how, other, other)
    return Problem("short_text", topic, reference, frozenset({text}), right + wrong)


def _set(rng: random.Random) -> Problem:
    """Draw a problem whose reference is a finite set."""
    size = rng.choice((2, 2, 3, 4))
    values = sorted(Fraction(v) for v in rng.sample(range(-12, 20), size))
    if rng.random() < 0.25:  # some elements are halves
        values[0] -= Fraction(1, 2)
    mixed = values[1:] + values[:1]
    marks = rng.choice(((r"\{", r"\}"), (r"\{", r"\}"), (r"\left\{", r"\right\}")))

    def candidate(how: str, members: list[Fraction], show: Callable[[Fraction], str] = _frac) -> Candidate:
        plain = str if show is _frac else show
        return Candidate(how, frozenset(members), _listed(members, marks, show), _listed(members, ("{", "}"), plain))

    right = [candidate("same", values), candidate("equal-reordered", mixed), candidate("equal-reordered", values[::-1])]
    if values[0].denominator > 1:
        right.append(candidate("equal-decimals", values, _decimal_if_short))
    at, step = rng.randrange(size), rng.choice((1, -1))
    off = [v + step if i == at else v for i, v in enumerate(values)]
    signed = [-v if i == at else v for i, v in enumerate(values)]
    wrong = [
        candidate("wrong-missing", values[:at] + values[at + 1 :]),
        candidate("wrong-extra", [*values, values[-1] + rng.randint(1, 3)]),
    ]
    wrong += [candidate("wrong-element", off)] if len(set(off)) == size else []
    wrong += [candidate("wrong-sign", signed)] if len(set(signed)) == size else []
    topics = ("the set of all solutions", "the set of zeros of the graph", "the elements in the overlap of the circles")
    return Problem(
        "expression",
        rng.choice(topics),
        _listed(values, (r"\{", r"\}"), _frac),
        frozenset({frozenset(values)}),
        right + wrong,
        prefixes=(("S = ", "S = "), (r"x \in ", "x \u2208 ")),
    )


_FAMILIES: dict[str, Callable[[random.Random], Problem]] = {
    "integer": _integer,
    "fraction": _fraction,
    "decimal": _decimal_problem,
    "quantity": _quantity,
    "choice": _choice,
    "root": _root,
    "polynomial": _polynomial_problem,
    "interval": _interval,
    "pi": _pi,
    "tuple": _tuple,
    "percent": _percent,
    "equation": _equation,
    "short_text": _short_text,
    "set": _set,
}


def _either(rng: random.Random, right: Candidate, wrong: Candidate) -> Candidate:
    """Join a right and a wrong candidate by "or"."""
    first, second = rng.sample((right, wrong), 2)
    key = ("either", first.tex, second.tex)
    return Candidate("wrong-or", key, rf"{first.tex} \text{{ or }} {second.tex}", f"{first.text} or {second.text}")


def _sorted_out(rng: random.Random, family: str, problem: Problem) -> dict[str, list[Candidate]]:
    """Sort the candidates by label.

    Args:
        rng: The source of chance.
        family: The problem's family.
        problem: The problem.

    Returns:
        The candidates under "same", "equal" and "wrong". A near miss that happens to be right is left out.

    Raises:
        ValueError: When a candidate that is meant as right is not, or a label has no candidate.
    """
    groups: dict[str, list[Candidate]] = {"same": [], "equal": [], "wrong": []}
    for candidate in problem.candidates:
        label = candidate.how.split("-")[0]
        if candidate.key is None:
            continue
        accepted = candidate.key in problem.accepted
        if label != "wrong" and not accepted:
            raise ValueError(f"{candidate} is meant as right for {problem.reference}")
        if label == "wrong" and accepted:
            continue
        groups[label].append(candidate)
    if not all(groups.values()):
        raise ValueError(f"{problem.reference} lacks a label")
    # An "or" between two sets of points is a union, and between 37 % and 0.37 it says the same twice: not for these.
    kept_out = ("wrong-form", "wrong-two", "wrong-unevaluated", "wrong-negated")
    apart = [c for c in groups["wrong"] if not c.how.startswith(kept_out)]
    if family not in ("interval", "choice") and apart:
        groups["wrong"].append(_either(rng, groups["same"][0], rng.choice(apart)))
    return groups


def _one_of(rng: random.Random, candidates: list[Candidate]) -> Candidate:
    """Draw a candidate; each way of relating to the reference is as likely, or twice so when it is listed again."""
    hows: list[str] = []
    for candidate in candidates:
        if hows.count(candidate.how) < 2:
            hows.append(candidate.how)
    how = rng.choice(hows)
    return rng.choice([candidate for candidate in candidates if candidate.how == how])


# --- Surface of an answer --------------------------------------------------------------------------------------------


def _prefixed(rng: random.Random, problem: Problem, answer: Candidate) -> tuple[str, str]:
    """Give an answer in math mode and outside of it, at times with "x = " before it."""
    tex, plain = answer.tex, answer.text
    relation = any(sign in tex for sign in ("=", "<", ">", r"\le ", r"\ge ", r"\text{ or }"))
    if problem.prefixes and not relation and rng.random() < 0.15:
        before_tex, before_plain = rng.choice(problem.prefixes)
        tex, plain = before_tex + tex, before_plain + plain
    return tex, plain


def _in_box(rng: random.Random, problem: Problem, answer: Candidate) -> str:
    """Put an answer into a box."""
    tex, plain = _prefixed(rng, problem, answer)
    if problem.answer_type in ("choice", "short_text") and rng.random() < 0.3:
        tex = plain  # words are often boxed as they are
    if rng.random() < 0.03:
        tex += "."
    space = " " if rng.random() < 0.1 else ""
    return rf"\boxed{{{space}{tex}{space}}}"


def _outside_box(rng: random.Random, problem: Problem, answer: Candidate) -> str:
    """Write an answer where math mode is optional."""
    tex, plain = _prefixed(rng, problem, answer)
    if problem.answer_type in ("number", "expression") and rng.random() < 0.3:
        plain = plain.replace("-", MINUS) if "e-" not in plain and "^-" not in plain else plain
    shape = rng.random()
    if shape < 0.5:
        return plain
    if shape < 0.8:
        return f"${tex}$"
    if shape < 0.87:
        return rf"\({tex}\)"
    if shape < 0.9:
        return f"**{plain}**"
    return tex


def _in_tags(rng: random.Random, text: str) -> str:
    """Put an answer between the answer tags."""
    if rng.random() < 0.12 and not text.endswith("."):
        text += "."
    if rng.random() < 0.03:
        text = f"The answer is {text}"
    space = rng.choices(("", " ", "\n"), weights=(75, 13, 12))[0]
    return f"<answer>{space}{text}{space}</answer>"


# --- Reasoning -------------------------------------------------------------------------------------------------------

_PLACES = ("left", "right", "upper left corner", "lower edge", "centre", "top", "second row", "third column")
_THINGS = ("label", "bar", "segment", "point", "curve", "cell", "tick mark", "arrow", "legend", "dashed line")
_PEOPLE = ("the student", "the author", "the teacher", "the shopkeeper", "the engineer")

_OPENINGS = (
    "Okay, let me look at the image first. I have to determine <topic>.",
    "The question is about <topic>. I start by collecting everything that the picture shows.",
    "Let me think step by step about <topic>.",
    "We want to find <topic>, so I first describe what is visible.",
    "First, what is being asked? I need <topic>, and the figure should contain all that is required.",
    "To find <topic>, I go through the figure from left to right.",
    "Alright. The task: determine <topic>. The picture has several labels, so some care is needed.",
    "I am going to work out <topic> carefully, because the picture is a little crowded.",
    "Looking at the image, there are several quantities. What matters here is <topic>.",
    "So the problem wants <topic>. Let me set up some notation before computing anything.",
    "This is a problem on <topic>. There may be more than one way, and I will try the direct one.",
    "Hmm, <topic>. Let me read the figure once more before I do anything else.",
)

_PROSE = (
    "The <thing> near the <place> is small but readable.",
    "I zoom in, mentally, on the <thing> at the <place>, since it decides how the rest is read.",
    "There is also a <thing> at the <place>, which does not seem to matter here.",
    "The axes are not drawn to the same scale, so I rely on the printed numbers and not on lengths.",
    "Let me write $h$ for the height and $w$ for the width; both are positive.",
    "Here $f$ stands for the function in the figure and $f(0)$ for its value on the vertical axis.",
    "I should be careful about the order of operations here.",
    "Nothing in the caption contradicts this reading.",
    "It helps to redraw the figure with only the <thing> and the <thing2>.",
    "By symmetry the two halves can be treated alike, which saves half of the work.",
    "Symmetry is tempting here, but the <thing> at the <place> breaks it.",
    "What else do we know? The <thing> is given and the <thing2> follows from it.",
    "If <who> had meant the other <thing>, the caption would have said so.",
    "I will keep exact values such as $\\sqrt{<n>}$ and $\\frac{1}{<m>}$ and round only if I have to.",
    "Let me define $u = x - <n>$ to shorten the formulas.",
    "As a side note, the notation $\\Delta$ in the corner only means a difference.",
    "The grid lines are evenly spaced, so reading between them is safe.",
    "That part of the picture is decorative, and I ignore it from here on.",
    "Wait, let me re-read the question, because the wording is easy to misunderstand.",
    "Hmm, is the <thing> counted once or twice? The legend says once.",
    "I want to avoid a common mistake here: mixing up the <thing> with the <thing2>.",
    "Let me sort this out in a cleaner way.",
    "So far everything is consistent.",
    "This agrees with a rough estimate from the picture.",
    "A sketch on paper shows the same arrangement, with the <thing> at the <place>.",
    "Note that $a < b$ here, so no absolute value is needed.",
    "Since all quantities are positive, I can square both sides without adding solutions.",
    "The condition $x \\neq <n>$ has to be kept in mind, though it does not bite in the end.",
    "The shaded part and the plain part together make up the whole.",
    "I first considered reading the <thing> the other way round, but then the <thing2> would not fit.",
    "Is there some hidden information? The <thing> at the <place> has a tiny arrow, so possibly yes.",
    "Let me also consider the special case in which $k = <n>$.",
    "In general one would use the formula $s = \\frac{d}{t}$, but a direct count is quicker.",
    "A table makes this clearer than a formula would.",
    "From the legend I gather that darker means larger.",
    "Good, that matches the printed <thing>.",
    "The remaining step is routine, and I do it slowly all the same.",
    "Let me go back for a moment and look at the <place> of the figure.",
    "I trust the printed value more than what the drawing suggests.",
    "One could also argue with similar triangles, where $\\triangle ABC \\sim \\triangle DEF$.",
    "Here the index $i$ runs from $1$ to $<m>$, and $\\sum_{i} w_i$ is the total weight.",
    "The formula $V = \\ell \\cdot w \\cdot h$ does not apply directly, as the solid is cut.",
    "I recall that $\\sin^2\\theta + \\cos^2\\theta = 1$, which might help if an angle turns up.",
    "Rewriting it in words: twice the first, less the second, is what remains.",
    "None of this depends on the choice of the origin.",
    "Could the <thing> be misprinted? Unlikely, because the row sums work out.",
    "Let me not rush, since there is a second line of small print under the figure.",
    "The picture shows the situation before the change and the text describes it afterwards.",
    "Before combining the pieces I check each of them by itself.",
    "That is as far as pure reading goes; from here on it is a computation.",
    "An estimate first: the value is of the order of $10^{<k>}$ in these units.",
    "There is some glare on the photograph, yet the digits can be made out.",
    "For the moment I treat the <thing> and the <thing2> as independent.",
    "I am fairly comfortable with this, but a check by another route would be better.",
    "Put differently, the map $t \\mapsto <m>t + <n>$ takes one row to the next.",
    "Let me label the corners $P$, $Q$, $R$ and $S$ in the usual order.",
    "Only the ratio of the two matters, so the common factor can be dropped.",
    "The two cases do not overlap, hence nothing is counted twice.",
)


def _sample_pair(rng: random.Random) -> Slots:
    """Draw two numbers with their sum, difference and product."""
    a, b = rng.randint(12, 480), rng.randint(2, 95)
    return {"a": a, "b": b, "sum": a + b, "difference": a - b, "product": a * b}


def _sample_list(rng: random.Random) -> Slots:
    """Draw numbers with an integer mean."""
    size = rng.randint(3, 6)
    values = [rng.randint(3, 80) for _ in range(size)]
    values[-1] += -sum(values) % size
    total = sum(values)
    return {
        "list": ", ".join(map(str, values)),
        "plus": " + ".join(map(str, values)),
        "total": total,
        "size": size,
        "mean": total // size,
    }


def _sample_linear(rng: random.Random) -> Slots:
    """Draw a linear equation with its solution."""
    m, x, b = rng.randint(2, 13), rng.randint(2, 30), rng.randint(1, 50)
    return {"m": m, "b": b, "mx": m * x, "rhs": m * x + b, "x": x, "v": rng.choice("xtzuk")}


def _sample_quadratic(rng: random.Random) -> Slots:
    """Draw a quadratic with its positive roots."""
    r, s = rng.randint(1, 9), rng.randint(2, 11)
    return {"s": r + s, "p": r * s, "r1": r, "r2": s, "d": (r + s) ** 2 - 4 * r * s}


def _sample_triple(rng: random.Random) -> Slots:
    """Draw a right triangle with integer sides."""
    k, (a, b, c) = rng.randint(1, 6), rng.choice(((3, 4, 5), (5, 12, 13), (8, 15, 17), (7, 24, 25)))
    a, b, c = k * a, k * b, k * c
    return {"a": a, "b": b, "c": c, "a2": a * a, "b2": b * b, "c2": c * c, "area": Fraction(a * b, 2)}


def _sample_ratio(rng: random.Random) -> Slots:
    """Draw a fraction that can be reduced."""
    value, k = Fraction(rng.randint(1, 30), rng.randint(31, 60)), rng.randint(2, 9)
    top, bottom = value.numerator, value.denominator
    return {"a": top * k, "b": bottom * k, "k": k, "c": top, "d": bottom}


def _sample_percent(rng: random.Random) -> Slots:
    """Draw a percentage of a number."""
    rate, base = 5 * rng.randint(1, 19), 20 * rng.randint(2, 60)
    part = rate * base // 100
    return {"rate": rate, "base": base, "part": part, "rest": base - part}


def _sample_points(rng: random.Random) -> Slots:
    """Draw two points with the slope between them."""
    x1, y1, dx, m = rng.randint(0, 9), rng.randint(0, 9), rng.randint(1, 8), rng.randint(1, 6)
    return {"x1": x1, "y1": y1, "x2": x1 + dx, "y2": y1 + m * dx, "dx": dx, "dy": m * dx, "slope": m}


def _sample_angles(rng: random.Random) -> Slots:
    """Draw the angles of a triangle."""
    a, b = rng.randint(20, 85), rng.randint(20, 85)
    return {"a": a, "b": b, "ab": a + b, "c": 180 - a - b, "o": 180 - a}


def _sample_circle(rng: random.Random) -> Slots:
    """Draw a circle."""
    r = rng.randint(2, 25)
    return {"r": r, "d": 2 * r, "r2": r * r}


def _sample_growth(rng: random.Random) -> Slots:
    """Draw an arithmetic sequence."""
    a, d, n = rng.randint(1, 20), rng.randint(2, 12), rng.randint(4, 15)
    return {"a1": a, "a2": a + d, "a3": a + 2 * d, "d": d, "n": n, "less": n - 1, "an": a + (n - 1) * d}


def _sample_bound(rng: random.Random) -> Slots:
    """Draw a linear inequality."""
    m, x, b = rng.randint(2, 9), rng.randint(2, 15), rng.randint(1, 20)
    return {"m": m, "b": b, "rhs": m * x + b, "mx": m * x, "x": x}


_SCRATCH: tuple[tuple[Callable[[random.Random], Slots], tuple[str, ...]], ...] = (
    (
        _sample_pair,
        (
            "Adding the two readings, $<a> + <b> = <sum>$.",
            r"The difference between them is \(<a> - <b> = <difference>\).",
            r"The rectangle at the side measures $<a> \times <b>$, that is $<product>$ little squares.",
            "From the table I take $<a>$ and $<b>$; together they make $<sum>$, and they differ by $<difference>$.",
            r"\[ <a> \cdot <b> = <product> \]",
            "Subtracting the offset of $<b>$ from the reading of $<a>$ leaves $<difference>$.",
            r"As a check, $<sum> - <b> = <a>$ and $\frac{<product>}{<b>} = <a>$, as it should be.",
            r"Let $n_1 = <a>$ and $n_2 = <b>$. Then \(n_1 + n_2 = <sum>\) while \(n_1 n_2 = <product>\).",
        ),
    ),
    (
        _sample_list,
        (
            "The row contains $<list>$, and its sum is $<plus> = <total>$.",
            r"The mean of $<list>$ is $\frac{<total>}{<size>} = <mean>$.",
            "There are $<size>$ entries, namely $<list>$, with a total of $<total>$.",
            r"$$\bar{x} = \frac{<plus>}{<size>} = <mean>$$",
            "Reading off the heights one by one I get $<list>$, so $<total>$ altogether.",
        ),
    ),
    (
        _sample_linear,
        (
            "From $<m><v> + <b> = <rhs>$ I get $<m><v> = <mx>$ and then $<v> = <x>$.",
            r"The auxiliary equation \(<m><v> + <b> = <rhs>\) has the solution \(<v> = <x>\).",
            "\\[\n\\begin{aligned}\n<m><v> + <b> &= <rhs> \\\\\n<m><v> &= <mx> \\\\\n<v> &= <x>\n\\end{aligned}\n\\]",
            "Suppose the helper quantity $<v>$ satisfies $<m><v> + <b> = <rhs>$; less $<b>$, $<m><v> = <mx>$.",
            r"Balancing both sides yields $<m><v> = <rhs> - <b> = <mx>$, so $<v> = \frac{<mx>}{<m>} = <x>$.",
            r"Plugging $<v> = <x>$ back in: $<m> \cdot <x> + <b> = <mx> + <b> = <rhs>$, which fits.",
        ),
    ),
    (
        _sample_quadratic,
        (
            "The quadratic $x^2 - <s>x + <p>$ factors as $(x - <r1>)(x - <r2>)$.",
            r"With the discriminant $D = <s>^2 - 4 \cdot <p> = <d>$ the roots come out as $<r1>$ and $<r2>$.",
            r"\[ x^2 - <s>x + <p> = (x - <r1>)(x - <r2>) \]",
            "By Vieta, the roots add to $<s>$ and multiply to $<p>$, which points to $<r1>$ and $<r2>$.",
            r"The helper parabola \(y = x^2 - <s>x + <p>\) meets the axis at \(x = <r1>\) and at \(x = <r2>\).",
        ),
    ),
    (
        _sample_triple,
        (
            r"By Pythagoras the slanted side is $\sqrt{<a>^2 + <b>^2} = \sqrt{<c2>} = <c>$.",
            r"The right triangle with legs $<a>$ and $<b>$ has the area $\frac{1}{2} \cdot <a> \cdot <b> = <area>$.",
            "Since $<a2> + <b2> = <c2>$, the angle at the corner is indeed a right angle.",
            r"\[ c = \sqrt{<a2> + <b2>} = <c> \]",
            r"The legs are \(<a>\) and \(<b>\), hence the hypotenuse is \(<c>\).",
        ),
    ),
    (
        _sample_ratio,
        (
            r"The ratio $\frac{<a>}{<b>}$ reduces to $\frac{<c>}{<d>}$ after cancelling $<k>$.",
            r"That is $<a>$ out of $<b>$, i.e. $\frac{<c>}{<d>}$ in lowest terms.",
            r"$$\frac{<a>}{<b>} = \frac{<c> \cdot <k>}{<d> \cdot <k>} = \frac{<c>}{<d>}$$",
            r"Both $<a>$ and $<b>$ are divisible by $<k>$, so the share is \(<c>/<d>\).",
            r"Its complement is $1 - \frac{<c>}{<d>}$, which I may need later.",
        ),
    ),
    (
        _sample_percent,
        (
            r"Of the $<base>$ items, $<rate>\%$ are $<part>$, so $<rest>$ remain.",
            r"\[ \frac{<rate>}{100} \cdot <base> = <part> \]",
            r"Taking $<rate>\%$ off $<base>$ leaves $<base> - <part> = <rest>$.",
            r"The sector with $<rate>\%$ stands for $<part>$ of the $<base>$ people in the survey.",
        ),
    ),
    (
        _sample_points,
        (
            r"Between $(<x1>, <y1>)$ and $(<x2>, <y2>)$ the slope is $\frac{<dy>}{<dx>} = <slope>$.",
            "The line passes through $(<x1>, <y1>)$ and $(<x2>, <y2>)$, as far as I can see.",
            r"Moving from \(x = <x1>\) to \(x = <x2>\) raises the value by \(<dy>\).",
            r"$$m = \frac{<y2> - <y1>}{<x2> - <x1>} = \frac{<dy>}{<dx>} = <slope>$$",
        ),
    ),
    (
        _sample_angles,
        (
            r"The angles give $180^\circ - <a>^\circ - <b>^\circ = <c>^\circ$ for the third corner.",
            r"Next to the angle of \(<a>^\circ\) lies its supplement of \(<o>^\circ\).",
            r"Two of the angles are $<a>^\circ$ and $<b>^\circ$, which is $<ab>^\circ$ together.",
            r"\[ \alpha + \beta = <a>^\circ + <b>^\circ = <ab>^\circ \]",
        ),
    ),
    (
        _sample_circle,
        (
            r"A circle of radius $<r>$ has the circumference $2\pi \cdot <r> = <d>\pi$.",
            r"The small disc covers $\pi \cdot <r>^2 = <r2>\pi$.",
            r"The diameter in the drawing is $<d>$, so the radius is $\frac{<d>}{2} = <r>$.",
            r"\[ A = \pi r^2 = \pi \cdot <r>^2 = <r2>\pi \]",
        ),
    ),
    (
        _sample_growth,
        (
            "The pattern starts $<a1>, <a2>, <a3>, \\dots$ and grows by $<d>$ each time.",
            r"Term number $<n>$ is $a_{<n>} = <a1> + <less> \cdot <d> = <an>$.",
            r"$$a_n = <a1> + (n - 1) \cdot <d>$$",
            "After $<less>$ more steps of $<d>$ the helper sequence arrives at $<an>$.",
        ),
    ),
    (
        _sample_bound,
        (
            "The condition $<m>x + <b> < <rhs>$ amounts to $x < <x>$.",
            r"Since \(<m>x \le <mx>\) for all admissible values, we have \(x \le <x>\).",
            r"\[ <m>x + <b> \ge <rhs> \iff x \ge <x> \]",
            "For $x > <x>$ the left side exceeds $<rhs>$, and below that it does not.",
        ),
    ),
)

# An earlier candidate that is taken back; <c> is the candidate as it would be written in the text.
_HEDGES = (
    "So the answer is probably <c>. Hmm, wait: I have skipped one of the labels, so I should not settle on that.",
    "At first sight the answer is <c>, but that was too quick, as the scale does not start where I assumed.",
    "My first guess would be <c>. Let me do it properly, though, because the guess ignores the <thing>.",
    "That would make it <c>? No, I used the wrong row there. Let me start this part again.",
    "One might say the answer is <c> at this point. However, this mixes up two different quantities.",
    "Maybe the answer should be <c>... Actually, let me reconsider, since I misread the <thing>.",
    "If I stopped here I would say <c>. I do not want to stop here, because a step is missing.",
    "So the final answer would be <c>. But wait, the problem says something else about the <thing>.",
    "This suggests <c>, so the answer is likely <c>. Let me double-check before committing to it.",
)
# The same with a box; <t> is the candidate in math mode.
_BOXED_HEDGES = (
    r"A first pass gives \boxed{<t>}. Let me go over that again, since the <thing> was left out.",
    r"Tentatively: $\boxed{<t>}$. Hmm, that cannot be final, as I have not used the <thing> at all.",
    r"So the answer is \(\boxed{<t>}\)? Wait. I swapped two labels there, so this has to be redone.",
    r"I was about to write \boxed{<t>}, but the check fails, so back to the figure.",
    "For now:\n\\[\n\\boxed{<t>}\n\\]\nHowever, I am not convinced yet, because one condition is unused.",
)
_BOXED_STEPS = (
    r"For the small part alone I get $\boxed{<n>}$, an intermediate value that I keep for later.",
    r"Sub-result for the first row: \boxed{<n>}. The other rows still have to be dealt with.",
    r"So the helper quantity is \(k = \boxed{<n>}\). This is not yet what is asked.",
    "Intermediate result:\n\\[\n\\boxed{k = <n>}\n\\]\nNow for the actual question.",
)
_LINKS = (
    "Next, ",
    "Then ",
    "Now, ",
    "Okay, ",
    "Also, ",
    "Moreover, ",
    "Hmm, ",
    "Well, ",
    "After that, ",
    "In addition, ",
)
_HEADINGS = ("Read the figure", "Set up", "Compute", "Check", "Simplify", "Compare", "Collect the data", "Next part")
_CLOSINGS = (
    "Putting the pieces together settles <topic>.",
    "Both routes agree, so I am done with <topic>.",
    "With the revised reading, everything is consistent, and the result is <c>.",
    "So, after all of these checks, <topic> comes out as <c>.",
    "All right, that is enough checking.",
    "I have gone through every label twice, and the result stays at <c>.",
    "This time nothing is left over, so I can state the result.",
    "Combining this with what the picture shows, I arrive at <c>.",
)
# Where a completion breaks off. Without figures, and without words that are references here.
_TAILS = (
    "Before going on I want to look at the small print under the figure again, because the wording might change which "
    "of the rows has to be used in the last step, and it would be a pity to",
    "Let me now combine these pieces carefully, keeping in mind that the scale of the vertical axis is broken, which "
    "means that the heights cannot be compared directly and have to be",
    "The next thing to do is to go through the labels in order and to note for each of them whether it belongs to the "
    "upper or to the lower part of the drawing, since otherwise the",
    "Hmm, this way is getting long, so let me try to find a shorter one, perhaps by using that the figure is the same "
    "when it is turned around its centre, which would mean that",
    "Wait, I should double-check the legend, because the dashed line and the dotted line look very much alike in this "
    "picture and it is easy to take the one for the",
)


def _shuffled(rng: random.Random, items: Sequence[str]) -> list[str]:
    """Give the items in random order."""
    return rng.sample(items, len(items))


class _Writer:
    """Writes the reasoning of one completion, without repeating a template before all have been used.

    Args:
        rng: The source of chance.
        topic: What is asked for.
        forbidden: Sentences that match it are left out; none when None.
    """

    def __init__(self, rng: random.Random, topic: str, forbidden: re.Pattern[str] | None = None) -> None:
        self.rng = rng
        self.topic = topic
        self.forbidden = forbidden
        self.decks: dict[str, list[str]] = {}

    def slots(self) -> Slots:
        """Draw the words and numbers that any sentence may use."""
        thing, thing2 = self.rng.sample(_THINGS, 2)
        return {
            "topic": self.topic,
            "thing2": thing2,
            "thing": thing,
            "place": self.rng.choice(_PLACES),
            "who": self.rng.choice(_PEOPLE),
            "n": self.rng.randint(2, 97),
            "m": self.rng.randint(2, 12),
            "k": self.rng.randint(1, 4),
        }

    def draw(self, name: str, pool: Sequence[str]) -> str:
        """Draw a template from a pool."""
        if not self.decks.get(name):
            self.decks[name] = _shuffled(self.rng, pool)
        return self.decks[name].pop()

    def sentence(self) -> str:
        """Write a sentence, of prose or of computation."""
        while True:
            if self.rng.random() < 0.42:
                text = _fill(self.draw("prose", _PROSE), self.slots())
            else:
                index = self.rng.randrange(len(_SCRATCH))
                sampler, templates = _SCRATCH[index]
                text = _fill(self.draw(f"scratch {index}", templates), sampler(self.rng))
            if self.forbidden is None or not self.forbidden.search(text):
                return text

    def linked(self, text: str) -> str:
        """Put a linking word before some of the sentences that can take one."""
        word = text.split(" ")[0]
        if self.rng.random() < 0.15 and word in ("The", "There", "Since", "From", "By", "Between", "As", "With"):
            return self.rng.choice(_LINKS) + text[0].lower() + text[1:]
        return text

    def paragraph(self) -> str:
        """Write a paragraph, now and then as a list."""
        sentences = [self.linked(self.sentence()) for _ in range(self.rng.randint(1, 5))]
        if len(sentences) > 2 and self.rng.random() < 0.12:
            bullet = self.rng.choice(("- ", "* ", "\u2022 "))
            return "\n".join(bullet + sentence for sentence in sentences)
        return " ".join(sentences)

    def body(self, length: int) -> list[str]:
        """Write paragraphs up to a length in characters."""
        paragraphs: list[str] = []
        while sum(map(len, paragraphs)) < length:
            paragraphs.append(self.paragraph())
        return paragraphs

    def headed(self, paragraphs: list[str]) -> list[str]:
        """Number the paragraphs in one of several styles, or leave them as they are."""
        style = self.rng.choices(("none", "bold", "step", "number"), weights=(60, 15, 15, 10))[0]
        if style == "none":
            return paragraphs
        headed = []
        for i, paragraph in enumerate(paragraphs, 1):
            heading = self.rng.choice(_HEADINGS)
            before = {"bold": f"**{heading}.** ", "step": f"Step {i}: {heading}. ", "number": f"{i}. "}[style]
            headed.append(before + paragraph)
        return headed


def _length(rng: random.Random) -> int:
    """Draw the length of the reasoning, log-uniformly."""
    return round(math.exp(rng.uniform(math.log(SHORTEST), math.log(LONGEST))))


def _interruptions(rng: random.Random, writer: _Writer, earlier: Candidate, boxes: bool) -> list[str]:
    """Write earlier candidates and intermediate results.

    Args:
        rng: The source of chance.
        writer: The writer of the reasoning.
        earlier: The candidate that is taken back.
        boxes: Whether anything may be boxed.

    Returns:
        Paragraphs to put between others.
    """
    texts = []
    slots = {"t": earlier.tex, "c": rng.choice((earlier.text, f"${earlier.tex}$", rf"\({earlier.tex}\)"))}
    if rng.random() < HEDGED:
        pool = _BOXED_HEDGES if boxes and rng.random() < 0.4 else _HEDGES
        texts.append(_fill(rng.choice(pool), {**slots, **writer.slots()}))
    if boxes and rng.random() < BOXED_ON_THE_WAY:
        texts.append(_fill(rng.choice(_BOXED_STEPS), writer.slots()))
    return texts


def _reasoning(rng: random.Random, problem: Problem, answer: Candidate, earlier: Candidate, boxes: bool) -> str:
    """Write the reasoning before an answer.

    Args:
        rng: The source of chance.
        problem: The problem.
        answer: The final answer.
        earlier: A candidate with another label, for remarks that are taken back.
        boxes: Whether anything may be boxed on the way.

    Returns:
        The text.
    """
    writer = _Writer(rng, problem.topic)
    opening = _fill(rng.choice(_OPENINGS), writer.slots())
    if problem.given and (problem.answer_type == "number" or rng.random() < 0.6):
        opening += " " + problem.given
    paragraphs = writer.headed(writer.body(_length(rng)))
    for text in _interruptions(rng, writer, earlier, boxes):
        # What is taken back is followed by at least one more paragraph.
        paragraphs.insert(rng.randrange(len(paragraphs)), text)
    paragraphs.insert(0, opening)
    if rng.random() < 0.7:
        stated = rng.choice((answer.text, f"${answer.tex}$"))
        paragraphs.append(_fill(rng.choice(_CLOSINGS), {"topic": problem.topic, "c": stated}))
    return "\n\n".join(paragraphs)


def _broken_off(rng: random.Random, problem: Problem) -> str:
    """Write a completion that breaks off before any answer, and of which no sentence contains the reference."""
    texts = {problem.reference} | {form for c in problem.candidates if c.how == "same" for form in (c.tex, c.text)}
    pattern = "|".join(rf"(?<!\w){re.escape(text)}(?!\w)" for text in sorted(texts))
    forbidden = re.compile(pattern, re.IGNORECASE)
    writer = _Writer(rng, problem.topic, forbidden)
    openings = [_fill(opening, writer.slots()) for opening in _OPENINGS]
    opening = rng.choice([text for text in openings if not forbidden.search(text)])
    words = rng.choice([tail for tail in _TAILS if not forbidden.search(tail)]).split(" ")
    kept = " ".join(words[: rng.randint(len(words) // 2, len(words))])
    text = "\n\n".join([opening, *writer.body(_length(rng)), kept])
    return rng.choice(("<think>\n", "<think>", "")) + text


# --- Completions -----------------------------------------------------------------------------------------------------

_BOX_ENDINGS = (
    "Therefore, the final answer is $<box>$.",
    "The final answer is <box>",
    "So the answer is\n\\[\n<box>\n\\]",
    "$$<box>$$",
    "Hence \\(<box>\\).",
    "**Final Answer**\n\n$<box>$",
    "Thus we conclude: <box>.",
    "<box>",
    "The answer is \\[<box>.\\]",
)
_LINE_ENDINGS = ("The answer is <x>.", "Final answer: <x>", "**Answer:** <x>", "Final Answer: <x>", "The answer is <x>")
_BETWEEN = ("", "", "\n", "\n\n", "\n")


def _thought(rng: random.Random, reasoning: str) -> str:
    """Put the reasoning between the tags for it."""
    edge = rng.choice(("", "\n", "\n"))
    return f"<think>{edge}{reasoning}{edge}</think>"


def _tagged(rng: random.Random, problem: Problem, answer: Candidate, reasoning: str) -> str:
    """State the answer between tags."""
    return _thought(rng, reasoning) + rng.choice(_BETWEEN) + _in_tags(rng, _outside_box(rng, problem, answer))


def _boxed(rng: random.Random, problem: Problem, answer: Candidate, reasoning: str) -> str:
    """State the answer in a box at the end."""
    ending = _fill(rng.choice(_BOX_ENDINGS), {"box": _in_box(rng, problem, answer)})
    if rng.random() < 0.2:
        reasoning = _thought(rng, reasoning)
    return f"{reasoning}\n\n{ending}"


def _tagged_boxed(rng: random.Random, problem: Problem, answer: Candidate, reasoning: str) -> str:
    """State the answer in a box between tags."""
    box = _in_box(rng, problem, answer)
    text = rng.choice((box, box, f"${box}$", rf"\({box}\)", f"$${box}$$"))
    return _thought(rng, reasoning) + rng.choice(_BETWEEN) + _in_tags(rng, text)


def _last_line(rng: random.Random, problem: Problem, answer: Candidate, reasoning: str) -> str:
    """State the answer in the last line."""
    return f"{reasoning}\n\n" + _fill(rng.choice(_LINE_ENDINGS), {"x": _outside_box(rng, problem, answer)})


_FORMS: dict[str, Callable[[random.Random, Problem, Candidate, str], str]] = {
    "tagged": _tagged,
    "boxed": _boxed,
    "tagged_boxed": _tagged_boxed,
    "last_line": _last_line,
}


def _completion(rng: random.Random) -> Completion:
    """Draw a labelled completion."""
    family = _pick(rng, FAMILY_SHARES)
    problem = _FAMILIES[family](rng)
    groups = _sorted_out(rng, family, problem)
    form = _pick(rng, FORM_SHARES)
    if form == "truncated":
        text, right, how = _broken_off(rng, problem), False, "truncated"
    else:
        label = _pick(rng, LABEL_SHARES)
        answer = _one_of(rng, groups[label])
        earlier = rng.choice(groups["wrong"] if label != "wrong" else groups["same"] + groups["equal"])
        # A box before a last line without one could pass for the answer.
        reasoning = _reasoning(rng, problem, answer, earlier, boxes=form != "last_line")
        text = _FORMS[form](rng, problem, answer, reasoning)
        right, how = answer.key in problem.accepted, answer.how
    return Completion(
        text,
        problem.reference,
        problem.answer_type,
        right,
        f"{family}/{how}",
        problem.choices,
        problem.unit,
        problem.precision,
    )


def make_mix(count: int, seed: int) -> list[Completion]:
    """Make a mix of labelled completions.

    Args:
        count: How many.
        seed: The same seed gives the same mix, of which a shorter one is the beginning.

    Returns:
        The completions.
    """
    rng = random.Random(seed)
    return [_completion(rng) for _ in range(count)]
