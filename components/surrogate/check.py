"""Check: rows that can be read and yet make no data to fit on, or none that a figure means something on."""

from collections.abc import Sequence

from components.core.errors import SourceError
from components.surrogate.rows import AnswerRow


def check_fit_rows(rows: Sequence[AnswerRow], name: str) -> None:
    """Refuse rows that nothing can be learned from.

    Args:
        rows: Scored rows.
        name: What they are called in a message: the path of their file.

    Raises:
        SourceError: There are none, all of them are right or all wrong, or all belong to one group.
    """
    if not rows:
        raise SourceError(name, "holds no row", "Give scored answers, one a line")
    rights = sum(is_right(row) for row in rows)
    if rights in (0, len(rows)):
        raise SourceError(
            name,
            f"all {len(rows)} rows are {'right' if rights else 'wrong'} (score {'above' if rights else 'at most'} 0.5)",
            f"Add rows that are {'wrong' if rights else 'right'}: a score is learned from the difference",
        )
    if len({row.group for row in rows}) == 1:
        raise SourceError(
            name,
            f"all {len(rows)} rows belong to one question or group",
            "Add rows of other questions: what holds for one alone cannot be told from chance",
        )


def is_right(row: AnswerRow) -> bool:
    """Whether a scored row counts as right: its score is above one half."""
    return row.score is not None and row.score > 0.5


def contradictions(rows: Sequence[AnswerRow]) -> list[tuple[int, int]]:
    """Positions of rows that call the same answer to the same question right and wrong.

    Args:
        rows: Scored rows; case and blanks around the answer are no difference.

    Returns:
        Of each such answer, its first row and the first that contradicts it, in order.
    """
    first: dict[tuple[str, frozenset[str], str], int] = {}
    found: dict[int, tuple[int, int]] = {}
    for place, row in enumerate(rows):
        key = (row.question, frozenset(row.references), " ".join(row.answer.casefold().split()))
        earlier = first.setdefault(key, place)
        if is_right(rows[earlier]) is not is_right(row):
            found.setdefault(earlier, (earlier, place))
    return sorted(found.values())
