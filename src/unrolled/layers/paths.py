"""Which path runs a call, and why: `use_path`, the rule, as `layer.explain()` tells it.

    reference   PyTorch operations, one step at a time: any dtype, any device, twice differentiable
    aten        PyTorch's own fused layer (cuDNN on a GPU, oneDNN for an LSTM on a CPU)
    native      this package's kernels, on a CPU in float32 or float64

All give the same numbers, up to rounding. A path that is asked for runs, or the call raises
`ConfigError`: there is no silent fall-back.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar, Token
from typing import NamedTuple

import torch

from unrolled import kernels
from unrolled.errors import ConfigError

PATHS = ("auto", "reference", "aten", "native")
MINIMAL = ("MIN_GRU", "MIN_LSTM")

_in_context: ContextVar[str | None] = ContextVar("unrolled_path", default=None)
_process: use_path | None = None
_lock = threading.Lock()


class use_path:
    """Force the path that layers take, in a block or for the whole process.

        with use_path("reference"):     # this block, in this thread (or async task) only
            y, state = layer(x)

        use_path("aten")                # from here on, in every thread, until the next such call

    A block wins over the process-wide choice, and an inner block over an outer one; `"auto"`
    returns the choice to the rule (`choose_path`). The block's choice is a context variable:
    threads started inside it do not inherit it. In `with use_path(...)` Python evaluates the call
    before the block starts, so for that instant other threads can see the choice as process-wide.

    Args:
        name: "auto", "reference", "aten" or "native".

    Raises:
        ConfigError: another name. A path that can't run a call raises at that call.
    """

    __slots__ = ("_before", "_entered", "_tokens", "name")

    def __init__(self, name: str) -> None:
        global _process
        if name not in PATHS:
            raise ConfigError(f"use_path: got {name!r}, expected one of {', '.join(PATHS)}")
        self.name = name
        self._entered = False
        self._tokens: list[Token[str | None]] = []
        with _lock:
            self._before = _in_force(_process)
            _process = self

    def __enter__(self) -> use_path:
        # Withdrawn, not restored to `_before`: another thread may have made its own call in
        # between.
        self._entered = True
        self._tokens.append(_in_context.set(self.name))
        return self

    def __exit__(self, *error: object) -> None:
        _in_context.reset(self._tokens.pop())


def _in_force(setting: use_path | None) -> use_path | None:
    """The last process-wide setting that did not turn out to be the start of a block."""
    while setting is not None and setting._entered:
        setting = setting._before
    return setting


def asked_path() -> str:
    """The path that is asked for here and now: "auto" where nothing is."""
    name = _in_context.get()
    if name is not None:
        return name
    setting = _in_force(_process)
    return "auto" if setting is None else setting.name


# torch.compile takes what they say while it traces as a constant. (torch.compiler has a decorator
# that sets this mark; it imports all of the compiler.)
for _function in (asked_path, kernels.why_not):
    _function._dynamo_marked_constant = True  # type: ignore[attr-defined]


def autocast_dtype(device: str) -> torch.dtype | None:
    """The dtype that autocast is on for, on this type of device, or None."""
    if not torch._C._is_any_autocast_enabled():
        return None
    if not torch.amp.is_autocast_available(device) or not torch.is_autocast_enabled(device):
        return None
    return torch.get_autocast_dtype(device)


class Call(NamedTuple):
    """What the rule looks at.

    Attributes:
        mode: "RNN_TANH", "RNN_RELU", "GRU" or "LSTM", as torch names it; or one of `MINIMAL`.
        step: whether it is `layer.step` (one step) or a whole sequence.
        directions: 1 or 2.
        proj_size: 0 for none.
        device: type of the device, such as "cpu".
        dtype: of the input.
        autocast: the dtype that autocast is on for, or None.
        grad: whether gradients are recorded.
        empty: whether the batch has no rows.
        traced: whether `torch.compile` or `torch.export` is tracing.
        transformed: whether a transform of `torch.func` or forward-mode differentiation is on, or
            the input is of a subclass of torch's tensor.
        lone_rows: rows of a padded batch that is one time step long, 0 for any other call.
        hidden: the hidden size.
        inside: names of the options at work inside the step.
        gates: whether gates and cell states of every step are asked for.
    """

    mode: str
    step: bool
    directions: int
    proj_size: int
    device: str
    dtype: torch.dtype
    autocast: torch.dtype | None
    grad: bool
    empty: bool = False
    traced: bool = False
    transformed: bool = False
    lone_rows: int = 0
    hidden: int = 0
    inside: tuple[str, ...] = ()
    gates: bool = False


class Choice(NamedTuple):
    """A path and the reason for it.

    Attributes:
        lone: whether it was chosen for being a call of one time step.
        operator: whether aten runs as the operator of this package, which `torch.compile` leaves
            whole; not where aten was asked for, so that a graph without this package can be had.
    """

    path: str
    reason: str
    lone: bool = False
    operator: bool = False


def choose_path(call: Call) -> Choice:
    """The committed rule: which path runs `call`.

    `native` wherever it can run, but for one time step of an RNN, or of a GRU with few rows and
    128 units or more, called as a sequence: `aten` is quicker at that, having no weights to pack.
    Otherwise, for a sequence, `aten` where that can run; for a single step too on a GPU, where
    cuDNN's sequence of one step took 0.16 ms and PyTorch's operations 0.54 (two LSTM layers of 512
    units, one row, on an H100); else `reference`. It looks at the call only, never at a clock, so
    that a run repeats.

    Raises:
        ConfigError: a path was asked for that can't run this call.
    """
    asked = asked_path()
    if asked != "auto":
        obstacle = why_not(asked, call)
        if obstacle is not None:
            raise ConfigError(
                f"path {asked!r} was asked for and can't run this call: {obstacle}; "
                f"ask for another with use_path, such as 'auto'"
            )
        return Choice(asked, "forced by use_path")
    obstacle = why_not("native", call)
    if obstacle is None:
        return _LONE if _is_lone(call) else _NATIVE
    lone_step = call.step and (call.device != "cuda" or call.traced or call.empty)
    if lone_step or call.transformed:
        return Choice("reference", f"chosen by the rule, since native can't run it: {obstacle}")
    second = why_not("aten", call)
    if second is None:
        reason = f"chosen by the rule, since native can't run it: {obstacle}"
        return Choice("aten", reason, operator=call.traced)
    return Choice(
        "reference",
        f"chosen by the rule, since neither native nor aten can run it: {obstacle}; {second}",
    )


_NATIVE = Choice("native", "chosen by the rule: it takes native wherever native can run")


_LONE = Choice("aten", "chosen by the rule: aten is quicker at one time step", lone=True)


def _is_lone(call: Call) -> bool:
    if not call.lone_rows or call.traced:
        return False
    return call.mode.startswith("RNN") or (
        call.mode == "GRU" and call.lone_rows <= 8 and call.hidden >= 128
    )


def why_not(path: str, call: Call) -> str | None:
    """Why `path` can't run `call`, as part of a sentence; None where it can."""
    if path == "native":
        return _why_not_native(call)
    if path == "aten" and call.mode in MINIMAL:
        return "PyTorch has no minGRU and no minLSTM"
    if path == "aten" and call.inside:
        return f"PyTorch's fused layer has no {' and no '.join(call.inside)}"
    if path == "aten" and call.gates:
        return "PyTorch's fused layer hands out no gates"
    if path == "aten" and call.traced and call.autocast is not None:
        return "PyTorch's fused layer can't be traced under autocast"
    if path == "aten" and _lacks_half_lstm(call):
        return "oneDNN has no float16 LSTM on this CPU, and autocast asks for one"
    return None


