"""Checks of what a layer is called with: `input`, `hx`, `lengths`, `starts`.

Torch's own text comes first where torch has one, so that a drop-in raises what callers expect: the
errors here are also of the type that torch raises at that place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import Module, RNNBase
from torch.nn.utils.rnn import PackedSequence

from unrolled.errors import ConfigError, DTypeError, ShapeError, UnrolledError
from unrolled.layers.paths import autocast_dtype


class _DeviceError(ConfigError, RuntimeError):
    """A tensor on another device than the layer; torch raises RuntimeError."""


class Sized(Protocol):
    """What the checks ask of a layer."""

    mode: str
    input_size: int
    hidden_size: int
    proj_size: int
    num_layers: int
    batch_first: bool
    bidirectional: bool
    _parameters: dict[str, Any]


Fault = tuple[type[UnrolledError], str]
"""The kind of error to raise, and its message."""

_INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


class _ShapeValueError(ShapeError, ValueError):
    """A wrong shape where torch raises ValueError."""


class _DTypeValueError(DTypeError, ValueError):
    """A wrong dtype where torch raises ValueError."""


class DTypeRuntimeError(DTypeError, RuntimeError):
    """A wrong dtype where torch raises RuntimeError."""


def check_call(layer: RNNBase, torch_forward: Callable[..., Any], input: Any, hx: Any) -> None:
    """Raise for an `input` or `hx` that does not fit the layer; return where nothing is wrong.

    Args:
        torch_forward: torch's own forward, asked for its text where something is wrong.
    """
    fault = fault_of(layer, input, "hx", hx)
    if fault is None:
        return
    kind, message = fault
    try:
        torch_forward(input, hx)
    except Exception as error:
        raise with_torchs_text(kind, message, error) from None
    raise kind(message)


def with_torchs_text(kind: type[UnrolledError], message: str, error: Exception) -> UnrolledError:
    """Our error for what torch raised at this place: torch's text first, and also of its type."""
    # str of a KeyError or IndexError is no sentence about the argument; ours is.
    if not isinstance(error, ValueError | RuntimeError):
        return kind(message)
    merged = {
        (ShapeError, True): _ShapeValueError,
        (DTypeError, True): _DTypeValueError,
        (DTypeError, False): DTypeRuntimeError,
    }.get((kind, isinstance(error, ValueError)), kind)
    text = str(error).splitlines()[0].rstrip(". ")
    return merged(f"{text}; {message}")


def check_step(layer: Sized, x: Any, state: Any) -> None:
    """Raise for an `x` or `state` of `layer.step` that does not fit the layer."""
    if not isinstance(x, Tensor):
        raise DTypeError(f"x: got {type(x).__name__}, expected a tensor")
    shape, size, weight = tuple(x.shape), layer.input_size, _weight(layer)
    if x.dim() not in (1, 2) or shape[-1] != size:
        legend = "(B, I), or (I,) for one sequence,"
        raise ShapeError(f"x: got shape {shape}, expected {legend} with I = {size}")
    if x.dtype != weight.dtype and not autocast_dtype(x.device.type):
        raise DTypeError(f"x: got dtype {x.dtype}, expected {weight.dtype} as the weights")
    if x.device != weight.device:
        raise _DeviceError(_device_message("x", x, weight))
    fault = _state_fault(layer, "state", state, shape[:-1], x)
    if fault is not None:
        kind, message = fault
        raise kind(message)


def check_lengths(lengths: Any, steps: int, batch: int, axis: str = "T") -> Tensor | None:
    """`lengths` as an int64 tensor `(B,)`, along the axis of that name; None stays None."""
    if lengths is None:
        return None
    lengths = as_tensor("lengths", lengths, "integers (torch.int64)")
    if lengths.dtype not in _INTEGERS:
        raise DTypeError(f"lengths: got dtype {lengths.dtype}, expected integers (torch.int64)")
    if lengths.shape != (batch,):
        raise ShapeError(f"lengths: got shape {tuple(lengths.shape)}, expected (B,) = ({batch},)")
    lengths = lengths.long()
    if torch.compiler.is_compiling():
        return lengths  # there are no values yet to look at
    wrong = (lengths < 0) | (lengths > steps)
    if wrong.any():
        row = int(wrong.nonzero()[0])
        raise ShapeError(
            f"lengths: got {int(lengths[row])} for row {row}, expected 0 to {axis} = {steps}"
        )
    return lengths


def as_tensor(name: str, value: Any, expected: str) -> Tensor:
    """The value as a tensor; DTypeError where it makes none."""
    if isinstance(value, Tensor):
        return value
    try:
        return torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise DTypeError(
            f"{name}: got {_described(value)}, expected a tensor of {expected}, or what makes one: "
            f"{reason}"
        ) from None


