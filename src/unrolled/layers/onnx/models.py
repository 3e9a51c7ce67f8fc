"""Our layers inside a model that torch's own ONNX exporter writes.

`torch.onnx.export(dynamo=True)` sees one operator for each layer of a stack
(`torch.ops.unrolled.recurrence` and `minimal_recurrence`) and asks a table how to write it. The
answer is that of `export_onnx`: ONNX's own node, or a `Scan`.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size, `D` directions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import torch

from unrolled.errors import ConfigError
from unrolled.layers import operator  # noqa: F401  (registers the operators)
from unrolled.layers.call import Weights
from unrolled.layers.onnx.build import TYPES, Builder, need_onnx
from unrolled.layers.onnx.cells import MINIMAL, Level, rows
from unrolled.layers.onnx.layers import add_level, options_of
from unrolled.layers.onnx.weights import GATES, OPERATORS, PEEPHOLES

# The operator's parts of one direction: the weights, then three masks.
_PARTS = len(Weights._fields) + 3


def onnx_translations() -> dict[Callable[..., Any], Callable[..., Any]]:
    """How torch's exporter writes our layers: for its argument `custom_translation_table`.

        torch.onnx.export(
            model, inputs, "model.onnx", dynamo=True, dynamic_shapes=...,
            custom_translation_table=unrolled.layers.onnx_translations(),
        )

    Every option goes along but two: recurrent dropout and zoneout's masks, which act in training
    (put the model into evaluation mode), and a `PackedSequence` (use `lengths`). What is written is
    not checked here: run it against the model.

    Raises:
        MissingExtra: `onnx`, `onnxscript` or `onnxruntime` is not installed.
    """
    need_onnx("onnx_translations")
    return {
        torch.ops.unrolled.recurrence.default: _recurrence,
        torch.ops.unrolled.minimal_recurrence.default: _minimal_recurrence,
    }


def _recurrence(
    x: Any,
    h0: Any,
    c0: Any,
    parts: Sequence[Any],
    lengths: Any,
    starts: Any,
    batch_sizes: Any,
    mode: str,
    rate_h: float,
    rate_c: float,
    epsilon: float,
    keep: bool,
) -> list[Any]:
    _refuse_packed(batch_sizes)
    weights = []
    for first in range(0, len(parts), _PARTS):
        own = [_given(part) for part in parts[first : first + _PARTS]]
        if any(part is not None for part in own[len(Weights._fields) :]):
            raise ConfigError(
                "export: got masks of zoneout or recurrent dropout, which act in training; put the "
                "model into evaluation mode with .eval() first"
            )
        weights.append(Weights(*own[: len(Weights._fields)]))
    hh, hr = parts[1], weights[0].hr
    hidden = int((hh if hr is None else hr).shape[1])
    level = Level(mode, hidden, _dtype(x), weights, "", (rate_h, rate_c), epsilon)
    widths = [int(hh.shape[1]), hidden][: 2 if mode == "LSTM" else 1]
    return _written(level, x, [h0, c0][: len(widths)], widths, lengths, starts)


def _minimal_recurrence(
    x: Any,
    h0: Any,
    parts: Sequence[Any],
    lengths: Any,
    starts: Any,
    batch_sizes: Any,
    mode: str,
    keep: bool,
) -> list[Any]:
    _refuse_packed(batch_sizes)
    weights = [[parts[at], _given(parts[at + 1])] for at in range(0, len(parts), 2)]
    hidden = int(parts[0].shape[0]) // (2 if mode == MINIMAL[0] else 3)
    return _written(Level(mode, hidden, _dtype(x), weights, ""), x, [h0], [hidden], lengths, starts)


def _refuse_packed(batch_sizes: Any) -> None:
    if batch_sizes is not None:
        raise ConfigError(
            "export: got a PackedSequence inside the model, which ONNX has no word for; give the "
            "layer a padded tensor and lengths="
        )


def _given(part: Any) -> Any:
    """The part, or None for the empty tensor that stands for one that is not there."""
    return None if tuple(part.shape) == (0,) else part


def _dtype(x: Any) -> torch.dtype:
    return {number: dtype for dtype, number in TYPES.items()}[int(x.dtype)]


def _written(
    level: Level, x: Any, states: list[Any], widths: list[int], lengths: Any, starts: Any
) -> list[Any]:
    """The operator's outputs that are ever used: y, and the final states."""
    build: Any = TracedBuilder()
    directions = len(level.weights)
    entering = [
        _zeros(build, x, directions, width, level.dtype) if state is None else state
        for state, width in zip(states, widths, strict=True)
    ]
    given = ["" if part is None else part for part in (lengths, starts)]
    options = options_of(build, x, *given)
    y, finals = add_level(build, level, x, entering, options)
    y = build.op("Transpose", y, perm=[0, 2, 1, 3])
    return [build.op("Reshape", y, build.constant([0, 0, -1])), *finals]


