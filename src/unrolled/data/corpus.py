"""`Corpus`: one or several documents, read in a stream, so that they may be larger than memory."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from unrolled.data.corpus_tables import TABLES, is_table, stream_table
from unrolled.data.text import text_files
from unrolled.data.text_stream import stream_text
from unrolled.errors import ConfigError, DataError

SIZE = 1 << 20
_SUFFIXES = (".txt", ".txt.gz", ".md", ".md.gz", *TABLES)
_EXPECTED = (
    "expected a text, the path of a text file, of a folder of them or of a table (.csv, .tsv,"
    " .jsonl), or a list of texts or of paths"
)


class _Measures(NamedTuple):
    characters: int
    digest: str
    begins: np.ndarray


class Corpus:
    """One or several documents to learn a language from.

    Made by `Corpus.of`. Nothing is read before it is asked for, and never more than a few megabytes
    of a file at a time.

    Attributes:
        name: of the file or folder, or "the text".
        file: its path, None where the text came as such.
        notes: what was guessed, each a sentence.
        characters: of all documents and of the line breaks between them. Read once, as `documents`
            (how many there are), `begins` (where) and `digest` (sha256 of the text in UTF-8) are at
            the same time.
    """

    def __init__(
        self,
        documents: Callable[[], Iterable[Iterable[str]]],
        *,
        name: str = "the text",
        file: str | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self._documents = documents
        self.name = name
        self.file = file
        self.notes = notes

    @classmethod
    def of(cls, data: Any, *, text_column: str | None = None, encoding: str = "utf-8") -> Corpus:
        """The corpus that a person means.

        Args:
            data: a text; the path of a text file (gzipped where it ends in `.gz`), of a folder,
                whose `.txt` and `.txt.gz` files are documents in the order of their names, or of a
                table (`.csv`, `.tsv`, `.jsonl`, each also `.gz`), whose rows are documents; a list
                of texts or of paths; labelled texts; a `Corpus`.
            text_column: of a table; None takes one by the name of "text", "review", "sentence" or
                the like, else the one with the longest cells, and says so in `notes`.
            encoding: of the files.

        Raises: ConfigError for something else; DataError for a text that is no Unicode. What is
        wrong with files is raised where they are read: a missing or empty file, bytes of another
        encoding (with line and offset).
        """
        if isinstance(data, Corpus):
            return data
        if isinstance(data, str) and not names_a_file(data):
            return cls(partial(_as_documents, (_checked(data),)))
        if isinstance(data, (str, PathLike)):
            path = Path(data)
            files, notes = _files(path), list[str]()
            documents = partial(_of_files, files, text_column, encoding)
            if is_table(path) and text_column is None:
                column = next(stream_table(path, None, encoding))[0]
                documents = partial(_of_files, files, column, encoding)
                notes.append(f"the texts are column {column!r}: text_column= names another")
            name = path.name or str(path)
            return cls(documents, name=name, file=os.fspath(data), notes=tuple(notes))
        texts = getattr(data, "texts", None)
        if isinstance(texts, Sequence) and not isinstance(texts, str):
            texts = (*texts, *getattr(data, "unlabelled", ()))
            name = str(getattr(data, "name", "the texts"))
            return cls(partial(_as_documents, tuple(map(_checked, texts))), name=name)
        if not isinstance(data, (list, tuple)):
            raise ConfigError(f"data: got {type(data).__name__}, {_EXPECTED}")
        if not data:
            raise ConfigError(f"data: got an empty list, {_EXPECTED}")
        if all(isinstance(one, PathLike) or (_is_text(one) and names_a_file(one)) for one in data):
            paths = [file for one in data for file in _files(Path(one))]
            name = f"{len(data)} files" if len(data) > 1 else Path(data[0]).name
            return cls(partial(_of_files, paths, text_column, encoding), name=name)
        bad = [one for one in data if not _is_text(one)]
        if bad:
            raise ConfigError(f"data: got a list with a {type(bad[0]).__name__} in it, {_EXPECTED}")
        return cls(partial(_as_documents, tuple(map(_checked, data))), name="the texts")

    def stream(self, size: int = SIZE) -> Iterator[tuple[bool, str]]:
        """Every document in pieces of about `size` characters, with whether one begins a document.

        A piece ends after a line break, or where there is none before a space, so that tokens are
        the same as those of the whole document. Empty documents are left out.
        """
        found = False
        for document in self._documents():
            begins = True
            for piece in _cut(document, size):
                yield begins, piece
                begins, found = False, True
        if not found:
            what = "" if self.file is not None else f"{self.name}: "
            raise DataError(f"{what}holds no text: leave it out or fill it", file=self.file)

    def pieces(self, size: int = SIZE, *, begin: int = 0, end: int | None = None) -> Iterator[str]:
        """The whole text in pieces of `size` characters or more; documents joined by a line break.

        Args:
            size: of the pieces.
            begin, end: characters of the text to begin and to stop at.
        """
        place, kept, held = 0, [], 0
        for number, (begins, piece) in enumerate(self.stream(size)):
            text = "\n" + piece if begins and number else piece
            part = text[max(0, begin - place) : None if end is None else max(0, end - place)]
            place += len(text)
            if part:
                kept.append(part)
                held += len(part)
            if held >= size:
                yield "".join(kept)
                kept, held = [], 0
            if end is not None and place >= end:
                break
        if kept:
            yield "".join(kept)

    @property
    def characters(self) -> int:
        """How many characters there are, with the line breaks between documents."""
        return self._measures.characters

    @property
    def documents(self) -> int:
        """How many documents there are, empty ones not counted."""
        return len(self._measures.begins)

    @property
    def begins(self) -> np.ndarray:
        """The character at which each document begins, int64 `(D,)`, counted as `characters`."""
        return self._measures.begins

    @property
    def digest(self) -> str:
        """sha256 of the text in UTF-8, with a zero byte between documents."""
        return self._measures.digest

    @cached_property
    def _measures(self) -> _Measures:
        characters, places, digest = 0, array("q"), hashlib.sha256()
        for begins, piece in self.stream():
            if begins and places:
                digest.update(b"\0")
                characters += 1
            if begins:
                places.append(characters)
            characters += len(piece)
            digest.update(piece.encode())
        return _Measures(characters, digest.hexdigest(), np.array(places, dtype=np.int64))


def names_a_file(text: str) -> bool:
    """Whether a string is the path of a file rather than a text: it exists, or looks like one."""
    one_line = 0 < len(text) < 4096 and "\n" not in text and "\0" not in text
    if not one_line:
        return False
    looks = " " not in text and text.lower().endswith(_SUFFIXES)
    return looks or os.path.exists(text)


def _is_text(one: Any) -> bool:
    return isinstance(one, str)


def _checked(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"the text holds half a surrogate pair at character {error.start}, which is no"
            " character; decode its source with errors='replace'"
        ) from error
    return text


def _files(path: Path) -> list[Path]:
    return [path] if is_table(path) else text_files(path)


def _as_documents(texts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return ((text,) for text in texts)


def _of_files(files: list[Path], text_column: str | None, encoding: str) -> Iterator[Iterable[str]]:
    for file in files:
        if is_table(file):
            yield from ((text,) for _, text in stream_table(file, text_column, encoding))
        else:
            yield _not_empty(stream_text(file, encoding), file)


def _not_empty(parts: Iterator[str], file: Path) -> Iterator[str]:
    found = False
    for part in parts:
        found = found or not part.isspace()
        yield part
    if not found:
        raise DataError("holds no text: leave it out or fill it", file=file)


def _cut(parts: Iterable[str], size: int) -> Iterator[str]:
    """The parts joined and cut anew, after a line break or else before a space."""
    held: list[str] = []
    length, blank = 0, True
    for part in parts:
        held.append(part)
        length += len(part)
        if length < size:
            continue
        text = "".join(held)
        place = _place_to_cut(text)
        if not place and length >= 4 * size:
            place = length
        if place and not (blank and text[:place].isspace()):
            yield from _pieces_of(text[:place], size)
            text, blank = text[place:], False
        held, length = [text], len(text)
    text = "".join(held)
    if text and not (blank and text.isspace()):
        yield from _pieces_of(text, size)


def _pieces_of(text: str, size: int) -> Iterator[str]:
    """A text that may be much longer than `size` (it came as one part), cut as `_cut` does."""
    begin = 0
    while len(text) - begin > 2 * size:
        place = _place_to_cut(text[begin : begin + size]) or _place_to_cut(
            text[begin : begin + 4 * size]
        )
        end = begin + (place or 4 * size)
        yield text[begin:end]
        begin = end
    if begin < len(text):
        yield text[begin:]


def _place_to_cut(text: str) -> int:
    """Behind the last line break, else before the last spaces; 0 where there is neither."""
    place = text.rfind("\n") + 1
    if not place:
        place = text.rfind(" ")
        while place > 0 and text[place - 1].isspace():
            place -= 1
    return max(place, 0)