def check_starts(starts: Any, shape: tuple[int, ...], legend: str) -> Tensor | None:
    """`starts` as it is, once its dtype and shape are right; None stays None."""
    if starts is None:
        return None
    starts = as_tensor("starts", starts, "torch.bool")
    if starts.dtype != torch.bool:
        raise DTypeError(f"starts: got dtype {starts.dtype}, expected torch.bool")
    if starts.shape != shape:
        raise ShapeError(f"starts: got shape {tuple(starts.shape)}, expected {legend} = {shape}")
    return starts


def check_options(
    input: Tensor, lengths: Any, starts: Any, batch_first: bool
) -> tuple[Tensor | None, Tensor | None]:
    """`lengths` `(B,)` and `starts` `(T, B)`, whatever the layout of the input."""
    if lengths is None and starts is None:
        return None, None
    if input.dim() == 2:
        if lengths is not None:
            lengths = as_tensor("lengths", lengths, "integers (torch.int64)")
            lengths = lengths.unsqueeze(0) if lengths.dim() == 0 else lengths
        lengths = check_lengths(lengths, input.shape[0], 1)
        starts = check_starts(starts, tuple(input.shape[:1]), "(T,)")
        return lengths, None if starts is None else starts.unsqueeze(1)
    first, second = input.shape[:2]
    steps, batch = (second, first) if batch_first else (first, second)
    lengths = check_lengths(lengths, steps, batch)
    starts = check_starts(starts, (first, second), "(B, T)" if batch_first else "(T, B)")
    return lengths, starts.t() if starts is not None and batch_first else starts


def one_state(hx: Any, state: Any) -> Any:
    """The state of a call that may name it `hx` (as torch) or `state`; `[h, c]` as `(h, c)`."""
    if state is not None:
        if hx is not None:
            raise ConfigError(
                "got both hx and state, expected one of them: they are the same argument"
            )
        hx = state
    return tuple(hx) if isinstance(hx, list) else hx


def refuse_options(lengths: Any, starts: Any) -> None:
    """Raise where a `PackedSequence` comes with options that it can't have."""
    if lengths is not None or starts is not None:
        name = "lengths" if lengths is not None else "starts"
        raise ConfigError(
            f"{name}: got a PackedSequence, which has its own lengths, expected a padded tensor; "
            "use torch.nn.utils.rnn.pad_packed_sequence first"
        )


def batch_sizes_fault(sizes: Tensor, places: int) -> Fault | None:
    """What is wrong with the batch sizes of a packed batch: PyTorch makes them right, a hand may
    not."""
    if sizes.dtype != torch.int64 or sizes.device.type != "cpu":
        got = f"{sizes.dtype} on {sizes.device}"
        return DTypeError, f"input.batch_sizes: got {got}, expected torch.int64 on cpu"
    if torch.compiler.is_compiling():
        return None
    good = sizes.dim() == 1 and len(sizes) > 0 and bool((sizes[1:] <= sizes[:-1]).all())
    if not good or int(sizes[-1]) < 1 or int(sizes.sum()) != places:
        return (
            ShapeError,
            f"input.batch_sizes: got {sizes.tolist()}, expected numbers that do not increase, at "
            f"least 1, with a sum of {places}",
        )
    return None


def checked_in_graph(
    name: str,
    mode: str,
    modes: Collection[str],
    x: Tensor,
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
) -> tuple[Tensor | None, Tensor | None]:
    """`lengths` and `starts` of an operator's call, once all is what the kernels will read.

    Nothing could be looked at while it was traced, and an exported graph may be given anything.
    """
    if mode not in modes or x.device.type != "cpu" or x.dtype not in (torch.float32, torch.float64):
        raise DTypeRuntimeError(
            f"{name}: got {mode} on {x.dtype} and {x.device}, expected float32 or float64 on cpu "
            f"and one of {', '.join(modes)}"
        )
    if x.dim() != (3 if batch_sizes is None else 2) or 0 in x.shape:
        raise ShapeError(f"x: got shape {tuple(x.shape)}, expected (T, B, I) or (N, I), none 0")
    if batch_sizes is None:
        lengths = check_lengths(lengths, len(x), x.shape[1])
        return lengths, check_starts(starts, tuple(x.shape[:2]), "(T, B)")
    fault = batch_sizes_fault(batch_sizes, len(x))
    if fault is not None:
        raise fault[0](fault[1])
    return lengths, starts


