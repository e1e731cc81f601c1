import base64
import json
import pickle
import re
import shutil
import uuid
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.spec import AbstractBufferedFile, AbstractFileSystem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.core.config import parse_config
from components.core.errors import RecipeError, SourceError
from components.curation.candidate import Rejection
from components.curation.config import CurationConfig
from components.curation.curate import curate
from components.curation.sources import open_source
from tests.curation.source_material import (
    ADAPTER,
    WRITERS,
    opened,
    png,
    rejection,
    row,
    shown,
    until_error,
    values,
    write_images,
    write_json,
    write_jsonl,
    write_lines,
    write_parquet,
    write_zip,
)

KINDS = sorted(WRITERS)
COUNT = 23


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_rows(kind: str, tmp_path: Path) -> None:
    rows = values(opened(kind, WRITERS[kind](tmp_path, COUNT)))

    assert [item["question"] for item in rows] == [f"How many, {number}?" for number in range(COUNT)]
    assert [item["references"] for item in rows] == [[str(number)] for number in range(COUNT)]
    assert [item["images"] for item in rows] == [[png(number)] for number in range(COUNT)]
    assert {(item["task"], item["licence"]) for item in rows} == {("chart", "CC0-1.0")}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, COUNT + 3), length=st.none() | st.integers(0, COUNT))
