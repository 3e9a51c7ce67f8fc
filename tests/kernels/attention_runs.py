"""Whole calls of the attention kernels, drawn at random, and what runs them: the kernels, their
oracle, or PyTorch operations under autograd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from .sequence_calls import ONE_THREAD
from .sequence_runs import Memory

SCORES = ("additive", "multiplicative")  # by the numbers of Score
LAYOUTS = ("dense", "batch_first", "wide")
_SIZES, _STEPS = st.integers(1, 9), st.integers(1, 7)
OUTPUTS = {"dq": "q", "dk": "k", "dm": "m", "dv": "v"}


@dataclass(frozen=True)
class AttentionCall:
    score: str
    dtype: torch.dtype
    layout: str
    threads: int
    scale: float
    lengths: list[int] | None
    wanted: frozenset[str]
    inputs: dict[str, Tensor]  # q, k, m, v, and dc, da where they are given

    @property
    def real(self) -> Tensor:
        """`(S, B)`, true within a row's length."""
        sources, batch = self.inputs["m"].shape[:2]
        lengths = torch.tensor([sources] * batch if self.lengths is None else self.lengths)
        return torch.arange(sources)[:, None] < lengths


def attention_call(
    score: str = "additive",
    *,
    steps: int = 5,
    sources: int = 6,
    batch: int = 3,
    width: int = 7,
    memory: int = 9,
    seed: int = 0,
    size: float = 1.0,
    dtype: torch.dtype = torch.float64,
    layout: str = "dense",
    threads: int = 1,
    lengths: list[int] | None = None,
    absent: tuple[str, ...] = (),
    unwanted: tuple[str, ...] = (),
) -> AttentionCall:
    """Numbers that float32 holds exactly; NaN where the kernels must not look.

    Args:
        size: of the queries and keys.
        absent: of "dc" and "da".
        unwanted: of `OUTPUTS`.
    """
    generator = torch.Generator().manual_seed(seed)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).double()

    # float32 rounds q + k to a part of their size, so that large ones are put on a grid.
    grid = 2.0**-6 if size > 1 else 2.0**-20
    inputs = {
        "q": (numbers(steps, batch, width) * size / grid).round() * grid,
        "k": (numbers(sources, batch, width) * size / grid).round() * grid,
        "m": numbers(sources, batch, memory),
        "v": numbers(width),
        "dc": numbers(steps, batch, memory),
        "da": numbers(steps, batch, sources),
    }
    inputs = {name: tensor for name, tensor in inputs.items() if name not in absent}
    scale = 0.37 / (size * size)
    wanted = frozenset(set(OUTPUTS) - set(unwanted))
    call = AttentionCall(score, dtype, layout, threads, scale, lengths, wanted, inputs)
    for name in ("k", "m"):
        inputs[name][~call.real] = torch.nan
    if "da" in inputs:
        inputs["da"].masked_fill_(~call.real.t(), torch.nan)
    return call


@st.composite
def attention_calls(
    draw: st.DrawFn,
    *,
    dtypes: tuple[torch.dtype, ...] = (torch.float64,),
    sizes: st.SearchStrategy[int] = _SIZES,
    steps: st.SearchStrategy[int] = _STEPS,
    threads: st.SearchStrategy[int] = ONE_THREAD,
) -> AttentionCall:
    """Any call of `attention_call`."""
    batch, sources = draw(st.integers(1, 5)), draw(steps)
    lengths = st.lists(st.integers(0, sources), min_size=batch, max_size=batch)
    unwanted = st.lists(st.sampled_from(sorted(OUTPUTS)), unique=True)
    return attention_call(
        draw(st.sampled_from(SCORES)),
        steps=draw(steps),
        sources=sources,
        batch=batch,
        width=draw(sizes),
        memory=draw(sizes),
        seed=draw(st.integers(0, 2**32 - 1)),
        # Beyond 43 the exponentials of float32 are left for tanh itself, beyond 340 those of
        # float64.
        size=draw(st.sampled_from([0.1, 1.0, 4.0, 12.0, 150.0])),
        dtype=draw(st.sampled_from(dtypes)),
        layout=draw(st.sampled_from(LAYOUTS)),
        threads=draw(threads),
        lengths=draw(st.none() | lengths),
        absent=draw(st.sampled_from([(), ("dc",), ("da",)])),
        unwanted=tuple(draw(st.just([]) | unwanted)),
    )


