"""Which word or character n-grams stand in each text, as a sparse matrix of counts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from unrolled.baselines.rival import impossible, needed
from unrolled.baselines.strings import pack_strings, unpack_strings
from unrolled.errors import ConfigError, DataError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Integers = NDArray[np.int64]
Analyzer = Literal["word", "char"]

# Words with what follows an apostrophe, and the marks that carry a mood.
_WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[!?]+")
# Between two texts, and for what was not seen while learning: part of no gram.
_NOTHING = -1


class GramCounts:
    """Counts n-grams of the lengths `shortest` to `longest`; texts are read in lower case.

    A gram of `n` symbols is found by the pair (number of its first `n - 1` symbols as a gram, last
    symbol), by binary search over sorted arrays: no gram is ever a string, which makes this several
    times as fast as a dictionary of them. A gram is kept where `min_count` texts hold it; then its
    parts are held by as many, so that pruning level by level loses none.

    Shapes: `N` texts, `F` grams that are kept.

    Args:
        ngrams: `(shortest, longest)`.
        analyzer: `"word"`: symbols are words; `"char"`: characters, with a space at both ends.
        min_count: in how many texts a gram must stand.
        most: keep the `most` grams that stand in the most texts; of equals, the shorter.
    """

    def __init__(
        self, ngrams: tuple[int, int], analyzer: Analyzer, min_count: int, most: int
    ) -> None:
        shortest, longest = ngrams
        if not 1 <= shortest <= longest:
            raise ConfigError(f"ngrams is {ngrams}; give (shortest, longest), such as (1, 2)")
        if analyzer not in get_args(Analyzer):
            raise ConfigError(f"analyzer is {analyzer!r}; choose 'word' or 'char'")
        if min_count < 1 or most < 1:
            raise ConfigError(f"min_count is {min_count} and most {most}; give 1 or more")
        self.ngrams, self.analyzer = (int(shortest), int(longest)), analyzer
        self.min_count, self.most = int(min_count), int(most)
        self.symbols: tuple[str, ...] = ()
        # Per length the sorted keys, and the column of each gram or -1.
        self._keys: list[Integers] = []
        self._columns: list[Integers] = []
        self._numbers: dict[str, int] = {}

    @property
    def size(self) -> int:
        """`F`."""
        return sum(int((columns >= 0).sum()) for columns in self._columns)

    def fit(self, texts: Sequence[str]) -> Self:
        """Finds the grams to keep.

        Raises:
            DataError: no gram stands in `min_count` texts.
        """
        self._learn(texts)
        return self

    def fit_transform(self, texts: Sequence[str]) -> csr_array:
        """`fit`, and `transform` of the same texts, which are cut only once."""
        return self._counted(*self._learn(texts), len(texts))

    def transform(self, texts: Sequence[str]) -> csr_array:
        """`(N, F)` counts, float64; a gram that was not kept counts for nothing."""
        return self._counted(*self._flat([self._cut(text) for text in texts]), len(texts))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """What was kept, as arrays."""
        arrays = {
            "settings": np.array(
                [*self.ngrams, get_args(Analyzer).index(self.analyzer), self.min_count, self.most]
            ),
            **pack_strings("symbols", self.symbols),
        }
        for length, (keys, columns) in enumerate(zip(self._keys, self._columns, strict=True), 1):
            arrays[f"keys_{length}"], arrays[f"columns_{length}"] = keys, columns.astype(np.int32)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], model: str) -> Self:
        """The counter that `to_arrays` wrote.

        Raises:
            ModelFileError: an array is missing, or the arrays do not belong together.
        """
        needed(arrays, ("settings",), model)
        settings = np.asarray(arrays["settings"])
        if settings.shape != (5,) or not 0 <= settings[2] < len(get_args(Analyzer)):
            raise impossible(arrays, ("settings",), model)
        try:
            shortest, longest, analyzer, min_count, most = settings.tolist()
            counts = cls((shortest, longest), get_args(Analyzer)[analyzer], min_count, most)
        except (ConfigError, TypeError):
            raise impossible(arrays, ("settings",), model) from None
        counts._know(unpack_strings("symbols", arrays, model))
        for length in range(1, longest + 1):
            names = (f"keys_{length}", f"columns_{length}")
            needed(arrays, names, model)
            keys, columns = (np.asarray(arrays[name]).astype(np.int64) for name in names)
            if keys.ndim != 1 or keys.shape != columns.shape or (np.diff(keys) <= 0).any():
                raise impossible(arrays, names, model)
            counts._keys.append(keys)
            counts._columns.append(columns)
        kept = np.concatenate(counts._columns)
        if not np.array_equal(np.sort(kept[kept >= 0]), np.arange(counts.size)):
            raise impossible(arrays, names, model)
        return counts

    def _cut(self, text: str) -> list[str]:
        if self.analyzer == "word":
            return _WORD.findall(text.lower())
        return list(f" {' '.join(text.lower().split())} ")

    def _learn(self, texts: Sequence[str]) -> tuple[Integers, Integers]:
        """`fit`; gives the ids of the texts and whose each place is."""
        cut = [self._cut(text) for text in texts]
        self._know(sorted({symbol for symbols in cut for symbol in symbols}))
        ids, owners = self._flat(cut)
        self._keys, held = [], []
        numbers = np.zeros(len(ids) + 1, dtype=np.int64)
        for length in range(1, self.ngrams[1] + 1):
            wanted = self._wanted(numbers, ids, length)
            places = np.flatnonzero(wanted >= 0)
            keys, counts = texts_with(wanted[places], owners[places])
            enough = counts >= self.min_count
            self._keys.append(keys[enough])
            held.append(counts[enough])
            numbers = np.append(_found(self._keys[-1], wanted), _NOTHING)
        self._choose(held)
        if not self.size:
            raise DataError(
                f"no {self.analyzer} stands in {self.min_count} of the {len(cut)} texts; give more "
                "texts, or a lower min_count"
            )
        used = self._keys[0].copy()
        self._forget_rare()
        return _found(used, ids), owners

    def _counted(self, ids: Integers, owners: Integers, texts: int) -> csr_array:
        from scipy.sparse import csr_array

        numbers = np.zeros(len(ids) + 1, dtype=np.int64)
        cells = []
        for length, (keys, columns) in enumerate(zip(self._keys, self._columns, strict=True), 1):
            found = _found(keys, self._wanted(numbers, ids, length))
            column = np.append(columns, _NOTHING)[found]
            here = np.flatnonzero(column >= 0)
            cells.append(owners[here] * self.size + column[here])
            numbers = np.append(found, _NOTHING)
        held, counts = distinct(np.concatenate(cells))
        starts = np.searchsorted(held, np.arange(texts + 1) * self.size)
        # 32 bits where they will do: half the memory, and all that scikit-learn takes.
        kind = np.int32 if len(held) < 2**31 else np.int64
        columns, starts = (held % self.size).astype(kind), starts.astype(kind)
        shape = (texts, self.size)
        return csr_array((counts.astype(np.float64), columns, starts), shape=shape)

    def _know(self, symbols: Iterable[str]) -> None:
        self.symbols = tuple(symbols)
        self._numbers = {symbol: number for number, symbol in enumerate(self.symbols)}

    def _flat(self, cut: list[list[str]]) -> tuple[Integers, Integers]:
        """All texts one after the other, "nothing" after each, and whose each place is."""
        lengths = np.array([len(symbols) + 1 for symbols in cut], dtype=np.int64)
        ids = np.full(int(lengths.sum()), _NOTHING, dtype=np.int64)
        owners = np.repeat(np.arange(len(cut)), lengths)
        inside = np.ones(len(ids), dtype=bool)
        inside[np.cumsum(lengths) - 1] = False
        known = defaultdict(lambda: _NOTHING, self._numbers)
        symbols = chain.from_iterable(cut)
        ids[inside] = np.fromiter(map(known.__getitem__, symbols), dtype=np.int64)
        return ids, owners

    def _wanted(self, numbers: Integers, ids: Integers, length: int) -> Integers:
        """The key of the gram that starts at each place, or below 0 where there is none."""
        last = np.concatenate((ids[length - 1 :], np.full(length - 1, _NOTHING)))[: len(ids)]
        prefixes = numbers[: len(ids)]
        keys = prefixes * len(self.symbols) + last
        return np.where((prefixes < 0) | (last < 0), _NOTHING, keys)

    def _choose(self, held: list[Integers]) -> None:
        """Gives a column to each gram that counts: long enough, and among the `most`."""
        wanted = [
            counts if length >= self.ngrams[0] else np.zeros_like(counts)
            for length, counts in enumerate(held, 1)
        ]
        flat = np.concatenate(wanted)
        kept = np.zeros(len(flat), dtype=bool)
        kept[np.argsort(-flat, kind="stable")[: self.most]] = True
        kept &= flat > 0
        columns = np.where(kept, np.cumsum(kept) - 1, _NOTHING)
        self._columns = np.split(columns, np.cumsum([len(counts) for counts in held])[:-1])

    def _forget_rare(self) -> None:
        """Drops the symbols that are part of no gram: half of the words stand in one text."""
        size = len(self.symbols)
        used = self._keys[0]
        self._know(self.symbols[number] for number in used.tolist())
        for level, keys in enumerate(self._keys):
            last = np.searchsorted(used, keys % size)
            self._keys[level] = (keys // size) * max(1, len(used)) + last


def _found(keys: Integers, wanted: Integers) -> Integers:
    """The place of each key, or -1."""
    if not len(keys):
        return np.full(len(wanted), _NOTHING, dtype=np.int64)
    if keys[-1] < len(wanted):
        # Few enough to look up, which a binary search takes several times as long for.
        table = np.full(int(keys[-1]) + 2, _NOTHING, dtype=np.int64)
        table[keys] = np.arange(len(keys))
        return table[np.where(wanted < 0, len(table) - 1, np.minimum(wanted, len(table) - 1))]
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where((wanted >= 0) & (keys[places] == wanted), places, _NOTHING)


def distinct(numbers: Integers) -> tuple[Integers, Integers]:
    """The different numbers, ascending, and how often each stands there.

    `np.unique` puts what it finds into a hash table, several times as slow on millions of numbers.
    """
    ordered = np.sort(numbers)
    first = _firsts(ordered)
    return ordered[first], np.diff(np.append(first, len(ordered)))


def texts_with(keys: Integers, owners: Integers) -> tuple[Integers, Integers]:
    """The different keys, ascending, and how many texts hold each, however often.

    Args:
        keys: of the grams of all texts, one text after the other.
        owners: the text of each, ascending.
    """
    order = np.argsort(keys, kind="stable")  # so that owners ascend within a key
    keys, owners = keys[order], owners[order]
    first = _firsts(keys)
    new = np.ones(len(keys), dtype=np.int64)
    new[1:] = (keys[1:] != keys[:-1]) | (owners[1:] != owners[:-1])
    return keys[first], np.add.reduceat(new, first) if len(first) else new


def _firsts(ordered: Integers) -> Integers:
    """Where another number begins."""
    return np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))[: len(ordered)])
