"""States: a tensor, or a tuple of tensors (an LSTM's `(h, c)`), treated alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from torch import Tensor
from torch.nn import RNNBase

State = Any
"""A tensor, or a (named) tuple or list of states. Inside a cell every tensor is `(B, ...)`."""


def like_state(state: State, parts: Iterable[State]) -> State:
    """`parts` in a (named) tuple or list like `state`."""
    return type(state)(*parts) if hasattr(state, "_fields") else type(state)(parts)


def map_state(function: Callable[..., Tensor], *states: State) -> State:
    """`function` applied to the tensors that stand at the same place in each of `states`."""
    first = states[0]
    if isinstance(first, Tensor):
        return function(*states)
    return like_state(first, [map_state(function, *part) for part in zip(*states, strict=True)])


def steps_of(state: State) -> Sequence[State]:
    """Tensors `(T, B, ...)` -> `T` states of tensors `(B, ...)`.

    One `unbind`, and not `T` times an index: the backward of each index would fill a whole
    `(T, B, ...)` tensor with zeros.
    """
    if isinstance(state, Tensor):
        return state.unbind(0)
    return [like_state(state, parts) for parts in zip(*map(steps_of, state), strict=True)]


def tensors_of(state: State) -> Iterator[Tensor]:
    """The tensors of a state, in order."""
    if isinstance(state, Tensor):
        yield state
    else:
        for part in state:
            yield from tensors_of(part)


def is_number(part: Tensor) -> bool:
    """Whether a tensor can have a gradient: a counter of steps in a state is an integer."""
    return part.is_floating_point() or part.is_complex()


def numbers_of(state: State) -> Iterator[Tensor]:
    """Those of `tensors_of` that can have a gradient."""
    return filter(is_number, tensors_of(state))


def zero_state(layer: RNNBase, like: Tensor, batch: int) -> State:
    """The state `(L * D, B, H)` that torch's layer starts from where none is given."""
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    h = like.new_zeros(rows, batch, layer.proj_size or layer.hidden_size)
    return (h, like.new_zeros(rows, batch, layer.hidden_size)) if layer.mode == "LSTM" else h


def over_batch(mask: Tensor, like: Tensor) -> Tensor:
    """`mask` `(..., B)` with axes of size 1 added, to broadcast against `like` `(..., B, ...)`."""
    return mask.reshape(*mask.shape, *[1] * (like.dim() - mask.dim()))