def test_a_source_entered_anywhere_goes_on_as_if_read_from_the_beginning(
    kind: str, start: int, length: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = Path("/".join(map(str, (tmp_path_factory.getbasetemp(), f"entered-{kind}"))))
    if not folder.exists():
        folder.mkdir()
        WRITERS[kind](folder, COUNT)
    source = opened(kind, folder)
    stop = None if length is None else start + length

    assert shown(source, start, stop) == shown(source)[start:stop]


def test_lines_beyond_the_first_thousand_are_found_again(tmp_path: Path) -> None:
    lines = [json.dumps({**row(number), "images": []}).encode() for number in range(3210)]
    lines[1500:1500] = [b"", b"   "]
    source = opened("jsonl", write_lines(tmp_path / "rows.jsonl", lines))

    assert source.count == 3210
    assert shown(source, 2999, 3002) == [(place, f"How many, {place}?") for place in (2999, 3000, 3001)]
    assert shown(source, 3209) == [(3209, "How many, 3209?")]
    assert shown(source, 3210) == []


@pytest.mark.parametrize(("kind", "count"), [("jsonl", COUNT), ("parquet", COUNT), ("json", None), ("csv", None)])
def test_count_is_known_where_it_is_cheap(kind: str, count: int | None, tmp_path: Path) -> None:
    assert opened(kind, WRITERS[kind](tmp_path, COUNT)).count == count


@pytest.mark.parametrize("kind", KINDS)
def test_no_more_rows_than_asked_for_are_read(kind: str, tmp_path: Path) -> None:
    source = opened(kind, WRITERS[kind](tmp_path, COUNT), max_rows=9)

    assert [place for place, _ in shown(source)] == list(range(9))
    assert [place for place, _ in shown(source, 7, 20)] == [7, 8]
    assert source.count in (9, None)


@pytest.mark.parametrize("pattern", ["parts", "parts/*.parquet", "parts/**/part-?.parquet"])
def test_files_of_a_folder_or_a_pattern_are_read_in_order(pattern: str, tmp_path: Path) -> None:
    for number in (2, 0, 1):
        folder = tmp_path / "parts"
        folder.mkdir(exist_ok=True)
        item = {**row(number), "images": [png(number)]}
        pq.write_table(pa.Table.from_pylist([item, item]), folder / f"part-{number}.parquet")
    (tmp_path / "parts" / ".hidden.parquet").write_bytes(b"no table")
    (tmp_path / "parts" / "notes.txt").write_text("no table")

    source = opened("parquet", tmp_path / pattern)

    assert [question for _, question in shown(source)] == [f"How many, {number}?" for number in (0, 0, 1, 1, 2, 2)]
    assert source.count == 6
    assert shown(source, 3, 5) == [(3, "How many, 1?"), (4, "How many, 2?")]


class BucketFile(AbstractBufferedFile):
    """Fetches ranges, as the files of object stores do."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        return BUCKET[self.path][start:end]


class Bucket(AbstractFileSystem):
    """An object store as fsspec's clients show it: no files to map, ranges alone, a tag of each object's content."""

    protocol = "bucket"

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        prefix = f"{self._strip_protocol(path).rstrip('/')}/"
        found = [self.info(name) for name in BUCKET if name.startswith(prefix) and "/" not in name[len(prefix) :]]
        if not found:
            raise FileNotFoundError(path)
        return found if detail else [item["name"] for item in found]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        name = self._strip_protocol(path).rstrip("/")
        if name in BUCKET:
            return {"name": name, "size": len(BUCKET[name]), "type": "file", "ETag": f'"{len(BUCKET[name])}"'}
        if any(other.startswith(f"{name}/") for other in BUCKET):
            return {"name": name, "size": 0, "type": "directory"}
        raise FileNotFoundError(path)

    def _open(self, path: str, mode: str = "rb", block_size: int = 100, **_: Any) -> BucketFile:
        return BucketFile(self, path, mode, block_size=block_size, size=len(BUCKET[path]))


BUCKET: dict[str, bytes] = {}
fsspec.register_implementation("bucket", Bucket, clobber=True)


@pytest.mark.parametrize("kind", KINDS)
def test_objects_that_are_fetched_in_ranges_give_the_same_rows(kind: str, tmp_path: Path) -> None:
    WRITERS[kind](tmp_path, 5)
    folder = f"set-{kind}"
    BUCKET.update({f"{folder}/{path.name}": path.read_bytes() for path in tmp_path.iterdir()})

    source = opened(kind, f"bucket://{folder}")

    assert values(source) == values(opened(kind, tmp_path))
    assert shown(source, 3, 4) == [(3, "How many, 3?")]


def test_an_objects_tag_is_its_fingerprint_so_that_it_is_not_fetched_for_it() -> None:
    BUCKET["tags/a.csv"] = b"images,question,references\n"
    first = opened("csv", "bucket://tags/a.csv").fingerprint
    BUCKET["tags/a.csv"] += b"\n"

    assert opened("csv", "bucket://tags/a.csv").fingerprint != first


def test_one_bad_object_among_many_is_named_by_its_address() -> None:
    BUCKET["cut/a.jsonl"] = json.dumps({**row(0), "images": []}).encode() + b'\n{"question": '

    assert until_error(opened("jsonl", "bucket://cut/*.jsonl")) == (
        [0],
        "bucket://cut/a.jsonl, row 1: the file is cut off there (Expecting value: line 1 column 14 (char 13)). "
        "Fetch or write the file again.",
    )


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_store_gives_what_the_disk_gives(kind: str, tmp_path: Path) -> None:
    WRITERS[kind](tmp_path, 5)
    bucket = f"memory://{uuid.uuid4().hex}"
    files = fsspec.filesystem("memory")
    files.put(f"{tmp_path}/", f"{bucket}/set/", recursive=True)

    source = opened(kind, f"{bucket}/set")

    assert values(source) == values(opened(kind, tmp_path))
    assert shown(source, 3) == [(3, "How many, 3?"), (4, "How many, 4?")]
    assert values(opened(kind, f"file://{tmp_path}")) == values(source)


def test_a_store_whose_package_is_missing_is_one_error_with_the_remedy() -> None:
    with pytest.raises(SourceError, match=r"gs://bucket/rows: a package is missing .*pip install gcsfs"):
        opened("jsonl", "gs://bucket/rows")


def test_an_unknown_store_is_one_error() -> None:
    with pytest.raises(SourceError, match=r"nowhere://rows: an unknown kind of address .*Use a path, or s3://"):
        opened("jsonl", "nowhere://rows")


def test_an_archive_in_an_object_store_serves_images(tmp_path: Path) -> None:
    bucket = f"memory://{uuid.uuid4().hex}"
    write_jsonl(tmp_path, 3)
    write_zip(tmp_path / "images.zip", {f"{number}.png": png(number) for number in range(3)})
    files = fsspec.filesystem("memory")
    for name in ("rows.jsonl", "images.zip"):
        files.put_file(str(tmp_path / name), f"{bucket}/{name}")

    source = opened("jsonl", f"{bucket}/rows.jsonl", image_root=f"{bucket}/images.zip")

    assert [item["images"] for item in values(source)] == [[png(number)] for number in range(3)]


def test_licence_is_the_rows_own_and_else_the_sources(tmp_path: Path) -> None:
    write_images(tmp_path, 3)
    rows = [{**row(0), "rights": "CC BY 4.0"}, {**row(1), "rights": " "}, {**row(2), "rights": None}]
    path = write_lines(tmp_path / "rows.jsonl", [json.dumps(item).encode() for item in rows])

    found = values(opened("jsonl", path, columns={"licence": "rights"}))

    assert [item["licence"] for item in found] == ["CC BY 4.0", "CC0-1.0", "CC0-1.0"]


def test_further_columns_become_metadata_and_images_do_not(tmp_path: Path) -> None:
    write_images(tmp_path, 1)
    item = {**row(0), "id": 7, "tags": ["a", "b"], "blob": None, "long": "x" * 20_000}
    path = write_lines(tmp_path / "rows.jsonl", [json.dumps(item).encode()])

    assert values(opened("jsonl", path))[0]["metadata"] == {"id": "7", "tags": '["a", "b"]'}


def test_duplicate_ids_are_harmless_since_rows_are_known_by_their_place(tmp_path: Path) -> None:
    write_images(tmp_path, 2)
    path = write_lines(tmp_path / "rows.jsonl", [json.dumps({**row(n), "id": "same"}).encode() for n in range(2)])

    assert shown(opened("jsonl", path)) == [(0, "How many, 0?"), (1, "How many, 1?")]


class TestFingerprint:
    @pytest.mark.parametrize("kind", KINDS)
    def test_it_is_that_of_the_content_and_not_of_the_place(self, kind: str, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        WRITERS[kind](tmp_path / "a", 6)
        shutil.copytree(tmp_path / "a", tmp_path / "b")
        first, second = (opened(kind, tmp_path / name).fingerprint for name in "ab")
        (tmp_path / "c").mkdir()
        WRITERS[kind](tmp_path / "c", 7)

        assert first == second != opened(kind, tmp_path / "c").fingerprint

    def test_an_archive_of_images_is_in_it_and_a_folder_is_said_not_to_be(self, tmp_path: Path) -> None:
        path = write_jsonl(tmp_path, 1)
        archives = [write_zip(tmp_path / f"{name}.zip", {"0.png": png(name)}) for name in (1, 2)]
        first, second = (opened("jsonl", path, image_root=str(archive)) for archive in archives)

        assert first.fingerprint != second.fingerprint
        assert first.is_covered
        assert not opened("jsonl", path).is_covered
        assert not opened("jsonl", path, image_root=str(tmp_path)).is_covered
        assert opened("parquet", write_parquet(tmp_path, 1)).is_covered

    def test_parquet_with_paths_needs_to_know_what_they_are_relative_to(self, tmp_path: Path) -> None:
        write_images(tmp_path, 1)
        pq.write_table(pa.Table.from_pylist([row(0)]), tmp_path / "rows.parquet")

        assert "names no image_root" in rejection(opened("parquet", tmp_path), 0).evidence
        assert values(opened("parquet", tmp_path, image_root=str(tmp_path)))[0]["images"] == [png(0)]

    def test_settings_that_decide_rows_are_told_from_those_that_do_not(self, tmp_path: Path) -> None:
        path = write_jsonl(tmp_path, 1)
        plain = opened("jsonl", path)

        assert plain.settings == opened("jsonl", path, max_rows=1).settings
        assert plain.settings != opened("jsonl", path, licence="MIT").settings
        assert plain.settings != opened("jsonl", path, columns={"group": "id"}).settings


class TestBrokenSources:
    def test_rows_before_the_cut_of_a_jsonl_file_stay(self, tmp_path: Path) -> None:
        path = write_jsonl(tmp_path, 5)
        path.write_bytes(path.read_bytes()[:-9])
        rows = opened("jsonl", path).rows()

        assert [next(rows).place for _ in range(4)] == [0, 1, 2, 3]
        with pytest.raises(SourceError, match=r"rows\.jsonl, row 4: the file is cut off there .*Fetch or write"):
            next(rows)

    def test_rows_before_the_cut_of_a_list_stay(self, tmp_path: Path) -> None:
        path = write_json(tmp_path, 5)
        path.write_bytes(path.read_bytes()[:-9])
        rows = opened("json", path).rows()

        assert [next(rows).place for _ in range(4)] == [0, 1, 2, 3]
        with pytest.raises(SourceError, match=r"rows\.json, row 4: the file is cut off or broken there"):
            next(rows)

    def test_rows_before_a_broken_member_of_a_list_stay(self, tmp_path: Path) -> None:
        path = write_json(tmp_path, 400)
        path.write_text(path.read_text().replace('"question": "How many, 3?"', '"question" "How many, 3?"'))
        rows = opened("json", path).rows()

        assert [next(rows).place for _ in range(3)] == [0, 1, 2]
        with pytest.raises(SourceError, match=r"rows\.json, row 3: .*Expecting ':'"):
            next(rows)

    def test_rows_before_a_damaged_page_of_parquet_stay(self, tmp_path: Path) -> None:
        path = write_parquet(tmp_path, 500)
        content = bytearray(path.read_bytes())
        middle = len(content) // 2
        content[middle : middle + 3000] = b"\xff" * 3000
        path.write_bytes(content)

        places, error = until_error(opened("parquet", path))

        assert re.search(r"rows\.parquet, row \d+: not a whole Parquet file", error)
        assert places == list(range(len(places)))
        assert len(places) >= 100

    @pytest.mark.parametrize("content", [b"", b"PAR1", b"no table at all, not even the beginning of one"])
    def test_what_is_no_parquet_is_refused_at_once(self, content: bytes, tmp_path: Path) -> None:
        (tmp_path / "rows.parquet").write_bytes(content)

        with pytest.raises(SourceError, match=r"rows\.parquet: not a whole Parquet file"):
            opened("parquet", tmp_path / "rows.parquet")

    @pytest.mark.parametrize("content", ['{"a": 1}', '"text"', ""])
    def test_what_is_no_list_is_refused(self, content: str, tmp_path: Path) -> None:
        (tmp_path / "rows.json").write_text(content)

        with pytest.raises(SourceError, match=r"rows\.json: it (begins with|is empty).*Give a list of objects"):
            list(opened("json", tmp_path / "rows.json").rows())

    def test_utf_16_is_refused_with_the_remedy(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.jsonl"
        path.write_text(json.dumps(row(0)), encoding="utf-16")

        with pytest.raises(SourceError, match=r"UTF-16.*Convert the file to UTF-8"):
            opened("jsonl", path)

    def test_a_column_that_no_row_has_is_one_error_and_not_a_rejection_a_row(self, tmp_path: Path) -> None:
        path = write_jsonl(tmp_path, 3)

        with pytest.raises(SourceError, match=r"no column 'qestion', did you mean 'question'\?"):
            opened("jsonl", path, columns={"question": "qestion"})
        with pytest.raises(SourceError, match=r"no column 'answer'.*it has images, question, references"):
            opened("parquet", write_parquet(tmp_path, 3), columns={"references": "answer"})

    @pytest.mark.parametrize(("path", "problem"), [("none.jsonl", "no such file"), ("no*.jsonl", "no file matches")])
    def test_a_missing_file_is_one_error(self, path: str, problem: str, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match=problem):
            opened("jsonl", tmp_path / path)

    def test_a_folder_without_such_files_is_one_error(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match=r"no file in that folder ends in \.parquet"):
            opened("parquet", tmp_path)


class TestBrokenRows:
    def test_a_column_missing_in_row_90_000_costs_that_row(self, tmp_path: Path) -> None:
        whole = json.dumps({"images": [], "question": "?", "references": ["1"]}).encode()
        lines = [whole] * 90_003
        lines[90_000] = json.dumps({"images": [], "question": "?"}).encode()
        source = opened("jsonl", write_lines(tmp_path / "rows.jsonl", lines))

        found = list(source.rows(89_998))

        assert [isinstance(item.values, Rejection) for item in found] == [False, False, True, False, False]
        assert rejection(source, 90_000).reason == "column missing"
        assert rejection(source, 90_000).evidence == "references; the row has images, question"

    def test_a_later_file_without_a_column_costs_its_rows(self, tmp_path: Path) -> None:
        pq.write_table(pa.Table.from_pylist([{**row(0), "images": [png()]}]), tmp_path / "a.parquet")
        pq.write_table(pa.table({"images": [png()], "question": ["?"]}), tmp_path / "b.parquet")

        assert shown(opened("parquet", tmp_path)) == [(0, "How many, 0?"), (1, "column missing")]

    def test_each_bad_line_costs_itself_alone(self, tmp_path: Path) -> None:
        write_images(tmp_path, 9)
        lines = [json.dumps(row(number)).encode() for number in range(9)]
        lines[1] = lines[1].replace(b"How many", "Wie viel größer".encode("latin-1"))
        lines[2] = b"[1, 2]"
        lines[3] = b'{"question": '
        lines[4] = b"[" * 100_000
        lines[5] = b"\xff\xfe\x00"
        lines[6] = json.dumps({**row(6), "question": ["a", "list"]}).encode()
        lines[7] = json.dumps({**row(7), "images": ["gone.png"]}).encode()
        source = opened("jsonl", write_lines(tmp_path / "rows.jsonl", lines))

        assert [reason for _, reason in shown(source)] == [
            "How many, 0?",
            "wrong encoding",
            "not an object",
            "not JSON",
            "not JSON",
            "wrong encoding",
            "mis-declared type",
            "image missing",
            "How many, 8?",
        ]
        assert "not utf-8: byte 0xf6" in rejection(source, 1).evidence
        assert rejection(source, 7).evidence == "gone.png"

    def test_another_encoding_can_be_named(self, tmp_path: Path) -> None:
        write_images(tmp_path, 1)
        text = json.dumps({**row(0), "question": "Wie groß?"}, ensure_ascii=False)
        path = write_lines(tmp_path / "rows.jsonl", [text.encode("latin-1")])

        assert shown(opened("jsonl", path, encoding="latin-1")) == [(0, "Wie groß?")]

    @pytest.mark.parametrize("kind", ["jsonl", "json", "csv"])
    def test_a_byte_order_mark_is_no_part_of_the_first_row(self, kind: str, tmp_path: Path) -> None:
        path = WRITERS[kind](tmp_path, 3)
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

        assert shown(opened(kind, path)) == [(number, f"How many, {number}?") for number in range(3)]

    def test_bytes_in_a_list_that_are_no_utf_8_cost_their_row(self, tmp_path: Path) -> None:
        path = write_json(tmp_path, 3)
        path.write_bytes(path.read_bytes().replace(b"many, 1", b"m\xe4ny, 1"))

        assert [text for _, text in shown(opened("json", path))] == ["How many, 0?", "wrong encoding", "How many, 2?"]

    def test_texts_in_parquet_that_are_no_utf_8_cost_their_row(self, tmp_path: Path) -> None:
        texts = pa.array([b"one?", b"tw\xf6?", b"three?"]).view(pa.utf8())
        table = pa.table({"images": [png()] * 3, "question": texts, "references": ["1", "2", "3"]})
        pq.write_table(table, tmp_path / "rows.parquet")

        assert [text for _, text in shown(opened("parquet", tmp_path))] == ["one?", "wrong encoding", "three?"]

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (3, ["3"]),
            (2.5, ["2.5"]),
            (4.0, ["4"]),
            ("7", ["7"]),
            (True, ["true"]),
            (["a", 2], ["a", "2"]),
            ('["red", "dark red"]', ["red", "dark red"]),
            ("['cigarette', 'a cigar']", ["cigarette", "a cigar"]),
            ("[1, 2]", ["[1, 2]"]),
            ("[0, 1)", ["[0, 1)"]),
            (None, []),
        ],
    )
    def test_mis_declared_references_are_read_where_there_is_no_guess(
        self, given: Any, expected: list[str], tmp_path: Path
    ) -> None:
        write_images(tmp_path, 1)
        path = write_lines(tmp_path / "rows.jsonl", [json.dumps({**row(0), "references": given}).encode()])

        assert values(opened("jsonl", path))[0]["references"] == expected

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (["3", "4"], ["3", "4"]),
            ("[3, 4]", ["3", "4"]),
            ("['cat', 'dog']", ["cat", "dog"]),
            ({"B": "dog", "A": "cat"}, ["cat", "dog"]),
            ({"label": ["A", "B"], "text": ["cat", "dog"]}, ["cat", "dog"]),
            (["cat", "dog", None, ""], ["cat", "dog"]),
            ("", []),
            (None, []),
        ],
    )
    def test_mis_declared_options_are_read(self, given: Any, expected: list[str], tmp_path: Path) -> None:
        write_images(tmp_path, 1)
        path = write_lines(tmp_path / "rows.jsonl", [json.dumps({**row(0), "options": given}).encode()])

        assert values(opened("jsonl", path, columns={"choices": "options"}))[0]["choices"] == expected

    @pytest.mark.parametrize("given", [7, "cat or dog", [["cat"]]])
    def test_options_that_are_no_list_cost_their_row(self, given: Any, tmp_path: Path) -> None:
        path = write_lines(tmp_path / "rows.jsonl", [json.dumps({**row(0), "options": given}).encode()])

        assert rejection(opened("jsonl", path, columns={"choices": "options"}), 0).reason == "mis-declared type"

    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            ("../secret.png", "unsafe path"),
            ("/etc/passwd", "unsafe path"),
            ("..\\secret.png", "unsafe path"),
            ("C:\\secret.png", "unsafe path"),
            ("link.png", "unsafe path"),
            ("folder.png", "not a regular file"),
            ("nul\0.png", "unsafe path"),
            ("x" * 5000, "image missing"),
            ("", "image missing"),
            ({"bytes": None, "path": "../secret.png"}, "unsafe path"),
            ("https://example.org/a.png", "image missing"),
            ("s3://bucket/a.png", "image missing"),
            ("file:///etc/passwd", "image missing"),
            ("data:image/png;base64,@@@", "image missing"),
            (5, "mis-declared type"),
            ([{"url": "a.png"}], "mis-declared type"),
        ],
    )
    def test_an_image_value_that_leads_out_or_nowhere_costs_its_row(
        self, given: Any, reason: str, tmp_path: Path
    ) -> None:
        (tmp_path / "secret.png").write_bytes(png())
        folder = tmp_path / "set"
        (folder / "folder.png").mkdir(parents=True)
        (folder / "link.png").symlink_to(tmp_path / "secret.png")
        path = write_lines(folder / "rows.jsonl", [json.dumps({**row(0), "images": given}).encode()])

        assert rejection(opened("jsonl", path), 0).reason == reason

    def test_a_huge_file_is_not_read(self, tmp_path: Path) -> None:
        path = write_jsonl(tmp_path, 1)

        assert rejection(opened("jsonl", path, archive={"max_member_bytes": 10}), 0).reason == "file too large"

    def test_a_whole_path_inside_the_folder_is_followed(self, tmp_path: Path) -> None:
        write_images(tmp_path, 1)
        lines = [json.dumps({**row(0), "images": f"{tmp_path}/{name}"}).encode() for name in ("0.png", "../0.png")]
        path = write_lines(tmp_path / "rows.jsonl", lines)

        assert [text for _, text in shown(opened("jsonl", path))] == ["How many, 0?", "unsafe path"]

    def test_images_as_data_uri_are_read(self, tmp_path: Path) -> None:
        text = f"data:image/png;base64,{base64.b64encode(png(9)).decode()}"
        path = write_lines(tmp_path / "rows.jsonl", [json.dumps({**row(0), "images": text}).encode()])

        assert values(opened("jsonl", path))[0]["images"] == [png(9)]

    def test_a_rejection_survives_a_process_boundary(self) -> None:
        copy = pickle.loads(pickle.dumps(Rejection("reason", "evidence")))

        assert (copy.reason, copy.evidence, str(copy)) == ("reason", "evidence", "reason: evidence")


class TestCsv:
    @staticmethod
    def _csv(folder: Path, text: str | bytes) -> Any:
        write_images(folder, 9)
        path = folder / "rows.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return opened("csv", path)

    def test_quotes_and_line_breaks_inside_cells_are_kept(self, tmp_path: Path) -> None:
        text = 'images,question,references\n0.png,"two\nlines, and ""quotes""",1\n1.png,plain "inside",2\n'

        assert shown(self._csv(tmp_path, text)) == [(0, 'two\nlines, and "quotes"'), (1, 'plain "inside"')]

    def test_a_quote_that_is_never_closed_costs_the_line_that_it_begins_in(self, tmp_path: Path) -> None:
        text = 'images,question,references\n0.png,fine,1\n1.png,"open,2\n2.png,fine too,3\n3.png,"and ""this""",4\n'

        source = self._csv(tmp_path, text)

        assert [item for _, item in shown(source)] == ["fine", "broken record", "fine too", 'and "this"']
        assert "1.png" in rejection(source, 1).evidence

    def test_an_open_quote_does_not_swallow_a_large_file(self, tmp_path: Path) -> None:
        lines = "".join(f"{number % 9}.png,q{number},1\n" for number in range(3000))

        found = shown(self._csv(tmp_path, f'images,question,references\n0.png,"open,2\n{lines}'))

        assert found == [(0, "broken record"), *((number + 1, f"q{number}") for number in range(3000))]

    def test_rows_of_another_width_cost_themselves(self, tmp_path: Path) -> None:
        text = "images,question,references\n0.png,fine,1\n1.png,short\n2.png,long,1,2\n\n3.png,fine,4\n"

        assert [item for _, item in shown(self._csv(tmp_path, text))] == [
            "fine", "wrong number of cells", "wrong number of cells", "fine",
        ]  # fmt: skip

    def test_a_latin_1_line_costs_itself(self, tmp_path: Path) -> None:
        text = "images,question,references\n0.png,gr\xf6\xdfer,1\n1.png,fine,2\n".encode("latin-1")

        assert [item for _, item in shown(self._csv(tmp_path, text))] == ["wrong encoding", "fine"]

    def test_a_last_line_that_is_cut_off_is_one_error(self, tmp_path: Path) -> None:
        rows = self._csv(tmp_path, "images,question,references\n0.png,fine,1\n1.png,fi").rows()

        assert next(rows).place == 0
        with pytest.raises(SourceError, match=r"rows\.csv, row 1: the file is cut off there"):
            next(rows)

    def test_two_columns_of_one_name_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="two columns are called 'question'"):
            list(self._csv(tmp_path, "images,question,question\n").rows())

    def test_lists_and_images_in_cells_are_read(self, tmp_path: Path) -> None:
        text = 'images,question,references\n"[""0.png"", ""1.png""]",two,"[""a"", ""b""]"\n'
        (found,) = values(self._csv(tmp_path, text))

        assert found["images"] == [png(0), png(1)]
        assert found["references"] == ["a", "b"]

    def test_tabs_can_be_named(self, tmp_path: Path) -> None:
        write_images(tmp_path, 1)
        (tmp_path / "rows.tsv").write_text("images\tquestion\treferences\n0.png\ta, b\t1\n")

        assert shown(opened("csv", tmp_path / "rows.tsv", delimiter="\t")) == [(0, "a, b")]

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(content=st.binary(max_size=200))
    def test_whatever_a_file_holds_no_row_of_it_raises_anything_but_the_named_error(
        self, content: bytes, tmp_path: Path
    ) -> None:
        path = tmp_path / "any.csv"
        path.write_bytes(b"images,question,references\n" + content + b"\n")
        try:
            rows = list(opened("csv", path).rows())
        except SourceError:
            return
        assert [item.place for item in rows] == list(range(len(rows)))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.binary(max_size=40).map(lambda line: b" " + line.replace(b"\n", b"")), max_size=8))
