"""Personal data: addresses, numbers of cards, accounts, telephones and documents in the texts of a row.

Found by pattern, and where the number has a check digit by that too, so that the numbers of a sum are none. A finding
names its kind and never its value. What a picture shows is not read here.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, get_args

from components.core.config import Config
from components.curation.candidate import Candidate, Rejection

Kind = Literal["email", "phone", "card", "iban", "ip", "national id"]
_MOST_PASSES = 10  # of masking, until nothing is found


class PersonalDataConfig(Config):
    """What counts as personal data and what becomes of it."""

    enabled: bool = True
    """Whether texts are searched."""
    kinds: tuple[Kind, ...] = get_args(Kind)
    """What is looked for."""
    texts: Literal["ignore", "flag", "mask", "reject"] = "mask"
    """What becomes of a question, options, a demonstration, facts or metadata that hold some; a mask names the kind."""
    answers: Literal["ignore", "flag", "reject"] = "reject"
    """What becomes of a row whose reference holds some: masked, it would be no answer any more."""


class Finding(NamedTuple):
    """A piece of personal data."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True)
class PersonalDataStep:
    """Looks for personal data.

    Args:
        config: What counts, and what becomes of it.
    """

    config: PersonalDataConfig = field(default_factory=PersonalDataConfig)
    name = "pii"

    def __call__(self, candidate: Candidate) -> Candidate:
        """The candidate, without what is masked, flagged with what was found.

        Raises:
            Rejection: The configuration rejects what was found; the evidence is where and of which kind.
        """
        config, example = self.config, candidate.example
        if not config.enabled:
            return candidate
        flags = self._judged("answer", example.references, config.answers)
        texts = (example.question, *example.choices, candidate.demonstration, *example.facts)
        flags += self._judged("text", (*texts, *candidate.metadata.values()), config.texts)
        return (self._masked(candidate) if config.texts == "mask" else candidate).flagged(*flags)

    def _judged(self, where: str, texts: Sequence[str], action: str) -> list[str]:
        if action == "ignore":
            return []
        kinds = sorted({finding.kind for text in texts for finding in personal_data(text, self.config.kinds)})
        if kinds and action == "reject":
            raise Rejection(f"personal data in the {where}", ", ".join(kinds))
        done = "masked in" if action == "mask" else "in"
        return [f"pii: {kind} {done} the {where}" for kind in kinds]

    def _masked(self, candidate: Candidate) -> Candidate:
        def mask(text: str) -> str:
            return masked(text, self.config.kinds)

        example = candidate.example
        clean = candidate.rewritten(
            question=mask(example.question),
            choices=tuple(map(mask, example.choices)),
            facts=tuple(map(mask, example.facts)),
        )
        metadata = {name: mask(value) for name, value in candidate.metadata.items()}
        return replace(clean, demonstration=mask(candidate.demonstration), metadata=metadata)


def masked(text: str, kinds: Sequence[Kind] = get_args(Kind)) -> str:
    """The text with every finding replaced by its kind in brackets; nothing is found in it any more."""
    for _ in range(_MOST_PASSES):
        findings = personal_data(text, kinds)
        if not findings:
            return text
        for finding in reversed(findings):
            text = f"{text[: finding.start]}[{finding.kind}]{text[finding.end :]}"
    raise Rejection("personal data", "masking does not end")  # cannot be: a mask holds neither digits nor an @


def personal_data(text: str, kinds: Sequence[Kind] = get_args(Kind)) -> list[Finding]:
    """Find personal data.

    Args:
        text: Any text.
        kinds: What is looked for.

    Returns:
        The findings in order, none overlapping another; where two do, the one that the table has first.
    """
    if "@" not in text and not _DIGITS.search(text):
        return []
    found: list[Finding] = []
    for kind, pattern, is_valid in _PATTERNS:
        if kind in kinds:
            found.extend(_new_findings(text, kind, pattern, is_valid, found))
    return sorted(found, key=lambda finding: finding.start)


def _new_findings(
    text: str, kind: Kind, pattern: re.Pattern[str], is_valid: Callable[[str], bool], found: Sequence[Finding]
) -> Iterator[Finding]:
    for match in pattern.finditer(text):
        overlaps = any(match.start() < other.end and other.start < match.end() for other in found)
        if not overlaps and is_valid(match[0]):
            yield Finding(kind, match.start(), match.end())


def _digits(text: str) -> list[int]:
    return [int(character) for character in text if character.isdigit()]


