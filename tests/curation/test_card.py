import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from components.core.config import parse_config
from components.core.example import Split
from components.curation.card import CardFacts, render_card, shown_width, verdict, write_data_card
from components.curation.croissant import write_croissant
from components.curation.dataset_texts import DatasetTexts
from components.curation.gathering import gather_numbers
from components.curation.numbers import NUMBERS, BenchmarkCount, Picture, write_numbers
from tests.curation.made_dataset import (
    HOSTILE,
    KINDS,
    SETTINGS,
    example,
    lost,
    seal_dataset,
    summary_of,
    whole_dataset,
    write_dataset,
)
from tests.curation.made_numbers import SAMPLE, made_numbers
from tests.release.page import Page


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed dataset with everything that a card can show, and its card."""
    folder = tmp_path_factory.mktemp("card")
    dataset, quarantine = whole_dataset(folder)
    summary = json.loads((dataset / "summary.json").read_text())
    numbers = gather_numbers(dataset, summary, quarantine)
    write_croissant(dataset, numbers, parse_config(DatasetTexts, SETTINGS["texts"], "texts"), SETTINGS)
    seal_dataset(dataset, SETTINGS)
    write_data_card(dataset, summary, folder / "card.html", quarantine)
    return folder


@pytest.fixture(scope="module")
def html(whole: Path) -> str:
    return (whole / "card.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_card_accounts_for_every_row(page: Page) -> None:
    assert "51 rows in = 36 kept + 11 quarantined + 4 duplicates." in page.words()
    for words in ("pictures", "Images are decoded whole", "typing off", "30 train", "6 heldout"):
        assert words in page.words()


def test_hostile_text_stays_text(html: str, page: Page) -> None:
    assert "<script" not in html
    assert "<b>questions" not in html
    assert page.words().count(HOSTILE) >= 3  # a question, a reference and the evidence of lost rows
    assert "49" not in [attributes.get("alt") for attributes in page.of("img")]
    handlers = [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert handlers == []


def test_page_asks_no_host_for_anything(page: Page) -> None:
    policy = next(attributes["content"] for attributes in page.of("meta") if "http-equiv" in attributes)

    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert all((attributes["src"] or "").startswith("data:image/") for attributes in page.of("img"))
    assert all((attributes["href"] or "").startswith("#") for attributes in page.of("a"))
    ids = {attributes.get("id") for _, attributes in page.elements}
    assert {(attributes["href"] or "")[1:] for attributes in page.of("a")} <= ids


def test_samples_of_each_type_have_images_that_can_be_enlarged(page: Page) -> None:
    words = page.words()
    for _, type_, reference in KINDS:
        assert f"{type_.value.replace('_', ' ')} {8 if type_.value == 'number' else 7} examples" in words
        assert reference in words
    switches = [attributes for attributes in page.of("input") if attributes["type"] == "checkbox"]
    assert len(switches) == len(page.of("img")) > 20
    assert all((attributes["aria-label"] or "").startswith("enlarge image") for attributes in switches)


def test_lost_rows_stand_with_reason_and_evidence(page: Page) -> None:
    words = page.words()

    assert "image damaged 5 rows" in words
    assert "the same pixels, question and answer 4 rows, duplicates" in words
    assert "scenes#30 evidence 30 lost question 30" in words


def test_fingerprints_of_the_dataset_its_inputs_and_files_are_there(whole: Path, page: Page) -> None:
    manifest = json.loads((whole / "dataset" / "manifest.json").read_text())

    for digest in (manifest["fingerprint"], "a" * 64, manifest["files"]["train/0000.parquet"]):
        assert digest in page.words()


def test_texts_of_the_recipe_and_their_lack_are_both_shown(page: Page) -> None:
    assert "Intended uses Testing." in page.words()
    assert "Release and maintenance Not stated by the recipe." in page.words()


@pytest.mark.parametrize(
    ("changes", "kind", "sentence"),
    [
        (
            {},
            "good",
            "Rows that repeat one of the 3,500 questions of 2 benchmarks were taken out, 6 of them for that reason "
            "alone: none that was found is left.",
        ),
        ({"benchmarks": None}, "open", "It was not held against any benchmark: what it teaches, a benchmark may ask."),
        ({"benchmarks": ()}, "open", "It was not held against any benchmark: what it teaches, a benchmark may ask."),
        (
            {"benchmarks": (BenchmarkCount("ocrbench", 10, 0, 0),), "steps": ()},
            "good",
            "No row was found to repeat one of the 10 questions of 1 benchmark.",
        ),
        (
            {"rows_quarantined": 1},
            "bad",
            "6 rows repeat one of the 3,500 questions of 2 benchmarks, and only 5 were left out.",
        ),
    ],
)
def test_verdict_on_benchmarks_claims_no_more_than_was_checked(changes: dict, kind: str, sentence: str) -> None:
    found = verdict(made_numbers(**changes))

    assert (found.kind, found.sentence) == (kind, sentence)
    assert sentence in Page(render_card(made_numbers(**changes), CardFacts())).words()


def test_what_does_not_add_up_is_a_warning() -> None:
    words = Page(render_card(made_numbers(problems=("3 rows are missing.",)), CardFacts())).words()

    assert "3 rows are missing." in words


def test_dataset_before_its_seal_has_a_card_without_a_fingerprint() -> None:
    words = Page(render_card(made_numbers(), CardFacts())).words()

    assert "it has no fingerprint yet" in words


def test_group_on_both_sides_is_a_warning() -> None:
    numbers = made_numbers()
    crossing = replace(numbers, groups=replace(numbers.groups, crossing=2))

    assert "2 of them have examples on both sides of the split" in Page(render_card(crossing, CardFacts())).words()


def test_long_tables_are_cut_with_a_count() -> None:
    numbers = made_numbers()
    sources = tuple(replace(numbers.sources[0], name=f"source {number}") for number in range(150))

    words = Page(render_card(replace(numbers, sources=sources), CardFacts())).words()

    assert "and 50 more" in words


def test_small_images_are_enlarged_a_whole_number_of_times() -> None:
    assert [shown_width(Picture("", *size)) for size in ((56, 28), (28, 56), (600, 20), (1, 1))] == [168, 84, 600, 180]


def test_numbers_in_the_dataset_are_used_as_they_are(tmp_path: Path) -> None:
    write_numbers(made_numbers(samples=(SAMPLE,)), tmp_path / NUMBERS)

    numbers = write_data_card(tmp_path, {}, tmp_path / "out" / "card.html")

    assert numbers == made_numbers()
    assert "100 rows in = 90 kept" in (tmp_path / "out" / "card.html").read_text()


def test_same_dataset_has_the_same_card(whole: Path, html: str, tmp_path: Path) -> None:
    dataset = whole / "dataset"
    summary = json.loads((dataset / "summary.json").read_text())

    write_data_card(dataset, summary, tmp_path / "card.html", whole / "quarantine")

    assert (tmp_path / "card.html").read_text() == html


@pytest.mark.slow
def test_page_stays_small_whatever_the_rows_weigh(tmp_path: Path) -> None:
    def noise() -> bytes:
        buffer = BytesIO()
        Image.frombytes("RGB", (700, 700), os.urandom(3 * 700 * 700)).save(buffer, format="BMP")
        return buffer.getvalue()

    images = [tuple(noise() for _ in range(4)) for _ in range(5)]
    train = [
        example(n, images=images[n % 5], question=f"{n} " + "&" * 9000, references=("<" * 5000,) * 20)
        for n in range(60)
    ]
    lines = [lost(n, "schema", f"reason {n}", evidence="<" * 3000, question="&" * 3000) for n in range(400)]
    summary = summary_of(60, lines)
    dataset, quarantine = write_dataset(tmp_path, {Split.TRAIN: (train,)}, lines, summary)

    numbers = write_data_card(dataset, summary, tmp_path / "card.html", quarantine)

    assert all(sample.pictures for sample in numbers.samples)
    assert (tmp_path / "card.html").stat().st_size < 16_000_000


def _snippets(page: Page) -> Iterator[str]:
    yield from (data for tag, data in page.text if tag == "pre" and "import" in data)


@pytest.mark.slow
def test_code_on_the_card_loads_the_dataset(whole: Path, page: Page, tmp_path: Path) -> None:
    snippets = [code for code in _snippets(page) if "load_dataset" in code]
    environment = {**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}

    (code,) = snippets
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=whole / "dataset", env=environment, capture_output=True, text=True, check=True)

    assert re.match(r".+ \(\d+, \d+\)$", done.stdout.strip())


@pytest.mark.slow
def test_code_of_this_project_on_the_card_runs(tmp_path: Path) -> None:
    from components.core.example import write_splits

    write_splits(
        {
            Split.TRAIN: [example(number) for number in (0, 1)],
            Split.HELD_OUT: [example(2).with_split(Split.HELD_OUT)],
        },
        tmp_path,
    )
    summary = summary_of(3, [])
    seal_dataset(tmp_path)
    write_data_card(tmp_path, summary, tmp_path.parent / f"{tmp_path.name}.html")
    page = Page((tmp_path.parent / f"{tmp_path.name}.html").read_text())

    (code,) = (code for code in _snippets(page) if "read_split" in code)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == [f"{item.id} {item.question} {item.references}" for item in map(example, (0, 1))]


def _browse(html: str, folder: Path, script: str, width: int) -> str:
    """What a script writes to the title of the page in a headless browser."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("no chromium or google-chrome on the PATH")
    path = folder / "card.html"
    # Without the policy that forbids any script, and with one.
    bare = re.sub(r"<meta http-equiv=[^>]*>", "", html)
    path.write_text(bare.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    command = [
        *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *(f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900", "--virtual-time-budget=5000"),
        *("--dump-dom", path.as_uri()),
    ]
    dom = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    return re.findall(r"<title>(.*?)</title>", dom)[0]


@pytest.mark.slow
@pytest.mark.parametrize("width", [500, 1280])
def test_page_is_no_wider_than_the_window(html: str, tmp_path: Path, width: int) -> None:
    script = "document.title = `${document.documentElement.scrollWidth <= window.innerWidth} ${window.innerWidth}`;"

    assert _browse(html, tmp_path, script, width).split()[0] == "true"


@pytest.mark.slow
def test_images_are_shown_and_enlarged_when_clicked(html: str, tmp_path: Path) -> None:
    script = """
        window.addEventListener("load", () => {
          const images = [...document.images];
          const shown = images.every((image) => image.naturalWidth > 0);
          const large = images.find((image) => image.title.startsWith("900"));
          const place = () => getComputedStyle(large).position;
          const log = [shown, images.length, place()];
          large.click();
          log.push(place(), Math.round(large.getBoundingClientRect().width));
          large.click();
          log.push(place());
          document.title = log.join(" ");
        });
    """

    words = _browse(html, tmp_path, script, 1280).split()

    assert words[0] == "true"
    assert int(words[1]) > 20
    assert words[2:] == ["static", "fixed", "900", "static"]
