"""A decoder that does what hostile bytes can make a real one do; picture workers are told to use it.

The bytes are a command: `fine`, `spin`, `sleep`, `eat`, `print`, `kill`, or one with an argument behind a colon:
`refuse:WHY`; `kill once:PATH`, which dies unless the file exists, and makes it first; and `await kill:PATH`, likewise,
which writes its process id to the file and waits to be killed.
"""

import os
import signal
import time
from pathlib import Path

from components.curation.candidate import Rejection
from components.curation.picture_decoding import Limits, Picture


def decode(data: bytes, limits: Limits) -> Picture:
    command, _, argument = data.decode().partition(":")
    if command in _DEEDS:
        _DEEDS[command](*argument.splitlines())
    return Picture(data=None, pixels=data.hex()[:32], look=b"look", flags=())


def _spin() -> None:
    while True:
        pass


def _refuse(argument: str) -> None:
    raise Rejection("image damaged", argument)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_once(argument: str) -> None:
    if _is_first(Path(argument)):
        _kill()


def _await_kill(argument: str) -> None:
    if _is_first(Path(argument)):
        time.sleep(600)


def _is_first(path: Path) -> bool:
    if path.exists():
        return False
    begun = path.with_suffix(".begun")
    begun.write_text(str(os.getpid()))
    begun.rename(path)
    return True


_DEEDS = {
    "spin": _spin,
    "sleep": lambda: time.sleep(600),
    "eat": lambda: bytearray(2**40),
    "print": lambda: os.write(1, b"warning: a strange picture\n"),
    "refuse": _refuse,
    "kill": _kill,
    "kill once": _kill_once,
    "await kill": _await_kill,
}
