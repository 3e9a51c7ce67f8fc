"""Windows gathered from many series at once are those that a plain loop cuts out of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.calendar import calendar_features
from unrolled.data.series_set import SeriesSet
from unrolled.tasks.forecasting import windows
from unrolled.tasks.forecasting.layout import KNOWN, VALUE
from unrolled.tasks.forecasting.panel import Panel
from unrolled.tasks.forecasting.reading import Reading
from unrolled.tasks.forecasting.scaling import Scale
from unrolled.tasks.forecasting.windows import OriginBatches, Span, learning_span

L, K = 10, 4


def _scales(series: SeriesSet) -> list[Scale]:
    return [Scale.of(values, log=False, season=7) for values in series.values]


def _panel(series: SeriesSet) -> Panel:
    # Short as these series are, they teach nothing of the year; it is tested all the same.
    reading = replace(Reading.of(series, list(series.lengths)), yearly=True)
    return Panel(series, _scales(series), reading, K)


def _row_by_loop(panel: Panel, series: SeriesSet, i: int, origin: int, step: int) -> np.ndarray:
    """One row of one window, its place `step` after the origin, with nothing but indexing."""
    reading, scale = panel.reading, panel.scales[i]
    place = origin + step
    row: list[float] = []
    level = (scale.transform(series.values[i]) - scale.centre) / scale.swing
    if step > 0:
        row += [0.0, 0.0]
    else:
        # What lies before the first known value is that value, once it has come.
        known = np.flatnonzero(np.isfinite(level[: origin + 1]))
        before = known[known <= max(place, 0)]
        if not len(known):
            row.append(0.0)
        else:
            row.append(level[before[-1]] if len(before) else level[known[0]])
        row.append(float(place >= 0 and np.isfinite(level[max(place, 0)])))
    if reading.past_names:
        assert series.past is not None
        if step > 0 or place < 0:
            row += [-1.0 if name in reading.categories else 0.0 for name in reading.past_names]
            row.append(0.0)
        else:
            own = series.past[i][place]
            row += reading.scaled(own[None], reading.past_names)[0].tolist()
            row.append(float(np.isfinite(own).all()))
    if reading.future_names:
        assert series.future is not None
        told = series.future[i]
        own = told[min(max(place, 0), len(told) - 1)]
        row += reading.scaled(own[None], reading.future_names)[0].tolist()
    if place < 0:
        row += [0.0] * panel.layout.calendar
    else:
        # Ahead the times are those of a forecast, which does not know of a holiday.
        times = series.times[i]
        time = times[place] if step <= 0 else series.frequency.future(times[origin], K)[step - 1]
        row += calendar_features(np.array([time]), series.frequency)[0].tolist()
    if reading.static_names:
        assert series.static is not None
        row += reading.scaled(series.static[i][None], reading.static_names)[0].tolist()
    return np.array(row)


def _check(series: SeriesSet, panel: Panel) -> None:
    which = np.repeat(np.arange(len(series)), series.lengths)
    origins = np.concatenate([np.arange(n) for n in series.lengths])
    shuffled = np.random.default_rng(1).permutation(len(which))
    which, origins = which[shuffled], origins[shuffled]
    made = panel.windows(which, origins, L, K)
    assert made.shape == (L + K, len(which), panel.layout.channels)
    assert made.dtype == np.float32
    for b, (i, origin) in enumerate(zip(which, origins, strict=True)):
        for row in range(L + K):
            expected = _row_by_loop(panel, series, i, origin, row - L + 1)
            np.testing.assert_allclose(
                made[row, b], expected, atol=2e-5, err_msg=f"series {i}, origin {origin}, row {row}"
            )


def test_windows_with_covariates_and_gaps_are_those_of_a_loop(beside: SeriesSet) -> None:
    _check(beside, _panel(beside))


@pytest.mark.parametrize("frequency", ["D", "h", "15min", "W", "MS", "MS@31", "QS", "B"])
def test_the_calendar_is_right_for_series_that_begin_at_different_times(
    weekly: Callable[..., np.ndarray], frequency: str
) -> None:
    whole = SeriesSet.from_arrays(weekly(45), frequency=frequency)
    unit, first = whole.frequency, whole.times[0][0]
    if frequency == "MS@31":
        first = np.datetime64("2001-01-31", "us")
    starts, lengths = (0, 17, 5), (20, 26, 31)
    times = [unit.grid(unit.at(first, s)[()], n) for s, n in zip(starts, lengths, strict=True)]
    series = SeriesSet.from_arrays(
        [weekly(n, seed=n) for n in lengths], times=times, frequency=unit
    )
    panel = _panel(series)
    assert panel.layout.calendar > 0
    _check(series, panel)


def test_a_weekday_without_a_value_is_no_step_but_moves_the_calendar(
    weekly: Callable[..., np.ndarray],
) -> None:
    days = np.busday_offset("2024-01-01", np.arange(50)).astype("datetime64[us]")
    times = [np.delete(days[:30], [7, 20]), np.delete(days[4:], [3, 4, 29])]
    series = SeriesSet.from_arrays([weekly(28), weekly(43)], times=times)
    assert series.frequency.code == "B"
    _check(series, _panel(series))


def test_points_without_dates_have_no_calendar(weekly: Callable[..., np.ndarray]) -> None:
    series = SeriesSet.from_arrays([weekly(12), weekly(20)])
    assert _panel(series).layout.calendar == 0
    _check(series, _panel(series))


def test_before_the_first_known_value_nothing_of_it_is_seen() -> None:
    values = np.arange(20.0)
    values[:6] = np.nan
    made = _panel(SeriesSet.from_arrays(values)).windows(np.zeros(2, int), np.array([3, 6]), L, K)
    assert (made[:, 0, [VALUE, KNOWN]] == 0).all()
    assert made[L - 1, 1, KNOWN] == 1
    assert made[L - 2, 1, VALUE] == made[L - 1, 1, VALUE] != 0


def test_a_window_does_not_see_a_value_behind_its_origin(beside: SeriesSet) -> None:
    panel = _panel(beside)
    assert beside.past is not None
    later = replace(
        beside,
        values=tuple(np.where(np.arange(len(v)) > 40, 1e6, v) for v in beside.values),
        past=tuple(np.where(np.arange(len(p))[:, None] > 40, 2.0, p) for p in beside.past),
    )
    changed = Panel(later, panel.scales, panel.reading, K)
    at = np.array([0, 25, 40, 41])
    for i in range(2):
        one, other = (made.windows(np.full(4, i), at, L, K) for made in (panel, changed))
        np.testing.assert_array_equal(one[:, :3], other[:, :3])
        assert (one[:, 3] != other[:, 3]).any()


def test_answers_are_the_known_levels_after_the_origin_and_before_the_end(
    beside: SeriesSet,
) -> None:
    panel = _panel(beside)
    for i, values in enumerate(beside.values):
        scale = panel.scales[i]
        level = (values - scale.centre) / scale.swing
        for origin in range(len(values)):
            for end in (len(values), 50, 30):
                found = panel.answers(
                    np.array([i]), np.array([origin]), K, np.array([min(end, len(values))])
                )
                expected = [
                    level[p] if p < min(end, len(values)) else np.nan
                    for p in range(origin + 1, origin + 1 + K)
                ]
                np.testing.assert_allclose(found[:, 0], expected, rtol=1e-5)
    assert np.isnan(panel.answers(np.array([0]), np.array([19]), K)[:2]).all()  # a gap


SPANS = st.lists(st.tuples(st.integers(0, 9), st.integers(-3, 12)), min_size=1, max_size=6).map(
    lambda pairs: Span(
        np.array([first for first, _ in pairs]),
        np.array([first + more - 1 for first, more in pairs]),
        np.full(len(pairs), 99),
    )
)


@given(SPANS)
def test_the_nth_origin_is_that_of_counting_through_all_series(span: Span) -> None:
    every = [
        (i, place)
        for i, (first, last) in enumerate(zip(span.first, span.last, strict=True))
        for place in range(first, last + 1)
    ]
    assert span.counts.sum() == len(every)
    series, places = span.origins(np.arange(len(every)))
    assert list(zip(series.tolist(), places.tolist(), strict=True)) == every
    spread = span.spread(5)
    assert len(spread) == min(5, len(every))
    if len(every):
        assert spread[-1] == len(every) - 1


@given(
    ends=st.lists(st.integers(3, 60), min_size=1, max_size=5),
    tested=st.integers(0, 30),
    lookback=st.integers(1, 40),
    horizon=st.integers(1, 9),
)
def test_no_answer_that_is_learnt_is_tested(
    ends: list[int], tested: int, lookback: int, horizon: int
) -> None:
    stop = np.array(ends)
    begins = np.maximum(stop - tested, 3)
    learn, test = learning_span(begins, lookback), windows.testing_span(begins, stop, horizon)
    for i in range(len(stop)):
        learnt = {
            origin + k
            for origin in range(learn.first[i], learn.last[i] + 1)
            for k in range(1, horizon + 1)
            if origin + k < learn.ends[i]
        }
        scored = {
            origin + k
            for origin in range(test.first[i], test.last[i] + 1)
            for k in range(1, horizon + 1)
        }
        assert not learnt & scored
        assert all(place < begins[i] for place in learnt)
        assert all(begins[i] <= place < stop[i] for place in scored)
        if stop[i] - begins[i] >= horizon:
            assert scored == set(range(begins[i], stop[i]))
        assert learnt, "every series teaches something"


def _batches(series: SeriesSet, seed: int = 3, **options: object) -> OriginBatches:
    panel = _panel(series)
    span = learning_span(np.array([40, 50]), L)
    given = {"lookback": L, "horizon": K, "batch_size": 16, "seed": seed, **options}
    return OriginBatches(panel, span, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("teach", [None, "window"])
def test_a_batch_depends_on_its_seed_and_its_step_alone(
    beside: SeriesSet, teach: str | None
) -> None:
    one, other = _batches(beside, teach=teach), _batches(beside, teach=teach)
    later = one[9]
    for step in (9, 0, 4):
        torch.testing.assert_close(one[step].inputs, other[step].inputs, rtol=0, atol=0)
        torch.testing.assert_close(
            one[step].targets, other[step].targets, rtol=0, atol=0, equal_nan=True
        )
    torch.testing.assert_close(one[9].inputs, later.inputs, rtol=0, atol=0)
    assert not torch.equal(one[9].inputs, one[8].inputs)
    assert not torch.equal(one[9].inputs, _batches(beside, seed=4, teach=teach)[9].inputs)


def test_every_origin_is_drawn_as_often_as_any_other(beside: SeriesSet) -> None:
    batches = _batches(beside, batch_size=200)
    drawn = np.concatenate(
        [np.random.default_rng((3, step)).integers(0, batches.windows, 200) for step in range(40)]
    )
    counts = np.bincount(drawn, minlength=batches.windows)
    expected = 8000 / batches.windows
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected)).all()
    torch.testing.assert_close(
        batches[2].inputs, batches.batch(drawn[400:600]).inputs, rtol=0, atol=0
    )


def test_what_is_taught_is_the_values_of_every_row(beside: SeriesSet) -> None:
    plain, taught = _batches(beside), _batches(beside, teach="window")
    nth = np.array([0, 11, 30])
    rows, lesson = plain.batch(nth), taught.batch(nth)
    assert lesson.inputs.shape == (L + K, 3, rows.inputs.shape[-1] + 2)
    assert lesson.targets is not None
    assert rows.targets is not None
    answers = rows.targets[..., 0]
    value, location, scale = lesson.targets.unbind(-1)
    known = torch.cat([rows.inputs[:L, :, KNOWN] > 0, ~answers.isnan()])
    assert torch.equal(~value.isnan(), known)
    torch.testing.assert_close(value[L:], answers, equal_nan=True)
    past = torch.where(known[:L], rows.inputs[:L, :, VALUE], torch.nan)
    torch.testing.assert_close(value[:L], past, equal_nan=True)
    assert torch.equal(lesson.inputs[..., -1] > 0, known)
    standard = torch.where(known, (value - location) / scale, 0.0)
    torch.testing.assert_close(lesson.inputs[..., -2], standard)
    # What the network reads itself is in the same unit, and 0 ahead.
    torch.testing.assert_close(
        lesson.inputs[:L, :, VALUE] * scale[:L] + location[:L], rows.inputs[:L, :, VALUE]
    )
    assert (lesson.inputs[L:, :, VALUE] == 0).all()


def test_every_answer_comes_with_how_much_its_series_counts(beside: SeriesSet) -> None:
    batches = _batches(beside)
    series, origins = batches.span.origins(np.arange(batches.windows))
    batch = batches.batch(np.arange(batches.windows))
    assert batch.targets is not None
    answers = batches.panel.answers(series, origins, K, np.array([40, 50])[series])
    np.testing.assert_array_equal(batch.targets[..., 0], answers)
    assert (batch.targets[..., 1] == 1).all()
    # In logarithms, half of it by how large its changes are beside those of the others.
    scales = [
        replace(s, log=True, offset=0.0, swing=w)
        for s, w in zip(_scales(beside), (1.0, 3.0), strict=True)
    ]
    loud = Panel(beside, scales, batches.panel.reading, K)
    np.testing.assert_allclose(loud.weights, [(1 + 1 / 2) / 2, (1 + 3 / 2) / 2])


@pytest.mark.parametrize("teach", [None, "last"])
def test_hidden_ends_are_unknown_and_hold_the_last_value_before(teach: Any) -> None:
    series = SeriesSet.from_arrays({"a": np.arange(80.0), "b": 5.0 * np.arange(70.0)})
    panel = _panel(series)
    span = learning_span(series.lengths, L)
    given: dict[str, Any] = {"lookback": L, "horizon": K, "batch_size": 200, "seed": 3}
    whole = OriginBatches(panel, span, **given, teach=teach)[0]
    hidden = OriginBatches(panel, span, **given, teach=teach, gaps=0.5)[0]
    known = hidden.inputs[:L, :, KNOWN]
    fewer = (whole.inputs[:L, :, KNOWN] - known).sum(dim=0)
    assert 0.35 < float((fewer > 0).float().mean()) < 0.65
    assert fewer.max() <= L // 2
    for b, count in enumerate(fewer.int().tolist()):
        assert not known[L - count :, b].any()
        value = hidden.inputs[:L, b, VALUE]
        assert (value[L - count :] == value[L - count - 1]).all()
    assert whole.targets is not None
    assert hidden.targets is not None
    if teach is None:
        torch.testing.assert_close(hidden.targets, whole.targets, equal_nan=True)
    else:
        # What is hidden is no lesson of a network that is taught every row.
        assert torch.equal(hidden.targets[:L, :, 0].isnan(), known == 0)


def test_hidden_ends_depend_on_seed_and_step_alone() -> None:
    series = SeriesSet.from_arrays(np.arange(80.0))
    given: dict[str, Any] = {"lookback": L, "horizon": K, "batch_size": 50, "gaps": 0.5}
    span = learning_span(series.lengths, L)
    one, other = (OriginBatches(_panel(series), span, **given, seed=1) for _ in range(2))
    other[0]
    assert torch.equal(one[7].inputs, other[7].inputs)
