"""Reading an ARPA file, line by line."""

from __future__ import annotations

import gzip
import os
import re
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from unrolled.data.arpa import HEAD
from unrolled.data.files import not_decodable
from unrolled.decoding.ngrams.kneser_ney import NEVER
from unrolled.decoding.ngrams.trie import Integers, Level, Trie, assemble
from unrolled.decoding.ngrams.vocabulary import BEGIN, MARKS, UNKNOWN, Vocabulary
from unrolled.errors import DataError

# The largest number of float32, which is what a model holds.
_MOST = float(np.finfo(np.float32).max)
# log10 p of an unknown word where the file has none: as KenLM has it.
_NO_UNKNOWN = -100.0
_COUNT = re.compile(rb"ngram\s+(\d{1,18})\s*=\s*(\d{1,18})")


@dataclass
class _Section:
    """The lines of one length as they come."""

    log_prob: array[float] = field(default_factory=lambda: array("f"))
    backoff: array[float] = field(default_factory=lambda: array("f"))
    tokens: array[int] = field(default_factory=lambda: array("i"))  # (G, length), row by row
    lines: array[int] = field(default_factory=lambda: array("q"))


@dataclass(frozen=True)
class Arpa:
    """What an ARPA file holds.

    Attributes:
        trie, vocabulary: the model.
        no_unknown: the file has no `<unk>`; one with a log10 p of -100 was put in.
    """

    trie: Trie
    vocabulary: Vocabulary
    no_unknown: bool


