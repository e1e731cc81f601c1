"""Mojibake: UTF-8 that was read as Windows-1252 or Latin-1, as in `cafÃ©` and `donâ€™t`, found and put right.

A run of characters counts only if its bytes are valid UTF-8 and it begins with a sign that no word in capitals ends in
(Ã, Â, Î, â, ð …), or if there are several such runs in the text: `CAFÉ™` alone is a word and a trade mark. What went
through a lossy decoder (the replacement character) cannot be restored and is told apart.
"""

import re

REPLACEMENT = "\ufffd"
"""What a decoder writes for bytes that it could not read."""
_FIRST_PASSES = 4  # of text that was mangled again and again

_WINDOWS = {byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0x100)}
_BYTES = {character: byte for byte, character in _WINDOWS.items()} | {chr(byte): byte for byte in range(0x80, 0x100)}


def _class(first: int, last: int) -> str:
    return "".join(re.escape(character) for character, byte in _BYTES.items() if first <= byte <= last)


_TAIL = f"[{_class(0x80, 0xBF)}]"
_RUN = re.compile(
    rf"[{_class(0xC2, 0xDF)}]{_TAIL}|[{_class(0xE0, 0xEF)}]{_TAIL}{{2}}|[{_class(0xF0, 0xF4)}]{_TAIL}{{3}}"
)
_SURE = frozenset("ÂÃÄÅÎÏáâð")
_SEVERAL = 3
_SIGNS = frozenset(_BYTES)


def repaired(text: str) -> str:
    """The text with every sure piece of mojibake put right, however often it was mangled."""
    for _ in range(_FIRST_PASSES):
        better = _once(text)
        if better == text:
            break
        text = better
    return text


def has_mojibake(text: str) -> bool:
    """Whether something in a text can be put right, or was lost for good."""
    return REPLACEMENT in text or _once(text) != text


def _once(text: str) -> str:
    if text.isascii() or _SIGNS.isdisjoint(text):
        return text
    runs = [match[0] for match in _RUN.finditer(text) if _decoded(match[0]) != match[0]]
    several = len(runs) >= _SEVERAL
    if not any(several or run[0] in _SURE for run in runs):
        return text
    return _RUN.sub(lambda match: _decoded(match[0]) if several or match[0][0] in _SURE else match[0], text)


def _decoded(run: str) -> str:
    try:
        character = bytes(_BYTES[sign] for sign in run).decode("utf-8")
    except UnicodeDecodeError:
        return run
    return character if character.isprintable() or character == "\u00a0" else run
