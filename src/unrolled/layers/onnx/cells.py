"""One direction of one layer as a `Scan`: any step, written in plain operations of ONNX.

What needs no history stands before the `Scan`, as one product over all time. Equations: `cells.py`
and `minimal.py`.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size, `P` output size of a direction, `G`
gates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from unrolled.layers.call import EPSILON, Weights
from unrolled.layers.onnx.build import Builder

MINIMAL = ("MIN_GRU", "MIN_LSTM")


class Level(NamedTuple):
    """One layer of a stack, in all its directions, as in evaluation.

    Attributes:
        mode: as torch names it, or one of `MINIMAL`.
        hidden: H.
        dtype: of numbers.
        weights: of each direction: `Weights`, or weight and bias (or None) of a minGRU or minLSTM.
            Their tensors are whatever the builder takes for a weight.
        suffix: of the names of the parameters, such as "_l0".
        rates: zoneout's, for h and c.
        epsilon: of layer normalisation.
    """

    mode: str
    hidden: int
    dtype: torch.dtype
    weights: list[Any]
    suffix: str
    rates: tuple[float, float] = (0.0, 0.0)
    epsilon: float = EPSILON


class Options(NamedTuple):
    """What a graph takes besides input and state: names in the graph, "" for none.

    Attributes:
        lengths: `(B,)` int64.
        starts: `(T, B)` bool, false where `real` is.
        real: `(T, B)` bool, true before a row's length.
    """

    lengths: Any = ""
    starts: Any = ""
    real: Any = ""


Step = Callable[[Builder, list[Any], list[Any]], list[Any]]
"""In the body of a `Scan`: projected input and states -> the next states, `h` first."""


def scanned(
    build: Builder, level: Level, direction: int, x: Any, states: list[Any], options: Options
) -> tuple[Any, list[Any]]:
    """One direction over time: `y (T, B, P)` and the final states, each `(B, ...)`."""
    project, step = _cell(build, level, direction)
    projected = project(x)
    sequences = [(name, level.dtype) for name in projected]
    if options.starts:
        cuts = options.starts
        if direction:  # the state that goes from step t to step t - 1 is cut where t begins anew
            first = rows(build, cuts, 0, 1)
            none = build.op("Xor", first, first)
            cuts = build.op("Concat", rows(build, cuts, 1, None), none, axis=0)
        sequences.append((unsqueezed(build, cuts, 2), torch.bool))
    if options.real:
        sequences.append((unsqueezed(build, options.real, 2), torch.bool))

    def body(inner: Builder, old: list[Any], parts: list[Any]) -> tuple[list[Any], Any]:
        own, masks = parts[: len(projected)], parts[len(projected) :]
        entering = old
        zero = inner.constant(0.0, level.dtype) if masks else ""
        if options.starts:
            entering = [inner.op("Where", masks[0], zero, state) for state in old]
        new = step(inner, own, entering)
        y = new[0]
        if options.real:
            y = inner.op("Where", masks[-1], y, zero)
            new = [inner.op("Where", masks[-1], *pair) for pair in zip(new, old, strict=True)]
        return new, y

    finals, y = build.scan(states, sequences, body, level.dtype, direction == 1)
    return y, finals


def _cell(build: Builder, level: Level, direction: int) -> tuple[Callable[[Any], list[Any]], Step]:
    """`project` and `step` of one direction, as `Cell` has them."""
    if level.mode in MINIMAL:
        return _minimal(build, level, direction)
    cell = _Cell(build, level, direction)
    step = {"LSTM": cell.lstm, "GRU": cell.gru}.get(level.mode, cell.rnn)

    def with_zoneout(inner: Builder, parts: list[Any], old: list[Any]) -> list[Any]:
        new = step(inner, parts, old)
        return [cell.kept(inner, *part) for part in zip(level.rates, old, new, strict=False)]

    return cell.project, with_zoneout if any(level.rates) else step


class _Cell:
    """One step of torch's cells in ONNX's operations; equations in `cells.py`."""

    def __init__(self, build: Builder, level: Level, direction: int) -> None:
        self.build = build
        self.level = level
        weights: Weights = level.weights[direction]
        self.normed = weights.gain_ih is not None
        self.gates = {"LSTM": 4, "GRU": 3}.get(level.mode, 1)
        suffix = f"{level.suffix}{'_reverse' if direction else ''}"
        self.names: dict[str, Any] = {}
        for field, part in zip(Weights._fields, weights, strict=True):
            if part is None:
                continue
            if field in _MATRICES:
                self.names[field] = build.turned_weight(f"{field}{suffix}", part)
            elif field in _BY_ROW:
                pieces = build.weight_rows(f"{field}{suffix}", part)
                self.names |= {f"{field}{at}": row for at, row in enumerate(pieces)}
            elif level.mode == "GRU" and self.normed:
                # Layer normalisation takes r and z together, and n alone.
                sizes = (2 * level.hidden, level.hidden)
                pieces = build.weight_pieces(f"{field}{suffix}", part, sizes)
                self.names |= {f"{field}{at}": own for at, own in enumerate(pieces)}
            else:
                self.names[field] = build.weight(f"{field}{suffix}", part)

    def project(self, x: Any) -> list[Any]:
        return [self._affine(self.build, x, "ih")]

    def rnn(self, inner: Builder, parts: list[Any], states: list[Any]) -> list[Any]:
        total = inner.op("Add", parts[0], self._affine(inner, states[0], "hh"))
        return [inner.op("Relu" if self.level.mode == "RNN_RELU" else "Tanh", total)]

    def gru(self, inner: Builder, parts: list[Any], states: list[Any]) -> list[Any]:
        x_r, x_z, x_n = self._split(inner, parts[0])
        h_r, h_z, h_n = self._split(inner, self._affine(inner, states[0], "hh"))
        r = inner.op("Sigmoid", inner.op("Add", x_r, h_r))
        z = inner.op("Sigmoid", inner.op("Add", x_z, h_z))
        n = inner.op("Tanh", inner.op("Add", x_n, inner.op("Mul", r, h_n)))
        one = inner.constant(1.0, self.level.dtype)
        fresh = inner.op("Mul", inner.op("Sub", one, z), n)
        return [inner.op("Add", fresh, inner.op("Mul", z, states[0]))]

    def lstm(self, inner: Builder, parts: list[Any], states: list[Any]) -> list[Any]:
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
            normed = self._norm(
                inner, c, self.level.hidden, self.names["norm_c0"], self.names["norm_c1"]
            )
        h = inner.op("Mul", inner.op("Sigmoid", o), inner.op("Tanh", normed))
        if "hr" in self.names:
            h = inner.op("MatMul", h, self.names["hr"])
        return [h, c]

    def kept(self, inner: Builder, rate: float, old: Any, new: Any) -> Any:
        """Zoneout in evaluation: the rate is the share of the old state."""
        if not rate:
            return new
        share, rest = (inner.constant(part, self.level.dtype) for part in (rate, 1.0 - rate))
        return inner.op("Add", inner.op("Mul", share, old), inner.op("Mul", rest, new))

    def _affine(self, build: Builder, x: Any, side: Any) -> Any:
        total, names = build.op("MatMul", x, self.names[side]), self.names
        bias = names.get(f"bias_{side}", "")
        if not self.normed:
            return build.op("Add", total, bias) if bias else total
        if self.level.mode != "GRU":
            size = self.gates * self.level.hidden
            return self._norm(build, total, size, names[f"gain_{side}"], bias)
        sizes = [2 * self.level.hidden, self.level.hidden]
        parts = build.ops("Split", total, build.constant(sizes), outputs=2, axis=-1)
        normed = [
            self._norm(
                *(build, part, size, names[f"gain_{side}{at}"]), names.get(f"bias_{side}{at}", "")
            )
            for at, (part, size) in enumerate(zip(parts, sizes, strict=True))
        ]
        return build.op("Concat", *normed, axis=-1)

    def _norm(self, build: Builder, x: Any, size: int, gain: Any, shift: Any) -> Any:
        """Layer normalisation over all of the last axis, of that size."""
        epsilon, dtype = self.level.epsilon, self.level.dtype
        if dtype == torch.float32:
            return build.op("LayerNormalization", x, gain, shift, axis=-1, epsilon=epsilon)
        # An attribute is float32, which is not the same epsilon. Means are products with 1 / n.
        column = build.constant([[1 / size]] * size, dtype)
        centred = build.op("Sub", x, build.op("MatMul", x, column))
        variance = build.op("MatMul", build.op("Mul", centred, centred), column)
        spread = build.op("Sqrt", build.op("Add", variance, build.constant(epsilon, dtype)))
        normed = build.op("Mul", build.op("Div", centred, spread), gain)
        return build.op("Add", normed, shift) if shift else normed

    def _split(self, build: Builder, x: Any) -> list[Any]:
        sizes = build.constant([self.level.hidden] * self.gates)
        return build.ops("Split", x, sizes, outputs=self.gates, axis=-1)


_MATRICES = ("ih", "hh", "hr")
_BY_ROW = ("peephole", "norm_c")


def _minimal(
    build: Builder, level: Level, direction: int
) -> tuple[Callable[[Any], list[Any]], Step]:
    """minGRU and minLSTM: equations in `minimal.py`."""
    suffix = f"{level.suffix}{'_reverse' if direction else ''}"
    given, shift = level.weights[direction]
    weight = build.turned_weight(f"weight{suffix}", given)
    bias = "" if shift is None else build.weight(f"bias{suffix}", shift)
    gates, dtype = 2 if level.mode == "MIN_GRU" else 3, level.dtype

    def project(x: Any) -> list[Any]:
        total = build.op("MatMul", x, weight)
        total = build.op("Add", total, bias) if bias else total
        sizes = build.constant([level.hidden] * gates)
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

    def step(inner: Builder, parts: list[Any], states: list[Any]) -> list[Any]:
        return [inner.op("Add", inner.op("Mul", parts[0], states[0]), parts[1])]

    return project, step


def _softplus(build: Builder, v: Any, dtype: torch.dtype) -> Any:
    """`log(1 + exp(v))`, without overflow; ONNX Runtime has no float64 Softplus."""
    small = build.op("Exp", build.op("Neg", build.op("Abs", v)))
    rest = build.op("Log", build.op("Add", build.constant(1.0, dtype), small))
    return build.op("Add", build.op("Relu", v), rest)


def rows(build: Builder, x: Any, begin: int, end: int | None) -> Any:
    """`x[begin:end]`."""
    ends = build.constant([2**31 - 1 if end is None else end])
    return build.op("Slice", x, build.constant([begin]), ends, build.constant([0]))


def unsqueezed(build: Builder, x: Any, axis: int) -> Any:
    """`x` with an axis of size 1 more."""
    return build.op("Unsqueeze", x, build.constant([axis]))
