"""Fingerprints of our own source code.

KFP's cache key sees a step's thin body and its image, not the library code the body calls. On a
cluster the image digest stands for that code; on a laptop, where there is no image, this does.
"""

import hashlib
from pathlib import Path

_COMPONENTS = Path(__file__).resolve().parent.parent


def code_fingerprint(*packages: str) -> str:
    """sha-256 over the source files of the named packages of `components`; of all of them by default.

    Args:
        packages: Folder names under components/, such as "rewards".

    Returns:
        64 hexadecimal digits; any change of a file's bytes or name changes them.
    """
    folders = [_COMPONENTS / name for name in packages] or [_COMPONENTS]
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(_COMPONENTS).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
