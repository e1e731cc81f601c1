# ruff: noqa: RUF001 - other scripts are what is tested
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.curation.mojibake import has_mojibake, repaired

TEXTS = [
    "café", "don’t", "“quoted”", "5 × 3", "90°", "½ cup", "naïve façade", "Größe", "π r²", "≤ or ≥", "α+β",
    "∠ABC = 90°",
    "数学题 三角形", "Сколько треугольников", "😀 smile", "10 € each", "señor", "AB ∥ CD", "İstanbul",
    "Łódź", "tiếng Việt",
]  # fmt: skip


def mangled(text: str, encoding: str) -> str:
    """UTF-8, read by a decoder that lets bytes without a character pass, as browsers do."""
    return "".join(bytes([byte]).decode(encoding, "ignore") or chr(byte) for byte in text.encode())


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
@pytest.mark.parametrize("text", TEXTS)
def test_mojibake_is_put_right(text: str, encoding: str) -> None:
    assert has_mojibake(mangled(text, encoding))
    assert repaired(mangled(text, encoding)) == text


def test_mojibake_of_mojibake_is_put_right() -> None:
    assert repaired(mangled(mangled("café", "cp1252"), "cp1252")) == "café"


@pytest.mark.parametrize("text", [*TEXTS, "CAFÉ™", "VOILÀ “tout”", "SÃO PAULO", "É°", "Âge", "MÜLLER®", "ESPAÑA™"])
def test_mojibake_clean_text_stays(text: str) -> None:
    assert repaired(text) == text
    assert not has_mojibake(text)


def test_mojibake_lost_characters_are_told_and_stay() -> None:
    assert has_mojibake("caf\ufffd")
    assert repaired("caf\ufffd") == "caf\ufffd"


@given(st.text(alphabet=st.characters(max_codepoint=0x7F)))
def test_mojibake_plain_text_is_never_touched(text: str) -> None:
    assert repaired(text) == text
