"""Fans at rolling origins, one after the other, over the line of what came true."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.ink import INK, NETWORK, OTHER, PAPER, QUIET, RULE
from unrolled.lens.records import MEDIAN, Fan, ForecastPanel, ForecastSeries

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_fans(axes: Axes, panel: ForecastPanel, index: int) -> None:
    """Draw series `index` of `panel` into `axes`."""
    if not 0 <= index < len(panel.series) or not panel.series[index].fans:
        raise ConfigError(
            f"{panel.name!r} has no fans in series {index}; give a series that was forecast"
        )
    series = panel.series[index]
    place = _places(series)
    fans = _apart(series, place, most=6)
    horizon = len(fans[-1].ds)
    # Two horizons of the past before the first fan, so that the eye has a line to come from.
    start = place[series.ds[max(0, series.ds.index(fans[0].origin) - 2 * horizon)]]
    end = place[fans[-1].ds[-1]]
    known = [
        (place[ds], y)
        for ds, y in zip(series.ds, series.y, strict=True)
        if start <= place[ds] <= end
    ]
    times = [t for t, _ in known]
    values = np.array([np.nan if y is None else y for _, y in known], dtype=float)

    observed = dict(zip(series.ds, series.y, strict=True))
    for fan in fans:
        origin = observed.get(fan.origin)
        at = [*([place[fan.origin]] if origin is not None else []), *(place[ds] for ds in fan.ds)]
        before = [] if origin is None else [origin]
        for (low, high), alpha in zip(_bands(fan), (0.18, 0.27, 0.27), strict=False):
            axes.fill_between(
                at,
                [*before, *fan.quantiles[low]],
                [*before, *fan.quantiles[high]],
                color=NETWORK,
                alpha=alpha,
                lw=0,
            )
        if MEDIAN in fan.quantiles:
            axes.plot(at, [*before, *fan.quantiles[MEDIAN]], color=NETWORK, lw=1.4)
        axes.axvline(place[fan.origin], color=QUIET, lw=0.5, ls=(0, (3, 3)), alpha=0.5)
    axes.plot(times, values, color=INK, lw=1.0, zorder=3)
    first = place[fans[0].origin]
    came = [k for k, t in enumerate(times) if t > first]
    axes.plot(
        [times[k] for k in came],
        values[came],
        "o",
        ms=3.1,
        mfc=OTHER,
        mec=PAPER,
        mew=0.5,
        zorder=4,
        clip_on=False,
    )

    axes.set_xlim(start, end)
    axes.margins(y=0.08)
    axes.grid(axis="y", color=RULE, lw=0.6)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0, labelsize=6.5, labelcolor=QUIET)
    axes.text(
        0,
        1.03,
        panel.unit,
        transform=axes.transAxes,
        fontsize=6.5,
        color=QUIET,
        ha="right",
        va="bottom",
    )
    _dates(axes, series)
    _forecast_key(axes, fans[-1])


def _forecast_key(axes: Axes, fan: Fan) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], color=INK, lw=1.0, marker="o", ms=3.1, mfc=OTHER, mec=PAPER, mew=0.5),
        Line2D([], [], color=NETWORK, lw=1.4),
    ]
    labels = ["what came true", "median forecast"]
    for (low, high), alpha in reversed(list(zip(_bands(fan), (0.18, 0.42, 0.5), strict=False))):
        handles.append(Patch(color=NETWORK, alpha=alpha, lw=0))
        labels.append(f"{round(100 * (float(high) - float(low)))}% of outcomes")
    axes.legend(
        handles,
        labels,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=len(labels),
        frameon=False,
        fontsize=6.5,
        labelcolor=QUIET,
        handlelength=1.6,
        columnspacing=1.4,
        borderpad=0.2,
        handletextpad=0.6,
    )


def _places(series: ForecastSeries) -> dict[str, Any]:
    """Each time's place on the axis: a date where all are dates, otherwise its number."""
    times = dict.fromkeys(
        [*series.ds, *(ds for fan in series.fans for ds in (fan.origin, *fan.ds))]
    )
    try:
        return {ds: datetime.fromisoformat(ds) for ds in times}
    except ValueError:
        return {ds: k for k, ds in enumerate(times)}


def _dates(axes: Axes, series: ForecastSeries) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    places = _places(series)
    if isinstance(next(iter(places.values())), datetime):
        locator = AutoDateLocator(minticks=4, maxticks=9)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
        return
    names = list(places)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda at, _: names[round(at)] if 0 <= round(at) < len(names) else "")
    )


def _apart(series: ForecastSeries, place: dict[str, Any], most: int) -> list[Fan]:
    """The last fans of which none lies over another, at most `most`, oldest first."""
    found: list[Fan] = []
    for fan in reversed(series.fans):
        if not found or place[fan.ds[-1]] <= place[found[-1].origin]:
            found.append(fan)
        if len(found) == most:
            break
    return found[::-1]


def _bands(fan: Fan) -> list[tuple[str, str]]:
    """Pairs of quantiles around the median, the widest first."""
    levels = sorted(fan.quantiles, key=float)
    return [
        (low, high)
        for low in levels
        for high in levels
        if float(low) < 0.5 and abs(float(low) + float(high) - 1) < 1e-6
    ]
