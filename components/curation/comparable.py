r"""Comparable questions: the form in which questions are held against each other, and what in them carries meaning.

The form is a row of tokens: words in lower case, numbers, commands and signs of formulas, names of points and variables
in their own case (side a is not angle A). What says nothing about the question is dropped: punctuation, markup,
markers of images, stock instructions on how to answer. The rules are ours.
"""

import re
import unicodedata
from collections import Counter
from functools import lru_cache

_MARKER = re.compile(r"<\s*image(?:[ _]?\d+)?\s*>", re.IGNORECASE)
_SPELLINGS = {
    **{sign: f"^{power}" for power, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **dict.fromkeys("\u2212\u2010\u2011\u2013\u2014", "-"),
    **dict.fromkeys("\u2018\u2019\u02bc", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb\u3002\uff0c\uff1f\uff1a", " "),
    **{"°": " degrees ", "∠": " angle ", "△": " triangle ", "⊥": r" \perp ", "∥": r" \parallel ", "π": r" \pi "},
    **{"\u00d7": r" \times ", "·": r" \cdot ", "÷": "/", "√": r" \sqrt ", "≤": r" \le ", "≥": r" \ge ", "≠": r" \ne "},
}
_SPELLING = str.maketrans(_SPELLINGS)
_COMMANDS = {
    **dict.fromkeys(("left", "right", "displaystyle", "quad", "qquad", "text", "mathrm", "mathbf", "mbox", "rm"), ""),
    **{"angle": "angle", "triangle": "triangle", "circ": "degrees", "degree": "degrees", "dfrac": r"\frac"},
    **{"tfrac": r"\frac", "leq": r"\le", "geq": r"\ge", "neq": r"\ne"},
}
_COMMAND = re.compile(r"(?:\^\s*\{?\s*(?=\\circ(?![A-Za-z])))?\\([A-Za-z]+)")
_SPACING = re.compile(r"\\[,;:! ()\[\]]|[{}~]")
_PRIME = re.compile(r"(?<![^\W_])([A-Za-z])'(?![A-Za-z])")
_WORDS_IN_BRACKETS = re.compile(r"\((\s*[^\W\d_]{2,}(?:\s+[^\W\d_]+)*\s*)\)")
_HYPHEN = re.compile(r"(?<=[^\W\d_]{2})-(?=[^\W\d_]{2})")
_ARTICLE = re.compile(r"(?:^|(?<=[.?!:]\s))\s*A(?=\s[a-z]{2})")
_TOKEN = re.compile(r"\\[A-Za-z]+|\d+(?:\.\d+)?|\.\d+|[^\W\d_]+(?:'[^\W\d_]+)*|(?<=[\w)])!|[^\w\s.,;:?!\"'`]|_")
_BRITISH = {"colour": "color", "colours": "colors", "centre": "center", "metre": "meter", "metres": "meters"} | {
    "centimetres": "centimeters",
    "grey": "gray",
    "neighbour": "neighbor",
    "degree": "degrees",
}
_INSTRUCTION = re.compile(
    r"(?<!\S)(?:"
    r"hint please (?:answer|provide)\b.{0,200}? at the end(?: question)?|"
    r"(?:please )?answer (?:the|this) question (?:using|with|in) (?:only )?(?:a |one )?(?:single )?"
    r"(?:word|number|term)(?: or (?:a )?(?:short )?(?:phrase|number))?|"
    r"(?:please )?answer with the (?:options|correct|given)?(?: options)? ?letter"
    r"(?: from the given choices)?(?: directly)?|"
    r"(?:please )?(?:think|solve|reason)(?: \S+)? step by step"
    r")(?!\S)"
)
_PLACE = re.compile(
    r"(?<!\S)(?:as )?(?:(?:shown|given|depicted|seen|displayed) )?(?:in|from|on|based on|according to) (?:the|this) "
    r"(?:following |given |above |below |provided )?(?:figure|image|picture|diagram|photo|photograph|drawing)"
    r"(?: below| above| shown| provided| given)?(?!\S)"
)
_ARTICLE_TOKEN = re.compile(r"(?<!\S)a (?=[^\W\d_]{2})")
_LIGHT_WORDS = (
    "an the this that these those is are was were be been do does did can could you we us me please what whats which "
    "find determine calculate compute give state tell of there it its then so"
)
_LIGHT = frozenset(_LIGHT_WORDS.split())
_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen twenty thirty forty "
    "fifty hundred thousand million half third quarter twice thrice double triple first second"
)
_NUMBER_WORDS = frozenset(_NUMBERS.split())
_NUMBER = re.compile(r"(?<!\S)\d\S*")
_LEAST_MISSPELT = 6  # letters: among shorter words many pairs of real ones are a letter apart (house, horse)


@lru_cache(maxsize=4096)
def comparable(text: str) -> str:
    """The tokens of a question, a space between them; never empty unless the text has no token at all.

    Args:
        text: A question or an option, as it is asked.
    """
    text = _MARKER.sub(" ", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_SPELLING))
    if "\\" in text:
        text = _COMMAND.sub(lambda match: f" {_COMMANDS.get(match[1], match[0])} ", text)
    text = _SPACING.sub(" ", text)
    if text.count("$") % 2 == 0:
        text = text.replace("$", " ")
    text = _HYPHEN.sub(" ", _ARTICLE.sub(" a", _WORDS_IN_BRACKETS.sub(r" \1 ", _PRIME.sub(r"\1 \\prime ", text))))
    has_lower = any(map(str.islower, text))
    joined = " ".join([_folded(token, has_lower) for token in _TOKEN.findall(text)])
    if "answer" not in joined and "step" not in joined:
        return joined
    return " ".join(_INSTRUCTION.sub(" ", joined).split()) or joined


