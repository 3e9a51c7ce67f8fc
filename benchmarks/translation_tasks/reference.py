"""The rival that the goals were set by: an encoder-decoder with additive attention, in plain torch.

    c_t = attention(s_{t-1}, memory);   s_t = GRU([E y_{t-1}, c_t], s_{t-1})
    logits = W tanh(V [s_t, c_t, E y_{t-1}]) + b

Directions of 256, a decoder of 512, 8,000 subwords that both languages share, 7.7 million
parameters, batches of 64 drawn sentences, dropout .3, labels smoothed by .1, greedy (after Bahdanau
et al. 2015, arXiv 1409.0473). Adam at a constant 1e-3, gradients clipped to norm 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from run_rival import Rival, Took
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from translation_tasks.plain import IGNORED, Additive, Encoder, Sizes
from unrolled.data.pairs import SentencePairs
from unrolled.tasks.translating.encoding import PairTokens

BATCH, RATE, CLIP, SMOOTHING, DROPOUT = 64, 1e-3, 1.0, 0.1, 0.3
VOCABULARY = 8_000
# Tokens of an answer beside those of its source; sentences translated at once.
MORE, AT_ONCE = 20, 64


class Reference(Rival):
    """The rival and its training.

    Args:
        pairs: to learn from.
        seed: of the weights and of the order.
        embedding, hidden: numbers of a token's vector, and units of a direction; the decoder has
            twice as many.
        vocabulary: the most subwords.
    """

    def __init__(
        self,
        pairs: SentencePairs,
        seed: int = 0,
        embedding: int = 256,
        hidden: int = 256,
        vocabulary: int = VOCABULARY,
    ) -> None:
        super().__init__()
        self.tokens = PairTokens.learn(
            pairs.sources, pairs.targets, kind="subwords", size=vocabulary, shared=True
        )
        self._sources = _tensors(self.tokens.sources(pairs.sources))
        self._targets = _tensors(self.tokens.targets(pairs.targets))
        count, decoder = len(self.tokens.target), 2 * hidden
        with self.drawn(seed):
            self.embedding = nn.Embedding(count, embedding)
            self.encoder = Encoder(Sizes(count, count, embedding=embedding, hidden=hidden))
            self.attention = Additive(decoder, decoder, decoder, bias=False)
            self.cell = nn.GRUCell(embedding + decoder, decoder)
            self.combine = nn.Linear(2 * decoder + embedding, embedding)
            self.readout = nn.Linear(embedding, count)
        self.dropout = nn.Dropout(DROPOUT)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=RATE)
        self._order = self._batches(torch.Generator().manual_seed(seed))
        self.target_tokens, self.pairs_read = 0, 0

    @property
    def passes(self) -> float:
        """How often all pairs were read."""
        return self.pairs_read / len(self._sources)

    def update(self) -> float:
        """One step; its loss in nats a target token."""
        places = next(self._order)
        source, lengths = _padded([self._sources[i] for i in places])
        inputs, _ = _padded([self._targets[i][:-1] for i in places])
        targets, count = _padded([self._targets[i][1:] for i in places], IGNORED)
        loss = cross_entropy(
            self(source, lengths, inputs).flatten(0, 1),
            targets.flatten(),
            ignore_index=IGNORED,
            label_smoothing=SMOOTHING,
        )
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters(), CLIP)
        self.optimizer.step()
        self.steps, self.pairs_read = self.steps + 1, self.pairs_read + len(places)
        self.target_tokens += int(count.sum())
        return float(loss.detach())

    def forward(self, source: Tensor, lengths: Tensor, inputs: Tensor) -> Tensor:
        """Logits `(B, T, V)` of sentences `(B, S)` and what the decoder reads, `(B, T)`."""
        memory, keys, padding, state = self._encode(source, lengths)
        embedded, outputs = self.dropout(self.embedding(inputs)), []
        for token in embedded.unbind(1):
            state, output = self._step(token, state, memory, keys, padding)
            outputs.append(output)
        return self.readout(self.dropout(torch.stack(outputs, 1)))

    def _encode(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        memory, last = self.encoder(self.dropout(self.embedding(source)), lengths)
        padding = torch.arange(memory.shape[1]) >= lengths.unsqueeze(1)
        return memory, self.attention.keys(memory), padding, last

    def _step(
        self, token: Tensor, state: Tensor, memory: Tensor, keys: Tensor, padding: Tensor
    ) -> tuple[Tensor, Tensor]:
        weights = self.attention(state, keys).masked_fill(padding, -torch.inf).softmax(1)
        context = torch.bmm(weights.unsqueeze(1), memory).squeeze(1)
        state = self.cell(torch.cat([token, context], 1), state)
        return state, torch.tanh(self.combine(torch.cat([state, context, token], 1)))

    def took(self) -> Took:
        """Of the training, passes and target tokens too."""
        return {
            **super().took(),
            "passes": round(self.passes, 3),
            "target tokens": self.target_tokens,
            "target tokens a second": round(self.target_tokens / max(self.seconds, 1e-9)),
        }

    @torch.no_grad()
    def translate(self, sentences: Sequence[str]) -> list[str]:
        """Greedy translations."""
        self.eval()
        found: list[str] = []
        for begin in range(0, len(sentences), AT_ONCE):
            found += self._greedy(sentences[begin : begin + AT_ONCE])
        return found

    def _greedy(self, sentences: Sequence[str]) -> list[str]:
        source, lengths = _padded(_tensors(self.tokens.sources(sentences)))
        end = self.tokens.end
        memory, keys, padding, state = self._encode(source, lengths)
        token = source.new_full((len(source),), end)
        rows, ended = [], torch.zeros_like(token, dtype=torch.bool)
        for _ in range(source.shape[1] + MORE):
            embedded = self.embedding(token)
            state, output = self._step(embedded, state, memory, keys, padding)
            token = self.readout(output).argmax(1).masked_fill(ended, end)
            rows.append(token)
            ended |= token == end
            if ended.all():
                break
        answers = torch.stack(rows, 1).tolist()
        return [self.tokens.text(row[: row.index(end)] if end in row else row) for row in answers]

    def _batches(self, draws: torch.Generator) -> Iterator[list[int]]:
        while True:
            order = torch.randperm(len(self._sources), generator=draws).tolist()
            for begin in range(0, len(order), BATCH):
                yield order[begin : begin + BATCH]


def _tensors(rows: Sequence[np.ndarray]) -> list[Tensor]:
    return [torch.from_numpy(row) for row in rows]


def _padded(rows: Sequence[Tensor], value: int = 0) -> tuple[Tensor, Tensor]:
    """Rows side by side, `(B, T)`, and how long each is."""
    lengths = torch.tensor([len(row) for row in rows])
    return pad_sequence(list(rows), batch_first=True, padding_value=float(value)), lengths
