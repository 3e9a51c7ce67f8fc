"""What one layer in one direction is run with, over time, and what comes out of it.

The same four tuples go to every path that runs a layer itself (reference and native), so that an
option means one thing. With s the step and a(s) the step before it in the layer's own direction:

    G_x = N(W_ih x_s, gain_ih) + b_ih
    G_h = N(W_hh (m * h_a(s)), gain_hh) + b_hh
    h~, c~ = the cell's equation on G_x, G_h, c_a(s)
    h_s = zh * h_a(s) + (1 - zh) * h~,   c_s = zc * c_a(s) + (1 - zc) * c~

`N` is layer normalisation or nothing, `m` recurrent dropout, `zh` and `zc` zoneout; each cell's own
equation stands in `cells.py`.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size, `P` output size (`H` where there is no
projection), `G` gates: 1 (RNN), 3 (GRU: r, z, n) or 4 (LSTM: i, f, g, o).
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor
from torch.nn import RNNBase

from unrolled.layers.options import options_of
from unrolled.layers.states import State

EPSILON = 1e-5
"""What layer normalisation adds to the variance."""


class Weights(NamedTuple):
    """The parameters of one layer in one direction.

    Attributes:
        ih: `(G*H, I)`.
        hh: `(G*H, P)`.
        bias_ih, bias_hh: `(G*H,)` or None.
        hr: `(P, H)`, projection of an LSTM's output, or None.
        peephole: `(3, H)`, LSTM only, or None: how i and f see the old cell state, and o the new
            one.
        gain_ih, gain_hh: `(G*H,)` gains of layer normalisation, or None for none of it. Its shifts
            are the biases.
        norm_c: `(2, H)` gain and shift of an LSTM's normalised cell state: given with the gains.
    """

    ih: Tensor
    hh: Tensor
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None
    hr: Tensor | None = None
    peephole: Tensor | None = None
    gain_ih: Tensor | None = None
    gain_hh: Tensor | None = None
    norm_c: Tensor | None = None


class Masks(NamedTuple):
    """What holds the state back in training, drawn beforehand (see `masks.py`).

    Attributes:
        zoneout_h: `(T, B, P)` bool or uint8, or None: true keeps the old unit of `h` at that step.
        zoneout_c: `(T, B, H)`, the same for `c`; LSTM only.
        rate_h, rate_c: used where there is no mask, as in evaluation: the share of the old state in
            the new one. 0 is no zoneout.
        recurrent: `(B, P)`, recurrent dropout, or None: multiplies the state where it enters
            `W_hh`, and nowhere else; the same at every step.
    """

    zoneout_h: Tensor | None = None
    zoneout_c: Tensor | None = None
    rate_h: float = 0.0
    rate_c: float = 0.0
    recurrent: Tensor | None = None


NO_MASKS = Masks()


class LayerCall(NamedTuple):
    """One layer in one direction.

    Attributes:
        mode: "RNN_TANH", "RNN_RELU", "GRU" or "LSTM", as torch names it.
        weights, masks: its parameters and masks.
        reverse: run from the last real step of each row to step 0.
        epsilon: added to the variance by layer normalisation; above 0.
    """

    mode: str
    weights: Weights
    masks: Masks = NO_MASKS
    reverse: bool = False
    epsilon: float = EPSILON


class Result(NamedTuple):
    """What a call gives.

    Attributes:
        y: `(T, B, P)`, `h` after every step; zero beyond a row's length, as the next two.
        state: after the last step of each row: `h (B, P)`, or `(h, c (B, H))` for an LSTM.
        cells: `(T, B, H)`, `c` after every step, where asked for; None without a cell state.
        gates: `(T, B, G*H)`, the gates after their functions, where asked for: i, f, g, o of an
            LSTM, r, z, n of a GRU; None for an RNN, which has none.
    """

    y: Tensor
    state: State
    cells: Tensor | None = None
    gates: Tensor | None = None


def weights_of(layer: RNNBase, index: int, direction: int = 0) -> Weights:
    """The parameters of one layer (from 0) and one direction (1: reverse) of a `torch.nn` layer.

    They are looked up by name, so parametrised and functionally replaced ones are seen. With the
    option `peephole` there are `peephole_l0` ..., and with `layer_norm` `gain_ih_l0`, `gain_hh_l0`
    and, for an LSTM, `norm_c_l0` ...
    """
    own, names = layer._parameters, names_of(index, direction)
    options = options_of(layer)

    def get(at: int) -> Tensor:
        part = own.get(names[at])
        return getattr(layer, names[at]) if part is None else part

    bias = layer.bias
    normed = options.layer_norm
    return Weights(
        get(0),
        get(1),
        get(2) if bias else None,
        get(3) if bias else None,
        get(4) if layer.proj_size else None,
        get(5) if options.peephole else None,
        get(6) if normed else None,
        get(7) if normed else None,
        get(8) if normed and layer.mode == "LSTM" else None,
    )


# Not functools.cache: torch.compile warns of it.
_KNOWN_NAMES: dict[tuple[int, int], tuple[str, ...]] = {}


def names_of(index: int, direction: int) -> tuple[str, ...]:
    """The names of `Weights`, in their order."""
    known = _KNOWN_NAMES.get((index, direction))
    if known is None:
        suffix = f"_l{index}{'_reverse' if direction else ''}"
        first = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        known = tuple(
            name + suffix for name in (*first, "peephole", "gain_ih", "gain_hh", "norm_c")
        )
        _KNOWN_NAMES[index, direction] = known
    return known
