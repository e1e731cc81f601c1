"""Judge: a teacher behind an endpoint that speaks OpenAI's chat completions.

Replies are kept as they come (components/core/reply_journal.py), under the digest of the request: model, chat, images
and sampling, not the address, so that a server that comes up elsewhere is not asked again.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from components.core.chat import EXECUTION, ChatServer, ChatServerConfig, Unanswered, data_url
from components.core.errors import HarmoError
from components.core.reply_journal import ReplyJournal
from components.surrogate.judging import PROMPT_VERSION, BadReplyError, messages, read_reply
from components.surrogate.rows import AnswerRow
from components.surrogate.teacher import Images, Refusal

_CUT = "\n[cut at max_tokens]"


class JudgeConfig(ChatServerConfig):
    """Which judge, and how it is asked."""

    temperature: float = Field(default=0.0, ge=0)
    """Of the sampling."""
    max_tokens: int = Field(default=64, ge=1)
    """Of a reply; a judge that reasons first needs more."""
    json_mode: bool = False
    """Whether the server is asked for a JSON object (response_format), where it knows that."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """Further keys of the request, as the server documents them."""


@dataclass(frozen=True)
class _Request:
    key: str
    row: AnswerRow
    """From which the body is made again when it is sent: with images, the bodies of all rows would fill the memory."""


class Judge:
    """Scores rows by asking; see `teacher.Teacher`.

    Args:
        config: Which judge, and how it is asked.
        journal: File of the replies; None keeps none.
        images: Finds the images of a row; None where no question is about one.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        config: JudgeConfig,
        journal: Path | None = None,
        images: Images | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._config = config
        self._journal_path = journal
        self._images = images
        self._server = ChatServer(config, "judge", sleep)

    def identity(self) -> dict[str, Any]:
        """Model, sampling and version of the prompt."""
        return {**self._config.model_dump(mode="json", exclude=set(EXECUTION)), "prompt_version": PROMPT_VERSION}

    def score(self, rows: Sequence[AnswerRow]) -> list[float | Refusal]:
        """Ask for a score of each row; equal requests are made once.

        Args:
            rows: N rows.

        Returns:
            N scores in [0, 1], or why there is none: the request failed, the reply is no score, an image is broken.

        Raises:
            ModelError: The server refuses all requests: a wrong key, path or model. Replies so far are kept.
            StorageError: The journal cannot be read or written.
        """
        self._server.reset()
        requests = [self._request(row) for row in rows]
        distinct = {request.key: request for request in requests if isinstance(request, _Request)}
        with ReplyJournal(self._journal_path) as journal, ThreadPoolExecutor(self._config.concurrency) as pool:
            asked = pool.map(lambda request: self._reply(request, journal), distinct.values())
            replies = dict(zip(distinct, asked, strict=True))
        self._server.check()
        return [request if isinstance(request, Refusal) else _score(replies[request.key]) for request in requests]

    def _request(self, row: AnswerRow) -> _Request | Refusal:
        try:
            content = json.dumps(self._body(row), sort_keys=True)
        except (LookupError, OSError, ValueError) as error:
            return Refusal(f"an image is missing or broken ({error})")
        return _Request(hashlib.sha256(content.encode()).hexdigest(), row)

    def _body(self, row: AnswerRow) -> dict[str, Any]:
        urls = [data_url(image) for image in self._images(row)] if self._images else []
        return {
            "model": self._config.model,
            "messages": messages(row, urls),
            "temperature": self._config.temperature,
            "max_tokens": self._config.max_tokens,
            **({"response_format": {"type": "json_object"}} if self._config.json_mode else {}),
            **self._config.extra,
        }

    def _reply(self, request: _Request, journal: ReplyJournal) -> str | Refusal:
        kept = journal.get(request.key)
        if kept is not None:
            return kept
        completions = self._server.ask(self._body(request.row))
        if isinstance(completions, Unanswered):
            return Refusal(completions.reason)
        first = completions[0]
        # Marked, so that a reply that was cut is never read as a score.
        reply = first.text + _CUT if first.cut else first.text
        try:
            journal.add(request.key, reply)
        except HarmoError as error:
            self._server.stop(error)
            return Refusal(str(error))
        return reply


def _score(reply: str | Refusal) -> float | Refusal:
    if isinstance(reply, Refusal):
        return reply
    try:
        return read_reply(reply)
    except BadReplyError as error:
        return Refusal(str(error))
