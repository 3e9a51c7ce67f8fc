"""Whether a folder or a file holds recordings, told by its names and its beginning."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from os import PathLike
from pathlib import Path

from unrolled.data.feature_file import FEATURES
from unrolled.data.pairs_kind import beginning
from unrolled.data.recordings_folder import TRANSCRIPTS
from unrolled.data.recordings_lists import sound_at
from unrolled.data.recordings_manifest import AUDIO_NAMES, names_sound, plain_name
from unrolled.data.sound_file import FOREIGN, SOUNDS

_ROWS = 20
_FILES = 10_000
_OBJECTS = frozenset({".jsonl", ".ndjson"})


def holds_recordings(path: str | PathLike[str]) -> bool:
    """Whether a folder has sounds in it, or a table or list names some.

    A folder: of its first 10,000 files as many are sounds or features (or of a kind of sound that
    can't be read here) as are texts, or a table or list in it, or in its `etc`, holds recordings.
    A table (.csv, .tsv, .jsonl): most of its first rows name a sound in a column
    that is called as usual ("audio", "path", ...), or a file that is there. A list: .fileids,
    .trans.txt, and metadata.csv with `|`. False also for what can't be read.
    """
    path = Path(path)
    if path.is_dir():
        return _of_folder(path)
    lower = path.name.lower()
    if lower.endswith((".fileids", TRANSCRIPTS)) or _sounds(lower):
        return True
    kind = Path(lower.removesuffix(".gz")).suffix
    if kind not in {".csv", ".tsv", *_OBJECTS}:
        return False
    lines = [line for line in beginning(path).split("\n") if line.strip()][: 1 + _ROWS]
    if not lines:
        return False
    if lower == "metadata.csv" and "|" in lines[0].partition(",")[0]:
        return True
    rows = _objects(lines) if kind in _OBJECTS else _rows(lines, "\t" if kind == ".tsv" else ",")
    named = [one for one in map(_sound_named, rows) if one]
    told = [one for one in named if names_sound(one) or sound_at(path.parent, one).is_file()]
    return bool(rows) and 2 * len(told) > len(rows)


def _of_folder(folder: Path) -> bool:
    names = list(islice(_names(folder), _FILES))
    sounds = sum(map(_sounds, names))
    texts = sum(name.endswith(".txt") and not name.endswith(TRANSCRIPTS) for name in names)
    if sounds:
        return 2 * sounds >= texts
    inside = (one for place in (folder, folder / "etc") for one in sorted(place.glob("*.*")))
    return any(holds_recordings(one) for one in inside if one.is_file())


def _sounds(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SOUNDS | FEATURES | FOREIGN


def _names(folder: Path) -> Iterator[str]:
    for _, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (name for name in names if not name.startswith("."))


def _rows(lines: list[str], separator: str) -> list[Mapping[str, object]]:
    try:
        return list(csv.DictReader(lines, delimiter=separator))
    except csv.Error:
        return []


def _objects(lines: list[str]) -> list[Mapping[str, object]]:
    found: list[Mapping[str, object]] = []
    for line in lines:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            return []
        if isinstance(record, dict):
            found.append(record)
    return found


def _sound_named(row: Mapping[str, object]) -> str | None:
    """What stands in the column that is called as one of sounds is."""
    for name, value in row.items():
        if isinstance(name, str) and isinstance(value, str) and plain_name(name) in AUDIO_NAMES:
            return value
    return None
