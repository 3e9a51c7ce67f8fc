"""`SharedLook`: an attention whose rows share the memory of the sentence that they belong to."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from unrolled.layers.attention import Attention


class SharedLook(Module):
    """Hypotheses of one sentence look at one copy of its memory: `R` rows, `N` sentences.

    The attention takes them as the steps of a sentence: which of them asks first is nothing to it.

    Args:
        attention: of the decoder.

    Attributes:
        sentences: `(N,)` int64, those that rows belong to, ascending; set by `share`.
    """

    def __init__(self, attention: Attention) -> None:
        super().__init__()
        self.attention = attention

    def share(self, owners: Tensor) -> None:
        """Row `i` belongs to sentence `owners[i]`; `(R,)` int64."""
        found, inverse = np.unique(owners.cpu().numpy(), return_inverse=True)
        order = np.argsort(inverse, kind="stable")
        counts = np.bincount(inverse)
        # A row's number among those of its sentence.
        number = np.empty(len(inverse), np.int64)
        number[order] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        self.sentences = torch.from_numpy(found).to(owners.device)
        self._most = int(counts.max())
        self._places = torch.from_numpy(number * len(found) + inverse).to(owners.device)

    def forward(
        self, queries: Tensor, keys: Tensor, memory: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """As `Attention`, of one step `(1, R, H)`; keys, memory `(S, N, ...)` and lengths `(N,)`
        are those of `sentences`."""
        asked = queries.new_zeros(self._most * len(self.sentences), queries.shape[-1])
        asked[self._places] = queries[0]
        asked = asked.unflatten(0, (self._most, len(self.sentences)))
        context, weights = (
            one.flatten(0, 1).index_select(0, self._places).unsqueeze(0)
            for one in self.attention(asked, keys, memory, lengths)
        )
        return context, weights
