import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.curation.candidate import Rejection
from components.curation.personal_data import PersonalDataConfig, PersonalDataStep, masked, personal_data
from tests.curation.candidates import candidate, choice

SAMPLES = {
    "email": ["jane.doe+x@mail.example.co.uk", "a@b.io"],
    "phone": ["+44 20 7946 0958", "(212) 555-0199", "212-555-0199", "1-212-555-0199", "+1 (212) 555-0199"],
    "card": ["4111 1111 1111 1111", "5500-0000-0000-0004", "340000000000009"],
    "iban": ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000"],
    "ip": ["8.8.8.8", "192.168.1.17", "2001:db8::8a2e:370:7334"],
    "national id": ["123-45-6789", "11010519491231002X", "529.982.247-25", "12345678Z", "AB 12 34 56 C",
        "RSSMRA85T10A562S"],
}  # fmt: skip
CLEAN = [
    "4111 1111 1111 1112", "GB82 WEST 1234 5698 7654 33", "version 1.2.3", "999.1.1.1", "000-12-3456",
    "110105194912310021",
    "529.982.247-26", "12345678A", "x + 1234567890 = 3", "5 +1234 567 8910", "(a) +1234 567 8910", "1,234,567,890",
    "12:30:45", "3.14159265358979323846", "{1, 2, 3, 4}", "2 3 5 7 11 13 17 19 23", "100-200-3000", "::",
    "f @ x", "127.0.0.1",
    "a 2024-11-24 b", "1234 5678", "1111 1111 1111 1111",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in SAMPLES.items() for text in texts])
def test_personal_data_is_found_whole(kind: str, text: str) -> None:
    found = personal_data(f"Who is {text}, please?")
    assert [(item.kind, item.start, item.end) for item in found] == [(kind, 7, 7 + len(text))]
    assert masked(f"Who is {text}, please?") == f"Who is [{kind}], please?"


@pytest.mark.parametrize("text", CLEAN)
def test_personal_data_numbers_and_broken_checks_are_none(text: str) -> None:
    assert personal_data(text) == []


def test_personal_data_only_the_kinds_asked_for_are_found() -> None:
    assert masked("a@b.io 8.8.8.8", ["ip"]) == "a@b.io [ip]"


pieces = st.sampled_from([text for texts in SAMPLES.values() for text in texts] + CLEAN)


@given(st.lists(pieces | st.text(alphabet="0123456789+-() .@aZ:", max_size=8), max_size=8).map("".join))
def test_personal_data_masking_leaves_no_match(text: str) -> None:
    clean = masked(text)
    assert personal_data(clean) == []
    assert masked(clean) == clean


def test_step_masks_every_text_and_keeps_the_answer() -> None:
    row = choice(
        "A", ["mail a@b.io", "none"], question="Whose is a@b.io?", metadata={"by": "c@d.org"}, facts=["8.8.8.8"]
    )
    found = PersonalDataStep()(row)
    assert (found.example.question, found.example.choices) == ("Whose is [email]?", ("mail [email]", "none"))
    assert (found.metadata, found.example.facts) == ({"by": "[email]"}, ("[ip]",))
    assert found.flags == ("pii: email masked in the text", "pii: ip masked in the text")
    assert found.example.id != row.example.id


def test_step_rejects_answers_by_kind_and_never_shows_them() -> None:
    with pytest.raises(Rejection) as caught:
        PersonalDataStep()(candidate("(212) 555-0199", "Which number is on the sign?"))
    assert (caught.value.reason, caught.value.evidence) == ("personal data in the answer", "phone")


def test_step_rejects_texts_where_asked() -> None:
    with pytest.raises(Rejection) as caught:
        PersonalDataStep(PersonalDataConfig(texts="reject"))(candidate(question="Whose is a@b.io?"))
    assert (caught.value.reason, caught.value.evidence) == ("personal data in the text", "email")


def test_step_flags_or_ignores_where_asked() -> None:
    row = candidate("a@b.io", question="Whose is a@b.io?")
    flagged = PersonalDataStep(PersonalDataConfig(texts="flag", answers="flag"))(row)
    assert (flagged.example, flagged.flags) == (row.example, ("pii: email in the answer", "pii: email in the text"))
    assert PersonalDataStep(PersonalDataConfig(texts="ignore", answers="ignore"))(row) == row
    assert PersonalDataStep(PersonalDataConfig(enabled=False))(row) == row
