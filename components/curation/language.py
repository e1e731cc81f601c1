"""Language: which one a question is asked in, told by its script and its commonest words.

Questions are short, full of names and formulas, and often quote a sign in another language, so that statistical
detectors guess. Here formulas and quotations are left out, a script that belongs to one language decides, and among
languages in Latin letters the words that every question needs (what, combien, wie viele) do. Where they do not tell,
the answer is that it is not known.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from components.core.config import Config
from components.curation.candidate import Candidate, Rejection

UNKNOWN, NO_LANGUAGE = "unknown", "none"
"""Words that do not tell; no words at all, as in `x^2 = 4`."""

_FORMULA = re.compile(
    r"\$\$.*?\$\$|\$[^$]*\$|\\\(.*?\\\)|\\\[.*?\\\]|\\[A-Za-z]+|https?://\S+|<[^<>]{1,40}>", re.DOTALL
)
_QUOTATION = re.compile(
    '"[^"]{1,200}"|\u201c[^\u201d]{1,200}\u201d|\u00ab[^\u00bb]{1,200}\u00bb|\u300c[^\u300d]{1,200}\u300d'
)
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_SCRIPTS: tuple[tuple[str, re.Pattern[str], float], ...] = (
    ("zh", re.compile("[\u3400-\u4dbf\u4e00-\u9fff]"), 3.0),
    ("ja", re.compile("[\u3041-\u30ff]"), 3.0),
    ("ko", re.compile("[\uac00-\ud7af]"), 3.0),
    ("cyrillic", re.compile("[\u0400-\u04ff]"), 1.0),
    ("arabic", re.compile("[\u0620-\u06ff]"), 1.0),
    ("hi", re.compile("[\u0900-\u097f]"), 1.0),
    ("bn", re.compile("[\u0980-\u09ff]"), 1.0),
    ("ta", re.compile("[\u0b80-\u0bff]"), 1.0),
    ("th", re.compile("[\u0e01-\u0e5b]"), 1.0),
    ("he", re.compile("[\u05d0-\u05ea]"), 1.0),
    ("el", re.compile("[\u0370-\u03ff]{3,}"), 4.0),  # single letters are variables
    ("latin", re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"), 1.0),
)
_WORDS = {
    "en": "the of and is are what which how many much where who does do in on this that there to for with from than if "
    "find calculate solve it be can shown following as at by between you your given has have was will he she they his "
    "her a an any no man hat come care son dove",
    "de": "der die das und ist sind was welche welcher welches wie viele viel wo wer ein eine einen einer im auf dem "
    "den des von zu mit für aus nicht es wird wenn bild zwischen man berechne finde gibt hat haben zeigt",
    "fr": "le la les des du et est sont quel quelle quels quelles combien où qui que quoi un une dans sur ce cette il "
    "y a au aux pour avec de d'un d'une l'image calculer trouver est-ce ces pas entre si on par sa son dit",
    "es": "el la los las de del y es son qué cuál cuáles cuántos cuántas cuánto cuánta dónde quién cómo un una en al "
    "esta este para con por se hay que calcula encuentra imagen entre si está muestra",
    "it": "il lo la gli le di del della dei delle e è sono che cosa quale quali quanti quante quanto dove chi come un "
    "una nel nella al per con si calcola trova questa questo immagine tra se c'è mostra nell'immagine",
    "pt": "o a os as do da dos das e é são qual quais quantos quantas quanto onde quem como um uma no na nos nas ao "
    "para com por que há esta este não calcule encontre imagem entre se de em está",
    "nl": "de het een en is zijn wat welke hoe veel hoeveel waar wie in op van te met voor uit niet er dit dat deze "
    "bereken vind afbeelding tussen als aan staat heeft wordt",
    "sv": "och är den det en ett vad vilken vilket vilka hur många mycket var vem på av till med för från som inte i "
    "finns bilden mellan om har",
    "da": "og er den det en et hvad hvilken hvilket hvilke hvor mange meget hvem på af til med for fra som ikke i "
    "findes billedet mellem hvis har der",
    "pl": "i jest są co jaki jaka jakie który która które ile gdzie kto w na z do od dla się nie oblicz znajdź obrazie "
    "tym ten ta to oraz między jeśli o po",
    "tr": "bir ve bu ne kaç nedir hangi hangisi nerede kim için ile mi mu mü var resimde olan göre "
    "değeri bulunuz ise hangisidir",
    "vi": "là và của có bao nhiêu gì nào đâu ai trong trên này cho với một những các được không hình tính tìm người ở "
    "ảnh màu hãy",
    "id": "yang dan di adalah apa berapa mana siapa bagaimana ini itu dari ke untuk dengan pada ada tidak sebuah "
    "hitung gambar dalam tentukan jika dimana",
    "ro": "și este sunt ce care câte câți cât unde cine cum un o în pe la de din cu pentru nu se imagine găsiți între",
    "cs": "a je jsou co jaký jaká jaké který která které kolik kde kdo v na z do pro se není vypočítej obrázku tento "
    "mezi jestliže kolik",
}
_LANGUAGES_OF: dict[str, tuple[str, ...]] = {}
for _language, _list in _WORDS.items():
    for _word in dict.fromkeys(_list.split()):
        _LANGUAGES_OF[_word] = (*_LANGUAGES_OF.get(_word, ()), _language)
_SURE = 0.5  # sum of hits, each shared among the languages that have the word
_AHEAD = 1.3  # how far the first has to be ahead of the second


class LanguageConfig(Config):
    """Which languages questions may be asked in."""

    enabled: bool = True
    """Whether languages are told."""
    allowed: tuple[str, ...] = ()
    """Two-letter codes, such as en and zh; empty allows all and only flags what is not English."""
    unknown: Literal["keep", "reject"] = "keep"
    """What becomes of questions whose words do not tell. Questions without words are kept in any case."""


@dataclass(frozen=True)
class LanguageStep:
    """Keeps questions in the languages that are wanted.

    Args:
        config: Which they are.
    """

    config: LanguageConfig = field(default_factory=LanguageConfig)
    name = "language"

    def __call__(self, candidate: Candidate) -> Candidate:
        """The candidate, flagged with its language where that is known and not English.

        Raises:
            Rejection: Its language is not allowed, or is unknown where that is rejected.
        """
        config = self.config
        if not config.enabled:
            return candidate
        language = language_of(candidate.example.question)
        if language == UNKNOWN and config.unknown == "reject":
            raise Rejection("language unknown", candidate.example.question[:200])
        if language in (UNKNOWN, NO_LANGUAGE, "en") and (
            language != "en" or not config.allowed or "en" in config.allowed
        ):
            return candidate
        if config.allowed and language not in config.allowed:
            raise Rejection("language not allowed", f"{language}: {candidate.example.question[:200]}")
        return candidate.flagged(f"language: {language}")


@lru_cache(maxsize=16384)
def language_of(question: str) -> str:
    """The language that a question is asked in.

    Args:
        question: Formulas and quotations in it do not count.

    Returns:
        A code of ISO 639-1, UNKNOWN, or NO_LANGUAGE.
    """
    text = _QUOTATION.sub(" ", _FORMULA.sub(" ", question))
    if not any(len(word) > 1 for word in _WORD.findall(text)):
        return NO_LANGUAGE
    script = "latin" if text.isascii() else _script(text)
    reader = _READERS.get(script)
    return reader(text) if reader else script


def _script(text: str) -> str:
    """The script of most letters, those of denser scripts counted for several; Japanese has kana beside Han."""
    weights = {
        name: weight * sum(len(run) if name != "el" else len(run) / 4 for run in pattern.findall(text))
        for name, pattern, weight in _SCRIPTS
    }
    if weights["ja"]:
        weights["ja"] += weights.pop("zh")
    return max(weights, key=lambda name: weights[name])


def _by_words(text: str) -> str:
    scores: dict[str, float] = defaultdict(float)
    for word in _WORD.findall(text.casefold().replace("\u2019", "'")):
        languages = _LANGUAGES_OF.get(word, ())
        for language in languages:
            scores[language] += 1 / len(languages)
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    (best, most), (_, second) = (*ranked, ("", 0.0), ("", 0.0))[:2]
    return best if most >= _SURE and most >= _AHEAD * second else UNKNOWN


def _cyrillic(text: str) -> str:
    return "uk" if re.search("[\u0404\u0406\u0407\u0454\u0456\u0457\u0490\u0491]", text) else "ru"


def _arabic(text: str) -> str:
    if re.search("[\u0679\u0688\u0691\u06ba\u06be\u06c1\u06d2]", text):
        return "ur"
    return "fa" if re.search("[\u067e\u0686\u0698\u06a9\u06af\u06cc]", text) else "ar"


_READERS: dict[str, Callable[[str], str]] = {"latin": _by_words, "cyrillic": _cyrillic, "arabic": _arabic}
"""For scripts that several languages are written in."""
