"""Finds what does not belong, value by value: python examples/detect_anomalies.py [budget]

`surprise` is the probability that a value is as far out as the one that came. A threshold on it
means the same for every sensor: of ordinary values one in a thousand falls below 0.001. Draws
detect_anomalies.png.
"""

from __future__ import annotations

import sys

import numpy as np

from unrolled import Forecaster
from unrolled.data import SeriesSet

DAY = 24
THRESHOLD = 0.001


def pressures(days: int, seed: int = 3) -> np.ndarray:
    """A pump by the hour: it works by day, rests at night, and is weaker on Sundays."""
    hour = np.arange(days * DAY)
    random = np.random.default_rng(seed)
    works = np.clip(np.sin(2 * np.pi * (hour % DAY - 6) / DAY), 0, None)
    works *= np.where(hour // DAY % 7 == 6, 0.4, 1.0)
    slow = np.convolve(random.normal(0, 0.03, len(hour) + 48), np.ones(48) / 7, "valid")[1:]
    return 3 + 2 * works + slow + random.normal(0, 0.05, len(hour))


def spoil(values: np.ndarray) -> dict[int, str]:
    """Puts four faults into two weeks, and says where."""
    values[40] += 1.0
    values[130:133] = values[130]  # the sensor hangs while the pump works
    values[200] = 0.0
    values[270:274] -= 0.8  # a leak, for four hours
    faults = {40: "spike", 200: "no contact"}
    return faults | dict.fromkeys(range(131, 133), "hangs") | dict.fromkeys(range(270, 274), "leak")


def main(budget: str = "300 steps") -> None:
    """Learn ten weeks, then watch two more as they come."""
    values = pressures(12 * 7)
    learnt, live = values[: 10 * 7 * DAY], values[10 * 7 * DAY :].copy()
    faults = spoil(live)
    history = SeriesSet.from_arrays({"pump": learnt}, frequency="h")
    model = Forecaster("steps", horizon=1, members=1, hidden_size=64).fit(history, budget=budget)
    print(model.evaluation)

    state = model.start(history)
    surprises = np.empty(len(live))
    bands = np.empty((len(live), 2))
    for hour, value in enumerate(live):
        bands[hour] = state["next"][[0, -1]]
        surprises[hour] = model.surprise(value, state)
        alarm = surprises[hour] < THRESHOLD
        if alarm or hour in faults:
            word = "ALARM " if alarm else "missed"
            print(f"hour {hour:3}: {value:5.2f}  p = {surprises[hour]:.1e}  {word}", end="  ")
            print(faults.get(hour, "(an ordinary value)"))
        # What is not believed is read as the nearest value that would have been: a fault does not
        # lead the network astray, and a new level that stays is followed after a while.
        _, state = model.step(float(np.clip(value, *bands[hour])) if alarm else value, state)
    ordinary = [hour for hour in range(len(live)) if hour not in faults]
    share = float(np.mean(surprises[ordinary] < 0.05))
    print(f"of {len(ordinary)} ordinary values {share:.1%} lie below 0.05 (5% is right)")
    draw(live, bands, surprises, "detect_anomalies.png")


def draw(live: np.ndarray, bands: np.ndarray, surprises: np.ndarray, file: str) -> None:
    """The values in the band that was expected, and below them how surprising each was."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), dpi=200, layout="constrained")
    top, low = figure.subplots(2, sharex=True, height_ratios=(2, 1))
    days = np.arange(len(live)) / DAY
    odd = surprises < THRESHOLD
    top.fill_between(days, *bands.T, color="#2a6fbb", alpha=0.3, lw=0, label="95% expected")
    top.plot(days, live, color="#222222", lw=0.7, label="came")
    top.plot(days[odd], live[odd], "o", ms=4, color="#c8451b", label="alarm")
    top.legend(frameon=False, fontsize=7, ncols=3, loc="lower right", bbox_to_anchor=(1, 1))
    top.set_ylabel("bar", fontsize=7)
    low.vlines(days, 1, np.maximum(surprises, 1e-8), color="#222222", lw=0.5)
    low.axhline(THRESHOLD, color="#c8451b", lw=0.8)
    low.set(yscale="log", ylim=(1e-8, 1), xlabel="days", xlim=(0, days[-1]))
    low.set_ylabel("surprise", fontsize=7)
    for axes in (top, low):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=7)
    figure.savefig(file)
    print("drew", file)


if __name__ == "__main__":
    main(*sys.argv[1:])
