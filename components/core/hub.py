"""The Hugging Face hub: ids to commits, with errors that say what to do."""

from collections.abc import Callable
from typing import TypeVar

from components.core.errors import HarmoError

Result = TypeVar("Result")


def ask_hub(fetch: Callable[[], Result], name: str, error: type[HarmoError], remedy: str) -> Result:
    """Fetch something from the hub.

    Args:
        fetch: Does it.
        name: What is asked for, id@revision.
        error: The named error to raise.
        remedy: What to do when it fails.

    Raises:
        HarmoError: Of the given class: not found, no access, or no connection.
    """
    from huggingface_hub.errors import HfHubHTTPError

    # The client library's own errors (no connection, time-out) share this base, whichever library the hub's uses.
    client_error = HfHubHTTPError.__bases__[0]
    try:
        return fetch()
    except (client_error, OSError, ValueError) as reason:
        first_line = (str(reason).splitlines() or [type(reason).__name__])[0]
        raise error(name, f"not to be had from the hub ({first_line})", remedy) from reason


def resolve_commit(kind: str, name: str, revision: str, error: type[HarmoError]) -> str:
    """The commit that a revision of a hub repository stands for.

    Args:
        kind: "model" or "dataset".
        name: Id on the hub.
        revision: Branch, tag or commit.
        error: The named error to raise.

    Raises:
        HarmoError: Of the given class.
    """
    from huggingface_hub import HfApi

    return ask_hub(
        lambda: str(HfApi().repo_info(name, revision=revision, repo_type=kind).sha),
        f"{name}@{revision}",
        error,
        "Check the id, the revision, the network and HF_TOKEN, or use a local copy",
    )
