"""A model that is a table, and the plainest beam search there is, to hold the real one against."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from unrolled.decoding import BeamOptions, LogProbabilities

BEGIN, END = 0, 1
SEEN = torch.finfo(torch.float32).tiny


class Table:
    """A scorer whose numbers are drawn anew from each row's sentence and its tokens so far, so that
    they depend on nothing else.

    Args:
        sentences: which sentence each row begins as.
        vocabulary: `V`.
        sources: the length of each sentence's source, for attention; None for none.
        levels: into how few values the numbers fall, so that many are equal; 0 for no such thing.
        never: tokens that have no probability at all.
    """

    def __init__(
        self,
        sentences: Sequence[int],
        vocabulary: int,
        *,
        sources: Sequence[int] | None = None,
        levels: int = 0,
        never: Sequence[int] = (),
    ) -> None:
        self.rows: list[tuple[int, tuple[int, ...]]] = [(one, ()) for one in sentences]
        self.vocabulary = vocabulary
        self.sources = None if sources is None else dict(zip(sentences, sources, strict=True))
        self.levels = levels
        self.never = list(never)
        self.most_rows = 0
        self.steps = 0

    def log_probabilities(self, sentence: int, tokens: tuple[int, ...]) -> Tensor:
        raw = torch.randn(self.vocabulary, generator=_generator(sentence, tokens)) * 1.5
        if self.levels:
            raw = (raw * self.levels).round() / self.levels
        raw[self.never] = -math.inf
        return raw.log_softmax(0)

    def attention(self, sentence: int, tokens: tuple[int, ...], width: int) -> Tensor:
        assert self.sources is not None
        length = self.sources[sentence]
        raw = torch.randn(length, generator=_generator(sentence, (*tokens, 99))) * 2
        return torch.cat([raw.softmax(0), torch.zeros(width - length)])

    def step(self, tokens: Tensor) -> LogProbabilities:
        assert tokens.shape == (len(self.rows),)
        assert tokens.dtype == torch.int64
        self.rows = [
            (one, (*before, token))
            for (one, before), token in zip(self.rows, tokens.tolist(), strict=True)
        ]
        self.most_rows = max(self.most_rows, len(self.rows))
        self.steps += 1
        values = torch.stack([self.log_probabilities(*row) for row in self.rows])
        attention = None
        if self.sources is not None:
            width = max(self.sources[one] for one, _ in self.rows)
            attention = torch.stack([self.attention(*row, width) for row in self.rows])
        return LogProbabilities(values, attention)

    def select(self, rows: Tensor) -> None:
        self.rows = [self.rows[row] for row in rows.tolist()]


def _generator(sentence: int, tokens: tuple[int, ...]) -> torch.Generator:
    return torch.Generator().manual_seed(hash((sentence, tokens)) % 2**40)


@dataclass
class Plain:
    """A hypothesis of the plain search."""

    tokens: tuple[int, ...]
    values: tuple[float, ...]
    score: float
    finished: bool


def score_of(
    table: Table, sentence: int, tokens: tuple[int, ...], values: Sequence[float], o: BeamOptions
) -> float:
    """Equation 14 of Wu et al., term by term. `tokens` holds the end where it was reached."""
    count = len(values)
    if o.length_penalty == "mean":
        penalty = float(max(count, 1))
    else:
        penalty = ((5 + count) / 6) ** float(o.length_penalty)
    score = math.fsum(values) / penalty
    if o.coverage_penalty:
        assert table.sources is not None
        length = table.sources[sentence]
        looks = [
            table.attention(sentence, (BEGIN, *tokens[:place]), length).tolist()
            for place in range(count)
        ]
        for place in range(length):
            seen = math.fsum(look[place] for look in looks)
            score += o.coverage_penalty * math.log(min(max(seen, SEEN), 1.0))
    return score


def plain_search(
    table: Table,
    sentence: int,
    limit: int,
    o: BeamOptions,
    prefix: Sequence[int] = (),
) -> list[Plain]:
    """One sentence, one hypothesis after the other, on to the most steps, without a bound."""
    live: list[tuple[tuple[int, ...], tuple[float, ...]]] = [((), ())]
    finished: list[Plain] = []
    cut: list[Plain] = []

    def ended(tokens: tuple[int, ...], values: tuple[float, ...], end: bool) -> Plain:
        score = score_of(table, sentence, tokens, values, o)
        return Plain(tokens[:-1] if end else tokens, values, score, end)

    for step in range(limit):
        candidates = []
        open_ = set()
        for parent, (tokens, values) in enumerate(live):
            each = table.log_probabilities(sentence, (BEGIN, *tokens)).double().tolist()
            for token, value in enumerate(each):
                if step < len(prefix):
                    if token != prefix[step]:
                        continue
                elif (
                    token in o.forbidden
                    or (token == END and step < o.min_length)
                    or repeats((*tokens, token), o.no_repeat)
                    or value == -math.inf
                ):
                    continue
                total = sum(values) + value
                candidates.append((-total, parent, -value, token))
                open_.add(parent)
        candidates.sort()
        best = -candidates[0][0] if candidates else 0.0
        if o.prune is not None:
            candidates = [one for one in candidates if -one[0] >= best - o.prune]
        going = []
        for rank, (_, parent, minus, token) in enumerate(candidates):
            tokens, values = live[parent]
            longer = ((*tokens, token), (*values, -minus))
            if token == END and rank < o.beam:
                finished.append(ended(*longer, True))
            elif token != END and len(going) < o.beam:
                going.append(longer)
        if not going:
            cut = [ended(*one, False) for at, one in enumerate(live) if at not in open_]
            break
        live = going
        if len(finished) >= o.beam:
            break
        if step + 1 == limit:
            cut = [ended(*one, False) for one in live]
    best = sorted(finished, key=lambda one: -one.score)[: o.n_best]
    return (best + sorted(cut, key=lambda one: -one.score))[: o.n_best]


def repeats(tokens: Sequence[int], n: int) -> bool:
    """Whether the last `n` tokens stand there before, too."""
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)] if n else []
    return bool(grams) and grams[-1] in grams[:-1]


def every_answer(
    table: Table, sentence: int, limit: int, o: BeamOptions
) -> list[tuple[tuple[int, ...], float]]:
    """All sequences that end within the limit, with their scores, best first."""
    found = []
    words = [token for token in range(table.vocabulary) if token != END]
    for count in range(limit):
        for tokens in product(words, repeat=count):
            whole = (*tokens, END)
            values = [
                float(table.log_probabilities(sentence, (BEGIN, *whole[:place]))[token])
                for place, token in enumerate(whole)
            ]
            found.append((tokens, score_of(table, sentence, whole, values, o)))
    return sorted(found, key=lambda one: -one[1])
