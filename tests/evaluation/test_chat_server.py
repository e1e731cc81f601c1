"""local-chat-completions against a server of our own on the loopback interface."""

import base64
import io
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from transformers import AutoTokenizer

from components.core.artifact import read_manifest
from components.core.errors import ModelError, RecipeError
from components.core.question import Question
from components.core.sample import NOT_GENERATED
from components.evaluation.benchmark import Marks
from components.evaluation.config import EvaluationConfig, RunnerConfig
from components.evaluation.runner import BenchmarkRun, Runner
from tests.evaluation.conftest import MAX_NEW_TOKENS, MAX_PIXELS, info_of, png, question

pytest.importorskip("tenacity", reason="lm-eval's model types that ask a server need it")
pytestmark = pytest.mark.slow


class _ChatServer(ThreadingHTTPServer):
    """Answers with what it was sent: each text as it is, each image as its size in brackets."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.payloads: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/chat/completions"


class _Handler(BaseHTTPRequestHandler):
    server: _ChatServer

    def do_POST(self) -> None:
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.payloads.append(payload)
        text = "".join(map(_shown, payload["messages"][-1]["content"]))
        status = next((int(code) for code in ("400", "401", "500") if code in text), 200)
        message = {"role": "assistant", "content": None if "silent" in text else text}
        body = json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _shown(block: dict[str, Any]) -> str:
    if block["type"] == "text":
        return str(block["text"])
    head, data = block["image_url"]["url"].split(",")
    assert head == "data:image/png;base64"
    width, height = Image.open(io.BytesIO(base64.b64decode(data))).size
    return f"[{width}x{height}]"


@pytest.fixture
def server() -> Iterator[_ChatServer]:
    with _ChatServer() as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def _run(
    policy: Path, url: str, questions: Sequence[Question], journal: Path | None = None, **arguments: Any
) -> BenchmarkRun:
    runner = RunnerConfig(kind="local-chat-completions", arguments={"base_url": url, "max_retries": 1, **arguments})

    def mark(question: Question, text: str) -> Marks:
        return Marks(1.0, 1.0, text, "")

    return Runner(policy, EvaluationConfig(runner=runner), journal).run(info_of(questions), questions, mark)


_IMAGES = [png((30 + number, 40), number) for number in range(8)]
_ASKED = [question(f"q{number}", f"What is {number}?", image) for number, image in enumerate(_IMAGES)]


@pytest.mark.parametrize("concurrent", [1, 3])
def test_text_and_images_reach_the_server_in_their_order(policy: Path, server: _ChatServer, concurrent: int) -> None:
    two = question("two", "", _IMAGES[0], _IMAGES[1], parts=("Is ", " like ", "?"))

    found = _run(policy, server.url, [*_ASKED, two], num_concurrent=concurrent)

    texts = [f"[{30 + number}x40]What is {number}?" for number in range(8)]
    assert [response.text for response in found.responses] == [*texts, "Is [30x40] like [31x40]?"]
    assert len(server.payloads) == 9
    assert found.cost.generated == 9


def test_request_is_greedy_and_bounded(policy: Path, server: _ChatServer) -> None:
    _run(policy, server.url, _ASKED[:1], model="aligned/{policy}")

    (payload,) = server.payloads
    assert payload["model"] == f"aligned/{read_manifest(policy).fingerprint[:12]}"
    assert payload["max_tokens"] == MAX_NEW_TOKENS
    assert payload["temperature"] == 0


def test_lengths_are_counted_by_the_policys_tokenizer(policy: Path, server: _ChatServer) -> None:
    """An image of 30 x 40 pixels is a token of 28 x 28."""
    response, short = _run(policy, server.url, [_ASKED[0], question("s", "7", _IMAGES[0])]).responses
    tokenizer = AutoTokenizer.from_pretrained(policy)

    assert response.prompt == json.dumps([{"role": "user", "content": "<image>What is 0?"}])
    assert response.prompt_tokens == len(tokenizer("What is 0?")["input_ids"]) + 1
    assert response.length_tokens == len(tokenizer("[30x40]What is 0?")["input_ids"]) >= MAX_NEW_TOKENS
    assert response.truncated  # as far as the count can tell
    assert not short.truncated


def test_images_are_no_larger_than_the_policys_bound(policy: Path, server: _ChatServer) -> None:
    (response,) = _run(policy, server.url, [question("large", "?", png((448, 448), 1))]).responses

    assert MAX_PIXELS == 224 * 224
    assert response.text == "[224x224]?"


def test_refused_request_costs_its_question_alone(policy: Path, server: _ChatServer) -> None:
    asked = [*_ASKED[:2], question("bad", "400", _IMAGES[2]), question("worse", "500", _IMAGES[2]), *_ASKED[3:5]]

    found = _run(policy, server.url, asked)

    assert [response.flags for response in found.responses] == [(), (), (NOT_GENERATED,), (NOT_GENERATED,), (), ()]
    assert "400" in found.responses[2].problem
    assert "500" in found.responses[3].problem


def test_response_without_content_is_an_empty_one(policy: Path, server: _ChatServer) -> None:
    (response,) = _run(policy, server.url, [question("silent", "silent", _IMAGES[0])]).responses

    assert (response.text, response.flags, response.length_tokens) == ("", (), 0)


def test_broken_image_is_not_sent(policy: Path, server: _ChatServer) -> None:
    found = _run(policy, server.url, [_ASKED[0], question("broken", "?", b"no image")])

    assert [response.missing for response in found.responses] == [False, True]
    assert len(server.payloads) == 1


def test_journal_keeps_what_the_server_said(policy: Path, server: _ChatServer, tmp_path: Path) -> None:
    first = _run(policy, server.url, _ASKED, tmp_path)
    second = _run(policy, server.url, _ASKED, tmp_path)

    assert second.responses == first.responses
    assert second.cost.from_journal == len(_ASKED) == len(server.payloads)


@pytest.mark.parametrize("concurrent", [1, 3])
def test_server_that_refuses_all_ends_the_run(policy: Path, server: _ChatServer, concurrent: int) -> None:
    with pytest.raises(ModelError, match=r"refuses all requests .*401.*OPENAI_API_KEY"):
        _run(policy, server.url, [question("q", "401", _IMAGES[0])], num_concurrent=concurrent)


@pytest.mark.parametrize("concurrent", [1, 3])
def test_server_out_of_reach_ends_the_run(policy: Path, concurrent: int) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1/chat/completions"
    with pytest.raises(ModelError, match=rf"{url}: the server is out of reach"):
        _run(policy, url, _ASKED, num_concurrent=concurrent)


def test_address_is_asked_for(policy: Path) -> None:
    with pytest.raises(RecipeError, match=r"evaluation\.runner\.arguments\.base_url: missing"):
        Runner(policy, EvaluationConfig(runner=RunnerConfig(kind="local-chat-completions")))


def test_name_that_would_ask_every_policy_as_one_model_is_refused(policy: Path, server: _ChatServer) -> None:
    with pytest.raises(RecipeError, match="'the-policy' names one model, and all policies would be asked as it"):
        _run(policy, server.url, _ASKED[:1], model="the-policy")
    assert server.payloads == []
