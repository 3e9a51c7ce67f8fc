"""Archives: nothing is written outside of the folder, and a folder is whole or not there."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from unrolled.data import archives
from unrolled.data.archives import contents_sha256, unpack
from unrolled.errors import DataError, OutputError

FILES = {"set-1/sounds/b/2.wav": b"two", "set-1/sounds/1.wav": b"one", "set-1/README": b"about"}


def pack(path: Path, files: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return path


def held(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_folder_inside_is_unpacked_alone_and_once(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar.gz", FILES)
    folder = unpack(archive, tmp_path / "cache" / "sounds", "sounds")
    assert held(folder) == {"b/2.wav": b"two", "1.wav": b"one"}
    assert [one.name for one in folder.parent.iterdir()] == ["sounds"]
    archive.unlink()
    assert unpack(archive, folder, "sounds") == folder


@pytest.mark.parametrize(
    "name", ["sounds/../../out.wav", "/sounds/out.wav", "sounds/..\\..\\out.wav"]
)
def test_a_path_that_leads_out_is_refused_and_nothing_is_kept(tmp_path: Path, name: str) -> None:
    archive = pack(tmp_path / "a.tar.gz", {"sounds/1.wav": b"one", name: b"out"})
    with pytest.raises(DataError, match="leads out of it") as caught:
        unpack(archive, tmp_path / "cache" / "sounds", "sounds")
    assert caught.value.file == str(archive)
    assert list((tmp_path / "cache").iterdir()) == []
    assert not [one for one in tmp_path.rglob("*out*")]


def test_links_are_left_out(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar.gz", FILES, {"set-1/sounds/link.wav": "/etc/passwd"})
    assert "link.wav" not in held(unpack(archive, tmp_path / "sounds", "sounds"))


def test_an_archive_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar.gz", {"sounds/1.wav": bytes(range(256)) * 400})
    for content in (archive.read_bytes()[:-300], b"no archive", gzip.compress(b"no archive")):
        archive.write_bytes(content)
        with pytest.raises(DataError, match="not a whole tar archive"):
            unpack(archive, tmp_path / "cache" / "sounds", "sounds")
        assert list((tmp_path / "cache").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="UNROLLED_CACHE"):
        unpack(pack(tmp_path / "a.tar.gz", FILES), tmp_path / "file" / "sounds", "sounds")


def test_who_was_quicker_is_not_disturbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "sounds"

    def slowly(archive: Path):
        yield from files_in(archive)
        folder.mkdir()
        (folder / "1.wav").write_bytes(b"theirs")

    files_in = archives.files_in
    monkeypatch.setattr(archives, "files_in", slowly)
    unpack(pack(tmp_path / "a.tar.gz", FILES), folder, "sounds")
    assert held(folder) == {"1.wav": b"theirs"}
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.tar.gz", "sounds"]


def test_the_sum_holds_however_it_is_packed_and_changes_with_names_and_contents(
    tmp_path: Path,
) -> None:
    def total(files: dict[str, bytes]) -> str:
        return contents_sha256(pack(tmp_path / "a.tar.gz", files), "sounds")

    other = {name.replace("set-1", "x/y"): FILES[name] for name in reversed(FILES)}
    assert total(FILES) == total(other | {"x/y/more": b""})
    assert total(FILES) != total(FILES | {"set-1/sounds/1.wav": b"won"})
    assert total(FILES) != total({**FILES, "set-1/sounds/3.wav": b""})
    renamed = {name.replace("2.wav", "3.wav"): content for name, content in FILES.items()}
    assert total(FILES) != total(renamed)
