from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from components.core.artifact import verify
from components.core.errors import ModelError
from components.core.policy import Policy
from components.core.reply_journal import ReplyJournal
from components.curation.asking import Ask, AskingConfig, Generation, Refusal
from components.curation.base_policy import find_base_policy
from components.curation.policy_sampler import PolicySampler, draw, inverse_sample
from components.curation.worth import measure_worth
from components.curation.worth_config import WorthConfig
from components.rewards.config import RewardsConfig
from components.training.config import TinyPolicyConfig
from components.training.tiny_policy import build_model, build_processor, build_tokenizer
from tests.curation.worthy import example, inputs, outputs, picture, write_dataset

BUILTIN = Path(__file__).parents[2] / "components" / "surrogate" / "builtin"
MAX_PIXELS = 56 * 56


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen2.5-VL of one narrow layer with random weights, whose own settings would sample otherwise."""
    from components.core.artifact import seal

    folder = tmp_path_factory.mktemp("policy")
    tokenizer = build_tokenizer(["What is the sum of the two digits?", "<think>3 + 4 = 7</think>"] * 3, 320)
    config = TinyPolicyConfig(hidden_size=32, head_size=16, layers=1, initializer_range=0.3)
    model = build_model(config, tokenizer, 0)
    with torch.no_grad():  # so that generations end now and then
        model.get_input_embeddings().weight[tokenizer.eos_token_id] *= 3
    model.generation_config.repetition_penalty = 5.0
    model.save_pretrained(folder)
    build_processor(tokenizer, MAX_PIXELS).save_pretrained(folder)
    Policy("Well? {question}", 12, MAX_PIXELS).save(folder)
    seal(folder, "policy", {})
    return folder


def asks(count: int, generations: int = 3, blind: bool = False) -> list[Ask]:
    """Questions of several lengths about one or two pictures of several sizes."""

    def pictures(number: int) -> tuple[bytes, ...]:
        return tuple(picture(7 * number + place, (28 + 9 * number, 40)) for place in range(1 + number % 2))

    return [
        Ask(
            f"a{number}",
            f"What is {'very ' * (number % 4)}{number}?",
            () if blind else pictures(number),
            tuple(1000 * number + place for place in range(generations)),
        )
        for number in range(count)
    ]


def sample(folder: Path, asked: Sequence[Ask], **settings: object) -> dict[str, Sequence[Generation] | Refusal]:
    config = AskingConfig.model_validate(settings)
    base = find_base_policy(config, folder)
    answers = PolicySampler(folder, base.policy, config).sample(asked)
    found = [(ask.id, answer) for ask, answer in answers]
    assert len(dict(found)) == len(found) == len(asked)
    return dict(found)


@pytest.mark.slow
@pytest.mark.parametrize("blind", [False, True])
def test_generations_depend_neither_on_the_batch_nor_on_the_order(policy: Path, blind: bool) -> None:
    asked = asks(8, blind=blind)
    whole = sample(policy, asked, batch_size=24)

    assert sample(policy, list(reversed(asked)), batch_size=24) == whole
    assert sample(policy, asked, batch_size=5) == whole
    assert sample(policy, asked, batch_size=1) == whole
    assert {**sample(policy, asked[:3], batch_size=4), **sample(policy, asked[3:], batch_size=4)} == whole
    texts = [item.text for answer in whole.values() for item in answer]  # type: ignore[union-attr]
    assert len(set(texts)) > 20


@pytest.mark.slow
def test_generations_are_cut_at_the_longest_length_and_longer_ones_begin_alike(policy: Path) -> None:
    short, long = (sample(policy, asks(6), max_tokens=tokens) for tokens in (4, 12))
    pairs = [
        (one, other)
        for id_ in short
        for one, other in zip(short[id_], long[id_], strict=True)  # type: ignore[arg-type]
    ]

    assert any(one.cut and not other.cut for one, other in pairs)
    assert all(other.text.startswith(one.text.rstrip("\ufffd")) for one, other in pairs)
    assert all(one == other for one, other in pairs if not one.cut)


@pytest.mark.slow
def test_first_token_is_drawn_from_the_policys_own_distribution(policy: Path) -> None:
    """The oracle is the model's softmax, read by one plain forward pass; its repetition penalty must not count."""
    from transformers import AutoModelForImageTextToText, AutoProcessor

    count = 1200
    asked = [Ask("a", "Why?", (), tuple(range(count)))]
    found = sample(policy, asked, max_tokens=1, batch_size=400, temperature=2.0)["a"]
    assert not isinstance(found, Refusal)

    processor = AutoProcessor.from_pretrained(policy)
    model = AutoModelForImageTextToText.from_pretrained(policy, dtype=torch.float32).eval()
    chat = Policy.load(policy).conversation("Why?", 0)
    prompt = processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    with torch.inference_mode():
        logits = model(**processor(text=[prompt], return_tensors="pt")).logits[0, -1]
    probabilities = torch.softmax(logits.double() / 2.0, -1)
    expected: dict[str, float] = {}
    for id_, probability in enumerate(probabilities.tolist()):
        text = (
            ""
            if id_ == processor.tokenizer.eos_token_id
            else processor.tokenizer.decode([id_], skip_special_tokens=True)
        )
        expected[text] = expected.get(text, 0.0) + probability * count
    common = [text for text, times in expected.items() if times >= 5]
    observed = [sum(item.text == text for item in found) for text in common]
    rest = count - sum(observed), count - sum(expected[text] for text in common)

    assert len(common) > 10
    assert chisquare([*observed, rest[0]], [*(expected[text] for text in common), rest[1]]).pvalue > 1e-3


