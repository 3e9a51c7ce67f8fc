"""The network of a `Generator`: embedding, recurrent layers, scores for the next symbol."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from unrolled.layers.states import State


class LanguageModel(nn.Module):
    """Scores for the next symbol at every step.

        e_t = embedding[x_t];  y_t, s_t = recurrent(e_t, s_{t-1});  logits_t = W y_t + b

    Shapes: `T` time, `B` batch, `V` vocabulary, `H` hidden size.

    Args:
        recurrent: an `unrolled` layer of one direction, time-major.
        symbols: `V`.
        dropout: share of the inputs to the layers and of their outputs that is dropped in training.
    """

    def __init__(self, recurrent: nn.RNNBase, symbols: int, *, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, recurrent.input_size)
        # The layer's own type: torch's base class knows no `step`.
        self.recurrent: Any = recurrent
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(recurrent.hidden_size, symbols)

    def forward(
        self,
        inputs: Tensor,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """`inputs` `(T, B)` int64 to logits `(T, B, V)` and the state after the last step."""
        embedded = self.embedding(inputs)
        hidden, state = self.recurrent(embedded, state, lengths=lengths, starts=starts)
        return self.readout(self.dropout(hidden)), state

    def step(self, ids: Tensor, state: State = None) -> tuple[Tensor, State]:
        """`ids` `(B,)` int64 to logits `(B, V)` and the state after this step."""
        hidden, state = self.recurrent.step(self.embedding(ids), state)
        return self.readout(self.dropout(hidden)), state
