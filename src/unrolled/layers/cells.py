"""Cells: one step of a recurrent network, written as in the papers.

A cell knows one step and nothing about time. `project` is what needs no history (one large matrix
product over all time steps); `step` is what does. `unrolled.layers.recurrent` runs any cell over
time.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size, `P` projection size (`H` where there
is none). The three cells here are views of one layer and one direction of `torch.nn.RNN`, `GRU` or
`LSTM`: they hold that layer's parameters, copy nothing, and are cheap to make at every call.
`Zoneout` is a cell around one of them.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, Protocol, TypeAlias

import torch
from torch import Tensor
from torch.nn import RNNBase
from torch.nn.functional import layer_norm, linear

from unrolled.layers.call import EPSILON, Masks, Weights, weights_of
from unrolled.layers.states import State

Gates: TypeAlias = tuple[Tensor, ...]
"""The gates of a step after their functions, each `(B, H)`, in the order of the weights."""


class Cell(Protocol):
    """What `Recurrent` asks of a cell: any object with these methods, most often a module.

    Two more are optional:

    `emit(y, x)` is what needs no history after the step, for all time steps at once: the outputs of
    `step` (a tensor `(T, B, ...)`, or a tuple of them) and the layer's input `(T, B, ...)` -> the
    output `(T, B, ...)`. As `project`, it must treat each time step alone.

    `linear = True` says that `project` gives the pair `(a, b)` of `h' = a * h + b` with `y = h`
    (what `step` computes, too): `b` `(T, B, H)`, real or complex, and `a` of a shape that
    broadcasts to it, such as `(H,)` for one that is the same at all steps. Such a cell is run by
    `unrolled.layers.scan.scan`, which has no loop in Python.
    """

    def project(self, x: Tensor) -> State:
        """All that needs no history: `x` `(T, B, ...)` -> a tensor, or a tuple of them, alike.

        It must treat each time step alone: streaming calls it with `T = 1`.
        """
        ...

    def step(self, projected_t: State, state: State) -> tuple[Tensor, State]:
        """`projected_t` and the state, each `(B, ...)` -> the output and the next state, alike."""
        ...

    def initial_state(self, batch: int, like: Tensor) -> State:
        """The state of `batch` fresh sequences, each tensor `(batch, ...)`.

        `like` is a projected tensor: its dtype and device are the ones that the state should have.
        Of several it is the first one; of a linear cell it is `b`.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Step:
    """What the three cells share: two affine maps, of the input and of the state.

        G_x = N(W_ih x, gain_ih) + b_ih
        G_h = N(W_hh (m * h), gain_hh) + b_hh

    `N` is layer normalisation over all gates together (a GRU: over r and z together, and over n),
    `N(a, gain) = gain * (a - mean(a)) / sqrt(var(a) + epsilon)`, or nothing where there are no
    gains. With matrices of bfloat16 and a state of float32 `W_ih x` and `W_hh h` alone are
    rounded. `m` is recurrent dropout, one mask for all steps, or nothing.

    Shapes: `gain_ih`, `gain_hh (G*H,)` or None; `recurrent (B, P)`, already scaled, or None.

    Sources: Ba et al. 2016, arXiv 1607.06450, eq. 20 to 22 (its shifts are the biases); Gal and
    Ghahramani 2016, arXiv 1512.05287.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None
    _: KW_ONLY
    gain_ih: Tensor | None = None
    gain_hh: Tensor | None = None
    recurrent: Tensor | None = None
    epsilon: float = EPSILON

    def project(self, x: Tensor) -> Tensor:
        return self._affine(x, self.weight_ih, self.bias_ih, self.gain_ih)

    def _recur(self, h: Tensor) -> Tensor:
        """`G_h`, of a state `(B, P)`."""
        if self.recurrent is not None:
            h = h * self.recurrent
        return self._affine(h, self.weight_hh, self.bias_hh, self.gain_hh)

    def _affine(
        self, x: Tensor, weight: Tensor, bias: Tensor | None, gain: Tensor | None
    ) -> Tensor:
        if weight.dtype == torch.bfloat16 and x.dtype == torch.float32:
            a = linear(x.bfloat16(), weight).float()
            if gain is not None:
                return self._normalise(a, gain, bias)
            return a if bias is None else a + bias
        if gain is None:
            return linear(x, weight, bias)
        return self._normalise(linear(x, weight), gain, bias)

    def _normalise(self, a: Tensor, gain: Tensor, shift: Tensor | None) -> Tensor:
        return layer_norm(a, gain.shape, gain, shift, self.epsilon)


@dataclass(frozen=True, slots=True)
class RNNStep(_Step):
    """Elman's network: `h' = f(G_x + G_h)`, `f` tanh or relu. In full, without options:

        h' = f(W_ih x + b_ih + W_hh h + b_hh)

    Shapes: `weight_ih (H, I)`, `weight_hh (H, H)`, biases `(H,)` or None; state `h (B, H)`;
    output `h'`. Options: `gain_ih`, `gain_hh (H,)`, `recurrent (B, H)`.

    Source: Elman, Finding structure in time, Cognitive Science 14 (1990); names as in torch.
    """

    relu: bool = False

    def step(self, projected_t: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        total = projected_t + self._recur(state)
        h = torch.relu(total) if self.relu else torch.tanh(total)
        return h, h

    def step_with_gates(self, projected_t: Tensor, state: Tensor) -> tuple[Tensor, Gates]:
        """The next state, and no gates: an RNN has none."""
        return self.step(projected_t, state)[1], ()

    def initial_state(self, batch: int, like: Tensor) -> Tensor:
        return like.new_zeros(batch, self.weight_hh.shape[1])


@dataclass(frozen=True, slots=True)
class GRUStep(_Step):
    """Gated recurrent unit, its reset gate applied after the recurrent product (as in torch).

        r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
        z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
        n = tanh(W_in x + b_in + r * (W_hn h + b_hn))
        h' = (1 - z) * n + z * h

    Shapes: `weight_ih (3H, I)`, `weight_hh (3H, H)`, biases `(3H,)` or None, gates in the order
    r, z, n; state `h (B, H)`; output `h'`. Options: `gain_ih`, `gain_hh (3H,)`, `recurrent (B, H)`.

    Source: Cho et al., arXiv 1406.1078 (version 3 for the place of
    the reset gate).
    """

    def step(self, projected_t: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        h, _ = self.step_with_gates(projected_t, state)
        return h, h

    def step_with_gates(self, projected_t: Tensor, state: Tensor) -> tuple[Tensor, Gates]:
        """The next state, and r, z, n."""
        x_r, x_z, x_n = projected_t.chunk(3, -1)
        h_r, h_z, h_n = self._recur(state).chunk(3, -1)
        r = torch.sigmoid(x_r + h_r)
        z = torch.sigmoid(x_z + h_z)
        n = torch.tanh(x_n + r * h_n)
        h = (1 - z) * n + z * state
        return h, (r, z, n)

    def initial_state(self, batch: int, like: Tensor) -> Tensor:
        return like.new_zeros(batch, self.weight_hh.shape[1])

    def _normalise(self, a: Tensor, gain: Tensor, shift: Tensor | None) -> Tensor:
        sizes = [2 * len(gain) // 3, len(gain) // 3]
        shifts = (None, None) if shift is None else shift.split(sizes)
        parts = zip(a.split(sizes, -1), gain.split(sizes), shifts, strict=True)
        return torch.cat([layer_norm(p, g.shape, g, s, self.epsilon) for p, g, s in parts], -1)


@dataclass(frozen=True, slots=True)
class LSTMStep(_Step):
    """Long short-term memory, with an optional projection of the output, and optional peepholes.

        i = sigmoid(W_ii x + b_ii + W_hi h + b_hi + p_i * c)
        f = sigmoid(W_if x + b_if + W_hf h + b_hf + p_f * c)
        g = tanh(W_ig x + b_ig + W_hg h + b_hg)
        c' = f * c + i * g
        o = sigmoid(W_io x + b_io + W_ho h + b_ho + p_o * c')
        h' = o * tanh(N(c'))       or W_hr (o * tanh(N(c'))) with a projection

    `N` is nothing, or with layer normalisation that of `c'` over `H`, its gain and shift `norm_c`.

    Shapes: `weight_ih (4H, I)`, `weight_hh (4H, P)`, biases `(4H,)` or None, gates in the order
    i, f, g, o; `weight_hr (P, H)` or None; state `(h (B, P), c (B, H))`; output `h'`. Options:
    `peephole (3, H)`, rows p_i, p_f, p_o; `gain_ih`, `gain_hh (4H,)` and `norm_c (2, H)`, together;
    `recurrent (B, P)`.

    Sources: Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000); the
    projection is that of Sak et al., arXiv 1402.1128; peepholes: Gers and Schmidhuber (2000).
    """

    weight_hr: Tensor | None = None
    _: KW_ONLY
    peephole: Tensor | None = None
    norm_c: Tensor | None = None

    def step(
        self, projected_t: Tensor, state: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        after, _ = self.step_with_gates(projected_t, state)
        return after[0], after

    def step_with_gates(
        self, projected_t: Tensor, state: tuple[Tensor, Tensor]
    ) -> tuple[tuple[Tensor, Tensor], Gates]:
        """The next state, and i, f, g, o."""
        h, c = state
        i, f, g, o = (projected_t + self._recur(h)).chunk(4, -1)
        if self.peephole is not None:
            p_i, p_f, p_o = self.peephole
            i, f = i + p_i * c, f + p_f * c
        i, f, g = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g)
        c = f * c + i * g
        if self.peephole is not None:
            o = o + p_o * c
        o = torch.sigmoid(o)
        h = o * torch.tanh(self._normed(c))
        if self.weight_hr is not None:
            h = linear(h, self.weight_hr)
        return (h, c), (i, f, g, o)

    def initial_state(self, batch: int, like: Tensor) -> tuple[Tensor, Tensor]:
        h = like.new_zeros(batch, self.weight_hh.shape[1])
        return h, like.new_zeros(batch, self.weight_hh.shape[0] // 4)

    def _normed(self, c: Tensor) -> Tensor:
        if self.norm_c is None:
            return c
        gain, shift = self.norm_c
        return layer_norm(c, gain.shape, gain, shift, self.epsilon)


TorchStep: TypeAlias = RNNStep | GRUStep | LSTMStep


@dataclass(frozen=True, slots=True)
class Zoneout:
    """One of the three cells, with units of its state that keep their old value at a step.

        s' = z * s + (1 - z) * s~

    for each part s of the state (`h`, and `c` of an LSTM), where s~ is what the cell makes of it: z
    is the mask of that step, 0 or 1 for each unit, or where there is none the rate, as in
    evaluation. An LSTM's h~ is made from its c~, to which no zoneout has been applied.

    Shapes: as in `Masks`, over all steps: `project` takes the whole sequence, so that each step
    finds its own masks.

    Source: Krueger et al. 2017, arXiv 1606.01305.
    """

    cell: TorchStep
    masks: Masks

    def project(self, x: Tensor) -> tuple[Tensor, ...]:
        given = (self.masks.zoneout_h, self.masks.zoneout_c)
        return self.cell.project(x), *[mask.bool() for mask in given if mask is not None]

    def step(self, projected_t: tuple[Tensor, ...], state: State) -> tuple[Tensor, State]:
        after, _ = self.step_with_gates(projected_t, state)
        return after[0] if isinstance(after, tuple) else after, after

    def step_with_gates(self, projected_t: tuple[Tensor, ...], state: State) -> tuple[State, Gates]:
        """The next state, and the cell's gates."""
        own, *drawn = projected_t
        after, gates = self.cell.step_with_gates(own, state)
        keep_h = self.masks.rate_h if self.masks.zoneout_h is None else drawn[0]
        if isinstance(after, Tensor):
            return _keep(keep_h, state, after), gates
        keep_c = self.masks.rate_c if self.masks.zoneout_c is None else drawn[-1]
        h, c = state
        return (_keep(keep_h, h, after[0]), _keep(keep_c, c, after[1])), gates

    def initial_state(self, batch: int, like: Tensor) -> State:
        return self.cell.initial_state(batch, like)


def _keep(z: Tensor | float, old: Tensor, new: Tensor) -> Tensor:
    """`z * old + (1 - z) * new`, `z` a bool mask or a rate."""
    if isinstance(z, Tensor):
        return torch.where(z, old, new)
    return z * old + (1 - z) * new if z else new


def torch_step(
    mode: str, weights: Weights, recurrent: Tensor | None = None, epsilon: float = EPSILON
) -> TorchStep:
    """The cell of a mode (as torch names it) over `weights`."""
    affine = weights[:4]
    options: dict[str, Any] = {
        "gain_ih": weights.gain_ih,
        "gain_hh": weights.gain_hh,
        "recurrent": recurrent,
        "epsilon": epsilon,
    }
    if mode == "LSTM":
        options |= {"peephole": weights.peephole, "norm_c": weights.norm_c}
        return LSTMStep(*affine, weights.hr, **options)
    if mode == "GRU":
        return GRUStep(*affine, **options)
    return RNNStep(*affine, relu=mode == "RNN_RELU", **options)


def cell_of(layer: RNNBase, index: int, direction: int = 0) -> TorchStep:
    """The cell of one layer (from 0) and one direction (1: reverse) of a `torch.nn` layer.

    The parameters are looked up by name, so parametrised and functionally replaced ones are seen.
    """
    return torch_step(layer.mode, weights_of(layer, index, direction))
