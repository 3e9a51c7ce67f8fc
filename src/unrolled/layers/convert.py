"""Weights from and to `torch.nn`'s recurrent layers and cells, each conversion proven.

Parameter names and gate orders are torch's, so a conversion copies; what it adds is that the copy
is complete, that an option which torch lacks is not lost in silence, and that both give the same
numbers.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size, `P` projection size, `L` layers, `D`
directions.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import Module, RNNBase
from torch.nn.modules.rnn import RNNCellBase

from unrolled import layers as ours
from unrolled.errors import ConfigError
from unrolled.layers.parity import (
    ParityReport,
    evaluating,
    prove,
    random_like,
    tolerance_for,
    values_and_gradients,
)
from unrolled.layers.states import State

LAYERS = ("RNN", "GRU", "LSTM")
CELLS = ("RNNCell", "GRUCell", "LSTMCell")

STEPS, BATCH = 7, 3
"""T and B of the random input."""


class Converted(NamedTuple):
    """What a conversion gives: `layer, report = from_torch(module)`.

    Attributes:
        layer: the converted layer, with parameters of its own.
        report: how far it is from the one that it was made from.
    """

    layer: Any
    report: ParityReport


def from_torch(module: Module, *, tolerance: float | None = None) -> Converted:
    """Our layer with the weights of a `torch.nn.RNN`, `GRU`, `LSTM`, or of one of torch's cells.

    Everything that torch's layer has goes along: stacks, both directions, projection, with or
    without biases, `batch_first`, dropout, dtype, device, training or evaluation mode, and which
    parameters want a gradient. Weights that torch computes (parametrised, weight-normed) are taken
    as they are now. Proof: both run on the same random input and state, in evaluation mode;
    outputs, final states and gradients are compared. Torch's random generators are left as they
    were.

    Args:
        module: the layer or cell. It is not changed.
        tolerance: largest difference that passes; None is that of the dtype (`TOLERANCES`).

    Returns:
        The layer and a `ParityReport`.

    Raises:
        ConfigError: another kind of module, or a weight that is not finite.
        ParityError: the two give other numbers.
    """
    kind = _kind(module, "torch.nn")
    _check_finite(module)
    target = _made(getattr(ours, kind), module)
    what = f"torch.nn.{kind} to unrolled.{kind}"
    return Converted(target, _proof(what, module, target, tolerance, ()))


def to_torch(layer: Module, *, tolerance: float | None = None) -> Converted:
    """The layer of `torch.nn` with the weights of ours: the way back, proven alike.

    Options that act in training only (recurrent, weight and input dropout) are left out, and the
    report's notes say so.

    Args:
        layer: an `unrolled.RNN`, `GRU` or `LSTM`, or one of their cells. It is not changed.
        tolerance: largest difference that passes; None is that of the dtype (`TOLERANCES`).

    Returns:
        torch's layer and a `ParityReport`.

    Raises:
        ConfigError: another kind of module, an option that torch lacks (layer normalisation,
            peepholes, zoneout, residual connections, a merge other than "concat"), or a weight that
            is not finite.
        ParityError: the two give other numbers.
    """
    kind = _kind(layer, "unrolled")
    refuse_lacking(layer, "torch.nn", _TORCH_LACKS)
    _check_finite(layer)
    target = _made(getattr(torch.nn, kind), layer)
    what = f"unrolled.{kind} to torch.nn.{kind}"
    return Converted(target, _proof(what, layer, target, tolerance, training_notes(layer)))


_TORCH_LACKS = ("layer_norm", "peephole", "zoneout", "residual", "merge")


def refuse_lacking(layer: Module, target: str, lacks: tuple[str, ...]) -> None:
    """Raise where the layer has one of the options that `target` lacks, and the option matters."""
    for name in lacks:
        value = getattr(layer, name, None)
        if name == "zoneout":
            value = value if value and any(zoneout_of(layer)) else None
        elif name == "merge":
            value = value if value != "concat" and getattr(layer, "bidirectional", False) else None
        elif name == "residual":
            value = value and getattr(layer, "num_layers", 1) != 1
        if value:
            raise ConfigError(
                f"{name}: got a layer with {name}={value!r}, which {target} lacks; "
                f"{_REMEDIES.get(target, _REMEDY)}"
            )


_REMEDY = "make and train the layer without it"
_REMEDIES = {
    "ONNX's node": "export_onnx(layer, path) writes the operations instead",
    "torch.nn": f"{_REMEDY}, or write it with export_onnx(layer, path)",
}


def zoneout_of(layer: Module) -> tuple[float, float]:
    """Zoneout's rates for h and c."""
    rates = getattr(layer, "zoneout", 0.0)
    return tuple(rates) if isinstance(rates, tuple | list) else (rates, rates)


