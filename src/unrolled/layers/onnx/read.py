"""Recurrent nodes of an ONNX file: found, read, and checked for what our layers say too.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size, `D` directions, `G` gates.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ConfigError, ModelFileError
from unrolled.layers.call import Weights
from unrolled.layers.onnx.weights import from_node

OPERATORS = ("LSTM", "GRU", "RNN")
_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
_ACTIVATIONS = {"LSTM": ("sigmoid", "tanh", "tanh"), "GRU": ("sigmoid", "tanh")}


@dataclass(frozen=True)
class File:
    """A model that was read.

    Attributes:
        name: what errors call it.
        model: the `onnx.ModelProto`.
        constants: initializers and the values of `Constant` nodes, by name, as ONNX's tensors.
    """

    name: str
    model: Any
    constants: Mapping[str, Any]

    def nodes(self) -> list[Any]:
        """The recurrent nodes, in the order in which they run."""
        return [
            node
            for node in self.model.graph.node
            if node.op_type in OPERATORS and node.domain in ("", "ai.onnx")
        ]

    def label(self, node: Any) -> str:
        """What errors call a node."""
        name = node.name or next(name for name in node.output if name)
        return f"{self.name}, {node.op_type} node {name!r}"


@dataclass(frozen=True)
class Read:
    """One recurrent node.

    Attributes:
        node: the `onnx.NodeProto`.
        label: what errors call it.
        mode: as torch names it: "RNN_TANH", "RNN_RELU", "GRU" or "LSTM".
        hidden: H.
        reverse: whether its one direction is the reverse one.
        batch_first: `layout=1`.
        inputs: `W`, `R` and where there are any `B`, `P`, in the node's layout and dtype.
        weights: of each direction, in torch's layout.
        notes: what is not in the weights, a sentence each.
    """

    node: Any
    label: str
    mode: str
    hidden: int
    reverse: bool
    batch_first: bool
    inputs: Mapping[str, Tensor]
    weights: list[Weights]
    notes: tuple[str, ...]


def read_file(source: Any) -> File:
    """A model, or the file at a path.

    Raises:
        ModelFileError: no such file, a truncated or foreign one, or one without recurrent nodes.
    """
    import onnx

    if isinstance(source, onnx.ModelProto):
        name, model = "the model", source
    elif isinstance(source, str | os.PathLike):
        name = os.fspath(source)
        model = _loaded(Path(source))
    else:
        got = type(source).__name__
        raise ConfigError(f"model_or_path: got {got}, expected an onnx.ModelProto or a path")
    constants = {part.name: part for part in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            value = next((part.t for part in node.attribute if part.name == "value"), None)
            if value is not None:
                constants[node.output[0]] = value
    file = File(name, model, constants)
    if not file.nodes():
        kinds = sorted({node.op_type for node in model.graph.node})
        held = f"{len(model.graph.node)} nodes of the kinds {', '.join(kinds[:8])}"
        raise ModelFileError(
            f"{name}: got {held if kinds else 'an empty graph'}, expected at least one LSTM, GRU "
            "or RNN node of ONNX in it; export the model with such nodes"
        )
    return file


def _loaded(path: Path) -> Any:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        return onnx.load(path)
    except DecodeError:
        size = path.stat().st_size
        raise ModelFileError(
            f"{path}: got {size} bytes that are no ONNX model, or only a part of one; fetch or "
            "export the file again"
        ) from None
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        # A part of the weights may lie in a file beside this one.
        what = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise ModelFileError(f"{path}: can't be read ({what}); check the path") from None


def read_node(file: File, node: Any) -> Read:
    """One recurrent node, once it is known to say what our layers say.

    Raises:
        ConfigError: a formula that our layers lack, by the name of the attribute.
        ModelFileError: weights that are not in the file, of the wrong shape, or not finite.
    """
    from onnx import helper

    label = file.label(node)
    given = {part.name: helper.get_attribute_value(part) for part in node.attribute}
    operator, hidden = node.op_type, int(given.get("hidden_size", 0))
    direction = given.get("direction", b"forward").decode()
    directions = 2 if direction == "bidirectional" else 1
    mode = _mode(label, operator, given, directions)
    _check_formula(label, operator, given)

    names = dict(zip(_INPUTS, node.input, strict=False))
    parts = {}
    for field in ("W", "R", "B", "P"):
        if names.get(field):
            parts[field] = _weight(file, label, field, names[field])
    if "W" not in parts or "R" not in parts:
        raise ModelFileError(f"{label}: has no weights W and R; export the model again")
    rows = _GATES[operator] * (hidden or parts["R"].shape[-1])
    hidden = rows // _GATES[operator]
    shapes = {
        "W": (directions, rows, parts["W"].shape[-1]),
        "R": (directions, rows, hidden),
        "B": (directions, 2 * rows),
        "P": (directions, 3 * hidden),
    }
    for field, part in parts.items():
        if tuple(part.shape) != shapes[field]:
            raise ModelFileError(
                f"{label}: {field}: got shape {tuple(part.shape)}, expected {shapes[field]}"
            )
    weights = from_node(operator, parts["W"], parts["R"], parts.get("B"), parts.get("P"))
    notes = []
    if given.get("input_forget", 0):
        weights = [_coupled(part) for part in weights]
        notes.append(
            "input_forget=1 became a forget gate of its own, with the negated weights of the input "
            "gate, which training sets apart"
        )
    if names.get("sequence_lens"):
        notes.append("the node has sequence_lens: give them as lengths=")
    if any(_may_be_more_than_zero(file, names.get(name)) for name in ("initial_h", "initial_c")):
        notes.append("the node has an initial state: give it at the call")
    return Read(
        node,
        label,
        mode,
        hidden,
        direction == "reverse",
        bool(given.get("layout", 0)),
        parts,
        weights,
        tuple(notes),
    )


_INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")


def _may_be_more_than_zero(file: File, name: str | None) -> bool:
    if not name:
        return False
    return name not in file.constants or bool(array_of(file.constants[name]).any())


def _mode(label: str, operator: str, given: Mapping[str, Any], directions: int) -> str:
    names = [name.decode().lower() for name in given.get("activations", ())]
    if operator == "RNN":
        if not names or names == ["tanh"] * directions:
            return "RNN_TANH"
        if names == ["relu"] * directions:
            return "RNN_RELU"
        allowed = "Tanh or Relu, in all directions alike"
    else:
        if not names or names == [*_ACTIVATIONS[operator]] * directions:
            return operator
        allowed = ", ".join(name.title() for name in _ACTIVATIONS[operator])
    raise ConfigError(
        f"{label}: activations: got {', '.join(name.title() for name in names)}, expected "
        f"{allowed}, which is what our layer computes"
    )


def _check_formula(label: str, operator: str, given: Mapping[str, Any]) -> None:
    if given.get("clip", 0.0):
        raise ConfigError(
            f"{label}: clip: got {given['clip']:g}, which bounds what enters each gate; our layers "
            "have no such bound, so they would give other numbers; export the model without clip"
        )
    if operator == "GRU" and not given.get("linear_before_reset", 0):
        raise ConfigError(
            f"{label}: linear_before_reset: got 0, tanh(W x + R (r * h) + b), where the reset gate "
            "acts before the recurrent product; expected 1, tanh(W x + b + r * (R h + b_h)), as in "
            "our GRU and torch's: no weights make one formula of the other"
        )


def _coupled(weights: Weights) -> Weights:
    """A forget gate `1 - i`: the input gate's weights negated, as `1 - s(v) = s(-v)`."""

    found: list[Any] = []
    for field, part in zip(Weights._fields, weights, strict=True):
        if part is not None:
            i, _, *rest = part.chunk(3 if field == "peephole" else 4)
            part = torch.cat([i, -i, *rest])
        found.append(part)
    return Weights(*found)


def _weight(file: File, label: str, field: str, name: str) -> Tensor:
    part = file.constants.get(name)
    if part is None:
        raise ModelFileError(
            f"{label}: {field}: {name!r} is computed or an input of the model, expected an "
            "initializer, numbers that stand in the file; fold the constants of the model first "
            "(onnxruntime or onnxsim does)"
        )
    value = array_of(part)
    if not value.is_floating_point():
        raise ModelFileError(f"{label}: {field}: got {value.dtype}, expected floating point")
    if not bool(torch.isfinite(value).all()):
        raise ModelFileError(
            f"{label}: {field}: got NaN or infinity in {name!r}, expected finite numbers: with "
            "others nothing can be proven; export a good checkpoint"
        )
    return value


def array_of(part: Any) -> Tensor:
    """A tensor of the file; bfloat16, which numpy lacks, by way of float32."""
    from onnx import TensorProto, numpy_helper

    array = numpy_helper.to_array(part)
    if part.data_type == TensorProto.BFLOAT16:
        return torch.from_numpy(array.astype("float32")).bfloat16()
    return torch.from_numpy(array.copy())
