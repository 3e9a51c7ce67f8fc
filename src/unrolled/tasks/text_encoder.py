"""`TextEncoder`: from token numbers to a hidden state at every step; what the text tasks share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from unrolled.layers.masks import recurrent_mask
from unrolled.layers.states import State
from unrolled.tasks.training_rates import TrainingRates


class TextEncoder(nn.Module):
    """Reads tokens: embedding, then recurrent layers.

        e_t = m_w[x_t] embedding[x_t];   y_t, s_t = recurrent(e_t, s_{t-1})

    `m_w` is embedding dropout: in training a word is dropped from a whole call, in all its places,
    with probability p, and the others are divided by 1 - p. All other dropout over time is locked
    (one mask for a row, the same at every step) and stands in the layer: `input_dropout` with a
    rate for each layer, and `weight_dropout` of the recurrent matrices.

    Shapes: `T` time, `B` batch, `V` tokens that there are, `E` embedding size, `H` hidden size,
    `D` directions.

    Args:
        recurrent: an `unrolled` layer that reads vectors of size E, time-major.
        symbols: `V`.
        embedding_dropout: share of the words that a call is read without.

    Attributes:
        embedding: `nn.Embedding(V, E)`.
        recurrent: the layer.
        output_size: `D * H`.

    Source: Merity et al. 2018, arXiv 1708.02182 (AWD-LSTM); Gal and Ghahramani 2016, arXiv
    1512.05287 (dropout of whole words).
    """

    def __init__(
        self, recurrent: nn.RNNBase, symbols: int, *, embedding_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, recurrent.input_size)
        # The layer's own type: torch's base class knows no `step`.
        self.recurrent: Any = recurrent
        self.embedding_dropout = embedding_dropout
        directions = 2 if recurrent.bidirectional else 1
        self.output_size = directions * (recurrent.proj_size or recurrent.hidden_size)
        self._rates = TrainingRates([recurrent])

    def train(self, mode: bool = True) -> TextEncoder:
        """As torch's; in evaluation the layer's training dropouts are taken off."""
        super().train(mode)
        self._rates.set(mode)
        return self

    def embed(self, ids: Tensor) -> Tensor:
        """`ids` of any shape to vectors `(..., E)`, with embedding dropout in training."""
        vectors: Tensor = self.embedding(ids)
        if not (self.training and self.embedding_dropout):
            return vectors
        words = recurrent_mask(self.embedding.num_embeddings, 1, self.embedding_dropout, vectors)
        return vectors * words[ids]

    def forward(
        self,
        ids: Tensor,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """`ids` `(T, B)` int64 to hidden states `(T, B, D * H)` and the state after the last
        step."""
        hidden, state = self.recurrent(self.embed(ids), state, lengths=lengths, starts=starts)
        return hidden, state

    def step(self, ids: Tensor, state: State = None) -> tuple[Tensor, State]:
        """`ids` `(B,)` int64 to hidden states `(B, H)` and the state after this step."""
        hidden, state = self.recurrent.step(self.embed(ids), state)
        return hidden, state


def locked_dropout(x: Tensor, rate: float, training: bool = True) -> Tensor:
    """Dropout of `x (T, B, N)` with one mask for a row, the same at every step."""
    if not (training and rate):
        return x
    with torch.no_grad():
        mask = recurrent_mask(x.shape[-2], x.shape[-1], rate, x)
    return x * mask
