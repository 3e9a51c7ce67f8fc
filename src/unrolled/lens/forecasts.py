"""Forecasts as records that can be drawn: from the frames that `predict` and `backtest` give."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.records import MEDIAN, Fan, ForecastPanel, ForecastSeries

if TYPE_CHECKING:
    import polars

    from unrolled.data.series_set import SeriesSet

# Series that one picture shows, and steps of history before its first fan: so many horizons, and
# never fewer than so many steps.
MOST_SERIES, HORIZONS, FEWEST = 4, 3, 48
_LEVEL = re.compile(r"q(0?\.\d+)")


def forecast_panel(
    history: SeriesSet, forecast: polars.DataFrame, *, most: int = MOST_SERIES, unit: str = ""
) -> ForecastPanel:
    """What a picture of forecasts shows: the end of each history, and the fans.

    Args:
        history: what was known.
        forecast: the frame of `Forecaster.predict` or of a `Backtest`: names, times, `forecast`, a
            column for each level (`q0.05`, ...), and in a backtest `cutoff`, the last time that was
            known to the fan.
        most: series that are shown, the first ones of the frame.
        unit: of the values.

    Raises:
        ConfigError: no forecast of any of the series.
    """
    levels = {found[1]: name for name in forecast.columns if (found := _LEVEL.fullmatch(name))}
    plain = ("cutoff", "y", "forecast", *levels.values())
    identity, time = [name for name in forecast.columns if name not in plain][:2]
    wanted = set(history.ids)
    names = [name for name in forecast[identity].unique(maintain_order=True) if name in wanted]
    if not names:
        raise ConfigError("the frame holds no forecast of the series; give those it was made from")
    chosen = forecast.filter(forecast[identity].is_in(names[:most]))
    parts = chosen.partition_by(identity, maintain_order=True)
    shown = [
        _series(history.select([name]), part, time, levels)
        for name, part in zip(names, parts, strict=False)
    ]
    steps = len(shown[0].fans[0].ds)
    ahead = f"{steps:,} step{'s' if steps > 1 else ''} ahead"
    several = f"{len(names):,} series"
    if len(shown) < len(names):
        several = f"the first {len(shown)} of {several}"
    title = f"{ahead}: {names[0] if len(names) == 1 else several}"
    return ForecastPanel(title, unit, "", shown)


def _series(
    history: SeriesSet, rows: polars.DataFrame, time: str, levels: dict[str, str]
) -> ForecastSeries:
    times = history.times[0]
    moments = _told(times, history)
    known = dict(zip(moments, _plain(history.values[0]), strict=True))
    groups = [rows]
    if "cutoff" in rows.columns:
        groups = rows.partition_by("cutoff", maintain_order=True)
    fans, horizon, first = [], 0, len(times)
    for group in groups:
        ds = _told(_stamps(group, time), history)
        origin = len(times) - 1
        if "cutoff" in rows.columns:
            origin = int(np.searchsorted(times, _stamps(group, "cutoff")[0]))
        quantiles = {MEDIAN: group["forecast"].to_list()}
        quantiles |= {f"{float(q):g}": group[name].to_list() for q, name in levels.items()}
        fans.append(Fan(ds, quantiles, [known.get(one) for one in ds], moments[origin]))
        horizon, first = max(horizon, len(ds)), min(first, origin)
    begin = moments[max(0, first - max(HORIZONS * horizon, FEWEST)) :]
    return ForecastSeries(history.ids[0], begin, [known[one] for one in begin], fans)


def _stamps(rows: polars.DataFrame, name: str) -> np.ndarray:
    return rows[name].to_numpy().astype("datetime64[us]")


def _told(times: np.ndarray, history: SeriesSet) -> list[str]:
    if not history.frequency.dated:
        return [str(one) for one in times.astype(np.int64)]
    return [str(one) for one in np.datetime_as_string(times, unit="s")]


def _plain(values: np.ndarray) -> list[float | None]:
    return [float(one) if np.isfinite(one) else None for one in values]
