r"""The developers' own mix of labelled completions, for measuring rule verifiers; it has no peer and prints nothing.

A fifth are integers, then fractions, decimals, quantities with units, multiple choice, roots, polynomials, intervals,
multiples of pi, tuples, percents, equations, short text and sets. Chains of thought have 1,200 to 8,000 characters
full of LaTeX. The answer is boxed (62 %), boxed in an answer block (15 %), in an answer block (7 %), in a closing line
with or without dollar signs (6 and 5 %), or cut off (5 %). Of the others, half are right as the reference writes them,
15 % right in another form, 35 % wrong.

Labels are certain by construction, under these conventions: a unit may be left out, a wrong one is wrong; a percent
sign has to be kept (neither 50 nor 0.5 is 50 %); a number is exact unless a precision is given (then half a unit of
the last decimal); a decimal equals a fraction only exactly; sets have no order, tuples and intervals have one, and
their brackets count; unevaluated integer arithmetic is not a number; two candidates are wrong.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import NamedTuple, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Completion:
    """A completion, what it answers, and whether it is right."""

    completion: str
    reference: str
    answer_type: str
    """A value of `AnswerType`."""
    right: bool
    kind: str
    """Kind of problem, final form and share: "fraction/boxed/other"."""
    choices: tuple[str, ...] = ()
    unit: str = ""
    precision: int | None = None


class Form(NamedTuple):
    """One answer, written in LaTeX and without it."""

    latex: str
    plain: str


@dataclass(frozen=True)
class Problem:
    """A reference with answers that are known to be right or wrong."""

    answer_type: str
    reference: str
    gold: Form
    """The reference's value in the reference's form."""
    others: tuple[Form, ...]
    """The same value in other forms."""
    wrongs: tuple[Form, ...]
    """Other values; the first looks like the gold, and with it names two candidates."""
    choices: tuple[str, ...] = ()
    unit: str = ""
    precision: int | None = None


_SHARES = {"same": 50, "other": 15, "wrong": 35}
_FINALS = {"boxed": 62, "block and box": 15, "block": 7, "dollars": 6, "plain": 5, "truncated": 5}
_HEDGED = 0.08  # share of the wrong answers that name two candidates
_TRIES = 50  # draws for an answer that was not given before
_DISTINCT_IN_GROUP = {1: 42, 2: 42, 3: 14, 4: 2}  # and those that are cut off: of 8 answers, 73 % are repeats


def make_mix(count: int, seed: int) -> list[Completion]:
    """Completions to different problems; hardly any pair of reference and answer comes twice.

    Args:
        count: How many.
        seed: The same seed gives the same completions.
    """
    rng = Random(seed)
    seen: set[tuple[str, ...]] = set()
    return [_completion(rng, seen, _LONG) for _ in range(count)]


def make_groups(prompts: int, size: int, seed: int) -> list[Completion]:
    """Groups of completions, each of one prompt, in which about 73 % of the answers of a group of 8 are repeats.

    Args:
        prompts: How many groups.
        size: Completions a group; they are consecutive and differ in their chains of thought.
        seed: The same seed gives the same completions.
    """
    rng = Random(seed)
    return [completion for _ in range(prompts) for completion in _group(rng, size)]


def make_short(count: int, seed: int) -> list[Completion]:
    """Plain integers, decimals, fractions and letters in an answer block, with five words of thought.

    Args:
        count: How many.
        seed: The same seed gives the same completions.
    """
    rng = Random(seed)
    seen: set[tuple[str, ...]] = set()
    return [_completion(rng, seen, _SHORT) for _ in range(count)]


class _Recipe(NamedTuple):
    kinds: dict[str, int]
    finals: dict[str, int]
    shares: dict[str, int]
    think: Callable[[Random], str]


def _completion(rng: Random, seen: set[tuple[str, ...]], recipe: _Recipe) -> Completion:
    kind, final, share = _pick(rng, recipe.kinds), _pick(rng, recipe.finals), _pick(rng, recipe.shares)
    for _ in range(_TRIES):
        problem = _MAKERS[kind](rng)
        form = _answer(problem, share, rng)
        key = (problem.reference, problem.unit, *problem.choices, form.plain)
        if key not in seen:
            break
    seen.add(key)
    return _labelled(problem, form, _WRITERS[final](form, recipe.think(rng), rng), (kind, final, share))


def _group(rng: Random, size: int) -> Iterator[Completion]:
    kind = _pick(rng, _KINDS)
    problem = _MAKERS[kind](rng)
    wanted = min(size, _pick(rng, _DISTINCT_IN_GROUP))
    answers: dict[str, str] = {}  # LaTeX to share
    for _ in range(_TRIES):
        share = _pick(rng, _SHARES)
        answers.setdefault(_answer(problem, share, rng).latex, share)
        if len(answers) == wanted:
            break
    drawn = list(answers.items())
    drawn += rng.choices(drawn, k=size - len(drawn))
    rng.shuffle(drawn)
    finals = {final: weight for final, weight in _FINALS.items() if final not in ("plain", "truncated")}
    own_final = _pick(rng, finals)
    for latex, share in drawn:
        final, form = "truncated" if rng.random() < 0.05 else own_final, Form(latex, latex)
        yield _labelled(problem, form, _WRITERS[final](form, chain_of_thought(rng), rng), (kind, final, share))


def _labelled(problem: Problem, form: Form, text: str, origin: tuple[str, str, str]) -> Completion:
    _, final, share = origin
    return Completion(
        completion=text,
        reference=problem.reference,
        answer_type=problem.answer_type,
        right=share in ("same", "other") and final != "truncated",
        kind="/".join(origin),
        choices=problem.choices,
        unit=problem.unit,
        precision=problem.precision,
    )


def _answer(problem: Problem, share: str, rng: Random) -> Form:
    if share == "same":
        return problem.gold
    if share == "other":
        return rng.choice(problem.others)
    if share == "slip":
        return problem.wrongs[0]
    if rng.random() < _HEDGED:
        first, second = rng.sample([problem.gold, problem.wrongs[0]], 2)
        link = rng.choice(["or", "or", "and"])
        return Form(rf"{first.latex} \text{{ {link} }} {second.latex}", f"{first.plain} {link} {second.plain}")
    return rng.choice(problem.wrongs)


def _pick(rng: Random, weights: dict[T, int]) -> T:
    return rng.choices(list(weights), list(weights.values()))[0]


# Numbers


def _latex(value: Fraction | int) -> str:
    value = Fraction(value)
    sign = "-" if value < 0 else ""
    if value.denominator == 1:
        return str(value.numerator)
    return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def _number(value: Fraction | int) -> Form:
    return Form(_latex(value), str(Fraction(value)))


def _same(text: str) -> Form:
    return Form(text, text)


def _text(text: str) -> Form:
    return Form(rf"\text{{{text}}}", text)


def _fixed(value: Fraction, digits: int) -> str:
    """A value with so many decimals, rounded."""
    scaled = round(value * 10**digits)
    text = str(abs(scaled)).zfill(digits + 1)
    return ("-" if scaled < 0 else "") + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)


def _exact_decimal(value: Fraction) -> str | None:
    """The value as a decimal, if it is one of up to 6 digits and no integer."""
    exact = (digits for digits in range(1, 7) if (value * 10**digits).denominator == 1)
    digits = next(exact, None)
    return None if digits is None or value.denominator == 1 else _fixed(value, digits)


def _nonzero(rng: Random, largest: int) -> int:
    return rng.choice([-1, 1]) * rng.randint(1, largest)


def _fraction(rng: Random, largest: int = 40) -> Fraction:
    """A fraction that is no integer."""
    while True:
        value = Fraction(_nonzero(rng, largest), rng.randint(2, 25))
        if value.denominator > 1:
            return value


def _integer_or_fraction(rng: Random) -> Fraction:
    return Fraction(rng.randint(-12, 30)) if rng.random() < 0.7 else _fraction(rng, 20)


def _integer(rng: Random) -> Problem:
    value = _pick(rng, {rng.randint(-99, 200): 50, rng.randint(201, 9999): 35, rng.randint(10_000, 9_999_999): 15})
    others = [_same(f"{value}.0"), _same(f"{value}.00"), Form(rf"\text{{{value}}}", str(value))]
    if value >= 1000:
        others += [Form(f"{value:,}".replace(",", "{,}"), f"{value:,}"), _same(f"{value:,}")] * 2
    if value >= 1000 and value % 100 == 0:
        power = len(str(value)) - 1
        mantissa = _fixed(Fraction(value, 10**power), power).rstrip("0").rstrip(".")
        others.append(Form(rf"{mantissa} \times 10^{{{power}}}", f"{mantissa}e{power}"))
    part = value - rng.randint(1, 99)
    wrongs = [_number(value + _nonzero(rng, 9)), _number(value + _nonzero(rng, 3)), _number(10 * value + 1)]
    wrongs += [_number(value + Fraction(1, 2))]
    if value > 100:
        wrongs.append(_same(f"{part} + {value - part}"))
    if value >= 2:
        wrongs.append(Form(rf"{value}\%", f"{value}%"))
        wrongs += [_number(-value), Form(f"x^2 = {value}", f"x^2 = {value}")]
        wrongs += [Form(rf"{d} \times {value // d}", f"{d}*{value // d}") for d in (2, 3, 7) if value % d == 0]
    return Problem("number", str(value), _same(str(value)), tuple(others), tuple(wrongs))


def _proper_fraction(rng: Random) -> Problem:
    value = _fraction(rng)
    top, bottom, factor = abs(value.numerator), value.denominator, rng.randint(2, 6)
    sign = "-" if value < 0 else ""
    others = [
        Form(rf"{sign}\dfrac{{{top}}}{{{bottom}}}", str(value)),
        Form(rf"{sign}\frac{{{factor * top}}}{{{factor * bottom}}}", f"{sign}{factor * top}/{factor * bottom}"),
        _same(str(value)),
        Form(rf"\frac{{{sign}{top}}}{{{bottom}}}", f"({sign}{top})/{bottom}"),
    ]
    if top < 10 and bottom < 10:
        others.append(Form(rf"{sign}\frac{top}{bottom}", str(value)))
    if top > bottom:
        whole, rest = divmod(top, bottom)
        others.append(Form(rf"{sign}{whole}\frac{{{rest}}}{{{bottom}}}", f"{sign}{whole} {rest}/{bottom}"))
    wrongs = [
        _number(value + Fraction(1, bottom)),
        _number(value + Fraction(_nonzero(rng, 3), bottom + 1)),
        _number(-value),
    ]
    decimal = _exact_decimal(value)
    if decimal:
        others += [_same(decimal)] * 2
        percent = _exact_decimal(value * 100) or str(value * 100)
        wrongs.append(Form(rf"{percent}\%", f"{percent}%"))
    if value.denominator % 3 == 0 or value.denominator % 7 == 0:  # no decimal is equal
        wrongs += [_same(_fixed(value, 2)), _same(_fixed(value, 4))]
    if top > 1 and top != bottom:
        wrongs.append(_number(1 / value))
    return Problem("number", _latex(value), _number(value), tuple(others), tuple(wrongs))


def _decimal(rng: Random) -> Problem:
    digits = rng.randint(1, 3)
    scaled = rng.randint(1, 20 * 10**digits)
    scaled += scaled % 10 == 0
    value = Fraction(scaled, 10**digits) * rng.choice([1, 1, 1, -1])
    gold, unit = _fixed(value, digits), Fraction(1, 10**digits)
    others = [_same(f"{gold}0"), _same(f"{gold}00"), _number(value)]
    if 0 < value < 1:
        others.append(_same(gold.removeprefix("0")))
    wrongs = [
        _same(_fixed(value + _nonzero(rng, 9) * unit, digits)),
        _same(_fixed(value + _nonzero(rng, 2) * unit, digits)),
    ]
    wrongs += [_same(_fixed(value * 10, digits)), _same(_fixed(-value, digits))]
    percent = _exact_decimal(value * 100) or str(value * 100)
    wrongs.append(Form(rf"{percent}\%", f"{percent}%"))
    precision = digits if rng.random() < 0.4 else None
    near = _fixed(value + _nonzero(rng, 40) * unit / 100, digits + 2)
    if precision is None:
        wrongs += [_same(near), Form(rf"{near}\ldots", f"{near}...")]
    else:
        others += [_same(near), _same(near), Form(rf"\approx {gold}", gold)]
        wrongs.append(_same(_fixed(value + rng.choice([-1, 1]) * rng.randint(60, 99) * unit / 100, digits + 2)))
    return Problem("number", gold, _same(gold), tuple(others), tuple(wrongs), precision=precision)


_UNITS = {  # symbol: (word in the plural, another unit)
    "cm": ("centimetres", "m"),
    "m": ("meters", "cm"),
    "km": ("kilometers", "m"),
    "kg": ("kilograms", "g"),
    "g": ("grams", "kg"),
    "s": ("seconds", "min"),
    "h": ("hours", "s"),
    "L": ("litres", "mL"),
    "N": ("newtons", "J"),
    "W": ("watts", "kW"),
    "km/h": ("kilometers per hour", "m/s"),
    "cm^2": ("square centimeters", "cm^3"),
    "m^3": ("cubic metres", "m^2"),
}


def _quantity(rng: Random) -> Problem:
    unit = rng.choice([*_UNITS, "degrees", "dollars"])
    value = Fraction(rng.randint(2, 400)) if rng.random() < 0.6 else Fraction(rng.randint(11, 3999), 10)
    if unit == "dollars":
        return _money(value, rng)
    if unit == "degrees":
        return _angle(value, rng)
    amount, wrong = _amount(value), _amount(value + _nonzero(rng, 9))
    word, another = _UNITS[unit]
    full = _with_unit(amount, unit)
    written = [full, Form(rf"{amount}\,\mathrm{{{unit}}}", f"{amount}{unit}"), _text_after(amount, word)]
    states_unit = rng.random() < 0.6
    others = [*written[1:], _same(amount)] if states_unit else [*written, full]
    wrongs = (_with_unit(wrong, unit), _with_unit(amount, another), _same(wrong), _with_unit(wrong, unit))
    reference = f"{amount} {unit}" if states_unit else amount
    gold = full if states_unit else _same(amount)
    return Problem("number", reference, gold, tuple(others), wrongs, unit=unit)


def _amount(value: Fraction) -> str:
    return _exact_decimal(value) or str(value)


def _with_unit(amount: str, unit: str) -> Form:
    symbol, _, power = unit.partition("^")
    return Form(rf"{amount} \text{{ {symbol}}}" + (f"^{power}" if power else ""), f"{amount} {unit}")


def _text_after(amount: str, word: str) -> Form:
    return Form(rf"{amount} \text{{ {word}}}", f"{amount} {word}")


def _money(value: Fraction, rng: Random) -> Problem:
    amount, wrong = _fixed(value, 2), _fixed(value + _nonzero(rng, 150) * Fraction(1, 100), 2)
    gold = Form(rf"\${amount}", f"${amount}")
    others = (_same(amount), _text_after(amount, "dollars"), _text_after(_amount(value), "dollars"))
    wrongs = (Form(rf"\${wrong}", f"${wrong}"), _same(wrong), Form(rf"{amount}\%", f"{amount}%"))
    return Problem("number", rf"\${amount}", gold, others, wrongs, unit="$")


def _angle(value: Fraction, rng: Random) -> Problem:
    amount, wrong = _amount(value), _amount(value + _nonzero(rng, 9))
    gold = Form(rf"{amount}^\circ", f"{amount}\u00b0")
    others = (_same(amount), _text_after(amount, "degrees"), Form(rf"{amount}^{{\circ}}", f"{amount} \u00b0"))
    wrongs = (Form(rf"{wrong}^\circ", f"{wrong}\u00b0"), _same(wrong), Form(rf"{amount}\%", f"{amount}%"))
    return Problem("number", rf"{amount}^\circ", gold, others, wrongs, unit="\u00b0")


def _percent(rng: Random) -> Problem:
    value = Fraction(rng.randint(1, 150)) if rng.random() < 0.7 else Fraction(rng.randint(11, 1499), 10)
    amount = _amount(value)

    def percent(text: str) -> Form:
        return Form(rf"{text}\%", f"{text}%")

    zeros = f"{amount}0" if "." in amount else f"{amount}.0"
    others = (Form(rf"{amount} \%", f"{amount} %"), _same(f"{amount}%"), percent(zeros), _text_after(amount, "percent"))
    wrongs = [percent(_amount(value + _nonzero(rng, 9))), percent(_amount(value * 10)), _same(amount)]
    wrongs += [_same(_amount(value / 100)), _number(value / 100), percent(_amount(value + _nonzero(rng, 2)))]
    return Problem("number", rf"{amount}\%", percent(amount), others, tuple(wrongs))


# Choice and text

_CITIES = ("Paris", "London", "Madrid", "Rome", "Vienna", "Oslo", "Lisbon", "Athens", "Cairo", "Lima", "Tokyo", "Delhi")
_ADJECTIVES = ("red", "blue", "green", "wooden", "small", "broken", "striped", "parked", "empty", "golden", "wet")
_NOUNS = (
    *("car", "bicycle", "bus", "umbrella", "dog", "horse", "bridge", "table", "clock", "bottle", "kite", "ladder"),
    *("train", "lamp", "sofa", "piano", "window", "tree", "boat", "guitar", "mirror", "fence", "statue", "tent"),
)
_NAMES = ("Isaac Newton", "Marie Curie", "Ada Lovelace", "Leonhard Euler", "Emmy Noether", "Alan Turing")


def _choice(rng: Random) -> Problem:
    count = rng.randint(4, 5)
    pools: tuple[Callable[[], Sequence[str]], ...] = (
        lambda: rng.sample(_CITIES, count),
        lambda: [_amount(Fraction(n, 2)) for n in rng.sample(range(10, 400), count)],
        lambda: [f"{n} cm" for n in rng.sample(range(10, 99), count)],
        lambda: [
            f"the {adjective} {noun}" for adjective, noun in zip(rng.sample(_ADJECTIVES, count), _NOUNS, strict=False)
        ],
    )
    options = rng.choice(pools)()
    right, wrong = rng.sample(range(count), 2)
    letter, other = "ABCDE"[right], "ABCDE"[wrong]
    others = [_text(f"({letter})"), _text(f"{letter}. {options[right]}"), _text(f"({letter}) {options[right]}")]
    others += [_text(options[right]), _text(f"Option {letter}"), _text(f"{letter}."), _text(f"({letter.lower()})")]
    others.append(Form(rf"\textbf{{({letter})}}", f"**{letter}**"))
    wrongs = [_same(other), _same(other), _same(other), _text(f"({other})"), _text(options[wrong])]
    wrongs += [_text(f"{other}. {options[wrong]}"), _text(f"{letter}, {other}"), _text(f"{letter}. {options[wrong]}")]
    return Problem("choice", letter, _same(letter), tuple(others), tuple(wrongs), choices=tuple(options))


def _short_text(rng: Random) -> Problem:
    phrase = f"{rng.choice(_ADJECTIVES)} {rng.choice(_NOUNS)}"
    reference = _pick(rng, {phrase: 70, rng.choice(_CITIES): 15, rng.choice(_NAMES): 15})
    phrases = [f"{a} {n}" for a in _ADJECTIVES for n in _NOUNS if a not in phrase and n not in phrase]
    wrong = rng.choice(phrases if reference == phrase else sorted({*_CITIES, *_NAMES} - {reference}))
    others = [_text(reference.upper()), _text(reference.lower()), _text(reference.capitalize()), _text(f"{reference}.")]
    others = [form for form in others if form.plain != reference]
    if reference == phrase:
        others.append(_text(f"the {reference}"))
    wrongs = (_text(wrong), _text(wrong), _text(wrong.upper()), _text(f"not {reference}"))
    return Problem("short_text", reference, _text(reference), tuple(others), wrongs)


# Expressions

_SQUAREFREE = (2, 3, 5, 6, 7, 10, 11, 13, 14, 15)


def _root(rng: Random) -> Problem:
    return rng.choice((_multiple_of_root, _sum_with_root, _part_of_root))(rng)


def _multiple_of_root(rng: Random) -> Problem:
    a, b = rng.randint(2, 15), rng.choice(_SQUAREFREE)
    other = rng.choice([n for n in _SQUAREFREE if n != b])
    gold = Form(rf"{a}\sqrt{{{b}}}", rng.choice([f"{a}\u221a{b}", f"{a}*sqrt({b})", f"{a}sqrt({b})"]))
    others = (
        Form(rf"\sqrt{{{a * a * b}}}", f"sqrt({a * a * b})"),
        Form(rf"{a} \cdot \sqrt{{{b}}}", f"{a} * sqrt({b})"),
        Form(rf"\sqrt{{{b}}} \cdot {a}", f"sqrt({b})*{a}"),
        Form(rf"\frac{{{a * b}}}{{\sqrt{{{b}}}}}", f"{a * b}/sqrt({b})"),
    )
    wrongs = (
        Form(rf"{a + 1}\sqrt{{{b}}}", f"{a + 1}*sqrt({b})"),
        Form(rf"{a}\sqrt{{{other}}}", f"{a}\u221a{other}"),
        Form(rf"\sqrt{{{a * b}}}", f"sqrt({a * b})"),
        _same(f"{a * math.sqrt(b):.3f}"),
        _same(str(a * b)),
    )
    return Problem("expression", gold.latex, gold, others, wrongs)


def _sum_with_root(rng: Random) -> Problem:
    a, b, c = rng.randint(1, 12), rng.randint(2, 9), rng.choice(_SQUAREFREE)
    sign, minus = rng.choice([("+", "-"), ("-", "+")])

    def written(first: int, operator: str, factor: int) -> Form:
        return Form(rf"{first} {operator} {factor}\sqrt{{{c}}}", f"{first} {operator} {factor}*sqrt({c})")

    gold = written(a, sign, b)
    lead = "" if sign == "+" else "-"
    others = (
        Form(rf"{lead}{b}\sqrt{{{c}}} + {a}", f"{lead}{b}*sqrt({c}) + {a}"),
        Form(rf"{a} {sign} \sqrt{{{b * b * c}}}", f"{a} {sign} \u221a{b * b * c}"),
    )
    wrongs = (written(a + 1, sign, b), written(a, minus, b), written(a, sign, b + 1), _same(f"{a} {sign} {b * c}"))
    return Problem("expression", gold.latex, gold, others, wrongs)


def _part_of_root(rng: Random) -> Problem:
    b, c = rng.choice(_SQUAREFREE), rng.randint(2, 9)
    gold = Form(rf"\frac{{\sqrt{{{b}}}}}{{{c}}}", rng.choice([f"\u221a{b}/{c}", f"sqrt({b})/{c}"]))
    others = (
        Form(rf"\frac{{1}}{{{c}}}\sqrt{{{b}}}", f"1/{c} * sqrt({b})"),
        Form(rf"\sqrt{{{b}}}/{c}", f"(sqrt({b}))/{c}"),
        Form(rf"\sqrt{{\frac{{{b}}}{{{c * c}}}}}", f"sqrt({b}/{c * c})"),
    )
    # Its square is b/c^2; those of the wrong ones are b/(c+1)^2, c^2/b (another number, b being no square) and b/c.
    wrongs = (
        Form(rf"\frac{{\sqrt{{{b}}}}}{{{c + 1}}}", f"sqrt({b})/{c + 1}"),
        Form(rf"\frac{{{c}}}{{\sqrt{{{b}}}}}", f"{c}/sqrt({b})"),
        Form(rf"\sqrt{{\frac{{{b}}}{{{c}}}}}", f"sqrt({b}/{c})"),
        _same(f"{math.sqrt(b) / c:.2f}"),
    )
    return Problem("expression", gold.latex, gold, others, wrongs)


def _sum(terms: Sequence[tuple[int, str]]) -> str:
    """A sum of integer multiples of symbols, without the zero ones: `3x^2 - x + 5`."""
    text = ""
    for factor, symbol in terms:
        if factor:
            size = "" if abs(factor) == 1 and symbol else str(abs(factor))
            operator = (" - " if factor < 0 else " + ") if text else ("-" if factor < 0 else "")
            text += operator + size + symbol
    return text or "0"


def _terms(coefficients: Sequence[int], variable: str) -> list[tuple[int, str]]:
    """Terms of a polynomial whose coefficients come from the highest power down."""
    degree = len(coefficients) - 1
    symbols = [f"{variable}^{power}" if power > 1 else variable * power for power in range(degree, -1, -1)]
    return [(factor, symbol) for factor, symbol in zip(coefficients, symbols, strict=True) if factor]


def _expanded(lead: int, roots: Sequence[int]) -> list[int]:
    coefficients = [lead]
    for root in roots:
        coefficients = [a - root * b for a, b in zip([*coefficients, 0], [0, *coefficients], strict=True)]
    return coefficients


def _factored(lead: int, roots: Sequence[int], variable: str) -> str:
    factors = "".join(f"({_sum([(1, variable), (-root, '')])})" for root in roots)
    return (str(lead) if lead > 1 else "") + factors


def _polynomial(rng: Random) -> Problem:
    variable, lead = rng.choice("xxxtna"), rng.choice([1, 1, 2, 3])
    roots = rng.sample([n for n in range(-9, 10) if n], rng.choice([2, 2, 3]))
    coefficients = _expanded(lead, roots)
    terms = _terms(coefficients, variable)
    expanded, factored = _same(_sum(terms)), _same(_factored(lead, roots, variable))
    backwards = _same(_sum(terms[::-1]))
    braces = expanded.latex.replace("^2", "^{2}").replace("^3", "^{3}")
    turned = _same(_factored(lead, roots[::-1], variable))
    is_expanded = rng.random() < 0.6
    gold = expanded if is_expanded else factored
    others = (factored, backwards, Form(braces, expanded.plain)) if is_expanded else (expanded, turned, backwards)
    changed = [[*coefficients[:-1], coefficients[-1] + _nonzero(rng, 5)], [-coefficients[0], *coefficients[1:]]]
    changed += [[*coefficients[:1], coefficients[1] + _nonzero(rng, 3), *coefficients[2:]]]
    wrongs = [_same(_sum(_terms(each, variable))) for each in changed]
    shifted = [roots[0] + rng.choice([20, 30]), *roots[1:]]  # no other root is as large
    wrongs.append(_same(_factored(lead, shifted, variable)))
    if not is_expanded:
        wrongs.reverse()
    return Problem("expression", gold.latex, gold, others, tuple(wrongs))


class _Interval(NamedTuple):
    low: Fraction | None  # None is minus infinity
    high: Fraction | None  # None is infinity
    has_low: bool
    has_high: bool

    def form(self, style: str = "{open}{low}, {high}{close}") -> Form:
        brackets = {"open": "[" if self.has_low else "(", "close": "]" if self.has_high else ")"}
        low, high = (None if end is None else _number(end) for end in (self.low, self.high))
        return Form(
            style.format(low=low.latex if low else r"-\infty", high=high.latex if high else r"\infty", **brackets),
            "{open}{low}, {high}{close}".format(
                low=low.plain if low else "-\u221e", high=high.plain if high else "\u221e", **brackets
            ),
        )

    def inequality(self) -> Form:
        low, high = (None if end is None else _number(end) for end in (self.low, self.high))
        left, right = ("<=" if has_end else "<" for has_end in (self.has_low, self.has_high))
        if low and high:
            latex, plain = (f"{low[kind]} {left} x {right} {high[kind]}" for kind in (0, 1))
        elif high:
            latex, plain = (f"x {right} {high[kind]}" for kind in (0, 1))
        else:
            assert low
            latex, plain = (f"x {left.replace('<', '>')} {low[kind]}" for kind in (0, 1))
        return Form(latex.replace("<=", r"\leq").replace(">=", r"\ge"), plain)


def _interval(rng: Random) -> Problem:
    low = _integer_or_fraction(rng)
    high = low + rng.randint(1, 15)
    shape, is_closed = _pick(rng, {"bounded": 50, "below": 15, "above": 15, "union": 20}), rng.random() < 0.5
    if shape == "union":
        return _union(low, high, is_closed)
    if shape == "below":
        interval = _Interval(None, high, False, is_closed)
        moved, flipped = interval._replace(high=high - Fraction(1, 3)), interval._replace(has_high=not is_closed)
    else:
        interval = _Interval(low, high, is_closed, rng.random() < 0.5)
        if shape == "above":
            interval = interval._replace(high=None, has_high=False)
        moved, flipped = interval._replace(low=low - Fraction(1, 3)), interval._replace(has_low=not is_closed)
    compact = interval.form("{open}{low},{high}{close}")
    spaced = interval.form(r"\left{open}{low}, {high}\right{close}")
    others = (compact, spaced, Form(compact.latex, compact.plain.replace(", ", ",")), interval.inequality())
    wrongs = [moved.form(), flipped.form(), moved.form(), flipped.inequality()]
    if shape == "bounded":
        wrongs.append(interval._replace(low=high, high=low).form())
    return Problem("expression", interval.form().latex, interval.form(), others, tuple(wrongs))


def _union(low: Fraction, high: Fraction, is_closed: bool) -> Problem:
    left, right = _Interval(None, low, False, is_closed), _Interval(high, None, is_closed, False)

    def joined(first: _Interval, second: _Interval, style: str = "{open}{low}, {high}{close}") -> Form:
        one, two = first.form(style), second.form(style)
        return Form(rf"{one.latex} \cup {two.latex}", f"{one.plain} \u222a {two.plain}")

    others = (joined(right, left), joined(left, right, r"\left{open}{low}, {high}\right{close}"))
    moved = right._replace(low=high + 1)
    flipped = left._replace(has_high=not is_closed)
    wrongs = (joined(left, moved), joined(flipped, right), left.form(), right.form())
    return Problem("expression", joined(left, right).latex, joined(left, right), others, wrongs)


def _times_pi(value: Fraction) -> Form:
    size, sign = abs(value), "-" if value < 0 else ""
    top = r"\pi" if size.numerator == 1 else rf"{size.numerator}\pi"
    plain = sign + top.replace(r"\pi", "\u03c0")
    if size.denominator == 1:
        return Form(sign + top, plain)
    return Form(rf"{sign}\frac{{{top}}}{{{size.denominator}}}", f"{plain}/{size.denominator}")


def _multiple_of_pi(rng: Random) -> Problem:
    value = Fraction(_nonzero(rng, 20)) if rng.random() < 0.4 else _fraction(rng, 30)
    gold, number = _times_pi(value), _number(value)
    factor = rng.randint(2, 5)
    others = [
        Form(rf"{number.latex} \cdot \pi", f"({number.plain})*pi"),
        Form(rf"{number.latex} \pi", f"({number.plain})\u03c0"),
    ]
    if value.denominator > 1:
        others.append(
            Form(
                rf"\frac{{{factor * value.numerator}\pi}}{{{factor * value.denominator}}}",
                f"{value.numerator}*pi/{value.denominator}",
            )
        )
    decimal = _exact_decimal(value)
    if decimal:
        others.append(Form(rf"{decimal}\pi", f"{decimal}\u03c0"))
    changed = [_times_pi(value + 1), _times_pi(value + Fraction(1, value.denominator + 1)), _times_pi(-value)]
    wrongs = [each for each in changed if each.latex not in ("0", r"0\pi")]
    wrongs += [number, _same(f"{float(value) * math.pi:.2f}"), Form(rf"{number.latex} \pi^2", f"({number.plain})*pi^2")]
    return Problem("expression", gold.latex, gold, tuple(others), tuple(wrongs))


def _listed(values: Sequence[Fraction], style: str = "({})", comma: str = ", ") -> Form:
    opening, closing = style.split("{}")
    numbers = [_number(value) for value in values]
    latex, plain = (comma.join(number[kind] for number in numbers) for kind in (0, 1))
    brackets = [side.replace("\\left", "").replace("\\right", "").replace("\\", "") for side in (opening, closing)]
    return Form(opening + latex + closing, brackets[0] + plain + brackets[1])


def _distinct_values(rng: Random, count: int) -> list[Fraction]:
    values: list[Fraction] = []
    while len(values) < count:
        value = _integer_or_fraction(rng)
        if value not in values:
            values.append(value)
    return values


def _with_decimals(values: Sequence[Fraction], form: Form) -> Form | None:
    """The form with its first terminating fraction as a decimal, if it has one."""
    for value in values:
        decimal = _exact_decimal(value)
        if decimal and form.latex.count(_latex(value)) == 1 and form.plain.count(str(value)) == 1:
            return Form(form.latex.replace(_latex(value), decimal), form.plain.replace(str(value), decimal))
    return None


def _tuple(rng: Random) -> Problem:
    values = _distinct_values(rng, rng.choice([2, 2, 3]))
    gold = _listed(values)
    others = [_listed(values, r"\left({}\right)"), _listed(values, comma=","), _listed(values, comma=r",\,")]
    others[2] = Form(others[2].latex, gold.plain.replace(", ", " , "))
    decimal = _with_decimals(values, gold)
    others += [decimal] * 2 if decimal else []
    turned, moved = [*values[1:], values[0]], [values[0] + _nonzero(rng, 4), *values[1:]]
    wrongs = [_listed(moved), _listed(turned), _listed([*values[:-1], values[-1] + _nonzero(rng, 4)])]
    wrongs += [_listed(values, r"\{{}\}"), _listed(values, "[{}]"), _listed([*values, Fraction(1)])]
    return Problem("expression", gold.latex, gold, tuple(others), tuple(wrongs))


def _set(rng: Random) -> Problem:
    values = sorted(_distinct_values(rng, rng.randint(2, 4)))
    style = r"\{{}\}"
    gold = _listed(values, style)
    others = [_listed(values[::-1], style), _listed(values, r"\left\{{}\right\}"), _listed(values, style, ",")]
    others.append(_listed([*values[1:], values[0]], style))
    decimal = _with_decimals(values, gold)
    others += [decimal] * 2 if decimal else []
    larger = max(values) + rng.randint(1, 5)
    wrongs = (
        _listed([*values[:-1], larger], style),
        _listed(values[:-1], style),
        _listed([*values, larger], style),
        _listed([min(values) - rng.randint(1, 5), *values[1:]], style),
    )
    return Problem("expression", gold.latex, gold, tuple(others), wrongs)


def _equation(rng: Random) -> Problem:
    return _circle(rng) if rng.random() < 0.2 else _line(rng)


def _line(rng: Random) -> Problem:
    m, b = _nonzero(rng, 9), _nonzero(rng, 12)
    line = _sum([(m, "x"), (b, "")])
    others = (
        f"y = {_sum([(b, ''), (m, 'x')])}",
        f"{line} = y",
        f"{_sum([(m, 'x'), (-1, 'y'), (b, '')])} = 0",
        f"{_sum([(1, 'y'), (-b, '')])} = {_sum([(m, 'x')])}",
        f"2y = {_sum([(2 * m, 'x'), (2 * b, '')])}",
    )
    steeper, higher = m + rng.choice([-20, 20]), b + rng.choice([-30, 30])
    wrongs = [f"y = {_sum([(steeper, 'x'), (b, '')])}", f"y = {_sum([(m, 'x'), (higher, '')])}"]
    wrongs += [f"y = {_sum([(m, 'x'), (-b, '')])}", f"{_sum([(m, 'x'), (1, 'y'), (b, '')])} = 0"]
    if m != -1:  # x + y = b is its own mirror image
        wrongs.append(f"x = {_sum([(m, 'y'), (b, '')])}")
    return Problem(
        "expression", f"y = {line}", _same(f"y = {line}"), tuple(map(_same, others)), tuple(map(_same, wrongs))
    )


def _circle(rng: Random) -> Problem:
    n = rng.randint(2, 150)
    gold = f"x^2 + y^2 = {n}"
    others = (f"y^2 + x^2 = {n}", f"x^2 + y^2 - {n} = 0", f"{n} = x^2 + y^2")
    wrongs = (f"x^2 + y^2 = {n + rng.randint(1, 9)}", f"x^2 - y^2 = {n}", f"x^2 + 2y^2 = {n}", f"x^2 + y^2 + {n} = 0")
    return Problem("expression", gold, _same(gold), tuple(map(_same, others)), tuple(map(_same, wrongs)))


_MAKERS: dict[str, Callable[[Random], Problem]] = {
    "integer": _integer,
    "fraction": _proper_fraction,
    "decimal": _decimal,
    "unit": _quantity,
    "choice": _choice,
    "root": _root,
    "polynomial": _polynomial,
    "interval": _interval,
    "pi": _multiple_of_pi,
    "tuple": _tuple,
    "percent": _percent,
    "equation": _equation,
    "text": _short_text,
    "set": _set,
}
_KINDS = {
    **{"integer": 20, "fraction": 14, "decimal": 10, "unit": 8, "choice": 8, "root": 6, "polynomial": 6},
    **{"interval": 5, "pi": 4, "tuple": 4, "percent": 4, "equation": 4, "text": 4, "set": 3},
}
_SHORT_KINDS = {"integer": 50, "decimal": 20, "fraction": 15, "choice": 15}
_SHORT_SHARES = {"same": 65, "slip": 35}  # a slip is a wrong answer that looks like the right one


# Completions

_SENTENCES = tuple(
    sentence.split("#")
    for sentence in (
        r"Let $x = #$ and $y = #$, so that $x + y = #$. ",
        r"First, note that $\frac{#}{#} + \frac{#}{#} = \frac{#}{#}$. ",
        r"We can write $#x^2 + #x - # = (x - #)(#x + #)$, which vanishes at $x = #$. ",
        "Substituting back gives\n$$#a + #b = #,\\qquad #a - #b = -#.$$\n",
        r"Wait, I should check that again: $# \cdot # = #$, and not $#$. ",
        r"By the Pythagorean theorem, $c = \sqrt{#^2 + #^2} = #\sqrt{#}$. ",
        "Now consider the triangle $ABC$ in the picture, with $AB = #$ cm, $BC = #$ cm and $\\angle ABC = #^\\circ$. ",
        "\n\nStep #: Simplify.\n\n",
        "\n- The area of the circle is $#\\pi$, so its radius is $\\sqrt{#}$.\n",
        r"The probability of this is $\binom{#}{2} / \binom{#}{3} = \frac{#}{#} \approx 0.#$. ",
        r"Since $\log_2 # < #$, the bound $n \leq #$ holds for all $n \in \{#, #, #\}$. ",
        "Then\n\\[\n\\sum_{k=1}^{#} k = \\frac{# \\cdot #}{2} = #.\n\\]\n",
        r"That is a growth of $#\%$, from \$# to \$#, over # years. ",
        "Looking at the chart, the bar for 20# is the tallest one, and the bar next to it shows about # units. ",
        r"Hmm, that cannot be, because $#$ is odd while $# + #$ is even. ",
        r"Therefore the sequence $(a_n)$ with $a_1 = #$ and $a_{n+1} = a_n + #$ has $a_{#} = #$. ",
        "Differentiating, $f'(x) = #x^{#} - #x$, which is zero at $x = \\frac{#}{#}$. ",
        r"In the interval $[#, #)$ the function $f(x) = |x - #|$ decreases. ",
        "Let us verify: if $t = #$ s, the distance is $# \\times # = #$ m. ",
        "So far we have used only the first condition; the second one says that $p \\mid #$ and $q \\nmid #$. ",
        "$$\\begin{aligned} #x + #y &= # \\\\ #x - #y &= # \\end{aligned}$$\n",
        r"The vectors $(#, -#)$ and $(#, #)$ are orthogonal, as $# \cdot # - # \cdot # = 0$. ",
        "Another way to see this is to count the # small squares along the diagonal and subtract the # shaded ones. ",
        r"Because $\sin^2\theta + \cos^2\theta = 1$, we get $\cos\theta = \frac{\sqrt{#}}{#}$. ",
    )
)


def chain_of_thought(rng: Random) -> str:
    """Text with LaTeX that states no answer, of 1,200 to 8,000 characters, half of them below 3,100."""
    length = 1200 * (8000 / 1200) ** rng.random()
    parts: list[str] = []
    size = 0
    while size < length:
        parts.append(_sentence(rng))
        size += len(parts[-1])
    return "".join(parts).strip()


def _sentence(rng: Random) -> str:
    pieces = rng.choice(_SENTENCES)
    numbers = [str(int(2 + 90 * rng.random())) for _ in pieces[1:]]
    return pieces[0] + "".join(number + piece for number, piece in zip(numbers, pieces[1:], strict=True))


def _boxed(form: Form, chain: str, rng: Random) -> str:
    box = rf"\boxed{{{form.latex}}}"
    endings = (
        f"Therefore, we get ${box}$.",
        f"Thus the final answer is ${box}$.",
        f"So the answer is {box}.",
        f"$${box}$$",
        f"\\[\n{box}\n\\]",
        f"**Final Answer:** ${box}$",
        f"Hence the value we want is\n$${box}.$$",
    )
    return f"{chain}\n\n{rng.choice(endings)}"


def _block_and_box(form: Form, chain: str, rng: Random) -> str:
    box = rf"\boxed{{{form.latex}}}"
    contents = (box, f"${box}$", f"\n{box}\n", f"\n$${box}$$\n", f"The final answer is ${box}$.")
    return _in_template(chain, rng.choice(contents))


def _block(form: Form, chain: str, rng: Random) -> str:
    contents = (form.plain, form.plain, f" {form.plain} ", f"${form.latex}$", rf"\({form.latex}\)", form.latex)
    return _in_template(chain, rng.choice(contents))


def _short(form: Form, chain: str, rng: Random) -> str:
    return f"<think>{chain}</think><answer>{form.plain}</answer>"


def _in_template(chain: str, answer: str) -> str:
    return f"<think>\n{chain}\n</think>\n<answer>{answer}</answer>"


def _dollars(form: Form, chain: str, rng: Random) -> str:
    endings = (
        "The answer is $#$.",
        "So the final answer is $#$.",
        "The answer is: $#$",
        "Therefore, the answer is $#$.",
    )
    return f"{chain}\n\n{rng.choice(endings).replace('#', form.latex)}"


def _plain(form: Form, chain: str, rng: Random) -> str:
    endings = ("The answer is: #", "The answer is #.", "Answer: #", "**Answer:** #", "So the final answer is #.")
    ending = rng.choice(endings)
    return f"{chain}\n\n{ending.removesuffix('.' if form.plain.endswith('.') else '').replace('#', form.plain)}"


def _truncated(form: Form, chain: str, rng: Random) -> str:
    opening = rng.choice(["<think>\n", ""])
    return opening + chain[: int(len(chain) * rng.uniform(0.4, 0.95))]


_WRITERS: dict[str, Callable[[Form, str, Random], str]] = {
    "boxed": _boxed,
    "block and box": _block_and_box,
    "block": _block,
    "dollars": _dollars,
    "plain": _plain,
    "truncated": _truncated,
    "short": _short,
}

_LONG = _Recipe(_KINDS, _FINALS, _SHARES, chain_of_thought)
_SHORT = _Recipe(_SHORT_KINDS, {"short": 1}, _SHORT_SHARES, lambda _: "We compare and add up.")
