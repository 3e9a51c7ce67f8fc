<<<<<<< HEAD
"""A layer under `checkpoint=`: run in segments of k steps, which the backward pass runs again.

One direction: the segments of the whole stack, so that what lies between its layers is not kept
either. Two directions: each layer and direction by itself, the reverse one from the end.

Shapes: `T` time, `B` batch, `I` input size, `P` output size of a direction, `L` layers, `D`
directions.
=======
"""A sequence in segments: how each is run, and all of them one after another.

Shapes: `T` time, `B` batch, `k` steps of a segment, `S` segments.
>>>>>>> bptt
"""

from __future__ import annotations

<<<<<<< HEAD
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
=======
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from unrolled.layers.handover import time_major
from unrolled.layers.memory_budget import masks_over
from unrolled.layers.replay import Autocast, Generators, replayed
from unrolled.layers.states import State, map_state
from unrolled.layers.trees import Rebuild, flatten

RunSegment = Callable[
    [Tensor, State, Tensor | None, Tensor | None, Any, Any],
    tuple[Any, State],
]
"""`run_segment(x, state, lengths, starts, masks, parameters) -> (y, state)`, over k steps."""

Cut = Callable[[State, Tensor, Tensor, Any], State]
"""`cut(state, rows, x, parameters) -> state`: with the initial state in the rows `(B,)` bool."""


@dataclass
class Segments:
    """A call, without the tensors that can have gradients, and how one of its segments is run.

    Attributes:
        bounds: first step, and the one after the last, of each segment, in the order of the run.
        counts: how many tensors the given state and the parameters have.
        builds: what makes the given state, the parameters and the masks from tensors.
        drawn: the states of the generators before each segment that drew from them, else None.
        outputs: how many tensors y has.
    """

    run_segment: RunSegment
    bounds: list[tuple[int, int]]
    lengths: Tensor | None
    starts: Tensor | None
    reverse: bool
    batch_first: bool
    cut: Cut
    counts: tuple[int, int]
    builds: tuple[Rebuild, Rebuild, Rebuild]
    drawn: list[Generators | None] = field(default_factory=list)
    outputs: int = 0
    build_y: Rebuild = list
    build_entering: Rebuild = list
    build_final: Rebuild = list

    def split(
        self, tensors: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor], list[Tensor], list[Tensor]]:
        """x, and the tensors of the state, the parameters and the masks."""
        x, *rest = tensors
        a, b = self.counts[0], sum(self.counts)
        return x, rest[:a], rest[a:b], rest[b:]

    def run(
        self, at: int, x: Tensor, state: State, parameters: Sequence[Tensor], masks: Any
    ) -> tuple[Any, State]:
        """Segment `at`, of which `x` is the input; masks are those of all steps."""
        begin, end = self.bounds[at]
        lengths, starts, after = self.lengths, None, None
        if lengths is not None:
            lengths = (lengths - begin).clamp(0, end - begin)
        if self.starts is not None:
            starts = self.starts[begin:end]
            # In reverse the cut lies before the first step of the segment that was run before.
            if self.reverse and at > 0:
                after = self.starts[end]
                if self.lengths is not None:
                    after = after & (self.lengths > end).to(after.device)
        given = self.builds[1](parameters)
        if after is not None and bool(after.any()):
            state = self.cut(state, after, x, given)
        own = self.builds[2](masks_over(begin, end, masks))
        return self.run_segment(x, state, lengths, starts, own, given)

    def forward(self, tensors: Sequence[Tensor], keep: bool = False) -> Any:
        """y and the final state, as tensors, y as it lies in memory; without a graph.

        Where `keep`, the states that enter the second segment and all later ones, `(S - 1, ...)`
        each, stand behind them.
        """
        # Detached: autocast would keep what it makes of a parameter, without its graph.
        x, given, parameters, masks = self.split([tensor.detach() for tensor in tensors])
        state = self.builds[0](given)
        outputs: list[Tensor] = []
        kept: list[Tensor] = []
        with torch.no_grad():
            for at, (begin, end) in enumerate(self.bounds):
                if keep:
                    before = Generators(x)
                    if at == 1:
                        # In one piece: many small ones would lie between the large ones that come
                        # and go, and keep the C library from using their places again.
                        parts, self.build_entering = flatten(state)
                        count = len(self.bounds) - 1
                        kept = [part.new_empty(count, *part.shape) for part in parts]
                    for whole, part in zip(kept, flatten(state)[0] if kept else (), strict=True):
                        whole[at - 1] = part
                y, state = self.run(at, x[begin:end], state, parameters, masks)
                parts, self.build_y = flatten(y)
                del y
                if keep:
                    self.drawn.append(before if before.moved() else None)
                if not outputs:
                    outputs = [self._empty(part, len(x)) for part in parts]
                for output, part in zip(outputs, parts, strict=True):
                    time_major(output, self.batch_first)[begin:end] = part
        self.outputs = len(outputs)
        final, self.build_final = flatten(state)
        # A state that came through untouched is not handed out twice.
        final = [part.clone() if any(part is one for one in given) else part for part in final]
        return [*outputs, *final], kept

    def _empty(self, part: Tensor, steps: int) -> Tensor:
        batch, *rest = part.shape[1:]
        shape = (batch, steps) if self.batch_first else (steps, batch)
        return part.new_empty(*shape, *rest)

    def in_one_graph(self, autocast: Autocast, *tensors: Tensor | None) -> tuple[Tensor, ...]:
        """As `forward`, with a graph over all segments."""
        x, given, parameters, masks = self.split(tensors)  # type: ignore[arg-type]
        state, outputs = self.builds[0](given), []
        with autocast.again():
            for at, (begin, end) in enumerate(self.bounds):
                with replayed(self.drawn[at], x):
                    y, state = self.run(at, x[begin:end], state, parameters, masks)
                outputs.append(flatten(y)[0])
        if self.reverse:
            outputs.reverse()
        whole = [torch.cat(parts) for parts in zip(*outputs, strict=True)]
        return *(time_major(part, self.batch_first) for part in whole), *flatten(state)[0]


def zero_rows(state: State, rows: Tensor, x: Tensor, parameters: Any) -> State:
    """The rows that begin anew begin with zeros, in states `(..., B, H)`."""

    def clear(part: Tensor) -> Tensor:
        return part.masked_fill(rows.to(part.device).unsqueeze(-1), 0)

    return map_state(clear, state)
>>>>>>> bptt
