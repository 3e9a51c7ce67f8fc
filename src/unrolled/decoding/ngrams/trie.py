"""`Trie`: the grams of an n-gram model as arrays, and one step through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Nodes = NDArray[np.int32]
Floats = NDArray[np.float64]
Reals = NDArray[np.float32]


def summed(values: NDArray[Any], groups: NDArray[Any], count: int) -> Floats:
    """`(count,)`: the sum of the values of each group, numbered from 0."""
    return np.bincount(groups, weights=values, minlength=count).astype(np.float64)


class Level(NamedTuple):
    """The grams of one length, sorted by (prefix, token); of length 1 all V tokens in order.

    Attributes:
        prefixes: `(G,)` the gram without its last token, as its place in the level below.
        tokens: `(G,)` the last token.
        log_prob, backoff: `(G,)` log10, as an ARPA file has them.
    """

    prefixes: Integers
    tokens: Integers
    log_prob: NDArray[np.floating]
    backoff: NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Trie:
    """Grams in back-off form. A state of the model is a node: an int.

        p(w | u) = p(u w) where u w is a gram, else b(u) p(w | u'),  u' the suffix of u

    Shapes: `N` nodes, `V` tokens. Node 0 is the empty gram, node `1 + w` token `w` alone. Nodes are
    ordered by length, then by parent, then by token.

    Attributes:
        order: length of the longest gram.
        first_child: `(N + 1,)` int32; the children of `n` are `first_child[n]` to before
            `first_child[n + 1]`.
        token: `(N,)` int32, the last token of each gram.
        log_prob, backoff: `(N,)` float32, log10; 0 where there is no back-off weight.
        suffix: `(N,)` int32, the node of the longest proper suffix that is in the model; of the
            root -1.

    The kernels read these arrays where they are: see `kernels/include/unrolled/ngram.h`.
    """

    order: int
    first_child: Nodes
    token: Nodes
    log_prob: Reals
    backoff: Reals
    suffix: Nodes

    @property
    def vocabulary_size(self) -> int:
        """V."""
        return int(self.first_child[1]) - 1

    def __len__(self) -> int:
        return len(self.token)

    @cached_property
    def starts(self) -> list[int]:
        """`(order + 2,)`: the first node of each length from 0 on, and N."""
        found = [0]
        for _ in range(self.order + 1):
            found.append(int(self.first_child[found[-1]]))
        return found

    @property
    def counts(self) -> list[int]:
        """`(order,)`: how many grams there are of each length."""
        return [last - first for first, last in pairwise(self.starts[1:])]

    @cached_property
    def parent(self) -> Nodes:
        """`(N,)`: the gram without its last token; of the root -1."""
        found = np.full(len(self), -1, dtype=np.int32)
        numbers = np.arange(len(self), dtype=np.int32)
        found[1:] = np.repeat(numbers, np.diff(self.first_child))
        return found

    def gram(self, node: int) -> list[int]:
        """The tokens of a gram."""
        found: list[int] = []
        while node:
            found.append(int(self.token[node]))
            node = int(self.parent[node])
        return found[::-1]

    def child(self, node: int, token: int) -> int:
        """The node of a gram with one more token, or -1."""
        if node == 0:
            return 1 + token
        first, last = int(self.first_child[node]), int(self.first_child[node + 1])
        place = first + int(np.searchsorted(self.token[first:last], token))
        return place if place < last and self.token[place] == token else -1

    def step(self, state: int, token: int) -> tuple[float, int]:
        """log10 p(token | state), and the state after it.

        That is the longest suffix of both that has children or a back-off weight: others tell
        nothing apart.
        """
        total = 0.0
        while (found := self.child(state, token)) < 0:
            total += float(self.backoff[state])
            state = int(self.suffix[state])
        return total + float(self.log_prob[found]), self.shortened(found)

    def shortened(self, node: int) -> int:
        """The longest suffix of a gram, itself included, that is a state."""
        while node and self.first_child[node] == self.first_child[node + 1]:
            if self.backoff[node]:
                break
            node = int(self.suffix[node])
        return node

    def select(self, kept: NDArray[np.bool_]) -> Trie:
        """The trie of some nodes; of a gram that is kept the prefix and all tokens are, too."""
        places = np.cumsum(kept) - 1
        levels, below = [], 0
        for first, last in pairwise(self.starts[1:]):
            nodes = first + np.flatnonzero(kept[first:last])
            prefixes = places[self.parent[nodes]] - below
            tokens = self.token[nodes].astype(np.int64)
            levels.append(Level(prefixes, tokens, self.log_prob[nodes], self.backoff[nodes]))
            below = places[first - 1] + 1
        while len(levels) > 1 and not len(levels[-1].tokens):
            levels.pop()
        return assemble(levels)


def assemble(levels: Sequence[Level]) -> Trie:
    """The trie of levels of length 1, 2, ..., each suffix linked."""
    sizes = [1, *(len(level.tokens) for level in levels)]
    starts = np.cumsum([0, *sizes])
    count = int(starts[-1])
    children = np.zeros(count, dtype=np.int64)
    token = np.zeros(count, dtype=np.int32)
    log_prob, backoff = (np.zeros(count, dtype=np.float32) for _ in range(2))
    for length, level in enumerate(levels, start=1):
        above = slice(starts[length - 1], starts[length])
        here = slice(starts[length], starts[length + 1])
        children[above] = np.bincount(level.prefixes, minlength=sizes[length - 1])
        token[here], log_prob[here], backoff[here] = level[1:]
    first_child = np.ones(count + 1, dtype=np.int32)
    first_child[1:] += np.cumsum(children).astype(np.int32)
    # What stands at the root has no meaning there.
    log_prob[0] = backoff[0] = 0.0
    bare = Trie(len(levels), first_child, token, log_prob, backoff, np.zeros(count, dtype=np.int32))
    _link(bare)
    return bare


def _link(trie: Trie) -> None:
    """Fill in `suffix`, level by level: that of a gram is a child of one of its prefix's."""
    size, suffix = trie.vocabulary_size, trie.suffix
    suffix[0] = -1
    keys = trie.parent.astype(np.int64) * size + trie.token
    for first, last in pairwise(trie.starts[2:]):
        states = suffix[trie.parent[first:last]]
        tokens = trie.token[first:last]
        waiting = np.arange(last - first)
        while len(waiting):
            wanted = states[waiting].astype(np.int64) * size + tokens[waiting]
            places = np.minimum(np.searchsorted(keys[:first], wanted), first - 1)
            found = keys[places] == wanted
            suffix[first + waiting[found]] = places[found]
            waiting = waiting[~found]
            states[waiting] = suffix[states[waiting]]
