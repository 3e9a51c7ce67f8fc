"""Whole calls of the minGRU and minLSTM kernels, drawn at random, and what runs them: the kernels,
their oracle, or the cells of `unrolled.layers.minimal` under autograd."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled.layers import Recurrent
from unrolled.layers.minimal import MinGRUStep, MinLSTMStep

from .sequence_calls import BATCHES, CELLS, ONE_THREAD, SIZES, STEPS, Call, make_call
from .sequence_runs import Memory, point

GRADIENTS_IN = ("dy", "dhn")


def minimal_call(cell: str, *, unwanted: tuple[str, ...] = (), **options: Any) -> Call:
    """As `make_call`, for `cell` "gru" (minGRU) or "lstm" (minLSTM).

    Its weight and bias stand for those of a layer that has one gate more.
    """
    call = make_call(cell=cell, bias_hh=False, **options)
    names = ("x", "h0", "dy", "dhn", "lengths", "batch_sizes", "starts")
    inputs = {name: call.inputs[name] for name in names if name in call.inputs}
    rows = (call.gates - 1) * call.hidden
    inputs["weight"] = call.inputs["weight_ih"][:rows]
    if "bias_ih" in call.inputs:
        inputs["bias"] = call.inputs["bias_ih"][:rows]
    call = replace(call, inputs=inputs, recipe=f"minimal: {call.recipe}")
    return replace(call, wanted=frozenset(gradient_shapes(call)) - set(unwanted))


def rows_of(call: Call) -> int:
    """G * H."""
    return (call.gates - 1) * call.hidden


def gradient_shapes(call: Call) -> dict[str, tuple[int, ...]]:
    shapes = {
        "dx": (*call.leading, call.input),
        "dh0": (call.batch, call.hidden),
        "dh": (call.places, call.hidden),
    }
    return shapes | {
        f"d_{name}": tuple(call.inputs[name].shape)
        for name in ("weight", "bias")
        if name in call.inputs
    }


@st.composite
def minimal_calls(
    draw: st.DrawFn,
    *,
    dtypes: tuple[torch.dtype, ...] = (torch.float64,),
    sizes: st.SearchStrategy[int] = SIZES,
    steps: st.SearchStrategy[int] = STEPS,
    batches: st.SearchStrategy[int] = BATCHES,
    threads: st.SearchStrategy[int] = ONE_THREAD,
) -> Call:
    """Any call of `minimal_call`, options switched on and off freely."""
    flag = st.booleans()
    longest, batch = draw(steps), draw(batches)
    lengths = st.lists(st.integers(0, longest), min_size=batch, max_size=batch)
    absent = st.lists(st.sampled_from(["h0", *GRADIENTS_IN]), unique=True)
    unwanted = st.lists(st.sampled_from(["dx", "dh0", "dh", "d_weight", "d_bias"]), unique=True)
    return minimal_call(
        draw(st.sampled_from(["gru", "lstm"])),
        unwanted=tuple(draw(st.just([]) | unwanted)),
        seed=draw(st.integers(0, 2**32 - 1)),
        steps=longest,
        batch=batch,
        input=draw(sizes),
        hidden=draw(sizes),
        reverse=draw(flag),
        dtype=draw(st.sampled_from(dtypes)),
        threads=draw(threads),
        lengths=draw(st.none() | lengths),
        packed=draw(flag),
        starts=draw(flag),
        bias_ih=draw(flag),
        absent=draw(st.just([]) | absent),
        layout=draw(st.sampled_from(["dense", "batch_first", "wide"])),
        reuse_gates=draw(flag),
    )


def _struct(native: Any, call: Call, memory: Memory) -> Any:
    """Everything that the forward call is given."""
    double = memory.dtype == torch.float64
    struct = native.MinimalForward64() if double else native.MinimalForward32()
    struct.cell = CELLS.index(call.cell)
    for name in ("steps", "batch", "input", "hidden", "output", "reverse", "threads"):
        setattr(struct, name, getattr(call, name))
    for name, tensor in call.inputs.items():
        if name not in GRADIENTS_IN:
            point(struct, name, memory.put(name, tensor))
    return struct


def run_forward(native: Any, call: Call, *, oracle: bool, keep: bool = True) -> dict[str, Tensor]:
    """y `(T, B, H)` or `(N, H)`, hn and, with `keep`, kept."""
    memory = Memory(torch.float64 if oracle else call.dtype, call.layout)
    struct = _struct(native, call, memory)
    shapes = {"y": (*call.leading, call.hidden), "hn": (call.batch, call.hidden)}
    if keep:
        shapes["kept"] = (call.places, rows_of(call))
    results = {name: memory.room(name, shape) for name, shape in shapes.items()}
    for name, tensor in results.items():
        point(struct, name, tensor)
    (native.oracle_minimal_forward if oracle else native.minimal_forward)(struct)
    memory.check_frames()
    return results


def run_backward(
    native: Any, call: Call, *, oracle: bool, forward: dict[str, Tensor] | None = None
) -> dict[str, Tensor]:
    """The gradients that `call.wanted` names, and dsums (zero beyond a row's length)."""
    if forward is None:
        forward = run_forward(native, call, oracle=oracle)
    memory = Memory(torch.float64 if oracle else call.dtype, call.layout)
    double = memory.dtype == torch.float64
    struct = native.MinimalBackward64() if double else native.MinimalBackward32()
    inner = _struct(native, call, memory)
    given = {name: memory.put(name, tensor) for name, tensor in forward.items()}
    for name, tensor in given.items():
        point(inner, name, tensor)
    struct.forward = inner
    for name in GRADIENTS_IN:
        if name in call.inputs:
            point(struct, name, memory.put(name, call.inputs[name]))
    shapes = gradient_shapes(call)
    results = {name: memory.room(name, shapes[name]) for name in sorted(call.wanted)}
    if call.reuse_gates:
        results["dsums"] = given["kept"]
    else:
        results["dsums"] = memory.room("dsums", (call.places, rows_of(call)))
    for name, tensor in results.items():
        point(struct, name, tensor)
    (native.oracle_minimal_backward if oracle else native.minimal_backward)(struct)
    memory.check_frames()
    results["dsums"] = results["dsums"].masked_fill(~call.real[:, None], 0.0)
    return results


def run_cells(call: Call) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """y and hn, and the gradients, by the cells and autograd in float64."""
    names = [n for n in ("x", "h0", "weight", "bias") if n in call.inputs]
    leaves = {n: call.inputs[n].clone().requires_grad_() for n in names}
    h0 = leaves.setdefault("h0", torch.zeros(call.batch, call.hidden).double().requires_grad_())
    x, lengths, starts = leaves["x"], call.inputs.get("lengths"), call.inputs.get("starts")
    if call.packed:
        x, lengths = pad_packed_sequence(PackedSequence(x, call.inputs["batch_sizes"]))
    kind = MinGRUStep if call.cell == "gru" else MinLSTMStep
    layer = Recurrent(kind(leaves["weight"], leaves.get("bias")), reverse=call.reverse)
    y, hn = layer(x, h0, lengths=lengths, starts=None if starts is None else starts.bool())
    if call.packed:
        assert lengths is not None
        y = pack_padded_sequence(y, lengths).data
    loss = (0 * y).sum()
    for value, name in ((y, "dy"), (hn, "dhn")):
        if name in call.inputs:
            loss = loss + (value * call.inputs[name].nan_to_num()).sum()
    loss.backward()
    renamed = {"x": "dx", "h0": "dh0"}
    gradients = {renamed.get(n, f"d_{n}"): leaf.grad for n, leaf in leaves.items()}
    return {"y": y.detach(), "hn": hn.detach()}, gradients
