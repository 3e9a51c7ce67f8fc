"""A layer as an ONNX graph: ONNX's own recurrent node where it says the same, else a `Scan`.

ONNX's `LSTM`, `GRU` and `RNN` know neither layer normalisation, zoneout, projection nor resets, and
ONNX Runtime runs them in float32 only. A `Scan` runs any step, written in plain operations; what
needs no history stands before it, as one product over all time.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size, `P` output size of a direction, `G`
gates, `L` layers, `D` directions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.layers.call import EPSILON, Weights, weights_of
from unrolled.layers.convert import zoneout_of
from unrolled.layers.onnx_build import Builder
from unrolled.layers.onnx_weights import OPERATORS, to_node

MINIMAL = ("MIN_GRU", "MIN_LSTM")


class Options(NamedTuple):
    """What a graph takes besides input and state: names in the graph, "" for none.

    Attributes:
        lengths: `(B,)` int64.
        starts: `(T, B)` bool.
        real: `(T, B)` bool, true before a row's length.
    """

    lengths: str = ""
    starts: str = ""
    real: str = ""


def add_layer(
    build: Builder, layer: Any, x: str, states: list[str], lengths: str = "", starts: str = ""
) -> tuple[str, list[str]]:
    """Append a layer: all of its stack.

    Shapes: `x (T, B, I)` or `(B, T, I)` with `batch_first`, `states` `h (L * D, B, P)` and, for an
    LSTM, `c (L * D, B, H)`; `lengths (B,)`; `starts` as the layer takes it.

    Returns:
        The output, laid out as the input, and the final states.
    """
    if layer.batch_first:
        x = build.op("Transpose", x, perm=[1, 0, 2])
        starts = build.op("Transpose", starts, perm=[1, 0]) if starts else ""
    real = _real(build, x, lengths) if lengths else ""
    if real:
        starts = build.op("And", starts, real) if starts else ""  # flags in the padding
        zero = build.constant(0.0, _dtype(layer))
        x = build.op("Where", _unsqueezed(build, real, 2), x, zero)  # it may hold NaN
    options = Options(lengths, starts, real)
    directions = 2 if layer.bidirectional else 1
    finals: list[list[str]] = [[] for _ in states]
    for index in range(layer.num_layers):
        entering = [
            _rows(build, state, index * directions, (index + 1) * directions) for state in states
        ]
        run = _node if has_node(layer, options) else _scans
        y, after = run(build, layer, index, x, entering, options)
        y = _merged(build, layer, y)
        # From the second layer on, where input and output are of one size.
        x = build.op("Add", y, x) if getattr(layer, "residual", False) and index else y
        for kept, part in zip(finals, after, strict=True):
            kept.append(part)
    y = build.op("Transpose", x, perm=[1, 0, 2]) if layer.batch_first else x
    return y, [parts[0] if len(parts) == 1 else build.op("Concat", *parts, axis=0) for parts in finals]


def has_node(layer: Any, options: Options | None = None) -> bool:
    """Whether ONNX's own node runs this layer, so that ONNX Runtime can run it too."""
    return (
        layer.mode in OPERATORS
        and not getattr(layer, "layer_norm", False)
        and not any(zoneout_of(layer))
        and not layer.proj_size
        and _dtype(layer) == torch.float32
        and not (options is not None and options.starts)
    )


def _node(
    build: Builder, layer: Any, index: int, x: str, states: list[str], options: Options
) -> tuple[str, list[str]]:
    """ONNX's own node: the output `(T, D, B, H)`, and the final states `(D, B, H)`."""
    directions = 2 if layer.bidirectional else 1
    weights = [weights_of(layer, index, direction) for direction in range(directions)]
    given = {
        name: build.weight(f"{name}_l{index}", part)
        for name, part in to_node(layer.mode, weights).items()
    }
    inputs = [x, given["W"], given["R"], given.get("B", "")]
    inputs.append(build.op("Cast", options.lengths, to=6) if options.lengths else "")
    inputs += [*states, given.get("P", "")]
    attributes: dict[str, Any] = {"hidden_size": layer.hidden_size}
    if directions == 2:
        attributes["direction"] = "bidirectional"
    if layer.mode == "GRU":
        attributes["linear_before_reset"] = 1
    if layer.mode == "RNN_RELU":
        attributes["activations"] = ["Relu"] * directions
    y, *after = build.ops(
        OPERATORS[layer.mode], *inputs, outputs=1 + len(states), **attributes
    )
    if options.lengths:
        # ONNX Runtime gives zeros for a row without steps; a layer gives its state back.
        empty = build.op("Equal", options.lengths, build.constant(0))
        empty = _unsqueezed(build, empty, 1)
        after = [
            build.op("Where", empty, old, new) for old, new in zip(states, after, strict=True)
        ]
    return y, after


