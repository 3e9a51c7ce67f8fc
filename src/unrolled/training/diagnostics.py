"""`diagnose`: why a recurrent network does or does not learn, measured on one batch."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError, Finding
from unrolled.layers.checks import with_nan
from unrolled.layers.recurrent_parts import map_given
from unrolled.layers.states import State, is_number
from unrolled.training.diagnostics_capture import (
    LayerCall,
    capture,
    check_count,
    check_model,
    of_cells,
    undisturbed,
)
from unrolled.training.diagnostics_findings import LayerReport, findings_of
from unrolled.training.diagnostics_follow import Stage, follow, states_of
from unrolled.training.diagnostics_half_life import half_life_measured, half_lives
from unrolled.training.diagnostics_jacobian import StepSizes, step_sizes
from unrolled.training.diagnostics_measure import (
    GradientMeasure,
    dead_units,
    gradients,
    growth,
    places_of,
    saturation,
    stuck,
)
from unrolled.training.falling import still_falls

LONGER = 4
CURVE = 33
"""Points of a gradient's curve that a log keeps."""


@dataclass(frozen=True)
class Report:
    """What `diagnose` measured: `layers`, one entry for each layer and direction; `findings`, what
    crosses a threshold; its `str` is a table with the findings below.
    """

    layers: tuple[LayerReport, ...]
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        names = [one.where for one in self.layers]
        wide = max(map(len, names), default=0)
        titles = ("carried", "reach", "radius", "singular", "half-life", "measured", "growth")
        lines = [" " * wide + "".join(f"{title:>10}" for title in titles)]
        for name, one in zip(names, self.layers, strict=True):
            values = (
                one.gradient_carried,
                one.gradient_reach,
                one.spectral_radius,
                one.singular_value,
                one.half_life,
                one.half_life_measured,
                one.growth,
            )
            shown = ("-" if value is None else f"{value:.3g}" for value in values)
            lines.append(name.ljust(wide) + "".join(f"{value:>10}" for value in shown))
        return "\n".join([*lines, *(f"{type(one).__name__}: {one}" for one in self.findings)])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a log, strict JSON: what is infinite or not a number is a string."""
        return {
            "layers": [_plain(one) for one in self.layers],
            "findings": [
                {
                    "kind": type(one).__name__,
                    "where": one.where,
                    "text": str(one),
                    "remedy": one.remedy,
                }
                for one in self.findings
            ],
        }


def diagnose(
    model: nn.Module,
    loss: Callable[[], Tensor],
    *,
    losses: Sequence[float] | None = None,
    warn: bool = True,
    rows: int = 8,
    points: int = 6,
) -> Report:
    """Look through a model once: the gradient through time, the step's Jacobian, gates and state.

        report = unrolled.diagnose(model, lambda: loss(model(x), y))

    The loss is computed once, in evaluation mode (so without dropout), and its gradient by the
    output of every recurrent layer. Then each layer is run again, cell by cell. Afterwards the
    model is as it was: its `.grad`, mode and buffers, and the random generators.

    Args:
        model: holds recurrent layers, alone, nested or stacked: torch's `RNN`, `GRU` and `LSTM`, or
            this package's, `MinGRU`, `MinLSTM`, `LRUBlock` and `Recurrent`. Of a layer that the
            loss calls more than once, the longest call is looked at.
        loss: a function without arguments that gives the loss of a batch, a tensor of one number.
        losses: those of the training so far, one a step. While they still fall, the findings are in
            the report, but nothing is warned.
        warn: warn of each finding.
        rows: how many rows of the batch to look at, the longest ones; the loss is of all of them.
        points: at how many places (a step and a row) to take the Jacobian.

    Returns:
        The measures (`LayerReport`) and findings. Shapes: `T` time, `H` hidden size. The state `s`
        is `h`, for an LSTM `(h, c)`:

            gradient        ‖dL/dh_t‖ for every t, all paths through time in it
            radius, value   of J = ds_t/ds_{t-1}: max |eigenvalue|, and the largest singular value
            saturation      share of gate values below .05, and above .95
            half-life       steps until half is forgotten: ln 2 / -ln f, and of a real disturbance

    Raises:
        DTypeError: `model` is no module.
        ConfigError: `loss` gives no number, or calls no recurrent layer of `model`; NaN in a
            parameter; `rows` or `points` below 1.

    Warns:
        VanishingGradient, ExplodingGradient, SaturatedGates, DeadUnits, StateBlowUp: with the
        remedy. Thresholds and sources: `docs/diagnostics.md`.
    """
    check_model(model)
    if not callable(loss):
        raise ConfigError(
            f"loss: got {type(loss).__name__}, expected a function that computes it, such as"
            " lambda: criterion(model(x), y)"
        )
    check_count("rows", rows)
    check_count("points", points)
    broken = with_nan(model)
    if broken is not None:
        raise ConfigError(
            f"model: got NaN in {broken}, expected numbers: nothing can be measured; go back to a "
            "checkpoint from before the loss was NaN"
        )
    with undisturbed(model):
        model.eval()
        # cuDNN has no backward pass in evaluation mode.
        with torch.backends.cudnn.flags(enabled=False):
            calls = capture(model, loss)
            layers = [one for call in calls for one in _measure(call, rows, points)]
    findings = tuple(finding for one in layers for finding in findings_of(one))
    if warn and not (losses is not None and still_falls(losses)):
        for finding in findings:
            warnings.warn(finding, stacklevel=2)
    return Report(tuple(layers), findings)


def _measure(call: LayerCall, rows: int, points: int) -> list[LayerReport]:
    """Of one call: a report for each layer and direction."""
    call = _chosen_rows(call, rows)
    if call.x.shape[1] == 0:
        return []
    with torch.autocast(call.x.device.type, enabled=False):
        with torch.enable_grad():
            x, state = _leaves(call.x), _leaves(call.state)
            run = follow(call.layer, x, state, call.lengths, call.starts)
            passed = gradients(run, call.d_y, states_of(call.layer, call.d_state))
        grown = _growth(call, run.stages)
        return [
            _report(call, stage, gradient, more, points)
            for stage, gradient, more in zip(run.stages, passed, grown, strict=True)
        ]


def _report(
    call: LayerCall,
    stage: Stage,
    gradient: GradientMeasure | None,
    grown: float | None,
    points: int,
) -> LayerReport:
    places = places_of(stage, points)
    sizes = step_sizes(stage.cell, places) if places else StepSizes([], [], True)
    lives = half_lives(stage)
    return LayerReport(
        name=call.name,
        layer=stage.index,
        direction="reverse" if stage.reverse else "forward",
        cell=stage.mode,
        steps=len(call.x),
        rows=call.x.shape[1],
        gradient=None if gradient is None else gradient.by_h,
        gradient_share=None if gradient is None else gradient.share,
        gradient_steps=0 if gradient is None else gradient.steps,
        gradient_carried=None if gradient is None else gradient.carried,
        gradient_peak=None if gradient is None else gradient.peak,
        gradient_reach=None if gradient is None else gradient.reach,
        gradient_back=None if gradient is None else gradient.back,
        spectral_radius=_geometric_mean(sizes.radii),
        singular_value=max(sizes.values, default=None),
        exact=sizes.exact,
        saturation=saturation(stage),
        stuck=stuck(stage),
        dead=dead_units(stage),
        half_life=None if lives is None else lives[0],
        longest_half_life=None if lives is None else lives[1],
        half_life_measured=half_life_measured(stage),
        growth=grown,
    )


def _chosen_rows(call: LayerCall, rows: int) -> LayerCall:
    """The call with `rows` of its rows, the longest, in their order, and in the weights' dtype."""
    count = call.x.shape[1]
    lengths = torch.full((count,), len(call.x)) if call.lengths is None else call.lengths.cpu()
    order = torch.argsort(lengths, descending=True, stable=True)
    order = order[lengths[order] > 0]
    # Of more rows than are wanted that are equally long, some from everywhere.
    longest = order[lengths[order] == lengths.max()]
    if len(longest) > rows:
        order = longest[torch.arange(rows) * len(longest) // rows]
    chosen = order[:rows].sort().values.to(call.x.device)
    dtype = next((p.dtype for p in call.layer.parameters() if p.is_floating_point()), None)

    def pick(part: Tensor, axis: int) -> Tensor:
        part = part.index_select(axis, chosen.to(part.device))
        return part.to(dtype) if dtype is not None and part.is_floating_point() else part

    def pick_maybe(part: Tensor | None, axis: int) -> Tensor | None:
        return None if part is None else pick(part, axis)

    axis = 0 if of_cells(call.layer) else 1

    def pick_state(state: State) -> State:
        return map_given(lambda part: pick(part, axis), state)

    return LayerCall(
        call.name,
        call.layer,
        pick(call.x, 1),
        pick_state(call.state),
        pick_maybe(call.lengths, 0),
        pick_maybe(call.starts, 1),
        pick_maybe(call.d_y, 1),
        pick_state(call.d_state),
    )


def _leaves(state: State) -> State:
    """Gradients are wanted even where no parameter needs any."""

    def leaf(part: Tensor) -> Tensor:
        part = part.clone()
        return part.requires_grad_() if is_number(part) else part

    return map_given(leaf, state)


def _growth(call: LayerCall, stages: list[Stage]) -> list[float | None]:
    """On the longest rows, repeated."""
    x, state = call.x, call.state
    if len(x) < 2 or (call.starts is not None and bool(call.starts[1:].any())):
        return [None] * len(stages)
    steps = len(x)
    if call.lengths is not None:
        steps = int(call.lengths.max())
        rows = (call.lengths == steps).nonzero().flatten().to(x.device)
        x = x[:steps].index_select(1, rows)
        axis = 0 if of_cells(call.layer) else 1
        state = map_given(lambda part: part.index_select(axis, rows), state)
    if call.starts is not None and bool(call.starts[0].any()):
        return [None] * len(stages)
    with torch.no_grad():
        longer = follow(call.layer, x.repeat(LONGER, *[1] * (x.dim() - 1)), state)
    return growth(stages, longer.stages, steps)


def _geometric_mean(values: list[float]) -> float | None:
    if not values:
        return None
    if min(values) <= 0:
        return 0.0
    return math.exp(sum(map(math.log, values)) / len(values))


def _plain(report: LayerReport) -> dict[str, Any]:
    raw = dict(vars(report))
    for name in ("gradient", "gradient_back"):
        curve = raw[name]
        if curve is not None and len(curve) > CURVE:
            last = len(curve) - 1
            raw[name] = [curve[k * last // (CURVE - 1)] for k in range(CURVE)]
    return {name: _json(value) for name, value in raw.items() if value is not None}


def _json(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {name: _json(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(part) for part in value]
    return value
