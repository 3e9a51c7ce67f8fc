"""One value at a time: the numbers of the whole sequence, from a state of constant size."""

from __future__ import annotations

import numpy as np
import torch

from unrolled.tasks.arrays import Arrays, check_state, like, to_arrays, to_state
from unrolled.tasks.forecast_features import FeatureMaker, fill_forward
from unrolled.tasks.forecast_model import ForecastModel
from unrolled.tasks.scaling import Array, Scale

# The state, besides the layers' own `h` and `c`: the last (log) values that the next inputs look
# back on, the time of the last one, and the scale of the series.
PAST, TIME, SCALE = "past", "time", "scale"


def open_stream(
    model: ForecastModel, features: FeatureMaker, values: Array, times: np.ndarray, scale: Scale
) -> Arrays:
    """The state after reading a series `(n,)`."""
    rows = torch.from_numpy(features.inputs(values, times, scale)).to(like(model))
    with torch.no_grad():
        _, state = model(rows.unsqueeze(1))
    level = fill_forward(scale.transform(values), scale.centre)
    kept = np.array([scale.log, scale.centre, scale.spread, scale.step], dtype=np.float64)
    return to_arrays(state) | {
        PAST: level[-features.memory :].copy(),
        TIME: np.array(times[-1]),
        SCALE: kept,
    }


def advance(
    model: ForecastModel,
    features: FeatureMaker,
    value: float,
    state: Arrays,
    time: np.datetime64 | None,
) -> tuple[Array, Arrays]:
    """Read one more value: quantile forecasts `(K, Q)` of what follows it, and the new state."""
    check_state(state, PAST, TIME, SCALE)
    log, centre, spread, size = state[SCALE]
    scale = Scale(bool(log), float(centre), float(spread), float(size))
    if time is None:
        time = features.frequency.future(np.datetime64(state[TIME].item(), "us"), 1)[0]
    row = torch.from_numpy(features.next_input(value, time, state[PAST], scale)).to(like(model))
    with torch.no_grad():
        outputs, after = model.step(row.unsqueeze(0), to_state(state, model))
    level = fill_forward(np.append(state[PAST], scale.transform(np.array([value]))), scale.centre)
    ahead = outputs.mean(dim=0)[0].cpu().numpy().astype(np.float64)
    fan = scale.restore(level[-1] + scale.step * np.sort(ahead, axis=-1))
    return fan, to_arrays(after) | {
        PAST: level[-features.memory :].copy(),
        TIME: np.array(time, dtype="datetime64[us]"),
        SCALE: state[SCALE].copy(),
    }
