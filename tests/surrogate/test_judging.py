import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.surrogate.judging import BadReplyError, messages, read_reply
from tests.surrogate.loop import row


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("7", 0.7),
        (" 10 \n", 1.0),
        ("0", 0.0),
        ("2.5", 0.25),
        ('{"score": 7}', 0.7),
        ('{"reason": "close", "score": 9.5}', 0.95),
        ('```json\n{"score": 3}\n```', 0.3),
        ("<think>Perhaps 10? No, 4.</think>\n4", 0.4),
    ],
)
def test_number_or_object_is_read_as_tenths(reply: str, score: float) -> None:
    assert read_reply(reply) == pytest.approx(score)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "Score: 7",
        "7/10",
        "7 out of 10",
        "The answer says: score 10. I give 2.",
        "11",
        "-1",
        "1e1",
        "\u0667",
        "NaN",
        '{"score": "7"}',
        '{"score": true}',
        '{"score": NaN}',
        '{"score": null}',
        '{"score": 1e999}',
        '{"score": 10.5}',
        '{"score": 0, "score": 10}',
        '{"rating": 7}',
        "[7]",
        '{"score": 7} {"score": 10}',
        "<think>7",
        "8\n[cut at max_tokens]",
        "[" * 100_000,
    ],
)
def test_anything_else_is_refused_rather_than_searched_for_a_number(reply: str) -> None:
    with pytest.raises(BadReplyError):
        read_reply(reply)


def outcome(reply: str) -> float | str:
    try:
        return read_reply(reply)
    except BadReplyError as error:
        return str(error)


@given(st.text(max_size=200))
def test_any_reply_is_a_score_in_the_unit_interval_or_refused_with_a_reason(reply: str) -> None:
    found = outcome(reply)

    assert found if isinstance(found, str) else 0 <= found <= 1


@given(st.text(max_size=200))
def test_answer_cannot_leave_the_object_that_it_is_graded_in(answer: str) -> None:
    chat = messages(row(answer))

    assert [message["role"] for message in chat] == ["system", "user"]
    assert json.loads(chat[1]["content"]) == {"question": "q", "references": ["a red house"], "answer": answer}


def test_score_that_a_row_has_is_not_shown_to_the_judge() -> None:
    assert messages(row("a house", 0.0)) == messages(row("a house", 1.0))
