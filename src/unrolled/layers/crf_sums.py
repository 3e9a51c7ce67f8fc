"""Sums and maxima over all sequences of tags, one pass over time each.

    forward    a_1 = start + e_1,  a_t[j] = e_t[j] + log sum_i exp (a_{t-1}[i] + A[i, j])
    backward   b_n = end,          b_t[i] = log sum_j exp (A[i, j] + e_{t+1}[j] + b_{t+1}[j])
    log Z = log sum exp (a_n + end),    p(y_t = j | x) = exp (a_t[j] + b_t[j] - log Z)

Scores are kept in logarithms and in double precision. A step of either pass is a matrix product of
exponentials, each row's largest taken out first, as long as that is exact; where transitions are
forbidden (-inf) or far apart it is a log-sum-exp over all pairs, which takes ten times as long.

Steps beyond a row's length change nothing, whatever stands there. Where no sequence is allowed at
all, log Z is -inf and the gradient zero.

Shapes: `T` time, `B` batch, `C` tags; emissions `(T, B, C)`, `real` `(T, B)` bool: before the row's
length; start and end `(C,)`, transitions `(C, C)` from the row's tag to the column's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# exp(-300) and its products with exp(300) are far from both ends of a double's range (708).
_NEAR = 300.0


class Potentials(NamedTuple):
    """The scores that do not depend on the input.

    Attributes:
        start, end: `(C,)`, of the first and the last tag of a sequence.
        transitions: `(C, C)`, from the row's tag to the column's.
    """

    start: Tensor
    transitions: Tensor
    end: Tensor


class LogPartition(torch.autograd.Function):
    """`log Z` `(B,)`; its gradient is the expected count of every score, by the backward pass."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, real: Tensor, start: Tensor, transitions: Tensor, end: Tensor
    ) -> Tensor:
        passes = Passes(emissions, real, Potentials(start, transitions, end))
        total = passes.partition()
        ctx.passes, ctx.total = passes, total
        return total.to(emissions.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_total: Tensor) -> tuple[Tensor | None, ...]:
        given = ctx.passes.given
        counts = ctx.passes.counts(ctx.total, d_total.double())
        d_emissions, d_start, d_transitions, d_end = (one.to(given.dtype) for one in counts)
        return d_emissions, None, d_start, d_transitions, d_end


