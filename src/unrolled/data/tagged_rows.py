"""The lines of CoNLL and CoNLL-U files: which columns there are, and the words of each sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike

from unrolled.errors import DataError

_CONLLU = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_CONLL_2003 = ("word", "pos", "chunk", "ner")
_WORD_ID = re.compile(r"\d+")
_OTHER_ID = re.compile(r"\d+[-.]\d+")
_COMMENT = re.compile(r"#\s*(?:[\w.:-]+\s*=|(?:id|newdoc|newpar|sent_id)\b|$)")


@dataclass(frozen=True)
class Layout:
    """How the lines of a file are made.

    Attributes:
        universal: whether it is CoNLL-U.
        separator: between columns: a tab, or " " for any spaces.
        width: number of columns, `first_line` being the line that said so.
        word, place: the column of the words and of the tags; None: there are no tags.
        column: name or number of the tags' column, for a person.
        blank: what stands for "no tag".
        notes: what was guessed.
    """

    universal: bool
    separator: str
    width: int
    first_line: int
    word: int
    place: int | None
    column: str | int | None
    blank: str | None
    notes: tuple[str, ...] = ()


def layout_of(text: str, path: str | PathLike[str], column: str | int | None) -> Layout:
    """The layout that the first line with a word shows.

    Raises: DataError for a column that the file does not have.
    """
    number, line = next(
        (
            (number, line)
            for number, line in enumerate(text.split("\n"), 1)
            if line.strip(" \t") and not _COMMENT.match(line) and not line.startswith("-DOCSTART-")
        ),
        (1, ""),
    )
    if not line:
        raise DataError("holds no word: give a word and its tag a line", file=path)
    separator = "\t" if "\t" in line else " "
    cells = _cells(line, separator)
    width = len(cells)
    first = cells[0]
    if width == 10 and (_WORD_ID.fullmatch(first) or _OTHER_ID.fullmatch(first)):
        place, name = _universal_column(column, path)
        told = () if column is not None else ("tags: column 'upos' (column= names another)",)
        return Layout(True, separator, width, number, 1, place, name, "_", told)
    if width == 1:
        if column is not None:
            raise DataError(
                f"there is no column {column!r}: the line has only a word", file=path, line=number
            )
        return Layout(False, separator, 1, number, 0, None, None, None)
    place = _plain_column(column, width, path, number)
    told = ()
    if column is None and width > 2:
        told = (f"tags: the last of {width} columns (column= names another, counted from 0)",)
    return Layout(False, separator, width, number, 0, place, column or place, None, told)


def sentences(
    text: str, layout: Layout, path: str | PathLike[str]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The words and tags of each sentence; no tags where the layout has none.

    Raises: DataError with the line that has another number of columns, or an empty word.
    """
    words: list[str] = []
    tags: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip(" \t"):
            if words:
                yield tuple(words), tuple(tags)
                words, tags = [], []
            continue
        comment = line[0] == "#" and (layout.universal or (not words and _COMMENT.match(line)))
        if comment or line.startswith("-DOCSTART-"):
            continue
        cells = _cells(line, layout.separator)
        if len(cells) != layout.width:
            raise _wrong_width(len(cells), layout, path, number)
        if layout.universal:
            if _OTHER_ID.fullmatch(cells[0]):
                continue
            if not _WORD_ID.fullmatch(cells[0]):
                raise DataError(
                    f"begins with {cells[0]!r} where CoNLL-U has the number of the word",
                    file=path,
                    line=number,
                )
        word = cells[layout.word].strip(" ")
        tag = "" if layout.place is None else cells[layout.place].strip(" ")
        if not word or (layout.place is not None and not tag):
            raise DataError(
                f"has no {'tag' if word else 'word'}: each line holds a word and its tag",
                file=path,
                line=number,
            )
        words.append(word)
        if layout.place is not None:
            tags.append(tag)
    if words:
        yield tuple(words), tuple(tags)


def _cells(line: str, separator: str) -> list[str]:
    if separator == "\t":
        return line.split("\t")
    # not str.split(): a word may hold a no-break space
    return [one for one in line.split(" ") if one]


def _wrong_width(found: int, layout: Layout, path: str | PathLike[str], number: int) -> DataError:
    between = "tabs" if layout.separator == "\t" else "spaces"
    what = f"has {found} column{'s' * (found != 1)} where line {layout.first_line} has"
    return DataError(
        f"{what} {layout.width}: give each word the same columns, separated by {between}, and a "
        "blank line between sentences",
        file=path,
        line=number,
    )


def _universal_column(column: str | int | None, path: str | PathLike[str]) -> tuple[int, str]:
    if isinstance(column, int) and -10 <= column < 10:
        return column % 10, _CONLLU[column % 10]
    name = "upos" if column is None else str(column).lower()
    if name not in _CONLLU:
        raise DataError(
            f"there is no column {column!r}: CoNLL-U has {', '.join(_CONLLU[2:])}", file=path
        )
    return _CONLLU.index(name), name


def _plain_column(
    column: str | int | None, width: int, path: str | PathLike[str], line: int
) -> int:
    if column is None:
        return width - 1
    if isinstance(column, str) and re.fullmatch(r"-?\d+", column):
        column = int(column)
    if isinstance(column, int) and (0 < column < width or -width < column < 0):
        return column % width
    names = _CONLL_2003 if width == 4 else _CONLL_2003[:3] if width == 3 else ()
    if column in names[1:]:
        return names.index(str(column))
    known = f", or {', '.join(names[1:])}" if names else ""
    raise DataError(
        f"there is no column {column!r} of tags: the line has {width} columns, the word in 0, tags "
        f"in 1 to {width - 1}{known}",
        file=path,
        line=line,
    )