def _point(struct: Any, name: str, tensor: Tensor) -> None:
    setattr(struct, name, tensor.data_ptr())
    if tensor.dim() == 3:
        time, row, _ = tensor.stride()
        setattr(struct, f"{name}_time", time)
        setattr(struct, f"{name}_row", row)


def _struct(native: Any, call: AttentionCall, memory: Memory) -> Any:
    """Everything that the forward call is given."""
    double = memory.dtype == torch.float64
    struct = native.AttentionForward64() if double else native.AttentionForward32()
    struct.score, struct.scale = SCORES.index(call.score), call.scale
    struct.threads = call.threads
    struct.steps, struct.batch, struct.width = call.inputs["q"].shape
    struct.sources, _, struct.memory = call.inputs["m"].shape
    for name in ("q", "k", "m"):
        _point(struct, name, memory.put("x", call.inputs[name]))
    if call.score == "additive":
        struct.v = memory.put("v", call.inputs["v"]).data_ptr()
    if call.lengths is not None:
        struct.lengths = memory.put("lengths", torch.tensor(call.lengths)).data_ptr()
    return struct


def run_forward(native: Any, call: AttentionCall, *, oracle: bool) -> dict[str, Tensor]:
    """c `(T, B, M)` and a `(T, B, S)`."""
    memory = Memory(torch.float64 if oracle else call.dtype, call.layout)
    struct = _struct(native, call, memory)
    leading = tuple(call.inputs["q"].shape[:2])
    sources, _, width = call.inputs["m"].shape
    results = {"c": memory.room("c", (*leading, width)), "a": memory.room("-", (*leading, sources))}
    struct.c, struct.a = (results[name].data_ptr() for name in ("c", "a"))
    (native.oracle_attention_forward if oracle else native.attention_forward)(struct)
    memory.check_frames()
    return results


def run_backward(
    native: Any, call: AttentionCall, *, oracle: bool, a: Tensor | None = None
) -> dict[str, Tensor]:
    """The gradients that `call.wanted` names."""
    if a is None:
        a = run_forward(native, call, oracle=oracle)["a"]
    memory = Memory(torch.float64 if oracle else call.dtype, call.layout)
    double = memory.dtype == torch.float64
    struct = native.AttentionBackward64() if double else native.AttentionBackward32()
    inner = _struct(native, call, memory)
    inner.a = memory.put("-", a).data_ptr()
    struct.forward = inner
    for name in ("dc", "da"):
        if name in call.inputs:
            _point(struct, name, memory.put("x", call.inputs[name]))
    results = {
        name: memory.room("-", tuple(call.inputs[of].shape))
        for name, of in OUTPUTS.items()
        if name in call.wanted
    }
    for name, room in results.items():
        setattr(struct, name, room.data_ptr())
    (native.oracle_attention_backward if oracle else native.attention_backward)(struct)
    memory.check_frames()
    return results


def run_operations(call: AttentionCall) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The outputs and all gradients, row by row from the equations, by autograd in float64."""
    leaves = {
        name: call.inputs[name].nan_to_num().clone().requires_grad_() for name in OUTPUTS.values()
    }
    q, k, m, v = leaves.values()
    sources, batch = m.shape[:2]
    sums, shares = [], []
    for b in range(batch):
        n = int(call.real[:, b].sum())
        if call.score == "additive":
            scores = (v * (q[:, None, b] + k[None, :n, b]).tanh()).sum(-1)
        else:
            scores = call.scale * q[:, b] @ k[:n, b].t()
        weights = scores.softmax(-1)
        shares.append(torch.nn.functional.pad(weights, (0, sources - n)))
        sums.append(weights @ m[:n, b])
    c, a = torch.stack(sums, 1), torch.stack(shares, 1)
    loss = sum((leaf * 0).sum() for leaf in leaves.values())
    for output, name in ((c, "dc"), (a, "da")):
        if name in call.inputs:
            loss = loss + (output * call.inputs[name].nan_to_num()).sum()
    assert isinstance(loss, Tensor)
    loss.backward()
    gradients = {name: leaves[of].grad for name, of in OUTPUTS.items()}
    return {"c": c.detach(), "a": a.detach()}, gradients
