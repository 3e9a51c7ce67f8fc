"""The recurrent layers of a model while it reads one sequence: states, gates and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.traces import TracedLayer

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unrolled.layers.states import State
    from unrolled.training.diagnostics_follow import Stage

# Of other cells the first part of a state is called "h", and further ones "s1", "s2".
_STATES = {"LSTM": ("h", "c")}


def layers_of(
    model: nn.Module, number: Callable[[], Tensor], *, gradients: bool, only: str = ""
) -> tuple[TracedLayer, ...]:
    """The layers that are called on the way to a number, in the order of their calls.

    Args:
        model: what holds them; it is as it was afterwards.
        number: runs the model, in evaluation.
        gradients: whether the number is one whose gradient is wanted.
        only: part of the name that a layer must have.

    Raises:
        ConfigError: none was called, or one read several sequences.
    """
    import torch

    from unrolled.training.diagnostics_capture import capture, undisturbed

    found: list[TracedLayer] = []
    with undisturbed(model):
        model.eval()
        # cuDNN has no backward pass in evaluation mode.
        with torch.backends.cudnn.flags(enabled=False):
            for call in capture(model, number):
                if only in call.name:
                    found += _of_call(call, gradients=gradients)
    return tuple(found)


def _of_call(call: Any, *, gradients: bool) -> list[TracedLayer]:
    import torch

    from unrolled.training.diagnostics_follow import follow, states_of
    from unrolled.training.diagnostics_measure import state_gradients

    rows = call.x.shape[1]
    if rows != 1:
        raise ConfigError(
            f"{call.name}: got {rows} sequences, expected one: a trace shows how one is read"
        )
    with torch.autocast(call.x.device.type, enabled=False), torch.enable_grad():
        x = call.x.clone().requires_grad_() if call.x.is_floating_point() else call.x
        run = follow(call.layer, x, call.state, call.lengths, call.starts)
        passed: Any = [None] * len(run.stages)
        if gradients:
            passed = state_gradients(run, call.d_y, states_of(call.layer, call.d_state))
    return [_of_stage(call.name, stage, own) for stage, own in zip(run.stages, passed, strict=True)]


def _of_stage(name: str, stage: Stage, gradients: list[State] | None) -> TracedLayer:
    from unrolled.training.diagnostics_measure import gates_of

    states = _by_name(stage, stage.cell.after)
    return TracedLayer(
        name,
        stage.index,
        stage.reverse,
        stage.mode,
        np.arange(next(iter(states.values())).shape[1]),
        states,
        {name: values[0] for name, values in _by_name(stage, stage.cell.before[:1]).items()},
        {
            gate: _in_time(stage, values[:, 0].flatten(1))
            for gate, values in gates_of(stage).items()
            if gate not in states
        },
        {} if gradients is None else _by_name(stage, gradients),
    )


def _by_name(stage: Stage, over_time: list[State]) -> dict[str, np.ndarray]:
    """The parts of a state over time by name, `(T, H)`; of complex numbers the real part."""
    import torch

    from unrolled.layers.states import numbers_of

    steps = [list(numbers_of(state)) for state in over_time]
    names = _STATES.get(stage.mode, tuple(["h", *(f"s{k}" for k in range(1, len(steps[0])))]))
    found = {}
    for name, parts in zip(names, zip(*steps, strict=True), strict=True):
        values = torch.stack([part.detach()[0].flatten() for part in parts])
        found[name] = _in_time(stage, values.real if values.is_complex() else values)
    size = found[names[0]].shape[1]
    return {name: values for name, values in found.items() if values.shape[1] == size}


def _in_time(stage: Stage, values: Tensor) -> np.ndarray:
    """In the order of time, whatever that of processing was."""
    shown: np.ndarray = (values.flip(0) if stage.reverse else values).float().cpu().numpy()
    return shown


def nothing(outputs: Any) -> Tensor:
    """A number that depends on what a model gave, and tells nothing: for a trace without a loss."""
    from unrolled.layers.states import numbers_of

    return next(numbers_of(outputs)).real.sum() * 0.0
