"""How the parameters of a layer begin: the schemes behind `init=`.

    init="torch"                        all uniform from -1/sqrt(H) to 1/sqrt(H)
    init="orthogonal"                   W_hh orthogonal, W_ih as Glorot and Bengio, biases zero
    init="identity", ("identity", s)    RNN: W_hh = s * identity (IRNN), W_ih small, biases zero
    init="forget", ("forget", b)        the bias of the gate that keeps the state is b, 1 by default
    init=("chrono", longest)            gate biases for memories of up to `longest` steps
    init=["orthogonal", ("forget", 1)]  one after the other
    init=function                       `function(layer)` sets what it likes

Sources: Saxe et al. 2014, arXiv 1312.6120 (orthogonal); Glorot and Bengio 2010 (W_ih); Le et al.
2015, arXiv 1504.00941 (IRNN); Gers et al. 2000 and Jozefowicz et al. 2015 (forget bias); Tallec and
Ollivier 2018, arXiv 1804.11188 (chrono).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import Parameter, RNNBase, init

from unrolled.errors import ConfigError
from unrolled.layers.call import names_of
from unrolled.layers.options import options_of

Scheme: TypeAlias = str | tuple[str, float] | Callable[[Any], None]
Init: TypeAlias = Scheme | list[Scheme]

_GATES = {"LSTM": 4, "GRU": 3}


def add_parameters(layer: RNNBase) -> bool:
    """Give a layer the parameters that its options have, and the widths that `merge` leaves; true
    where there are any."""
    options = options_of(layer)
    rows = _GATES.get(layer.mode, 1) * layer.hidden_size
    width = layer.proj_size or layer.hidden_size
    for index in range(layer.num_layers):
        for direction in range(2 if layer.bidirectional else 1):
            names = names_of(index, direction)
            like: Tensor = getattr(layer, names[0])
            if index > 0 and options.merge != "concat":
                setattr(layer, names[0], Parameter(like.new_empty(rows, width)))
            shapes: dict[str, tuple[int, ...]] = {}
            if options.peephole:
                shapes[names[5]] = (3, layer.hidden_size)
            if options.layer_norm:
                shapes |= {names[6]: (rows,), names[7]: (rows,)}
                if layer.mode == "LSTM":
                    shapes[names[8]] = (2, layer.hidden_size)
            for name, shape in shapes.items():
                layer.register_parameter(name, Parameter(like.new_empty(shape)))
    return options.layer_norm or options.peephole or options.merge != "concat"


def initialise(layer: RNNBase, scheme: Init) -> None:
    """Draw all parameters as torch does, then as the scheme says.

    Layer normalisation begins as no more than a normalisation: gains 1, the shift of an LSTM's cell
    state 0 (the other shifts are the biases).

    Raises:
        ConfigError: a scheme that there is not, or not for this layer.
    """
    steps = scheme if isinstance(scheme, list) else [scheme]
    schemes = [_found(layer, step) for step in steps]
    bound = 1 / math.sqrt(layer.hidden_size)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if name.startswith("gain_"):
                init.ones_(parameter)
            elif name.startswith("norm_c_"):
                parameter[0], parameter[1] = 1, 0
            else:
                init.uniform_(parameter, -bound, bound)
        for apply in schemes:
            apply()


def _found(layer: RNNBase, step: Scheme) -> Callable[[], Any]:
    """The scheme, ready to be applied to the layer."""
    if callable(step):
        return lambda: step(layer)
    name, value = step if isinstance(step, tuple) and len(step) == 2 else (step, None)
    if name == "torch" and value is None:
        return lambda: None
    if name == "orthogonal" and value is None:
        return lambda: _orthogonal(layer)
    if name == "identity":
        scale = 1.0 if value is None else _number(name, value)
        if not layer.mode.startswith("RNN"):
            raise ConfigError(
                f"init: got 'identity' for a layer of mode {layer.mode}, expected an RNN; "
                "'forget' and 'chrono' make gates keep the state"
            )
        return lambda: _identity(layer, scale)
    if name == "forget":
        bias = 1.0 if value is None else _number(name, value)
        _check_gates(layer, name)
        return lambda: _keep_bias(layer, lambda size: size.new_full(size.shape, bias), False)
    if name == "chrono":
        longest = 0.0 if value is None else _number(name, value)
        if not longest >= 3:
            raise ConfigError(
                f"init: got {step!r}, expected ('chrono', T) with T at least 3, the number of "
                "steps over which to remember"
            )
        _check_gates(layer, name)
        return lambda: _keep_bias(
            layer, lambda size: torch.empty_like(size).uniform_(1, longest - 1).log_(), True
        )
    raise ConfigError(
        f"init: got {step!r}, expected 'torch', 'orthogonal', 'identity', 'forget', "
        "('chrono', T), a function, or a list of these"
    )


def _orthogonal(layer: RNNBase) -> None:
    for kind, parameter in _parts(layer):
        if kind == "weight_hh":
            for gate in parameter.chunk(_GATES.get(layer.mode, 1)):
                # In float32 at least: there is no QR decomposition of shorter numbers.
                wide = gate.to(torch.promote_types(gate.dtype, torch.float32))
                gate.copy_(init.orthogonal_(wide))
        elif kind in ("weight_ih", "weight_hr"):
            for gate in parameter.chunk(_GATES.get(layer.mode, 1) if kind == "weight_ih" else 1):
                init.xavier_uniform_(gate)
        elif kind.startswith("bias"):
            init.zeros_(parameter)


def _identity(layer: RNNBase, scale: float) -> None:
    for kind, parameter in _parts(layer):
        if kind == "weight_hh":
            init.eye_(parameter).mul_(scale)
        elif kind == "weight_ih":
            init.normal_(parameter, std=0.001)
        elif kind.startswith("bias"):
            init.zeros_(parameter)


def _keep_bias(layer: RNNBase, draw: Callable[[Tensor], Tensor], mirror: bool) -> None:
    """The bias of the gate that keeps the state; with `mirror` an LSTM's input gate gets its
    negative.

    The two biases are added, so the one of `bias_hh` becomes zero.
    """
    lstm = layer.mode == "LSTM"
    drawn: Tensor | None = None
    for kind, parameter in _parts(layer):
        if not kind.startswith("bias"):
            continue
        gates = parameter.chunk(_GATES[layer.mode])
        keep = gates[1]  # f of i, f, g, o; z of r, z, n
        if kind == "bias_ih":
            drawn = draw(keep)
            keep.copy_(drawn)
            if lstm and mirror:
                gates[0].copy_(-drawn)
        else:
            keep.zero_()
            if lstm and mirror:
                gates[0].zero_()


def _parts(layer: RNNBase) -> Iterator[tuple[str, Tensor]]:
    """Torch's own parameters, by the name without its layer: "weight_ih", ..."""
    for name in layer._flat_weights_names:
        yield name.split("_l")[0], getattr(layer, name)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"init: got {(name, value)!r}, expected ({name!r}, a number)")
    return float(value)


def _check_gates(layer: RNNBase, name: str) -> None:
    if layer.mode not in _GATES:
        raise ConfigError(
            f"init: got {name!r} for an RNN, which has no gate; 'identity' or 'orthogonal' make an "
            "RNN remember"
        )
    if not layer.bias:
        raise ConfigError(f"init: got {name!r} for a layer with bias=False, expected bias=True")
