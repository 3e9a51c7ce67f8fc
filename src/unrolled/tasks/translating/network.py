"""The network of a `Translator`: an encoder, and a decoder that looks back at it.

Shapes: `S` source steps, `T` target steps, `B` sentences, `E` embedding size, `M` memory size, `H`
hidden size, `V` tokens.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from unrolled.layers.states import State
from unrolled.tasks.text_encoder import locked_dropout
from unrolled.tasks.training_rates import TrainingRates
from unrolled.tasks.translating.decoder import Decoder, DecoderState
from unrolled.training.readout_loss import readout_loss


class Memory(NamedTuple):
    """What an encoder leaves of its sentences.

    Attributes:
        outputs: `(S, B, M)`, a vector for each source token, zero beyond a sentence's length.
        summary: `(B, M)`: the last state of each direction, all that a decoder without attention
            has.
        lengths: `(B,)` int64.
        keys: `(S, B, A)`, what an attention compares its queries with; None without one.
    """

    outputs: Tensor
    summary: Tensor
    lengths: Tensor
    keys: Tensor | None


class TranslationNetwork(nn.Module):
    """From a sentence to the probabilities of each token of its translation.

        m_1 .. m_S = encoder(x_1 .. x_S), in both directions
        p(y_t | y_<t, x) = softmax(W o_t + b),   o_t from the decoder (see `Decoder`)

    Args:
        source: `nn.Embedding` of the source's tokens.
        target: of the target's; the same one where they share their tokens.
        encoder: an `unrolled` layer that reads source vectors, time-major.
        decoder: what reads target vectors and the memory.
        smoothing: of the labels, in training.
        dropout: share of the decoder's outputs that is dropped in training, locked over time.
        tied: whether `W` is the table of the target's vectors.

    Attributes:
        precision: of the product with `W` in training, "fp32" or "bf16".

    Sources: Bahdanau et al. 2015, arXiv 1409.0473; Luong et al. 2015, arXiv 1508.04025; Press and
    Wolf 2017, arXiv 1608.05859 (tied weights).
    """

    def __init__(
        self,
        source: nn.Embedding,
        target: nn.Embedding,
        encoder: nn.RNNBase,
        decoder: Decoder,
        *,
        smoothing: float = 0.0,
        dropout: float = 0.0,
        tied: bool = True,
    ) -> None:
        super().__init__()
        self.source = source
        self.target = target
        self.encoder: Any = encoder
        self.decoder = decoder
        self.smoothing = smoothing
        self.dropout = dropout
        self.precision = "fp32"
        symbols, size = target.weight.shape
        self.readout = None if tied else nn.Linear(size, symbols, bias=False)
        self.bias = nn.Parameter(torch.zeros(symbols))
        for table in (source,) if source is target else (source, target):
            nn.init.normal_(table.weight, std=size**-0.5)
        layers = (encoder, decoder.first, decoder.upper)
        self._rates = TrainingRates([one for one in layers if one is not None])

    def train(self, mode: bool = True) -> TranslationNetwork:
        """As torch's; in evaluation the layers' training dropouts are taken off."""
        super().train(mode)
        self._rates.set(mode)
        return self

    @property
    def each(self) -> list[TranslationNetwork]:
        """Itself, the one member."""
        return [self]

    @property
    def scorer(self) -> Tensor:
        """`W` `(V, E)`."""
        return self.target.weight if self.readout is None else self.readout.weight

    def begin_at(self, counts: Tensor) -> None:
        """Let every score begin at how often its token occurs, `counts (V,)`."""
        with torch.no_grad():
            self.bias.copy_(((counts + 1) / (counts.sum() + len(counts))).log())

    def forward(
        self,
        inputs: Tensor,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Memory, None]:
        """Source tokens `(S, B)` int64 to what the decoder reads; `starts` must be at step 0 only,
        for every sentence."""
        if lengths is None:
            lengths = torch.full((inputs.shape[1],), len(inputs), device=inputs.device)
        outputs, last = self.encoder(self.source(inputs), lengths=lengths)
        hidden = last[0] if isinstance(last, tuple) else last
        ways = 2 if self.encoder.bidirectional else 1
        summary = hidden[-ways:].transpose(0, 1).flatten(1)
        attention = self.decoder.attention
        keys = None if attention is None else attention.keys(outputs)
        return Memory(outputs, summary, lengths, keys), None

    def loss(self, memory: Memory, targets: Tensor) -> Tensor:
        """Mean cross-entropy in nats per token, smoothed in training.

        Args:
            memory: what `forward` gave.
            targets: `(1 + T, B)` int64: the begin symbol, then what is to be answered;
                `IGNORED_TARGET` beyond a sentence's end.
        """
        read = targets[:-1].clamp(min=0)
        found = self.decoder.answers(self.target(read), memory)
        hidden = locked_dropout(found, self.dropout, self.training)
        return readout_loss(
            hidden.flatten(0, 1),
            self.scorer,
            self.bias,
            targets[1:].flatten(),
            smoothing=self.smoothing if self.training else 0.0,
            precision=self.precision if self.training else "fp32",
        )

    def begin(self, memory: Memory) -> DecoderState:
        """The decoder's state before the first token."""
        return self.decoder.begin(memory)

    def step(
        self, tokens: Tensor, state: DecoderState, memory: Memory
    ) -> tuple[Tensor, Tensor | None, DecoderState]:
        """One target token `(B,)` int64 for each sentence.

        Returns:
            What the scores are made from `(B, E)`, where the decoder looked `(B, S)` (None without
            attention), and the state after it.
        """
        return self.decoder.step(self.target(tokens), state, memory)

    def scores(self, hidden: Tensor) -> Tensor:
        """`(..., E)` to logits `(..., V)`."""
        return nn.functional.linear(hidden, self.scorer, self.bias)
