"""Recurrent layers over a few steps of a stream, on weights that are packed once."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from unrolled.errors import ConfigError
from unrolled.layers.paths import asked_path
from unrolled.layers.session import Session
from unrolled.layers.states import State

# From so many steps on the layer's own call is the quicker one.
_MANY = 12
# Of each layer the versions of its weights, and the session on them; None where it can't have one.
_PACKED: WeakKeyDictionary[nn.Module, tuple[tuple[int, ...], Session | None]] = WeakKeyDictionary()


def run(layer: Any, steps: Tensor, state: State) -> tuple[Tensor, State]:
    """`layer(steps, state)` in evaluation, up to rounding; steps `(T', B, I)` of a stream.

    A call of a layer takes far longer than the few steps of a chunk do, and reads weights that are
    laid out anew each time.
    """
    session = _session(layer, steps) if 0 < len(steps) < _MANY else None
    if session is None:
        found: tuple[Tensor, State] = layer(steps, state)
        return found
    session.state = state
    hidden = steps.new_empty(len(steps), steps.shape[1], layer.hidden_size)
    for step, out in zip(steps, hidden, strict=True):
        session.step(step, out)
    return hidden, session.state


def _session(layer: Any, steps: Tensor) -> Session | None:
    """One of its own for each call, so that threads may share a model."""
    if steps.device.type != "cpu" or asked_path() not in ("auto", "native"):
        return None
    versions = tuple(one._version for one in layer.parameters())
    kept = _PACKED.get(layer)
    if kept is None or kept[0] != versions:
        try:
            made = Session(layer)
        except ConfigError:
            made = None
        kept = _PACKED[layer] = (versions, made)
    return None if kept[1] is None else kept[1].fresh(steps.shape[1])
