import base64
import io
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from PIL import Image

from components.core.chat import ChatServerConfig
from components.core.errors import ModelError
from components.core.policy import Policy
from components.curation.asking import Ask, AskingConfig, Generation, Refusal
from components.curation.server_sampler import ServerSampler
from tests.curation.worthy import picture

Reply = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]
POLICY = Policy("Well? {question}", 33, 784)


class PolicyServer(ThreadingHTTPServer):
    """Replies as a function of the request."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply = reply
        self.asked: list[dict[str, Any]] = []
        self.lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    server: PolicyServer

    def do_POST(self) -> None:
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.asked.append(payload)
        status, content = self.server.reply(payload)
        body = json.dumps(content).encode()
        self.send_response(status if self.path == "/v1/chat/completions" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Reply], PolicyServer]]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    servers = []

    def start(reply: Reply) -> PolicyServer:
        servers.append(PolicyServer(reply))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


Serve = Callable[[Reply], PolicyServer]


def sampler(server: PolicyServer, **others: Any) -> ServerSampler:
    url = f"http://127.0.0.1:{server.server_port}/v1"
    quick = {"backoff_seconds": 0.001, "max_backoff_seconds": 0.01, "attempts": 2, "give_up_after": 3, **others}
    return ServerSampler(ChatServerConfig(base_url=url, model="tiny", **quick), POLICY, AskingConfig(temperature=0.7))


def choices(payload: dict[str, Any], count: int | None = None) -> tuple[int, dict[str, Any]]:
    """Texts that name the seed and the number of a choice."""
    texts = [f"{payload['seed']}/{number}" for number in range(count or payload["n"])]
    return 200, {"choices": [{"message": {"content": text}, "finish_reason": "stop"} for text in texts]}


def ask(id_: str, *seeds: int, images: tuple[bytes, ...] = ()) -> Ask:
    return Ask(id_, f"What is {id_}?", images, seeds)


def test_one_request_asks_for_all_generations_of_an_example(serve: Serve) -> None:
    server = serve(choices)
    found = dict(sampler(server).sample([ask("a", 5, 6, 7), ask("b", 2**31 + 8, 9)]))

    assert {key.id: [item.text for item in answer] for key, answer in found.items()} == {  # type: ignore[union-attr]
        "a": ["5/0", "5/1", "5/2"],
        "b": ["8/0", "8/1"],
    }
    assert sorted(payload["n"] for payload in server.asked) == [2, 3]


def test_request_has_the_policys_prompt_images_and_sampling(serve: Serve) -> None:
    server = serve(choices)
    small, large = picture(3), picture(4, (280, 70))
    list(sampler(server).sample([ask("a", 1, images=(small, large))]))
    sent = server.asked[0]
    first, second, text = sent["messages"][0]["content"]
    data = [base64.b64decode(block["image_url"]["url"].split(",")[1]) for block in (first, second)]

    assert {key: sent[key] for key in ("model", "temperature", "top_p", "max_tokens", "seed")} == {
        "model": "tiny", "temperature": 0.7, "top_p": 1.0, "max_tokens": 33, "seed": 1,
    }  # fmt: skip
    assert text == {"type": "text", "text": "Well? What is a?"}
    assert data[0] == small
    assert Image.open(io.BytesIO(data[1])).size == (56, 14)


def test_blind_request_is_the_same_without_images(serve: Serve) -> None:
    server = serve(choices)
    list(sampler(server).sample([ask("a", 1)]))

    assert server.asked[0]["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Well? What is a?"}]}]


def test_server_that_gives_one_choice_a_request_is_asked_again_with_the_next_seed(serve: Serve) -> None:
    server = serve(lambda payload: choices(payload, 1))
    found = dict(sampler(server).sample([ask("a", 5, 6, 7)]))

    assert [item.text for answer in found.values() for item in answer] == ["5/0", "6/0", "7/0"]  # type: ignore[union-attr]


def test_generation_that_was_cut_says_so(serve: Serve) -> None:
    body = {"choices": [{"message": {"content": "well"}, "finish_reason": "length"}]}
    found = dict(sampler(serve(lambda _: (200, body))).sample([ask("a", 5)]))

    assert list(found.values()) == [[Generation("well", cut=True)]]


def test_refused_request_and_broken_image_cost_their_own_example_alone(serve: Serve) -> None:
    def reply(payload: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        long = "long" in payload["messages"][0]["content"][-1]["text"]
        return (400, {"error": "the prompt is too long"}) if long else choices(payload)

    asked = [ask("a", 1), ask("long", 2), ask("broken", 3, images=(b"no image",))]
    found = {key.id: answer for key, answer in sampler(serve(reply)).sample(asked)}

    assert found["a"] == [Generation("1/0", cut=False)]
    assert isinstance(found["long"], Refusal)
    assert "too long" in found["long"].reason
    assert isinstance(found["broken"], Refusal)


def test_server_that_stops_answering_ends_the_run_and_no_example_is_blamed(serve: Serve) -> None:
    def reply(payload: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return choices(payload) if payload["seed"] < 4 else (503, {"error": "down"})

    answers = sampler(serve(reply), concurrency=1).sample([ask(str(seed), seed) for seed in range(20)])
    found = [next(answers) for _ in range(4)]
    with pytest.raises(ModelError, match=r"it has stopped answering \(HTTP 503"):
        next(answers)

    assert [key.id for key, _ in found] == ["0", "1", "2", "3"]
    assert not any(isinstance(answer, Refusal) for _, answer in found)


def test_wrong_key_ends_the_run(serve: Serve) -> None:
    with pytest.raises(ModelError, match=r"base policy tiny at .*HTTP 401"):
        list(sampler(serve(lambda _: (401, {"error": "no such key"}))).sample([ask("a", 1)]))
