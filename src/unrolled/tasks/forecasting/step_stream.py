"""One value at a time: the numbers of the whole sequence, from a state of constant size."""

from __future__ import annotations

import numpy as np
import torch

from unrolled.tasks.arrays import Arrays, check_state, like, to_arrays, to_state
from unrolled.tasks.forecasting.engine import SCALE, TIME
from unrolled.tasks.forecasting.scaling import Array, Scale, fill_forward
from unrolled.tasks.forecasting.step_covariates import Beside
from unrolled.tasks.forecasting.step_features import FeatureMaker
from unrolled.tasks.forecasting.step_model import ForecastModel

# The state, besides the layers' own `h` and `c`: the last (log) values that the next inputs look
# back on, the time of the last one, the scale of the series, and what does not change.
PAST, STATIC = "past", "static"


def open_stream(
    model: ForecastModel,
    features: FeatureMaker,
    values: Array,
    times: np.ndarray,
    scale: Scale,
    beside: Beside,
) -> Arrays:
    """The state after reading a series `(n,)` and its covariates."""
    rows = torch.from_numpy(features.inputs(values, times, scale, beside)).to(like(model))
    with torch.no_grad():
        _, state = model(rows.unsqueeze(1))
    level = fill_forward(scale.transform(values), scale.centre)
    return to_arrays(state) | {
        PAST: level[-features.memory :].copy(),
        TIME: np.array(times[-1]),
        SCALE: scale.to_array(),
        STATIC: beside.static.copy(),
    }


def advance(
    model: ForecastModel,
    features: FeatureMaker,
    value: float,
    state: Arrays,
    time: np.datetime64 | None,
    past: Array,
    future: Array,
) -> tuple[Array, Arrays]:
    """Read one more value: quantile forecasts `(K, Q)` of what follows it, and the new state."""
    check_state(state, PAST, TIME, SCALE, STATIC)
    scale = Scale.from_array(state[SCALE])
    # Row 0 stands for this step, whose own future covariates are never asked for again.
    beside = Beside(past[None], np.concatenate([future[:1], future]), state[STATIC])
    if time is None:
        time = features.frequency.future(np.datetime64(state[TIME].item(), "us"), 1)[0]
    made = features.next_input(value, time, state[PAST], scale, beside)
    row = torch.from_numpy(made).to(like(model))
    with torch.no_grad():
        outputs, after = model.step(row.unsqueeze(0), to_state(state, model))
    level = fill_forward(np.append(state[PAST], scale.transform(np.array([value]))), scale.centre)
    ahead = outputs.mean(dim=0)[0].cpu().numpy().astype(np.float64)
    fan = scale.restore(level[-1] + scale.step * np.sort(ahead, axis=-1))
    return fan, to_arrays(after) | {
        PAST: level[-features.memory :].copy(),
        TIME: np.array(time, dtype="datetime64[us]"),
        SCALE: state[SCALE].copy(),
        STATIC: state[STATIC].copy(),
    }
