"""A server that speaks OpenAI's chat completions (vLLM, llama.cpp, a hosted model), asked with patience.

A request that fails for a reason that may pass (the server is busy, restarts, takes too long) is made again; one that
would befall every other request too ends the run. A redirect is not followed, since it would carry the key to another
host.
"""

import base64
import io
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse
from typing import IO, TYPE_CHECKING, Any

from pydantic import Field

from components.core.config import Config
from components.core.errors import HarmoError, ModelError

if TYPE_CHECKING:
    from tenacity import RetryCallState

_LONGEST_REPLY = 4_000_000  # bytes
_ALL_STATUS = (301, 302, 303, 307, 308, 401, 402, 403, 404, 405)
"""What would befall any other request too."""
_RETRIED_STATUS = (408, 409, 425, 429)


class ChatServerConfig(Config):
    """Where a model is served, and how patiently it is asked."""

    base_url: str = Field(default="http://127.0.0.1:8000/v1", pattern=r"^https?://[^\s?#@]+$")
    """Address of the API, to which /chat/completions is added."""
    model: str = Field(min_length=1)
    """Name by which the server knows the model."""
    key_variable: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; no key is sent where it is not set."""
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


EXECUTION = frozenset(ChatServerConfig.model_fields) - {"model"}
"""Settings that do not decide a reply."""


@dataclass(frozen=True)
class Completion:
    """One choice of a reply."""

    text: str
    cut: bool
    """It ended at the longest length allowed."""


@dataclass(frozen=True)
class Unanswered:
    """A request without a reply."""

    reason: str


class _BusyError(Exception):
    """A failure that may pass."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait
        """Seconds that the server asks for."""


class _FailedError(Exception):
    """A failure of one request that will not pass."""


class ChatServer:
    """Asks a server; threads may share one.

    Args:
        config: Which server.
        role: What its model is to us, for messages: judge, policy.
        sleep: Waits so many seconds.
    """

    def __init__(self, config: ChatServerConfig, role: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._config = config
        self._role = role
        self._sleep = sleep
        self._opener = urllib.request.build_opener(_NoRedirect)
        self._lock = threading.Lock()
        self._failed_in_a_row = 0
        self._fatal: HarmoError | None = None
        self.last_failure = ""
        """What the last request that failed in every attempt met."""

    def reset(self) -> None:
        """Forget failures: another run begins."""
        self._failed_in_a_row, self._fatal = 0, None

    def stop(self, error: HarmoError) -> None:
        """Make no more requests: every other one would meet this error too."""
        with self._lock:
            self._fatal = error

    def check(self) -> None:
        """Raise what made the requests stop, if anything did.

        Raises:
            HarmoError: The error.
        """
        if self._fatal is not None:
            raise self._fatal

    @property
    def has_given_up(self) -> bool:
        """Whether so many requests in a row have failed that no more are made."""
        return self._failed_in_a_row >= self._config.give_up_after

    def ask(self, body: Mapping[str, Any]) -> list[Completion] | Unanswered:
        """Make a request, as often as it takes.

        Args:
            body: Of the request; JSON values. The model's name is added.

        Returns:
            The choices of the reply, at least one, or why there is none.
        """
        with self._lock:
            if self._fatal is not None or self.has_given_up:
                return Unanswered(f"not asked: {self._failed_in_a_row} requests in a row had failed")
        try:
            completions = self._ask({"model": self._config.model, **body})
        except (_BusyError, _FailedError) as error:
            with self._lock:
                if isinstance(error, _BusyError):
                    self._failed_in_a_row += 1
                    self.last_failure = str(error)
            return Unanswered(str(error))
        except HarmoError as error:
            self.stop(error)
            return Unanswered(str(error))
        with self._lock:
            self._failed_in_a_row = 0
        return completions

    def _ask(self, body: Mapping[str, Any]) -> list[Completion]:
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

    def _ask_once(self, body: Mapping[str, Any]) -> list[Completion]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        key = os.environ.get(self._config.key_variable, "")
        if key:
            headers["Authorization"] = f"Bearer {key}"
        url = f"{self._config.base_url.rstrip('/')}/chat/completions"
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
        deadline = time.monotonic() + self._config.timeout_seconds
        try:
            with self._opener.open(request, timeout=self._config.timeout_seconds) as response:
                return _completions(_read(response, deadline, self._role), self._role)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error) from None
        except (OSError, HTTPException) as error:
            problem = f"the {self._role} is out of reach or took too long ({_first_line(error)})"
            raise _BusyError(problem) from None

    def _refused(self, error: urllib.error.HTTPError) -> Exception:
        said = _said(error)
        if error.code in _ALL_STATUS:
            return ModelError(
                f"{self._role} {self._config.model} at {self._config.base_url}",
                f"the server refuses all requests (HTTP {error.code}: {said})",
                f"Correct base_url, model or the key in {self._config.key_variable}, and run again; the replies so "
                "far are kept where there is a journal",
            )
        message = f"HTTP {error.code} from the {self._role}: {said}"
        if error.code in _RETRIED_STATUS or error.code >= 500:
            return _BusyError(message, _retry_after(error.headers))
        return _FailedError(message)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """Follow none: the redirect itself becomes an HTTPError."""


def _read(response: HTTPResponse, deadline: float, role: str) -> bytes:
    """The body of a response, however slowly it drips, or an error at the deadline."""
    chunks, size = [], 0
    while chunk := response.read1(65536):
        chunks.append(chunk)
        size += len(chunk)
        if size > _LONGEST_REPLY:
            raise _FailedError(f"the {role}'s reply has more than {_LONGEST_REPLY} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError("the reply had not ended in time")
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and size < int(announced):
        raise _BusyError(f"the {role}'s reply was cut: {size} of {announced} bytes came")
    return b"".join(chunks)


def _completions(body: bytes, role: str) -> list[Completion]:
    try:
        choices = [
            (choice["message"]["content"], choice.get("finish_reason")) for choice in json.loads(body)["choices"]
        ]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        choices = []
    if not choices:
        raise _FailedError(f"the {role}'s reply is no chat completion: {body[:80]!r}")
    return [Completion(content if isinstance(content, str) else "", finish == "length") for content, finish in choices]


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


def data_url(image: bytes) -> str:
    """An encoded image as a data URL of its own format.

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