def _zeros(build: Any, x: Any, directions: int, width: int, dtype: torch.dtype) -> Any:
    """A state `(D, B, width)` of zeros."""
    batch = build.op("Slice", build.op("Shape", x), build.constant([1]), build.constant([2]))
    shape = build.op("Concat", build.constant([directions]), batch, build.constant([width]), axis=0)
    return build.op("Expand", build.constant(0.0, dtype), shape)


class TracedBuilder(Builder):
    """As `Builder`, for values of the graph that torch's exporter is writing: the weights, too."""

    def __init__(self, outer: TracedBuilder | None = None) -> None:
        from onnxscript import evaluator

        super().__init__(outer)
        # What the exporter reads when this operator is done; the body of a Scan has its own list.
        recorder: Any = evaluator.default()
        self.nodes = [] if outer is not None else recorder.nodes

    def weight(self, name: str, tensor: Any) -> Any:
        return tensor

    def turned_weight(self, name: str, tensor: Any) -> Any:
        return self.op("Transpose", tensor, perm=[1, 0])

    def weight_rows(self, name: str, tensor: Any) -> list[Any]:
        count = int(tensor.shape[0])
        pieces = self.weight_pieces(name, tensor, [1] * count)
        return [self.op("Squeeze", piece, self.constant([0])) for piece in pieces]

    def weight_pieces(self, name: str, tensor: Any, sizes: Sequence[int]) -> list[Any]:
        # Not Split, which torch's optimizer does not fold.
        ends = list(accumulate(sizes))
        return [rows(self, tensor, end - size, end) for end, size in zip(ends, sizes, strict=True)]

    def node_weights(self, mode: str, weights: Sequence[Weights], suffix: str) -> dict[str, Any]:
        order = GATES[OPERATORS[mode]]

        def turned(part: Any) -> list[Any]:
            size = int(part.shape[0]) // len(order)
            gates = self.weight_pieces("", part, [size] * len(order))
            return [gates[at] for at in order]

        def stacked(directions: list[list[Any]]) -> Any:
            zero = self.constant([0])
            whole = [
                self.op("Unsqueeze", self.op("Concat", *pieces, axis=0), zero)
                for pieces in directions
            ]
            return whole[0] if len(whole) == 1 else self.op("Concat", *whole, axis=0)

        found = {
            "W": stacked([turned(part.ih) for part in weights]),
            "R": stacked([turned(part.hh) for part in weights]),
        }
        if weights[0].bias_ih is not None:
            found["B"] = stacked([turned(p.bias_ih) + turned(p.bias_hh) for p in weights])
        if weights[0].peephole is not None:
            by_row = [self.weight_rows("", part.peephole) for part in weights]
            found["P"] = stacked([[own[at] for at in PEEPHOLES] for own in by_row])
        return found

    def constant(self, value: Any, dtype: torch.dtype = torch.int64) -> Any:
        import onnx_ir as ir

        top = self._top
        key = (repr(value), dtype)
        if key not in top._known:
            kind = ir.DataType(TYPES[dtype])
            tensor = ir.tensor(value, dtype=kind)
            (name,) = top.ops("Constant", outputs=1, value=tensor)
            top._known[key] = name
        return top._known[key]

    def ops(self, kind: str, *inputs: Any, outputs: int, **attributes: Any) -> list[Any]:
        import onnx_ir as ir

        given = [None if isinstance(part, str) else part for part in inputs]
        node = ir.Node(
            "", kind, given, ir.convenience.convert_attributes(attributes), num_outputs=outputs
        )
        self.nodes.append(node)
        return list(node.outputs)

    def scan(
        self,
        states: Sequence[Any],
        sequences: Sequence[tuple[Any, torch.dtype]],
        step: Callable[[Any, list[Any], list[Any]], tuple[list[Any], Any]],
        dtype: torch.dtype,
        reverse: bool,
    ) -> tuple[list[Any], Any]:
        import onnx_ir as ir

        body = TracedBuilder(self)

        def value(hint: str, kind: torch.dtype) -> Any:
            return ir.Value(name=self.name(hint), type=ir.TensorType(ir.DataType(TYPES[kind])))

        entering = [value("state", dtype) for _ in states]
        parts = [value("step", kind) for _, kind in sequences]
        after, y = step(body, entering, parts)
        outputs = [body.op("Identity", part) for part in (*after, y)]
        for part in outputs:
            part.type = ir.TensorType(ir.DataType(TYPES[dtype]))
        graph = ir.Graph([*entering, *parts], outputs, nodes=body.nodes, name=self.name("body"))
        *finals, ys = self.ops(
            "Scan",
            *states,
            *(name for name, _ in sequences),
            outputs=len(states) + 1,
            body=graph,
            num_scan_inputs=len(sequences),
            scan_input_directions=[int(reverse)] * len(sequences),
            scan_output_directions=[int(reverse)],
        )
        return finals, ys
