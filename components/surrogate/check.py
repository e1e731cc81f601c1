"""Check: what scored rows say of each other."""

from collections.abc import Sequence

from components.surrogate.rows import AnswerRow


def is_right(row: AnswerRow) -> bool:
    """Whether a scored row counts as right: its score is above one half."""
    return row.score is not None and row.score > 0.5


def question_of(row: AnswerRow) -> tuple[str, str, str]:
    """What tells a row's question from others: its text and picture, within its group, which may hold several."""
    return row.group, row.question, row.image_key


def contradictions(rows: Sequence[AnswerRow]) -> list[tuple[int, int]]:
    """Positions of rows that call the same answer to the same question right and wrong.

    Args:
        rows: Scored rows; case and blanks around the answer are no difference.

    Returns:
        Of each such answer, its first row and the first that contradicts it, in order.
    """
    first: dict[tuple[str, frozenset[str], str, str], int] = {}
    found: dict[int, tuple[int, int]] = {}
    for place, row in enumerate(rows):
        key = (row.question, frozenset(row.references), " ".join(row.answer.casefold().split()), row.image_key)
        earlier = first.setdefault(key, place)
        if is_right(rows[earlier]) is not is_right(row):
            found.setdefault(earlier, (earlier, place))
    return sorted(found.values())
