"""The transducer loss as it is defined: a sum over every alignment, written out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor


def brute_force(logits: Tensor, said: Sequence[int], blank: int = 0) -> Tensor:
    """Minus the log of the sum over every alignment of one utterance, for `(T, U + 1, V)`.

    An alignment says which of its T + U moves say a symbol; the last is a blank.
    """
    scores = logits.log_softmax(-1)
    frames, count = len(logits), len(said)
    values = []
    for speaks in itertools.combinations(range(frames + count - 1), count):
        t = u = 0
        value = scores.new_zeros(())
        for move in range(frames + count):
            if move in speaks:
                value = value + scores[t, u, said[u]]
                u += 1
            else:
                value = value + scores[t, u, blank]
                t += 1
        values.append(value)
    return -torch.stack(values).logsumexp(0)
