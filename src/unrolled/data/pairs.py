"""`SentencePairs`: sentences, each with its translation."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.linked import Groups, linked
from unrolled.data.pairs_columns import Sides, pick
from unrolled.errors import DataError

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class SentencePairs:
    """`N` sentences and their translations; neither side of a pair is empty.

    Attributes:
        sources: `N` sentences to translate.
        targets: their translations.
        name: of the file or set.
        lines: of each pair its line in the file, counted from 1; empty where there is no file.
        notes: what was guessed or changed while they were read, each a sentence.
        columns: what the source's and the target's column is called, such as ("de", "en"); None
            where the columns have no names.
        one_sided: where a pair had an empty side and was left out: lines as in `lines`, or rows
            counted from 0.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    name: str = "pairs"
    lines: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    columns: tuple[str, str] | None = None
    one_sided: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.sources)

    def __str__(self) -> str:
        about = f"{len(self):,} pair{'s' * (len(self) != 1)} of sentences"
        return about if self.columns is None else f"{about}, {' to '.join(self.columns)}"

    def select(self, places: Sequence[int] | np.ndarray) -> SentencePairs:
        """Some of the pairs; what was left out while reading is told of the whole alone."""
        kept = [int(place) for place in places]
        return replace(
            self,
            sources=tuple(self.sources[place] for place in kept),
            targets=tuple(self.targets[place] for place in kept),
            lines=tuple(self.lines[place] for place in kept) if self.lines else (),
            notes=(),
            one_sided=(),
        )

    def turned(self) -> SentencePairs:
        """The same pairs in the other direction."""
        return replace(
            self,
            sources=self.targets,
            targets=self.sources,
            columns=None if self.columns is None else self.columns[::-1],
        )

    def place(self, at: int) -> str:
        """ "line 17", or "pair 16" (counted from 0) where there is no file."""
        return f"line {self.lines[at]}" if self.lines else f"pair {at}"

    def told(self, places: Sequence[int] | np.ndarray) -> str:
        """ "lines 4, 8, 15", or "pairs 3, 7, 14" (counted from 0) where there is no file."""
        numbers = [self.lines[place] if self.lines else int(place) for place in places]
        return places_told(numbers, "line" if self.lines else "pair")

    def groups(self) -> Groups:
        """The places of pairs that share a sentence on either side, also over others.

        Capitals and spaces do not count.
        """
        return linked(map(plain, self.sources), map(plain, self.targets))

    def digest(self) -> bytes:
        """32 bytes that are alike only where all sentences are."""
        total = hashlib.sha256()
        for source, target in zip(self.sources, self.targets, strict=True):
            total.update(f"{source}\n{target}\n".encode("utf-8", "surrogatepass"))
        return total.digest()


def plain(sentence: str) -> str:
    """The same for sentences that differ in capitals and spaces alone."""
    return " ".join(sentence.split()).casefold()


def read_pairs(
    data: Any,
    *,
    source: str | int | None = None,
    target: str | int | None = None,
    encoding: str = "utf-8",
) -> SentencePairs:
    """Sentences and their translations from a file, two parallel files, a frame, or a list.

    Args:
        data: one of

            - text with a pair a line (.tsv, .txt, any other name), the columns separated by tabs;
              a third column with an attribution ("CC-BY 2.0 ...", as Tatoeba has it) is left out.
              Quotation marks are marks as any other;
            - two files `(source, target)` whose lines belong together;
            - .jsonl: `{"de": "...", "en": "..."}` or `{"translation": {"de": "...", "en": "..."}}`
              a line; .json: a list of such objects;
            - .csv with a header, .parquet, or a pandas, polars or pyarrow frame;
            - a list of `(sentence, translation)`, or a tuple `(sentences, translations)`;
            - `SentencePairs`.

            Files may be gzipped (.gz).
        source, target: the columns, by name or by number counted from 0 (-1 is the last). Where one
            of them is given the other is what is left; where both are None they are the first and
            the second, and among more columns the two that are called by languages ("id", "de",
            "English"). Two files are columns too, called by the ends of their names
            ("train.de.gz": "de").
        encoding: of the files.

    Returns:
        the pairs; white space around a sentence is taken off, a line break inside one becomes a
        space (and is noted), all else stays as it is. A line that is empty on both sides is left
        out and noted; one that is empty on one side is left out and stands in `one_sided`.

    Raises: DataError with file and line for files of unequal length, a line with another number of
    columns, a column that is not there, no pair at all, a binary file, bytes of another encoding,
    half a character (a lone surrogate, such as "\\ud800" in JSON).
    """
    if isinstance(data, SentencePairs):
        _check_characters(data)
        order = pick(data.columns, 2, source, target)
        return data if order == (0, 1) else data.turned()
    if isinstance(data, (str, PathLike)):
        path = Path(data)
        return _kept(_of_file(path, source, target, encoding), path.name)
    if isinstance(data, tuple) and len(data) == 2:
        if all(isinstance(one, (str, PathLike)) for one in data):
            from unrolled.data.pairs_lines import read_parallel

            files = (Path(data[0]), Path(data[1]))
            return _kept(read_parallel(files, source, target, encoding), _common_name(files))
        if not any(isinstance(one, (str, PathLike)) for one in data):
            return _kept(_of_sequences(*data, source, target), "pairs")
    if isinstance(data, (list, tuple)) or hasattr(data, "__next__"):
        return _kept(_of_list(list(data), source, target), "pairs")
    from unrolled.data.pairs_tables import read_sides

    return _kept(read_sides(data, source, target, encoding), "frame")


