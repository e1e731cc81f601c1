import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.core.config import parse_config
from components.core.errors import RecipeError
from components.curation.candidate import Rejection
from components.curation.pictures import PictureConfig, PictureStep, PictureWorkerError, Prepared
from tests.curation.picture_files import encode, noise, pixel_bomb, with_orientation

_FAKE = "tests.curation.decoders:decode"


@pytest.fixture(scope="module")
def step() -> Iterator[PictureStep]:
    with PictureStep(PictureConfig()) as step:
        yield step


def _faulty(**settings: object) -> PictureStep:
    return PictureStep(parse_config(PictureConfig, settings, "test"), _FAKE)


def _reasons(step: PictureStep, images: list[bytes]) -> list[str]:
    outcomes = step.prepare_all([[image] for image in images])
    return [outcome.reason if isinstance(outcome, Rejection) else "" for outcome in outcomes]


def test_a_row_keeps_its_images_in_order_and_gathers_flags(step: PictureStep) -> None:
    plain, turned = encode(noise(seed=1)), with_orientation(noise(seed=2), 6)

    prepared = step.prepare([plain, turned, plain])

    assert (prepared.images[0], prepared.images[2]) == (plain, plain)
    assert prepared.images[1] != turned
    assert prepared.pixels[0] == prepared.pixels[2] != prepared.pixels[1]
    assert prepared.looks[0] == prepared.looks[2] != prepared.looks[1]
    assert prepared.flags == ("rotated", "converted")


def test_the_first_unfit_image_names_the_row(step: PictureStep) -> None:
    with pytest.raises(Rejection) as caught:
        step.prepare([encode(noise()), encode(noise(), "JPEG")[:-100], b""])

    assert caught.value.reason == "image damaged"
    assert caught.value.evidence.startswith("image 2 of 3: ")
    with pytest.raises(Rejection, match="image missing: the row has no image"):
        step.prepare([])


def test_unfit_images_cost_their_rows_alone_and_no_worker(step: PictureStep) -> None:
    before = step.restarts
    good, bad = encode(noise()), [b"", b"junk", encode(noise(), "JPEG")[:-100], pixel_bomb()]

    outcomes = step.prepare_all([[good], *([image] for image in bad), [good, good], [good, b"junk"]])

    assert [isinstance(outcome, Prepared) for outcome in outcomes] == [True] + [False] * 4 + [True, False]
    assert str(outcomes[4]) == "image too large: 20000x10000 pixels"
    assert step.restarts == before


def test_many_rows_are_as_each_alone_whatever_the_batches(step: PictureStep) -> None:
    rows = [[encode(noise(9 + number % 7, 9, seed=number))] * (number % 3) for number in range(150)]

    together = step.prepare_all(rows)

    assert [type(outcome) for outcome in together] == [Prepared if row else Rejection for row in rows]
    assert together[1::3] == [step.prepare(row) for row in rows[1::3]]


@pytest.mark.parametrize("place", [0, 70, 149])
def test_an_image_that_kills_its_worker_costs_its_row_alone(place: int) -> None:
    images = [f"fine:{number}".encode() for number in range(150)]
    images[place] = b"kill"

    with _faulty() as step:
        reasons = _reasons(step, images)

        assert reasons == ["image kills its decoder" if number == place else "" for number in range(150)]
        assert step.restarts == 2
        assert step.prepare([b"fine:again"]).images == (b"fine:again",)


def test_of_many_killers_each_is_named_and_nothing_else() -> None:
    with _faulty() as step:
        reasons = _reasons(step, [b"kill", b"kill", b"fine:1", b"refuse:it", b"kill", b"fine:2"])

    killed = "image kills its decoder"
    assert reasons == [killed, killed, "", "image damaged", killed, ""]


def test_a_worker_that_dies_once_costs_no_row(tmp_path: Path) -> None:
    with _faulty() as step:
        reasons = _reasons(step, [b"fine:1", f"kill once:{tmp_path / 'seen'}".encode(), b"fine:2"])

        assert (reasons, step.restarts) == (["", "", ""], 1)