def test_every_line_that_is_not_blank_is_a_row(lines: list[bytes], tmp_path: Path) -> None:
    path = write_lines(tmp_path / "any.jsonl", lines)
    source = opened("jsonl", path)

    assert len(list(source.rows())) == sum(bool(line.strip()) for line in lines) == source.count


class TestSettings:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"mapping": "geometry3"}, r"mapping 'geometry3' is not known, did you mean 'geometry3k'\?"),
            ({"mapping": "geometry3k", "columns": {"question": "q"}}, "give mapping or columns, not both"),
            ({"mapping": "docvqa"}, "missing key 'licence', which docvqa does not state"),
            ({"licence": "CC0"}, "missing key 'task'"),
            ({"task": "math"}, "missing key 'licence'"),
            ({"task": "math", "licence": "CC0"}, "missing key 'dataset'"),
        ],
    )
    def test_what_is_missing_is_named(self, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(RecipeError, match=message):
            parse_config(CurationConfig, {"sources": [{"kind": "hub", **changes}]}, "test")

    def test_a_mapping_gives_data_set_task_and_licence(self) -> None:
        config = parse_config(CurationConfig, {"sources": [{"kind": "hub", "mapping": "geometry3k"}]}, "test")

        assert config.sources[0].kind == "hub"

    def test_the_quickstart_corpus_is_entered_anywhere_too(self) -> None:
        source = open_source(ADAPTER.validate_python({"kind": "quickstart", "train": 2, "heldout": 1}), seed=0)

        assert list(source.rows(3, 9)) == list(source.rows())[3:9]


def test_sources_of_several_kinds_go_through_one_curation(tmp_path: Path) -> None:
    sources = []
    for kind in KINDS:
        folder = tmp_path / kind
        folder.mkdir()
        path = WRITERS[kind](folder, 6)
        sources.append({"kind": kind, "path": str(path), "task": "chart", "licence": "CC0-1.0"})
    (tmp_path / "jsonl" / "2.png").unlink()
    config = {
        "sources": sources,
        "max_quarantined_fraction": 1.0,
        "groups": {"heldout_fraction": 0.0},
        "pictures": {"min_side": 1},
    }

    summary = curate(
        tmp_path / "dataset", tmp_path / "quarantine", parse_config(CurationConfig, config, "test"), seed=0
    ).summary

    assert summary["rows_in"] == 6 * len(KINDS)
    assert summary["rows_kept"] == 6
    assert len(summary["sources"]) == len(KINDS)
