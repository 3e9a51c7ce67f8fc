"""What holds recordings is known by its names and its beginning."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from unrolled.data.recordings_kind import holds_recordings


def made(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = text.encode()
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return folder


@pytest.mark.parametrize(
    "files",
    [
        {"yes/a.wav": "", "no/b.wav": ""},
        {"7/8/7-8-0.flac": "", "7/8/7-8-1.flac": "", "7/8/7-8.trans.txt": "7-8-0 YES"},
        {"a.mp3": "", "a.txt": "yes", "b.mp3": "", "b.txt": "no", "README.txt": ""},
        {"metadata.csv": "LJ-1|Yes|Yes\n", "wavs/LJ-1.wav": ""},
        {"a.m4a": "", "b.m4a": ""},
        {"feat/a.mfc": "", "etc/a.fileids": "a\n"},
        {"lists/README": "", "etc/a.fileids": "a\n"},
        {"train.csv": "path,sentence\nclips/a.mp3,yes\n"},
    ],
)
def test_folders_of_recordings_are_known(tmp_path, files):
    assert holds_recordings(made(tmp_path, files))


@pytest.mark.parametrize(
    "files",
    [
        {"good/a.txt": "x", "bad/b.txt": "y"},
        {"good/a.txt": "", "good/b.txt": "", "bad/c.txt": "", "vectors.npy": ""},
        {"sales.csv": "date,tea\n2024-01-01,3\n"},
        {".hidden/a.wav": "", "good.txt": "x"},
        {},
    ],
)
def test_other_folders_are_not(tmp_path, files):
    assert not holds_recordings(made(tmp_path, files))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "path,sentence\nclips/a.mp3,yes\nclips/b.mp3,no\n"),
        ("a.tsv", "client_id\tpath\tsentence\nx\ta.mp3\tyes\n"),
        ("a.csv.gz", "audio,text\na.wav,yes\n"),
        ("a.jsonl", '{"audio_filepath": "a.wav", "duration": 2.1, "text": "yes"}\n'),
        ("a.csv", "File Name,command\na.wav,yes\n,no\nc.wav,no\n"),
        ("metadata.csv", "LJ-1|Yes, sir|Yes, sir\nLJ-2|No|No\n"),
        ("train.fileids", "a\n"),
        ("7-8.trans.txt", "7-8-0 YES\n"),
        ("a.wav", ""),
    ],
)
def test_tables_lists_and_sounds_are_known(tmp_path, name, text):
    assert holds_recordings(made(tmp_path, {name: text}) / name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "date,tea\n2024-01-01,3\n"),
        ("a.csv", "file,text,label\n1.txt,a film,good\n2.txt,another,bad\n"),
        ("a.csv", "path,text\na.wav,x\nnothing,y\nelse,z\n"),
        ("a.tsv", "Ja\tYes\nNein\tNo\n"),
        ("a.jsonl", '{"text": "a.wav", "label": "x"}\n'),
        ("a.jsonl", '{"audio": "a.wav"\n'),
        ("a.jsonl", "[" * 100_000),
        ("a.csv", ""),
        ("a.csv", "audio,text\n\0,x\n"),
        ("a.csv", "audio,text\n"),
        ("a.txt", "audio,text\na.wav,x\n"),
    ],
)
def test_other_files_are_not(tmp_path, name, text):
    assert not holds_recordings(made(tmp_path, {name: text}) / name)


def test_names_without_an_ending_count_where_their_sounds_are_there(tmp_path):
    table = made(tmp_path, {"a.csv": "file,text\na,yes\nb,no\n"}) / "a.csv"
    assert not holds_recordings(table)
    made(tmp_path, {"wavs/a.wav": "", "wavs/b.wav": ""})
    assert holds_recordings(table)


def test_what_is_not_there_holds_nothing(tmp_path):
    assert not holds_recordings(tmp_path / "none.csv")
    assert not holds_recordings(tmp_path / "none")
