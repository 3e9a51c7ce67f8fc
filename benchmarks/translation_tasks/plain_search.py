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
    """The best answers by `log p / ((5 + length) / 6) ** penalty`, of `width` hypotheses each.

    The memory is repeated for every hypothesis. At each step the best `2 width` are looked at: one
    of the first `width` that has ended is an answer, and the best `width` that have not go on. A
    sentence has ended with `width` answers, the search when all sentences have, as in fairseq and
    `transformers`. Other arguments as in `greedy`; the penalty is that of Wu et al. 2016, arXiv
    1609.08144.
    """
    rows = len(source)
    read, at = model.encode(source, lengths)
    every = torch.arange(rows).repeat_interleave(width)
    read, at = read.repeated(width), at.picked(every)
    token = source.new_full((rows * width,), end)
    # At first all hypotheses of a sentence are the same: one may go on.
    scores = torch.full((rows, width), -torch.inf)
    scores[:, 0] = 0.0
    found = token.new_empty(rows, width, 0)
    best, answers = torch.full((rows,), -torch.inf), token.new_full((rows, steps), end)
    ended = torch.zeros(rows, dtype=torch.long)
    first = torch.arange(rows).unsqueeze(1)
    for step in range(1, steps + 1):
        at = model.step(model.target_embedding(token), read, at)
        chances = model.readout(at.output).log_softmax(1).view(rows, width, -1)
        total = (scores.unsqueeze(2) + chances).view(rows, -1)
        values, places = total.topk(2 * width, 1)
        parents, tokens = places // chances.shape[2], places % chances.shape[2]
        ends = (tokens == end) & (values > -torch.inf)
        divided = (values / ((5 + step) / 6) ** penalty).masked_fill(~ends, -torch.inf)
        value, place = divided[:, :width].max(1)
        better = (value > best) & (ended < width)
        best = torch.where(better, value, best)
        answers[better, : step - 1] = found[better, parents[better, place[better]]]
        ended += ends[:, :width].sum(1)
        if (ended >= width).all():
            break
        on = ends.long().argsort(dim=1, stable=True)[:, :width]
        scores, parents, tokens = (one.gather(1, on) for one in (values, parents, tokens))
        found = torch.cat([found[first, parents], tokens.unsqueeze(2)], 2)
        token, at = tokens.flatten(), at.picked((first * width + parents).flatten())
    # Whoever has no answer has the best that has not ended.
    never = best == -torch.inf
    answers[never, : found.shape[2]] = found[never, 0]
    return [_until(row, end) for row in answers.tolist()]


def _until(row: list[int], end: int) -> list[int]:
    return row[: row.index(end)] if end in row else row