def _scans(
    build: Builder, layer: Any, index: int, x: str, states: list[str], options: Options
) -> tuple[str, list[str]]:
    """One `Scan` for each direction: as `_node`."""
    outputs, finals = [], []
    for direction in range(2 if layer.bidirectional else 1):
        project, step = _cell(build, layer, index, direction)
        entering = [
            build.op("Squeeze", _rows(build, state, direction, direction + 1), build.constant([0]))
            for state in states
        ]
        y, after = _scan(build, project(x), entering, step, options, _dtype(layer), direction == 1)
        outputs.append(_unsqueezed(build, y, 1))
        finals.append([_unsqueezed(build, part, 0) for part in after])
    y = outputs[0] if len(outputs) == 1 else build.op("Concat", *outputs, axis=1)
    if len(finals) == 1:
        return y, finals[0]
    return y, [build.op("Concat", *parts, axis=0) for parts in zip(*finals, strict=True)]


Step = Callable[[Builder, list[str], list[str]], list[str]]
"""In the body of a `Scan`: projected input and states -> the next states, `h` first."""


def _scan(
    build: Builder,
    projected: list[str],
    states: list[str],
    step: Step,
    options: Options,
    dtype: torch.dtype,
    reverse: bool,
) -> tuple[str, list[str]]:
    """A cell over time with lengths and resets: `(T, B, P)` and the states, each `(B, ...)`."""
    sequences = [(name, dtype) for name in projected]
    if options.starts:
        cuts = options.starts
        if reverse:  # the state that goes from step t to step t - 1 is cut where t begins anew
            later = _rows(build, cuts, 1, None)
            none = build.op("Xor", _rows(build, cuts, 0, 1), _rows(build, cuts, 0, 1))
            cuts = build.op("Concat", later, none, axis=0)
        sequences.append((_unsqueezed(build, cuts, 2), torch.bool))
    if options.real:
        sequences.append((_unsqueezed(build, options.real, 2), torch.bool))

    def body(inner: Builder, old: list[str], parts: list[str]) -> tuple[list[str], str]:
        own, masks = parts[: len(projected)], parts[len(projected) :]
        zero = inner.constant(0.0, dtype)
        entering = old
        if options.starts:
            entering = [inner.op("Where", masks[0], zero, state) for state in old]
        new = step(inner, own, entering)
        y = new[0]
        if options.real:
            y = inner.op("Where", masks[-1], y, zero)
            new = [inner.op("Where", masks[-1], *pair) for pair in zip(new, old, strict=True)]
        return new, y

    finals, y = build.scan(states, sequences, body, dtype, reverse)
    return y, finals


def _cell(
    build: Builder, layer: Any, index: int, direction: int
) -> tuple[Callable[[str], list[str]], Step]:
    """`project` and `step` of one layer in one direction, as `Cell` has them."""
    if layer.mode in MINIMAL:
        return _minimal(build, layer, index, direction)
    cell = _Cell(build, layer, index, direction)
    rates = zoneout_of(layer)
    step = {"LSTM": cell.lstm, "GRU": cell.gru}.get(layer.mode, cell.rnn)

    def with_zoneout(inner: Builder, parts: list[str], old: list[str]) -> list[str]:
        new = step(inner, parts, old)
        return [cell.kept(inner, *part) for part in zip(rates, old, new, strict=False)]

    return cell.project, with_zoneout if any(rates) else step


