"""minGRU and minLSTM: the equations of the paper, over time and one step at a time."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.functional import softplus

from unrolled.layers import Recurrent
from unrolled.layers.minimal import MinGRUStep, MinLSTMStep, positive

T, B, I, H = 6, 3, 4, 5  # noqa: E741
KINDS: dict[type, int] = {MinGRUStep: 2, MinLSTMStep: 3}


def cell_of(kind: type, bias: bool = True) -> MinGRUStep | MinLSTMStep:
    rows = KINDS[kind] * H
    shift = torch.randn(rows, dtype=torch.float64) if bias else None
    return kind(torch.randn(rows, I, dtype=torch.float64), shift)


def some(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def sigmoid(v: float) -> float:
    return 1 / (1 + math.exp(-v))


def naive(cell: MinGRUStep | MinLSTMStep, x: Tensor, h: Tensor) -> Tensor:
    """Unit by unit, in Python's numbers."""
    out = torch.zeros(T, B, H, dtype=torch.float64)
    bias = torch.zeros(len(cell.weight)) if cell.bias is None else cell.bias
    for b in range(B):
        for u in range(H):
            state = h[b, u].item()
            for t in range(T):
                sums = [
                    (cell.weight[k] @ x[t, b] + bias[k]).item()
                    for k in range(u, len(cell.weight), H)
                ]
                v = sums[-1]
                candidate = v + 0.5 if v >= 0 else sigmoid(v)
                if isinstance(cell, MinGRUStep):
                    z = sigmoid(sums[0])
                    state = (1 - z) * state + z * candidate
                else:
                    f, i = sigmoid(sums[0]), sigmoid(sums[1])
                    state = f / (f + i) * state + i / (f + i) * candidate
                out[t, b, u] = state
    return out


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_the_equations_are_the_papers(kind: type, bias: bool) -> None:
    cell, x, h = cell_of(kind, bias), some(T, B, I), some(B, H)
    want = naive(cell, x, h)
    y, state = Recurrent(cell)(x, h)
    torch.testing.assert_close(y, want)
    torch.testing.assert_close(state, want[-1])


def log_space(cell: MinGRUStep | MinLSTMStep, x: Tensor) -> Tensor:
    """The paper's scan in log space, from a state of zeros (its appendix B)."""
    *gates, v = torch.nn.functional.linear(x, cell.weight, cell.bias).split(H, -1)
    log_candidate = torch.where(v >= 0, (v.clamp(min=0) + 0.5).log(), -softplus(-v))
    if isinstance(cell, MinGRUStep):
        log_a, log_write = -softplus(gates[0]), -softplus(-gates[0])
    else:
        apart = softplus(-gates[0]) - softplus(-gates[1])
        log_a, log_write = -softplus(apart), -softplus(-apart)
    so_far = log_a.cumsum(0)
    return (so_far + torch.logcumsumexp(log_write + log_candidate - so_far, 0)).exp()


@pytest.mark.parametrize("kind", KINDS)
def test_from_zeros_it_equals_the_papers_scan_in_log_space(kind: type) -> None:
    cell, x = cell_of(kind), some(T, B, I)
    torch.testing.assert_close(Recurrent(cell)(x)[0], log_space(cell, x))


@pytest.mark.parametrize("kind", KINDS)
def test_streaming_equals_the_whole_sequence(kind: type) -> None:
    layer, x = Recurrent(cell_of(kind)), some(T, B, I)
    for given in (None, some(B, H)):
        want, want_state = layer(x, given)
        state, outputs = given, []
        for x_t in x:
            y_t, state = layer.step(x_t, state)
            outputs.append(y_t)
        torch.testing.assert_close(torch.stack(outputs), want)
        torch.testing.assert_close(state, want_state)


@pytest.mark.parametrize("kind", KINDS)
def test_lengths_and_resets_make_separate_sequences(kind: type) -> None:
    layer, x, h = Recurrent(cell_of(kind)), some(T, B, I), some(B, H)
    lengths, starts = torch.tensor([T, 4, 0]), torch.zeros(T, B).bool()
    starts[3, 0] = True
    x[4:, 1], x[:, 2] = math.nan, math.nan
    y, state = layer(x, h, lengths=lengths, starts=starts)
    early, _ = layer(x[:3, :1], h[:1])
    late, end = layer(x[3:, :1])
    torch.testing.assert_close(y[:, :1], torch.cat([early, late]))
    torch.testing.assert_close(state[:1], end)
    torch.testing.assert_close(state[1], y[3, 1])
    torch.testing.assert_close(y[4:, 1], torch.zeros(2, H).double())
    torch.testing.assert_close(state[2], h[2])


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_stays_between_the_old_one_and_the_candidates(kind: type) -> None:
    layer, x, h = Recurrent(cell_of(kind)), some(T, B, I) * 3, some(B, H)
    cell = layer.cell
    assert isinstance(cell, MinGRUStep | MinLSTMStep)
    v = torch.nn.functional.linear(x, cell.weight, cell.bias)[..., -H:]
    candidates = torch.cat([h.unsqueeze(0), positive(v)])
    y, _ = layer(x, h)
    for t in range(T):
        seen = candidates[: t + 2]
        assert (y[t] <= seen.amax(0) + 1e-12).all()
        assert (y[t] >= seen.amin(0) - 1e-12).all()


def test_two_closed_gates_share_the_state_evenly() -> None:
    cell = MinLSTMStep(torch.zeros(3, 1), torch.tensor([-300.0, -300.0, 0.0]))
    y, _ = Recurrent(cell)(torch.ones(1, 1, 1), torch.ones(1, 1))
    assert y.item() == pytest.approx(0.5 * 1 + 0.5 * 0.5)


def test_the_candidate_is_positive_and_has_no_jump() -> None:
    v = torch.linspace(-20, 20, 4001, dtype=torch.float64)
    g = positive(v)
    assert (g > 0).all()
    assert (g.diff() > 0).all()
    assert (g.diff() <= v.diff() + 1e-12).all()
    assert positive(torch.tensor(0.0)) == 0.5
    assert positive(torch.tensor(math.nan)).isnan()


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_right_twice(kind: type) -> None:
    cell = cell_of(kind)
    assert cell.bias is not None
    leaves = [some(3, 2, I), some(2, H), cell.weight, cell.bias]
    for leaf in leaves:
        leaf.requires_grad_()

    def function(x: Tensor, h: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        return Recurrent(kind(weight, bias))(x, h)

    checks: list[Callable[..., bool]] = [gradcheck, gradgradcheck]
    assert all(check(function, leaves) for check in checks)
