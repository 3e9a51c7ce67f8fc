"""A small builder of ONNX graphs: operations are appended, names are made, constants are kept once.

    build = Builder()
    y = build.op("Add", "x", build.constant(1.0, torch.float32))
    model = build.model("adds one", inputs=[...], outputs=[...])

Versions: operator set 17 in IR version 8, the first with `LayerNormalization`; every ONNX Runtime
from 1.12 (2022) on runs it, and so does every converter that knows ONNX from that time on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from unrolled import __version__
from unrolled.errors import MissingExtra
from unrolled.layers.call import Weights
from unrolled.layers.onnx.weights import to_node

OPSET = 17
IR_VERSION = 8

TYPES = {
    torch.float32: 1,
    torch.int32: 6,
    torch.int64: 7,
    torch.bool: 9,
    torch.float64: 11,
}
"""ONNX's numbers of the dtypes (`TensorProto.DataType`)."""

Shape = Sequence[int | str] | None


def need_onnx(what: str) -> None:
    """Raise `MissingExtra` where ONNX, or the runtime that judges, is not installed."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError:
        raise MissingExtra("onnx", what) from None


class Builder:
    """One graph in the making; a `Scan` has a builder of its own for its body.

    A value of the graph is its name here; another builder may have other values, so what builds
    with one does not look into them. "" is a value that is left out.
    """

    def __init__(self, outer: Builder | None = None) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._top: Builder = self if outer is None else outer._top
        self._count = 0
        self._known: dict[Any, str] = {}

    def name(self, hint: str) -> str:
        """A name that no one has yet, in any graph of the model."""
        self._top._count += 1
        return f"{hint}_{self._top._count}"

    def weight(self, name: str, tensor: Tensor) -> str:
        """An initializer of the whole model with this name."""
        from onnx import numpy_helper

        array = tensor.detach().cpu().contiguous().numpy()
        self._top.initializers.append(numpy_helper.from_array(array, name))
        return name

    def turned_weight(self, name: str, tensor: Tensor) -> str:
        """An initializer that holds the transpose."""
        return self.weight(name, tensor.t())

    def weight_rows(self, name: str, tensor: Tensor) -> list[str]:
        """One initializer for each row."""
        return [self.weight(f"{name}_{at}", row) for at, row in enumerate(tensor)]

    def weight_pieces(self, name: str, tensor: Tensor, sizes: Sequence[int]) -> list[str]:
        """One initializer for each piece of so many rows."""
        pieces = tensor.split(list(sizes))
        return [self.weight(f"{name}_{at}", piece) for at, piece in enumerate(pieces)]

    def node_weights(self, mode: str, weights: Sequence[Weights], suffix: str) -> dict[str, str]:
        """`W`, `R` and, where there are any, `B` and `P` of ONNX's own node."""
        parts = to_node(mode, weights)
        return {name: self.weight(f"{name}{suffix}", part) for name, part in parts.items()}

    def constant(self, value: Any, dtype: torch.dtype = torch.int64) -> str:
        """An initializer that holds a number or a list of them: one for each value."""
        key = (repr(value), dtype)
        known = self._top._known
        if key not in known:
            known[key] = self.weight(self.name("constant"), torch.tensor(value, dtype=dtype))
        return known[key]

    def op(self, kind: str, *inputs: Any, **attributes: Any) -> Any:
        """Append a node with one output; gives the output's name. An input "" is left out."""
        return self.ops(kind, *inputs, outputs=1, **attributes)[0]

    def ops(self, kind: str, *inputs: Any, outputs: int, **attributes: Any) -> list[Any]:
        """Append a node with several outputs; gives their names."""
        from onnx import helper

        names = [self.name(kind.lower()) for _ in range(outputs)]
        given = list(inputs)
        while given and not given[-1]:
            given.pop()
        self.nodes.append(helper.make_node(kind, given, names, **attributes))
        return names

    def scan(
        self,
        states: Sequence[Any],
        sequences: Sequence[tuple[Any, torch.dtype]],
        step: Callable[[Any, list[Any], list[Any]], tuple[list[Any], Any]],
        dtype: torch.dtype,
        reverse: bool,
    ) -> tuple[list[Any], Any]:
        """A `Scan` over the first axis of `sequences`.

        Args:
            states: names of the states that enter, of `dtype`.
            sequences: names and dtypes, each `(T, ...)`.
            step: gets the builder of the body, the states and the parts of the sequences at a step,
                and gives the next states and the output at that step.
            reverse: from the last step to the first.

        Returns:
            The final states, and the outputs `(T, ...)`.
        """
        from onnx import helper

        body = Builder(self)
        entering = [body.name("state") for _ in states]
        parts = [body.name("step") for _ in sequences]
        after, y = step(body, entering, parts)
        # A body's outputs have names of their own.
        outputs = [body.op("Identity", name) for name in (*after, y)]
        kinds = [dtype] * len(states) + [kind for _, kind in sequences]
        graph = helper.make_graph(
            body.nodes,
            self.name("body"),
            [_value(name, kind, None) for name, kind in zip(entering + parts, kinds, strict=True)],
            [_value(name, dtype, None) for name in outputs],
        )
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

    def rename(self, old: str, new: str) -> None:
        """Give an output of the model its name."""
        from onnx import helper

        self.nodes.append(helper.make_node("Identity", [old], [new]))

    def model(
        self,
        name: str,
        inputs: Sequence[tuple[str, torch.dtype, Shape]],
        outputs: Sequence[tuple[str, torch.dtype, Shape]],
    ) -> Any:
        """The whole, as an `onnx.ModelProto` that ONNX's own checker has passed."""
        from onnx import checker, helper

        graph = helper.make_graph(
            self.nodes,
            name,
            [_value(*given) for given in inputs],
            [_value(*given) for given in outputs],
            self.initializers,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="unrolled",
            producer_version=__version__,
        )
        checker.check_model(model)
        return model


def _value(name: str, dtype: torch.dtype, shape: Shape) -> Any:
    from onnx import helper

    return helper.make_tensor_value_info(name, TYPES[dtype], shape)