class Passes:
    """The forward pass over some emissions, and on request what the backward pass adds."""

    def __init__(self, emissions: Tensor, real: Tensor, potentials: Potentials) -> None:
        self.given, self.real = emissions, real
        self.emissions = emissions.double()
        self.start, self.transitions, self.end = (one.double() for one in potentials)
        low, high = self.transitions.aminmax()
        self.near = bool(high - low < _NEAR)  # false for a NaN or an infinity as well
        self.unit = high
        self.moves = (self.transitions - high).exp()
        self.alphas = self._forward()

    def partition(self) -> Tensor:
        """`log Z` `(B,)`; 0 for an empty row, of which there is one sequence."""
        total = (self.alphas[-1] + self.end).logsumexp(-1)
        return torch.where(self.real.any(0), total, 0.0)

    def marginals(self) -> Tensor:
        """`p(y_t = j | x)` `(T, B, C)`, zero beyond a row's length."""
        likely = (self.alphas + self._backward() - _top(self.partition())).exp()
        return torch.where(self.real.unsqueeze(-1), likely, 0.0)

    def counts(self, total: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Expected counts of emissions, starts, transitions and ends, rows weighted by `weight`."""
        betas, real = self._backward(), self.real
        weight = torch.where(real, weight, 0.0).unsqueeze(-1)
        here = torch.where(
            real.unsqueeze(-1), (self.alphas + betas - _top(total)).exp() * weight, 0.0
        )
        after = torch.cat([real[1:], torch.zeros_like(real[:1])])
        ends = torch.where((real & ~after).unsqueeze(-1), here, 0.0).sum((0, 1))
        before = self.alphas[:-1] - _top(total)
        onward = (self.emissions + betas)[1:]
        if self.near:
            high, over = (one.amax(-1, keepdim=True) for one in (before, onward))
            share = (high + over + self.unit).exp() * weight[1:]
            left = (before - high).exp() * torch.where(real[1:].unsqueeze(-1), share, 0.0)
            pairs = left.flatten(0, 1).T @ (onward - over).exp().flatten(0, 1) * self.moves
        else:
            pairs = torch.zeros_like(self.transitions)
            for old, new, factor in zip(before, onward, weight[1:], strict=True):
                both = old.unsqueeze(-1) + self.transitions + new.unsqueeze(-2)
                pairs += (both.exp() * factor.unsqueeze(-1)).sum(0)
        return here, here[0].sum(0), pairs, ends

    def _forward(self) -> Tensor:
        """`a_t` for all steps, `(T, B, C)`; beyond a row's length its last one stands on."""
        alphas = torch.empty_like(self.emissions)
        alpha = torch.add(self.start, self.emissions[0], out=alphas[0])
        for t in range(1, len(alphas)):
            new = self._summed(alpha, self.moves, self.transitions.T) + self.emissions[t]
            alpha = torch.where(self.real[t].unsqueeze(-1), new, alpha)
            alphas[t] = alpha
        return alphas

    def _backward(self) -> Tensor:
        """`b_t` for all steps, `(T, B, C)`; that of a row's last step, and beyond, is `end`."""
        betas = torch.empty_like(self.emissions)
        beta = betas[-1] = self.end.expand(betas.shape[1:])
        for t in range(len(betas) - 1, 0, -1):
            new = self._summed(self.emissions[t] + beta, self.moves.T, self.transitions)
            beta = torch.where(self.real[t].unsqueeze(-1), new, beta)
            betas[t - 1] = beta
        return betas

    def _summed(self, scores: Tensor, moves: Tensor, transitions: Tensor) -> Tensor:
        """`log sum_i exp(scores[i] + transitions[j, i])` `(B, C)`."""
        if not self.near:
            return (scores.unsqueeze(-2) + transitions).logsumexp(-1)
        high = scores.amax(-1, keepdim=True)
        return ((scores - high).exp() @ moves).log_() + (high + self.unit)


def best_sequences(
    emissions: Tensor, real: Tensor, potentials: Potentials
) -> tuple[Tensor, Tensor]:
    """Viterbi: the tags `(T, B)` with the highest score, and that score `(B,)`.

    The tags beyond a row's length mean nothing.
    """
    steps, rows, tags = emissions.shape
    came_from = torch.empty(steps, rows, tags, dtype=torch.int64, device=emissions.device)
    stay = torch.arange(tags, device=emissions.device).expand(rows, tags)
    best, towards = potentials.start + emissions[0], potentials.transitions.T
    for t in range(1, steps):
        highest, source = (best.unsqueeze(-2) + towards).max(-1)
        on = real[t].unsqueeze(-1)
        best = torch.where(on, highest + emissions[t], best)
        came_from[t] = torch.where(on, source, stay)
    score, tag = (best + potentials.end).max(-1)
    found = torch.empty(steps, rows, dtype=torch.int64, device=emissions.device)
    for t in range(steps - 1, -1, -1):
        found[t] = tag
        if t > 0:
            tag = came_from[t].gather(1, tag.unsqueeze(1)).squeeze(1)
    return found, torch.where(real.any(0), score, 0.0)


def score_of(emissions: Tensor, real: Tensor, tags: Tensor, potentials: Potentials) -> Tensor:
    """`s(x, y)` `(B,)` of given tags `(T, B)`, in plain operations that torch differentiates."""
    emitted = emissions.gather(-1, tags.unsqueeze(-1)).squeeze(-1)
    moved = potentials.transitions[tags[:-1], tags[1:]]
    last = tags.gather(0, (real.sum(0) - 1).clamp(min=0).unsqueeze(0)).squeeze(0)
    ends = torch.where(real[0], potentials.start[tags[0]] + potentials.end[last], 0.0)
    # Left out, not multiplied by zero: a forbidden transition in the padding would make NaN.
    inside = torch.where(real, emitted, 0.0).sum(0) + torch.where(real[1:], moved, 0.0).sum(0)
    return inside + ends


def _top(total: Tensor) -> Tensor:
    """`log Z`, to be taken from scores; infinite where nothing is allowed, so that exp gives 0."""
    return torch.where(total.isfinite(), total, torch.inf).unsqueeze(-1)
