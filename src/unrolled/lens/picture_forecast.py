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

# How dark each band is drawn, the widest first, and how dark it then looks on those below it.
_ALPHAS, _STACKED = (0.18, 0.27, 0.27), (0.18, 0.42, 0.5)


def draw_fans(
    axes: Axes,
    panel: ForecastPanel,
    index: int,
    *,
    before: int | None = None,
    most: int = 6,
    key: float | None = 1.0,
) -> None:
    """Draw series `index` of `panel` into `axes`.

    Args:
        axes: to draw into.
        panel: the data set.
        index: of the series.
        before: steps of the past before the first fan; None: two horizons, so that the eye has a
            line to come from.
        most: fans at most, the last ones of which none lies over another.
        key: where the foot of the key stands, 1 being the top of the axes; None: no key.
    """
    if not 0 <= index < len(panel.series) or not panel.series[index].fans:
        raise ConfigError(
            f"{panel.name!r} has no fans in series {index}; give a series that was forecast"
        )
    series = panel.series[index]
    place = _places(series)
    fans = _apart(series, place, most)
    past = 2 * len(fans[-1].ds) if before is None else before
    start = place[series.ds[max(0, series.ds.index(fans[0].origin) - past)]]
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
        _draw_fan(axes, fan, place, observed.get(fan.origin))
    axes.plot(times, values, color=INK, lw=1.0, zorder=3)
    _mark(axes, times, values, _alone(values), color=INK, size=1.8)
    first = place[fans[0].origin]
    came = np.array([t > first for t in times], dtype=bool) & np.isfinite(values)
    # Dots that would run into each other are drawn small.
    _mark(axes, times, values, came, color=OTHER, size=3.1 if came.sum() <= 120 else 1.4)

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
    _amounts(axes)
    if key is not None:
        _forecast_key(axes, fans[-1], key, came=bool(came.any()))


def _draw_fan(axes: Axes, fan: Fan, place: dict[str, Any], origin: float | None) -> None:
    at = [*([place[fan.origin]] if origin is not None else []), *(place[ds] for ds in fan.ds)]
    before = [] if origin is None else [origin]
    for (low, high), alpha in zip(_bands(fan), _ALPHAS, strict=False):
        axes.fill_between(
            at,
            [*before, *fan.quantiles[low]],
            [*before, *fan.quantiles[high]],
            color=NETWORK,
            alpha=alpha,
            lw=0,
        )
    if MEDIAN in fan.quantiles:
        # The line of a single step that nothing precedes has no length: a dot stands for it.
        dot = "o" if len(at) == 1 else None
        axes.plot(at, [*before, *fan.quantiles[MEDIAN]], color=NETWORK, lw=1.4, marker=dot, ms=3)
    axes.axvline(place[fan.origin], color=QUIET, lw=0.5, ls=(0, (3, 3)), alpha=0.5)


def _mark(
    axes: Axes,
    times: list[Any],
    values: np.ndarray,
    which: np.ndarray,
    *,
    color: str,
    size: float,
) -> None:
    at = np.flatnonzero(which)
    axes.plot(
        [times[k] for k in at],
        values[at],
        "o",
        ms=size,
        mfc=color,
        mec=PAPER,
        mew=0.5 if size > 2 else 0,
        zorder=4,
        clip_on=False,
    )


def _alone(values: np.ndarray) -> np.ndarray:
    """Known values between missing ones, which a line would not show."""
    known = np.pad(np.isfinite(values), 1)
    return known[1:-1] & ~known[:-2] & ~known[2:]


def _forecast_key(axes: Axes, fan: Fan, foot: float, *, came: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    dots = {"marker": "o", "ms": 3.1, "mfc": OTHER, "mec": PAPER, "mew": 0.5} if came else {}
    handles: list[Any] = [Line2D([], [], color=INK, lw=1.0, **dots)]  # type: ignore[arg-type]
    labels = ["what came true" if came else "observed"]
    if MEDIAN in fan.quantiles:
        handles.append(Line2D([], [], color=NETWORK, lw=1.4))
        labels.append("median forecast")
    for (low, high), alpha in reversed(list(zip(_bands(fan), _STACKED, strict=False))):
        handles.append(Patch(color=NETWORK, alpha=alpha, lw=0))
        labels.append(f"{round(100 * (float(high) - float(low)))}% of outcomes")
    axes.legend(
        handles,
        labels,
        loc="lower right",
        bbox_to_anchor=(1.0, foot),
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
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        # The year or month that the ticks leave out.
        axes.xaxis.get_offset_text().set(fontsize=6.5, color=QUIET)
        return
    names = list(places)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda at, _: names[round(at)] if 0 <= round(at) < len(names) else "")
    )


def _amounts(axes: Axes) -> None:
    """Numbers along the side that are short, and never a power of ten in a corner."""
    from matplotlib.ticker import FuncFormatter, ScalarFormatter

    largest = max(map(abs, axes.get_ylim()))
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if largest >= 10 * size or (size > 1e3 and largest >= size):
            axes.yaxis.set_major_formatter(
                FuncFormatter(lambda at, _, size=size, letter=letter: _short(at / size, letter))
            )
            return
    plain = ScalarFormatter(useOffset=False)
    plain.set_scientific(False)
    axes.yaxis.set_major_formatter(plain)


def _short(amount: float, letter: str) -> str:
    return f"{amount:g}{letter if amount else ''}".replace("-", "\N{MINUS SIGN}")


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
    """Pairs of quantiles around the median, the widest first; of many the outermost, the innermost
    and the one nearest to 80%, for more can't be told apart."""
    levels = sorted(fan.quantiles, key=float)
    found = [
        (low, high)
        for low in levels
        for high in levels
        if float(low) < 0.5 and abs(float(low) + float(high) - 1) < 1e-6
    ]
    if len(found) <= len(_ALPHAS):
        return found
    middle = min(found[1:-1], key=lambda pair: abs(float(pair[0]) - 0.1))
    return [found[0], middle, found[-1]]
