"""What `layer.explain()` says: which path a call takes, why, and how that path runs it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.utils.rnn import PackedSequence

from unrolled import kernels
from unrolled.errors import ConfigError
from unrolled.layers import aten
from unrolled.layers.paths import MINIMAL, Call, asked_path, choose_path, why_not


@dataclass(frozen=True)
class Explanation:
    """What `layer.explain()` gives; its `str` is one plain line.

    Attributes:
        layer: name of the layer's class.
        path: "reference", "aten" or "native".
        reason: why that path; or why it can't run.
        how: how the path runs the call; empty where it can't.
        runs: false where the call would raise `ConfigError`.
        notes: when such a call goes another way than this, a sentence each: in a backward that is
            differentiated again, under transforms, while it is traced.
    """

    layer: str
    path: str
    reason: str
    how: str
    runs: bool = True
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.runs:
            return f"{self.layer}: {self.path} can't run this call: {self.reason}"
        return f"{self.layer}: {self.path}, {self.reason}; runs as {self.how}"


def explain(
    layer: Module,
    call: Call,
    input: Tensor | PackedSequence | None,
    lengths: Tensor | None,
    starts: Tensor | None,
) -> Explanation:
    """The explanation of `call`.

    `input` is time-major `(T, B, I)`, packed, or None; `lengths (B,)` and `starts (T, B)` have been
    checked where it is a tensor.
    """
    name = type(layer).__name__
    if call.step and call.directions == 2:
        asked = asked_path()
        return Explanation(name, asked, "a step needs bidirectional=False", "", runs=False)
    try:
        path, reason, *_ = choose_path(call)
    except ConfigError:
        asked = asked_path()
        return Explanation(name, asked, why_not(asked, call) or "", "", runs=False)
    where = f"{str(call.dtype).removeprefix('torch.')} on {call.device}"
    if call.autocast is not None:
        where += f" under autocast to {str(call.autocast).removeprefix('torch.')}"
    if path == "native":
        packed = isinstance(input, PackedSequence) or lengths is not None
        how = _how_native(call, packed, starts is not None)
    elif path == "reference":
        given = {"lengths": lengths, "starts": starts}
        masks = " and ".join(name for name, value in given.items() if value is not None)
        how = "PyTorch operations, one time step after another"
        how += f" with {masks} as masks" if masks else ""
    elif call.step:
        how = f"{_engine(call, uniform=True)} on a sequence of one step"
    else:
        how = _how_aten(call, input, lengths, starts)
    return Explanation(name, path, reason, f"{how}, {where}", notes=_notes(call, path))


def _notes(call: Call, path: str) -> tuple[str, ...]:
    """When a call like this one goes another way than by `path`."""
    notes = []
    if path == "native" and call.grad and not call.step:
        notes.append(
            "a backward under create_graph runs the layer again on the reference path, whose "
            "operations can be differentiated again"
        )
    if path == "native" and call.mode in MINIMAL:
        notes.append(
            "torch.compile and torch.export see one operator for each layer, "
            "torch.ops.unrolled.minimal_recurrence"
        )
    elif path == "native" and not call.step:
        notes.append(
            "torch.compile and torch.export see one operator for each layer, "
            "torch.ops.unrolled.recurrence"
        )
    for when, other in (
        (
            "under a transform of torch.func, in forward mode and on a tensor subclass",
            call._replace(transformed=True),
        ),
        ("while torch.compile or torch.export traces", call._replace(traced=True)),
    ):
        try:
            instead = choose_path(other).path
        except ConfigError:
            notes.append(f"{when} it raises ConfigError, since {path} is forced and can't run it")
        else:
            if instead != path:
                notes.append(f"{when} it takes {instead}")
    return tuple(notes)


def _how_native(call: Call, ragged: bool, resets: bool) -> str:
    if call.step:
        return f"one step of the kernels ({kernels.isa()}) per layer"
    threads = torch.get_num_threads()
    how = f"the kernels ({kernels.isa()}, "
    how += f"up to {threads} threads)" if threads > 1 else "1 thread)"
    extras = ["with resets inside"] * resets + ["without padding work"] * ragged
    return " ".join([how, " and ".join(extras)]).rstrip()


def _how_aten(
    call: Call,
    input: Tensor | PackedSequence | None,
    lengths: Tensor | None,
    starts: Tensor | None,
) -> str:
    if isinstance(input, PackedSequence):
        return f"{_engine(call, _uniform(input.batch_sizes))} on the packed batch"
    if lengths is None and starts is None:
        return f"{_engine(call, uniform=True)} on the padded batch"
    if input is None:
        return (
            "PyTorch's fused layer, packed unless every row is full and resets stand at t = 0 only"
        )
    steps, batch = input.shape[:2]
    if not aten.plan(steps, lengths, starts).ragged:
        full = "the padded batch (every row full, no reset after t = 0)"
        return f"{_engine(call, uniform=True)} on {full}"
    parts = aten.segments_of(steps, batch, 1, lengths, starts)
    engine = _engine(call, _uniform(parts.batch_sizes))
    return f"{engine} on {len(parts.row)} sequence(s) packed without padding"


def _engine(call: Call, uniform: bool) -> str:
    """What computes inside PyTorch's fused layer; `uniform`: all sequences are equally long."""
    if call.device == "cuda" and torch.backends.cudnn.is_available():
        return "cuDNN"
    if call.device != "cpu" or call.mode != "LSTM":
        return "PyTorch's own loop"
    if call.proj_size:
        return "PyTorch's own loop (oneDNN has no projection)"
    if not torch.backends.mkldnn.is_available() or not torch.backends.mkldnn.enabled:
        return "PyTorch's own loop (oneDNN is off)"
    if call.empty:
        return "PyTorch's own loop (the batch has no rows)"
    if not _fits_onednn(call):
        return "PyTorch's own loop (oneDNN has no LSTM of this dtype here)"
    if not uniform:
        return "PyTorch's own loop (oneDNN takes sequences of one length)"
    return "oneDNN"


def _fits_onednn(call: Call) -> bool:
    if call.dtype == torch.bfloat16:
        return torch.ops.mkldnn._is_mkldnn_bf16_supported()
    if call.dtype == torch.float16:
        return not call.grad and torch.ops.mkldnn._is_mkldnn_fp16_supported()
    return call.dtype == torch.float32


def _uniform(batch_sizes: Tensor) -> bool:
    return len(batch_sizes) > 0 and bool(batch_sizes[0] == batch_sizes[-1])
