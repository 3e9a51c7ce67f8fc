"""Which words sound alike, by two lists that must agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from unrolled.data import catalog

# A spelling counts where the text that is learnt has it so often: of a rarer one no language model
# can know where it stands.
OFTEN = 20


def homophones(learnt: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of words that sound alike, the most frequent first.

    A curated list has them together, CMUdict gives each the first one's pronunciation, and the
    sentences that are learnt have each of them often enough.

    Args:
        learnt: sentences as they are written.

    Raises:
        DataError: one of the lists is not at hand.
    """
    counts = Counter(word for sentence in learnt for word in sentence.split())
    said = catalog.load("cmudict")
    found: dict[tuple[str, ...], None] = {}
    for line in catalog.load("homophones").splitlines():
        words = [word for one in line.lower().split(",") if counts[word := one.strip()] >= OFTEN]
        words = sorted(set(words), key=lambda word: (-counts[word], word))
        alike = [word for word in words if word in {words[0], *said.alike(words[0])}]
        if len(alike) > 1:
            found[tuple(alike)] = None
    return sorted(found)
