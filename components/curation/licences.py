"""Licences: what a row may be used for, told from whatever its source calls its licence.

Names are mapped to SPDX-like ids by a small table of the spellings that data sets use. A text may name several
licences (one for the questions, one for the images); all of them have to be allowed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal

from components.core.config import Config
from components.curation.candidate import Candidate, Rejection

NON_COMMERCIAL = "LicenseRef-non-commercial"
"""Any statement that allows research or other non-commercial use alone."""

Spelling = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def _spelling(pattern: str, licence: str | Callable[[re.Match[str]], str]) -> Spelling:
    compiled = re.compile(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])")
    return compiled, licence if callable(licence) else lambda _match, name=licence: name


def _creative_commons(match: re.Match[str]) -> str:
    parts = [part for part in ("nc", "nd", "sa") if re.search(rf"\b{part}\b|{_CC_WORDS[part]}", match["parts"] or "")]
    version = match["version"] or ""
    return "-".join(part for part in ("CC-BY", *map(str.upper, parts), version) if part)


def _gnu(match: re.Match[str]) -> str:
    kind = "LGPL" if match["kind"][0] == "l" else "AGPL" if match["kind"][0] == "a" else "GPL"
    version = match["version"]
    return f"{kind}-{version if '.' in version else version + '.0'}" if version else kind


_CC_WORDS = {"nc": r"non-?\s?commercial", "nd": r"no-?\s?deriv\w*", "sa": r"share-?\s?alike"}
_CC_PART = rf"[-_ ,]+(?:nc|nd|sa|{'|'.join(_CC_WORDS.values())})"
_VERSION = r"(?:[-_ ]*v?(?P<version>[1-4]\.[0-9]))?"
_SPELLINGS: tuple[Spelling, ...] = (
    _spelling(
        rf"(?:cc|creative commons)[-_ ]*(?:by|attribution)(?P<parts>(?:{_CC_PART})*)(?:\s+international)?{_VERSION}",
        _creative_commons,
    ),
    _spelling(r"cc[-_ ]?0(?:[-_ ]?1\.0)?|creative commons zero|public[ -]domain dedication", "CC0-1.0"),
    _spelling(r"public[ -]domain|pddl", "LicenseRef-public-domain"),
    _spelling(r"apache(?:[-_ ]?(?:licen[cs]e)?,?[-_ ]*(?:version )?(?:v?2(?:\.0)?)?)?", "Apache-2.0"),
    _spelling(r"mit(?:[-_ ]licen[cs]e)?", "MIT"),
    _spelling(r"bsd[-_ ]?3(?:[-_ ]clause)?", "BSD-3-Clause"),
    _spelling(r"bsd[-_ ]?2(?:[-_ ]clause)?", "BSD-2-Clause"),
    _spelling(r"bsd", "BSD"),
    _spelling(
        r"(?P<kind>lgpl|agpl|gpl|gnu (?:general|gpl))[- ]*(?:public licen[cs]e)?[- ]*v?(?P<version>[23](?:\.[0-9])?)?",
        _gnu,
    ),
    _spelling(r"mpl[-_ ]?2(?:\.0)?|mozilla public licen[cs]e(?: 2\.0)?", "MPL-2.0"),
    _spelling(r"odc[-_ ]?by(?:[-_ ]?1\.0)?", "ODC-By-1.0"),
    _spelling(r"odbl(?:[-_ ]?1\.0)?", "ODbL-1.0"),
    _spelling(r"cdla[-_ ]permissive(?:[-_ ]?[12]\.0)?", "CDLA-Permissive-2.0"),
    _spelling(r"open(?:&)?rail(?:[-_ ]?\+*m)?", "OpenRAIL"),
    _spelling(r"unlicen[cs]e", "Unlicense"),
    _spelling(r"wtfpl", "WTFPL"),
    _spelling(
        r"non-?\s?commercial(?:\s\w+)?(?:\s(?:use|purposes?))?|(?:academic|research)(?:\s\w+){0,2}\sonly",
        NON_COMMERCIAL,
    ),
    _spelling(r"proprietary|all rights reserved", "LicenseRef-proprietary"),
)


class LicenceConfig(Config):
    """Which licences may be trained on. Ids are SPDX's; `*` stands for any rest, as in `CC-BY-NC*`."""

    enabled: bool = True
    """Whether licences are looked at."""
    allow: tuple[str, ...] = ()
    """Allowed licences; empty allows all that are not denied."""
    deny: tuple[str, ...] = ()
    """Denied licences; what is denied is not allowed."""
    unknown: Literal["keep", "flag", "reject"] = "flag"
    """What becomes of a row whose licence is missing or not recognised."""


@dataclass(frozen=True)
class LicenceStep:
    """Keeps rows that may be used.

    Args:
        config: Which they are.
    """

    config: LicenceConfig = field(default_factory=LicenceConfig)
    name = "licence"

    def __call__(self, candidate: Candidate) -> Candidate:
        """The candidate, flagged where its licence is not known.

        Raises:
            Rejection: Its licence is denied or not allowed, or unknown where that is rejected.
        """
        config, stated = self.config, candidate.example.licence
        if not config.enabled:
            return candidate
        found = licences(stated)
        for licence in found:
            if _matches(licence, config.deny):
                raise Rejection("licence denied", f"{licence} ({stated[:200]!r})")
            if config.allow and not _matches(licence, config.allow):
                raise Rejection("licence not allowed", f"{licence} ({stated[:200]!r})")
        if found or config.unknown == "keep" or _matches(stated, config.allow):
            return candidate
        if config.unknown == "reject":
            raise Rejection("licence unknown", repr(stated[:200]))
        return candidate.flagged("licence: unknown")


@lru_cache(maxsize=4096)
def licences(text: str) -> tuple[str, ...]:
    """The licences that a text names, as SPDX-like ids.

    Args:
        text: Such as "cc-by-nc-4.0", "MIT License" or "Apache-2.0 (code); CC BY 4.0 (images)".

    Returns:
        Each once, in the order of the table; empty where none is recognised.
    """
    rest = " ".join(text.casefold().replace("_", "-").split())
    found: list[str] = []
    for pattern, licence in _SPELLINGS:
        for match in pattern.finditer(rest):
            found.append(licence(match))
        rest = pattern.sub(" ", rest)
    return tuple(dict.fromkeys(found))


def _matches(licence: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(licence.casefold(), pattern.casefold()) for pattern in patterns)
