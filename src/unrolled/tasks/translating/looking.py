"""`SharedLook`: an attention whose rows share the memory of the sentence that they belong to."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from unrolled.layers.attention import Attention
from unrolled.layers.attention_function import AttentionRun, attend
from unrolled.tasks.translating.network import Memory


class SharedLook(Module):
    """Hypotheses of one sentence look at one copy of its memory: `R` rows, `N` sentences.

    The attention takes them as the steps of a sentence: which of them asks first is nothing to it.
    With `prepared`, the matrix of a multiplicative one is taken to the sentences, once for all
    rows and steps: (W q) . m = q . (W' m).

    Args:
        attention: of the decoder.

    Attributes:
        sentences: `(N,)` int64, those that rows belong to, ascending; set by `share`.
    """

    def __init__(self, attention: Attention) -> None:
        super().__init__()
        self.attention = attention

    def prepared(self, memory: Memory) -> Memory:
        """The memory with the keys that `forward` wants."""
        if self.attention.kind == "multiplicative":
            return memory._replace(keys=memory.outputs @ self.attention.query.weight)
        return memory

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
        # As nearly always: sentence after sentence, with as many rows each.
        self._even = len(inverse) == self._most * len(found) and bool(
            (inverse == np.repeat(np.arange(len(found)), self._most)).all()
        )
        self._places = torch.from_numpy(number * len(found) + inverse).to(owners.device)

    def forward(
        self, queries: Tensor, keys: Tensor, memory: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """As `Attention`, of one step `(1, R, H)`; keys, memory `(S, N, ...)` and lengths `(N,)`
        are those of `sentences`."""
        count = len(self.sentences)
        if self._even:
            asked = queries[0].unflatten(0, (count, self._most)).transpose(0, 1)
            context, weights = self._look(asked, keys, memory, lengths)
            return (
                context.transpose(0, 1).flatten(0, 1).unsqueeze(0),
                weights.transpose(0, 1).flatten(0, 1).unsqueeze(0),
            )
        asked = queries.new_zeros(self._most * count, queries.shape[-1])
        asked[self._places] = queries[0]
        context, weights = (
            one.flatten(0, 1).index_select(0, self._places).unsqueeze(0)
            for one in self._look(asked.unflatten(0, (self._most, count)), keys, memory, lengths)
        )
        return context, weights

    def _look(
        self, asked: Tensor, keys: Tensor, memory: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        if self.attention.kind == "multiplicative":
            run = AttentionRun("multiplicative", memory.shape[-1] ** -0.5, lengths)
            return attend(run, (asked, keys, memory, None))
        found: tuple[Tensor, Tensor] = self.attention(asked, keys, memory, lengths)
        return found
