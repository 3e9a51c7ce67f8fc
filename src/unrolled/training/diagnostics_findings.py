"""From measures to findings: the thresholds, where each is from, and the remedies.

| finding | measured | threshold | from |
|---|---|---|---|
| VanishingGradient | ‖dL/ds_t‖ after the first step, by the largest of any step; and what is left there of a gradient that enters at the last step | both below 1.2e-7 | what the first step adds to the gradient of the weights is then lost in rounding: float32's epsilon, 2^-23. That it vanishes as a product of Jacobians: Hochreiter 1991; Bengio et al. 1994; Pascanu et al. 2013, arXiv 1211.5063 |
| ExplodingGradient | the largest norm, on its way to the first step, of a gradient of norm 1 that enters at the last one | above 1000, or not finite | only Jacobians make it grow (Pascanu et al. 2013), so a loss on many steps does not count. The number is ours |
| SaturatedGates | share of a gate's values below 0.05 or above 0.95 (a tanh: beyond -0.9, 0.9) | above 0.9 | there a sigmoid's slope is under a fifth of its largest. Open forget gates are memory (Jozefowicz et al. 2015; Tallec & Ollivier 2018, arXiv 1804.11188), so of f, of a GRU's z and of a minimal cell's keep only the shut side counts, and an i that is shut while f is open does not. Fractions of saturated gates are shown by Karpathy et al. 2015, arXiv 1506.02078 (there 0.1 and 0.9). The share is ours |
| DeadUnits | share of relu units that are zero at every step of every row | above 0.5 | no gradient reaches them: Lu et al. 2019, arXiv 1903.06733. The share is ours |
| StateBlowUp | root mean square of the state on the batch repeated four times, by the largest within the trained length | above 10, or not finite | a counter grows linearly, by 4 at most, and is sound (Weiss et al. 2018, arXiv 1805.04908); more is exponential growth, as of a linear or relu unit with a recurrent weight above 1 (Le et al. 2015, arXiv 1504.00941, begin at 1). The number is ours |

`docs/diagnostics.md` has the same table.
"""  # noqa: E501

from __future__ import annotations

import math
from dataclasses import dataclass, field

from unrolled.errors import (
    DeadUnits,
    ExplodingGradient,
    Finding,
    SaturatedGates,
    StateBlowUp,
    VanishingGradient,
)
from unrolled.training.diagnostics_measure import MEMORY_GATES
from unrolled.training.diagnostics_thresholds import (
    BLOWN_UP,
    DEAD,
    EXPLODED,
    FEWEST_STEPS,
    SATURATED,
    VANISHED,
)

ORTHOGONAL = 50
"""Up to so many steps a tanh RNN with orthogonal weights is a remedy: tanh fades, too."""


@dataclass(frozen=True)
class LayerReport:
    """What was measured of one layer in one direction. None: could not be measured, or has none.

    Attributes:
        name: of the module in the model.
        layer, direction: 0 and on; "forward" or "reverse".
        cell: "RNN_TANH", "RNN_RELU", "GRU", "LSTM", "MIN_GRU", "MIN_LSTM", or the type of a cell.
        steps, rows: of the batch, how many were looked at.
        gradient: ‖dL/dh_t‖ over the rows, for every t in the order of time.
        gradient_share: of the whole state (an LSTM's h and c together), after the first step, by
            the largest of any step.
        gradient_steps: steps from the first to the last that the loss reaches.
        gradient_carried: what is left at the first of a gradient of norm 1 that enters at the last
            alone: the product of the Jacobians; `gradient_peak` the largest on its way.
        gradient_reach: steps back over which that keeps a hundredth of its norm; infinite where it
            does to the first; `gradient_back` its norm after 0, 1, 2, ... steps back.
        spectral_radius, singular_value: of the step's Jacobian ds_t/ds_{t-1}; the mean (geometric)
            of the radius and the largest of the singular values over the places looked at.
        exact: whether the Jacobians were written out, or iterated.
        saturation: for each gate, the share of its values that are (shut, open).
        stuck: for each gate, the share of its values that are at an end where they do harm: what
            holds the state (f open, or i shut while f is open) is left out.
        dead: share of relu units that are zero throughout.
        half_life, longest_half_life: from the gates, in steps; the median and the longest unit.
        half_life_measured: of a small disturbance of the state, in steps.
        growth: of the state on the batch repeated four times, beyond the trained length.
    """

    name: str
    layer: int
    direction: str
    cell: str
    steps: int
    rows: int
    gradient: list[float] | None = None
    gradient_share: float | None = None
    gradient_steps: int = 0
    gradient_carried: float | None = None
    gradient_peak: float | None = None
    gradient_reach: float | None = None
    gradient_back: list[float] | None = None
    spectral_radius: float | None = None
    singular_value: float | None = None
    exact: bool = True
    saturation: dict[str, tuple[float, float]] = field(default_factory=dict)
    stuck: dict[str, float] = field(default_factory=dict)
    dead: float | None = None
    half_life: float | None = None
    longest_half_life: float | None = None
    half_life_measured: float | None = None
    growth: float | None = None

    @property
    def where(self) -> str:
        """Module, layer and direction in words."""
        return f"{self.name}, layer {self.layer}, {self.direction}"