class _Cell:
    """One step of torch's cells in ONNX's operations; equations in `cells.py`."""

    def __init__(self, build: Builder, layer: Any, index: int, direction: int) -> None:
        suffix = f"_l{index}{'_reverse' if direction else ''}"
        weights = weights_of(layer, index, direction)
        self.build = build
        self.layer = layer
        self.hidden = layer.hidden_size
        self.dtype = _dtype(layer)
        self.weights = weights
        self.gates = weights.ih.shape[0] // self.hidden
        named: dict[str, Tensor] = {}
        for field, part in zip(Weights._fields, weights, strict=True):
            if part is None:
                continue
            if field in _MATRICES:
                named[field] = part.t()
            elif field in _BY_ROW:
                named |= {f"{field}{at}": row for at, row in enumerate(part)}
            elif layer.mode == "GRU" and weights.gain_ih is not None:
                # Layer normalisation takes r and z together, and n alone.
                sizes = (2 * self.hidden, self.hidden)
                named |= {f"{field}{at}": own for at, own in enumerate(part.split(sizes))}
            else:
                named[field] = part
        self.names = {
            name: build.weight(f"{name}{suffix}", part) for name, part in named.items()
        }

    def project(self, x: str) -> list[str]:
        return [self._affine(self.build, x, "ih")]

    def rnn(self, inner: Builder, parts: list[str], states: list[str]) -> list[str]:
        total = inner.op("Add", parts[0], self._affine(inner, states[0], "hh"))
        return [inner.op("Relu" if self.layer.mode == "RNN_RELU" else "Tanh", total)]

    def gru(self, inner: Builder, parts: list[str], states: list[str]) -> list[str]:
        x_r, x_z, x_n = self._split(inner, parts[0])
        h_r, h_z, h_n = self._split(inner, self._affine(inner, states[0], "hh"))
        r = inner.op("Sigmoid", inner.op("Add", x_r, h_r))
        z = inner.op("Sigmoid", inner.op("Add", x_z, h_z))
        n = inner.op("Tanh", inner.op("Add", x_n, inner.op("Mul", r, h_n)))
        fresh = inner.op("Mul", inner.op("Sub", inner.constant(1.0, self.dtype), z), n)
        return [inner.op("Add", fresh, inner.op("Mul", z, states[0]))]

    def lstm(self, inner: Builder, parts: list[str], states: list[str]) -> list[str]:
        h, c = states
        total = inner.op("Add", parts[0], self._affine(inner, h, "hh"))
        i, f, g, o = self._split(inner, total)
        peeps = "peephole0" in self.names
        if peeps:
            i = inner.op("Add", i, inner.op("Mul", self.names["peephole0"], c))
            f = inner.op("Add", f, inner.op("Mul", self.names["peephole1"], c))
        i, f, g = inner.op("Sigmoid", i), inner.op("Sigmoid", f), inner.op("Tanh", g)
        c = inner.op("Add", inner.op("Mul", f, c), inner.op("Mul", i, g))
        if peeps:
            o = inner.op("Add", o, inner.op("Mul", self.names["peephole2"], c))
        normed = c
        if "norm_c0" in self.names:
            normed = self._norm(inner, c, self.names["norm_c0"], self.names["norm_c1"])
        h = inner.op("Mul", inner.op("Sigmoid", o), inner.op("Tanh", normed))
        if "hr" in self.names:
            h = inner.op("MatMul", h, self.names["hr"])
        return [h, c]

    def kept(self, inner: Builder, rate: float, old: str, new: str) -> str:
        """Zoneout in evaluation: the rate is the share of the old state."""
        if not rate:
            return new
        stays = inner.op("Mul", inner.constant(float(rate), self.dtype), old)
        return inner.op("Add", stays, inner.op("Mul", inner.constant(1 - rate, self.dtype), new))

    def _affine(self, build: Builder, x: str, side: str) -> str:
        total, names = build.op("MatMul", x, self.names[side]), self.names
        bias = names.get(f"bias_{side}", "")
        if self.weights.gain_ih is None:
            return build.op("Add", total, bias) if bias else total
        if self.layer.mode != "GRU":
            return self._norm(build, total, names[f"gain_{side}"], bias)
        sizes = build.constant([2 * self.hidden, self.hidden])
        normed = [
            self._norm(build, part, names[f"gain_{side}{at}"], names.get(f"bias_{side}{at}", ""))
            for at, part in enumerate(build.ops("Split", total, sizes, outputs=2, axis=-1))
        ]
        return build.op("Concat", *normed, axis=-1)

    def _norm(self, build: Builder, x: str, gain: str, shift: str) -> str:
        return build.op("LayerNormalization", x, gain, shift, axis=-1, epsilon=EPSILON)

    def _split(self, build: Builder, x: str) -> list[str]:
        sizes = build.constant([self.hidden] * self.gates)
        return build.ops("Split", x, sizes, outputs=self.gates, axis=-1)


