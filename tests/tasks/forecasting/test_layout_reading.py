"""Which channel is what, how categories become numbers, and how a table is read."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.forecasting.layout import Embed, Layout
from unrolled.tasks.forecasting.reading import Reading


def _reading(series: SeriesSet) -> Reading:
    return Reading.of(series, list(series.lengths))


def test_the_channels_follow_each_other_without_a_hole() -> None:
    layout = Layout(past=2, future=1, calendar=3, static=2)
    assert layout.past_channels == slice(2, 5)
    assert layout.future_channels == slice(5, 9)
    assert layout.calendar_channels == slice(6, 9)
    assert layout.static_channels == slice(9, 11)
    assert layout.channels == 11
    # Without past covariates there is no channel that says whether they are known.
    assert Layout(future=1).future_channels == slice(2, 3)
    assert Layout().channels == 2


def test_a_table_is_laid_out_in_the_order_of_its_names(beside: SeriesSet) -> None:
    layout = _reading(beside).layout
    calendar = _reading(beside).calendar(beside.times[0]).shape[1]
    assert calendar > 0
    assert layout.past_channels == slice(2, 5)
    assert layout.calendar_channels == slice(7, 7 + calendar)
    assert layout.static_channels == slice(7 + calendar, 9 + calendar)
    # rain, sky | known | offer, shop | calendar | size, region
    assert layout.categories == {3: 3, 6: 2, 8 + calendar: 2}


def test_a_category_is_replaced_by_its_own_row_of_the_table() -> None:
    embed = Embed(Layout(past=3, categories={3: 4}), slice(2, 6))
    table = embed.tables["1"].weight  # type: ignore[union-attr]
    assert len(table) == 5
    rows = torch.zeros(2, 3, 6)
    rows[..., 2], rows[..., 4], rows[..., 5] = 7.0, 8.0, 1.0
    rows[0, :, 3] = torch.tensor([0.0, 3.0, 1.0])
    out = embed(rows)
    assert out.shape == (2, 3, embed.size) == (2, 3, 3 + table.shape[1])
    torch.testing.assert_close(out[..., :3], torch.tensor([7.0, 8.0, 1.0]).expand(2, 3, 3))
    torch.testing.assert_close(out[0, :, 3:], table[[0, 3, 1]])


@pytest.mark.parametrize("unknown", [-1.0, float("nan"), 4.0, 99.0])
def test_a_category_that_is_not_known_takes_the_last_row(unknown: float) -> None:
    embed = Embed(Layout(static=1, categories={2: 4}), slice(2, 3))
    out = embed(torch.tensor([[0.0, 0.0, unknown]]))
    torch.testing.assert_close(out[0], embed.tables["0"].weight[4])  # type: ignore[union-attr, index]
    out.sum().backward()
    assert embed.tables["0"].weight.grad[:4].abs().sum() == 0  # type: ignore[union-attr, index]


def test_two_tables_of_one_part_do_not_mix() -> None:
    embed = Embed(Layout(future=3, categories={2: 2, 4: 3}), slice(2, 5))
    one, two = embed.tables["0"].weight, embed.tables["2"].weight  # type: ignore[union-attr]
    out = embed(torch.tensor([0.0, 0.0, 1.0, 5.0, 2.0]))
    torch.testing.assert_close(out, torch.cat([torch.tensor([5.0]), one[1], two[2]]))


def test_numbers_are_read_in_standard_deviations_of_the_training_part(beside: SeriesSet) -> None:
    cuts = [40, 50]
    reading = Reading.of(beside, cuts)
    assert beside.past is not None
    known = np.concatenate([one[:cut, 0] for one, cut in zip(beside.past, cuts, strict=True)])
    assert reading.centres["rain"] == pytest.approx(np.nanmean(known))
    assert reading.spreads["rain"] == pytest.approx(np.nanstd(known))
    assert "sky" not in reading.centres
    scaled = reading.scaled(np.array([[np.nan, 2.0], [1e9, np.nan]]), ("rain", "sky"))
    np.testing.assert_allclose(scaled, [[0.0, 2.0], [5.0, -1.0]])


def test_what_is_read_does_not_depend_on_what_is_held_out(beside: SeriesSet) -> None:
    cuts = [40, 50]
    assert beside.past is not None
    assert beside.future is not None
    for arrays in (beside.past, beside.future):
        before = Reading.of(beside, cuts)
        for one, cut in zip(arrays, cuts, strict=True):
            one[cut:, 0] += 1e6
        after = Reading.of(beside, cuts)
        for one, cut in zip(arrays, cuts, strict=True):
            one[cut:, 0] -= 1e6
        assert before == after


def test_a_constant_or_unknown_covariate_has_a_spread_of_one() -> None:
    series = SeriesSet.from_arrays(
        np.arange(5.0), past={"same": np.full(5, 3.0), "nothing": np.full(5, np.nan)}
    )
    reading = Reading.of(series, [5])
    assert reading.spreads == {"same": 1.0, "nothing": 1.0}
    scaled = reading.scaled(np.array([[3.0, np.nan]]), ("same", "nothing"))
    np.testing.assert_array_equal(scaled, [[0.0, 0.0]])


@pytest.mark.parametrize("holidays", [None, "DE"])
def test_a_reading_survives_json(beside: SeriesSet, holidays: str | None) -> None:
    if holidays is not None:
        pytest.importorskip("holidays")
    reading = Reading.of(beside, [40, 50], holidays)
    back = Reading.from_dict(json.loads(json.dumps(reading.to_dict())))
    assert back == reading
    assert back.layout == reading.layout


def test_covariates_of_one_step_are_told_by_name(beside: SeriesSet) -> None:
    reading = _reading(beside)
    told = reading.row("past", {"sky": "rainy", "rain": 2})
    np.testing.assert_array_equal(told, [2.0, beside.categories["sky"].index("rainy")])
    both = reading.rows("future", {"offer": [0, 1], "shop": ["open", "shut"]}, 2)
    assert both.shape == (2, 2)
    np.testing.assert_array_equal(both[:, 0], [0, 1])
    assert reading.rows("static", {"size": [1.0], "region": ["north"]}, 1).shape == (1, 2)


@pytest.mark.parametrize("unknown", [None, float("nan")])
def test_what_is_not_known_of_one_step_is_nan(beside: SeriesSet, unknown: float | None) -> None:
    told = _reading(beside).row("past", {"rain": unknown, "sky": unknown})
    assert np.isnan(told).all()


@pytest.mark.parametrize(
    ("told", "error", "said"),
    [
        ({"rain": 1.0}, ConfigError, "past: 'sky' is missing; expected rain, sky"),
        ({"rain": 1.0, "sky": "clear", "snow": 2}, ConfigError, "'snow' was not there"),
        ({"rain": "much", "sky": "clear"}, DataError, "got 'much', expected a number"),
        ({"rain": float("inf"), "sky": "clear"}, DataError, "rain.*infinite|infinite.*rain"),
        ({"rain": 1.0, "sky": "green"}, DataError, "category 'green' was not seen in training"),
    ],
)
def test_a_step_that_tells_something_else_is_named(
    beside: SeriesSet, told: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        _reading(beside).row("past", told)
    assert "\n" not in str(caught.value)


def test_as_many_values_as_steps_are_told(beside: SeriesSet) -> None:
    with pytest.raises(ConfigError, match="future: got 3 values of 'offer', expected 2"):
        _reading(beside).rows("future", {"offer": [0, 1, 1], "shop": ["open", "shut"]}, 2)


@pytest.mark.parametrize(("days", "told"), [(700, False), (800, True)])
def test_the_day_of_the_year_is_read_where_two_years_are_learnt(days: int, told: bool) -> None:
    times = np.datetime64("2020-01-01", "us") + np.arange(days) * np.timedelta64(1, "D")
    series = SeriesSet.from_arrays(np.arange(float(days)), times=times)
    reading = Reading.of(series, [days])
    assert reading.yearly is told
    assert reading.calendar(times).shape[1] == (8 if told else 4)
