"""`Recurrent`: any cell, run over time.

Shapes: `T` time, `B` batch. Time-major throughout.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Module

from unrolled.errors import ShapeError
from unrolled.layers.cells import Cell
from unrolled.layers.checks import check_lengths, check_starts
from unrolled.layers.states import State, map_state, over_batch, steps_of, tensors_of


class Recurrent(Module):
    """Runs a cell over time: one direction of one layer, with lengths and resets.

    Equation, for a row of length n: `y_t, s_t = step(project(x)_t, s_{t-1})` for t = 0 ... n-1,
    where `s_{-1}` is the given state, and `s_{t-1}` is replaced by the cell's initial state
    wherever `starts[t]` is true. With `reverse=True`, t runs from n-1 down to 0 and `s_{t+1}`
    enters step t, replaced wherever `starts[t+1]` is true: a reset makes two separate sequences in
    either direction.

    Args:
        cell: an object with `project`, `step` and `initial_state` (see
            `unrolled.layers.cells.Cell`). Where it is a `torch.nn.Module`, its parameters are those
            of this module.
        reverse: run from the last real step of each row to the first.

    Example. A leaky integrator, `h' = a * h + (1 - a) * tanh(W x)`, is a user's own cell in ten
    lines:

        >>> import torch
        >>> from unrolled.layers import Recurrent
        >>> class Leaky(torch.nn.Module):
        ...     def __init__(self, inputs, hidden):
        ...         super().__init__()
        ...         self.read = torch.nn.Linear(inputs, hidden)
        ...         self.a = torch.nn.Parameter(torch.full((hidden,), 0.9))
        ...     def project(self, x):
        ...         return torch.tanh(self.read(x))
        ...     def step(self, projected, h):
        ...         h = self.a * h + (1 - self.a) * projected
        ...         return h, h
        ...     def initial_state(self, batch, like):
        ...         return like.new_zeros(batch, self.a.shape[0])
        >>> layer = Recurrent(Leaky(3, 8))
        >>> x = torch.randn(5, 2, 3)
        >>> y, state = layer(x, lengths=torch.tensor([5, 2]))
        >>> y.shape, state.shape
        (torch.Size([5, 2, 8]), torch.Size([2, 8]))
        >>> bool((y[2:, 1] == 0).all())
        True
        >>> starts = torch.zeros(5, 2, dtype=torch.bool)
        >>> starts[3] = True
        >>> torch.equal(layer(x, starts=starts)[0][3:], layer(x[3:])[0])
        True
        >>> y_0, state = layer.step(x[0])
        >>> torch.allclose(y_0, y[0])
        True
    """

    def __init__(self, cell: Cell, *, reverse: bool = False) -> None:
        super().__init__()
        self.cell = cell
        self.reverse = reverse

    def forward(
        self,
        x: Tensor,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """The whole sequence.

        Args:
            x: `(T, B, ...)`.
            state: what `initial_state` gives, each tensor `(B, ...)`; None is the cell's initial
                state.
            lengths: `(B,)` integers, 0 to T: how many leading steps of each row are real. None is
                all T. What stands beyond them, NaN included, changes nothing.
            starts: `(T, B)` bool: true where a new sequence begins. The state is cut there, and its
                gradient.

        Returns:
            The outputs `(T, B, ...)`, zero beyond a row's length, and the state after each row's
            last step of the run: its last real step, or step 0 with `reverse=True`. A row of length
            zero returns the state it came with.

        Raises:
            ShapeError: no time steps, or a state, `lengths` or `starts` that does not fit `x`.
            DTypeError: `lengths` that are not integers, `starts` that are not bool.
        """
        if x.dim() < 2:
            raise ShapeError(f"x: got shape {tuple(x.shape)}, expected (T, B, ...)")
        steps, batch = x.shape[:2]
        if steps == 0:
            raise ShapeError("x: got no time steps, expected at least one in (T, B, ...)")
        lengths = check_lengths(lengths, steps, batch)
        starts = check_starts(starts, (steps, batch), "(T, B)")
        return unroll(self.cell, x, state, lengths=lengths, starts=starts, reverse=self.reverse)

    def step(self, x_t: Tensor, state: State = None) -> tuple[Tensor, State]:
        """One step: `x_t` `(B, ...)` and a state -> the output `(B, ...)` and the next state."""
        (projected,) = steps_of(self.cell.project(x_t.unsqueeze(0)))
        initial = _initial_state(self.cell, len(x_t), projected)
        return self.cell.step(projected, _checked(state, initial))


def unroll(
    cell: Cell,
    x: Tensor,
    state: State = None,
    *,
    lengths: Tensor | None = None,
    starts: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, State]:
    """`Recurrent.forward` for callers that have checked `lengths` and `starts`."""
    steps, batch = x.shape[:2]
    real = None
    if lengths is not None:
        real = torch.arange(steps, device=x.device).unsqueeze(1) < lengths.to(x.device)
        # Zero, not skip: NaN in the padding would reach the weights' gradient as NaN * 0.
        x = x.masked_fill(over_batch(~real, x), 0)
    cuts = None
    if starts is not None:
        cuts = starts.to(x.device)
        if real is not None:
            cuts = cuts & real
        if reverse:
            cuts = torch.cat([cuts[1:], torch.zeros_like(cuts[:1])])
    some_cut = cuts.any(1).tolist() if cuts is not None else []
    all_real = real.all(1).tolist() if real is not None else []

    projected = cell.project(x)
    initial = _initial_state(cell, batch, projected)
    inputs = steps_of(projected)
    state = _checked(state, initial)
    outputs: list[Tensor] = []
    for t in reversed(range(steps)) if reverse else range(steps):
        entering = state
        if cuts is not None and some_cut[t]:
            entering = _choose(cuts[t], initial, state)
        y_t, after = cell.step(inputs[t], entering)
        state = after if real is None or all_real[t] else _choose(real[t], after, state)
        outputs.append(y_t)
    if reverse:
        outputs.reverse()
    y = torch.stack(outputs)
    if real is not None:
        y = y.masked_fill(over_batch(~real, y), 0)
    return y, state


def _initial_state(cell: Cell, batch: int, projected: State) -> State:
    return cell.initial_state(batch, next(tensors_of(projected)))


def _checked(state: State, initial: State) -> State:
    """`state`, or `initial` where it is None; an error where their shapes differ."""
    if state is None:
        return initial
    got = [tuple(part.shape) for part in tensors_of(state)]
    expected = [tuple(part.shape) for part in tensors_of(initial)]
    if got != expected:
        raise ShapeError(f"state: got tensors of shapes {got}, expected {expected}")
    return state


def _choose(mask: Tensor, yes: State, no: State) -> State:
    """Row by row, the state `yes` where `mask` `(B,)` is true and `no` elsewhere."""
    return map_state(lambda a, b: torch.where(over_batch(mask, a), a, b), yes, no)