def findings_of(report: LayerReport) -> list[Finding]:
    """What crosses a threshold, worst things first to do something about."""
    given = [
        _exploding(report),
        _vanishing(report),
        *_saturated(report),
        _dead(report),
        _blown_up(report),
    ]
    return [finding for finding in given if finding is not None]


def _exploding(report: LayerReport) -> Finding | None:
    peak = report.gradient_peak
    if peak is None or report.gradient is None:
        return None
    finite = math.isfinite(peak) and all(map(math.isfinite, report.gradient))
    if finite and (peak <= EXPLODED or report.gradient_steps < FEWEST_STEPS):
        return None
    size = f"grows to {peak:.3g} times its size" if finite else "is not finite"
    return ExplodingGradient(
        report.where,
        f"on its way back over {report.gradient_steps} steps the gradient of the loss by the state"
        f" {size} (threshold {EXPLODED:g}; largest singular value of a step"
        f" {_short(report.singular_value)})",
        "clip the norm of the gradient (torch.nn.utils.clip_grad_norm_, Recipe.clip), use"
        ' init="orthogonal" or layer_norm=True, a lower learning_rate, or sequences of fewer steps',
    )


def _vanishing(report: LayerReport) -> Finding | None:
    share, carried = report.gradient_share, report.gradient_carried
    if share is None or carried is None or report.gradient_steps < FEWEST_STEPS:
        return None
    if not (share < VANISHED and carried < VANISHED):
        return None
    chrono = _chrono(report)
    if report.cell.startswith("RNN"):
        remedy = f'use an unrolled.LSTM or GRU with {chrono}, or an RNN with nonlinearity="relu"'
        remedy += ' and init="identity"'
        if report.steps <= ORTHOGONAL:
            remedy += ', or init="orthogonal"'
    elif report.cell in ("LSTM", "GRU"):
        remedy = f"use {chrono} of unrolled.{report.cell} (gates that begin open for as long as the"
        remedy += " sequences are)"
    elif report.cell == "LRUCell":
        remedy = "use an r_min and r_max nearer to 1, such as 0.9 and 0.999"
    elif report.cell.startswith("MIN"):
        remedy = f"use biases that begin with the gates open, or an unrolled.LSTM with {chrono}"
    else:
        remedy = f"use a cell that keeps more of its state, or an unrolled.LSTM with {chrono}"
    size = f"{share:.2g} of its size" if share > 0 else "nothing"
    return VanishingGradient(
        report.where,
        f"over {report.gradient_steps} steps the gradient of the loss by the state fades to"
        f" {size} (threshold {VANISHED:.2g}; to a hundredth in {_reach(report)})",
        f"{remedy}; or put a loss on more steps, or use sequences of fewer steps",
    )


def _saturated(report: LayerReport) -> list[Finding]:
    found: list[Finding] = []
    for name, share in report.stuck.items():
        if share <= SATURATED:
            continue
        ends = "below 0.05 or above 0.95"
        if name in MEMORY_GATES:
            ends = "below 0.05, so that nothing is kept"
        elif name in ("g", "n", "h"):
            ends = "beyond -0.9 or 0.9"
        remedy = "use layer_norm=True, smaller inputs, a lower learning_rate"
        if name == "keep":
            remedy = "use smaller inputs, a lower learning_rate, or biases that begin with it open"
        elif name in MEMORY_GATES:
            remedy += f", or {_chrono(report)} or a larger bias of that gate"
        else:
            remedy += ", or smaller biases and weights of that gate"
        found.append(
            SaturatedGates(
                report.where,
                f"{share:.0%} of the values of {name} are {ends} (threshold {SATURATED:.0%})",
                remedy,
            )
        )
    return found


def _dead(report: LayerReport) -> Finding | None:
    if report.dead is None or not report.dead > DEAD:
        return None
    remedy = 'use a lower learning_rate, biases of 0, or nonlinearity="tanh"'
    if report.cell == "RNN_RELU":
        remedy = 'use a lower learning_rate, init="identity" with biases of 0, layer_norm=True, or'
        remedy += ' nonlinearity="tanh"'
    return DeadUnits(
        report.where,
        f"{report.dead:.0%} of the relu units are zero at every step of every row"
        f" (threshold {DEAD:.0%})",
        remedy,
    )


def _blown_up(report: LayerReport) -> Finding | None:
    if report.growth is None or report.growth <= BLOWN_UP:
        return None
    size = f"{report.growth:.3g} times as large" if math.isfinite(report.growth) else "not finite"
    remedy = "use an LSTM or GRU"
    if report.cell in ("LSTM", "GRU"):
        remedy = "use layer_norm=True"
    elif report.cell in ("RNN_RELU", "IndRNNCell"):
        remedy += ', nonlinearity="tanh"'
    return StateBlowUp(
        report.where,
        f"on sequences four times as long as the batch's {report.steps} steps the state is {size}"
        f" (threshold {BLOWN_UP:g}; spectral radius of a step {_short(report.spectral_radius)})",
        f"{remedy}, a stronger weight_decay, longer sequences in training, or starts that reset"
        " the state",
    )


def _chrono(report: LayerReport) -> str:
    return f'init=("chrono", {max(report.steps, 3)})'


def _reach(report: LayerReport) -> str:
    reach = report.gradient_reach
    if reach is None or not math.isfinite(reach):
        return "all of them together"
    return "1 step" if reach < 1 else f"{int(reach) + 1} steps"


def _short(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"
