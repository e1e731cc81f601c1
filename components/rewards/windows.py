"""Windows over the tokens of a text that is longer than a model can read at once."""


def window_starts(tokens: int, window: int, overlap: int, most: int) -> list[int]:
    """Where the windows of a text begin.

    All windows are of one length, the first at the beginning and the last at the end, the others spread evenly, so
    that neighbours share at least `overlap` tokens. Where that takes more than `most` windows, `most` are spread
    evenly instead: they share fewer tokens, or leave gaps (see `leaves_gaps`).

    Args:
        tokens: Length of the text, at least 1.
        window: Length of a window, at least 1.
        overlap: Tokens that neighbours share at least, from 0 to window - 1.
        most: Windows at most, at least 1; a single one is at the beginning.

    Returns:
        Rising starts from 0; just [0] for a text of one window or less.
    """
    if tokens <= window or most == 1:
        return [0]
    count = min(most, -(-(tokens - overlap) // (window - overlap)))
    return [place * (tokens - window) // (count - 1) for place in range(count)]


def leaves_gaps(tokens: int, window: int, most: int) -> bool:
    """Whether some token lies in no window: the text is longer than `most` windows end to end."""
    return tokens > window * most
