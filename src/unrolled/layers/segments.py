"""A layer under `checkpoint=`: run in segments of k steps, which the backward pass runs again.

One direction: the segments of the whole stack, so that what lies between its layers is not kept
either. Two directions: each layer and direction by itself, the reverse one from the end.

Shapes: `T` time, `B` batch, `I` input size, `P` output size of a direction, `L` layers, `D`
directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import RNNBase

from unrolled.layers import aten, native, reference
from unrolled.layers.call import Masks, Weights
from unrolled.layers.checkpoint import checkpointed
from unrolled.layers.memory_budget import parse_checkpoint, planned_steps
from unrolled.layers.options import options_of
from unrolled.layers.over_layers import LayerPlan, over_layers, plans_of
from unrolled.layers.recurrence import kept_widths
from unrolled.layers.states import State, map_state

_BEYOND_NATIVE = {
    "native": {},
    "reference": {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 4, "LSTM": 2},
    "aten": {"GRU": 2, "LSTM": 11},
}
"""Floats for each step, row and unit that a path keeps beyond the kernels' (rounded up)."""


class _Drawn(NamedTuple):
    """What has been drawn for one layer, and the settings of the call."""

    masks: Sequence[Masks] | None
    input: Tensor | None
    dropout: float


def run(
    layer: RNNBase,
    path: str,
    x: Tensor,
    state: State,
    lengths: Tensor | None,
    starts: Tensor | None,
) -> tuple[Tensor, State]:
    """As `reference.run`, by a path, in segments."""
    plans, steps = plans_of(layer, x), steps_of(layer, path, x)
    if layer.bidirectional:
        return _each_direction(layer, path, x, state, lengths, starts, plans, steps)

    def segment(
        x: Tensor,
        state: State,
        lengths: Tensor | None,
        starts: Tensor | None,
        drawn: Sequence[_Drawn],
        weights: Sequence[Sequence[Weights]],
    ) -> tuple[Tensor, State]:
        own = [LayerPlan(part, *of_layer) for part, of_layer in zip(weights, drawn, strict=True)]
        if path == "aten":
            return aten.run_layers(layer, x, state, lengths, starts, own)
        by = native if path == "native" else reference
        return by.run(layer, x, state, lengths, starts, own)

    return checkpointed(
        segment,
        x,
        state,
        [plan.weights for plan in plans],
        steps=steps,
        lengths=lengths,
        starts=starts,
        masks=[_Drawn(*plan[1:]) for plan in plans],
        batch_first=layer.batch_first,
    )


def _each_direction(
    layer: RNNBase,
    path: str,
    x: Tensor,
    state: State,
    lengths: Tensor | None,
    starts: Tensor | None,
    plans: Sequence[LayerPlan],
    steps: int,
) -> tuple[Tensor, State]:
    by = native if path == "native" else reference

    def run_one(index: int, x: Tensor, state: State, plan: LayerPlan) -> tuple[Tensor, State]:
        results = []
        for direction, weights in enumerate(plan.weights):
            reverse = direction == 1

            def segment(*given: Any, reverse: bool = reverse) -> tuple[Tensor, State]:
                return by.run_direction(layer.mode, *given, reverse=reverse)

            before = None
            if state is not None:
                before = map_state(lambda part, at=direction: part[at], state)
            results.append(
                checkpointed(
                    segment,
                    x,
                    before,
                    weights,
                    steps=steps,
                    lengths=lengths,
                    starts=starts,
                    masks=None if plan.masks is None else plan.masks[direction],
                    reverse=reverse,
                )
            )
        finals = [final for _, final in results]
        y = torch.cat([y for y, _ in results], -1)
        return y, map_state(lambda *parts: torch.stack(parts), *finals)

    return over_layers(layer, run_one, x, state, plans)


def steps_of(layer: RNNBase, path: str, x: Tensor) -> int:
    """The steps k of a segment for a call on `x (T, B, I)`.

    Raises:
        ConfigError: a budget that is too small, with the least that works.
    """
    options = options_of(layer)
    asked = parse_checkpoint(options.checkpoint)
    if asked is None:
        return len(x)
    if asked.budget is None:
        return asked.steps or len(x)
    hidden, output = layer.hidden_size, layer.proj_size or layer.hidden_size
    widths = kept_widths(layer.mode, hidden, options.layer_norm, any(options.zoneout))
    one = sum(widths) + output + hidden * _BEYOND_NATIVE[path].get(layer.mode, 0)
    state = output + (hidden if layer.mode == "LSTM" else 0)
    count = 1 if layer.bidirectional else layer.num_layers
    row = x.shape[1] * x.element_size()
    return planned_steps(asked.budget, len(x), max(1, count * one * row), count * state * row)


def told(layer: RNNBase, path: str, x: Tensor | None) -> str:
    """How `explain` tells it."""
    if x is None:
        return f"in segments (checkpoint={options_of(layer).checkpoint!r})"
    steps = steps_of(layer, path, x)
    if steps >= len(x):
        return f"in one piece, which checkpoint={options_of(layer).checkpoint!r} has room for"
    return f"in segments of {steps} steps, which the backward pass runs again"
