# ruff: noqa: RUF001 - other scripts are what is tested
import pytest

from components.curation.candidate import Rejection
from components.curation.language import NO_LANGUAGE, UNKNOWN, LanguageConfig, LanguageStep, language_of
from tests.curation.candidates import candidate

QUESTIONS = {
    "en": [
        "What is the color of the car?", "How many triangles are there?", r"Find m\angle ABC.", "Is he wearing a hat?",
        "Which bar is the tallest?", "Who wrote this book?", "Describe the picture.", "Solve for x: 2x+3=7",
        "As shown in the figure, AB is parallel to CD, then the angle is", "Where does the man come from?",
    ],
    "de": ["Wie viele Dreiecke sind zu sehen?", "Welche Farbe hat das Auto?", "Was steht auf dem Schild?"],
    "fr": ["Combien de triangles y a-t-il ?", "Quelle est la couleur de la voiture ?", "Que dit le panneau ?"],
    "es": ["¿Cuántos triángulos hay?", "¿De qué color es el coche?", "¿Dónde está el perro?"],
    "it": ["Quanti triangoli ci sono?", "Di che colore è la macchina?", "Dove si trova il cane?"],
    "pt": ["Quantos triângulos existem?", "Qual é a cor do carro?", "Onde está o cachorro?"],
    "nl": ["Hoeveel driehoeken zijn er?", "Welke kleur heeft de auto?", "Waar is de hond?"],
    "sv": ["Hur många trianglar finns det?", "Vilken färg har bilen?"],
    "pl": ["Ile jest trójkątów?", "Jaki kolor ma samochód?"],
    "tr": ["Kaç tane üçgen var?", "Arabanın rengi nedir?"],
    "vi": ["Có bao nhiêu hình tam giác?", "Chiếc xe màu gì?"],
    "id": ["Berapa banyak segitiga?", "Apa warna mobil itu?"],
    "ru": ["Сколько треугольников?", "Какого цвета машина?"],
    "uk": ["Скільки трикутників на малюнку?"],
    "zh": ["图中有几个三角形？", "如图，AB∥CD，求∠ABC的度数"],
    "ja": ["三角形はいくつありますか？", "車の色は何ですか"],
    "ko": ["삼각형이 몇 개 있습니까?"],
    "ar": ["كم عدد المثلثات؟"],
    "fa": ["چند مثلث وجود دارد؟"],
    "hi": ["कितने त्रिभुज हैं?"],
    "el": ["Πόσα τρίγωνα υπάρχουν;"],
    "he": ["כמה משולשים יש?"],
    "th": ["มีรูปสามเหลี่ยมกี่รูป"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "question"), [(code, text) for code, texts in QUESTIONS.items() for text in texts]
)
def test_language_of_short_questions(language: str, question: str) -> None:
    assert language_of(question) == language


@pytest.mark.parametrize(
    "question", ["x^2 = 4", r"$\alpha + \beta = 90$", r"\frac{1}{2} + 3 = ?", "α + β = ?", "12 × 3", "?"]
)
def test_language_mathematics_alone_is_none(question: str) -> None:
    assert language_of(question) == NO_LANGUAGE


@pytest.mark.parametrize(
    "question",
    [
        'What does the sign "Rue de la Paix et les Champs" say?',
        "What is written after “Quelle est la couleur”?",
        "What does $\\text{der die das}$ mean?",
        "What does the character 停 mean?",
    ],
)
def test_language_quotations_and_formulas_do_not_count(question: str) -> None:
    assert language_of(question) == "en"


def test_language_names_alone_do_not_tell() -> None:
    assert language_of("Kangaroo Sydney") == UNKNOWN


def test_language_step_flags_by_default_and_keeps_all() -> None:
    step = LanguageStep()
    assert step(candidate(question="What is it?")).flags == ()
    assert step(candidate(question="x = 4?")).flags == ()
    assert step(candidate(question="Wie viele sind das?")).flags == ("language: de",)


def test_language_step_keeps_what_is_allowed() -> None:
    step = LanguageStep(LanguageConfig(allowed=("de", "zh")))
    assert step(candidate(question="图中有几个三角形？")).flags == ("language: zh",)
    assert step(candidate(question="Kangaroo Sydney")).flags == ()
    assert step(candidate(question="x = 4?")).flags == ()
    with pytest.raises(Rejection, match="language not allowed: en: What is the colour"):
        step(candidate(question="What is the colour?"))


def test_language_step_can_ask_for_certainty() -> None:
    step = LanguageStep(LanguageConfig(allowed=("en",), unknown="reject"))
    assert step(candidate(question="x = 4?"))
    with pytest.raises(Rejection, match="language unknown"):
        step(candidate(question="Kangaroo Sydney"))


def test_language_step_can_be_switched_off() -> None:
    row = candidate(question="Wie viele sind das?")
    assert LanguageStep(LanguageConfig(enabled=False, allowed=("en",)))(row) == row
