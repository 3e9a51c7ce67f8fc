"""Whether a file holds pairs of sentences, told by its beginning."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from unrolled.data.labelled_columns import LABEL_NAMES, TEXT_NAMES
from unrolled.data.pairs_columns import names_a_side, two_sides
from unrolled.data.pairs_lines import ATTRIBUTION

_LOOKED = 1 << 16
# Fewer different values than this share are labels rather than translations.
_DIFFERENT = 0.5


def holds_pairs(path: str | PathLike[str]) -> bool:
    """Whether the beginning of a file of text plainly shows pairs of sentences.

    In lines with tabs: each has two columns (or a third with an attribution) of words that seldom
    repeat. In a CSV, and in objects of JSON: two fields, both called by a language or a side
    ("de", "source"), or an object "translation". In any of them: among other fields just two that
    are called by languages and hold words that seldom repeat. False also for what can't be read.
    """
    path = Path(path)
    lines = [line for line in beginning(path).split("\n") if line.strip()]
    if not lines:
        return False
    kind = Path(path.name.lower().removesuffix(".gz")).suffix
    if kind in {".jsonl", ".ndjson"}:
        return _objects_of_sides(lines)
    if kind == ".csv":
        rows = list(csv.reader(lines))
        return _name_sides(rows[0]) or _among_others(rows)
    rows = [line.split("\t") for line in lines]
    return _lines_of_sides(rows) or _among_others(rows)


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


def _objects_of_sides(lines: Sequence[str]) -> bool:
    records = [record for line in lines if (record := _object(line)) is not None]
    if not records or _object(lines[0]) is None:
        return False
    names = list(records[0])
    if isinstance(records[0].get("translation"), dict) or _name_sides(names):
        return True
    return _among_others([names, *([str(one.get(name, "")) for name in names] for one in records)])


def _object(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _among_others(rows: Sequence[Sequence[str]]) -> bool:
    """Whether just two of the columns that the first row names are of languages, and hold text."""
    names = [name.strip() for name in rows[0]]
    others = [row for row in rows[1:] if len(row) == len(names)]
    held = [place for place in range(len(names)) if _are_sentences([row[place] for row in others])]
    # cheap before dear: most tables have no two columns of text
    found = two_sides(names) if len(held) >= 2 else None
    return found is not None and set(found) <= set(held)


def _lines_of_sides(rows: Sequence[Sequence[str]]) -> bool:
    if not all(len(row) == 2 or (len(row) == 3 and ATTRIBUTION.match(row[2])) for row in rows):
        return False
    if _name_sides(rows[0][:2]):
        return True
    if {cell.strip().lower() for cell in rows[0]} & {*TEXT_NAMES, *LABEL_NAMES}:
        return False
    return all(_are_sentences([row[side] for row in rows]) for side in (0, 1))


def _are_sentences(cells: Sequence[str]) -> bool:
    """Whether half of them have letters, and they seldom repeat."""
    words = sum(1 for cell in cells if any(map(str.isalpha, cell)))
    return words >= len(cells) / 2 and len(set(cells)) >= _DIFFERENT * len(cells)
