"""Follows a sensor value by value: python examples/stream_a_sensor.py [budget]

The state is a dict of plain arrays of fixed size, so a stream can run for years. It can be saved
with `np.savez`, copied, sent to another machine, or kept to go back to.
"""

from __future__ import annotations

import sys

import numpy as np

from unrolled import Forecaster
from unrolled.data import SeriesSet


def readings(hours: int) -> np.ndarray:
    """A sensor in a greenhouse: warm days, cool nights, a slow drift, and noise."""
    time = np.arange(hours)
    random = np.random.default_rng(1)
    drift = np.cumsum(random.normal(0.0, 0.1, hours))
    return 18 + 5 * np.sin(2 * np.pi * time / 24) + drift + random.normal(0.0, 0.4, hours)


def main(budget: str = "20s") -> None:
    """Learn six weeks, then read two more days, and believe no more than can be true."""
    values = readings(24 * 44)
    past, live = values[: 24 * 42], values[24 * 42 :]
    live[30] -= 9  # a loose contact
    history = SeriesSet.from_arrays({"greenhouse": past}, frequency="h")
    model = Forecaster(horizon=6, members=1, hidden_size=64).fit(history, budget=budget)
    print(model.evaluation)

    state = model.start(history)
    fan, state = model.step(live[0], state)
    for hour, value in enumerate(live[1:], start=1):
        low, high = fan[0, 0], fan[0, -1]  # the next hour, between the levels 0.025 and 0.975
        width = high - low
        believed = low - width <= value <= high + width
        mark = "" if believed else "   <- not believed"
        print(f"hour {hour:2}: {value:5.1f}, expected {low:5.1f} to {high:5.1f}{mark}")
        # What is not believed is read as the nearest value that would have been. (NaN, for a value
        # that is not known, is a step too; but a network that saw none in training reads it badly.)
        fan, state = model.step(value if believed else float(np.clip(value, low, high)), state)


if __name__ == "__main__":
    main(*sys.argv[1:])