def read_arpa(path: str | os.PathLike[str]) -> Arpa:
    """Read an ARPA file, gzipped or plain. What stands before `\\data\\` is skipped.

    A missing back-off weight is 0; `<UNK>` is `<unk>`. `<s>` is never predicted: where the file
    gives it log10 p of 0, as KenLM's lmplz does, it is -99.

    Raises:
        DataError: no such file, or one that is truncated or malformed, with the line: other counts
            than were said, a gram of another length, a number that is none, or that
            float32 does not hold, a log-probability above 0, an unknown word in a longer gram, a
            gram twice or without its prefix, no `<s>` or `</s>`, bytes that are not UTF-8.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError("is a folder: name a file in it", file=path)
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if zipped else raw
            return _Reader(path, file).read()
    except FileNotFoundError:
        raise DataError("there is no such file: check the name and the folder", file=path) from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise DataError(
            "is not a whole gzip file (damaged or cut short): fetch it again", file=path
        ) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"can't be read ({reason}): check its permissions", file=path) from None


class _Reader:
    """The state of a reading: where it is, and the words so far."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self.file = path, file
        # The line that was read last, and where it begins in the file, in bytes.
        self.line, self.at, self.behind = 0, 0, 0
        self.words: list[str] = []
        self.numbers: dict[bytes, int] = {}

    def wrong(self, message: str, line: int | None = None) -> DataError:
        return DataError(message, file=self.path, line=self.line if line is None else line)

    def rows(self) -> Iterator[bytes]:
        """The lines that are not empty, stripped."""
        for line in self.file:
            self.line += 1
            self.at, self.behind = self.behind, self.behind + len(line)
            if stripped := line.strip():
                yield stripped

    def read(self) -> Arpa:
        rows = self.rows()
        if not any(row == HEAD.encode() for row in rows):
            raise self.wrong(f"there is no line {HEAD}: expected an ARPA file")
        counts, row = self._counts(rows)
        levels: list[Level] = []
        order: Integers | None = None
        no_unknown = False
        for length, count in enumerate(counts, start=1):
            if row != b"\\%d-grams:" % length:
                raise self._expected(f"\\{length}-grams:", row)
            section, row = self._section(rows, length, last=length == len(counts))
            if len(section.lines) != count:
                raise self.wrong(
                    f"{len(section.lines):,} {length}-grams, but the head of the file says"
                    f" {count:,}: it is cut short or was edited"
                )
            if order is None:
                order, no_unknown = self._settle_words(section)
                levels.append(_unigrams(section, order))
            else:
                levels.append(self._level(section, length, levels, order))
        if row != b"\\end\\":
            raise self._expected("\\end\\", row)
        # What comes behind means nothing, but a gzip file has its sum at its end.
        for _ in self.file:
            pass
        return Arpa(assemble(levels), Vocabulary(self.words), no_unknown)

    def _expected(self, what: str, row: bytes | None) -> DataError:
        if row is None:
            return self.wrong(f"the file ends here, expected {what} (it is cut short)")
        return self.wrong(f"got {_told(row)}, expected {what}")

    def _counts(self, rows: Iterator[bytes]) -> tuple[list[int], bytes | None]:
        """The numbers of grams that the head of the file says, and the line after them."""
        counts: list[int] = []
        for row in rows:
            found = _COUNT.fullmatch(row)
            if found is None:
                if not counts or not row.startswith(b"\\"):
                    raise self._expected(f"ngram {len(counts) + 1}=...", row)
                return counts, row
            if int(found[1]) != len(counts) + 1:
                raise self._expected(f"ngram {len(counts) + 1}=...", row)
            counts.append(int(found[2]))
        return counts, None

    def _section(
        self, rows: Iterator[bytes], length: int, *, last: bool
    ) -> tuple[_Section, bytes | None]:
        """The grams of one length, and the line behind them."""
        found = _Section()
        find = self.numbers.__getitem__
        for row in rows:
            parts = row.split()
            try:
                if len(parts) == length + 1:
                    weight = 0.0
                elif len(parts) == length + 2:
                    weight = float(parts.pop())
                elif row[:1] == b"\\" and len(parts) == 1:
                    return found, row
                else:
                    raise self.wrong(
                        f"got {_told(row)}, expected a log-probability, {length} words and perhaps"
                        " a back-off weight"
                    )
                number = float(parts[0])
                if length == 1:
                    self._add_word(parts[1], row.find(parts[1]))
                found.tokens.extend(map(find, parts[1:]))
            except KeyError as unknown:
                raise self.wrong(
                    f"the word {_told(unknown.args[0])} is no 1-gram of this file: add it there"
                ) from None
            except ValueError:
                raise self.wrong(f"got {_told(row)}, expected numbers around the words") from None
            if not -_MOST <= number <= 0:
                raise self.wrong(
                    f"got the log-probability {_told(parts[0])}, expected a number of at most 0"
                    " that float32 holds: the file has log10 of probabilities"
                )
            if not -_MOST <= weight <= _MOST or (last and weight):
                raise self.wrong(
                    f"got the back-off weight {weight:g}, expected "
                    + ("none: there are no longer grams" if last else "a number that float32 holds")
                )
            found.log_prob.append(number)
            found.backoff.append(weight)
            found.lines.append(self.line)
        return found, None

    def _add_word(self, word: bytes, column: int) -> None:
        try:
            text = word.decode()
        except UnicodeDecodeError as error:
            before = (self.at + column, self.line - 1)
            raise not_decodable(word, error.start, self.path, before=before) from None
        if text == "<UNK>":
            text = MARKS[UNKNOWN]
        if word in self.numbers or text.encode() in self.numbers:
            raise self.wrong(f"the word {_told(word)} stands here again: leave one of them out")
        self.numbers[word] = self.numbers[text.encode()] = len(self.words)
        self.words.append(text)

    def _settle_words(self, section: _Section) -> tuple[Integers, bool]:
        """Put the marks first; gives the new number of each word, and whether <unk> was missing."""
        for mark in MARKS[1:]:
            if mark not in self.words:
                raise self.wrong(f"no 1-gram is {mark}: this is no model of sentences")
        no_unknown = MARKS[UNKNOWN] not in self.words
        if no_unknown:
            self.words.append(MARKS[UNKNOWN])
            section.log_prob.append(_NO_UNKNOWN)
            section.backoff.append(0.0)
        ranked = [*MARKS, *(word for word in self.words if word not in MARKS)]
        places = {word: place for place, word in enumerate(ranked)}
        order = np.array([places[word] for word in self.words], dtype=np.int64)
        self.words = ranked
        return order, no_unknown

    def _level(self, section: _Section, length: int, levels: list[Level], order: Integers) -> Level:
        """The grams of one length in the order of a trie."""
        size = len(self.words)
        tokens = order[np.frombuffer(section.tokens, dtype=np.int32)].reshape(-1, length)
        prefixes = tokens[:, 0]
        for place, level in enumerate(levels[1:], start=1):
            keys = level.prefixes * size + level.tokens
            wanted = prefixes * size + tokens[:, place]
            # One more key that none is equal to, for what comes after the last.
            prefixes, keys = np.searchsorted(keys, wanted), np.append(keys, -1)
            missing = np.flatnonzero(keys[prefixes] != wanted)
            if len(missing):
                at = int(missing[0])
                gram = " ".join(self.words[one] for one in tokens[at, : place + 1].tolist())
                raise self.wrong(
                    f"this {length}-gram begins with {gram!r}, which is no {place + 1}-gram of the"
                    " file: add it, with its back-off weight",
                    section.lines[at],
                )
        keys = prefixes * size + tokens[:, -1]
        sort = np.argsort(keys, kind="stable")
        again = np.flatnonzero(np.diff(keys[sort]) == 0)
        if len(again):
            at = int(sort[again + 1].min())
            gram = " ".join(self.words[one] for one in tokens[at].tolist())
            raise self.wrong(
                f"{gram!r} stands here again: leave one of them out", section.lines[at]
            )
        return Level(
            prefixes[sort],
            tokens[sort, -1],
            np.frombuffer(section.log_prob, dtype=np.float32)[sort],
            np.frombuffer(section.backoff, dtype=np.float32)[sort],
        )


def _unigrams(section: _Section, order: Integers) -> Level:
    log_prob, backoff = np.zeros((2, len(order)), dtype=np.float32)
    log_prob[order] = section.log_prob
    backoff[order] = section.backoff
    if log_prob[BEGIN] == 0:
        log_prob[BEGIN] = NEVER
    return Level(np.zeros_like(order), np.arange(len(order)), log_prob, backoff)


def _told(row: bytes) -> str:
    """A line as an error shows it."""
    text = row.decode(errors="replace")
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