def fault_of(layer: Sized, input: Any, name: str, state: Any) -> Fault | None:
    """What is wrong with `input` or the state, which the call names so; None where nothing is."""
    weight = _weight(layer)
    if state is None and type(input) is Tensor and input.dim() == 3:
        # Nearly every call, and nothing wrong with it.
        first, second, width = input.shape
        steps = second if layer.batch_first else first
        same = input.dtype is weight.dtype and input.device == weight.device
        if width == layer.input_size and steps and same:
            return None
    size, legend = layer.input_size, "(B, T, I)" if layer.batch_first else "(T, B, I)"
    steps = batch = 1
    dims: tuple[int, ...]
    if isinstance(input, PackedSequence):
        data, dims, legend = input.data, (2,), "packed (N, I)"
        fault = batch_sizes_fault(input.batch_sizes, data.shape[0])
        if fault is not None:
            return fault
        batch = _rows_packed(input, state)
    elif isinstance(input, Tensor):
        data, dims, legend = input, (2, 3), f"{legend}, or (T, I) for one sequence,"
        if input.dim() == 3:
            steps, batch = input.shape[:2]
            if layer.batch_first:
                steps, batch = batch, steps
        elif input.dim() == 2:
            steps = input.shape[0]  # len makes a traced size a constant
    else:
        return DTypeError, f"input: got {type(input).__name__}, expected a tensor or PackedSequence"
    shape = tuple(data.shape)
    if data.dim() not in dims or shape[-1] != size:
        return ShapeError, f"input: got shape {shape}, expected {legend} with I = {size}"
    if steps == 0:
        return ShapeError, f"input: got shape {shape}, expected at least one time step"
    if data.dtype != weight.dtype and not autocast_dtype(data.device.type):
        return DTypeError, f"input: got dtype {data.dtype}, expected {weight.dtype} as the weights"
    unbatched = isinstance(input, Tensor) and input.dim() == 2
    if data.device != weight.device:
        return _DeviceError, _device_message("input", data, weight)
    return _state_fault(layer, name, state, () if unbatched else (batch,), data)


def _state_fault(
    layer: Sized, name: str, state: Any, between: tuple[int, ...], data: Tensor
) -> Fault | None:
    """As `fault_of`, for a state; `between` is `(B,)`, or `()` for one sequence without a batch."""
    if state is None:
        return None
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    expected = [(rows, *between, layer.proj_size or layer.hidden_size)]
    names = [name]
    if layer.mode == "LSTM":
        expected.append((rows, *between, layer.hidden_size))
        names = [f"{name}[0] (h)", f"{name}[1] (c)"]
        if not isinstance(state, tuple | list) or len(state) != 2:
            got = _described(state)
            return ShapeError, f"{name}: got {got}, expected a tuple (h, c) of shapes {expected}"
    elif not isinstance(state, Tensor):
        got = _described(state)
        return ShapeError, f"{name}: got {got}, expected one tensor of shape {expected[0]}"
    parts = list(state) if layer.mode == "LSTM" else [state]
    for label, part, want in zip(names, parts, expected, strict=True):
        if not isinstance(part, Tensor):
            return ShapeError, f"{label}: got {_described(part)}, expected a tensor of shape {want}"
        if tuple(part.shape) != want:
            return ShapeError, f"{label}: got shape {tuple(part.shape)}, expected {want}"
    for label, part in zip(names, parts, strict=True):
        if part.device != data.device:
            return _DeviceError, _device_message(label, part, data)
        if part.dtype != data.dtype and not autocast_dtype(data.device.type):
            return (
                DTypeError,
                f"{label}: got dtype {part.dtype}, expected {data.dtype} as the input",
            )
    return None


def _rows_packed(packed: PackedSequence, state: Any) -> int:
    """How many rows a packed batch has; while traced, as far as that can be known: what stands in
    its batch sizes can't."""
    if not torch.compiler.is_compiling():
        return int(packed.batch_sizes[0])
    if packed.sorted_indices is not None:
        return len(packed.sorted_indices)
    h = state[0] if isinstance(state, tuple | list) and len(state) else state
    return h.shape[1] if isinstance(h, Tensor) and h.dim() == 3 else 1


def with_nan(module: Module) -> str | None:
    """The name of the first parameter that holds NaN, or None. A call does not look: it would read
    all weights, which at one time step is all of its work."""
    for name, part in module.named_parameters():
        if not part.is_meta and bool(part.detach().isnan().any()):
            return name
    return None


def device_fault(name: str, got: Tensor, other: Tensor) -> Fault:
    """The fault of an argument that is on another device than the rest."""
    return _DeviceError, _device_message(name, got, other)


def _device_message(name: str, got: Tensor, other: Tensor) -> str:
    return f"{name}: got a tensor on {got.device}, expected {other.device}, as the rest of the call"


def _weight(layer: Sized) -> Tensor:
    """A parameter of the layer, with the dtype and the device that its arguments should have."""
    name = "weight_ih_l0" if isinstance(layer, RNNBase) else "weight_l0"
    weight = layer._parameters.get(name)  # Module's getattr is slow
    if weight is None:
        weight = getattr(layer, name)
    assert isinstance(weight, Tensor)
    return weight


def _described(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return type(value).__name__
