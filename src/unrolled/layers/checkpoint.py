"""Backpropagation through time in the memory of one segment: `checkpointed`.

    forward     the segments one after another, without a graph; kept: the state that enters each
    backward    from the last segment to the first: run it again with a graph, take its gradients,
                hand the gradient of its entering state on to the segment before it

So the kept numbers of k steps are in memory at a time, and T / k states. It costs one more forward
pass, whatever k is. The gradients are those of the plain call: the numbers that a segment is run
again with are the ones that it was run with.

Shapes: `T` time, `B` batch, `k` steps of a segment.

Sources: Chen et al., arXiv 1604.06174 (checkpoints every k steps); Gruslys et al., arXiv 1606.03401
(the same for backpropagation through time).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ConfigError, ShapeError
from unrolled.layers.handover import batched, gradients_in_operations, own_copies, time_major
from unrolled.layers.memory_budget import Checkpoint, bytes_kept, planned_steps
from unrolled.layers.paths import transformed
from unrolled.layers.replay import Autocast, replayed
from unrolled.layers.segments import Cut, RunSegment, Segments, zero_rows
from unrolled.layers.states import State
from unrolled.layers.trees import flatten


def checkpointed(
    run_segment: RunSegment,
    x: Tensor,
    state: State,
    parameters: Any,
    *,
    steps: int,
    lengths: Tensor | None = None,
    starts: Tensor | None = None,
    masks: Any = None,
    reverse: bool = False,
    batch_first: bool = False,
    cut: Cut | None = None,
) -> tuple[Any, State]:
    """Run `x` in segments of `steps` steps, of which the backward pass runs one at a time again.

    Args:
        run_segment: called as `run_segment(x, state, lengths, starts, masks, parameters)` with the
            part of each that belongs to a segment; gives the outputs `(k, B, ...)` (a tensor, or a
            tree of them) and the state after the segment. It is called again in the backward pass
            and has to do the same there. So it reads every tensor that can have a gradient from its
            arguments, and autocast that may change until then (`training`, the path) are looked up
            before, not inside.
        x: `(T, B, ...)`, of any memory layout. It is kept as it is.
        state: what enters the first segment (the last one where `reverse`), a tree of tensors, or
            None, which is handed on as None.
        parameters: a tree (sequences, dicts) of all other tensors that `run_segment` reads and that
            can have a gradient: parameters, or what was made from them.
        steps: k, at least 1. The last segment may be shorter. From T on the call is a plain one.
        lengths: `(B,)` integers or None. A segment sees how many of its own steps are real: a row
            that has none has to keep its state.
        starts: `(T, B)` bool or None.
        masks: a tree of tensors without gradients. One of three axes or more is `(T, B, ...)` and
            comes in slices; one of two, such as `(B, H)`, is the same at every step.
        reverse: from the end to the beginning; `run_segment` has to run its steps so, too.
        batch_first: whether the outputs lie in memory as `(B, T, ...)`; their shape is `(T, B,
            ...)`.
        cut: what makes some rows of a state initial ones, for a reset that falls between two
            segments in reverse. None writes zeros, in states `(..., B, H)`.

    Returns:
        What `run_segment` gives, over all steps: y `(T, B, ...)` and the final state. Under
        `torch.no_grad`, too, the segments are run one by one, and nothing is kept.

    Random numbers that are drawn inside from torch's own generators come again in the backward
    pass, and the generators go on as if nothing had been drawn. Autocast comes again as it was.

    A derivative of a derivative (`create_graph`), gradients of many vectors at once, `torch.func`,
    forward mode and `torch.compile` take the memory of a plain call. A second backward with
    `retain_graph` runs the segments once more.

    Raises:
        ShapeError: no time steps.
        ConfigError: `steps` below 1, a mask that requires grad; in the backward pass: a tensor with
            a gradient that `run_segment` reads from elsewhere.
    """
    if steps < 1:
        raise ConfigError(f"steps: got {steps}, expected at least 1")
    if x.dim() < 2 or len(x) == 0:
        raise ShapeError(f"x: got shape {tuple(x.shape)}, expected (T, B, ...) with T at least 1")
    if len(x) <= steps or torch.compiler.is_compiling() or transformed(x):
        return run_segment(x, state, lengths, starts, masks, parameters)

    of_state, build_state = flatten(state)
    of_parameters, build_parameters = flatten(parameters)
    of_masks, build_masks = flatten(masks)
    if any(mask.requires_grad for mask in of_masks):
        raise ConfigError("masks: got a mask that requires grad, which it can't have")
    tensors = [x, *of_state, *of_parameters, *of_masks]
    keep = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    if keep:
        lengths, starts = own_copies(lengths, starts)
    firsts = range(0, len(x), steps)
    bounds = [(first, min(first + steps, len(x))) for first in firsts]
    call = Segments(
        run_segment,
        bounds[::-1] if reverse else bounds,
        lengths,
        starts,
        reverse,
        batch_first,
        cut or zero_rows,
        (len(of_state), len(of_parameters)),
        (build_state, build_parameters, build_masks),
    )
    outputs = _Checkpointed.apply(call, *tensors) if keep else call.forward(tensors)[0]
    y = [time_major(part, batch_first) for part in outputs[: call.outputs]]
    return call.build_y(y), call.build_final(outputs[call.outputs :])


def checkpointed_as(
    checkpoint: Checkpoint,
    run_segment: RunSegment,
    x: Tensor,
    state: State,
    parameters: Any,
    *,
    lengths: Tensor | None = None,
    starts: Tensor | None = None,
    masks: Any = None,
    **layout: Any,
) -> tuple[Any, State]:
    """`checkpointed` as the argument `checkpoint` of a layer asks (`parse_checkpoint`).

    Where that is a budget, eight steps are run first, to count what they keep (`bytes_kept`), and
    `planned_steps` makes k of it. Without gradients nothing is kept, and a budget asks for nothing.

    Raises:
        ConfigError: a budget below the least that works, which is named.
    """
    steps = checkpoint.steps
    if steps is None:
        assert checkpoint.budget is not None
        steps = len(x)
        tensors = flatten((x, state, parameters))[0]
        keeps = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
        if keeps and not torch.compiler.is_compiling() and not transformed(x):
            per_step, of_state = bytes_kept(
                run_segment, x, state, parameters, lengths=lengths, masks=masks
            )
            steps = planned_steps(checkpoint.budget, len(x), per_step, of_state)
    return checkpointed(
        run_segment,
        x,
        state,
        parameters,
        steps=steps,
        lengths=lengths,
        starts=starts,
        masks=masks,
        **layout,
    )


class _Checkpointed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, call: Segments, *tensors: Tensor) -> tuple[Tensor, ...]:
        outputs, kept = call.forward(tensors, keep=True)
        ctx.set_materialize_grads(False)
        ctx.call, ctx.autocast, ctx.count = call, Autocast(tensors[0]), len(tensors)
        ctx.save_for_backward(*tensors, *kept)
        ctx.mark_non_differentiable(*(part for part in outputs if not _has_gradient(part)))
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        call, wanted = ctx.call, ctx.needs_input_grad[1:]
        tensors, kept = ctx.saved_tensors[: ctx.count], ctx.saved_tensors[ctx.count :]
        # A second derivative, or gradients of many vectors at once (vmap), need one graph.
        if torch.is_grad_enabled() or batched(grads):
            function = partial(call.in_one_graph, ctx.autocast)
            return None, *gradients_in_operations(function, tensors, grads, wanted)
        back = _Backward(call, tensors, wanted, grads)
        with ctx.autocast.again():
            for at in reversed(range(1, len(call.bounds))):
                back.segment(at, call.build_entering([part[at - 1] for part in kept]))
            back.segment(0, call.builds[0](back.given))
        return None, *back.gradients()


class _Backward:
    """The gradients of a call, while its segments are run again from the last to the first."""

    def __init__(
        self,
        call: Segments,
        tensors: Sequence[Tensor],
        wanted: Sequence[bool],
        grads: Sequence[Tensor | None],
    ) -> None:
        self.call = call
        x, self.given, self.parameters, self.masks = call.split(tensors)
        self.x = x.detach()
        self.want_x = wanted[0]
        self.want_state = wanted[1 : 1 + call.counts[0]]
        self.want = wanted[1 + call.counts[0] : 1 + sum(call.counts)]
        self.dx: Tensor | None = torch.empty_like(self.x) if self.want_x else None
        self.dy = [
            None if grad is None else time_major(grad, call.batch_first)
            for grad in grads[: call.outputs]
        ]
        self.dstate = list(grads[call.outputs :])
        self.totals: list[Tensor | None] = [None] * len(self.parameters)

    def segment(self, at: int, entering: State) -> None:
        """Run segment `at` again and take its gradients; all else of it is gone on return."""
        begin, end = self.call.bounds[at]
        dy = [None if part is None else part[begin:end] for part in self.dy]
        x = self.x[begin:end].requires_grad_(self.want_x)
        state, build = flatten(entering)
        state = [part.detach() for part in state]
        for number, part in enumerate(state):
            if _has_gradient(part) and (at > 0 or self.want_state[number]):
                part.requires_grad_()
        parameters = [
            part.detach().requires_grad_(want)
            for part, want in zip(self.parameters, self.want, strict=True)
        ]
        inputs = [part for part in (x, *state, *parameters) if part.requires_grad]
        found: Iterator[Tensor | None] = iter([None] * len(inputs))
        grads = [*dy, *self.dstate]
        if any(grad is not None for grad in grads):
            with torch.enable_grad(), replayed(self.call.drawn[at], x):
                y, final = self.call.run(at, x, build(state), parameters, self.masks)
            outputs = [*flatten(y)[0], *flatten(final)[0]]
            pairs = [
                (output, grad)
                for output, grad in zip(outputs, grads, strict=True)
                if grad is not None and output.requires_grad
            ]
            if at in (0, len(self.call.bounds) - 1):
                _refuse_others([output for output, _ in pairs], inputs)
            if pairs:
                of, by = zip(*pairs, strict=True)
                found = iter(torch.autograd.grad(of, inputs, by, allow_unused=True))
        if self.dx is not None:
            dx = next(found)
            if dx is None:
                self.dx[begin:end] = 0
            else:
                self.dx[begin:end] = dx
        torch.clear_autocast_cache()
        self.dstate = [next(found) if part.requires_grad else None for part in state]
        for number, part in enumerate(parameters):
            gradient = next(found) if part.requires_grad else None
            total = self.totals[number]
            if total is not None and gradient is not None:
                total.add_(gradient)
            elif gradient is not None:
                # A copy: autograd may hand out one tensor for two parameters.
                self.totals[number] = gradient.clone()

    def gradients(self) -> list[Tensor | None]:
        """For x, the state, the parameters and the masks, None where not wanted."""
        return [self.dx, *self.dstate, *self.totals, *[None] * len(self.masks)]


def _has_gradient(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _refuse_others(outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> None:
    """Raise where the outputs hang on a leaf that is none of the inputs: its gradient would be
    lost."""
    known = {id(tensor) for tensor in inputs}
    waiting = [output.grad_fn for output in outputs]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        if node is None:
            continue
        if node.name() == "torch::autograd::AccumulateGrad":
            leaf = node.variable  # type: ignore[attr-defined]
            if id(leaf) not in known:
                raise ConfigError(
                    f"parameters: the segment reads a tensor of shape {tuple(leaf.shape)} that "
                    "requires grad and is not among them, so its gradient would be lost; hand over "
                    "every such tensor and read it from the argument"
                )
        for after, _ in node.next_functions:
            if after is not None and after not in seen:
                seen.add(after)
                waiting.append(after)
