"""The Jacobian of a cell's step by its state, and its two sizes.

    J = ds_t / ds_{t-1}        (n, n), s all tensors of the state side by side
    spectral radius = max |eigenvalue of J|,  largest singular value = max |J v| / |v|

Backpropagation multiplies the gradient by one `J^T` a step. Where every largest singular value is
below 1 it must vanish; where it explodes, some are above 1 (Pascanu et al. 2013, arXiv 1211.5063,
section 2.1).

Shapes: `N` places (a step and a row each), `n` numbers in a row's state: `H`, for an LSTM `P + H`;
complex ones count twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.layers.states import State, is_number, map_state, numbers_of
from unrolled.training.diagnostics_follow import Observed

LARGEST_EXACT = 256
"""States of up to so many numbers have their Jacobian written out; larger ones are iterated."""

ROUNDS = 60


@dataclass(frozen=True)
class StepSizes:
    """Of the Jacobian at each place: the spectral radius, and the largest singular value."""

    radii: list[float]
    values: list[float]
    exact: bool


def step_sizes(
    cell: Observed, places: list[tuple[int, int]], *, exact: bool | None = None
) -> StepSizes:
    """Spectral radius and largest singular value of the step's Jacobian at some places of a run.

    Args:
        cell: a cell after a run.
        places: pairs of a step, in the order of processing, and a row.
        exact: write the Jacobian out and decompose it; None: up to `LARGEST_EXACT`. Otherwise the
            singular value comes from a power iteration with J and its transpose, and the radius
            from the mean growth of a vector under it; with near ties among the largest
            eigenvalues it is a few per cent off.
    """
    rows = [cell.before[step] for step, _ in places]
    states = _stack([_row(state, row) for state, (_, row) in zip(rows, places, strict=True)])
    inputs = _stack([_row(cell.projected[step], row) for step, row in places])
    flat = _flatten(states).detach()
    if exact is None:
        exact = flat.shape[1] <= LARGEST_EXACT
    if not exact:
        return _iterated(cell, inputs, states, flat)
    jacobians = jacobian(cell, inputs, states).double()
    if not bool(jacobians.isfinite().all()):
        return StepSizes([math.nan] * len(places), [math.nan] * len(places), True)
    radii = torch.linalg.eigvals(jacobians).abs().amax(-1)
    return StepSizes(radii.tolist(), torch.linalg.matrix_norm(jacobians, 2).tolist(), True)


def jacobian(cell: Observed, inputs: State, states: State) -> Tensor:
    """`(N, n, n)`, of N places: `inputs` and `states` of tensors `(N, ...)`.

    A cell treats its rows alone. So row k of J is the gradient of the k-th number that copy k of
    the place gives, and one backward call has them all.
    """
    count, size = _flatten(states).shape
    flat = _flatten(states).detach().repeat_interleave(size, 0).requires_grad_()
    repeated = map_state(lambda part: part.detach().repeat_interleave(size, 0), inputs)
    with torch.enable_grad():
        after = _flatten(cell.advance(repeated, _unflatten(flat, states))[1])
        picked = torch.eye(size, dtype=flat.dtype, device=flat.device).repeat(count, 1)
        (rows,) = torch.autograd.grad(after, flat, picked, allow_unused=True)
    return (torch.zeros_like(flat) if rows is None else rows).view(count, size, size)


def _iterated(cell: Observed, inputs: State, states: State, flat: Tensor) -> StepSizes:
    inputs = map_state(Tensor.detach, inputs)
    draws = torch.Generator().manual_seed(0)
    u = torch.randn(flat.shape, generator=draws, dtype=torch.float64).to(flat)
    with torch.enable_grad():
        flat = flat.requires_grad_()
        after = _flatten(cell.advance(inputs, _unflatten(flat, states))[1])
        probe = torch.zeros_like(after, requires_grad=True)
        # J^T probe, linear in the probe: its own derivative is the product with J.
        (back,) = torch.autograd.grad(after, flat, probe, create_graph=True)

        def transposed(vector: Tensor) -> Tensor:
            return torch.autograd.grad(after, flat, vector, retain_graph=True)[0]

        def times(vector: Tensor) -> Tensor:
            return torch.autograd.grad(back, probe, vector, retain_graph=True)[0]

        v = u
        for _ in range(ROUNDS):
            v = torch.nn.functional.normalize(transposed(times(v)), dim=-1)
        singular = times(v).norm(dim=-1)
        growth = []
        v = torch.nn.functional.normalize(u, dim=-1)
        for _ in range(2 * ROUNDS):
            v = transposed(v)
            growth.append(v.norm(dim=-1))
            v = torch.nn.functional.normalize(v, dim=-1)
    radii = torch.stack(growth[ROUNDS:]).double().log().mean(0).exp()
    return StepSizes(radii.tolist(), singular.tolist(), False)


def _row(state: State, row: int) -> State:
    return map_state(lambda part: part[row], state)


def _stack(states: list[State]) -> State:
    return map_state(lambda *parts: torch.stack(parts), *states)


def _flatten(state: State) -> Tensor:
    """All real numbers of the state side by side, `(N, n)`."""
    parts = [torch.view_as_real(p) if p.is_complex() else p for p in numbers_of(state)]
    return torch.cat([part.flatten(1) for part in parts], -1)


def _unflatten(flat: Tensor, like: State) -> State:
    sizes = [part[0].numel() * (2 if part.is_complex() else 1) for part in numbers_of(like)]
    parts = iter(flat.split(sizes, -1))

    def shaped(part: Tensor) -> Tensor:
        if not is_number(part):
            return part.repeat_interleave(len(flat) // len(part), 0)
        own = next(parts)
        if part.is_complex():
            return torch.view_as_complex(own.reshape(-1, *part.shape[1:], 2))
        return own.reshape(-1, *part.shape[1:])

    return map_state(shaped, like)
