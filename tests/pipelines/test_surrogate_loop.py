"""The commands of the surrogate's loop, with a surrogate that goes by shared words."""

import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from components.core.errors import RecipeError, SourceError, StorageError
from components.rewards.estimate import Estimate, Neighbour
from components.surrogate.rows import AnswerRow, read_rows, write_rows
from pipelines.surrogate_loop import add_commands, load_teacher_config

_TEACHERS = sorted((Path(__file__).parents[2] / "pipelines" / "teachers").glob("*.yaml"))


class WordShare:
    """Scores an answer by the share of the reference's words that it has, raised to a power."""

    def __init__(self, power: float) -> None:
        self._power = power

    def estimate(
        self,
        questions: Sequence[str],
        answers: Sequence[str],
        references: Sequence[Sequence[str]],
        neighbours: int = 0,
    ) -> list[Estimate]:
        assert len(questions) == len(answers)
        scores = [
            (len(set(answer.split()) & set(texts[0].split())) / len(set(texts[0].split()))) ** self._power
            for answer, texts in zip(answers, references, strict=True)
        ]
        near = tuple(Neighbour("q", "a", 1.0, 0.5) for _ in range(neighbours))
        return [Estimate(score, max(0, score - 0.1), min(1, score + 0.1), "", near) for score in scores]


def run(*arguments: object) -> Result:
    app = typer.Typer()
    add_commands(app, lambda name: WordShare(float(name)))
    return CliRunner().invoke(app, list(map(str, arguments)))


def rows(path: Path) -> Path:
    """Four candidates and an annotated row that one of them nearly repeats."""
    reference = ("red house on green hill",)
    answers = ["red house near blue sea", "it is a boat", "red house on green hill", "a red house on green hill !"]
    candidates = [AnswerRow("q", reference, answer, None, "q") for answer in answers]
    write_rows([*candidates, AnswerRow("q", reference, "Red house on green hill.", 1.0, "q")], path)
    return path


def test_rows_are_picked_annotated_and_read_back(tmp_path: Path) -> None:
    source = rows(tmp_path / "rows.jsonl")

    picked = run("pick", source, "--surrogate", 1, "--committee", 3, "--budget", 1, "--output", tmp_path / "pick.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "pick.jsonl").read_text().splitlines()]
    (tmp_path / "done.jsonl").write_text("\n".join(json.dumps({**line, "label": 0}) for line in lines))
    annotated = run("annotate", tmp_path / "done.jsonl", "--output", tmp_path / "new.jsonl")

    assert picked.exit_code == annotated.exit_code == 0, picked.output
    assert [line["answer"] for line in lines] == ["red house near blue sea"]
    assert "1 of 4 rows picked" in picked.output
    assert "nearly the same as a row that is annotated already" in picked.output
    assert [(row.answer, row.score) for row in read_rows(tmp_path / "new.jsonl").rows] == [
        ("red house near blue sea", 0.0)
    ]


def test_nothing_to_pick_or_to_take_is_a_named_error(tmp_path: Path) -> None:
    write_rows([AnswerRow("q", ("r",), "a", 1.0, "q")], tmp_path / "rows.jsonl")
    write_rows([AnswerRow("q", ("r",), "a", None, "q")], tmp_path / "blank.jsonl")
    (tmp_path / "bad.jsonl").write_text("no json\n")

    pick = ("--surrogate", 1, "--budget", 1, "--output", tmp_path / "out.csv")
    for arguments, error, message in (
        (("pick", tmp_path / "rows.jsonl", *pick), SourceError, "every row has a score"),
        (("pick", tmp_path / "bad.jsonl", *pick), SourceError, "1 lines are bad"),
        (("annotate", tmp_path / "blank.jsonl", "-o", tmp_path / "out"), SourceError, "none of its 1 rows"),
        (("annotate", tmp_path / "blank.jsonl", "-o", tmp_path / "no" / "out"), StorageError, "there is no folder"),
    ):
        result = run(*arguments)
        assert isinstance(result.exception, error)
        assert message in str(result.exception)
        assert not (tmp_path / "out.csv").exists()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.loads(payload["messages"][1]["content"])["answer"]
        self.server.asked.append(answer)  # type: ignore[attr-defined]
        content = "none" if "boat" in answer else str(min(10, 2 * len(answer.split())))
        body = json.dumps({"choices": [{"message": {"content": content}, "finish_reason": "stop"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_judge_scores_rows_and_a_second_run_asks_nothing(tmp_path: Path, server: ThreadingHTTPServer) -> None:
    source = rows(tmp_path / "rows.jsonl")
    settings = {"judge": {"base_url": f"http://127.0.0.1:{server.server_port}/v1", "model": "grader"}}
    (tmp_path / "teacher.yaml").write_text(yaml.safe_dump(settings))
    command = ("distil", source, "--teacher", tmp_path / "teacher.yaml", "--output", tmp_path / "taught.jsonl")

    first, second = run(*command), run(*command)

    assert first.exit_code == second.exit_code == 0, first.output
    assert first.output == second.output
    assert "4 rows scored, 1 without a score" in first.output
    assert "row 2: the judge's reply 'none'" in first.output
    assert "agreement on 1 rows: Spearman none, pairwise none, AUC none, mean difference 0.000" in first.output
    taught = read_rows(tmp_path / "taught.jsonl").rows
    assert [(row.score, row.kind) for row in taught] == [(1.0, "teacher")] * 4
    assert len(server.asked) == 5  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", _TEACHERS, ids=lambda path: path.stem)
def test_every_shipped_teacher_is_valid(path: Path) -> None:
    config = load_teacher_config(path.stem)

    assert (config.judge is None) != (config.reward_model is None)
    assert config.reward_model is None or not config.reward_model.trust_remote_code


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("judge: {model: m}\nreward_model: {model: m}", "give either judge or reward_model"),
        ("{}", "give either judge or reward_model"),
        ("judge: {modl: m}", "did you mean 'model'"),
        ("judge: {model: m, base_url: 'file:///etc/passwd'}", "base_url"),
        ("judge: {model: m, base_url: 'http://user:word@host/v1'}", "base_url"),
        ("[1]", "holds list"),
        ("a: [", "not YAML"),
    ],
)
def test_wrong_teacher_is_refused_by_name(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "teacher.yaml").write_text(content)

    with pytest.raises(RecipeError, match=message):
        load_teacher_config(str(tmp_path / "teacher.yaml"))


def test_unknown_teacher_is_named_beside_those_that_there_are() -> None:
    with pytest.raises(RecipeError, match="judge, skywork_vl_reward_7b"):
        load_teacher_config("nobody")
