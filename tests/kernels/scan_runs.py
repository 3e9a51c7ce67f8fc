"""Whole calls of the scan kernels, drawn at random, and what runs them: the kernels, their oracle,
or `unrolled.layers.scan` in PyTorch operations under autograd."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled.layers import use_path
from unrolled.layers.scan import scan

from .sequence_calls import BATCHES, ONE_THREAD, SIZES, STEPS, Call, make_call
from .sequence_runs import Memory, point

GRADIENTS_IN = ("dy", "dhn")
FACTORS = ("units", "rows", "places")  # by the numbers of Factors


@dataclass(frozen=True, repr=False)
class ScanCall:
    """`inputs` of the plain call, with a and b; every width is W."""

    plain: Call  # of what both have: sizes, dtype, layout
    complex: bool
    factors: str
    inputs: dict[str, Tensor]
    wanted: frozenset[str]

    def __repr__(self) -> str:
        return f"scan: {self.complex=}, {self.factors=}, {self.wanted=}, {self.plain!r}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What hypothesis shows of a call that failed."""
        printer.text(repr(self))

    @property
    def width(self) -> int:
        return self.plain.hidden


def scan_call(
    *,
    complex: bool = False,
    factors: str = "units",
    hidden: int = 5,
    unwanted: tuple[str, ...] = (),
    seed: int = 0,
    **options: Any,
) -> ScanCall:
    """As `make_call`: its x stands for b."""
    width = hidden * (2 if complex else 1)
    call = make_call(cell="rnn_tanh", input=width, hidden=width, seed=seed, **options)
    names = ("h0", *GRADIENTS_IN, "lengths", "batch_sizes", "starts")
    inputs = {name: call.inputs[name] for name in names if name in call.inputs}
    inputs["b"] = call.inputs["x"]
    shape = {"units": (), "rows": (call.batch,), "places": call.leading}[factors]
    generator = torch.Generator().manual_seed(seed + 1)
    # Each part below 0.7, so that no state grows: rounding would grow with it.
    a = torch.rand((*shape, width), generator=generator, dtype=torch.float64).sub(0.5).mul(1.4)
    inputs["a"] = a.float().double()
    if factors == "places":
        inputs["a"] = inputs["a"].masked_fill(inputs["b"].isnan(), torch.nan)
    wanted = frozenset({"da", "db", "dh0"} - set(unwanted))
    return ScanCall(replace(call, inputs=inputs), complex, factors, inputs, wanted)


@st.composite
def scan_calls(
    draw: st.DrawFn,
    *,
    dtypes: tuple[torch.dtype, ...] = (torch.float64,),
    sizes: st.SearchStrategy[int] = SIZES,
    steps: st.SearchStrategy[int] = STEPS,
    batches: st.SearchStrategy[int] = BATCHES,
    threads: st.SearchStrategy[int] = ONE_THREAD,
) -> ScanCall:
    """Any call of `scan_call`, options switched on and off freely."""
    flag = st.booleans()
    longest, batch = draw(steps), draw(batches)
    lengths = st.lists(st.integers(0, longest), min_size=batch, max_size=batch)
    absent = st.lists(st.sampled_from(["h0", *GRADIENTS_IN]), unique=True)
    unwanted = st.lists(st.sampled_from(["da", "db", "dh0"]), unique=True)
    return scan_call(
        complex=draw(flag),
        factors=draw(st.sampled_from(FACTORS)),
        hidden=draw(sizes),
        unwanted=tuple(draw(st.just([]) | unwanted)),
        seed=draw(st.integers(0, 2**32 - 1)),
        steps=longest,
        batch=batch,
        reverse=draw(flag),
        dtype=draw(st.sampled_from(dtypes)),
        threads=draw(threads),
        lengths=draw(st.none() | lengths),
        packed=draw(flag),
        starts=draw(flag),
        absent=draw(st.just([]) | absent),
        layout=draw(st.sampled_from(["dense", "batch_first", "wide"])),
    )


def _point(struct: Any, name: str, tensor: Tensor) -> None:
    """As `point`, for what has strides by its shape only."""
    if name in ("a", "da") and tensor.dim() < 3:
        setattr(struct, name, tensor.data_ptr())
        if tensor.dim() == 2:
            setattr(struct, name + "_row", tensor.stride(0))
    else:
        point(struct, name, tensor)


