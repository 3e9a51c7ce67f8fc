"""Our network as one writes it with `torch.nn`: cells in a loop over time, attention at each step.

    memory = nn.GRU or nn.LSTM, both directions, over packed rows
    s_t = cell([E[y_{t-1}], o_{t-1}], s_{t-1})         o_{t-1} with input feeding only
    a_t = softmax over the source of score(s_t, memory);   c_t = sum_s a_ts memory_s
    u_t = cells([s_t, c_t], u_{t-1});                  with one layer u_t = s_t
    o_t = tanh(W [u_t, c_t]);   logits of all steps at once: E o_t + b

Nothing here is slow on purpose: what needs no loop stands outside of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

IGNORED = -100
# Of one layer: h, and of an LSTM also c; each `(B, H)`.
State = tuple[Tensor, ...]


@dataclass(frozen=True)
class Sizes:
    """What a network is made of.

    Attributes:
        source_vocabulary, vocabulary: of the source and of the target.
        shared: one embedding for both.
        tied: the readout has the weights of the target's embedding.
        embedding: numbers of a token's vector, and of an output.
        hidden: units of each direction of the encoder. decoder: units of the decoder.
        encoder_layers, decoder_layers: one on the other.
        cell: "gru" or "lstm".
        attention: "multiplicative", "additive" or None.
        additive_size: of the sum inside the additive one.
        feeding: whether the first cell also reads the output before.
        dropout: between layers and of outputs. input_dropout: of the embeddings.
    """

    source_vocabulary: int
    vocabulary: int
    shared: bool = True
    tied: bool = True
    embedding: int = 256
    hidden: int = 256
    decoder: int = 512
    encoder_layers: int = 1
    decoder_layers: int = 1
    cell: str = "gru"
    attention: str | None = "multiplicative"
    additive_size: int = 512
    feeding: bool = False
    dropout: float = 0.0
    input_dropout: float = 0.0


class Source(NamedTuple):
    """What a decoder reads of the sentences.

    Attributes:
        memory: `(B, S, M)`.
        keys: `(B, S, A)`, what a query is compared with.
        padding: `(B, S)`, true beyond a sentence's end.
        summary: `(B, M)`, the last states of the encoder.
    """

    memory: Tensor
    keys: Tensor
    padding: Tensor
    summary: Tensor

    def repeated(self, times: int) -> Source:
        """Each sentence so many times, one after the other."""
        return Source(*(one.repeat_interleave(times, 0) for one in self))


class Decoding(NamedTuple):
    """Where a decoder is: the state of each layer, and the last output, `(B, E)`."""

    layers: tuple[State, ...]
    output: Tensor

    def picked(self, rows: Tensor) -> Decoding:
        """The rows of that number, in that order."""
        layers = tuple(tuple(part[rows] for part in layer) for layer in self.layers)
        return Decoding(layers, self.output[rows])


class Multiplicative(nn.Module):
    """`score = (W s) . m / sqrt(M)` (Luong et al. 2015)."""

    def __init__(self, decoder: int, memory: int) -> None:
        super().__init__()
        self.query = nn.Linear(decoder, memory, bias=False)

    def keys(self, memory: Tensor) -> Tensor:
        """`(B, S, M)`, scaled."""
        return memory / memory.shape[2] ** 0.5

    def forward(self, state: Tensor, keys: Tensor) -> Tensor:
        """Scores `(B, S)` of a state `(B, H)`."""
        return torch.bmm(keys, self.query(state).unsqueeze(2)).squeeze(2)


class Additive(nn.Module):
    """`score = v . tanh(W s + U m)` (Bahdanau et al. 2015)."""

    def __init__(self, decoder: int, memory: int, size: int, bias: bool = True) -> None:
        super().__init__()
        self.query = nn.Linear(decoder, size, bias=bias)
        self.key = nn.Linear(memory, size, bias=False)
        self.energy = nn.Linear(size, 1, bias=False)

    def keys(self, memory: Tensor) -> Tensor:
        """`(B, S, A)`."""
        return self.key(memory)

    def forward(self, state: Tensor, keys: Tensor) -> Tensor:
        """Scores `(B, S)` of a state `(B, H)`."""
        return self.energy(torch.tanh(keys + self.query(state).unsqueeze(1))).squeeze(2)


class Encoder(nn.Module):
    """Embedded sentences, read in both directions."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        layers = nn.GRU if sizes.cell == "gru" else nn.LSTM
        self.recurrent = layers(
            sizes.embedding,
            sizes.hidden,
            sizes.encoder_layers,
            batch_first=True,
            bidirectional=True,
            dropout=sizes.dropout if sizes.encoder_layers > 1 else 0.0,
        )

    def forward(self, embedded: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The memory `(B, S, 2H)` of `(B, S, E)`, and the last h of both directions, `(B, 2H)`."""
        packed = pack_padded_sequence(
            embedded, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        outputs, state = self.recurrent(packed)
        memory, _ = pad_packed_sequence(outputs, batch_first=True)
        last = state[0] if isinstance(state, tuple) else state
        return memory, torch.cat([last[-2], last[-1]], 1)


class Plain(nn.Module):
    """The encoder, the attention and the decoder.

    Args:
        sizes: of everything.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        size, memory, decoder = sizes.embedding, 2 * sizes.hidden, sizes.decoder
        self.target_embedding = nn.Embedding(sizes.vocabulary, size)
        self.source_embedding = self.target_embedding
        if not sizes.shared:
            self.source_embedding = nn.Embedding(sizes.source_vocabulary, size)
        self.encoder = Encoder(sizes)
        self.bridge = nn.Linear(memory, sizes.decoder_layers * decoder)
        cell = nn.GRUCell if sizes.cell == "gru" else nn.LSTMCell
        inputs = [2 * size if sizes.feeding else size, decoder + memory]
        inputs += [decoder] * (sizes.decoder_layers - 2)
        self.cells = nn.ModuleList(cell(n, decoder) for n in inputs[: sizes.decoder_layers])
        self.attention: Multiplicative | Additive | None = None
        if sizes.attention == "multiplicative":
            self.attention = Multiplicative(decoder, memory)
        elif sizes.attention == "additive":
            self.attention = Additive(decoder, memory, sizes.additive_size)
        self.combine = nn.Linear(decoder + memory, size)
        self.readout = nn.Linear(size, sizes.vocabulary)
        if sizes.tied:
            self.readout.weight = self.target_embedding.weight
        self.dropout = nn.Dropout(sizes.dropout)
        self.input_dropout = nn.Dropout(sizes.input_dropout)

    def encode(self, source: Tensor, lengths: Tensor) -> tuple[Source, Decoding]:
        """What the decoder reads of sentences `(B, S)`, and where it begins."""
        memory, last = self.encoder(self.input_dropout(self.source_embedding(source)), lengths)
        keys = memory if self.attention is None else self.attention.keys(memory)
        padding = torch.arange(memory.shape[1], device=memory.device) >= lengths.unsqueeze(1)
        begin = torch.tanh(self.bridge(last)).chunk(self.sizes.decoder_layers, 1)
        layers = tuple(
            (h,) if self.sizes.cell == "gru" else (h, torch.zeros_like(h)) for h in begin
        )
        output = memory.new_zeros(len(memory), self.sizes.embedding)
        return Source(memory, keys, padding, last), Decoding(layers, output)

    def step(self, embedded: Tensor, source: Source, at: Decoding) -> Decoding:
        """The decoder after one more token, embedded `(B, E)`."""
        inputs = torch.cat([embedded, at.output], 1) if self.sizes.feeding else embedded
        layers = [_after(self.cells[0], inputs, at.layers[0])]
        context = self._context(layers[0][0], source)
        inputs = torch.cat([layers[0][0], context], 1)
        for cell, state in zip(self.cells[1:], at.layers[1:], strict=True):
            layers.append(_after(cell, self.dropout(inputs), state))
            inputs = layers[-1][0]
        output = torch.tanh(self.combine(torch.cat([layers[-1][0], context], 1)))
        return Decoding(tuple(layers), output)

    def _context(self, state: Tensor, source: Source) -> Tensor:
        """`(B, M)`: the memory as it is weighed; without attention what the encoder ended with."""
        if self.attention is None:
            return source.summary
        scores = self.attention(state, source.keys).masked_fill(source.padding, -torch.inf)
        return torch.bmm(scores.softmax(1).unsqueeze(1), source.memory).squeeze(1)

    def forward(self, source: Tensor, lengths: Tensor, inputs: Tensor) -> Tensor:
        """Logits `(B, T, V)` for sentences `(B, S)` and what the decoder reads, `(B, T)`."""
        read, at = self.encode(source, lengths)
        outputs = []
        for token in self.input_dropout(self.target_embedding(inputs)).unbind(1):
            at = self.step(token, read, at)
            outputs.append(at.output)
        return self.readout(self.dropout(torch.stack(outputs, 1)))

    def loss(
        self,
        source: Tensor,
        lengths: Tensor,
        inputs: Tensor,
        targets: Tensor,
        smoothing: float = 0.1,
    ) -> Tensor:
        """Mean cross-entropy in nats a target token, labels smoothed; targets `(B, T)`."""
        logits = self(source, lengths, inputs)
        return cross_entropy(
            logits.flatten(0, 1),
            targets.flatten(),
            ignore_index=IGNORED,
            label_smoothing=smoothing,
        )


def _after(cell: nn.Module, inputs: Tensor, state: State) -> State:
    """A cell's state after one step."""
    if isinstance(cell, nn.LSTMCell):
        h, c = cell(inputs, state)
        return h, c
    return (cell(inputs, state[0]),)
