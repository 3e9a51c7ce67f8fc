"""`Decoder`: recurrent layers that write a translation and look back at its source while they do.

Shapes: `S` source steps, `T` target steps, `B` sentences, `E` embedding size, `M` memory size, `H`
hidden size, `L` layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from unrolled.layers.attention import Attention
from unrolled.layers.states import State

if TYPE_CHECKING:
    from unrolled.tasks.translating.network import Memory


class DecoderState(NamedTuple):
    """What a decoder carries from token to token.

    Attributes:
        first: state of the layer that reads tokens.
        upper: of the layers above it; None where there are none.
        fed: `(B, E)`, the last answer, with input feeding; else None.
    """

    first: State
    upper: State
    fed: Tensor | None


class Decoder(nn.Module):
    """Answers at every step what the scores of the next token are made from.

        s_t = first([y_{t-1}, o_{t-1}], s_{t-1})         o_{t-1} with input feeding only
        c_t, a_t = attention(s_t, memory)                without attention: c_t = summary
        u_t = upper([s_t, c_t], u_{t-1})                 with one layer u_t = s_t
        o_t = tanh(W [u_t, c_t])

    Since `s_t` depends on the tokens before alone (without input feeding), all steps of a layer run
    in one call of it, and so does the attention: that makes training quick. What was attended to
    reaches the state through `upper`.

    Args:
        first: an `unrolled` layer, time-major, that reads vectors of E (2 E with input feeding).
        upper: one that reads H + M; None for none.
        attention: None: every step sees the summary of the sentence instead.
        memory_size: M.
        size: E, of what is answered.
        feeding: input feeding: every step reads the answer before, too. Then steps run one by one.

    Sources: Luong et al. 2015, arXiv 1508.04025 (input feeding, `o`); Wu et al. 2016, arXiv
    1609.08144 (attention from the lowest layer, read by those above).
    """

    def __init__(
        self,
        first: nn.RNNBase,
        upper: nn.RNNBase | None,
        attention: Attention | None,
        *,
        memory_size: int,
        size: int,
        feeding: bool = False,
    ) -> None:
        super().__init__()
        self.first: Any = first
        self.upper: Any = upper
        self.attention = attention
        self.feeding = feeding
        self.size = size
        hidden = first.hidden_size
        self.lstm = isinstance(first, nn.LSTM)
        self.layers = 1 + (0 if upper is None else upper.num_layers)
        self.bridge = nn.Linear(memory_size, self.layers * hidden)
        self.combine = nn.Linear(hidden + memory_size, size)

    def begin(self, memory: Memory) -> DecoderState:
        """The state before the first token, made from the sentence's summary."""
        drawn = torch.tanh(self.bridge(memory.summary))
        layers = drawn.unflatten(1, (self.layers, -1)).transpose(0, 1).contiguous()
        fed = None
        if self.feeding:
            fed = drawn.new_zeros(len(drawn), self.size)
        upper = None if self.upper is None else self._state(layers[1:])
        return DecoderState(self._state(layers[:1]), upper, fed)

    def answers(self, vectors: Tensor, memory: Memory) -> Tensor:
        """The answers `(T, B, E)` to tokens that are all known, `vectors (T, B, E)`."""
        state = self.begin(memory)
        if not self.feeding:
            return self._read(vectors, state, memory)[0]
        found = []
        for one in vectors:
            answer, _, state = self.step(one, state, memory)
            found.append(answer)
        return torch.stack(found)

    def step(
        self, vectors: Tensor, state: DecoderState, memory: Memory
    ) -> tuple[Tensor, Tensor | None, DecoderState]:
        """One step: `vectors (B, E)` to answers `(B, E)`, weights `(B, S)` and the state after."""
        if state.fed is not None:
            vectors = torch.cat([vectors, state.fed], -1)
        found, weights, after = self._read(vectors.unsqueeze(0), state, memory)
        answer = found[0]
        fed = answer if self.feeding else None
        return answer, None if weights is None else weights[0], after._replace(fed=fed)

    def _read(
        self, vectors: Tensor, state: DecoderState, memory: Memory
    ) -> tuple[Tensor, Tensor | None, DecoderState]:
        below, first = self.first(vectors, state.first)
        weights: Tensor | None = None
        if self.attention is None or memory.keys is None:
            context = memory.summary.expand(len(below), *memory.summary.shape)
        else:
            context, weights = self.attention(below, memory.keys, memory.outputs, memory.lengths)
        hidden, upper = below, None
        if self.upper is not None:
            hidden, upper = self.upper(torch.cat([below, context], -1), state.upper)
        answer = torch.tanh(self.combine(torch.cat([hidden, context], -1)))
        return answer, weights, DecoderState(first, upper, None)

    def _state(self, hidden: Tensor) -> State:
        return (hidden, torch.zeros_like(hidden)) if self.lstm else hidden
