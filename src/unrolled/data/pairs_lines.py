"""Pairs in plain text: a pair a line with a tab between, or two files that go line by line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from statistics import median

from unrolled.data.encodings import decode_text
from unrolled.data.files import read_bytes
from unrolled.data.language_names import are_languages
from unrolled.data.pairs_columns import (
    Sides,
    columns_taken,
    is_sentence,
    names_a_side,
    pick,
    two_sides,
)
from unrolled.errors import DataError

ATTRIBUTION = re.compile(r"\s*CC[\s-]?(?:BY|0)\b")
_LOOKED = 100
_SHOWN = 60
_LISTED = 6


def read_tabbed(
    path: Path, source: str | int | None, target: str | int | None, encoding: str
) -> Sides:
    """A pair a line, the columns separated by tabs.

    Raises: DataError with the line that has another number of columns.
    """
    lines = lines_of(path, encoding)
    full = (number for number, line in enumerate(lines, 1) if line.strip())
    start = next(full, 0)
    if not start:
        raise DataError("is empty: give a sentence and its translation a line", file=path)
    first = lines[start - 1].split("\t")
    width = len(first)
    named = any(isinstance(one, str) and not one.lstrip("-").isdigit() for one in (source, target))
    usual = source is None and target is None
    found = _languages_of(first) if usual else None
    usual = usual and found is None
    if usual or width < 2:
        _check_width(first, path, start)
    header, notes = _header(first, lines[start:], start, named or found is not None)
    names = tuple(cell.strip() for cell in first) if header else None
    if named:
        _check_named(first, (source, target), path, start)
    chosen = pick(names, width, source, target, usual=found or (0, 1), file=path, line=start)
    if found is not None:
        notes = (columns_taken([first[place].strip() for place in found], width),)
    sources, targets, numbers = [], [], []
    for number, line in enumerate(lines, 1):
        if number == start and header:
            continue
        cells = line.split("\t")
        if len(cells) != width:
            if not line.strip():
                cells = [""] * width
            elif width > 3 or named or found is not None:
                raise _other_width(cells, width, path, number, start)
            else:
                # two columns and three with an attribution may stand in one file
                _check_width(cells, path, number)
                if max(chosen) >= len(cells):
                    raise _other_width(cells, width, path, number, start)
        elif width == 3 and usual:
            _check_width(cells, path, number)
        sources.append(cells[chosen[0]])
        targets.append(cells[chosen[1]])
        numbers.append(number)
    columns = None if names is None else (names[chosen[0]], names[chosen[1]])
    return Sides(sources, targets, numbers, columns, notes, path)


def read_parallel(
    files: tuple[Path, Path], source: str | int | None, target: str | int | None, encoding: str
) -> Sides:
    """Two files: line `n` of the one is the translation of line `n` of the other.

    Raises: DataError with both counts where they differ.
    """
    sides = [lines_of(path, encoding) for path in files]
    shorter = min(map(len, sides))
    for side in sides:
        while len(side) > shorter and not side[-1].strip():
            side.pop()
    if len(sides[0]) != len(sides[1]):
        raise DataError(
            f"has {len(sides[0]):,} line{'s' * (len(sides[0]) != 1)} and {files[1]} "
            f"{len(sides[1]):,}: line by line they must be translations of each other",
            file=files[0],
        )
    ends = [Path(path.name.removesuffix(".gz")).suffix.removeprefix(".") for path in files]
    names = ends if all(map(names_a_side, ends)) and ends[0] != ends[1] else None
    chosen = pick(names, 2, source, target, file=f"{files[0]}, {files[1]}")
    return Sides(
        sides[chosen[0]],
        sides[chosen[1]],
        range(1, shorter + 1),
        None if names is None else (names[chosen[0]], names[chosen[1]]),
        (),
        files[0],
    )


def lines_of(path: Path, encoding: str) -> list[str]:
    """The lines of a file of text, without the empty one after the last line end.

    A line ends with `\\n` (or `\\r\\n`); with `\\r` only where there is no `\\n`, since text of the
    web has it inside of lines.

    Raises: DataError for a binary file; as `read_bytes` and `decode_text`.
    """
    raw = read_bytes(path)
    wide = encoding.lower().startswith(("utf-16", "utf_16", "utf16", "utf-32", "utf_32", "utf32"))
    if raw[:4] == b"PK\x03\x04":
        raise DataError("is a zip archive: unpack it and name the file of text in it", file=path)
    if raw[:2] == b"\x1f\x8b":
        raise DataError("is gzipped: give it a name that ends in .gz", file=path)
    if not wide and raw[:2] not in {b"\xff\xfe", b"\xfe\xff"} and b"\0" in raw:
        raise DataError(
            "is no text (it holds zero bytes): give a sentence and its translation a line",
            file=path,
            line=raw.count(b"\n", 0, raw.index(b"\0")) + 1,
        )
    text = decode_text(raw, path, encoding, ends=False)
    lines = text.split("\n" if "\n" in text else "\r")
    if not lines[-1]:
        lines.pop()
    return lines


def _check_width(cells: Sequence[str], path: Path, number: int) -> None:
    """DataError unless there are two columns, or a third with an attribution."""
    if len(cells) == 2 or (len(cells) == 3 and ATTRIBUTION.match(cells[2])):
        return
    if len(cells) == 1:
        raise DataError(
            f"has one column ({_shown(cells[0])}), expected a sentence and its translation with a "
            "tab between; two files are given as (source, target)",
            file=path,
            line=number,
        )
    names = ", ".join(map(_shown, cells[:_LISTED]))
    by_name = "" if any(map(is_sentence, cells)) else f" or by name ({names})"
    raise DataError(
        f"has {len(cells)} columns, expected two (a sentence, a tab, its translation): name two "
        f"with source= and target=, counted from 0 to {len(cells) - 1}{by_name}",
        file=path,
        line=number,
    )


def _other_width(
    cells: Sequence[str], width: int, path: Path, number: int, start: int
) -> DataError:
    found = "one column" if len(cells) == 1 else f"{len(cells)} columns"
    return DataError(
        f"has {found} where line {start} has {width}: separate the same columns by tabs in each "
        "line",
        file=path,
        line=number,
    )


def _languages_of(first: Sequence[str]) -> tuple[int, int] | None:
    """Of more columns than two those that a header calls by languages."""
    if len(first) < 3 or (len(first) == 3 and ATTRIBUTION.match(first[2])):
        return None
    return two_sides(first)


def _check_named(
    first: Sequence[str], wanted: Sequence[str | int | None], path: Path, start: int
) -> None:
    """DataError where columns are named and the first line is a pair and no header."""
    names = [cell.strip() for cell in first]
    for what, one in zip(("source", "target"), wanted, strict=True):
        missing = isinstance(one, str) and one not in names and not one.lstrip("-").isdigit()
        if missing and any(map(is_sentence, names)):
            raise DataError(
                f"has no header that could name {one!r} for {what}= (it begins with "
                f"{_shown(first[0])}): number the columns from 0 to {len(first) - 1}, or put a "
                "line with their names before it",
                file=path,
                line=start,
            )


def _header(
    first: Sequence[str], others: Sequence[str], start: int, named: bool
) -> tuple[bool, tuple[str, ...]]:
    """Whether the first line names the columns, and what to tell of the guess."""
    told = " and ".join(repr(cell.strip()) for cell in first[:2])
    if named:
        return True, ()
    rows = [line for line in islice(others, _LOOKED) if line.strip()]
    sentences = bool(rows) and median(len(line.split()) for line in rows) >= 4
    sides = all(names_a_side(cell) for cell in first[:2]) and (
        sentences or not any(len(cell.strip()) == 2 for cell in first[:2])
    )
    if sides or (sentences and all(are_languages(first[:2]))):
        return True, (f"line {start} ({told}) was taken for the names of the columns",)
    single = all(re.fullmatch(r"\s*[^\W\d]\w*\s*", cell) for cell in first[:2])
    if single and sentences:
        return False, (
            f"line {start} ({told}) was taken for a pair: if it names the columns, give source= "
            "and target= by these names",
        )
    return False, ()


def _shown(cell: str) -> str:
    line = cell.strip()
    return repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN].rstrip()}...")
