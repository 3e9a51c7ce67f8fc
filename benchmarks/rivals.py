"""Rivals besides torch's layers, each with the weights of a torch layer.

ONNX Runtime and JAX need not be installed: `missing` says so in a row's words.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import util
from typing import Any

import numpy as np
import torch
from contests import Work
from torch import Tensor
from torch.nn import RNNBase

_NEEDS = {"onnx": ("onnx", "onnxruntime"), "jax": ("jax",)}


def missing(rival: str) -> str | None:
    """Which package `rival` ("onnx" or "jax") lacks here; None where it can run."""
    absent = [name for name in _NEEDS[rival] if util.find_spec(name) is None]
    return f"{absent[0]} is not installed" if absent else None


def torch_cell(cell: str, layer: RNNBase) -> torch.nn.RNNCellBase:
    """`torch.nn.LSTMCell` and its like, on the weights of `layer`."""
    one = getattr(torch.nn, f"{cell}Cell")(layer.input_size, layer.hidden_size)
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        setattr(one, name, getattr(layer, f"{name}_l0"))
    return one


def cells_in_a_loop(cell: str, layer: RNNBase, x: Tensor, dy: Tensor, training: bool) -> Work:
    """`torch_cell`, called step by step; otherwise as `contests.work`."""
    one = torch_cell(cell, layer)
    wanted = [x, *layer.parameters()]

    def outputs() -> Tensor:
        state, found = None, []
        for step in x:
            state = one(step, state)
            found.append(state[0] if isinstance(state, tuple) else state)
        return torch.stack(found)

    def train() -> list[Tensor]:
        y = outputs()
        return [y, *torch.autograd.grad(y, wanted, dy)]

    def infer() -> list[Tensor]:
        with torch.no_grad():
            return [outputs()]

    return train if training else infer


def scan(cell: str, layer: RNNBase, x: Tensor, dy: Tensor, training: bool) -> Work:
    """JAX: one product for the whole input, then `lax.scan` over the steps, all compiled.

    Takes as many threads as JAX itself thinks right.
    """
    import jax

    weights = [jax.numpy.asarray(one.detach().numpy()) for one in layer.parameters()]
    inputs, weight_of_y = (jax.numpy.asarray(one.detach().numpy()) for one in (x, dy))
    step = {"LSTM": _lstm, "GRU": _gru, "RNN": _rnn}[cell]
    zeros = jax.numpy.zeros((x.shape[1], layer.hidden_size))
    start = (zeros, zeros) if cell == "LSTM" else (zeros,)

    def outputs(x: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> Any:
        def body(state: Any, projected: Any) -> Any:
            after = step(projected, state, w_hh, b_hh)
            return after, after[0]

        return jax.lax.scan(body, start, x @ w_ih.T + b_ih)[1]

    def with_gradients(x: Any, weight_of_y: Any, *weights: Any) -> Any:
        y, back = jax.vjp(outputs, x, *weights)
        return y, *back(weight_of_y)

    infer, train = jax.jit(outputs), jax.jit(with_gradients)

    def run() -> list[Any]:
        found = train(inputs, weight_of_y, *weights) if training else [infer(inputs, *weights)]
        return list(jax.block_until_ready(found))

    return run


def _lstm(projected: Any, state: Any, w_hh: Any, b_hh: Any) -> Any:
    from jax import numpy as jnp
    from jax.nn import sigmoid

    h, c = state
    i, f, g, o = jnp.split(projected + h @ w_hh.T + b_hh, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * jnp.tanh(g)
    return sigmoid(o) * jnp.tanh(c), c


def _gru(projected: Any, state: Any, w_hh: Any, b_hh: Any) -> Any:
    from jax import numpy as jnp
    from jax.nn import sigmoid

    (h,) = state
    r, z, n = jnp.split(projected, 3, axis=-1)
    from_r, from_z, from_n = jnp.split(h @ w_hh.T + b_hh, 3, axis=-1)
    r, z = sigmoid(r + from_r), sigmoid(z + from_z)
    return ((1 - z) * jnp.tanh(n + r * from_n) + z * h,)


def _rnn(projected: Any, state: Any, w_hh: Any, b_hh: Any) -> Any:
    from jax import numpy as jnp

    return (jnp.tanh(projected + state[0] @ w_hh.T + b_hh),)


def onnx_step(cell: str, layer: RNNBase, x: Tensor, state: list[Tensor]) -> Callable[[], Any]:
    """ONNX Runtime: a graph of one LSTM or GRU node on a sequence of one step, one thread.

    Args:
        x: `(B, I)`.
        state: h, for an LSTM also c, each `(B, H)`.

    Inputs and outputs are bound once, so that a call only runs the graph: its fastest way at all
    sizes here. The function gives the output `(1, B, H)` as an OrtValue, overwritten by the next
    call.
    """
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        _one_step_model(cell, layer), settings, providers=["CPUExecutionProvider"]
    )
    binding = session.io_binding()
    # A value refers to its array and must outlive the binding: `run` holds all of them.
    parts = [part.unsqueeze(0).numpy() for part in (x, *state)]
    arrays = dict(zip(("X", "h", "c"), parts, strict=False))
    outs = {f"{name}_next": np.empty_like(arrays[name]) for name in list(arrays)[1:]}
    make = onnxruntime.OrtValue.ortvalue_from_numpy
    values = {name: make(array) for name, array in {**arrays, **outs}.items()}
    for name in arrays:
        binding.bind_ortvalue_input(name, values[name])
    for name in outs:
        binding.bind_ortvalue_output(name, values[name])

    def run() -> Any:
        session.run_with_iobinding(binding)
        return values["h_next"]

    return run


def _one_step_model(cell: str, layer: RNNBase) -> bytes:
    """The node with the layer's weights inside, gates in ONNX's order."""
    from onnx import TensorProto, helper, numpy_helper

    # Torch has i, f, g, o and r, z, n; ONNX has i, o, f, g and z, r, n.
    order = {"LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2]}[cell]

    def gates(parameter: Any) -> Any:
        return parameter.detach().unflatten(0, (len(order), -1))[order].flatten(0, 1).numpy()

    biases = np.concatenate([gates(layer.bias_ih_l0), gates(layer.bias_hh_l0)])
    weights = {"W": gates(layer.weight_ih_l0), "R": gates(layer.weight_hh_l0), "B": biases}
    names = ["h", "c"] if cell == "LSTM" else ["h"]
    node = helper.make_node(
        cell,
        ["X", *weights, "", *names],
        ["", *[f"{name}_next" for name in names]],
        hidden_size=layer.hidden_size,
        **({"linear_before_reset": 1} if cell == "GRU" else {}),
    )

    def info(name: str, size: int) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, None, size])

    graph = helper.make_graph(
        [node],
        f"one_{cell}_step",
        [info("X", layer.input_size), *[info(name, layer.hidden_size) for name in names]],
        [info(f"{name}_next", layer.hidden_size) for name in names],
        [numpy_helper.from_array(value[None], name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())