def _luhn(text: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1), and an issuer's length."""
    digits = _digits(text)
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _iban(text: str) -> bool:
    """The check digits of ISO 13616: the number modulo 97 is 1, its letters counted from 10."""
    code = text.replace(" ", "").upper()
    if not 15 <= len(code) <= 34:
        return False
    moved = code[4:] + code[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def _ip(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_loopback)


def _social_security(text: str) -> bool:
    """US numbers: no area 000, 666 or 9xx, no group 00, no serial 0000."""
    area, group, serial = text.split("-")
    return area not in ("000", "666") and area[0] != "9" and group != "00" and serial != "0000"


def _resident_id(text: str) -> bool:
    """Mainland Chinese numbers (GB 11643): a date of birth, and a check digit modulo 11."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(weight * int(digit) for weight, digit in zip(weights, text, strict=False))
    return "10X98765432"[total % 11] == text[-1].upper()


def _cpf(text: str) -> bool:
    """Brazilian numbers: two check digits modulo 11."""
    digits = _digits(text)
    if len(set(digits)) == 1:
        return False
    checks = [sum((size + 1 - place) * digits[place] for place in range(size)) * 10 % 11 % 10 for size in (9, 10)]
    return checks == digits[9:]


def _dni(text: str) -> bool:
    """Spanish numbers: the letter follows from the number modulo 23; a leading X, Y, Z counts as 0, 1, 2."""
    number = text[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == text[-1]


def _always(_text: str) -> bool:
    return True


def _few_digits(text: str) -> bool:
    """A telephone number of E.164 has 8 to 15 digits."""
    return 8 <= len(_digits(text)) <= 15


_DIGITS = re.compile(r"[0-9].{0,8}[0-9].{0,8}[0-9]|::", re.DOTALL)  # fewer are no number that identifies anybody
_NO_LETTER, _NO_TAIL = r"(?<![0-9A-Za-z.])", r"(?![0-9A-Za-z])"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_PATTERNS: tuple[tuple[Kind, re.Pattern[str], Callable[[str], bool]], ...] = (
    (
        "email",
        re.compile(r"[\w.+%-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}\b"),
        _always,
    ),
    (
        "iban",
        re.compile(rf"{_NO_LETTER}[A-Z]{{2}}[0-9]{{2}}(?: ?[A-Z0-9]{{4}}){{2,7}}(?: ?[A-Z0-9]{{1,4}})?{_NO_TAIL}"),
        _iban,
    ),
    (
        "national id",
        re.compile(rf"{_NO_LETTER}[1-9][0-9]{{5}}(?:19|20)[0-9]{{2}}(?:0[1-9]|1[0-2])[0-3][0-9]{{4}}[0-9Xx]{_NO_TAIL}"),
        _resident_id,
    ),
    ("card", re.compile(rf"{_NO_LETTER}[2-6][0-9]{{3}}(?:[ -]?[0-9]{{2,6}}){{2,5}}(?![0-9A-Za-z]|[.,][0-9])"), _luhn),
    (
        "national id",
        re.compile(rf"{_NO_LETTER}(?<!-)[0-9]{{3}}-[0-9]{{2}}-[0-9]{{4}}(?!-){_NO_TAIL}"),
        _social_security,
    ),
    ("national id", re.compile(rf"{_NO_LETTER}[0-9]{{3}}\.[0-9]{{3}}\.[0-9]{{3}}-[0-9]{{2}}{_NO_TAIL}"), _cpf),
    ("national id", re.compile(rf"{_NO_LETTER}(?:[XYZ][0-9]{{7}}|[0-9]{{8}})[A-HJ-NP-TV-Z]{_NO_TAIL}"), _dni),
    (
        "national id",
        re.compile(
            rf"{_NO_LETTER}[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{{2}} ?[0-9]{{2}} ?[0-9]{{2}} ?[A-D]{_NO_TAIL}"
        ),
        _always,
    ),
    (
        "national id",
        re.compile(rf"{_NO_LETTER}[A-Z]{{6}}[0-9]{{2}}[A-EHLMPR-T][0-9]{{2}}[A-Z][0-9]{{3}}[A-Z]{_NO_TAIL}"),
        _always,
    ),
    ("ip", re.compile(rf"{_NO_LETTER}(?:{_OCTET}\.){{3}}{_OCTET}(?![0-9A-Za-z]|\.[0-9])"), _ip),
    ("ip", re.compile(r"(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4}){1,6}(?![0-9A-Za-z:])"), _ip),
    (
        "phone",
        re.compile(
            rf"(?<![0-9A-Za-z)\]}}])(?<![0-9)\]}}] )(?<!\b[A-Za-z] )"  # a sum is no number to call
            rf"\+[1-9](?:[ .-]?\(?[0-9]{{1,5}}\)?){{2,6}}{_NO_TAIL}"
        ),
        _few_digits,
    ),
    (
        "phone",
        re.compile(
            rf"{_NO_LETTER}(?<![+-])(?:1[ .-])?(?:\([2-9][0-9]{{2}}\) ?|[2-9][0-9]{{2}}[.-])"
            rf"[2-9][0-9]{{2}}[ .-][0-9]{{4}}{_NO_TAIL}"
        ),
        _always,
    ),
)
"""Kind, pattern and check, the more certain first. Spellings after the issuing bodies' own descriptions."""
