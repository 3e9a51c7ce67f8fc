"""English sentences of Tatoeba as a recogniser writes them, in three parts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unrolled.data import catalog

# Of the sentences: what is tested is split off first, then what settings are chosen by.
TEST, VALIDATION = 0.10, 0.04
# Words of a sentence: a single one has no context, and long ones are read by nobody.
LEAST, MOST = 3, 14
_SPELT = re.compile(r"[a-z' .,!?;:\"-]+")
_APART = re.compile(r"[^a-z']+")


@dataclass(frozen=True)
class Sentences:
    """Each sentence once, in one of the parts, in an order of chance.

    Attributes:
        train: what the recogniser and all language models may learn from.
        validation: what settings are chosen by.
        test: read by no model.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


def as_written(sentence: str) -> str | None:
    """Lower-case words with their apostrophes, a space between two; None for a sentence that has
    figures or other letters, and for one that is too short or long."""
    plain = sentence.lower().replace("\u2019", "'")
    if not _SPELT.fullmatch(plain):
        return None
    words = [word for part in _APART.split(plain) if (word := part.strip("'"))]
    return " ".join(words) if LEAST <= len(words) <= MOST else None


def sentences(seed: int = 0) -> Sentences:
    """The English side, split by what is said: sentences that differ in marks alone are one.

    Raises:
        DataError: Tatoeba is not at hand.
    """
    pairs = catalog.load("tatoeba-de-en")
    said = {written for one in pairs.targets if (written := as_written(one)) is not None}
    whole = sorted(said)
    order = np.random.default_rng(seed).permutation(len(whole)).tolist()
    drawn = tuple(whole[at] for at in order)
    test, validation = round(TEST * len(drawn)), round((TEST + VALIDATION) * len(drawn))
    return Sentences(drawn[validation:], drawn[test:validation], drawn[:test])


def without_context(pool: Sequence[str], count: int, seed: int, power: float) -> tuple[str, ...]:
    """Words of a pool of sentences, each drawn by itself, in sentences as long as the pool's first.

    A word that the pool has n times is drawn as often as n to a power: 1 is as often as it is said,
    less gives rare words a larger share. Who learns from them learns how words sound, and nothing
    of which stands beside which: that is left to the language model.
    """
    counts = Counter(word for one in pool for word in one.split())
    words = sorted(counts)
    likely = np.array([counts[word] for word in words]) ** power
    lengths = [len(one.split()) for one in pool[:count]]
    drawn = np.random.default_rng(seed).choice(
        len(words), size=sum(lengths), p=likely / likely.sum()
    )
    order = iter(drawn.tolist())
    return tuple(" ".join(words[next(order)] for _ in range(length)) for length in lengths)
