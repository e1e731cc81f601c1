"""Units: are two units the same, as written?

Spellings of one unit are one unit ("cm", "centimetres"; "m²", "m^2", "square metres"), but no unit is converted
into another: 1.2 m is not the answer where 120 cm was asked for. The rules are ours.
"""

import re

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
_POWERS = {"square": "^2", "sq": "^2", "cubic": "^3", "cu": "^3"}
_LONGEST_SYMBOL = 3  # letters: up to here case tells units apart (mW, MW) and a final s is no plural
_TOKEN = re.compile(r"[^\W\d_]+|[°%$€£¥'\"/]|\^?-?[0-9]")
_PLURAL = re.compile(r"(?:(?<=x)|(?<=[cs]h))es$|(?<!s)s$")


def canonical_unit(text: str) -> str:
    """One spelling for all spellings of a unit.

    Args:
        text: A unit as written: a symbol (its case counts), a word in singular or plural, or a compound of them.

    Returns:
        The unit as symbols, powers as `^n`, factors with a space and quotients with `/` between; "" for no unit.
    """
    text = re.sub(r"[{}]", "", text.replace("²", "^2").replace("³", "^3"))
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


def units_agree(answer: str, reference: str, stated: str) -> bool | None:
    """Whether an answer's unit is the one asked for.

    A unit may be left out, but if it is named it must be the right one. A percent sign in the reference may not be
    left out: 50 is not 50 %.

    Args:
        answer: Canonical unit of the answer, "" if it names none.
        reference: Canonical unit in the text of the reference, "" if it names none.
        stated: Canonical unit that the example states beside its references, "" if none.

    Returns:
        None where the answer names a unit and the example none, so that nothing says whether it is the right one.
    """
    expected = reference or stated
    if answer == expected:
        return True
    if not answer:
        return reference != "%"
    return None if not expected and answer != "%" else False


def _symbol(token: str) -> str:
    if token in ("°", "%", "$", "€", "£", "¥", "'", '"', "/"):
        return token
    word = token.casefold()
    singular = _PLURAL.sub("", word)
    known = _SYMBOLS.get(word) or _SYMBOLS.get(singular)
    if known:
        return known
    return singular if len(token) > _LONGEST_SYMBOL else token
