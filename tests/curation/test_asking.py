import json
from pathlib import Path

import pytest

from components.core.errors import ModelError, StorageError
from components.core.reply_journal import ReplyJournal
from components.curation.asking import Asker, AskingConfig, Generation, Refusal
from components.curation.worth_config import WorthConfig
from tests.curation.worthy import KnownPolicy, example

EXAMPLES = [example(f"{number:03}") for number in range(20)]
RATES = {item.id: number % 9 for number, item in enumerate(EXAMPLES)}


def texts(answers: list[object]) -> list[list[str]]:
    return [[item.text for item in answer] for answer in answers]  # type: ignore[attr-defined]


def ask(
    policy: KnownPolicy, journal: Path | None, count: int = 8, seed: int = 0, identity: str = "a", view: str = "sighted"
) -> tuple[list[object], Asker]:
    with ReplyJournal(journal) as open_:
        asker = Asker(policy, open_, {"policy": identity}, seed)
        return list(asker.ask(EXAMPLES, count, view)), asker  # type: ignore[arg-type]


def test_answers_come_back_in_the_order_of_the_examples_whatever_the_policy_does() -> None:
    answers, asker = ask(KnownPolicy(RATES), None)

    assert [sum("7" in text for text in item) for item in texts(answers)] == list(RATES.values())
    assert (asker.cost.generated, asker.cost.found) == (160, 0)


def test_killed_run_goes_on_behind_the_last_example_that_was_answered(tmp_path: Path) -> None:
    dying = KnownPolicy(RATES, die_after=7)
    with pytest.raises(KeyboardInterrupt):
        ask(dying, tmp_path / "journal")
    second = KnownPolicy(RATES)
    answers, asker = ask(second, tmp_path / "journal")

    assert len(second.asked) == 13
    assert {id_ for id_, _, _ in dying.asked} & {id_ for id_, _, _ in second.asked} == set()
    assert (asker.cost.generated, asker.cost.found) == (13 * 8, 7 * 8)
    assert texts(answers) == texts(ask(KnownPolicy(RATES), None)[0])


def test_line_that_a_kill_has_cut_is_asked_again(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    ask(KnownPolicy(RATES), journal)
    journal.write_bytes(journal.read_bytes()[:-9])
    second = KnownPolicy(RATES)
    ask(second, journal)

    assert len(second.asked) == 1
    assert all(json.loads(line) for line in journal.read_text().splitlines())


def test_more_generations_ask_for_the_missing_ones_alone(tmp_path: Path) -> None:
    ask(KnownPolicy(RATES), tmp_path / "journal", count=8)
    second = KnownPolicy(RATES)
    answers, _ = ask(second, tmp_path / "journal", count=12)
    third = KnownPolicy(RATES)
    fewer, _ = ask(third, tmp_path / "journal", count=5)

    assert {count for _, count, _ in second.asked} == {4}
    assert {len(answer) for answer in texts(answers)} == {12}
    assert third.asked == []
    assert [answer[:5] for answer in texts(answers)] == texts(fewer)


@pytest.mark.parametrize("other", [{"seed": 1}, {"identity": "b"}, {"view": "blind"}])
def test_generations_of_another_seed_policy_or_view_are_not_reused(tmp_path: Path, other: dict[str, object]) -> None:
    ask(KnownPolicy(RATES), tmp_path / "journal")
    second = KnownPolicy(RATES)
    ask(second, tmp_path / "journal", **other)  # type: ignore[arg-type]

    assert len(second.asked) == 20


def test_blind_policy_is_shown_no_image_and_asked_the_same_otherwise() -> None:
    seen = []

    class Watching(KnownPolicy):
        def sample(self, asks):  # type: ignore[no-untyped-def]
            seen.extend(asks)
            return super().sample(asks)

    ask(Watching(RATES), None, view="sighted")
    ask(Watching(RATES), None, view="blind")
    sighted, blind = seen[:20], seen[20:]

    assert all(item.images for item in sighted)
    assert not any(item.images for item in blind)
    assert [item.question for item in sighted] == [item.question for item in blind]
    assert not {seed for item in sighted for seed in item.seeds} & {seed for item in blind for seed in item.seeds}


def test_seeds_are_different_for_each_generation_and_equal_from_run_to_run() -> None:
    seeds = []

    class Watching(KnownPolicy):
        def sample(self, asks):  # type: ignore[no-untyped-def]
            seeds.append({item.id: item.seeds for item in asks})
            return super().sample(asks)

    ask(Watching(RATES), None)
    ask(Watching(RATES), None)

    assert seeds[0] == seeds[1]
    assert len({seed for item in seeds[0].values() for seed in item}) == 160
    assert all(0 <= seed < 2**127 for item in seeds[0].values() for seed in item)


def test_refused_example_is_counted_and_tried_again_by_the_next_run(tmp_path: Path) -> None:
    answers, asker = ask(KnownPolicy({**RATES, "004": -1}), tmp_path / "journal")
    second = KnownPolicy(RATES)
    ask(second, tmp_path / "journal")

    assert [type(answer) is Refusal for answer in answers].count(True) == 1
    assert (asker.cost.refused, asker.cost.first_refusal) == (1, "004: it cannot be read")
    assert [id_ for id_, _, _ in second.asked] == ["004"]


def test_policy_that_never_answers_ends_the_run() -> None:
    examples = [example(f"{number:03}") for number in range(40)]
    with ReplyJournal(None) as journal, pytest.raises(ModelError, match=r"first 32 examples \(039: it cannot be read"):
        Asker(KnownPolicy({item.id: -1 for item in examples}), journal, {}, 0).ask(examples, 2, "sighted")


def test_second_run_on_the_same_journal_is_refused(tmp_path: Path) -> None:
    with ReplyJournal(tmp_path / "journal"), pytest.raises(StorageError, match="another process is writing to it"):
        ask(KnownPolicy(RATES), tmp_path / "journal")


def test_cut_generations_are_counted() -> None:
    class Rambling(KnownPolicy):
        def sample(self, asks):  # type: ignore[no-untyped-def]
            for item in asks:
                yield item, [Generation("well", cut=True) for _ in item.seeds]

    _, asker = ask(Rambling({}), None)

    assert asker.cost.cut == 160


def test_settings_hold_no_null_which_a_pipelines_parameters_cannot_carry() -> None:
    assert "null" not in WorthConfig().model_dump_json()


def test_identity_names_what_decides_a_generation_and_not_how_fast_it_comes() -> None:
    server = {"model": "m", "base_url": "http://a/v1"}
    here, there, other = (
        AskingConfig.model_validate({"server": {**server, **values}, "batch_size": size})
        for values, size in (({}, 8), ({"base_url": "http://b/v1", "concurrency": 3}, 9), ({"model": "n"}, 8))
    )

    assert here.identity() == there.identity() != other.identity()
    assert here.sampling() == there.sampling() != other.sampling()
    assert AskingConfig(temperature=0.5).identity() != AskingConfig().identity()