@pytest.mark.slow
def test_broken_image_costs_its_own_example_alone(policy: Path) -> None:
    broken = Ask("broken", "What?", (b"no image",), (1, 2))
    found = sample(policy, [*asks(4), broken], batch_size=64)
    whole = sample(policy, asks(4), batch_size=64)

    assert isinstance(found.pop("broken"), Refusal)
    assert found == whole


@pytest.mark.slow
def test_full_memory_halves_the_batch_and_loses_nothing(policy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sample(policy, asks(6))
    generate, sizes = PolicySampler._generate, []

    def small_memory(self: PolicySampler, batch: list[object]) -> list[Generation]:
        sizes.append(len(batch))
        if len(batch) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return generate(self, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(PolicySampler, "_generate", small_memory)

    assert sample(policy, asks(6), batch_size=16) == whole
    assert sizes[:3] == [16, 8, 4]
    assert max(sizes[2:]) == 4


@pytest.mark.slow
def test_device_that_is_gone_ends_the_run(policy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_self: PolicySampler, _batch: list[object]) -> list[Generation]:
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(PolicySampler, "_generate", gone)
    with pytest.raises(ModelError, match=r"it is gone .*device-side assert"):
        sample(policy, asks(2))


@pytest.mark.slow
def test_tiny_policy_measures_a_dataset_and_a_rerun_takes_all_from_the_journal(policy: Path, tmp_path: Path) -> None:
    train = [example(f"e{number}", images=(picture(number, (56, 56)),)) for number in range(6)]
    dataset = write_dataset(tmp_path / "dataset", train, [example("h")])
    values = {"difficulty": {"enabled": True, "generations": 4, "outside": "record"}, "blind": {"enabled": True}}
    config = WorthConfig.of_curation(values)
    results = [
        measure_worth(inputs(dataset, policy), outputs(tmp_path / name), config, RewardsConfig(), 0, tmp_path / "work")
        for name in ("first", "second")
    ]

    assert [result.metrics["generated"] for result in results] == [6 * 4 + 6 * 8, 0]
    assert results[0].dataset.fingerprint == results[1].dataset.fingerprint
    assert results[0].dataset.inputs["base"] == verify(policy).reference()
    assert results[0].summary["worth"]["difficulty"]["measured"] == 6


@pytest.mark.slow
def test_component_reads_the_recipe_and_leaves_artifacts_and_metrics(policy: Path, tmp_path: Path) -> None:
    from components.curation.component import measure_difficulty

    train = [example(f"e{number}", images=(picture(number, (56, 56)),)) for number in range(3)]
    folder = write_dataset(tmp_path / "dataset", train, [example("h")])
    ports = {
        name: SimpleNamespace(path=str(path), metadata={})
        for name, path in {
            "dataset": folder, "base_policy": policy, "surrogate_model": BUILTIN,
            "measured": tmp_path / "step" / "measured", "quarantine": tmp_path / "step" / "quarantine",
        }.items()
    }  # fmt: skip
    logged: dict[str, float] = {}
    metrics = SimpleNamespace(path=str(tmp_path / "step" / "metrics"), log_metric=logged.__setitem__)
    curation = {"sources": [], "difficulty": {"enabled": True, "generations": 2.0, "k": 2.0, "outside": "record"}}
    measure_difficulty.python_func(**ports, metrics=metrics, curation=curation, rewards={}, seed=0)
    manifest = verify(tmp_path / "step" / "measured", "dataset")

    assert set(manifest.inputs) == {"dataset", "base", "surrogate"}
    assert ports["measured"].metadata["harmo_fingerprint"] == manifest.fingerprint
    assert (logged["generated"], logged["difficulty_measured"], logged["rows_kept"]) == (6.0, 3.0, 4.0)


def test_policy_of_a_folder_without_its_own_settings_is_asked_as_the_recipe_says(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"a")
    values = {"policy": str(tmp_path), "template": "Q: {question}", "max_tokens": 99, "dtype": "float32"}
    found = find_base_policy(AskingConfig.model_validate(values), None)
    (tmp_path / "weights.bin").write_bytes(b"b")
    changed = find_base_policy(AskingConfig.model_validate(values), None)

    assert found.policy == Policy("Q: {question}", 99, 1003520, dtype="float32")
    assert found.reference != changed.reference


def test_policy_behind_a_server_is_not_looked_for_on_the_hub() -> None:
    values = {"policy": "no/such-model", "server": {"model": "served"}}
    config = AskingConfig.model_validate(values)

    assert find_base_policy(config, None).policy.max_completion_length == 2048


def test_policy_is_not_loaded_where_the_journal_has_every_answer(policy: Path) -> None:
    with ReplyJournal(None) as journal:
        asker = find_base_policy(AskingConfig(), policy).asker(AskingConfig(), journal, 0)
        assert asker.ask([], 8, "sighted") == []


@given(st.lists(st.integers(0, 2**127 - 1), min_size=1, max_size=5), st.integers(1, 20))
def test_streams_are_their_seeds_alone_and_longer_ones_begin_alike(seeds: list[int], length: int) -> None:
    together = draw(seeds, length)

    assert together == [draw([seed], length + 3)[0][:length] for seed in seeds]
    assert all(0 <= number < 1 for row in together for number in row)


@given(
    st.lists(st.one_of(st.floats(-50, 50), st.just(-float("inf"))), min_size=1, max_size=40),
    st.floats(0, 1, exclude_max=True),
)
def test_inverse_sample_gives_the_token_whose_interval_holds_the_number(logits: list[float], number: float) -> None:
    if max(logits) == -float("inf"):
        logits = [*logits, 0.0]
    row = torch.tensor([logits], dtype=torch.float64)
    chosen = int(inverse_sample(row, torch.tensor([number], dtype=torch.float64))[0])
    probabilities = torch.softmax(row, -1)[0].tolist()
    below = sum(probabilities[:chosen])

    assert probabilities[chosen] > 0
    assert below - 1e-9 <= number <= below + probabilities[chosen] + 1e-9


def test_largest_number_does_not_choose_a_token_without_probability() -> None:
    logits = torch.tensor([[0.0, 0.0, -torch.inf, -torch.inf]])

    assert inverse_sample(logits, torch.tensor([1 - 2**-53], dtype=torch.float64)).tolist() == [1]
