"""The catalog's recordings: fetched archives by their contents, parts, folders that are written."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pooch
import pytest
import soundfile

from unrolled.data import catalog, read_recordings
from unrolled.data.archives import contents_sha256
from unrolled.errors import ConfigError, DataError, OutputError

NAMES = ("7_ann_0", "7_ann_5", "0_bob_4", "0_bob_12", "0_bob_49")


def packed(path: Path, top: str, level: int = 9, names: tuple[str, ...] = NAMES) -> bytes:
    """An archive of digits as GitHub gives it; `level` changes its bytes and not what it holds."""
    with tarfile.open(path, "w:gz", compresslevel=level) as archive:
        for at, name in enumerate(names):
            file = io.BytesIO()
            soundfile.write(file, np.full(800 + at, 0.1), 8000, format="WAV")
            member = tarfile.TarInfo(f"{top}/recordings/{name}.wav")
            member.size = len(file.getvalue())
            archive.addfile(member, io.BytesIO(file.getvalue()))
        archive.addfile(tarfile.TarInfo(f"{top}/README.md"))
    return path.read_bytes()


@pytest.fixture
def digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Makes the catalog know a small set of digits; what it returns sets what is served for it."""
    path = tmp_path / "origin.tar.gz"
    packed(path, "digits-abc")
    contents = contents_sha256(path, "recordings")
    changed = dict(catalog._table())
    for name, count in (("fsdd-train", 3), ("fsdd-test", 2)):
        known = catalog.entry(name)
        assert known.published is not None
        published = replace(known.published, contents=contents)
        options = {**known.options, "count": count}
        changed[name] = replace(known, published=published, options=options)
    monkeypatch.setattr(catalog, "_table", lambda: changed)
    monkeypatch.delenv("UNROLLED_DATA", raising=False)
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path / "cache"))

    def serve(content: bytes) -> None:
        def write(url: str, output_file: str, *args: object, **options: object) -> None:
            Path(output_file).write_bytes(content)

        monkeypatch.setattr(pooch.core, "choose_downloader", lambda *a, **k: write)

    serve(path.read_bytes())
    return serve


def test_takes_0_to_4_are_the_test_and_both_parts_need_one_download(
    digits: Callable[[bytes], None],
) -> None:
    train = catalog.load("fsdd-train")
    digits(b"must not be asked again")
    test = catalog.load("fsdd-test")
    assert [one.place for one in train.items] == ["0_bob_12.wav", "0_bob_49.wav", "7_ann_5.wav"]
    assert [one.place for one in test.items] == ["0_bob_4.wav", "7_ann_0.wav"]
    assert (train.name, test.labelled, test.texts) == ("fsdd-train", True, ("0", "7"))


def test_an_archive_counts_by_what_it_holds_and_not_by_how_it_was_packed(
    digits: Callable[[bytes], None], tmp_path: Path
) -> None:
    other = packed(tmp_path / "b.tar.gz", "digits-other", level=1)
    assert (
        hashlib.sha256(other).digest()
        != hashlib.sha256((tmp_path / "origin.tar.gz").read_bytes()).digest()
    )
    digits(other)
    assert len(catalog.load("fsdd-train")) == 3


@pytest.mark.parametrize("whole", [True, False])
def test_an_archive_with_other_contents_is_thrown_away(
    digits: Callable[[bytes], None], tmp_path: Path, whole: bool
) -> None:
    other = packed(tmp_path / "b.tar.gz", "digits-abc", names=NAMES[:-1])
    digits(other if whole else (tmp_path / "origin.tar.gz").read_bytes()[:-100])
    with pytest.raises(DataError, match=r"another sha256.*nothing was kept") as caught:
        catalog.load("fsdd-train")
    assert "\n" not in str(caught.value)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_an_archive_that_was_changed_in_the_cache_is_refused(
    digits: Callable[[bytes], None],
) -> None:
    path = catalog.get("fsdd-train")
    packed(path, "digits-abc", names=NAMES[1:])
    with pytest.raises(DataError, match="remove it and fetch it again") as caught:
        catalog.load("fsdd-train")
    assert caught.value.file == str(path)


def test_files_that_were_lost_from_the_cache_are_told(digits: Callable[[bytes], None]) -> None:
    one = catalog.load("fsdd-train").items[0].path
    assert one is not None
    one.unlink()
    with pytest.raises(DataError, match="holds 2 recordings of fsdd-train where the catalog has 3"):
        catalog.load("fsdd-train")
    shutil.rmtree(one.parent)
    assert len(catalog.load("fsdd-train")) == 3


def test_a_set_is_written_as_a_folder_that_is_read_as_the_set(
    digits: Callable[[bytes], None], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    whole = catalog.load("fsdd-train")
    found = read_recordings(catalog.export("fsdd-train", tmp_path / "out"))
    assert found.digest() == whole.digest()
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["audio", "manifest.csv"]


def test_nothing_that_stands_there_is_written_over(
    digits: Callable[[bytes], None], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    for place in (tmp_path / "out", tmp_path / "out" / "mine"):
        with pytest.raises(OutputError, match="is there already and not empty"):
            catalog.export("fsdd-test", place)
    with pytest.raises(OutputError, match="can't be written"):
        catalog.export("fsdd-test", tmp_path / "out" / "mine" / "more")
    with pytest.raises(ConfigError, match="is written as a folder"):
        catalog.export("fsdd-test", tmp_path / "out.csv")
    assert [one for one in sorted(tmp_path.rglob("*")) if "cache" not in one.parts] == before


@pytest.mark.data
def test_the_sum_of_what_is_published_is_that_of_what_is_kept() -> None:
    for known in catalog.entries():
        path = catalog.find(known.name) if known.kind == "recordings" else None
        if path is not None and known.published is not None:
            assert contents_sha256(path, known.published.within) == known.published.contents
