"""Judge: a teacher behind an endpoint that speaks OpenAI's chat completions.

Replies are kept as they come (`reply_journal`), under the digest of the request: model, chat, images and sampling, not
the address, so that a server that comes up elsewhere is not asked again. A redirect is not followed, since it would
carry the key to another host.
"""

import base64
import hashlib
import io
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pydantic import Field

from components.core.config import Config
from components.core.errors import HarmoError, ModelError
from components.surrogate.judging import PROMPT_VERSION, BadReplyError, messages, read_reply
from components.surrogate.reply_journal import ReplyJournal
from components.surrogate.rows import AnswerRow
from components.surrogate.teacher import Images, Refusal

if TYPE_CHECKING:
    from tenacity import RetryCallState

_LONGEST_REPLY = 4_000_000  # bytes
_ALL_STATUS = (301, 302, 303, 307, 308, 401, 402, 403, 404, 405)
"""What would befall any other request too."""
_CUT = "\n[cut at max_tokens]"
_RETRIED_STATUS = (408, 409, 425, 429)


class JudgeConfig(Config):
    """Which judge, and how it is asked."""

    base_url: str = Field(default="http://127.0.0.1:8000/v1", pattern=r"^https?://[^\s?#@]+$")
    """Address of the API, to which /chat/completions is added."""
    model: str = Field(min_length=1)
    """Name by which the server knows the model."""
    key_variable: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; no key is sent where it is not set."""
    temperature: float = Field(default=0.0, ge=0)
    """Of the sampling."""
    max_tokens: int = Field(default=64, ge=1)
    """Of a reply; a judge that reasons first needs more."""
    json_mode: bool = False
    """Whether the server is asked for a JSON object (response_format), where it knows that."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """Further keys of the request, as the server documents them."""
    concurrency: int = Field(default=8, ge=1, le=256)
    """Requests under way at a time."""
    timeout_seconds: float = Field(default=120, gt=0)
    """For a reply, from the request to its last byte."""
    attempts: int = Field(default=5, ge=1)
    """At one request, while the server is busy (429), fails (5xx), is out of reach or takes too long."""
    backoff_seconds: float = Field(default=1.0, ge=0)
    """Of which a random share is waited after the first failure; twice as much after each further one."""
    max_backoff_seconds: float = Field(default=60, ge=0)
    """At most, also where the server asks for longer."""
    give_up_after: int = Field(default=10, ge=1)
    """Requests in a row that failed in every attempt, after which no more are made."""


_EXECUTION = frozenset(
    {
        "base_url",
        "key_variable",
        "concurrency",
        "timeout_seconds",
        "attempts",
        "backoff_seconds",
        "max_backoff_seconds",
        "give_up_after",
    }
)
"""Settings that do not decide a score."""


class _BusyError(Exception):
    """A failure that may pass."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait
        """Seconds that the server asks for."""


