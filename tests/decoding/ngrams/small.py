"""Small texts, and tries of random grams, for the tests of n-gram models."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from unrolled.decoding.ngrams.trie import Level, Trie, assemble

# Lines of words of one letter; a few are frequent, so that there is something to smooth.
texts = st.lists(
    st.lists(st.sampled_from("aaaabbbccde"), min_size=1, max_size=7).map(" ".join),
    min_size=1,
    max_size=30,
)


def random_trie(seed: int, tokens: int = 6, order: int = 4, most: int = 30) -> Trie:
    """Grams that have their prefixes but not always their suffixes, with numbers of no meaning."""
    draw = np.random.default_rng(seed)
    known: list[list[tuple[int, ...]]] = [[(token,) for token in range(tokens)]]
    for _ in range(order - 1):
        longer = {
            (*known[-1][draw.integers(len(known[-1]))], int(draw.integers(tokens)))
            for _ in range(draw.integers(1, most))
        }
        known.append(sorted(longer))
    levels = []
    places = {(): 0}
    for grams in known:
        count = len(grams)
        weights = np.where(draw.random(count) < 0.5, 0.0, draw.normal(-0.5, 0.5, count))
        levels.append(
            Level(
                np.array([places[gram[:-1]] for gram in grams]),
                np.array([gram[-1] for gram in grams]),
                -draw.exponential(2.0, count),
                weights if len(grams[0]) < order else np.zeros(count),
            )
        )
        places = {gram: place for place, gram in enumerate(grams)}
    return assemble(levels)


def same(one: Trie, other: Trie) -> bool:
    """To the bit."""
    names = ("first_child", "token", "log_prob", "backoff", "suffix")
    return one.order == other.order and all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in names
    )