_MATRICES = ("ih", "hh", "hr")
_BY_ROW = ("peephole", "norm_c")


def _minimal(
    build: Builder, layer: Any, index: int, direction: int
) -> tuple[Callable[[str], list[str]], Step]:
    """minGRU and minLSTM: equations in `minimal.py`."""
    suffix = f"_l{index}{'_reverse' if direction else ''}"
    weight = build.weight(f"weight{suffix}", getattr(layer, f"weight{suffix}").t())
    bias = build.weight(f"bias{suffix}", getattr(layer, f"bias{suffix}")) if layer.bias else ""
    gates = 2 if layer.mode == "MIN_GRU" else 3
    dtype = _dtype(layer)

    def project(x: str) -> list[str]:
        total = build.op("MatMul", x, weight)
        total = build.op("Add", total, bias) if bias else total
        sizes = build.constant([layer.hidden_size] * gates)
        *closed, v = build.ops("Split", total, sizes, outputs=gates, axis=-1)
        if gates == 2:
            odds = build.op("Neg", closed[0])
        else:
            # log sigmoid(f) - log sigmoid(i), of which log sigmoid(v) = -softplus(-v)
            f, i = (_softplus(build, build.op("Neg", gate), dtype) for gate in closed)
            odds = build.op("Sub", i, f)
        a = build.op("Sigmoid", odds)
        above = build.op("GreaterOrEqual", v, build.constant(0.0, dtype))
        shifted = build.op("Add", v, build.constant(0.5, dtype))
        candidate = build.op("Where", above, shifted, build.op("Sigmoid", v))
        open_ = build.op("Sigmoid", build.op("Neg", odds))
        return [a, build.op("Mul", open_, candidate)]

    def step(inner: Builder, parts: list[str], states: list[str]) -> list[str]:
        return [inner.op("Add", inner.op("Mul", parts[0], states[0]), parts[1])]

    return project, step


def _softplus(build: Builder, v: str, dtype: torch.dtype) -> str:
    """`log(1 + exp(v))`, without overflow; ONNX Runtime has no float64 Softplus."""
    small = build.op("Exp", build.op("Neg", build.op("Abs", v)))
    rest = build.op("Log", build.op("Add", build.constant(1.0, dtype), small))
    return build.op("Add", build.op("Relu", v), rest)


def _merged(build: Builder, layer: Any, y: str) -> str:
    """`(T, D, B, P)` -> `(T, B, D * P)`, or `(T, B, P)` where the directions become one."""
    merge = getattr(layer, "merge", "concat")
    if not layer.bidirectional:
        return build.op("Squeeze", y, build.constant([1]))
    if merge == "concat":
        y = build.op("Transpose", y, perm=[0, 2, 1, 3])
        return build.op("Reshape", y, build.constant([0, 0, -1]))
    if merge not in _MERGES:
        raise ConfigError(f"merge: got {merge!r}, expected concat, {', '.join(_MERGES)}")
    parts = build.ops("Split", y, build.constant([1, 1]), outputs=2, axis=1)
    y = build.op(_MERGES[merge], *(build.op("Squeeze", p, build.constant([1])) for p in parts))
    return build.op("Mul", y, build.constant(0.5, _dtype(layer))) if merge == "mean" else y


_MERGES = {"sum": "Add", "mean": "Add", "mul": "Mul"}


def _real(build: Builder, x: str, lengths: str) -> str:
    """`(T, B)` bool: true before a row's length."""
    steps = build.op("Gather", build.op("Shape", x), build.constant(0), axis=0)
    time = build.op("Range", build.constant(0), steps, build.constant(1))
    return build.op("Less", _unsqueezed(build, time, 1), _unsqueezed(build, lengths, 0))


def _rows(build: Builder, x: str, begin: int, end: int | None) -> str:
    ends = build.constant([2**31 - 1 if end is None else end])
    return build.op("Slice", x, build.constant([begin]), ends, build.constant([0]))


def _unsqueezed(build: Builder, x: str, axis: int) -> str:
    return build.op("Unsqueeze", x, build.constant([axis]))


def _dtype(layer: Any) -> torch.dtype:
    weight = layer.weight_l0 if layer.mode in MINIMAL else layer.weight_ih_l0
    assert isinstance(weight, Tensor)
    return weight.dtype
