"""The judge's client against a server of our own on the loopback interface."""

import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from components.core.errors import ModelError, StorageError
from components.core.example import AnswerType, Example, Task
from components.surrogate.judge import Judge, JudgeConfig
from components.surrogate.rows import AnswerRow
from components.surrogate.teacher import Refusal, distil, images_of
from tests.surrogate.loop import row

Reply = tuple[int, dict[str, str], bytes]


def completion(text: str | None, finish: str = "stop") -> bytes:
    message = {"role": "assistant", "content": text}
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": finish}]}).encode()


class JudgeServer(ThreadingHTTPServer):
    """Replies as a function of the graded answer and of how often it has been asked about it."""

    def __init__(self, reply: Callable[[str, int], Reply]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply = reply
        self.lock = threading.Lock()
        self.asked: list[dict[str, Any]] = []
        self.answers: list[str] = []
        self.authorizations: list[str | None] = []
        self.most_at_once = 0
        self.under_way = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *_: Any) -> None:
        """Say nothing of a client that left before the reply came."""


class _Handler(BaseHTTPRequestHandler):
    server: JudgeServer

    def do_POST(self) -> None:
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        content = payload["messages"][-1]["content"]
        text = content if isinstance(content, str) else content[-1]["text"]
        answer = json.loads(text)["answer"]
        with self.server.lock:
            self.server.asked.append(payload)
            self.server.answers.append(answer)
            self.server.authorizations.append(self.headers["Authorization"])
            self.server.under_way += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.under_way)
            times = self.server.answers.count(answer)
        status, headers, body = self.server.reply(answer, times)
        with self.server.lock:
            self.server.under_way -= 1
        self.send_response(status if self.path == "/v1/chat/completions" else 404)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[str, int], Reply]], JudgeServer]]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    servers: list[JudgeServer] = []

    def start(reply: Callable[[str, int], Reply]) -> JudgeServer:
        server = JudgeServer(reply)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


Serve = Callable[[Callable[[str, int], Reply]], JudgeServer]


def config(server: JudgeServer, **others: Any) -> JudgeConfig:
    values = {"backoff_seconds": 0.001, "max_backoff_seconds": 0.01, "timeout_seconds": 20, **others}
    return JudgeConfig(base_url=server.url, model="grader", **values)


def by_length(answer: str, _times: int) -> Reply:
    """Scores an answer by its number of characters."""
    return 200, {}, completion(json.dumps({"score": len(answer)}))


def test_rows_come_back_with_the_judges_scores_and_equal_ones_are_asked_once(serve: Serve) -> None:
    server = serve(by_length)
    rows = [row("aaaa", 1.0), row("a"), row("aaaa", 0.0), row("aaaaaaa", 1.0)]

    found = distil(rows, Judge(config(server)))

    assert [(item.answer, item.score, item.kind) for item in found.rows] == [
        ("aaaa", 0.4, "teacher"),
        ("a", 0.1, "teacher"),
        ("aaaa", 0.4, "teacher"),
        ("aaaaaaa", 0.7, "teacher"),
    ]
    assert found.problems == []
    assert sorted(server.answers) == ["a", "aaaa", "aaaaaaa"]


