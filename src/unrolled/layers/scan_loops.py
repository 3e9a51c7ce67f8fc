"""The linear recurrence in PyTorch operations, one step after the other: any dtype, any device.

`T` time, `B` batch, `H` hidden size. `a` is `(H,)`, `(B, H)` or `(T, B, H)`, `b (T, B, H)`, and
`h0 (B, H)`; all of one dtype.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from unrolled.layers.states import over_batch


class Rows(NamedTuple):
    """Which steps the rows have, and where their states are cut.

    Attributes:
        real: `(T, B)` bool: true up to a row's length; None where all are.
        cuts: `(T, B)` bool: true where the state that enters the step is cut; None for no cut.
        partly_real: of each step, whether a row may lack it.
        some_cut: of each step, whether a row may be cut.
        reverse: from the last step to the first.
    """

    real: Tensor | None
    cuts: Tensor | None
    partly_real: list[bool]
    some_cut: list[bool]
    reverse: bool

    def order(self) -> range:
        """The steps in the order in which they are taken."""
        steps = range(len(self.some_cut))
        return steps[::-1] if self.reverse else steps


def rows_of(b: Tensor, lengths: Tensor | None, starts: Tensor | None, reverse: bool) -> Rows:
    """`lengths (B,)` and `starts (T, B)`, as `scan` takes them, for `b (T, B, H)`."""
    steps = len(b)
    real = cuts = None
    if lengths is not None:
        real = torch.arange(steps, device=b.device).unsqueeze(1) < lengths.to(b.device)
    if starts is not None:
        cuts = starts.to(b.device)
        if real is not None:
            cuts = cuts & real
        if reverse:  # the boundary between t - 1 and t is the way into t - 1
            cuts = torch.cat([cuts[1:], torch.zeros_like(cuts[:1])])
    if torch.compiler.is_compiling():  # there are no values to look at
        return Rows(real, cuts, [real is not None] * steps, [cuts is not None] * steps, reverse)
    partly_real = [False] * steps if real is None else (~real).any(1).tolist()
    some_cut = [False] * steps if cuts is None else cuts.any(1).tolist()
    return Rows(real, cuts, partly_real, some_cut, reverse)


def forward(
    a: Tensor, b: Tensor, h0: Tensor | None, rows: Rows, *, graph: bool
) -> tuple[Tensor, Tensor]:
    """h `(T, B, H)`, zero beyond a row's length, and the last state.

    With `graph` the operations can be differentiated, transformed and traced; without, each step
    writes into its place, which is quicker.
    """
    h = None if graph else torch.empty_like(b, memory_format=torch.contiguous_format)
    places = [None] * len(b) if h is None else h.unbind(0)
    inputs, factors = b.unbind(0), _factors(a, len(b))
    state = torch.zeros_like(inputs[0]) if h0 is None else h0
    outputs: list[Tensor] = [state] * len(b)
    for t in rows.order():
        after = torch.addcmul(inputs[t], factors[t], _entering(state, rows, t), out=places[t])
        state = _where_real(rows, t, after, state)
        outputs[t] = after
    if h is None:
        h = torch.stack(outputs)
    else:
        state = state.clone()  # it may be a part of h
    if rows.real is not None:
        h = h.masked_fill(over_batch(~rows.real, h), 0)
    return h, state


def backward(
    a: Tensor,
    h0: Tensor | None,
    h: Tensor,
    dh: Tensor | None,
    d_last: Tensor | None,
    rows: Rows,
    *,
    want_a: bool,
) -> tuple[Tensor | None, Tensor, Tensor]:
    """The gradients for a (None unless wanted), b and h0.

    With g_t the gradient of a loss by h_t, all paths through time in it:
    `g_t = dh_t + conj(a_{t+1}) g_{t+1}`, `db_t = g_t`, `da_t = conj(h_{t-1}) g_t`.
    """
    if dh is not None and rows.real is not None:
        dh = dh.masked_fill(over_batch(~rows.real, dh), 0)
    db = torch.empty_like(h)
    slopes, factors = db.unbind(0), _factors(a.conj().resolve_conj(), len(h))
    comes = [None] * len(h) if dh is None else dh.unbind(0)
    carry = torch.zeros_like(slopes[0]) if d_last is None else d_last
    for t in reversed(rows.order()):
        come = comes[t]
        if come is None:
            slopes[t].copy_(carry)
        else:
            torch.add(come, carry, out=slopes[t])
        carry = _where_real(rows, t, _entering(factors[t] * slopes[t], rows, t), carry)
    if rows.real is not None:
        db.masked_fill_(over_batch(~rows.real, db), 0)
    da = None
    if want_a:
        da = states_before(h, h0, rows).conj() * db
        if a.dim() < 3:
            da = da.sum(0) if a.dim() == 2 else da.sum((0, 1))
    return da, db, carry


def states_before(h: Tensor, h0: Tensor | None, rows: Rows) -> Tensor:
    """`(T, B, H)`: the state that entered each step, zero where it was cut or there is no step."""
    first = torch.zeros_like(h[:1]) if h0 is None else h0.unsqueeze(0)
    if not rows.reverse:
        before = torch.cat([first, h[:-1]])
    else:
        before = torch.cat([h[1:], first])
        if rows.real is not None:  # a row's first step is its last real one
            nothing_after = torch.cat([~rows.real[1:], torch.ones_like(rows.real[:1])])
            before = torch.where(over_batch(nothing_after, h), first, before)
    if rows.cuts is not None:
        before = before.masked_fill(over_batch(rows.cuts, h), 0)
    if rows.real is not None:
        before = before.masked_fill(over_batch(~rows.real, h), 0)
    return before


def _factors(a: Tensor, steps: int) -> list[Tensor]:
    """a at each step."""
    return list(a.unbind(0)) if a.dim() == 3 else [a] * steps


def _entering(state: Tensor, rows: Rows, t: int) -> Tensor:
    """What crosses into step t of `state`, or back out of it: nothing where it is cut."""
    if rows.cuts is None or not rows.some_cut[t]:
        return state
    return state.masked_fill(rows.cuts[t].unsqueeze(-1), 0)


def _where_real(rows: Rows, t: int, yes: Tensor, no: Tensor) -> Tensor:
    """`yes` in the rows that have step t, `no` in the others."""
    if rows.real is None or not rows.partly_real[t]:
        return yes
    return torch.where(rows.real[t].unsqueeze(-1), yes, no)
