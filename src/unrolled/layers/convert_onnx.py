"""`from_onnx`: our layer with the weights of the `LSTM`, `GRU` or `RNN` nodes of an ONNX file.

What is proven is proven against the nodes themselves: they are cut out of the file, with what
stands between them, and ONNX Runtime runs them on random input, states and lengths.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size, `L` layers, `D` directions.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module, RNNBase

from unrolled import layers as ours
from unrolled.errors import ConfigError
from unrolled.layers.call import Weights, weights_of
from unrolled.layers.cells import TorchStep, cell_of
from unrolled.layers.convert import Converted
from unrolled.layers.onnx.build import need_onnx
from unrolled.layers.onnx.read import File, Read, array_of, read_file, read_node
from unrolled.layers.onnx.runtime import SIZES, Judge, numbered, random_lengths
from unrolled.layers.parity import prove, random_like, tolerance_for
from unrolled.layers.recurrent import Recurrent
from unrolled.layers.states import State, tensors_of

SHAPING = ("Transpose", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Dropout")
"""What may stand between two nodes of a stack: it changes no number (dropout not in inference)."""


def from_onnx(
    model_or_path: Any, node: str | int | None = None, *, tolerance: float | None = None
) -> Converted:
    """Our layer with the weights of the recurrent nodes of an ONNX model.

    Gates and peepholes are put into torch's order, and ONNX's one bias tensor is split in two.
    Both directions in one node become a bidirectional layer. A chain of nodes with
    nothing but changes of shape between them becomes a stack, where their kinds and sizes fit. A
    node in the reverse direction alone becomes a `Recurrent(cell, reverse=True)`, with a state
    `(B, H)`. The layer takes what the node takes: `x (T, B, I)`; with `layout=1` it is
    `batch_first`.

    Args:
        model_or_path: an `onnx.ModelProto`, or the path of a file.
        node: name or number (from 0) of one recurrent node; None is all of them, which must be a
            chain.
        tolerance: largest difference that passes; None is that of float32, in which ONNX Runtime
            runs such nodes (numbers of other dtypes are converted for the proof).

    Returns:
        The layer, in the dtype of the weights, and a `ParityReport`. Its notes name what is no
        weight: sequence lengths, an initial state, coupled gates.

    Raises:
        ModelFileError: a file that is truncated, foreign, or without recurrent nodes; weights that
            are no initializers, or not finite.
        ConfigError: a formula that our layers lack (`clip`, other `activations`, a GRU with
            `linear_before_reset=0`), nodes that are no stack, or no such node.
        ParityError: ONNX Runtime gives other numbers.
        MissingExtra: `onnx` or `onnxruntime` is not installed.
    """
    need_onnx("from_onnx")
    file = read_file(model_or_path)
    reads = [read_node(file, part) for part in _asked(file, node)]
    first = reads[0]
    between = _between(file, reads)
    layer = _made(reads)
    label = first.label if len(reads) == 1 else f"{file.name}, {len(reads)} nodes"
    what = f"{label} to unrolled.{type(layer).__name__}"
    if isinstance(layer, Recurrent):
        what = f"{label} to unrolled.Recurrent in reverse"
    notes = [note for read in reads for note in read.notes]
    fixed = _fixed_size(file, between)
    if fixed is not None:
        notes.append(f"between the nodes the file fixes T = {fixed[0]} and B = {fixed[1]}")
    judge = Judge(_cut_out(file, reads, between), what)
    with torch.no_grad():
        report = prove(
            what,
            _runs(copy.deepcopy(layer).float().eval(), reads, judge, fixed),
            tolerance_for(torch.float32, tolerance),
            list(dict.fromkeys(notes)),
            gradients=False,
        )
    return Converted(layer, report)


def _asked(file: File, node: str | int | None) -> list[Any]:
    """The nodes that are meant."""
    nodes = file.nodes()
    if node is None:
        return nodes
    if isinstance(node, int):
        if 0 <= node < len(nodes):
            return [nodes[node]]
    else:
        found = [part for part in nodes if node in (part.name, *part.output)]
        if len(found) == 1:
            return found
    names = ", ".join(repr(part.name or part.output[0]) for part in nodes)
    raise ConfigError(
        f"node: got {node!r}, expected the name of one of the {len(nodes)} recurrent nodes "
        f"({names}), or a number from 0 to {len(nodes) - 1}"
    )


def _between(file: File, reads: Sequence[Read]) -> list[Any]:
    """The nodes that stand between those of a chain; an error where they are no stack."""
    producers = {name: part for part in file.model.graph.node for name in part.output if name}
    found: list[Any] = []
    for before, after in pairwise(reads):
        name = after.node.input[0]
        while name != before.node.output[0]:
            part = producers.get(name)
            if part is None or part.op_type not in SHAPING:
                other = "an input of the model" if part is None else f"a node {part.op_type}"
                raise ConfigError(
                    f"{after.label}: its input comes from {other}, expected the output of "
                    f"{before.label} with nothing but changes of shape between: they are no "
                    f"stack; convert them one by one with node={after.node.name!r}"
                )
            found += _with_arguments(part, producers, file, before, after)
            name = part.input[0]
    unique = {id(part): part for part in found}
    return [part for part in file.model.graph.node if id(part) in unique]


def _with_arguments(
    part: Any, producers: dict[str, Any], file: File, before: Read, after: Read
) -> list[Any]:
    """A node that changes a shape, and what computes the shape."""
    found, waiting = [part], [name for name in part.input[1:] if name]
    while waiting:
        name = waiting.pop()
        if name in file.constants or name in before.node.output:
            continue
        source = producers.get(name)
        if source is None or len(found) > 100:
            raise ConfigError(
                f"{after.label}: the shape of its input depends on {name!r}, which is outside of "
                f"the stack; convert the nodes one by one with node={after.node.name!r}"
            )
        found.append(source)
        waiting += [given for given in source.input if given]
    return found


def _fixed_size(file: File, between: Sequence[Any]) -> tuple[int, int] | None:
    """T and B where a `Reshape` to `(T, B, ...)` says them in numbers; None where they are free."""
    for part in between:
        if part.op_type == "Reshape" and part.input[1] in file.constants:
            shape = array_of(file.constants[part.input[1]]).tolist()
            if len(shape) == 3 and shape[0] > 0 and shape[1] > 0:
                return shape[0], shape[1]
    return None


def _made(reads: Sequence[Read]) -> Any:
    """The layer of these nodes, with their weights."""
    first = reads[0]
    directions = len(first.weights)
    for at, read in enumerate(reads[1:], 1):
        kind = (read.mode, read.hidden, len(read.weights))
        if kind != (first.mode, first.hidden, directions):
            raise ConfigError(
                f"{read.label}: got {_sizes(read)}, expected {_sizes(first)} as {first.label}: a "
                f"stack has layers of one kind; convert them one by one with node={at}"
            )
        if read.weights[0].ih.shape[1] != directions * first.hidden:
            raise ConfigError(
                f"{read.label}: got an input size of {read.weights[0].ih.shape[1]}, expected "
                f"{directions * first.hidden}, what the node before it gives"
            )
    for read in reads:
        if len(reads) > 1 and (read.reverse or read.batch_first):
            name = "direction='reverse'" if read.reverse else "layout=1"
            raise ConfigError(
                f"{read.label}: got {name} in a stack of {len(reads)} nodes, which our layers do "
                f"not have; convert the nodes one by one with node={read.node.name!r}"
            )
    options: dict[str, Any] = {}
    if first.mode.startswith("RNN"):
        options["nonlinearity"] = first.mode.removeprefix("RNN_").lower()
    if any("P" in read.inputs for read in reads):
        options["peephole"] = True
    kind = getattr(ours, first.node.op_type)
    with torch.random.fork_rng(devices=[]):
        layer = kind(
            first.weights[0].ih.shape[1],
            first.hidden,
            len(reads),
            bias=any("B" in read.inputs for read in reads),
            batch_first=first.batch_first,
            bidirectional=directions == 2,
            dtype=first.weights[0].ih.dtype,
            **options,
        )
    with torch.no_grad():
        for index, read in enumerate(reads):
            for direction, weights in enumerate(read.weights):
                _copy(weights, weights_of(layer, index, direction))
    return Recurrent(LayerCell(layer), reverse=True) if first.reverse else layer


def _copy(source: Weights, target: Weights) -> None:
    for given, own in zip(source, target, strict=True):
        if own is None:
            continue
        if given is None:
            own.zero_()  # no bias here, and one in another layer of the stack
        else:
            own.copy_(given)


def _sizes(read: Read) -> str:
    return f"{read.mode} with H = {read.hidden} in {len(read.weights)} direction(s)"


class LayerCell(Module):
    """A layer of one layer and one direction as a cell, for `Recurrent`.

    Args:
        layer: an RNN, GRU or LSTM whose parameters it has; equations: `cells.py`.
    """

    def __init__(self, layer: RNNBase) -> None:
        super().__init__()
        self.layer = layer

    def _cell(self) -> TorchStep:
        return cell_of(self.layer, 0)

    def project(self, x: Tensor) -> State:
        return self._cell().project(x)

    def step(self, projected_t: Any, state: Any) -> tuple[Tensor, State]:
        return self._cell().step(projected_t, state)

    def initial_state(self, batch: int, like: Tensor) -> State:
        return self._cell().initial_state(batch, like)


def _cut_out(file: File, reads: Sequence[Read], between: Sequence[Any]) -> bytes:
    """The nodes as a model of their own, in float32: `x`, `lengths` and all states in, all out."""
    import onnx
    from onnx import helper, numpy_helper

    kind = onnx.TensorProto.FLOAT
    inputs = [helper.make_tensor_value_info("unrolled_x", kind, None)]
    inputs.append(helper.make_tensor_value_info("unrolled_lengths", onnx.TensorProto.INT32, None))
    outputs, initializers, nodes = [], [], []
    for at, read in enumerate(reads):
        own = onnx.NodeProto()
        own.CopyFrom(read.node)
        del own.input[:], own.output[:]
        for attribute in [part for part in own.attribute if part.name == "layout"]:
            own.attribute.remove(attribute)
        for field, part in read.inputs.items():
            array = part.float().numpy()
            initializers.append(numpy_helper.from_array(array, f"unrolled_{field}_{at}"))
        states = ("h", "c") if read.mode == "LSTM" else ("h",)
        own.input.extend([read.node.input[0] if at else "unrolled_x"])
        own.input.extend(
            f"unrolled_{field}_{at}" if field in read.inputs else "" for field in ("W", "R", "B")
        )
        own.input.append("unrolled_lengths")
        own.input.extend(f"unrolled_{name}0_{at}" for name in states)
        if "P" in read.inputs:
            own.input.append(f"unrolled_P_{at}")
        y = read.node.output[0] if read.node.output and read.node.output[0] else "unrolled_y"
        own.output.append(y)
        own.output.extend(f"unrolled_{name}n_{at}" for name in states)
        for name in states:
            inputs.append(helper.make_tensor_value_info(f"unrolled_{name}0_{at}", kind, None))
            outputs.append(helper.make_tensor_value_info(f"unrolled_{name}n_{at}", kind, None))
        nodes.append(own)
    outputs.insert(0, helper.make_tensor_value_info(nodes[-1].output[0], kind, None))
    used = {name for part in between for name in part.input}
    made = {name for part in between for name in part.output}
    for name, value in file.constants.items():
        if name in used and name not in made:
            constant = onnx.TensorProto()
            constant.CopyFrom(value)
            constant.name = name
            initializers.append(constant)
    order = {id(part): at for at, part in enumerate(file.model.graph.node)}
    placed = [(order[id(part)], part) for part in between]
    placed += [(order[id(read.node)], own) for read, own in zip(reads, nodes, strict=True)]
    graph = helper.make_graph(
        [part for _, part in sorted(placed, key=lambda pair: pair[0])],
        "cut out",
        inputs,
        outputs,
        initializers,
    )
    model = helper.make_model(
        graph, opset_imports=file.model.opset_import, ir_version=file.model.ir_version
    )
    return model.SerializeToString()


def _runs(
    layer: Any, reads: Sequence[Read], judge: Judge, fixed: tuple[int, int] | None
) -> Iterator[Any]:
    """Runs of the layer and of ONNX Runtime, at each size without padding and with."""
    first, sizes = reads[0], SIZES if fixed is None else [fixed]
    directions, hidden = len(first.weights), first.hidden
    lstm, alone = first.mode == "LSTM", isinstance(layer, Recurrent)
    for seed, steps, batch in numbered((*sizes, *sizes)):
        lengths = torch.full((batch,), steps)
        if seed >= len(sizes):
            lengths = random_lengths(steps, batch, seed).clamp(min=1)  # empty rows: theirs are zero
        like = torch.empty(len(reads) * directions, batch, hidden)
        x = torch.empty(steps, batch, first.weights[0].ih.shape[1])
        x, h0, c0 = random_like((x, like, like), seed)
        given = {"unrolled_x": x, "unrolled_lengths": lengths.int()}
        for at, (h, c) in enumerate(zip(h0.split(directions), c0.split(directions), strict=True)):
            given[f"unrolled_h0_{at}"] = h
            if lstm:
                given[f"unrolled_c0_{at}"] = c
        y, *finals = judge(given)
        want = [y.permute(0, 2, 1, 3).flatten(2)]
        step = 2 if lstm else 1
        want += [torch.cat(finals[part::step]) for part in range(step)]
        if alone:
            h0, c0 = h0[0], c0[0]
            want[1:] = [part[0] for part in want[1:]]
        source = x.transpose(0, 1) if first.batch_first else x
        y, state = layer(source, (h0, c0) if lstm else h0, lengths=lengths)
        y = y.transpose(0, 1) if first.batch_first else y
        yield (steps, batch), [y, *tensors_of(state)], want, {}
