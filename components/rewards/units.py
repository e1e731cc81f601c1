"""Units: are two units the same, as written?

Spellings of one unit are one unit ("cm", "centimetres"; "m²", "m^2", "square metres"), but no unit is converted
into another: 1.2 m is not the answer where 120 cm was asked for. The rules are ours.
"""

import re
from functools import lru_cache

_PREFIXES = {"": "", "nano": "n", "micro": "µ", "milli": "m", "centi": "c", "deci": "d", "kilo": "k", "mega": "M"}
_BASES = {
    "metre": "m",
    "meter": "m",
    "gram": "g",
    "gramme": "g",
    "litre": "L",
    "liter": "L",
    "second": "s",
    "watt": "W",
    "volt": "V",
    "ampere": "A",
    "newton": "N",
    "joule": "J",
    "pascal": "Pa",
    "hertz": "Hz",
    "ohm": "Ω",
}
_SYMBOLS = {prefix + base: short + symbol for prefix, short in _PREFIXES.items() for base, symbol in _BASES.items()} | {
    "percent": "%",
    "percentage": "%",
    "pct": "%",
    "celsius": "°C",
    "fahrenheit": "°F",
    "mph": "mi/h",
    "kmh": "km/h",
    "kph": "km/h",
    "deg": "°",
    "degree": "°",
    "dollar": "$",
    "usd": "$",
    "euro": "€",
    "eur": "€",
    "sec": "s",
    "secs": "s",
    "minute": "min",
    "mins": "min",
    "hour": "h",
    "hr": "h",
    "hrs": "h",
    "inch": "in",
    "foot": "ft",
    "feet": "ft",
    "mile": "mi",
    "l": "L",
    "lbs": "lb",
    "μ": "µ",
}
_KNOWN = frozenset(_SYMBOLS.values()) | {
    "km",
    "cm",
    "mm",
    "kg",
    "mg",
    "mL",
    "ml",
    "ms",
    "%",
    "°",
    "$",
    "€",
    "£",
    "¥",
    "in",
}
_POWERS = {"square": "^2", "sq": "^2", "cubic": "^3", "cu": "^3"}
_LONGEST_SYMBOL = 3  # letters: up to here case tells units apart (mW, MW) and a final s is no plural
_TEMPERATURE = re.compile(r"(?:°|\bdeg(?:rees?)?\b)\s*(c(?:elsius)?|f(?:ahrenheit)?)\b", re.IGNORECASE)
_NO_UNITS = frozenset(
    "hundred thousand million billion trillion dozen half halve third quarter fifth sixth eighth tenth squared cubed "  # noqa: SIM905
    "factorial plus minus times over point or and not to x y z i e n a b k t".split()
)
"""Words and letters after a number that change its value, so that it is no longer that number."""
_TOKEN = re.compile(r"[^\W\d_]+|[°%$€£¥'\"/]|\^?-?[0-9]")
_PLURAL = re.compile(r"(?:(?<=x)|(?<=[cs]h))es$|(?<!s)s$")


@lru_cache(maxsize=4096)
def canonical_unit(text: str) -> str:
    """One spelling for all spellings of a unit.

    Args:
        text: A unit as written: a symbol (its case counts), a word in singular or plural, or a compound of them.

    Returns:
        The unit as symbols, powers as `^n`, factors with a space and quotients with `/` between; "" for no unit.
    """
    text = re.sub(r"[{}]", "", text.replace("²", "^2").replace("³", "^3"))
    text = _TEMPERATURE.sub(lambda match: "celsius" if match[1][0] in "cC" else "fahrenheit", text)
    parts: list[str] = []
    power = ""
    for token in _TOKEN.findall(re.sub(r"\bper\s+(?!cent\b)", "/", re.sub(r"\bper cent\b", "percent", text))):
        if token.casefold() in _POWERS:
            power = _POWERS[token.casefold()]
        elif token.lstrip("^-").isdigit() and parts:
            parts[-1] += "^" + token.lstrip("^")
        else:
            parts.append(_symbol(token) + power)
            power = ""
    return re.sub(r" ?/ ?", "/", " ".join(parts))


def units_agree(answer: str, reference: str, stated: str) -> bool:
    """Whether an answer's unit is the one asked for.

    A unit may be left out, but if it is named it must be the right one. A percent sign in the reference may not be
    left out: 50 is not 50 %. Where the example names no unit, any real unit is taken to be what the question asked
    for, but not a percent sign and not a word that changes the value (`5 million`, `5x`).

    Args:
        answer: Canonical unit of the answer, "" if it names none.
        reference: Canonical unit in the text of the reference, "" if it names none.
        stated: Canonical unit that the example states beside its references, "" if none.
    """
    expected = reference or stated
    if answer == expected:
        return True
    if not answer:
        return reference != "%"
    return not expected and "%" not in answer and not _NO_UNITS.intersection(re.split(r"[ /^]", answer))


def is_known_unit(unit: str) -> bool:
    """Whether a canonical unit is no unit at all, or made of units that this module knows."""
    return all(re.sub(r"\^-?\d$", "", part) in _KNOWN for part in re.split(r"[ /]", unit) if part)


def _symbol(token: str) -> str:
    if token in ("°", "%", "$", "€", "£", "¥", "'", '"', "/"):
        return token
    word = token.casefold()
    singular = _PLURAL.sub("", word)
    known = _SYMBOLS.get(word) or _SYMBOLS.get(singular)
    if known:
        return known
    return singular if len(token) > _LONGEST_SYMBOL else token
