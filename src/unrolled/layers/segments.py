"""A sequence in segments: how each is run, and all of them one after another.

Shapes: `T` time, `B` batch, `k` steps of a segment, `S` segments.
"""

from __future__ import annotations

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
