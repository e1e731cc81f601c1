import io
import json
import os
import stat
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.errors import SourceError
from components.curation.archives import ArchiveLimits, open_archive, safe_name, shared_folders
from components.curation.candidate import Rejection
from components.curation.source_files import one_file
from tests.curation.source_material import (
    opened,
    png,
    rejection,
    row,
    shown,
    until_error,
    values,
    write_lines,
    write_shards,
    write_tar,
    write_zip,
)

PACKINGS = {"tar": "w", "tar.gz": "w:gz", "tgz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}


def _archive(path: Path, **limits: Any) -> Any:
    return open_archive(one_file(str(path)), ArchiveLimits(**limits))


def _reason(archive: Any, name: str) -> str:
    with pytest.raises(Rejection) as caught:
        archive.read(name)
    return caught.value.reason


def _pack(folder: Path, ending: str, members: dict[str, bytes]) -> Path:
    path = folder / f"images.{ending}"
    return write_zip(path, members) if ending == "zip" else write_tar(path, members, PACKINGS[ending])


@pytest.mark.parametrize("ending", ["zip", *PACKINGS])
def test_images_are_read_out_of_every_kind_of_archive(ending: str, tmp_path: Path) -> None:
    archive = _pack(tmp_path, ending, {f"images/{number}.png": png(number) for number in range(4)})
    rows = [{**row(number), "images": f"images/{number}.png"} for number in (2, 0, 3)]
    path = write_lines(tmp_path / "rows.jsonl", [json.dumps(item).encode() for item in rows])

    found = values(opened("jsonl", path, image_root=str(archive)))

    assert [item["images"] for item in found] == [[png(2)], [png(0)], [png(3)]]


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
def test_paths_may_be_relative_to_any_folder_that_holds_all(ending: str, tmp_path: Path) -> None:
    members = {"home/who/set/K12/1.png": b"one", "home/who/set/K12/sub/2.png": b"two"}
    archive = _archive(_pack(tmp_path, ending, members))

    assert archive.read("home/who/set/K12/1.png") == archive.read("K12/1.png") == archive.read("./1.png") == b"one"
    assert archive.read("K12\\sub\\2.png") == b"two"
    assert _reason(archive, "2.png") == "image missing"


@pytest.mark.parametrize("ending", ["zip", "tar"])
@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a/../../b.png", "C:\\boot.png", "..\\..\\up.png", "\\\\host\\x.png"]
)
def test_names_that_lead_out_are_not_to_be_had(ending: str, name: str, tmp_path: Path) -> None:
    archive = _archive(_pack(tmp_path, ending, {name: b"secret", "fine.png": b"fine"}))

    assert _reason(archive, name) == "unsafe path"
    assert archive.read("fine.png") == b"fine"
    assert [path.name for path in tmp_path.iterdir()] == [f"images.{ending}"]


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.SYMTYPE, "../outside.png"),
        (tarfile.LNKTYPE, "fine.png"),
        (tarfile.CHRTYPE, ""),
        (tarfile.FIFOTYPE, ""),
    ],
)
def test_links_and_devices_in_a_tar_are_not_followed(kind: bytes, target: str, tmp_path: Path) -> None:
    path = tmp_path / "images.tar"
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo("a.png")
        info.type, info.linkname = kind, target
        tar.addfile(info)
        whole = tarfile.TarInfo("fine.png")
        whole.size = 4
        tar.addfile(whole, io.BytesIO(b"fine"))
    archive = _archive(path)

    assert _reason(archive, "a.png") == "not a regular file"
    assert archive.read("fine.png") == b"fine"


def test_links_in_a_zip_are_not_followed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        info = zipfile.ZipInfo("a.png")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")

    assert _reason(_archive(tmp_path / "images.zip"), "a.png") == "not a regular file"


