"""A layer as an ONNX graph: ONNX's own recurrent node where it says the same, else a `Scan`.

ONNX's `LSTM`, `GRU` and `RNN` know neither layer normalisation, zoneout, projection nor resets, and
ONNX Runtime runs them in float32 only.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size, `P` output size of a direction, `L`
layers, `D` directions.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.layers.call import weights_of
from unrolled.layers.convert import zoneout_of
from unrolled.layers.onnx.build import Builder
from unrolled.layers.onnx.cells import MINIMAL, Level, Options, rows, scanned, unsqueezed
from unrolled.layers.onnx.weights import OPERATORS


def add_layer(
    build: Builder, layer: Any, x: Any, states: list[Any], lengths: Any = "", starts: Any = ""
) -> tuple[Any, list[Any]]:
    """Append a layer: all of its stack.

    Shapes: `x (T, B, I)` or `(B, T, I)` with `batch_first`, `states` `h (L * D, B, P)` and, for an
    LSTM, `c (L * D, B, H)`; `lengths (B,)`; `starts` as the layer takes it.

    Returns:
        The output, laid out as the input, and the final states.
    """
    dtype = dtype_of(layer)
    if layer.batch_first:
        x = build.op("Transpose", x, perm=[1, 0, 2])
        starts = build.op("Transpose", starts, perm=[1, 0]) if starts else ""
    options = options_of(build, x, lengths, starts)
    directions = 2 if layer.bidirectional else 1
    finals: list[list[Any]] = [[] for _ in states]
    for index in range(layer.num_layers):
        entering = [
            rows(build, state, index * directions, (index + 1) * directions) for state in states
        ]
        y, after = add_level(build, level_of(layer, index), x, entering, options)
        y = _merged(build, getattr(layer, "merge", "concat"), y, directions, dtype)
        # From the second layer on, where input and output are of one size.
        x = build.op("Add", y, x) if getattr(layer, "residual", False) and index else y
        for kept, part in zip(finals, after, strict=True):
            kept.append(part)
    y = build.op("Transpose", x, perm=[1, 0, 2]) if layer.batch_first else x
    return y, [_joined(build, parts, 0) for parts in finals]


def dtype_of(layer: Any) -> torch.dtype:
    """The dtype of a layer's weights."""
    weight = layer.weight_l0 if layer.mode in MINIMAL else layer.weight_ih_l0
    assert isinstance(weight, Tensor)
    return weight.dtype


def level_of(layer: Any, index: int) -> Level:
    """One layer of the stack."""
    directions, suffix = range(2 if layer.bidirectional else 1), f"_l{index}"
    weights: list[Any]
    if layer.mode in MINIMAL:
        weights = [
            [
                getattr(layer, f"{name}{suffix}{'_reverse' if direction else ''}", None)
                for name in ("weight", "bias")
            ]
            for direction in directions
        ]
    else:
        weights = [weights_of(layer, index, direction) for direction in directions]
    return Level(layer.mode, layer.hidden_size, dtype_of(layer), weights, suffix, zoneout_of(layer))


def options_of(build: Builder, x: Any, lengths: Any, starts: Any) -> Options:
    """The options of a call with input `x (T, B, I)`.

    The padding of `x` may hold NaN: no step there is kept, and none spreads to another row.
    """
    if not lengths:
        return Options(starts=starts)
    steps = build.op("Gather", build.op("Shape", x), build.constant(0), axis=0)
    time = build.op("Range", build.constant(0), steps, build.constant(1))
    real = build.op("Less", unsqueezed(build, time, 1), unsqueezed(build, lengths, 0))
    starts = build.op("And", starts, real) if starts else ""
    return Options(lengths, starts, real)


def has_node(level: Level, starts: bool = False) -> bool:
    """Whether ONNX's own node runs it, and ONNX Runtime that node."""
    return (
        level.mode in OPERATORS
        and level.dtype == torch.float32
        and not starts
        and not any(level.rates)
        and all(part.gain_ih is None and part.hr is None for part in level.weights)
    )


def add_level(
    build: Builder, level: Level, x: Any, states: list[Any], options: Options
) -> tuple[Any, list[Any]]:
    """One layer of the stack: `y (T, D, B, P)` and the final states, each `(D, B, ...)`."""
    if has_node(level, starts=bool(options.starts)):
        return _node(build, level, x, states, options)
    outputs, finals = [], []
    for direction in range(len(level.weights)):
        entering = [
            build.op("Squeeze", rows(build, state, direction, direction + 1), build.constant([0]))
            for state in states
        ]
        y, after = scanned(build, level, direction, x, entering, options)
        outputs.append(unsqueezed(build, y, 1))
        finals.append([unsqueezed(build, part, 0) for part in after])
    return _joined(build, outputs, 1), [
        _joined(build, list(parts), 0) for parts in zip(*finals, strict=True)
    ]


def _node(
    build: Builder, level: Level, x: Any, states: list[Any], options: Options
) -> tuple[Any, list[Any]]:
    """ONNX's own node."""
    directions = len(level.weights)
    given = build.node_weights(level.mode, level.weights, level.suffix)
    inputs = [x, given["W"], given["R"], given.get("B", "")]
    inputs.append(build.op("Cast", options.lengths, to=6) if options.lengths else "")
    inputs += [*states, *[""] * (2 - len(states)), given.get("P", "")]
    attributes: dict[str, Any] = {"hidden_size": level.hidden}
    if directions == 2:
        attributes["direction"] = "bidirectional"
    if level.mode == "GRU":
        attributes["linear_before_reset"] = 1
    if level.mode == "RNN_RELU":
        attributes["activations"] = ["Relu"] * directions
    operator = OPERATORS[level.mode]
    y, *after = build.ops(operator, *inputs, outputs=1 + len(states), **attributes)
    if options.lengths:
        # ONNX Runtime gives zeros for a row without steps; a layer gives its state back.
        empty = unsqueezed(build, build.op("Equal", options.lengths, build.constant(0)), 1)
        after = [build.op("Where", empty, *pair) for pair in zip(states, after, strict=True)]
    return y, after


def _merged(build: Builder, merge: str, y: Any, directions: int, dtype: torch.dtype) -> Any:
    """`(T, D, B, P)` -> `(T, B, D * P)`, or `(T, B, P)` where the directions become one."""
    if directions == 1:
        return build.op("Squeeze", y, build.constant([1]))
    if merge == "concat":
        y = build.op("Transpose", y, perm=[0, 2, 1, 3])
        return build.op("Reshape", y, build.constant([0, 0, -1]))
    if merge not in _MERGES:
        raise ConfigError(f"merge: got {merge!r}, expected concat, {', '.join(_MERGES)}")
    parts = build.ops("Split", y, build.constant([1, 1]), outputs=2, axis=1)
    y = build.op(_MERGES[merge], *(build.op("Squeeze", p, build.constant([1])) for p in parts))
    return build.op("Mul", y, build.constant(0.5, dtype)) if merge == "mean" else y


_MERGES = {"sum": "Add", "mean": "Add", "mul": "Mul"}


def _joined(build: Builder, parts: list[Any], axis: int) -> Any:
    return parts[0] if len(parts) == 1 else build.op("Concat", *parts, axis=axis)