def _why_not_native(call: Call) -> str | None:
    if call.device != "cpu":
        return f"native runs on a CPU, and the input is on {call.device!r}"
    if call.autocast is not None:
        return f"native runs in float32 and float64, and autocast asks for {call.autocast}"
    if call.dtype != torch.float32 and (call.step or call.dtype != torch.float64):
        runs = "float32" if call.step else "float32 and float64"
        return f"native runs in {runs}, and the input is {call.dtype}"
    if call.step:
        if call.mode not in ("GRU", "LSTM"):
            return "native has the single step of GRU and LSTM only"
        if call.proj_size:
            return "native has no single step with proj_size"
        if call.grad:
            return "native's step records no gradient: call it under torch.no_grad()"
    if call.gates and call.grad:
        return "native hands out gates without gradients only: call it under torch.no_grad()"
    if call.gates and call.traced:
        return "native hands out no gates while torch.compile or torch.export traces"
    if call.empty:
        return "the batch has no rows"
    if call.step and call.traced:
        return "native's single step can't be traced by torch.compile or torch.export"
    if call.transformed:
        return "torch.func, forward mode and tensor subclasses need PyTorch operations"
    if not call.traced and torch._C._is_tracing():
        return "torch.jit.trace records PyTorch operations only"
    missing = kernels.why_not()
    return None if missing is None else f"the kernels are not there: {missing}"


_PLAIN = (torch.Tensor, torch.nn.Parameter)


def transformed(input: torch.Tensor, traced: bool | None = None) -> bool:
    """Whether this call is more than a plain one: see `Call.transformed`."""
    traced = torch.compiler.is_compiling() if traced is None else traced
    return (
        (not traced and (type(input) not in _PLAIN or input.is_neg()))
        or torch._C._are_functorch_transforms_active()
        or torch.autograd.forward_ad._current_level >= 0
    )


def _lacks_half_lstm(call: Call) -> bool:
    return (
        call.autocast == torch.float16
        and call.device == "cpu"
        and call.mode == "LSTM"
        and not call.proj_size
        and call.dtype == torch.float32
        and not _onednn_has_float16()
    )


def _onednn_has_float16() -> bool:
    return torch.ops.mkldnn._is_mkldnn_fp16_supported()
