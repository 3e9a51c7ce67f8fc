"""Runs a call of the sequence kernels: by the oracle (always in float64), or by the fast kernels in
the call's own dtype. Each run looks for writes outside the arrays that it hands over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .sequence_calls import CELLS, EPSILON, GRADIENTS_IN, UNTOUCHED, Call

STRIDED = ("x", "y", "dy", "dx", "starts", "a", "b", "da", "db")


class Memory:
    """Arrays as the kernels get them: each in a frame, odd in alignment, strided where asked."""

    FRAME = 9

    def __init__(self, dtype: torch.dtype, layout: str) -> None:
        self.dtype = dtype
        self.layout = layout
        self.rooms: list[tuple[Tensor, Tensor]] = []
        self.given: list[Tensor] = []

    def put(self, name: str, tensor: Tensor) -> Tensor:
        """A copy of an input, with NaN (or what a mask can't be) around it."""
        dtype = self.dtype if tensor.is_floating_point() else tensor.dtype
        fill = torch.nan if dtype.is_floating_point else 99
        _, view = self._spread(name, tensor.shape, dtype, fill)
        self.given.append(view.copy_(tensor))
        return view

    def room(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """An output, `UNTOUCHED` in it and around it."""
        whole, view = self._spread(name, shape, self.dtype, UNTOUCHED)
        self.rooms.append((whole, view))
        return view

    def check_frames(self) -> None:
        """Nothing was written around the outputs."""
        for whole, view in self.rooms:
            inside = view.clone()
            view.fill_(UNTOUCHED)
            assert (whole == UNTOUCHED).all()
            view.copy_(inside)

    def _spread(
        self, name: str, shape: Sequence[int], dtype: torch.dtype, fill: float
    ) -> tuple[Tensor, Tensor]:
        if name == "starts":
            whole, view = self._spread("x", (*shape, 1), dtype, fill)
            return whole, view[..., 0]
        layout = self.layout if name in STRIDED else "dense"
        *leading, width = shape
        pitch = width + (3 if layout == "wide" else 0)
        size = math.prod(leading) * pitch
        whole = torch.full((size + 2 * self.FRAME,), fill, dtype=dtype)
        body = whole[self.FRAME : self.FRAME + size]
        if layout == "batch_first" and len(leading) == 2:
            view = body.view(leading[1], leading[0], pitch).transpose(0, 1)
        else:
            view = body.view(*leading, pitch)
        return whole, view[..., pitch - width :]


def point(struct: Any, name: str, tensor: Tensor) -> None:
    """Sets the address of an array, and its strides where it has them."""
    setattr(struct, name, tensor.data_ptr())
    if name in STRIDED:
        strides = tensor.stride() if name == "starts" else tensor.stride()[:-1]
        time, row = strides if len(strides) == 2 else (0, *strides)
        setattr(struct, f"{name}_time", time)
        setattr(struct, f"{name}_row", row)


def _forward_struct(native: Any, call: Call, memory: Memory) -> Any:
    """Everything that the forward call is given."""
    struct = native.Forward64() if memory.dtype == torch.float64 else native.Forward32()
    struct.cell = CELLS.index(call.cell)
    for name in ("steps", "batch", "input", "hidden", "output", "reverse", "threads"):
        setattr(struct, name, getattr(call, name))
    struct.rate_h, struct.rate_c, struct.epsilon = call.rate_h, call.rate_c, EPSILON
    for name, tensor in call.inputs.items():
        if name not in GRADIENTS_IN:
            point(struct, name, memory.put(name, tensor))
    return struct


def _forward_outputs(call: Call) -> dict[str, tuple[int, ...]]:
    shapes = {"y": (*call.leading, call.output), "hn": (call.batch, call.output)}
    return shapes | ({"cn": (call.batch, call.hidden)} if call.is_lstm else {})


def run_forward(native: Any, call: Call, *, oracle: bool, keep: bool = True) -> dict[str, Tensor]:
    """y `(T, B, P)` or `(N, P)`, hn, cn and, with `keep`, what the backward pass needs.

    A kept array is `UNTOUCHED` beyond a row's length, and in the second scale of a cell with one.
    """
    memory = Memory(torch.float64 if oracle else call.dtype, call.layout)
    struct = _forward_struct(native, call, memory)
    shapes = _forward_outputs(call) | (call.kept_shapes() if keep else {})
    results = {name: memory.room(name, shape) for name, shape in shapes.items()}
    for name, tensor in results.items():
        point(struct, name, tensor)
    (native.oracle_forward if oracle else native.forward)(struct)
    memory.check_frames()
    if call.cell != "gru":
        for name in {"scale_ih", "scale_hh"} & set(results):
            results[name][:, 1] = UNTOUCHED
    return results


def run_backward(
    native: Any, call: Call, *, oracle: bool, forward: dict[str, Tensor] | None = None
) -> dict[str, Tensor]:
    """The gradients that `call.wanted` names, and dgates (zero beyond a row's length).

    `forward` is what `run_forward` gave, be it in the other precision; None runs it here.
    """
    if forward is None:
        forward = run_forward(native, call, oracle=oracle)
    memory = Memory(torch.float64 if oracle else call.dtype, call.layout)
    struct = native.Backward64() if memory.dtype == torch.float64 else native.Backward32()
    inner = _forward_struct(native, call, memory)
    kept = {name: memory.put(name, tensor) for name, tensor in forward.items()}
    for name, tensor in kept.items():
        point(inner, name, tensor)
    struct.forward = inner
    for name in GRADIENTS_IN:
        if name in call.inputs:
            point(struct, name, memory.put(name, call.inputs[name]))

    shapes = call.gradient_shapes()
    results = {name: memory.room(name, shapes[name]) for name in sorted(call.wanted)}
    if call.reuse_gates and "gates" in kept:
        results["dgates"] = kept["gates"]
    else:
        results["dgates"] = memory.room("dgates", (call.places, call.kept_gates))
    for name, tensor in results.items():
        point(struct, name, tensor)
    (native.oracle_backward if oracle else native.backward)(struct)
    memory.check_frames()
    results["dgates"] = results["dgates"].masked_fill(~call.real[:, None], 0.0)
    return results


def assert_close(
    got: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float = 1e-11
) -> None:
    """Each array of `got` is the expected one, up to `tolerance` times its largest number or 1."""
    for name, value in got.items():
        other = expected[name].double()
        assert value.shape == other.shape, name
        allowed = tolerance * max(1.0, other.abs().max().item())
        assert ((value.double() - other).abs() <= allowed).all(), name  # fails on NaN
