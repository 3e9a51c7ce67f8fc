"""A cell over time in segments, of which the backward pass has one at a time in memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import Module

from unrolled.errors import ConfigError
from unrolled.layers.cells import Cell
from unrolled.layers.checkpoint import checkpointed
from unrolled.layers.memory_budget import Checkpoint, bytes_kept, planned_steps
from unrolled.layers.states import State
from unrolled.layers.unroll import Runner, choose, fresh_state, unroll


def unroll_in_segments(
    cell: Cell,
    x: Tensor,
    state: State,
    checkpoint: Checkpoint,
    *,
    lengths: Tensor | None,
    starts: Tensor | None,
    reverse: bool,
    name: str,
    runner: Runner | None,
) -> tuple[Tensor, State]:
    """`unroll` in segments: the same numbers and gradients.

    Each segment projects its own part of the input, and emits its own part of the output.
    """
    segment = _Segment(cell, reverse, name, runner)
    parameters = dict(segment.named_parameters())

    def run_segment(
        x: Tensor,
        state: State,
        lengths: Tensor | None,
        starts: Tensor | None,
        masks: Any,
        parameters: dict[str, Tensor],
    ) -> tuple[Tensor, State]:
        return functional_call(segment, parameters, (x, state, lengths, starts))

    def cut(state: State, rows: Tensor, x: Tensor, parameters: dict[str, Tensor]) -> State:
        initial = functional_call(segment, parameters, (x[:1], None, None, None, True))
        return choose(rows.to(x.device), initial, state)

    steps = checkpoint.steps
    if steps is None:
        assert checkpoint.budget is not None
        segment.options["runner"] = None  # a compiled one keeps no more, and needs no program more
        with torch.enable_grad():  # so that inference has the same segments
            sizes = bytes_kept(run_segment, x, state, parameters, lengths=lengths)
        steps = planned_steps(checkpoint.budget, len(x), *sizes)
        segment.options["runner"] = runner
    return checkpointed(
        run_segment,
        x,
        state,
        parameters,
        steps=steps,
        lengths=lengths,
        starts=starts,
        reverse=reverse,
        cut=cut,
    )


def check_segmented(cell: Any) -> None:
    """Raise where a cell's parameters can't be found, to be handed to each segment."""
    if not isinstance(cell, Module):
        raise ConfigError(
            f"checkpoint: got {type(cell).__name__}, expected a cell that is a torch.nn.Module, "
            "whose parameters can be found"
        )


class _Segment(Module):
    """A segment of a cell's run as a module, so that its parameters can be replaced in a call."""

    def __init__(self, cell: Cell, reverse: bool, name: str, runner: Runner | None) -> None:
        super().__init__()
        self.cell = cell
        self.options: dict[str, Any] = {"reverse": reverse, "name": name, "runner": runner}

    def forward(
        self,
        x: Tensor,
        state: State,
        lengths: Tensor | None,
        starts: Tensor | None,
        only_fresh: bool = False,
    ) -> Any:
        if only_fresh:
            return fresh_state(self.cell, self.cell.project(x), x.shape[1])
        return unroll(self.cell, x, state, lengths=lengths, starts=starts, **self.options)
