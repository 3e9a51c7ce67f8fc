"""Checks of what a cell is, and of what it gives: a user wrote it, and wants to know what is wrong
with it in one line."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn import RNNBase, RNNCellBase

from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers.checks import Fault, device_fault
from unrolled.layers.paths import autocast_dtype
from unrolled.layers.states import State, map_state, tensors_of

_METHODS = ("project", "step", "initial_state")
_CONTRACT = "project(x), step(projected_t, state) and initial_state(batch, like)"


def check_cell(cell: Any, name: str = "cell") -> None:
    """Raise ConfigError for what is no cell."""
    if isinstance(cell, type):
        raise ConfigError(
            f"{name}: got the class {cell.__name__}, expected a cell made of it, such as "
            f"{cell.__name__}(...)"
        )
    lacking = [method for method in _METHODS if not callable(getattr(cell, method, None))]
    if lacking:
        kind = type(cell).__name__
        ours = isinstance(cell, RNNCellBase) and kind in ("RNNCell", "GRUCell", "LSTMCell")
        remedy = f"; unrolled.{kind} is one (unrolled.from_torch keeps the weights)" if ours else ""
        if isinstance(cell, RNNBase):
            remedy = "; a layer runs over time by itself"
        raise ConfigError(
            f"{name}: got {kind} without {' and '.join(lacking)}, expected a cell with "
            f"{_CONTRACT}{remedy}"
        )


def check_projected(cell: Any, projected: State, steps: int, batch: int) -> None:
    """Raise where `project` did not give tensors `(T, B, ...)`."""
    what = f"{name_of(cell)}.project"
    linear = getattr(cell, "linear", False)
    if linear:
        pair = isinstance(projected, tuple | list) and len(projected) == 2
        if not pair or not all(isinstance(part, Tensor) for part in projected):
            got = described(projected)
            raise ShapeError(
                f"{what}: got {got}, expected the pair (a, b) of h' = a * h + b, since linear is "
                "true"
            )
    parts = _tensors(what, projected, "a tensor (T, B, ...), or a tuple of them")
    for part in parts[1:] if linear else parts:  # a may be the same at all steps
        if part.shape[:2] != (steps, batch):
            raise ShapeError(
                f"{what}: got a tensor of shape {tuple(part.shape)}, expected (T, B, ...) with "
                f"T, B = {steps}, {batch}"
            )


def check_stepped(cell: Any, stepped: Any, before: State) -> None:
    """Raise where `step` did not give an output and a state like the one that entered."""
    what = f"{name_of(cell)}.step"
    if not isinstance(stepped, tuple | list) or len(stepped) != 2:
        raise ShapeError(f"{what}: got {described(stepped)}, expected the pair (y_t, state)")
    y, after = stepped
    _tensors(f"{what}, its output", y, "a tensor (B, ...)")
    expected = [tuple(part.shape) for part in tensors_of(before)]
    parts = _tensors(f"{what}, its state", after, f"tensors of shapes {expected}")
    got = [tuple(part.shape) for part in parts]
    if got != expected or not _alike(after, before):
        raise ShapeError(
            f"{what}, its state: got {described(after)}, expected {described(before)}, as the "
            "state that entered"
        )


def check_output(cell: Any, y: Any, steps: int, batch: int, *, emitted: bool) -> Tensor:
    """The output of a cell, which is to be one tensor `(T, B, ...)`."""
    if isinstance(y, Tensor) and y.shape[:2] == (steps, batch):
        return y
    if emitted:
        expected = f"(T, B, ...) with T, B = {steps}, {batch}"
        raise ShapeError(f"{name_of(cell)}.emit: got {described(y)}, expected {expected}")
    got = described(map_state(lambda part: part[0], y))
    raise ShapeError(
        f"{name_of(cell)}.step, its output: got {got}, expected one tensor (B, ...) with B = "
        f"{batch}, or a method emit(y, x) that makes one"
    )


def fitted_state(cell: Any, name: str, state: Any, initial: State, batch: int) -> State:
    """`state` in the tuples of `initial`, or that one where it is None; an error where they differ.

    A state that was saved may come back with a list or plain tuple where the cell has a named one.
    """
    parts = _tensors(f"{name_of(cell)}.initial_state", initial, "tensors (B, ...)")
    for part in parts:
        if part.dim() < 1 or part.shape[0] != batch:
            raise ShapeError(
                f"{name_of(cell)}.initial_state: got a tensor of shape {tuple(part.shape)}, "
                f"expected (B, ...) with B = {batch}"
            )
    if state is None:
        return initial
    expected = [tuple(part.shape) for part in parts]
    given = _tensors(name, state, f"tensors of shapes {expected}")
    got = [tuple(part.shape) for part in given]
    if got != expected:
        raise ShapeError(f"{name}: got tensors of shapes {got}, expected {expected}")
    for part, want in zip(given, parts, strict=True):
        if part.device != want.device:
            kind, message = device_fault(name, part, want)
            raise kind(message)
        if part.dtype != want.dtype and not autocast_dtype(part.device.type):
            raise DTypeError(
                f"{name}: got dtype {part.dtype}, expected {want.dtype} as the cell's initial state"
            )
    left = iter(given)
    return map_state(lambda _: next(left), initial)


def check_input(
    cell: Any, x: Any, weight: Tensor, name: str = "x", legend: str = "(T, B, I)"
) -> None:
    """Raise where `x` `(..., I)` does not fit a cell with an `input_size` and this weight."""
    fault = input_fault(cell, name, x, weight, legend)
    if fault is not None:
        kind, message = fault
        raise kind(message)


def input_fault(cell: Any, name: str, x: Any, weight: Tensor, legend: str) -> Fault | None:
    """What is wrong with an input `(..., I)` of a cell with an `input_size` and this weight."""
    if not isinstance(x, Tensor):
        return DTypeError, f"{name}: got {type(x).__name__}, expected a tensor"
    over_time = legend.startswith("(T, B")
    if x.dim() < 1 or x.shape[-1] != cell.input_size or (over_time and x.dim() != 3):
        return (
            ShapeError,
            f"{name}: got shape {tuple(x.shape)}, expected {legend} with I = {cell.input_size}",
        )
    if x.device != weight.device:
        return device_fault(name, x, weight)
    if x.dtype != weight.dtype and not autocast_dtype(x.device.type):
        return DTypeError, f"{name}: got dtype {x.dtype}, expected {weight.dtype} as the weights"
    return None


def name_of(cell: Any) -> str:
    """The class that an error names: of a watched cell, that of the cell inside."""
    return getattr(cell, "name_in_errors", type(cell).__name__)


def described(value: Any) -> str:
    """A value in the words of an error."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, tuple | list):
        if value and all(isinstance(part, Tensor) for part in value):
            shapes = ", ".join(str(tuple(part.shape)) for part in value)
            return f"a {type(value).__name__} of tensors of shapes {shapes}"
        return f"a {type(value).__name__} of {len(value)}"
    return type(value).__name__


def _tensors(what: str, value: Any, expected: str) -> list[Tensor]:
    """The tensors of a state; an error where there is something else among them, or nothing."""
    found: list[Tensor] = []

    def collect(part: Any) -> None:
        if isinstance(part, Tensor):
            found.append(part)
        elif isinstance(part, tuple | list) and part:
            for inner in part:
                collect(inner)
        else:
            kind = ShapeError if isinstance(part, tuple | list) else DTypeError
            raise kind(f"{what}: got {described(part)}, expected {expected}")

    collect(value)
    return found


def _alike(one: State, other: State) -> bool:
    """Whether two states have their tensors in the same places."""
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        return isinstance(one, Tensor) and isinstance(other, Tensor)
    return len(one) == len(other) and all(map(_alike, one, other))