def _folded(token: str, has_lower: bool) -> str:
    """Lower case, unless it is the name of a point, a side or a variable, or a command."""
    if len(token) == 1 or token[0] == "\\" or (has_lower and token.isupper()):
        return token
    token = token.casefold().replace("'", "")
    return _BRITISH.get(token, token)


def hard_tokens(text: str) -> str:
    """Of a comparable text, the tokens that no other may stand for: numbers, formulas, names of points and variables.

    Two questions in which they differ are different questions, however many words they share.
    """
    if " a " in f" {text} ":
        text = _ARTICLE_TOKEN.sub("", text)
    return " ".join([token for token in text.split(" ") if _is_hard(token)])


@lru_cache(maxsize=65536)
def _is_hard(token: str) -> bool:
    return len(token) == 1 or not token.isalpha() or token.isupper() or token in _NUMBER_WORDS


def content(text: str) -> str:
    """Of a comparable text, what carries the meaning: in order, without articles, asking verbs and `in the figure`."""
    text = _ARTICLE_TOKEN.sub("", text)
    return " ".join([token for token in _PLACE.sub(" ", text).split() if token not in _LIGHT]) or text


def same_numbers(left: str, right: str) -> bool:
    """Whether one of two comparable texts holds all numbers of the other, as often.

    A prompt has those of its options and instructions besides.
    """
    one, other = (Counter(_NUMBER.findall(text)) for text in (left, right))
    return one <= other or other <= one


def same_but_for_spelling(left: str, right: str, most: int) -> bool:
    """Whether two contents are the same word for word, but for slips of the pen.

    Args:
        left: A text's `content`.
        right: Another's.
        most: Words that may be misspelt.
    """
    if left == right:
        return True
    first, second = left.split(" "), right.split(" ")
    if len(first) != len(second):
        return False
    differing = [(one, other) for one, other in zip(first, second, strict=True) if one != other]
    return len(differing) <= most and all(_is_misspelt(one, other) for one, other in differing)


def _is_misspelt(one: str, other: str) -> bool:
    """One edit or two letters swapped within longer words of the same first letter, neither a name or a number."""
    from rapidfuzz.distance import OSA

    if min(len(one), len(other)) < _LEAST_MISSPELT or one[0] != other[0]:
        return False
    if not all(word.isalpha() and word.islower() and word not in _NUMBER_WORDS for word in (one, other)):
        return False
    return OSA.distance(one, other, score_cutoff=1) <= 1


def asks_the_same(question: str, prompt: str, misspelt: int = 2) -> bool:
    """Whether a question and a prompt about one image ask the same: one holds the other whole, or their contents agree.

    Args:
        question: Comparable text of a row.
        prompt: Comparable text of a benchmark's prompt, which may hold instructions and options as well.
        misspelt: Words that may be misspelt where the contents are compared.
    """
    shorter, longer = sorted((question, prompt), key=len)
    if " " in shorter and f" {shorter} " in f" {longer} ":
        return True
    return same_but_for_spelling(content(question), content(prompt), misspelt)