def test_request_has_model_sampling_and_extra_keys(serve: Serve) -> None:
    server = serve(by_length)

    Judge(config(server, json_mode=True, extra={"seed": 3})).score([row("aa")])

    sent = server.asked[0]
    assert {key: sent[key] for key in ("model", "temperature", "max_tokens", "seed")} == {
        "model": "grader",
        "temperature": 0.0,
        "max_tokens": 64,
        "seed": 3,
    }
    assert sent["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_or_failing_server_is_asked_again(serve: Serve, status: int) -> None:
    server = serve(lambda answer, times: (status, {}, b"busy") if times < 3 else by_length(answer, times))

    assert Judge(config(server)).score([row("aaaa")]) == [0.4]
    assert server.answers == ["aaaa"] * 3


@pytest.mark.parametrize(("asked", "most", "waited"), [("7", 60, 7), ("7", 3, 3), ("soon", 60, 0), ("", 60, 0)])
def test_wait_that_the_server_asks_for_is_kept_up_to_the_longest(
    serve: Serve, asked: str, most: float, waited: float
) -> None:
    server = serve(lambda answer, times: (429, {"Retry-After": asked}, b"") if times < 2 else by_length(answer, times))
    slept: list[float] = []

    judge = Judge(config(server, backoff_seconds=0, max_backoff_seconds=most), sleep=slept.append)

    assert judge.score([row("aaaa")]) == [0.4]
    assert slept == [waited]


def test_backoff_doubles_in_its_bound_and_stays_below_the_longest(serve: Serve) -> None:
    server = serve(lambda _answer, _times: (503, {}, b""))
    slept: list[float] = []
    settings = {"backoff_seconds": 1.0, "max_backoff_seconds": 8.0, "attempts": 6}

    Judge(config(server, **settings), sleep=slept.append).score([row("aaaa")])

    assert len(slept) == 5
    assert all(0 <= waited <= bound for waited, bound in zip(slept, [1, 2, 4, 8, 8], strict=True))


def test_each_failure_is_a_problem_with_its_rows_number_and_harms_no_other_row(serve: Serve) -> None:
    replies: dict[str, Reply] = {
        "refused": (400, {}, b'{"error": "too long"}'),
        "failing": (500, {}, b"oops"),
        "prose": (200, {}, completion("I would say 7.")),
        "cut": (200, {}, completion("1", finish="length")),
        "silent": (200, {}, completion(None)),
        "strange": (200, {}, b"[]"),
        "short": (200, {"Content-Length": "5000"}, completion("7")),
    }
    server = serve(lambda answer, _: replies.get(answer, (200, {}, completion("7"))))
    answers = ["fine", *replies, "fine too"]

    found = distil([row(answer) for answer in answers], Judge(config(server, attempts=2, concurrency=1)))

    assert [item.answer for item in found.rows] == ["fine", "fine too"]
    assert len(found.rows) + len(found.problems) == len(answers)
    expected = ["too long", "500", "I would say 7", "cut at max_tokens", "''", "no chat completion", "was cut"]
    for number, (problem, part) in enumerate(zip(found.problems, expected, strict=True), 2):
        assert problem.startswith(f"row {number}: ")
        assert part in problem


def test_reply_that_takes_too_long_is_a_problem(serve: Serve) -> None:
    released = threading.Event()

    def reply(answer: str, times: int) -> Reply:
        if answer == "slow":
            released.wait(20)
        return by_length(answer, times)

    server = serve(reply)
    found = Judge(config(server, timeout_seconds=0.3, attempts=2, concurrency=2)).score([row("slow"), row("aa")])
    released.set()

    assert isinstance(found[0], Refusal)
    assert "took too long" in found[0].reason
    assert found[1] == 0.2
    assert server.answers.count("slow") == 2


@pytest.mark.parametrize("status", [401, 403, 404])
def test_server_that_refuses_all_requests_ends_the_run_with_the_remedy(serve: Serve, status: int) -> None:
    server = serve(lambda _answer, _times: (status, {}, b"no such key"))

    with pytest.raises(ModelError, match=rf"HTTP {status}: no such key.*Correct base_url, model or the key"):
        Judge(config(server, concurrency=1)).score([row(f"answer {number}") for number in range(50)])

    assert len(server.asked) == 1


def test_redirect_is_not_followed_with_the_key(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-secret")
    other = serve(by_length)
    server = serve(lambda _answer, _times: (307, {"Location": f"{other.url}/chat/completions"}, b""))

    with pytest.raises(ModelError, match="HTTP 307") as caught:
        Judge(config(server)).score([row("a")])

    assert server.authorizations == ["Bearer a-secret"]
    assert other.asked == []
    assert "a-secret" not in str(caught.value)


def test_server_that_stays_down_is_given_up_and_every_row_is_a_problem(serve: Serve) -> None:
    server = serve(lambda _answer, _times: (503, {}, b"down"))
    rows = [row(f"answer {number}") for number in range(40)]

    found = Judge(config(server, attempts=2, give_up_after=3, concurrency=1)).score(rows)

    assert all(isinstance(item, Refusal) for item in found)
    assert len(server.asked) == 6
    assert isinstance(found[-1], Refusal)
    assert found[-1].reason == "not asked: 3 requests in a row had failed"


def test_no_more_requests_are_under_way_than_allowed(serve: Serve) -> None:
    def reply(answer: str, times: int) -> Reply:
        time.sleep(0.02)
        return by_length(answer[:3], times)

    server = serve(reply)
    Judge(config(server, concurrency=3)).score([row(f"{number:03d}") for number in range(20)])

    assert 2 <= server.most_at_once <= 3


def test_killed_run_asks_only_for_what_is_missing(serve: Serve, tmp_path: Path) -> None:
    """What a kill leaves is whole lines and a cut one; a reply that is no score was paid for and is not asked again."""
    server = serve(lambda answer, times: (200, {}, completion("hm")) if answer == "odd" else by_length(answer, times))
    journal = tmp_path / "journal.jsonl"
    rows = [row("aa"), row("odd"), row("aaaa")]
    first = Judge(config(server), journal).score(rows)
    lines = journal.read_bytes().splitlines(keepends=True)
    last = json.loads(lines[-1])
    journal.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    server.answers.clear()

    elsewhere = serve(server.reply)
    again = Judge(config(elsewhere), journal).score([*rows, row("aaaaaa")])

    assert again == [*first, 0.6]
    assert server.answers == []
    assert len(elsewhere.answers) == 2
    assert json.loads(journal.read_bytes().splitlines()[-2])["key"] != ""
    assert sum(json.loads(line)["key"] == last["key"] for line in journal.read_bytes().splitlines()) == 1


@pytest.mark.slow
def test_run_that_was_killed_in_the_middle_asks_again_at_most_what_was_under_way(serve: Serve, tmp_path: Path) -> None:
    def reply(answer: str, times: int) -> Reply:
        time.sleep(0.05)
        return by_length(answer[:3], times)

    server = serve(reply)
    answers = [f"{number:03d}" for number in range(40)]
    code = f"""
from pathlib import Path
from components.surrogate.judge import Judge, JudgeConfig
from components.surrogate.rows import AnswerRow
rows = [AnswerRow("q", ("a red house",), answer, None, "q") for answer in {answers!r}]
config = JudgeConfig(base_url={server.url!r}, model="grader", concurrency=2)
Judge(config, Path({str(tmp_path / "journal")!r})).score(rows)
"""
    process = subprocess.Popen([sys.executable, "-c", code])
    while len(server.asked) < 10 and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.wait()
    before = len(server.asked)

    found = Judge(config(server), tmp_path / "journal").score([row(answer) for answer in answers])

    assert found == [0.3] * 40
    assert 10 <= before < 40
    assert len(server.asked) <= 40 + 2


def test_line_of_the_journal_that_is_no_record_is_asked_again(serve: Serve, tmp_path: Path) -> None:
    server = serve(by_length)
    journal = tmp_path / "journal.jsonl"
    journal.write_text('{"key": 3}\nno json\n[]\n')

    assert Judge(config(server), journal).score([row("aa")]) == [0.2]
    assert Judge(config(server), journal).score([row("aa")]) == [0.2]
    assert server.answers == ["aa"]


def test_other_sampling_or_model_is_another_question(serve: Serve, tmp_path: Path) -> None:
    server = serve(by_length)
    journal = tmp_path / "journal.jsonl"

    Judge(config(server), journal).score([row("aa")])
    Judge(config(server, temperature=0.5), journal).score([row("aa")])

    assert server.answers == ["aa", "aa"]


def test_second_run_on_the_same_journal_is_refused(serve: Serve, tmp_path: Path) -> None:
    started, released = threading.Event(), threading.Event()

    def reply(answer: str, times: int) -> Reply:
        started.set()
        released.wait(20)
        return by_length(answer, times)

    server = serve(reply)
    first = threading.Thread(target=Judge(config(server), tmp_path / "journal").score, args=([row("aa")],))
    first.start()
    started.wait(20)

    with pytest.raises(StorageError, match="another process is writing to it"):
        Judge(config(server), tmp_path / "journal").score([row("aa")])

    released.set()
    first.join()


def png(colour: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (3, 2), colour).save(stream, format="PNG")
    return stream.getvalue()


def example(colour: str, name: str) -> Example:
    return Example(
        id=name,
        images=(png(colour),),
        question="q",
        references=("a red house",),
        answer_type=AnswerType.OPEN_ENDED,
        task=Task.GENERAL,
        verifiable=False,
    )


def test_images_go_with_the_question_and_a_missing_or_broken_one_is_a_problem(serve: Serve) -> None:
    server = serve(by_length)
    broken = AnswerRow("broken", ("r",), "aaa", None, "g")
    images = images_of([example("red", "one"), example("blue", "two")])
    judge = Judge(config(server), images=lambda item: [b"no image"] if item is broken else images(item))

    found = judge.score([row("aa", group="one"), row("aa", group="two"), row("aa", group="three"), broken])

    assert found[:2] == [0.2, 0.2]
    assert [item.reason.partition(" (")[0] for item in found[2:] if isinstance(item, Refusal)] == [
        "an image is missing or broken"
    ] * 2
    urls = sorted(payload["messages"][1]["content"][0]["image_url"]["url"] for payload in server.asked)
    assert len(urls) == 2
    assert all(url.startswith("data:image/png;base64,iVBOR") for url in urls)


def test_where_and_how_fast_it_runs_is_no_part_of_a_judges_identity() -> None:
    here = Judge(JudgeConfig(model="grader"))
    there = Judge(JudgeConfig(model="grader", base_url="https://example.org/v1", concurrency=1))

    assert here.identity() == there.identity()
    assert here.identity() != Judge(JudgeConfig(model="other")).identity()
