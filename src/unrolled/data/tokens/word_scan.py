"""`WordScan`: a text to the tokens of `word_pattern`, through a table of all seen before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from unrolled.data.tokens.word_pattern import (
    CLOSER,
    LINE,
    NEUTRAL,
    OPENER,
    WORD,
    key_of,
    split_token,
    token_pattern,
)

# Tokens of different writing that are remembered; then the table begins anew.
_MOST_KEPT = 300_000


class WordScan:
    """Finds tokens with one regular expression and looks each up in a table.

    A row of the table stands for a token as it was found (with the space before it). What it is
    depends on its neighbours by two bits only, whether it begins a line and whether a word touches
    it on the right, so that the rest is arithmetic on arrays: `place = 4 row + 2 begins + touched`.

    Args:
        number_of: the number of a key; None where only `count` and `keys` are used.
    """

    def __init__(self, number_of: Callable[[str], int] | None) -> None:
        self._number_of = number_of
        self._clear()

    def ids(self, text: str) -> np.ndarray:
        """The numbers of the text's tokens, int64 `(n,)`."""
        places = self._places(text)
        first, second = self._first[places], self._second[places >> 2]
        if second.max(initial=-1) < 0:
            return first
        both = np.stack([first, second], axis=1).reshape(-1)
        return both[both >= 0]

    def count(self, text: str, counts: Counter[str]) -> None:
        """Add how often each key occurs in the text."""
        places, times = np.unique(self._places(text), return_counts=True)
        for place, often in zip(places.tolist(), times.tolist(), strict=True):
            for key in self._keys(place):
                counts[key] += often

    def keys(self, text: str) -> list[str]:
        """The text's tokens as keys (`word_pattern`), in order; `join_keys` is the way back."""
        return [key for place in self._places(text).tolist() for key in self._keys(place)]

    def _places(self, text: str) -> np.ndarray:
        if len(self._rows) > _MOST_KEPT:
            self._clear()
        tokens = self._findall(text)
        rows = np.fromiter(map(self._rows.__getitem__, tokens), np.int64, len(tokens))
        kinds = self._kinds[rows]
        begins = np.ones(len(rows), dtype=bool)
        begins[1:] = kinds[:-1] == LINE
        touched = np.zeros(len(rows), dtype=bool)
        touched[:-1] = (kinds[1:] == WORD) & ~self._spaced[rows[1:]]
        return 4 * rows + 2 * begins + touched

    def _keys(self, place: int) -> tuple[str, ...]:
        row, bits = divmod(place, 4)
        spaced, kind, text, tail = self._tokens[row]
        key = key_of(kind, text, not spaced and not bits & 2, bool(bits & 1))
        return (key, tail) if tail else (key,)

    def _clear(self) -> None:
        self._findall = token_pattern().findall
        self._rows = _Rows(self._add)
        self._tokens: list[tuple[bool, int, str, str]] = []
        self._kinds = np.zeros(1024, np.int8)
        self._spaced = np.zeros(1024, bool)
        self._first = np.zeros(4096, np.int64)
        self._second = np.full(1024, -1, np.int64)

    def _double(self) -> None:
        self._kinds = np.concatenate([self._kinds, np.zeros_like(self._kinds)])
        self._spaced = np.concatenate([self._spaced, np.zeros_like(self._spaced)])
        self._first = np.concatenate([self._first, np.zeros_like(self._first)])
        self._second = np.concatenate([self._second, np.full_like(self._second, -1)])

    def _add(self, found: str) -> int:
        row = len(self._tokens)
        if row == len(self._kinds):
            self._double()
        token = split_token(found)
        self._tokens.append(token)
        self._spaced[row], self._kinds[row] = token[:2]
        if self._number_of is not None:
            if token[1] in (CLOSER, OPENER, NEUTRAL):
                for place in range(4 * row, 4 * row + 4):
                    self._first[place] = self._number_of(self._keys(place)[0])
            else:
                self._first[4 * row : 4 * row + 4] = self._number_of(token[2])
            if token[3]:
                self._second[row] = self._number_of(token[3])
        return row


class _Rows(dict[str, int]):
    """The row of each token; one that is missing is added."""

    def __init__(self, add: Callable[[str], int]) -> None:
        super().__init__()
        self._add = add

    def __missing__(self, found: str) -> int:
        row = self[found] = self._add(found)
        return row
