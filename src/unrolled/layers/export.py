"""`export_onnx` and `to_onnx`: a layer as an ONNX model with free batch and time, its state in and
out, proven by ONNX Runtime.

    inputs     x (T, B, I), h0 (L * D, B, P), c0 (L * D, B, H), lengths (B,), starts (T, B)
    outputs    y (T, B, D * P), hn and cn as h0 and c0

`c0` and `cn` for an LSTM; `lengths` and `starts` where asked for. With `batch_first` the first two
axes of `x`, `y` and `starts` are turned.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size, `P` output size of a direction, `L`
layers, `D` directions.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import Module

from unrolled.errors import ConfigError
from unrolled.layers.convert import refuse_lacking, training_notes
from unrolled.layers.minimal_layers import MinGRU, MinLSTM
from unrolled.layers.onnx.build import Builder, Shape, need_onnx
from unrolled.layers.onnx.cells import MINIMAL
from unrolled.layers.onnx.layers import add_layer, dtype_of, has_node, level_of
from unrolled.layers.onnx.runtime import (
    SIZES,
    Judge,
    Sizes,
    checked_sizes,
    numbered,
    random_lengths,
    random_starts,
)
from unrolled.layers.parity import ParityReport, evaluating, prove, random_like, tolerance_for
from unrolled.layers.precision import full_precision
from unrolled.layers.states import State, tensors_of
from unrolled.writing import replacing


class Exported(NamedTuple):
    """`model, report = to_onnx(layer)`.

    Attributes:
        model: an `onnx.ModelProto`.
        report: how far ONNX Runtime's numbers are from the layer's.
    """

    model: Any
    report: ParityReport


def to_onnx(
    layer: Module, *, lengths: bool = False, sizes: Sizes = SIZES, tolerance: float | None = None
) -> Exported:
    """A layer as ONNX's own `LSTM`, `GRU` or `RNN` nodes, one for each layer of the stack.

    Args:
        layer: an RNN, GRU or LSTM of `unrolled` or `torch.nn`, in float32; run in evaluation mode.
        lengths: whether the model has an input `lengths` (it becomes the nodes' `sequence_lens`).
        sizes: `(T, B)` of the runs by which ONNX Runtime judges it.
        tolerance: largest difference that passes; None is that of the dtype.

    Returns:
        The model, and a `ParityReport`. What acts in training only (dropouts) is left out.

    Raises:
        ConfigError: an option that ONNX's nodes lack, named; `export_onnx` writes those with a
            `Scan`. Or a weight that is not finite.
        ParityError: ONNX Runtime gives other numbers.
        MissingExtra: `onnx` or `onnxruntime` is not installed.
    """
    need_onnx("to_onnx")
    _check_layer(layer)
    lacks = ("layer_norm", "zoneout")
    refuse_lacking(layer, "ONNX's node", lacks)
    if not has_node(level_of(layer, 0)):
        reason = (
            f"mode: got {type(layer).__name__}, which is no node of ONNX"
            if layer.mode in MINIMAL
            else f"proj_size: got {layer.proj_size}, a projection, which ONNX's LSTM lacks"
            if layer.proj_size
            else f"dtype: got {layer.weight_ih_l0.dtype}, in which ONNX Runtime has no such node"
        )
        raise ConfigError(f"{reason}; export_onnx(layer, path) writes the operations instead")
    return _exported(layer, lengths, False, sizes, tolerance)


def export_onnx(
    layer: Module,
    path: str | os.PathLike[str],
    *,
    lengths: bool = False,
    starts: bool = False,
    sizes: Sizes = SIZES,
    tolerance: float | None = None,
) -> ParityReport:
    """Write a layer as an ONNX file with free batch and time, its state in and out.

    ONNX's own node where it says the same, else a `Scan` (layer normalisation, zoneout's rates in
    evaluation, projection, `starts`, float64, MinGRU, MinLSTM); residual connections and merges are
    plain nodes around them. ONNX Runtime runs it at each of `sizes`, with random states, lengths
    and starts, before anything is written; the file is written aside and renamed.

    Args:
        layer: an RNN, GRU or LSTM of `unrolled` or `torch.nn`, a MinGRU or MinLSTM, in float32 or
            float64; exported as in evaluation mode, on whatever device it is.
        path: the file to write.
        lengths: whether the model has an input `lengths` `(B,)` int64.
        starts: whether it has an input `starts` `(T, B)` bool.
        sizes: `(T, B)` of the runs by which ONNX Runtime judges it.
        tolerance: largest difference that passes; None is that of the dtype, ten times that with
            layer normalisation.

    Returns:
        A `ParityReport`.

    Raises:
        ConfigError: another kind of module (how to export a model that holds such layers is told),
            another dtype, or a weight that is not finite.
        ParityError: ONNX Runtime gives other numbers; nothing was written.
        OutputError: the file can't be written.
        MissingExtra: `onnx` or `onnxruntime` is not installed.
    """
    need_onnx("export_onnx")
    _check_layer(layer)
    model, report = _exported(layer, lengths, starts, sizes, tolerance)
    with replacing(Path(path)) as aside:
        aside.write_bytes(model.SerializeToString(deterministic=True))
    return report


def _check_layer(layer: Any) -> None:
    if not isinstance(layer, torch.nn.RNN | torch.nn.GRU | torch.nn.LSTM | MinGRU | MinLSTM):
        raise ConfigError(
            f"layer: got {type(layer).__name__}, expected an RNN, GRU, LSTM, MinGRU or MinLSTM; a "
            "model that holds such layers goes through torch.onnx.export(..., dynamo=True, "
            "custom_translation_table=unrolled.layers.onnx_translations())"
        )
    for name, weight in layer.named_parameters():
        if weight.dtype not in (torch.float32, torch.float64):
            raise ConfigError(
                f"{name}: got dtype {weight.dtype}, expected float32 or float64; convert a copy "
                "with .float()"
            )
        if weight.is_meta or not bool(torch.isfinite(weight).all()):
            raise ConfigError(f"{name}: got NaN or infinity, or no numbers, expected finite ones")
    size = sum(weight.nbytes for weight in layer.parameters())
    if size >= _MOST:
        raise ConfigError(f"layer: got {size} bytes of weights, and an ONNX file holds 2 GB")


_MOST = 2**31 - 2**20


def _exported(
    layer: Any, lengths: bool, starts: bool, sizes: Sizes, tolerance: float | None
) -> Exported:
    sizes = checked_sizes(sizes)
    what = f"{_named(layer)} to ONNX"
    with evaluating(layer), torch.no_grad(), full_precision():
        model = _model(layer, lengths, starts)
        judge = Judge(model.SerializeToString(), what)
        report = prove(
            what,
            _runs(layer, judge, lengths, starts, sizes),
            _tolerance(layer, tolerance),
            training_notes(layer),
            gradients=False,
        )
    return Exported(model, report)


def _tolerance(layer: Any, asked: float | None) -> float:
    """Layer normalisation of sums that are nearly alike enlarges their rounding."""
    limit = tolerance_for(dtype_of(layer), asked)
    return 10 * limit if asked is None and getattr(layer, "layer_norm", False) else limit


def _named(layer: Module) -> str:
    kind = type(layer)
    return f"{kind.__module__.partition('.')[0]}.{kind.__name__}"


def _model(layer: Any, lengths: bool, starts: bool) -> Any:
    build, like = Builder(), _like(layer)
    directions = 2 if layer.bidirectional else 1
    rows, hidden = layer.num_layers * directions, layer.hidden_size
    output = layer.proj_size or hidden
    time_batch: tuple[str, str] = ("B", "T") if layer.batch_first else ("T", "B")
    merged = directions == 2 and getattr(layer, "merge", "concat") != "concat"
    width = output if merged else directions * output
    states: list[tuple[str, Shape]] = [("h", (rows, "B", output))]
    if layer.mode == "LSTM":
        states.append(("c", (rows, "B", hidden)))
    inputs: list[Value] = [("x", like.dtype, (*time_batch, layer.input_size))]
    inputs += [(f"{name}0", like.dtype, shape) for name, shape in states]
    inputs += [("lengths", torch.int64, ("B",))] * lengths
    inputs += [("starts", torch.bool, time_batch)] * starts
    y, finals = add_layer(
        build,
        layer,
        "x",
        [f"{name}0" for name, _ in states],
        "lengths" if lengths else "",
        "starts" if starts else "",
    )
    for old, new in zip((y, *finals), ("y", *(f"{name}n" for name, _ in states)), strict=True):
        build.rename(old, new)
    outputs: list[Value] = [("y", like.dtype, (*time_batch, width))]
    outputs += [(f"{name}n", like.dtype, shape) for name, shape in states]
    return build.model(type(layer).__name__, inputs, outputs)


Value = tuple[str, torch.dtype, Shape]
Runs = Iterator[
    tuple[tuple[int, int], Sequence[Tensor], Sequence[Tensor], Mapping[str, tuple[Tensor, Tensor]]]
]


def _runs(layer: Any, judge: Judge, lengths: bool, starts: bool, sizes: Sizes) -> Runs:
    """A run of the layer and of ONNX Runtime at each size."""
    for seed, steps, batch in numbered(sizes):
        x, state = call_of(layer, steps, batch, seed)
        given = {"x": x, "h0": next(tensors_of(state))}
        options: dict[str, Tensor] = {}
        if layer.mode == "LSTM":
            given["c0"] = state[1]
        if lengths:
            options["lengths"] = random_lengths(steps, batch, seed)
        if starts:
            cuts = random_starts(steps, batch, seed)
            options["starts"] = cuts.t() if layer.batch_first else cuts
        want = list(tensors_of(_run(layer, x, state, options)))
        got = judge(given | {name: part.contiguous() for name, part in options.items()})
        yield (steps, batch), got, want, {}


def _run(layer: Any, x: Tensor, state: State, options: dict[str, Tensor]) -> Any:
    """The layer, torch's too, which knows no options."""
    if not options or hasattr(layer, "explain"):
        return layer(x, state, **options)
    raise ConfigError(
        f"{next(iter(options))}: got a layer of torch.nn, which has no such argument; convert it "
        "with unrolled.from_torch first"
    )


def call_of(layer: Any, steps: int, batch: int, seed: int) -> tuple[Tensor, State]:
    """A random input and state of a layer."""
    like = _like(layer).detach()
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    shape = (batch, steps) if layer.batch_first else (steps, batch)
    h = like.new_empty(rows, batch, layer.proj_size or layer.hidden_size)
    state = (h, like.new_empty(rows, batch, layer.hidden_size)) if layer.mode == "LSTM" else h
    return random_like((like.new_empty(*shape, layer.input_size), state), seed)


def _like(layer: Any) -> Tensor:
    weight = layer.weight_l0 if layer.mode in MINIMAL else layer.weight_ih_l0
    assert isinstance(weight, Tensor)
    return weight
