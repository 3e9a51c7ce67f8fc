"""Greedy and beam search as one writes them: rows for every hypothesis, until all have ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from translation_tasks.plain import Plain
from unrolled.tasks.translating.encoding import PairTokens

Found = list[list[int]]


@dataclass(frozen=True)
class PlainTranslator:
    """From text to text by a plain network.

    Attributes:
        model: in evaluation mode.
        tokens: of both sides.
        limit: the most tokens of a translation, from how many its source has.
    """

    model: Plain
    tokens: PairTokens
    limit: Callable[[int], int]

    def greedy(self, sentences: Sequence[str]) -> list[str]:
        """All at once, the likeliest token at every step."""
        return self._found(sentences, greedy)

    def beam(self, sentences: Sequence[str]) -> list[str]:
        """All at once, by a beam of 5."""
        return self._found(sentences, beam)

    def _found(self, sentences: Sequence[str], search: Callable[..., Found]) -> list[str]:
        ids = [torch.from_numpy(one) for one in self.tokens.sources(sentences)]
        source = pad_sequence(ids, batch_first=True)
        lengths = torch.tensor([len(one) for one in ids])
        limits = [self.limit(len(one)) for one in ids]
        found = search(self.model, source, lengths, self.tokens.end, max(limits))
        return [self.tokens.text(row[:most]) for row, most in zip(found, limits, strict=True)]


@torch.no_grad()
def greedy(model: Plain, source: Tensor, lengths: Tensor, end: int, steps: int) -> Found:
    """The likeliest token at every step, for sentences `(B, S)`; without the end symbol.

    Args:
        model: in evaluation mode.
        source, lengths: padded numbers, and how many of each row are real.
        end: the symbol that begins and ends a sentence.
        steps: the most tokens.
    """
    read, at = model.encode(source, lengths)
    token = source.new_full((len(source),), end)
    ended, found = torch.zeros_like(token, dtype=torch.bool), []
    for _ in range(steps):
        at = model.step(model.target_embedding(token), read, at)
        token = model.readout(at.output).argmax(1).masked_fill(ended, end)
        found.append(token)
        ended |= token == end
        if ended.all():
            break
    return [_until(row, end) for row in torch.stack(found, 1).tolist()]


@torch.no_grad()
def beam(
    model: Plain,
    source: Tensor,
    lengths: Tensor,
    end: int,
    steps: int,
    width: int = 5,
    penalty: float = 1.0,
) -> Found:
    """The best of `width` hypotheses each, by `log p / ((5 + length) / 6) ** penalty`.

    The memory is repeated for every hypothesis; one that has ended stays in its place, at no cost.
    Other arguments as in `greedy`. The penalty is that of Wu et al. 2016, arXiv 1609.08144.
    """
    rows = len(source)
    read, at = model.encode(source, lengths)
    every = torch.arange(rows).repeat_interleave(width)
    read, at = read.repeated(width), at.picked(every)
    token = source.new_full((rows * width,), end)
    # At first all hypotheses of a sentence are the same: one may go on.
    scores = torch.full((rows, width), -torch.inf)
    scores[:, 0] = 0.0
    ended = torch.zeros(rows * width, dtype=torch.bool)
    first = torch.arange(rows).unsqueeze(1) * width
    stays = torch.full((model.sizes.vocabulary,), -torch.inf)
    stays[end] = 0.0
    found = token.new_zeros(rows * width, 0)
    for _ in range(steps):
        at = model.step(model.target_embedding(token), read, at)
        chances = model.readout(at.output).log_softmax(1)
        chances[ended] = stays
        total = (scores.unsqueeze(2) + chances.view(rows, width, -1)).view(rows, -1)
        scores, places = total.topk(width, 1)
        before = (first + places // model.sizes.vocabulary).flatten()
        token = (places % model.sizes.vocabulary).flatten()
        at, found = at.picked(before), torch.cat([found[before], token.unsqueeze(1)], 1)
        ended = ended[before] | (token == end)
        if ended.all():
            break
    divided = ((5 + _lengths(found, end).view(rows, width)) / 6) ** penalty
    best = (scores / divided).argmax(1) + first.squeeze(1)
    return [_until(row, end) for row in found[best].tolist()]


def _lengths(found: Tensor, end: int) -> Tensor:
    """How many tokens each row `(R, T)` has, with its end symbol where it has one."""
    before = (found == end).cumsum(1) == 0
    return (before.sum(1) + 1).clamp(max=found.shape[1])


def _until(row: list[int], end: int) -> list[int]:
    return row[: row.index(end)] if end in row else row
