"""A layer under `checkpoint=`: run in segments of k steps, which the backward pass runs again.

One direction: the segments of the whole stack, so that what lies between its layers is not kept
either. Two directions: each layer and direction by itself, the reverse one from the end.

Shapes: `T` time, `B` batch, `I` input size, `P` output size of a direction, `L` layers, `D`
directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import RNNBase

from unrolled.layers import aten, native, reference
from unrolled.layers.call import Masks, Weights
from unrolled.layers.checkpoint import checkpointed_as
from unrolled.layers.handover import any_requires_grad
from unrolled.layers.memory_budget import Checkpoint, bytes_kept, parse_checkpoint, planned_steps
from unrolled.layers.options import options_of
from unrolled.layers.over_layers import LayerPlan, over_layers, plans_of
from unrolled.layers.replay import Generators, replayed
from unrolled.layers.segments import RunSegment
from unrolled.layers.states import State, map_state


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
    plans = plans_of(layer, x)
    if layer.bidirectional:
        return _each_direction(layer, path, x, state, lengths, starts, plans)
    segment, weights, masks = _stack(layer, path, plans)
    return checkpointed_as(
        _asked(layer),
        segment,
        x,
        state,
        weights,
        lengths=lengths,
        starts=starts,
        masks=masks,
        batch_first=layer.batch_first,
    )


def told(layer: RNNBase, path: str, x: Tensor | None, lengths: Tensor | None) -> str:
    """How `explain` tells it; `x (T, B, I)`, or None where there is none to look at."""
    checkpoint = options_of(layer).checkpoint
    if x is None:
        return f"in segments (checkpoint={checkpoint!r})"
    with replayed(Generators(x), x):  # explaining draws nothing
        plans = plans_of(layer, x)
    if layer.bidirectional:
        plan = plans[0]
        segment = _one_direction(layer, path, reverse=False)
        weights: Any = plan.weights[0]
        masks: Any = None if plan.masks is None else plan.masks[0]
    else:
        segment, weights, masks = _stack(layer, path, plans)
    steps = _asked(layer).steps
    if not any_requires_grad([x, *layer.parameters()]):
        cut = f"in segments of {steps} steps" if steps and steps < len(x) else "in one piece"
        return f"{cut}, and nothing is kept, since nothing requires a gradient"
    if steps is None:
        kept = bytes_kept(segment, x, None, weights, lengths=lengths, masks=masks)
        steps = planned_steps(_asked(layer).budget or 0, len(x), *kept)
    if steps >= len(x):
        return f"in one piece, which checkpoint={checkpoint!r} has room for"
    return f"in segments of {steps} steps, which the backward pass runs again"


def _stack(
    layer: RNNBase, path: str, plans: Sequence[LayerPlan]
) -> tuple[RunSegment, list[Sequence[Weights]], list[_Drawn]]:
    """A segment of all layers, and what it is given: weights and all that is drawn."""

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

    return segment, [plan.weights for plan in plans], [_Drawn(*plan[1:]) for plan in plans]


def _one_direction(layer: RNNBase, path: str, *, reverse: bool) -> RunSegment:
    """A segment of one layer in one direction."""
    by = native if path == "native" else reference
    return partial(by.run_direction, layer.mode, reverse=reverse)


def _each_direction(
    layer: RNNBase,
    path: str,
    x: Tensor,
    state: State,
    lengths: Tensor | None,
    starts: Tensor | None,
    plans: Sequence[LayerPlan],
) -> tuple[Tensor, State]:
    def run_one(index: int, x: Tensor, state: State, plan: LayerPlan) -> tuple[Tensor, State]:
        results = []
        for direction, weights in enumerate(plan.weights):
            before = None
            if state is not None:
                before = map_state(lambda part, at=direction: part[at], state)
            segment = _one_direction(layer, path, reverse=direction == 1)
            masks = None if plan.masks is None else plan.masks[direction]
            results.append(
                checkpointed_as(
                    _asked(layer),
                    segment,
                    x,
                    before,
                    weights,
                    lengths=lengths,
                    starts=starts,
                    masks=masks,
                    reverse=direction == 1,
                )
            )
        y = torch.cat([y for y, _ in results], -1)
        return y, map_state(lambda *parts: torch.stack(parts), *[final for _, final in results])

    return over_layers(layer, run_one, x, state, plans)


def _asked(layer: RNNBase) -> Checkpoint:
    """What is asked for; a budget is shared by all that keep states of their own."""
    asked = parse_checkpoint(options_of(layer).checkpoint)
    assert asked is not None
    if asked.budget is None or not layer.bidirectional:
        return asked
    return asked._replace(budget=max(1, asked.budget // (2 * layer.num_layers)))