def test_a_worker_killed_from_outside_in_a_batch_costs_no_row(tmp_path: Path) -> None:
    seen = tmp_path / "seen"

    def kill() -> None:
        while not seen.exists():
            time.sleep(0.01)
        os.kill(int(seen.read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with _faulty() as step:
        reasons = _reasons(step, [b"fine:1", f"await kill:{seen}".encode(), b"fine:2"])
        killer.join()

        assert (reasons, step.restarts) == (["", "", ""], 1)


def test_a_decoder_that_loops_is_ended_after_its_processor_seconds() -> None:
    with _faulty(seconds=0.2) as step:
        with pytest.raises(Rejection) as caught:
            step.prepare([b"spin"])

        assert caught.value.reason == "image exceeds the time limit"
        assert caught.value.evidence == "0.2 s of processor time, 4 bytes"
        assert step.restarts == 1
        assert _reasons(step, [b"fine:1", b"spin", b"fine:2"]) == ["", "image exceeds the time limit", ""]


def test_a_decoder_that_waits_for_ever_is_ended_too() -> None:
    with _faulty(seconds=0.1) as step:
        assert _reasons(step, [b"fine:1", b"sleep", b"fine:2"]) == ["", "image exceeds the time limit", ""]
        assert step.restarts == 2


def test_a_time_limit_holds_where_its_signals_were_ignored_and_blocked() -> None:
    ignored = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGPROF, signal.SIGALRM)}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ignored)
    try:
        with _faulty(seconds=0.2) as step:
            assert _reasons(step, [b"spin", b"fine:1"]) == ["image exceeds the time limit", ""]
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for number, handler in ignored.items():
            signal.signal(number, handler)


def test_the_limit_is_an_images_own_and_not_the_batchs() -> None:
    images = [encode(noise(400, 400, seed=number)) for number in range(3)] * 40

    with PictureStep(PictureConfig(seconds=0.5)) as step:  # together they take longer
        assert (_reasons(step, images), step.restarts) == ([""] * 120, 0)


def test_memory_beyond_the_limit_costs_the_row_and_no_worker() -> None:
    with _faulty() as step:
        assert _reasons(step, [b"fine:1", b"eat", b"fine:2"]) == ["", "image exceeds the memory limit", ""]
        assert step.restarts == 0


def test_a_real_picture_beyond_the_memory_limit_is_refused_and_the_next_one_is_not() -> None:
    large = pixel_bomb(100)  # 400 MB in RGB
    config = PictureConfig(memory_mb=256, max_pixels=10**8)

    with PictureStep(config) as step:
        assert _reasons(step, [large, encode(noise())]) == ["image exceeds the memory limit", ""]


def test_what_a_decoder_prints_is_no_answer() -> None:
    with _faulty() as step:
        assert step.prepare_all([[b"print"], [b"fine:2"]]) == [
            Prepared((b"print",), (b"print".hex(),), (b"look",), ()),
            Prepared((b"fine:2",), (b"fine:2".hex(),), (b"look",), ()),
        ]


def test_large_answers_and_large_questions_wait_for_nobody(step: PictureStep) -> None:
    turned = [with_orientation(noise(500, 400, seed=number), 3) for number in range(6)]  # 600 kB each way

    assert [len(step.prepare([image]).images[0]) > 500_000 for image in turned] == [True] * 6
    assert all(isinstance(outcome, Prepared) for outcome in step.prepare_all([turned, turned]))


def test_a_step_starts_its_worker_anew_after_closing_and_after_pickling(step: PictureStep) -> None:
    image = encode(noise())
    copy = pickle.loads(pickle.dumps(step))

    assert copy.prepare([image]) == step.prepare([image])
    copy.close()
    assert copy.prepare([image]) == step.prepare([image])
    copy.close()


def test_a_forked_process_has_a_worker_of_its_own(step: PictureStep) -> None:
    image = encode(noise())
    expected = step.prepare([image])
    context = multiprocessing.get_context("fork")
    found = context.SimpleQueue()

    def run() -> None:
        found.put(step.prepare([image]))
        step.close()

    child = context.Process(target=run)
    child.start()
    child.join()

    assert (child.exitcode, found.get()) == (0, expected)
    assert step.prepare([image]) == expected


def test_closing_ends_the_worker_without_force() -> None:
    step = PictureStep(PictureConfig(), _FAKE)
    step.prepare([b"fine:1"])
    assert step._worker
    process = step._worker._process

    step.close()

    assert process.returncode == 0


def test_a_worker_that_cannot_start_is_one_clear_error() -> None:
    with pytest.raises(PictureWorkerError, match=r"its process cannot be started \(it ended with status 1\)"):
        PictureStep(PictureConfig(), "no.such:decoder").prepare([b"x"])


def test_an_unknown_format_is_refused_in_the_recipe() -> None:
    with pytest.raises(RecipeError, match="formats"):
        parse_config(PictureConfig, {"formats": ["SVG"]}, "test")
