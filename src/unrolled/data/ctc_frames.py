"""How many frames a transcript needs at least, so that a CTC model can say it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import pairwise


def frames_needed(tokens: Sequence[Hashable]) -> int:
    """The fewest frames that an alignment of these symbols has.

        U + how many symbols are the same as the one before them

    Each symbol has a frame, and between two that are the same there must be a blank: without it
    they would be one.

    Source: Graves et al. 2006 (CTC), section 3.1.
    """
    return len(tokens) + sum(one == other for one, other in pairwise(tokens))