class TestBombs:
    def test_a_member_that_unpacks_a_thousandfold_costs_its_row(self, tmp_path: Path) -> None:
        noise = bytes(range(256)) * 2000
        members = {"bomb.png": bytes(20 * 2**20), "fine.png": b"fine"}
        path = write_zip(tmp_path / "images.zip", members)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
            archive.writestr("noise.bin", noise)  # keeps the ratio of the whole below the limit
        archive = _archive(path)

        assert _reason(archive, "bomb.png") == "decompression bomb"
        assert archive.read("fine.png") == b"fine"

    def test_an_archive_that_unpacks_a_thousandfold_is_refused(self, tmp_path: Path) -> None:
        path = write_zip(tmp_path / "images.zip", {f"{number}.png": bytes(2**20) for number in range(40)})

        with pytest.raises(SourceError, match=r"images\.zip: a decompression bomb: \d+ bytes unpack to 41943040"):
            _archive(path)

    def test_overlapping_members_are_counted_for_what_they_unpack_to(self, tmp_path: Path) -> None:
        """After Fifield's zip bombs: many entries of the table of contents share one packed body."""
        with zipfile.ZipFile(tmp_path / "images.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("0.png", bytes(range(256)) * 4096 + bytes(2**20))
            info = archive.infolist()[0]
            for number in range(1, 3000):
                twin = zipfile.ZipInfo(f"{number}.png")
                twin.header_offset, twin.CRC, twin.compress_type = info.header_offset, info.CRC, info.compress_type
                twin.compress_size, twin.file_size = info.compress_size, info.file_size
                archive.filelist.append(twin)

        with pytest.raises(SourceError, match="a decompression bomb"):
            _archive(tmp_path / "images.zip")

    @pytest.mark.parametrize("ending", ["tar.gz", "tar.bz2", "tar.xz"])
    def test_a_packed_tar_is_unpacked_no_further_than_the_limits(self, ending: str, tmp_path: Path) -> None:
        path = write_tar(tmp_path / f"images.{ending}", {"a.png": bytes(64 * 2**20)}, PACKINGS[ending])

        with pytest.raises(SourceError, match=r"a decompression bomb: \d+ bytes unpack to (17|18)\d{6} or more"):
            _archive(path)

    @pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
    def test_the_total_is_limited(self, ending: str, tmp_path: Path) -> None:
        path = _pack(tmp_path, ending, {f"{number}.png": bytes(5000) for number in range(9)})

        with pytest.raises(SourceError, match=r"unpacks to \d+ bytes or more, 40000 are allowed.*max_total_bytes"):
            _archive(path, max_total_bytes=40_000)

    @pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
    def test_the_size_of_a_member_is_limited(self, ending: str, tmp_path: Path) -> None:
        archive = _archive(_pack(tmp_path, ending, {"a.png": bytes(5000), "b.png": b"fine"}), max_member_bytes=4000)

        assert _reason(archive, "a.png") == "file too large"
        assert archive.read("b.png") == b"fine"

    def test_a_member_is_no_longer_than_it_says(self, tmp_path: Path) -> None:
        path = write_zip(tmp_path / "images.zip", {"a.png": bytes(range(256)) * 40})
        content = path.read_bytes()
        # Both places where the unpacked size stands: behind the local header's and the directory's signatures.
        for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
            place = content.index(signature) + offset
            content = content[:place] + struct.pack("<I", 10) + content[place + 4 :]
        path.write_bytes(content)

        assert _reason(_archive(path), "a.png") == "archive member damaged"


class TestDamage:
    def test_a_damaged_member_of_a_zip_costs_its_row(self, tmp_path: Path) -> None:
        path = write_zip(tmp_path / "images.zip", {"a.png": png(1) * 50, "b.png": png(2)}, zipfile.ZIP_STORED)
        content = bytearray(path.read_bytes())
        content[200] ^= 0xFF
        path.write_bytes(content)
        archive = _archive(path)

        assert _reason(archive, "a.png") == "archive member damaged"
        assert archive.read("b.png") == png(2)

    def test_a_locked_member_of_a_zip_costs_its_row(self, tmp_path: Path) -> None:
        path = write_zip(tmp_path / "images.zip", {"a.png": png(1)}, zipfile.ZIP_STORED)
        content = bytearray(path.read_bytes())
        for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            content[content.index(signature) + offset] |= 1  # the flag of encryption
        path.write_bytes(content)

        assert _reason(_archive(path), "a.png") == "archive member unreadable"

    @pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
    @pytest.mark.parametrize("kept", [0.0, 0.3, 0.7])
    def test_an_archive_that_is_cut_off_is_one_error(self, ending: str, kept: float, tmp_path: Path) -> None:
        noise = [bytes((number * place) % 251 for place in range(3000)) for number in range(9)]
        path = _pack(tmp_path, ending, {f"{number}.png": data for number, data in enumerate(noise)})
        content = path.read_bytes()
        path.write_bytes(content[: int(kept * len(content))])

        with pytest.raises(SourceError, match=rf"images\.{ending}"):
            _archive(path)

    def test_what_is_no_archive_is_refused(self, tmp_path: Path) -> None:
        for ending in ("zip", "tar", "tar.gz"):
            path = tmp_path / f"images.{ending}"
            path.write_bytes(b"words, not an archive " * 100)
            with pytest.raises(SourceError, match=rf"images\.{ending}.*(not a whole|cut off|not packed)"):
                _archive(path)


class TestShards:
    def test_rows_before_the_cut_of_a_shard_stay(self, tmp_path: Path) -> None:
        write_shards(tmp_path, 9)
        path = tmp_path / "shard-1.tar"
        path.write_bytes(path.read_bytes()[: 4 * 2 * 1024 + 512])  # four rows of two members, and a header
        rows = opened("webdataset", tmp_path).rows()

        # The fifth row of the shard is known to be whole only when another one begins.
        assert [next(rows).place for _ in range(3 + 4)] == list(range(7))
        with pytest.raises(SourceError, match=r"shard-1\.tar.*(cut off|not a whole tar|ends inside)"):
            list(rows)

    def test_a_shard_without_its_end_mark_is_not_taken_for_whole(self, tmp_path: Path) -> None:
        write_shards(tmp_path, 9)
        path = tmp_path / "shard-1.tar"
        path.write_bytes(path.read_bytes()[: 6 * 2 * 1024])

        with pytest.raises(SourceError, match="the tar is cut off or damaged there"):
            list(opened("webdataset", tmp_path).rows())

    def test_a_damaged_header_is_not_taken_for_the_end(self, tmp_path: Path) -> None:
        write_shards(tmp_path, 9)
        content = bytearray((tmp_path / "shard-1.tar").read_bytes())
        content[4 * 1024 : 4 * 1024 + 100] = b"\xff" * 100
        (tmp_path / "shard-1.tar").write_bytes(content)

        with pytest.raises(SourceError, match="the tar is cut off or damaged there"):
            list(opened("webdataset", tmp_path).rows())

    def test_a_packed_shard_that_is_cut_off_keeps_its_first_rows(self, tmp_path: Path) -> None:
        members = {}
        for number in range(50):
            members[f"{number:03}.json"] = json.dumps({"question": f"{number}?", "references": ["1"]}).encode()
            members[f"{number:03}.png"] = os.urandom(20_000)
        path = write_tar(tmp_path / "rows.tar.gz", members, "w:gz")
        path.write_bytes(path.read_bytes()[:500_000])

        places, error = until_error(opened("webdataset", path))

        assert "rows.tar.gz" in error
        assert places == list(range(len(places)))
        assert len(places) >= 20

    def test_members_become_columns_by_their_ending(self, tmp_path: Path) -> None:
        members = {
            "a/7.txt": "Wie groß?".encode(),
            "a/7.cls": b"3",
            "a/7.0.png": png(0),
            "a/7.1.JPG": png(1),
            "a/7.bin": b"\xff\xfe",
        }
        path = write_tar(tmp_path / "rows.tar", members)

        (found,) = values(opened("webdataset", path, columns={"question": "txt", "references": "cls"}))

        assert (found["question"], found["references"]) == ("Wie groß?", ["3"])
        assert found["images"] == [png(0), png(1)]
        assert found["metadata"] == {"__key__": "a/7"}

    @pytest.mark.parametrize(
        ("content", "reason"), [(b"{", "not JSON"), (b"[1]", "not an object"), (b"\xff", "wrong encoding")]
    )
    def test_a_broken_member_costs_its_row(self, content: bytes, reason: str, tmp_path: Path) -> None:
        whole = json.dumps({"question": "?", "references": ["1"]}).encode()
        members = {"0.json": whole, "0.png": png(), "1.json": content, "1.png": png(), "2.json": whole, "2.png": png()}

        found = shown(opened("webdataset", write_tar(tmp_path / "rows.tar", members)))

        assert found == [(0, "?"), (1, reason), (2, "?")]

    def test_members_beside_the_rows_are_no_rows(self, tmp_path: Path) -> None:
        whole = json.dumps({"question": "?", "references": ["1"]}).encode()
        members = {"__meta__/notes.txt": b"x", "a/._0.png": b"x", ".x.json": b"x", "a/0.json": whole, "a/0.png": png()}

        assert shown(opened("webdataset", write_tar(tmp_path / "rows.tar", members))) == [(0, "?")]

    def test_a_link_costs_its_row(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.tar"
        with tarfile.open(path, "w") as tar:
            data = json.dumps({"question": "?", "references": ["1"]}).encode()
            info = tarfile.TarInfo("0.json")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
            link = tarfile.TarInfo("0.png")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(link)

        assert rejection(opened("webdataset", path), 0).reason == "not a regular file"

    def test_a_name_that_begins_again_is_another_row(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.tar"
        with tarfile.open(path, "w") as tar:
            for question in ("one?", "two?"):
                for ending, data in (
                    ("json", json.dumps({"question": question, "references": ["1"]}).encode()),
                    ("png", png()),
                ):
                    info = tarfile.TarInfo(f"same.{ending}")
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))

        assert shown(opened("webdataset", path)) == [(0, "one?"), (1, "two?")]


@given(st.text(alphabet="ab./\\:C\0", max_size=12))
def test_a_safe_name_never_leads_out_of_its_folder(name: str) -> None:
    plain = safe_name(name)

    if plain is not None:
        assert Path("/root", plain).resolve().is_relative_to("/root/")
        assert Path("/root", plain) != Path("/root")
        assert safe_name(plain) == plain


@given(st.lists(st.text(alphabet="ab/", min_size=1, max_size=6).map(lambda text: f"x/{text}/y"), min_size=1))
def test_shared_folders_hold_all_names(names: list[str]) -> None:
    folders = shared_folders(names)

    assert folders[0] == ""
    assert all(name.startswith(f"{folder}/") for folder in folders[1:] for name in names)
