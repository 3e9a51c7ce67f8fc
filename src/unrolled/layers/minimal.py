"""Cells whose gates do not see the state: minGRU and minLSTM.

All that is nonlinear happens in `project`; what is left for a step is `h' = a * h + b`, which can
be computed over time by a scan. Both take the paper's form for its log-space scan (its appendix
B), where the candidate is `g` of a linear map and therefore positive; here the state stands in real
space, so that it may start at zero, or anywhere.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size.

Source: Feng et al., Were RNNs All We Needed?, arXiv 2410.01201.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import linear, logsigmoid


@dataclass(frozen=True, slots=True)
class _Scan:
    """A cell with `h' = a * h + b`; `project` gives a and b, each `(T, B, H)`."""

    weight: Tensor
    bias: Tensor | None = None

    def step(self, projected_t: tuple[Tensor, Tensor], state: Tensor) -> tuple[Tensor, Tensor]:
        a, b = projected_t
        h = a * state + b
        return h, h

    def initial_state(self, batch: int, like: Tensor) -> Tensor:
        return like.new_zeros(batch, like.shape[-1])


@dataclass(frozen=True, slots=True)
class MinGRUStep(_Scan):
    """Minimal gated recurrent unit.

        z = sigmoid(W_z x + b_z)
        h~ = g(W_h x + b_h)
        h' = (1 - z) * h + z * h~

    with `g(v) = v + 0.5` for `v >= 0`, else `sigmoid(v)`.

    Shapes: `weight (2H, I)`, `bias (2H,)` or None, rows in the order z, h~; state `h (B, H)`, zeros
    where none is given; output `h'`.

    Source: Feng et al., arXiv 2410.01201, section 3.1 and appendix B.
    """

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        z, candidate = linear(x, self.weight, self.bias).chunk(2, -1)
        # 1 - sigmoid(v) = sigmoid(-v), which loses no digits where z is near 1.
        return torch.sigmoid(-z), torch.sigmoid(z) * positive(candidate)


@dataclass(frozen=True, slots=True)
class MinLSTMStep(_Scan):
    """Minimal long short-term memory, its two gates scaled to add up to 1.

        f = sigmoid(W_f x + b_f)
        i = sigmoid(W_i x + b_i)
        h~ = g(W_h x + b_h)
        h' = f / (f + i) * h + i / (f + i) * h~

    with `g` as in `MinGRUStep`.

    Shapes: `weight (3H, I)`, `bias (3H,)` or None, rows in the order f, i, h~; state `h (B, H)`,
    zeros where none is given; output `h'`.

    Source: Feng et al., arXiv 2410.01201, section 3.2 and appendix B.
    """

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        f, i, candidate = linear(x, self.weight, self.bias).chunk(3, -1)
        # f / (f + i) = sigmoid(log f - log i), which is no 0 / 0 where both gates are closed.
        odds = logsigmoid(f) - logsigmoid(i)
        return torch.sigmoid(odds), torch.sigmoid(-odds) * positive(candidate)


def positive(v: Tensor) -> Tensor:
    """The paper's g: `v + 0.5` for `v >= 0`, else `sigmoid(v)`; continuous, and above 0."""
    return torch.where(v >= 0, v + 0.5, torch.sigmoid(v))
