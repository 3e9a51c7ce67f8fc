"""Which runs of tokens (n-grams) of a document are known, each with its number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unrolled.baselines.gram_counts import distinct, texts_with

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# Grams of one length that are kept; of more, the most frequent.
MOST_GRAMS = 1_000_000
_UNKNOWN = 0
# Documents whose grams are looked up at once.
_AT_ONCE = 2_000

Documents = Sequence[np.ndarray]


class GramIndex:
    """The n-grams of 1 to `order` tokens that occur in at least some documents.

    The numbers make a tree: a gram is the gram without its last token (its parent), and that token.

        key = parent's number * V + token;   number = place of the key among all keys, from 1

    Number 0 is the empty gram, and stands for any gram that is not known. Since a gram occurs
    nowhere without its parent, the sorted keys hold parents before children, and are all there is
    to keep. A gram with the unknown token (0) is never known.

    Args:
        keys: int64 `(F,)`, sorted.
        tokens: `V`, size of the vocabulary.
        order: tokens in the longest gram (`N`).
    """

    def __init__(self, keys: np.ndarray, tokens: int, order: int) -> None:
        self.keys = keys
        self.tokens = tokens
        self.order = order

    def __len__(self) -> int:
        """Numbers in use, the empty gram's included: `F + 1`."""
        return len(self.keys) + 1

    @classmethod
    def learn(
        cls,
        documents: Documents,
        tokens: int,
        order: int,
        least: int = 2,
        most: int = MOST_GRAMS,
    ) -> GramIndex:
        """The grams that `least` documents or more hold, of each length the `most` frequent."""
        flat, owner = _flattened(documents)
        first = np.diff(owner, prepend=-1) != 0
        index = cls(np.empty(0, dtype=np.int64), tokens, order)
        ending = np.zeros(len(flat), dtype=np.int64)  # the gram that ends before each place
        for length in range(order):
            known = _possible(flat, ending, first, length)
            keys = (ending * tokens + flat)[known]
            index.keys = np.concatenate([index.keys, _frequent(keys, owner[known], least, most)])
            found = np.zeros(len(flat), dtype=np.int64)
            found[known] = index.numbers(keys)
            ending = np.concatenate([[0], found[:-1]])
        return index

    def numbers(self, keys: np.ndarray) -> np.ndarray:
        """The number of each key, 0 where it is not known."""
        if not len(self.keys):
            return np.zeros(len(keys), dtype=np.int64)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[places] == keys, places + 1, 0)

    def ending(
        self,
        tokens: np.ndarray,
        before: np.ndarray | None = None,
        first: np.ndarray | None = None,
    ) -> np.ndarray:
        """The grams that end at each token, by length: int64 `(T, N)`, 0 where one is not known.

        Args:
            tokens: `(T,)`.
            before: `(N,)`, the row of the token before these; None: a document begins here.
            first: `(T,)` bool, where another document begins.
        """
        tokens = np.asarray(tokens, dtype=np.int64)
        first = np.zeros(len(tokens), dtype=bool) if first is None else first
        numbers = np.zeros((len(tokens), self.order), dtype=np.int64)
        parents = np.zeros(len(tokens), dtype=np.int64)
        for length in range(self.order):
            if length > 0:
                parents = np.zeros(len(tokens), dtype=np.int64)
                parents[1:] = numbers[:-1, length - 1]
                if before is not None and len(tokens):
                    parents[0] = before[length - 1]
            possible = _possible(tokens, parents, first, length)
            keys = parents[possible] * self.tokens + tokens[possible]
            numbers[possible, length] = self.numbers(keys)
        return numbers

    def held(self, documents: Documents) -> csr_matrix:
        """Which document holds which gram: ones `(D, F)`, gram g in column g - 1."""
        from scipy.sparse import csr_matrix

        rows, places = [], []
        for begin in range(0, len(documents), _AT_ONCE):
            flat, owner = _flattened(documents[begin : begin + _AT_ONCE])
            numbers = self.ending(flat, first=np.diff(owner, prepend=-1) != 0)
            pairs, _ = distinct((owner[:, None] * len(self) + numbers)[numbers > 0])
            rows.append(begin + pairs // len(self))
            places.append(pairs % len(self) - 1)
        ends = np.zeros(len(documents) + 1, dtype=np.int64)
        if rows:
            counts = np.bincount(np.concatenate(rows), minlength=len(documents))
            ends[1:] = np.cumsum(counts)
        columns = np.concatenate(places) if places else np.empty(0, dtype=np.int64)
        shape = (len(documents), len(self) - 1)
        return csr_matrix((np.ones(len(columns)), columns, ends), shape=shape)


def _possible(
    tokens: np.ndarray, parents: np.ndarray, first: np.ndarray, length: int
) -> np.ndarray:
    """Where a gram of so many tokens and one more can end."""
    known = tokens != _UNKNOWN
    return known & (parents > 0) & ~first if length > 0 else known


def _flattened(documents: Documents) -> tuple[np.ndarray, np.ndarray]:
    """All tokens in a row, and the document of each."""
    lengths = [len(one) for one in documents]
    flat = np.concatenate([np.asarray(one, dtype=np.int64) for one in documents])
    return flat, np.repeat(np.arange(len(documents)), lengths)


def _frequent(keys: np.ndarray, owner: np.ndarray, least: int, most: int) -> np.ndarray:
    """The keys that enough documents hold, sorted."""
    if not len(keys):
        return keys
    different, counts = texts_with(keys, owner)
    if (counts >= least).sum() > most:
        least = int(np.partition(counts, -most)[-most])
        least += int((counts >= least).sum() > most)  # of equals all or none
    return different[counts >= least]
