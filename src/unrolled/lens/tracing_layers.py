"""The recurrent layers of a model while it reads one sequence: states, gates and gradients."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.trace_parts import Influence
from unrolled.lens.traces import TracedLayer

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unrolled.layers.states import State
    from unrolled.lens.tracing_memory import Call, Readout
    from unrolled.training.diagnostics_follow import Stage

# Numbers that are kept of what gates are made of, of all layers together: a page holds as many.
TERMS = 2_000_000

# Of other cells the first part of a state is called "h", and further ones "s1", "s2".
_STATES = {"LSTM": ("h", "c")}


@dataclass(frozen=True)
class Output:
    """What of a network's answer the influence of its inputs is measured on.

    Attributes:
        of: in words.
        readout: from the outputs of the first recurrent layer that is called to a number.
        one: whether it is one for all steps.
    """

    of: str
    readout: Readout
    one: bool = False


@dataclass(frozen=True)
class Seen:
    """The layers that were called, in the order of their calls, and in words what is not shown."""

    layers: tuple[TracedLayer, ...]
    notes: list[str]
    influence: Influence | None


def layers_of(
    model: nn.Module,
    number: Callable[[], Any],
    *,
    gradients: bool,
    only: str = "",
    output: Output | None = None,
    reach: int | None = None,
    last: int | None = None,
    influence: bool = True,
) -> Seen:
    """The layers that are called on the way to a number.

    Args:
        model: what holds them, in evaluation and inside `undisturbed`.
        number: runs the model.
        gradients: whether the number is one whose gradient is wanted.
        only: part of the name that a layer must have.
        output: what the influence of the inputs is measured on; None: on the size of what the
            recurrent layer gives, where there is one alone.
        reach: how many inputs back; None: as many as take about half a second, 0: none, and no
            half-life is measured.
        last: so many outputs are asked about, from the end; None: all.
        influence: whether that of the inputs is asked for at all.

    Raises:
        ConfigError: none was called, one read several sequences or nothing, or the number does not
            depend on what they gave.
    """
    import torch

    from unrolled.training.diagnostics_capture import capture, recurrent_layers

    calls: dict[str, int] = {}

    def counted(name: str) -> Callable[..., None]:
        def hook(*_: Any) -> None:
            calls[name] = calls.get(name, 0) + 1

        return hook

    def checked() -> Any:
        value = number()
        if gradients and isinstance(value, torch.Tensor) and not value.requires_grad:
            raise ConfigError(
                "loss: got a number that does not depend on what the recurrent layers gave,"
                " expected one that does; leave loss out for a trace without gradients"
            )
        return value

    found: list[TracedLayer] = []
    notes: list[str] = []
    runs: list[Call] = []
    with ExitStack() as hooks:
        for name, layer in recurrent_layers(model).items():
            hooks.callback(layer.register_forward_hook(counted(name)).remove)
        # cuDNN has no backward pass in evaluation mode.
        with torch.backends.cudnn.flags(enabled=False):
            for call in capture(model, checked):
                if only not in call.name:
                    continue
                if calls[call.name] > 1:
                    notes.append(
                        f"The layer {call.name} was called {calls[call.name]} times; the longest"
                        " call is shown."
                    )
                layers, run, more = _of_call(call, gradients=gradients, lives=reach != 0)
                found += layers
                notes += more
                runs.append(run)
        moved = _influence(runs, output, reach, last, notes) if runs and influence else None
    kept, more = _few_terms(found)
    return Seen(kept, notes + more, moved)


def _influence(
    runs: list[Call],
    output: Output | None,
    reach: int | None,
    last: int | None,
    notes: list[str],
) -> Influence | None:
    from unrolled.lens.tracing_memory import influence, influence_on_one, outputs_at

    if reach == 0:
        return None
    if output is None:
        if len(runs) > 1:
            notes.append(
                "The influence of the inputs is not measured, since several recurrent layers were"
                " called one by one; trace the one that is meant."
            )
            return None

        def size(y: Tensor, places: Tensor, _: Tensor) -> Tensor:
            return outputs_at(y, places).flatten(1).norm(dim=1)

        output = Output("the size of what the layer gives", size)
    if output.one:
        return influence_on_one(runs[0], output.of, output.readout)
    found = influence(runs[0], output.of, output.readout, reach, last)
    if found is None and runs[0].x.is_floating_point():
        notes.append(
            "The influence of the inputs is not measured: it would take long; ask for it with"
            " reach=, or trace fewer steps."
        )
    return found


def _few_terms(layers: list[TracedLayer]) -> tuple[tuple[TracedLayer, ...], list[str]]:
    count = sum(values.size for layer in layers for values in layer.terms.values())
    if count <= TERMS:
        return tuple(layers), []
    note = (
        f"What each gate is made of is not kept: {count:,} numbers, {TERMS:,} at most; trace fewer"
        " steps to see it."
    )
    return tuple(replace(layer, terms={}) for layer in layers), [note]


def _of_call(
    call: Any, *, gradients: bool, lives: bool
) -> tuple[list[TracedLayer], Call, list[str]]:
    import torch

    from unrolled.lens.tracing_memory import Call
    from unrolled.training.diagnostics_follow import follow, states_of
    from unrolled.training.diagnostics_measure import state_gradients

    rows = call.x.shape[1]
    if rows != 1:
        raise ConfigError(
            f"{call.name}: got {rows} sequences, expected one: a trace shows how one is read"
        )
    # Padding is no step.
    steps = len(call.x) if call.lengths is None else int(call.lengths[0])
    if steps == 0:
        raise ConfigError(f"{call.name}: got a sequence without a step, expected one at least")

    def real(part: Any) -> Any:
        return None if part is None else part[:steps]

    with torch.autocast(call.x.device.type, enabled=False), torch.enable_grad():
        x, starts = real(call.x).clone(), real(call.starts)
        x = x.requires_grad_() if x.is_floating_point() else x
        run = follow(call.layer, x, call.state, None, starts)
        passed: Any = [None] * len(run.stages)
        if gradients:
            passed = state_gradients(run, real(call.d_y), states_of(call.layer, call.d_state))
    layers = [
        _of_stage(call.name, stage, own, lives=lives)
        for stage, own in zip(run.stages, passed, strict=True)
    ]
    uneven = any(len(set(_widths(stage))) > 1 for stage in run.stages)
    note = f"The memory of {call.name} has another size than its output, and is not shown."
    return layers, Call(call.layer, x, starts, run), [note] if uneven else []


def _widths(stage: Stage) -> list[int]:
    """How many numbers each part of a state has."""
    from unrolled.layers.states import numbers_of

    return [part[0].numel() for part in numbers_of(stage.cell.after[0])]


def _of_stage(
    name: str, stage: Stage, gradients: list[State] | None, *, lives: bool
) -> TracedLayer:
    from unrolled.lens.tracing_memory import measured_half_lives
    from unrolled.lens.tracing_terms import rates_of, terms_of
    from unrolled.training.diagnostics_half_life import unit_half_lives
    from unrolled.training.diagnostics_measure import gates_of

    states = _by_name(stage, stage.cell.after)
    units = states["h"].shape[1]
    gates = {
        gate: _in_time(stage, values[:, 0].flatten(1))
        for gate, values in gates_of(stage).items()
        if gate not in states
    }
    terms = {
        term: _in_time(stage, values[:, 0].flatten(1)) for term, values in terms_of(stage).items()
    }
    halved = {"gates": unit_half_lives(stage)}
    if lives:
        halved["measured"] = measured_half_lives(stage)
    owed = {} if gradients is None else _by_name(stage, gradients)
    cuts = stage.cuts[:, 0].numpy()
    return TracedLayer(
        name,
        stage.index,
        stage.reverse,
        stage.mode,
        np.arange(units),
        states,
        {name: values[0] for name, values in _by_name(stage, stage.cell.before[:1]).items()},
        np.ascontiguousarray(cuts[::-1] if stage.reverse else cuts),
        {gate: values for gate, values in gates.items() if values.shape[1] == units},
        owed,
        {name: _norms(values) for name, values in owed.items()},
        {term: values for term, values in terms.items() if values.shape[1] == units},
        rates_of(stage),
        {
            how: values.flatten().float().cpu().numpy()
            for how, values in halved.items()
            if values is not None and values.numel() == units
        },
    )


def _norms(values: np.ndarray) -> np.ndarray:
    """Of each step. The squares of a gradient that explodes or vanishes are beyond float32 long
    before it is."""
    with np.errstate(over="ignore"):
        found: np.ndarray = np.linalg.norm(values.astype(np.float64), axis=1).astype(np.float32)
    return found


def _by_name(stage: Stage, over_time: list[State]) -> dict[str, np.ndarray]:
    """The parts of a state over time by name, `(T, H)`; of complex numbers the real part."""
    import torch

    from unrolled.layers.states import numbers_of

    steps = [list(numbers_of(state)) for state in over_time]
    if not steps[0]:
        raise ConfigError(
            f"{stage.mode}: got a state of whole numbers alone, expected one with numbers that a"
            " gradient can go by"
        )
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