class _FailedError(Exception):
    """A failure of one request that will not pass."""


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
        self._sleep = sleep
        self._journal_path = journal
        self._images = images
        self._opener = urllib.request.build_opener(_NoRedirect)
        self._lock = threading.Lock()
        self._failed_in_a_row = 0
        self._fatal: HarmoError | None = None

    def identity(self) -> dict[str, Any]:
        """Model, sampling and version of the prompt."""
        return {**self._config.model_dump(mode="json", exclude=set(_EXECUTION)), "prompt_version": PROMPT_VERSION}

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
        self._failed_in_a_row, self._fatal = 0, None
        requests = [self._request(row) for row in rows]
        distinct = {request.key: request for request in requests if isinstance(request, _Request)}
        with ReplyJournal(self._journal_path) as journal, ThreadPoolExecutor(self._config.concurrency) as pool:
            asked = pool.map(lambda request: self._reply(request, journal), distinct.values())
            replies = dict(zip(distinct, asked, strict=True))
        if self._fatal is not None:
            raise self._fatal
        return [request if isinstance(request, Refusal) else _score(replies[request.key]) for request in requests]

    def _request(self, row: AnswerRow) -> _Request | Refusal:
        try:
            content = json.dumps(self._body(row), sort_keys=True)
        except (LookupError, OSError, ValueError) as error:
            return Refusal(f"an image is missing or broken ({error})")
        return _Request(hashlib.sha256(content.encode()).hexdigest(), row)

    def _body(self, row: AnswerRow) -> dict[str, Any]:
        urls = [_data_url(image) for image in self._images(row)] if self._images else []
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
        with self._lock:
            if self._fatal is not None or self._failed_in_a_row >= self._config.give_up_after:
                return Refusal(f"not asked: {self._failed_in_a_row} requests in a row had failed")
        try:
            reply = self._ask(self._body(request.row))
            journal.add(request.key, reply)
        except (_BusyError, _FailedError) as error:
            with self._lock:
                self._failed_in_a_row += isinstance(error, _BusyError)
            return Refusal(str(error))
        except HarmoError as error:
            with self._lock:
                self._fatal = error
            return Refusal(str(error))
        with self._lock:
            self._failed_in_a_row = 0
        return reply

    def _ask(self, body: Mapping[str, Any]) -> str:
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

        retrying = Retrying(
            retry=retry_if_exception_type(_BusyError),
            stop=stop_after_attempt(self._config.attempts),
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._ask_once, body)

    def _wait(self, state: "RetryCallState") -> float:
        from tenacity import wait_random_exponential

        chosen = wait_random_exponential(multiplier=self._config.backoff_seconds, max=self._config.max_backoff_seconds)
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, _BusyError) else 0.0
        return float(min(max(chosen(state), asked), self._config.max_backoff_seconds))

    def _ask_once(self, body: Mapping[str, Any]) -> str:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        key = os.environ.get(self._config.key_variable, "")
        if key:
            headers["Authorization"] = f"Bearer {key}"
        url = f"{self._config.base_url.rstrip('/')}/chat/completions"
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
        deadline = time.monotonic() + self._config.timeout_seconds
        try:
            with self._opener.open(request, timeout=self._config.timeout_seconds) as response:
                return _content(_read(response, deadline))
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error) from None
        except (OSError, HTTPException) as error:
            raise _BusyError(f"the judge is out of reach or took too long ({_first_line(error)})") from None

    def _refused(self, error: urllib.error.HTTPError) -> Exception:
        said = _said(error)
        if error.code in _ALL_STATUS:
            return ModelError(
                f"judge {self._config.model} at {self._config.base_url}",
                f"the server refuses all requests (HTTP {error.code}: {said})",
                f"Correct base_url, model or the key in {self._config.key_variable}, and run again; the replies so "
                "far are kept where there is a journal",
            )
        message = f"HTTP {error.code} from the judge: {said}"
        if error.code in _RETRIED_STATUS or error.code >= 500:
            return _BusyError(message, _retry_after(error.headers))
        return _FailedError(message)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """Follow none: the redirect itself becomes an HTTPError."""


def _score(reply: str | Refusal) -> float | Refusal:
    if isinstance(reply, Refusal):
        return reply
    try:
        return read_reply(reply)
    except BadReplyError as error:
        return Refusal(str(error))


def _read(response: HTTPResponse, deadline: float) -> bytes:
    """The body of a response, however slowly it drips, or an error at the deadline."""
    chunks, size = [], 0
    while chunk := response.read1(65536):
        chunks.append(chunk)
        size += len(chunk)
        if size > _LONGEST_REPLY:
            raise _FailedError(f"the judge's reply has more than {_LONGEST_REPLY} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError("the reply had not ended in time")
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and size < int(announced):
        raise _BusyError(f"the judge's reply was cut: {size} of {announced} bytes came")
    return b"".join(chunks)


def _content(body: bytes) -> str:
    """The text of the first choice, with _CUT where it was cut, so that it is never read as a score."""
    try:
        choice = json.loads(body)["choices"][0]
        content, finish = choice["message"]["content"], choice.get("finish_reason")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise _FailedError(f"the judge's reply is no chat completion: {body[:80]!r}") from None
    text = content if isinstance(content, str) else ""
    return text + _CUT if finish == "length" else text


def _said(error: urllib.error.HTTPError) -> str:
    try:
        return " ".join(error.read(2000).decode("utf-8", "replace").split())[:200] or str(error.reason)
    except (OSError, HTTPException):
        return str(error.reason)


def _retry_after(headers: Message) -> float:
    """Seconds that the server asks to wait; 0 where it asks for none that can be read."""
    value = (headers.get("Retry-After") or "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _data_url(image: bytes) -> str:
    """An image as a data URL of its own format.

    Raises:
        OSError: It is no image.
        ValueError: It has so many pixels that it can only be meant to fill a memory.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(image)) as opened:
            kind = opened.get_format_mimetype()
    except Image.DecompressionBombError as error:
        raise ValueError(str(error)) from None
    return f"data:{kind};base64,{base64.b64encode(image).decode()}"


def _first_line(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return (str(reason).splitlines() or [type(error).__name__])[0][:200]
