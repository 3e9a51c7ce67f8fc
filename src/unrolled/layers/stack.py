"""A stack of layers and a readout, checked and packed for streaming.

Shapes: `I` input size, `H` hidden size, `P` output size of a layer (`H` without a projection), `V`
of the readout, `L` layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import Linear, RNNBase

from unrolled import kernels
from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers.call import LayerCall, Masks, Weights, weights_of
from unrolled.layers.options import options_of
from unrolled.layers.prototypes import CELLS

PRECISIONS = ("float32", "float16")

_MATRICES = ("ih", "hh", "hr")
_LARGEST = 65504.0  # of float16


@dataclass(frozen=True, slots=True)
class Stack:
    """Packed weights, which any number of sessions share, and their sizes.

    Attributes:
        native: the compiled `StreamModel`.
        lstm: whether the state is `(h, c)`.
        layers, input, hidden, output: L, I of the first layer, H and P.
        width: of what a step gives: V, or P without a readout.
    """

    native: Any
    lstm: bool
    layers: int
    input: int
    hidden: int
    output: int
    width: int


def calls_of(layer: RNNBase) -> list[LayerCall]:
    """The layers of a `torch.nn` layer in one direction, as in evaluation.

    Raises:
        ConfigError: another kind of module, or one with two directions.
    """
    if not isinstance(layer, RNNBase) or layer.mode not in CELLS:
        raise ConfigError(
            f"layer: got {type(layer).__name__}, expected an RNN, GRU or LSTM of "
            "unrolled.layers or torch.nn"
        )
    if layer.bidirectional:
        raise ConfigError(
            "layer: got a layer with two directions, and the reverse one needs the end of the "
            "sequence; make the layer with bidirectional=False (directions=1)"
        )
    options = options_of(layer)
    if options.residual and layer.num_layers > 1:
        raise ConfigError(
            "layer: got a stack with residual=True, and a session runs plain stacks; layer.step "
            "runs this one"
        )
    rates = Masks(rate_h=options.zoneout[0], rate_c=options.zoneout[1])
    return [
        LayerCall(layer.mode, weights_of(layer, index), rates) for index in range(layer.num_layers)
    ]


def pack(calls: Sequence[LayerCall], readout: Linear | None, precision: str) -> Stack:
    """Copies of all weights, laid out for the kernels.

    Raises:
        ConfigError: there are no kernels; an unknown precision; NaN in a weight, or numbers beyond
            float16; or a call that a session can't run.
        ShapeError, DTypeError: weights that do not fit.
    """
    reason = kernels.why_not()
    if reason is not None:
        raise ConfigError(f"a session needs the native kernels: {reason}; layer.step runs without")
    if precision not in PRECISIONS:
        raise ConfigError(f"precision: got {precision!r}, expected {' or '.join(PRECISIONS)}")
    half = precision == "float16"
    alive: list[Tensor] = []  # until the kernels have copied them

    def address(name: str, tensor: Tensor | None, matrix: bool = False) -> int:
        if tensor is None:
            return 0
        _check_weight(name, tensor, half and matrix)
        alive.append(tensor.detach().contiguous())
        return alive[-1].data_ptr()

    structs = []
    for index, call in enumerate(calls):
        _check_call(call, calls[0])
        struct = kernels.forward_call(torch.float32)
        weights = call.weights
        struct.cell = CELLS[call.mode]
        struct.input, struct.output = weights.ih.shape[1], weights.hh.shape[1]
        struct.hidden = _hidden(weights)
        struct.epsilon = call.epsilon
        struct.rate_h, struct.rate_c = call.masks.rate_h, call.masks.rate_c
        for field, tensor in zip(weights._fields, weights, strict=True):
            matrix = field in _MATRICES
            name = f"weight_{field}" if matrix else field
            setattr(struct, name, address(f"{name}_l{index}", tensor, matrix))
        structs.append(struct)
    first, last = structs[0], structs[-1]
    width, head = 0, (0, 0, 0)
    if readout is not None:
        if readout.in_features != last.output:
            raise ShapeError(
                f"readout: got in_features = {readout.in_features}, expected {last.output}, "
                "the output size of the layer"
            )
        width = readout.out_features
        weight = address("readout.weight", readout.weight, matrix=True)
        head = (width, weight, address("readout.bias", readout.bias))
    return Stack(
        kernels.stream_model(structs, head, float16=half),
        lstm=calls[0].mode == "LSTM",
        layers=len(structs),
        input=first.input,
        hidden=first.hidden,
        output=first.output,
        width=width or last.output,
    )


def _hidden(weights: Weights) -> int:
    return weights.hh.shape[1] if weights.hr is None else weights.hr.shape[1]


def _check_call(call: LayerCall, first: LayerCall) -> None:
    if call.reverse:
        raise ConfigError("a session runs forward, got a reverse layer")
    masks = call.masks
    if any(mask is not None for mask in (masks.zoneout_h, masks.zoneout_c, masks.recurrent)):
        raise ConfigError("a session is for evaluation, got masks; zoneout may have a rate")
    state, expected = [
        (one.mode, _hidden(one.weights), one.weights.hh.shape[1]) for one in (call, first)
    ]
    if state != expected:
        raise ConfigError(f"a session's layers have one kind of state: got {state} and {expected}")
    if call is not first and call.weights.ih.shape[1] != expected[2]:
        raise ShapeError(
            f"a layer's input size: got {call.weights.ih.shape[1]}, expected {expected[2]}"
        )


def _check_weight(name: str, tensor: Tensor, half: bool) -> None:
    if tensor.dtype != torch.float32:
        raise DTypeError(
            f"{name}: got dtype {tensor.dtype}, expected torch.float32; copy the layer and convert "
            "it with .float()"
        )
    if tensor.device.type != "cpu":
        raise ConfigError(
            f"{name}: got a tensor on {tensor.device}, expected cpu; copy the layer and move it "
            "with .cpu()"
        )
    if bool(tensor.detach().isnan().any()):
        raise ConfigError(f"{name}: got NaN, expected numbers; load a good checkpoint")
    if half:
        largest = tensor.detach().nan_to_num(0.0, 0.0, 0.0).abs().max().item()
        if largest > _LARGEST:
            raise ConfigError(
                f"{name}: got numbers up to {largest:.3g}, expected at most {_LARGEST:.0f} for "
                "precision='float16'; use precision='float32'"
            )
