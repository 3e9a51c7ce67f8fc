"""What a tagger's rival sees of a word and of its neighbours, as sparse features."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from unrolled.baselines.rival import impossible, needed
from unrolled.baselines.strings import pack_strings, unpack_strings

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Integers = NDArray[np.int64]

# How many places away the neighbours stand that are looked at.
SIDES = (-2, -1, 1, 2)
# Beyond both ends of a sentence; no word of a file holds a line break.
_EDGE = "\n"
_RUNS = re.compile(r"(.)\1{2,}", re.DOTALL)
_FEWEST = 2  # how often a feature must be seen to be kept


class WordFeatures:
    """Numbers the features of words, each a string such as `suffix 3: ing`.

    Of the word itself: as written, in lower case, prefixes and suffixes of one to four characters,
    and its shape (`Xxx` for `London`, `XX-dd` for `EU-27`; runs longer than two are cut to two). Of
    each word up to two places away: in lower case, its last three characters, and its shape. What a
    word looks like is worked out once for each different word.

    Shapes: `n` words in all sentences, `F` features.
    """

    def __init__(self) -> None:
        # Names of the features of a word itself and of a neighbour, and which of them each side of
        # the word has, `(5, names)` columns or -1: row 0 is the word itself.
        self._own: dict[str, int] = {}
        self._near: dict[str, int] = {}
        self._columns: list[Integers] = []

    @property
    def size(self) -> int:
        """`F`."""
        return sum(int((columns >= 0).sum()) for columns in self._columns)

    def fit_transform(self, sentences: Sequence[Sequence[str]]) -> csr_array:
        """Finds the features seen twice or more; `transform` of the same sentences."""
        types, ids, places = _types(sentences)
        own, near = [_own(word) for word in types], [_near(word) for word in types]
        self._own = _numbered(own)
        self._near = _numbered(near)
        tables = self._tables(own, near)
        self._columns, first = [], 0
        for side, table in zip((0, *SIDES), tables, strict=True):
            names = len(self._near if side else self._own)
            seen = table[ids[places + side]]
            counts = np.bincount(seen[seen >= 0], minlength=names)
            kept = counts >= _FEWEST
            self._columns.append(np.where(kept, first + np.cumsum(kept) - 1, -1))
            first += int(kept.sum())
        return self._matrix(tables, ids, places)

    def transform(self, sentences: Sequence[Sequence[str]]) -> csr_array:
        """`(n, F)` float32 of 0 and 1; what was not kept counts for nothing."""
        types, ids, places = _types(sentences)
        own, near = [_own(word) for word in types], [_near(word) for word in types]
        return self._matrix(self._tables(own, near), ids, places)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The features as named arrays."""
        return {
            **pack_strings("own", list(self._own)),
            **pack_strings("near", list(self._near)),
            "columns": np.concatenate(self._columns).astype(np.int32),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], model: str) -> Self:
        """The features that `to_arrays` wrote.

        Raises:
            ModelFileError: an array is missing, or the arrays do not belong together.
        """
        needed(arrays, ("columns",), model)
        features = cls()
        own, near = (unpack_strings(name, arrays, model) for name in ("own", "near"))
        features._own = {name: place for place, name in enumerate(own)}
        features._near = {name: place for place, name in enumerate(near)}
        columns = np.asarray(arrays["columns"]).astype(np.int64)
        if columns.shape != (len(own) + len(SIDES) * len(near),):
            raise impossible(arrays, ("columns", "own_offsets", "near_offsets"), model)
        kept = columns[columns >= 0]
        if not np.array_equal(np.sort(kept), np.arange(len(kept))):
            raise impossible(arrays, ("columns",), model)
        features._columns = np.split(
            columns, [len(own) + side * len(near) for side in range(len(SIDES))]
        )
        return features

    def _tables(self, own: list[list[str]], near: list[list[str]]) -> list[Integers]:
        """For each side, `(types, features of one)` numbers of names, -1 where unknown."""
        mine, theirs = _looked_up(own, self._own), _looked_up(near, self._near)
        return [mine, *[theirs] * len(SIDES)]

    def _matrix(self, tables: list[Integers], ids: Integers, places: Integers) -> csr_array:
        from scipy.sparse import csr_array

        parts = []
        for side, table, columns in zip((0, *SIDES), tables, self._columns, strict=True):
            seen = np.append(columns, -1)[table]  # Of each type, so that the gather is small.
            parts.append(seen[ids[places + side]])
        cells = np.concatenate(parts, axis=1)
        cells.sort(axis=1)
        there = cells >= 0
        starts = np.concatenate(([0], np.cumsum(there.sum(axis=1))))
        ones = np.ones(int(starts[-1]), dtype=np.float32)
        columns, starts = cells[there].astype(np.int32), starts.astype(np.int32)
        return csr_array((ones, columns, starts), shape=(len(places), self.size))


def shape(word: str) -> str:
    """`X` for capitals, `x` for other letters, `d` for digits, other marks as they are."""
    drawn = "".join(
        "X" if c.isupper() else "x" if c.isalpha() else "d" if c.isdigit() else c for c in word
    )
    return _RUNS.sub(r"\1\1", drawn)


def _own(word: str) -> list[str]:
    small = word.lower()
    parts = [f"prefix {k}: {small[:k]}" if k <= len(small) else "" for k in (1, 2, 3, 4)]
    parts += [f"suffix {k}: {small[-k:]}" if k <= len(small) else "" for k in (1, 2, 3, 4)]
    return [f"word: {word}", f"lower: {small}", f"shape: {shape(word)}", *parts]


def _near(word: str) -> list[str]:
    small = word.lower()
    return [f"lower: {small}", f"suffix 3: {small[-3:]}", f"shape: {shape(word)}"]


def _types(sentences: Sequence[Sequence[str]]) -> tuple[list[str], Integers, Integers]:
    """The different words, the edge first; all sentences as their numbers with edges between; and
    where in them the words stand."""
    number: dict[str, int] = {_EDGE: 0}
    wide = max(map(abs, SIDES))
    ids: list[int] = [0] * wide
    places: list[int] = []
    for words in sentences:
        places.extend(range(len(ids), len(ids) + len(words)))
        ids.extend(number.setdefault(word, len(number)) for word in words)
        ids.extend([0] * wide)
    return list(number), np.array(ids, dtype=np.int64), np.array(places, dtype=np.int64)


def _numbered(named: Iterable[list[str]]) -> dict[str, int]:
    names = sorted({name for one in named for name in one if name})
    return {name: place for place, name in enumerate(names)}


def _looked_up(named: list[list[str]], number: dict[str, int]) -> Integers:
    return np.array([[number.get(name, -1) for name in one] for one in named], dtype=np.int64)
