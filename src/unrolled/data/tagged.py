"""`TaggedSentences`: sentences as words, each word with its tag."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from unrolled.data.encodings import decode_text
from unrolled.data.files import read_bytes
from unrolled.data.tag_schemes import scheme_of
from unrolled.data.tagged_rows import Layout, layout_of, sentences
from unrolled.errors import DataError


@dataclass(frozen=True)
class TaggedSentences:
    """`N` sentences of words, and the tag of each word.

    Attributes:
        words: of each sentence its words.
        tags: of each sentence the tags of its words; None where the file has none.
        column: which column the tags are from: "upos", "ner", or its number counted from 0.
        name: of the file or set.
        notes: what was guessed or left out while they were read, each a sentence.
        scheme: how tags mark spans of several words: "BIO", "BIOES" or "IOB1"; None where each tag
            stands for its word alone.
    """

    words: tuple[tuple[str, ...], ...]
    tags: tuple[tuple[str, ...], ...] | None
    column: str | int | None = None
    name: str = "sentences"
    notes: tuple[str, ...] = ()
    scheme: str | None = None

    def __len__(self) -> int:
        return len(self.words)

    def __str__(self) -> str:
        about = f"{len(self):,} sentence{'s' * (len(self) != 1)} of {self.word_count:,} words"
        if self.tags is None:
            return f"{about} without tags"
        count = len(self.classes)
        return f"{about} with {count} tag{'s' * (count != 1)}"

    @property
    def word_count(self) -> int:
        """How many words there are in all sentences."""
        return sum(map(len, self.words))

    @property
    def classes(self) -> tuple[str, ...]:
        """The different tags, in the order of their names."""
        return tuple(sorted({tag for one in self.tags or () for tag in one}))


def read_tagged(
    source: Any, *, column: str | int | None = None, encoding: str = "utf-8"
) -> TaggedSentences:
    """Sentences of tagged words from a CoNLL or CoNLL-U file, or from two sequences.

    CoNLL: a word a line, its columns separated by tabs or spaces, the word first, a blank line
    between sentences; -DOCSTART- lines are left out. CoNLL-U: ten columns; comments, ranges of
    words written as one ("1-2 don't") and empty nodes ("8.1") are left out.

    Args:
        source: a file (.gz too), or `(words, tags)`: sentences of words and their tags (or None).
        column: of the tags. In CoNLL-U a name: "upos" (the default), "xpos", "feats", "lemma",
            "deprel" or "misc". In CoNLL its number counted from 0 (-1: the last, the default), or
            "pos", "chunk", "ner" in a file of the four columns of CoNLL-2003.
        encoding: of the file.

    Raises: DataError with file and line for a line with another number of columns, a column that is
    not there, or bytes of another encoding.
    """
    if isinstance(source, TaggedSentences):
        return source
    if isinstance(source, (tuple, list)):
        return _of_sequences(source)
    if not isinstance(source, (str, PathLike)):
        raise DataError(
            f"got {type(source).__name__}: give a CoNLL or CoNLL-U file, or (words, tags)"
        )
    path = Path(source)
    text = decode_text(read_bytes(path), path, encoding)
    if not text.strip():
        raise DataError("is empty: give a word and its tag a line", file=path)
    layout = layout_of(text, path, column)
    return _of_rows(layout, sentences(text, layout, path), path)


def _of_rows(
    layout: Layout, rows: Iterator[tuple[tuple[str, ...], tuple[str, ...]]], path: Path
) -> TaggedSentences:
    words, tags = [], []
    for sentence, its in rows:
        words.append(sentence)
        tags.append(its)
    if not words:
        raise DataError("holds no word: give a word and its tag a line", file=path)
    notes = list(layout.notes)
    kept: tuple[tuple[str, ...], ...] | None = tuple(tags)
    if layout.place is None or (
        layout.blank is not None and all(tag == layout.blank for one in tags for tag in one)
    ):
        notes.append("no word has a tag")
        kept = None
    scheme = None if kept is None else scheme_of(kept)
    if scheme is not None:
        notes.append(f"the tags mark spans ({scheme})")
    return TaggedSentences(
        tuple(words),
        kept,
        layout.column if kept is not None else None,
        path.name,
        tuple(notes),
        scheme,
    )


def _of_sequences(source: Sequence[Any]) -> TaggedSentences:
    if len(source) != 2 or isinstance(source[0], str):
        raise DataError(
            "expected (words, tags): two lists of sentences, each a list of words or of tags; tags "
            "may be None"
        )
    words = tuple(_row(one, "words", at) for at, one in enumerate(source[0]))
    if not words:
        raise DataError("got no sentence: give at least one")
    if source[1] is None:
        return TaggedSentences(words, None)
    tags = tuple(_row(one, "tags", at) for at, one in enumerate(source[1]))
    if len(words) != len(tags):
        raise DataError(
            f"got {len(words):,} sentences and tags for {len(tags):,}: give one list of tags for "
            "each sentence"
        )
    for at, (sentence, its) in enumerate(zip(words, tags, strict=True)):
        if len(sentence) != len(its):
            raise DataError(
                f"sentence {at} (counted from 0) has {len(sentence)} words and {len(its)} tags: "
                "give one tag for each word"
            )
    scheme = scheme_of(tags)
    notes = () if scheme is None else (f"the tags mark spans ({scheme})",)
    return TaggedSentences(words, tags, notes=notes, scheme=scheme)


def _row(one: Any, what: str, at: int) -> tuple[str, ...]:
    if isinstance(one, str):
        raise DataError(
            f"sentence {at} (counted from 0) is one text, expected a list of {what}: split it"
        )
    row = tuple(one)
    if not row:
        raise DataError(f"sentence {at} (counted from 0) has no {what}: leave it out")
    if not all(isinstance(word, str) and word for word in row):
        raise DataError(f"sentence {at} (counted from 0) holds {what} that are empty or no text")
    return row


def write_conll(tagged: TaggedSentences, path: str | PathLike[str]) -> None:
    """Write word and tag a line, separated by a tab, with a blank line after each sentence."""
    with open(fspath(path), "w", encoding="utf-8", newline="\n") as file:
        for at, words in enumerate(tagged.words):
            tags = None if tagged.tags is None else tagged.tags[at]
            file.writelines(
                word + ("\n" if tags is None else f"\t{tags[place]}\n")
                for place, word in enumerate(words)
            )
            file.write("\n")