def _of_file(
    path: Path, source: str | int | None, target: str | int | None, encoding: str
) -> Sides:
    from unrolled.data.pairs_lines import read_tabbed
    from unrolled.data.pairs_tables import TABLES, read_sides

    kind = Path(path.name.lower().removesuffix(".gz")).suffix
    read = read_sides if kind in TABLES and not path.is_dir() else read_tabbed
    return read(path, source, target, encoding)


def _of_sequences(
    sources: Any, targets: Any, source: str | int | None, target: str | int | None
) -> Sides:
    sides = tuple(sources), tuple(targets)
    if len(sides[0]) != len(sides[1]):
        raise DataError(
            f"got {len(sides[0]):,} sentences and {len(sides[1]):,} translations: give one for each"
        )
    first, second = pick(None, 2, source, target)
    return Sides(_checked(sides[first]), _checked(sides[second]))


def _of_list(pairs: list[Any], source: str | int | None, target: str | int | None) -> Sides:
    for row, one in enumerate(pairs):
        if isinstance(one, str) or not hasattr(one, "__len__") or len(one) != 2:
            raise DataError(
                f"pair {row} (counted from 0) is {_told(one)}, expected (sentence, translation); "
                "two files are given as a tuple of two paths"
            )
    first, second = pick(None, 2, source, target)
    return Sides(_checked(one[first] for one in pairs), _checked(one[second] for one in pairs))


def _checked(sentences: Iterable[Any]) -> list[str]:
    checked = []
    for row, one in enumerate(sentences):
        if one is None or one != one:
            one = ""
        elif not isinstance(one, str):
            raise DataError(
                f"pair {row} (counted from 0) holds {type(one).__name__} where a sentence is "
                "expected"
            )
        checked.append(one)
    return checked


def _told(one: Any) -> str:
    if isinstance(one, str):
        return "one text"
    if hasattr(one, "__len__"):
        return f"{len(one)} thing{'s' * (len(one) != 1)}"
    return type(one).__name__


def _kept(sides: Sides, name: str) -> SentencePairs:
    """The pairs that have both sides, and what to tell of the others."""
    sources: list[str] = []
    targets: list[str] = []
    places: list[int] = []
    empty: list[int] = []
    one_sided: list[int] = []
    broken: list[int] = []
    lines = range(len(sides.sources)) if sides.lines is None else sides.lines
    for line, *pair in zip(lines, sides.sources, sides.targets, strict=True):
        source, target = (one.strip() for one in pair)
        if not source or not target:
            (one_sided if source or target else empty).append(line)
            continue
        if "\n" in source or "\n" in target or "\r" in source or "\r" in target:
            broken.append(line)
            source, target = (" ".join(one.splitlines()) for one in (source, target))
        sources.append(source)
        targets.append(target)
        places.append(line)
    told = "row" if sides.lines is None else "line"
    if not sources:
        found = "every side is empty" if empty or one_sided else "nothing stands in it"
        if one_sided:
            found = f"an empty side in {places_told(one_sided, told)}"
        raise DataError(
            f"holds no pair of sentences ({found}): give a sentence and its translation a line",
            file=sides.file,
        )
    notes = list(sides.notes)
    if empty:
        notes.append(f"left out for want of any text: {places_told(empty, told)}")
    if broken:
        notes.append(f"line breaks inside sentences are spaces now: {places_told(broken, told)}")
    pairs = SentencePairs(
        tuple(sources),
        tuple(targets),
        name,
        () if sides.lines is None else tuple(places),
        tuple(notes),
        sides.columns,
        tuple(one_sided),
    )
    _check_characters(pairs, sides.file)
    return pairs


def _check_characters(pairs: SentencePairs, file: str | PathLike[str] | None = None) -> None:
    """DataError for a sentence that no encoding can write: it holds half a character."""
    for side in (pairs.sources, pairs.targets):
        for place, sentence in enumerate(side):
            half = None if sentence.isascii() else _SURROGATE.search(sentence)
            if half is not None:
                at = "" if pairs.lines else f"pair {place} (counted from 0) "
                raise DataError(
                    f"{at}holds half a character, {half[0]!a}: a lone surrogate, which comes"
                    " from text that was cut inside an emoji; take it out",
                    file=file,
                    line=pairs.lines[place] if pairs.lines else None,
                )


def places_told(places: Sequence[int], what: str = "line", most: int = 5) -> str:
    """ "line 17", "lines 4, 8, 15", "lines 4, 8, 15, 16, 23 and 115 more"."""
    told = ", ".join(map(str, places[:most]))
    if len(places) > most:
        told += f" and {len(places) - most:,} more"
    return f"{what}{'s' * (len(places) != 1)} {told}"


def _common_name(files: tuple[Path, Path]) -> str:
    """ "train.de" of "train.de.gz" and "train.en.gz": what both are called, "train"."""
    first, second = (fspath(one.name).removesuffix(".gz") for one in files)
    same = 0
    while same < min(len(first), len(second)) and first[same] == second[same]:
        same += 1
    return first[:same].rstrip("._-") or f"{first}, {second}"


def write_pairs(pairs: SentencePairs, path: str | PathLike[str], suffix: str = ".tsv") -> None:
    """Write a pair a line: with a tab between, or as JSON (`{"de": "...", "en": "..."}`).

    Args:
        pairs: what is written; a tab inside a sentence becomes a space in ".tsv".
        path: of the file.
        suffix: ".tsv" or ".jsonl".
    """
    names = pairs.columns or ("source", "target")
    with open(fspath(path), "w", encoding="utf-8", newline="\n") as file:
        for pair in zip(pairs.sources, pairs.targets, strict=True):
            if suffix == ".jsonl":
                line = json.dumps(dict(zip(names, pair, strict=True)), ensure_ascii=False)
            else:
                line = "\t".join(one.replace("\t", " ") for one in pair)
            file.write(line + "\n")
