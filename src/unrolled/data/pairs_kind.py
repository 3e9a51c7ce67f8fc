"""Whether a file holds pairs of sentences, told by its beginning."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from unrolled.data.labelled_columns import LABEL_NAMES, TEXT_NAMES
from unrolled.data.pairs_columns import names_a_side
from unrolled.data.pairs_lines import ATTRIBUTION

_LOOKED = 1 << 16
# Fewer different values than this share are labels rather than translations.
_DIFFERENT = 0.5


def holds_pairs(path: str | PathLike[str]) -> bool:
    """Whether the beginning of a file of text plainly shows pairs of sentences.

    In lines with tabs: each has two columns (or a third with an attribution) of words that seldom
    repeat. In a CSV, and in objects of JSON: two fields, both called by a language or a side
    ("de", "source"), or an object "translation". False also for what can't be read.
    """
    path = Path(path)
    lines = [line for line in beginning(path).split("\n") if line.strip()]
    if not lines:
        return False
    kind = Path(path.name.lower().removesuffix(".gz")).suffix
    if kind in {".jsonl", ".ndjson"}:
        return _object_of_sides(lines[0])
    if kind == ".csv":
        return _name_sides(next(csv.reader(lines[:1]), []))
    return _lines_of_sides([line.split("\t") for line in lines])


def beginning(path: Path) -> str:
    """Whole lines of the first 64 kB of a file of text (.gz too); "" where it can't be read."""
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else open(path, "rb") as file:
            raw = file.read(_LOOKED)
    except (OSError, EOFError, zlib.error):
        return ""
    text = raw.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    return text if len(raw) < _LOOKED else text.rpartition("\n")[0]


def _name_sides(names: Sequence[str]) -> bool:
    plain = {name.strip().lower() for name in names}
    labelled = plain & set(TEXT_NAMES) and plain & set(LABEL_NAMES)
    return len(names) == 2 and all(map(names_a_side, names)) and not labelled


def _object_of_sides(line: str) -> bool:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    if not isinstance(record, dict):
        return False
    return isinstance(record.get("translation"), dict) or _name_sides(list(record))


def _lines_of_sides(rows: Sequence[Sequence[str]]) -> bool:
    if not all(len(row) == 2 or (len(row) == 3 and ATTRIBUTION.match(row[2])) for row in rows):
        return False
    if _name_sides(rows[0][:2]):
        return True
    if {cell.strip().lower() for cell in rows[0]} & {*TEXT_NAMES, *LABEL_NAMES}:
        return False
    for side in ([row[0] for row in rows], [row[1] for row in rows]):
        words = sum(1 for cell in side if any(map(str.isalpha, cell)))
        if words < len(rows) / 2 or len(set(side)) < _DIFFERENT * len(rows):
            return False
    return True