def training_notes(layer: Module) -> tuple[str, ...]:
    """What a conversion leaves out of our options, since it acts in training only."""
    names = ("recurrent_dropout", "weight_dropout", "input_dropout")
    found = [f"{name}={getattr(layer, name)}" for name in names if getattr(layer, name, 0)]
    return (f"left out {' and '.join(found)}, in training only",) if found else ()


def _kind(module: Any, side: str) -> str:
    """The name of the layer's or cell's class; an error where it is not one of `side`."""
    own = isinstance(module, Module) and _is_ours(module)
    for name in (*LAYERS, *CELLS):
        if isinstance(module, getattr(torch.nn, name)) and own == (side == "unrolled"):
            return name
    what = f"expected one of {side}'s {', '.join((*LAYERS, *CELLS))}"
    got = type(module).__name__
    if side == "unrolled":
        raise ConfigError(f"layer: got {got}, {what}")
    raise ConfigError(f"module: got {got}, {what}{'; ours is ours already' if own else ''}")


def _is_ours(module: Module) -> bool:
    return any(part.__module__.startswith("unrolled.") for part in type(module).__mro__)


def _made(kind: type[Module], source: Module) -> Module:
    """A module of `kind` with the sizes, weights, dtype, device and mode of `source`."""
    names: tuple[str, ...] = ("input_size", "hidden_size", "bias")
    if isinstance(source, RNNBase):
        names += ("num_layers", "batch_first", "dropout", "bidirectional")
    arguments = {name: getattr(source, name) for name in names}
    if isinstance(source, torch.nn.LSTM):
        arguments["proj_size"] = source.proj_size
    if isinstance(source, torch.nn.RNN):
        arguments["nonlinearity"] = source.mode.removeprefix("RNN_").lower()
    if isinstance(source, torch.nn.RNNCell):
        arguments["nonlinearity"] = source.nonlinearity
    like = _like(source)
    # First drawn on the CPU, as every new layer is: what is drawn is not kept.
    with torch.random.fork_rng(devices=[]):
        target = kind(**arguments, dtype=like.dtype)
    target.to(like.device)
    with torch.no_grad():
        for name, parameter in target.named_parameters():
            given = getattr(source, name)
            parameter.copy_(given)
            parameter.requires_grad_(given.requires_grad)
    return target.train(source.training)


def _like(module: Module) -> Tensor:
    name = "weight_ih_l0" if isinstance(module, RNNBase) else "weight_ih"
    weight = getattr(module, name)
    assert isinstance(weight, Tensor)
    return weight


def _check_finite(module: Module) -> None:
    names = module._flat_weights_names if isinstance(module, RNNBase) else _CELL_WEIGHTS
    for name in names:
        weight = getattr(module, name, None)
        if weight is None:
            continue
        if weight.is_meta:
            raise ConfigError(f"{name}: got a meta tensor, without numbers; load the weights first")
        if not bool(torch.isfinite(weight).all()):
            raise ConfigError(
                f"{name}: got NaN or infinity, expected finite numbers: with others nothing can be "
                "proven; load a good checkpoint"
            )


_CELL_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def _proof(
    what: str, source: Module, target: Module, tolerance: float | None, notes: tuple[str, ...]
) -> ParityReport:
    like = _like(source)
    x, state = example(source, STEPS, BATCH)
    # A parametrised weight is no parameter: the gradients by input and state speak for it.
    shared = {name for name, part in source.named_parameters() if part.requires_grad}
    names = [name for name, part in target.named_parameters() if name in shared]
    with evaluating(source, target):
        want, wanted = values_and_gradients(source, x, state, names)
        got, found = values_and_gradients(target, x, state, names)
    pairs = {name: (found[name], wanted[name]) for name in found}
    limit = tolerance_for(like.dtype, tolerance)
    return prove(what, [((STEPS, BATCH), got, want, pairs)], limit, notes, gradients=True)


def example(module: Any, steps: int, batch: int) -> tuple[Tensor, State]:
    """Random input and a random state for a layer, or for a cell (which takes no steps)."""
    like = _like(module).detach()
    hidden = module.hidden_size
    if isinstance(module, RNNCellBase):
        x, h = like.new_empty(batch, module.input_size), like.new_empty(batch, hidden)
        lstm, c = isinstance(module, torch.nn.LSTMCell), h
    else:
        shape = (batch, steps) if module.batch_first else (steps, batch)
        x = like.new_empty(*shape, module.input_size)
        rows = module.num_layers * (2 if module.bidirectional else 1)
        h = like.new_empty(rows, batch, module.proj_size or hidden)
        lstm, c = module.mode == "LSTM", like.new_empty(rows, batch, hidden)
    return random_like((x, (h, c) if lstm else h), seed=2)
