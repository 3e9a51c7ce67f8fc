"""Series laid out flat, so that windows of many of them are gathered at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unrolled.data.series_set import SeriesSet
from unrolled.tasks.forecasting.engine import Places
from unrolled.tasks.forecasting.layout import KNOWN, VALUE
from unrolled.tasks.forecasting.reading import Floats, Reading
from unrolled.tasks.forecasting.scaling import Scale, fill_forward


class Panel:
    """Series as a windowed network reads them.

    Levels are in units of the series' own swing around its own centre. They are kept once, in
    float32, whatever number of windows is taken of them.

    Shapes: `N` series of `n` points, `L` lookback, `K` horizon, `B` windows, `C` channels.

    Args:
        series: what is read.
        scales: the scale of each series.
        reading: how covariates and times are read.
        horizon: how far behind the end of a series a window may reach.
        squared: whether errors are squared (see `_weights`).
    """

    def __init__(
        self,
        series: SeriesSet,
        scales: Sequence[Scale],
        reading: Reading,
        horizon: int,
        *,
        squared: bool = False,
    ) -> None:
        self.reading = reading
        self.layout = reading.layout
        self.scales = tuple(scales)
        self.lengths = series.lengths
        self.weights = _weights(self.scales, squared)
        self._begins = np.concatenate([[0], np.cumsum(self.lengths)])
        total = int(self._begins[-1])
        self._value = np.empty(total, dtype=np.float32)
        self._known = np.empty(total, dtype=bool)
        self._first = np.empty(len(series), dtype=np.int64)
        for place, (values, scale) in enumerate(zip(series.values, self.scales, strict=True)):
            rows = slice(self._begins[place], self._begins[place + 1])
            level = (scale.transform(values) - scale.centre) / scale.swing
            known = np.isfinite(level)
            self._first[place] = np.argmax(known) if known.any() else len(level)
            first = float(level[np.argmax(known)]) if known.any() else 0.0
            self._known[rows] = known
            self._value[rows] = fill_forward(level, first)
        self._past, self._future, self._static = None, None, None
        if reading.past_names:
            assert series.past is not None
            past = np.concatenate(series.past)
            self._past_known = np.isfinite(past).all(axis=1)
            self._past = reading.scaled(past, reading.past_names)
        if reading.future_names:
            assert series.future is not None
            counts = np.array([len(one) for one in series.future])
            self._future_begins = np.concatenate([[0], np.cumsum(counts)])
            self._future = reading.scaled(np.concatenate(series.future), reading.future_names)
        if reading.static_names:
            assert series.static is not None
            self._static = reading.scaled(series.static, reading.static_names)
        if self.layout.calendar:
            self._lay_out_calendar(series, horizon)

    def windows(
        self, series: Places, origins: Places, lookback: int, horizon: int, *, calendar: bool = True
    ) -> Floats:
        """Windows `(L + K, B, C)`, channels as in `Layout`.

        Args:
            series: which series each window is of, `(B,)`.
            origins: the place of the last value that is known, `(B,)`.
            lookback, horizon: `L` and `K`.
            calendar: fill the calendar's channels of the past rows, too.
        """
        layout, batch = self.layout, len(series)
        out = np.zeros((lookback + horizon, batch, layout.channels), dtype=np.float32)
        place = origins + np.arange(1 - lookback, 1)[:, None]
        there = place >= 0
        rows = self._begins[series] + np.maximum(place, 0)
        # The first known value stands in for what lies before it, but only once it has come.
        out[:lookback, :, VALUE] = self._value[rows] * (origins >= self._first[series])
        out[:lookback, :, KNOWN] = self._known[rows] & there
        if self._past is not None:
            known = (self._past_known[rows] & there)[..., None]
            channels = layout.past_channels
            out[:lookback, :, channels.start : channels.stop - 1] = (
                self._past[rows] * there[..., None]
            )
            out[:lookback, :, channels.stop - 1 : channels.stop] = known
            for channel in layout.categories:
                if channel < channels.stop:  # category 0 is one; none is -1
                    out[:lookback, :, channel][~there] = -1
                    out[lookback:, :, channel] = -1
        whole = origins + np.arange(1 - lookback, horizon + 1)[:, None]
        if self._future is not None:
            # Past the last row that was given, it stands in for those that are never answered.
            last = np.diff(self._future_begins)[series] - 1
            chosen = self._future_begins[series] + np.clip(whole, 0, last)
            begin = layout.future_channels.start
            out[:, :, begin : begin + layout.future] = self._future[chosen]
        if layout.calendar:
            told = whole if calendar else whole[lookback:]
            rows = self._calendar[self._ticks(series, told, origins)]
            out[-len(told) :, :, layout.calendar_channels] = rows * (told >= 0)[..., None]
        if self._static is not None:
            out[:, :, layout.static_channels] = self._static[series]
        return out

    def answers(
        self, series: Places, origins: Places, horizon: int, ends: Places | None = None
    ) -> Floats:
        """`(K, B)`: the scaled levels after each origin, NaN where not known or not before `ends`.

        Args:
            series, origins, horizon: as for `windows`.
            ends: for each window the place that nothing may be known of any more, `(B,)`.
        """
        place = origins + np.arange(1, horizon + 1)[:, None]
        stop = self.lengths[series] if ends is None else ends
        there = place < stop
        rows = self._begins[series] + np.minimum(place, self.lengths[series] - 1)
        return np.where(there & self._known[rows], self._value[rows], np.nan).astype(np.float32)

    def _lay_out_calendar(self, series: SeriesSet, horizon: int) -> None:
        """One table of the calendar for all series, and where in it each of them stands."""
        frequency = self.reading.frequency
        first = min(times[0] for times in series.times)
        ends = np.stack([times[[0, -1]] for times in series.times])
        ticks = frequency.positions(ends.ravel(), first).reshape(ends.shape)
        self._starts = ticks[:, 0]
        self._steps: Places | None = None
        if (ticks[:, 1] - ticks[:, 0] != self.lengths - 1).any():
            # Weekdays without a value (holidays) are no gaps: the places are not one step apart.
            self._steps = np.concatenate([frequency.positions(times) for times in series.times])
        self._calendar = self.reading.calendar(
            frequency.grid(first, int(ticks.max()) + 1 + horizon)
        )

    def _ticks(self, series: Places, place: Places, origins: Places) -> Places:
        """Rows of the calendar's table for places of series, also before and behind them.

        Behind its origin a window stands at the times that a forecast is made for: that there will
        be no value on some weekday is not known yet.
        """
        if self._steps is None:
            tick = self._starts[series] + place
        else:
            inside = self._steps[self._begins[series] + np.clip(place, 0, origins)]
            tick = self._starts[series] + inside + np.maximum(place - origins, 0)
        return np.clip(tick, 0, len(self._calendar) - 1)


def _weights(scales: Sequence[Scale], squared: bool) -> Floats:
    """How much the windows of each series count, `(N,)`.

    In logarithms a change is a share of the value, which all series have in common: half of what
    counts is the error in units of the series' own swing, half the error as a share. A squared
    error counts in the series' variance, which a mean over series is customarily taken in: one
    that swings little around its season would decide otherwise.
    """
    swings = np.array([scale.swing for scale in scales])
    if squared:
        shares = (swings / np.array([scale.spread for scale in scales])) ** 2
        return (shares / shares.mean()).astype(np.float32)
    logs = np.array([scale.log and scale.offset == 0 for scale in scales])
    if not logs.any():
        return np.ones(len(scales), dtype=np.float32)
    weights = np.where(logs, 1 + swings / np.median(swings[logs]), 2.0) / 2
    return weights.astype(np.float32)
