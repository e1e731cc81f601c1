"""Errors that name the thing, the value and the remedy.

Every error a user can cause derives from HarmoError; the command line prints its message without a
traceback and exits with status 1. Anything else that escapes is a fault of ours and keeps its traceback.
"""

import errno


class HarmoError(Exception):
    """A problem the user can mend.

    Args:
        thing: What is wrong, by name: a recipe key, a file, an artifact.
        problem: The offending value and what is wrong with it.
        remedy: What to do about it, as an instruction.
    """

    def __init__(self, thing: str, problem: str, remedy: str) -> None:
        super().__init__(f"{thing}: {problem}. {remedy}.")
        self.thing = thing
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self) -> tuple[type["HarmoError"], tuple[str, str, str]]:
        """Pickle by the three arguments, so that the error survives a process boundary."""
        return type(self), (self.thing, self.problem, self.remedy)


class RecipeError(HarmoError):
    """A recipe, or a setting given on the command line, has a wrong key, type or range."""


class SourceError(HarmoError):
    """A data source is missing, unreadable or not what it says it is."""


class EmptyDatasetError(HarmoError):
    """No row is left to work on."""


class QuarantineLimitError(HarmoError):
    """More rows were quarantined than the recipe allows."""


class ArtifactError(HarmoError):
    """An artifact is missing, unfinished, of the wrong kind or schema, or changed since it was written."""


class ModelError(HarmoError):
    """A model's weights or processor are missing, or not the ones that were asked for."""


class RewardHackingError(HarmoError):
    """Gaming the scorer earns more than an honest mistake."""


class StorageError(HarmoError):
    """A place to write to is full, read-only or out of reach."""


def as_storage_error(error: OSError, where: str) -> StorageError | None:
    """The named error for an operating-system error that the user can mend, else None.

    Args:
        error: What the operating system raised.
        where: The folder or address that was being written.
    """
    remedies = {
        errno.ENOSPC: ("no space left on the device", "Free space there or choose another place, then run again"),
        errno.EDQUOT: ("the disk quota is used up", "Free space there or choose another place, then run again"),
        errno.EFBIG: ("a file reached the size limit", "Raise the limit or choose another place, then run again"),
        errno.EROFS: ("the file system is read-only", "Choose a place that can be written"),
        errno.EACCES: ("permission denied", "Choose a place that this user can write"),
        errno.ENOTDIR: ("a file is where a folder is needed", "Choose another place, or move that file"),
        errno.EEXIST: ("a file is where a folder is needed", "Choose another place, or move that file"),
    }
    if error.errno not in remedies:
        return None
    problem, remedy = remedies[error.errno]
    return StorageError(str(error.filename or where), problem, f"{remedy}; finished artifacts are intact")
