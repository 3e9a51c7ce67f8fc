"""`trace`: read one sequence with a network, and keep all that can be seen."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.traces import Trace

if TYPE_CHECKING:
    from torch import Tensor, nn

STEPS, UNITS = 1000, 512


def trace(
    model: Any,
    given: Any,
    *,
    loss: Callable[[Any], Any] | None = None,
    inputs: Sequence[str] | None = None,
    origin: Any = None,
    beam: int | None = None,
    steps: int = STEPS,
    units: int = UNITS,
    reach: int | None = None,
) -> Trace:
    """Read one sequence with a model, and keep inputs, states, gates, gradients and losses.

    Step by step, in evaluation, for every recurrent layer and direction:

        s_t = step(x_t, s_{t-1});   gates_t;   dL/ds_t, all paths through time in it

    The model is as it was afterwards.

    Args:
        model: a fitted `Forecaster`, `Generator`, `Classifier`, `Tagger`, `Translator` or
            `Transcriber`, the file of one, or a torch module that holds recurrent layers (this
            package's, torch's, `Recurrent` with a cell of your own).
        given: what it reads: a text; of a `Tagger` a sentence, its words, or a tuple of the list of
            words and that of their right tags; of a `Translator` a sentence, or a tuple of it and
            the translation that is to be taken for the answer; of a `Transcriber` a file of sound,
            `(samples, rate)`, samples at its own rate, features or a `Recording`, or a tuple of
            such a sound and the text that is to be aligned with it; of a `Forecaster` what
            `predict` takes, of one series; of a module its input, or a tuple of its arguments, with
            one sequence in it (a batch of one).
        loss: of a module: from what it gives to a number, for the gradients; None: no gradients.
            Of a task it is what its answer costs: of a generator each next token, of a classifier
            the label that it chooses, of a tagger the tags, of a translator each token of the
            translation, of a transcriber the text or the label, of a forecaster the forecast where
            it is known what came (else it is its median).
        inputs: of a module: what each step's input is called; None: numbered.
        origin: of a `Forecaster`: the last time that it knows, such as "2024-05-01"; what `given`
            holds after it is what came true. None: it knows all.
        beam: of a `Translator` or a `Transcriber`: hypotheses that its search keeps; None: as many
            as `predict` does.
        steps: the last so many steps are kept; of a text those before are read, so that the state
            is warm, and the gradient does not reach them. Of a sound the first so many are read.
        units: of a layer, so many are kept at most: those that change most.
        reach: how many inputs back their influence on each output is measured; None: as many as
            take about half a second, 0: neither that nor half-lives are measured.

    Raises:
        ConfigError: nothing to read, more than one sequence, no recurrent layer that was called, or
            a task that can't be traced.
        DTypeError: `model` is neither task nor module.
    """
    import torch

    from unrolled.lens.tracing_tasks import of_task
    from unrolled.tasks.base import Task, whole_number
    from unrolled.tasks.loading import load
    from unrolled.training.diagnostics_capture import check_model, undisturbed

    steps, units = (
        whole_number(name, value, least=1) for name, value in (("steps", steps), ("units", units))
    )
    if reach is not None:
        reach = whole_number("reach", reach, least=0)
    if isinstance(model, str | os.PathLike):
        model = load(model)
    if isinstance(model, Task):
        if loss is not None or inputs is not None:
            raise ConfigError("loss, inputs: are those of a module; a task has its own")
        model._check_fitted()
    else:
        check_model(model)
        if origin is not None:
            raise ConfigError("origin: is that of a Forecaster, not of a module")
        if beam is not None:
            raise ConfigError("beam: is that of a Translator or a Transcriber, not of a module")
    network = model.model if isinstance(model, Task) else model
    # Where inference mode is on, nothing could be followed back.
    with torch.inference_mode(False), undisturbed(network):
        network.eval()
        if isinstance(model, Task):
            found = of_task(model, given, steps, reach, origin, beam)
        else:
            found = _of_module(model, given, loss, inputs, steps, reach)
    return fewer_units(found, units)


def _of_module(
    model: nn.Module,
    given: Any,
    loss: Callable[[Any], Any] | None,
    inputs: Sequence[str] | None,
    steps: int,
    reach: int | None,
) -> Trace:
    import torch
    from torch.nn.utils.rnn import PackedSequence

    from unrolled.lens.tracing_layers import layers_of

    several = isinstance(given, tuple) and not isinstance(given, PackedSequence)
    arguments = given if several else (given,)
    if not any(isinstance(one, torch.Tensor | PackedSequence) for one in arguments):
        raise ConfigError(
            f"trace: got {type(given).__name__}, expected a tensor that the module reads, or a"
            " tuple of its arguments"
        )
    if loss is not None and not callable(loss):
        raise ConfigError(f"loss: got {type(loss).__name__}, expected a function of the outputs")
    # What was made in inference mode can't be followed back.
    arguments = tuple(
        one.clone() if isinstance(one, torch.Tensor) and one.is_inference() else one
        for one in arguments
    )

    def number() -> Tensor:
        outputs = model(*arguments)
        return torch.zeros(()) if loss is None else loss(outputs)

    seen = layers_of(model, number, gradients=loss is not None, reach=reach, last=steps)
    layers = seen.layers
    count = layers[0].steps
    if inputs is not None and not isinstance(inputs, Sequence):
        raise ConfigError(f"inputs: got {type(inputs).__name__}, expected a name for each step")
    names = tuple(map(str, range(1, count + 1))) if inputs is None else tuple(map(str, inputs))
    if len(names) != count:
        raise ConfigError(f"inputs: got {len(names)} names, expected {count}, one for each step")
    uneven = next((one for one in layers if one.steps != count), None)
    if uneven is not None:
        raise ConfigError(
            f"model: {uneven.name} takes {uneven.steps} steps and {layers[0].name} {count},"
            " expected layers that take a step for each input; trace them one by one"
        )
    name = type(getattr(model, "_orig_mod", model)).__name__
    told = "the loss that was given" if loss is not None else ""
    whole = Trace(name, names, layers, notes=tuple(seen.notes), loss=told, influence=seen.influence)
    return _last_steps(whole, steps)


def _last_steps(whole: Trace, steps: int) -> Trace:
    if len(whole) <= steps:
        return whole
    layers = tuple(layer.part(steps=slice(-steps, None)) for layer in whole.layers)
    note = f"Of {len(whole):,} steps the last {steps:,} are shown."
    moved = None if whole.influence is None else whole.influence.last(steps)
    return replace(
        whole,
        inputs=whole.inputs[-steps:],
        layers=layers,
        notes=(*whole.notes, note),
        influence=moved,
    )


def fewer_units(whole: Trace, units: int) -> Trace:
    """Of each layer the `units` that change most, with a note of what was left out."""
    layers, notes = [], list(whole.notes)
    for layer in whole.layers:
        count = len(layer.units)
        if count <= units:
            layers.append(layer)
            continue
        with np.errstate(all="ignore"):  # what has blown up has changed most
            moved = np.nan_to_num(layer.states["h"].std(axis=0), nan=np.inf)
        chosen = np.sort(np.argsort(-moved, kind="stable")[:units])
        layers.append(layer.part(units=chosen))
        which = f"{layer.name} (layer {layer.index}{', backward' if layer.reverse else ''})"
        notes.append(f"Of the {count:,} units of {which} the {units:,} that change most are shown.")
    source = None if whole.source is None else fewer_units(whole.source, units)
    return replace(whole, layers=tuple(layers), notes=tuple(notes), source=source)
