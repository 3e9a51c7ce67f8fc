"""A backtest: forecasts from several moments of the past, beside what came true and the rivals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.evaluation import figure, heading
from unrolled.tasks.forecasting.calibration import Audit, audit
from unrolled.tasks.forecasting.columns import Columns
from unrolled.tasks.forecasting.engine import Places
from unrolled.tasks.forecasting.gate import Ask
from unrolled.tasks.forecasting.scaling import Array
from unrolled.tasks.forecasting.scores import Scores, score
from unrolled.tasks.tables import aligned
from unrolled.training.metrics import seasonal_scale

if TYPE_CHECKING:
    import polars


@dataclass(frozen=True)
class Backtest:
    """What a backtest found.

    Shapes: `O` origins of a series, `K` steps ahead, `Q` levels.

    Attributes:
        frame: a row for each series, origin and step: its name, `cutoff` (the time of the last
            value that was known), the time, `y` (what came true), `forecast`, and the quantiles.
        origins: for each series the places of the last value that was known, `(O,)`.
        fans: for each series the forecasts, repaired, `(O, K, Q)`.
        scores: of the network and of each rival, by name; the network is first.
        before, after: the calibration of the network's intervals before and after their repair.
        held_out: in words, what was forecast.
    """

    frame: polars.DataFrame
    origins: dict[str, Places]
    fans: dict[str, Array]
    scores: dict[str, Scores]
    before: Audit
    after: Audit
    held_out: str

    def __str__(self) -> str:
        """A table of scores, a line for each forecaster; then the audit before and after repair."""
        every = next(iter(self.scores.values())).overall
        shown = [name for name in every if not name.startswith(("width", "interval score"))]
        rows = [["", *map(heading, shown)]]
        network, *rivals = self.scores.items()
        for name, scores in (network, *sorted(rivals, key=lambda one: one[1]["MASE"])):
            rows.append([name, *(figure(one, scores[one]) for one in shown)])
        lines = [*aligned(rows), ""]
        nominal = [f"{one.nominal:.0%}" for one in self.after.intervals]
        held = [["the network's intervals", *nominal]]
        for when, found in (("hold before repair", self.before), ("hold after", self.after)):
            held.append([when, *(f"{one.covered:.1%}" for one in found.intervals)])
        lines += aligned(held)
        lines += self.after.findings or ["calibration after repair: nothing found"]
        return "\n".join([*lines, f"measured on {self.held_out}"])

    def to_dict(self) -> dict[str, Any]:
        """Scores and calibration as plain values, for JSON."""
        return {
            "scores": {name: one.overall for name, one in self.scores.items()},
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "held_out": self.held_out,
        }


def window_origins(
    series: SeriesSet,
    windows: int,
    stride: int,
    horizon: int,
    learnt: Mapping[str, np.datetime64] | None,
) -> dict[str, Places]:
    """The last origins of each series whose answers are all there; those without any are left out.

    Args:
        series: what is forecast.
        windows: how many at most.
        stride, horizon: steps between two origins, and ahead.
        learnt: until when a series was learnt; earlier origins would be no test. None: each origin
            learns what precedes it, which must be enough.

    Raises:
        DataError: no series has such an origin.
    """
    found: dict[str, Places] = {}
    short: DataError | None = None
    for name, times, values in zip(series.ids, series.times, series.values, strict=True):
        known = np.flatnonzero(np.isfinite(values))
        if learnt is None:
            first = max(int(known[min(1, len(known) - 1)]), horizon + 1)
        else:
            until = learnt.get(name)
            first = max(int(known[0]), -1 if until is None else int((times <= until).sum()) - 1)
        last = len(times) - 1 - horizon
        origins = np.arange(last, max(first, 0) - 1, -stride)[:windows][::-1].copy()
        if not len(origins):
            later = max(0, len(times) - 1 - first)
            told = "behind what was learnt" if learnt is not None else "behind enough to learn from"
            remedy = "later data, or refit=True" if learnt is not None else "a longer series"
            short = short or DataError(
                f"series {name!r} has {later} values {told}, expected at least {horizon} to test a"
                f" forecast on; give {remedy}",
                file=series.source,
            )
        else:
            found[name] = origins
    if short is not None and not found:
        raise short
    return found


def check_origins(series: SeriesSet, origins: Mapping[str, Sequence[int]]) -> dict[str, Places]:
    """The places asked for; ConfigError for one outside its series, or where nothing is known."""
    for name, values in zip(series.ids, series.values, strict=True):
        places = origins[name]
        if len(places) == 0 or min(places) < 0 or max(places) >= len(values):
            raise ConfigError(
                f"origins: got {list(places)} for series {name!r}, expected places from 0 to"
                f" {len(values) - 1}"
            )
        known = int(np.argmax(np.isfinite(values)))
        if min(places) < known:
            raise ConfigError(
                f"origins: got {min(places)} for series {name!r}, whose first known value stands at"
                f" {known}; expected places from there on"
            )
    return {name: np.asarray(origins[name], dtype=np.int64) for name in series.ids}


def run_backtest(
    raw: Ask,
    forecasters: Mapping[str, Ask],
    series: SeriesSet,
    origins: Mapping[str, Places],
    levels: tuple[float, ...],
    horizon: int,
    columns: Columns,
    held_out: str,
) -> Backtest:
    """Ask everyone at the same origins, and score them on what came true there.

    Args:
        raw: the network without repair.
        forecasters: the network (first) and its rivals, by name.
        series, origins: where they forecast from.
        levels, horizon: of the forecasts.
        columns: names of the frame's columns.
        held_out: in words, what is forecast.
    """
    at = [origins[name] for name in series.ids]
    actual = [
        _after(values, places, horizon) for values, places in zip(series.values, at, strict=True)
    ]
    came = np.concatenate(actual)
    if not np.isfinite(came).any():
        raise DataError("nothing of what was forecast is known; give later data")
    units = [
        np.full(len(places), seasonal_scale(values[: places.min() + 1], series.frequency.season))
        for values, places in zip(series.values, at, strict=True)
    ]
    fans, scores = {}, {}
    for name, ask in forecasters.items():
        fans[name] = ask(series, at)
        pooled = np.concatenate(fans[name])
        scores[name] = score(came, pooled, levels, unit=np.concatenate(units))
    own = next(iter(fans.values()))
    return Backtest(
        _frame(series, at, actual, own, levels, horizon, columns),
        dict(zip(series.ids, at, strict=True)),
        dict(zip(series.ids, own, strict=True)),
        scores,
        audit(came, np.concatenate(raw(series, at)), levels),
        audit(came, np.concatenate(own), levels),
        held_out,
    )


def _after(values: Array, places: Places, horizon: int) -> Array:
    """`(O, K)`: what came after each place, NaN where nothing did."""
    ahead = places[:, None] + np.arange(1, horizon + 1)
    return np.where(ahead < len(values), values[np.minimum(ahead, len(values) - 1)], np.nan)


def _frame(
    series: SeriesSet,
    at: Sequence[Places],
    actual: Sequence[Array],
    fans: Sequence[Array],
    levels: tuple[float, ...],
    horizon: int,
    columns: Columns,
) -> polars.DataFrame:
    import polars as pl

    counts = [len(places) * horizon for places in at]
    cutoffs, times = [], []
    for own, places in zip(series.times, at, strict=True):
        beyond = np.concatenate([own, series.frequency.future(own[-1], horizon)])
        cutoffs.append(np.repeat(own[places], horizon))
        times.append(beyond[(places[:, None] + np.arange(1, horizon + 1)).ravel()])
    table = np.concatenate([fan.reshape(-1, len(levels)) for fan in fans])
    dated = series.frequency.dated

    def shown(stamps: list[np.ndarray]) -> np.ndarray:
        every = np.concatenate(stamps)
        return every if dated else every.astype(np.int64)

    found: dict[str, Any] = {
        columns.identity: pl.Series(series.ids, dtype=pl.String).gather(
            np.repeat(np.arange(len(series)), counts)
        ),
        "cutoff": shown(cutoffs),
        columns.time: shown(times),
        "y": np.concatenate([one.ravel() for one in actual]),
        "forecast": table[:, levels.index(0.5)],
    }
    return pl.DataFrame(found | {f"q{q:g}": table[:, i] for i, q in enumerate(levels)})
