"""Which texts are learnt and which are set apart: alike in labels, and no text on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def split(
    texts: Sequence[str], labels: Sequence[Any], share: float, seed: int, *, in_a_row: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Places of the texts that stay, and of the `share` that is set apart; each sorted.

    Each label's texts are shared out alike (stratified; with several labels a text, each set of
    labels). Equal texts (but for case and spaces) stay together, so that what was learnt by heart
    is not measured. What is set apart depends on the seed and the order of the texts alone.

    With `in_a_row` it is a run of each label's texts as they stand, from a drawn place on (and on
    from the first after the last). Texts that stand together often have more in common than their
    label: reviews of one film, letters of one sender, days of one week. Drawn one by one they stand
    on both sides, and what only remembers names and words looks better than it is.
    """
    groups: dict[str, list[int]] = {}
    for place, text in enumerate(texts):
        groups.setdefault(" ".join(text.lower().split()), []).append(place)
    strata: dict[Any, list[list[int]]] = {}
    for members in groups.values():
        strata.setdefault(labels[members[0]], []).append(members)
    random = np.random.default_rng([seed, 0x5EED])
    apart: list[int] = []
    owed = 0.0  # rounding is carried from label to label: many rare labels are not all forgotten
    for label in sorted(strata, key=str):
        alike = strata[label]
        owed += share * sum(map(len, alike))
        order = random.permutation(len(alike))
        if in_a_row:
            order = (order[0] + np.arange(len(alike))) % len(alike)
        for at in order:
            # a label with one text is learnt rather than tested
            if len(alike) < 2 or owed < len(alike[at]) / 2:
                break
            apart += alike[at]
            owed -= len(alike[at])
    chosen = np.zeros(len(texts), dtype=bool)
    chosen[apart] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)