def _struct(native: Any, call: ScanCall, memory: Memory) -> Any:
    """Everything that the forward call is given."""
    double = memory.dtype == torch.float64
    struct = native.ScanForward64() if double else native.ScanForward32()
    for name in ("steps", "batch", "reverse", "threads"):
        setattr(struct, name, getattr(call.plain, name))
    struct.hidden = call.width // (2 if call.complex else 1)
    struct.complex = call.complex
    struct.factors = FACTORS.index(call.factors)
    for name, tensor in call.inputs.items():
        if name not in GRADIENTS_IN:
            _point(struct, name, memory.put(name, tensor))
    return struct


def run_forward(native: Any, call: ScanCall, *, oracle: bool) -> dict[str, Tensor]:
    """y `(T, B, W)` or `(N, W)`, and hn."""
    memory = Memory(torch.float64 if oracle else call.plain.dtype, call.plain.layout)
    struct = _struct(native, call, memory)
    shapes = {"y": (*call.plain.leading, call.width), "hn": (call.plain.batch, call.width)}
    results = {name: memory.room(name, shape) for name, shape in shapes.items()}
    for name, tensor in results.items():
        _point(struct, name, tensor)
    (native.oracle_scan_forward if oracle else native.scan_forward)(struct)
    memory.check_frames()
    return results


def run_backward(
    native: Any, call: ScanCall, *, oracle: bool, forward: dict[str, Tensor] | None = None
) -> dict[str, Tensor]:
    """The gradients that `call.wanted` names."""
    if forward is None:
        forward = run_forward(native, call, oracle=oracle)
    memory = Memory(torch.float64 if oracle else call.plain.dtype, call.plain.layout)
    double = memory.dtype == torch.float64
    struct = native.ScanBackward64() if double else native.ScanBackward32()
    inner = _struct(native, call, memory)
    _point(inner, "y", memory.put("y", forward["y"]))
    struct.forward = inner
    for name in GRADIENTS_IN:
        if name in call.inputs:
            _point(struct, name, memory.put(name, call.inputs[name]))
    shapes = {
        "da": tuple(call.inputs["a"].shape),
        "db": (*call.plain.leading, call.width),
        "dh0": (call.plain.batch, call.width),
    }
    results = {name: memory.room(name, shapes[name]) for name in sorted(call.wanted)}
    if "da" in results and call.factors != "places":
        results["da"] = memory.room("dense", shapes["da"])
    for name, tensor in results.items():
        _point(struct, name, tensor)
    (native.oracle_scan_backward if oracle else native.scan_backward)(struct)
    memory.check_frames()
    return results


def run_operations(call: ScanCall) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """y and hn, and the gradients, in PyTorch operations in float64."""

    def numbers(tensor: Tensor) -> Tensor:
        if not call.complex:
            return tensor
        return torch.view_as_complex(tensor.unflatten(-1, (-1, 2)).contiguous())

    def parts(tensor: Tensor) -> Tensor:
        return torch.view_as_real(tensor).flatten(-2) if call.complex else tensor

    given = {n: call.inputs[n] for n in ("a", "b", "h0") if n in call.inputs}
    given.setdefault("h0", torch.zeros(call.plain.batch, call.width).double())
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in given.items()}
    a, b, lengths = leaves["a"], leaves["b"], call.inputs.get("lengths")
    if call.plain.packed:
        sizes = call.inputs["batch_sizes"]
        b, lengths = pad_packed_sequence(PackedSequence(b, sizes))
        a = pad_packed_sequence(PackedSequence(a, sizes))[0] if call.factors == "places" else a
    starts = call.inputs.get("starts")
    with use_path("reference"):
        y, hn = scan(
            numbers(a),
            numbers(b),
            numbers(leaves["h0"]),
            lengths=lengths,
            starts=None if starts is None else starts.bool(),
            reverse=call.plain.reverse,
        )
    y, hn = parts(y), parts(hn)
    if call.plain.packed:
        assert lengths is not None
        y = pack_padded_sequence(y, lengths).data
    loss = (0 * y).sum() + (0 * hn).sum()
    for value, name in ((y, "dy"), (hn, "dhn")):
        if name in call.inputs:
            loss = loss + (value * call.inputs[name].nan_to_num()).sum()
    loss.backward()
    return {"y": y.detach(), "hn": hn.detach()}, {f"d{n}": t.grad for n, t in leaves.items()}
