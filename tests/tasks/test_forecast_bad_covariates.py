"""Covariates, times and values that can't be: a plain line with series, time and column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError, DataError, UnrolledError
from unrolled.tasks.evaluation import NetworkLoses
from unrolled.tasks.forecaster import Forecaster

pytestmark = pytest.mark.filterwarnings(f"ignore::{NetworkLoses.__module__}.NetworkLoses")

Make = Callable[..., Forecaster]
COLUMNS = {
    "past_columns": ["rain"],
    "future_columns": ["offer", "shop"],
    "static_columns": "region",
}


def _table(rows: int = 60, ahead: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(2)
    frames = []
    for name in ("one", "two"):
        n = rows + ahead
        days = np.datetime64("2024-03-01", "us") + np.arange(n) * np.timedelta64(1, "D")
        y = 10 + 3 * np.sin(2 * np.pi * np.arange(n) / 7) + 0.3 * random.normal(size=n)
        y[rows:] = np.nan
        frames.append(
            pl.DataFrame(
                {
                    "unique_id": [name] * n,
                    "ds": days,
                    "y": y,
                    "rain": np.where(np.arange(n) < rows, random.exponential(size=n), np.nan),
                    "offer": random.normal(size=n),
                    "shop": random.choice(["open", "shut"], n),
                    "region": ["north" if name == "one" else "south"] * n,
                }
            ).with_columns(pl.col("y", "rain").fill_nan(None))
        )
    return pl.concat(frames)


@pytest.fixture(scope="module", params=["steps", "segments", "autoregressive"])
def learnt(each: Make, request: pytest.FixtureRequest) -> Forecaster:
    model = each(request.param)
    return model.fit(_table(), budget="1 steps", progress=False, **COLUMNS)


def _refused(ask: Callable[[], object], *parts: str) -> str:
    with pytest.raises(UnrolledError) as caught:
        ask()
    text = str(caught.value)
    assert "\n" not in text
    for part in parts:
        assert part in text, f"{part!r} is not in {text!r}"
    return text


def _changed(column: str, row: int, value: Any) -> pl.DataFrame:
    """The table with another value in one row of series "two"."""
    table = _table(ahead=3)
    values = table[column].to_list()
    values[63 + row] = value
    return table.with_columns(pl.Series(column, values, strict=False))


def test_what_it_learnt_it_forecasts(learnt: Forecaster) -> None:
    told = learnt.predict(_table(ahead=3))
    assert told.height == 6
    past = _table(ahead=3).filter(pl.col("ds") < pl.datetime(2024, 4, 30))
    assert past.height == 120
    apart = learnt.predict(past, future=_table(ahead=3).drop("y", "rain", "region"))
    assert apart.equals(told)


@pytest.mark.parametrize("column", ["rain", "offer", "region"])
def test_a_covariate_that_is_missing_is_named(learnt: Forecaster, column: str) -> None:
    _refused(lambda: learnt.predict(_table(ahead=3).drop(column)), column)


def test_a_covariate_that_was_not_there_is_named(learnt: Forecaster, beside: SeriesSet) -> None:
    _refused(lambda: learnt.predict(beside), "'sky' is not known", "trained with", "leave it out")
    bare = SeriesSet.from_arrays(np.arange(30.0), frequency="D")
    _refused(lambda: learnt.predict(bare), "past covariate 'rain' is missing", "past_columns")
    more = replace(bare, past=(np.zeros((30, 2)),), past_names=("rain", "snow"))
    _refused(lambda: learnt.predict(more), "'snow' is not known", "leave it out")


@pytest.mark.parametrize("ahead", [0, 2])
def test_a_future_covariate_missing_for_a_step_is_named(learnt: Forecaster, ahead: int) -> None:
    first = f"2024-04-{30 + ahead}" if ahead == 0 else "2024-05-02"
    _refused(
        lambda: learnt.predict(_table(ahead=ahead)),
        "series 'one'",
        first,
        f"step {ahead + 1} of 3",
        "offer",
    )


def test_a_future_table_that_lacks_a_step_is_named(learnt: Forecaster) -> None:
    future = _table(ahead=3).drop("y", "rain", "region")
    short = future.filter(
        ~((pl.col("unique_id") == "two") & (pl.col("ds") == pl.datetime(2024, 5, 1)))
    )
    _refused(lambda: learnt.predict(_table(), future=short), "series 'two'", "2024-05-01", "step 2")


def test_an_empty_future_covariate_is_named(learnt: Forecaster) -> None:
    _refused(
        lambda: learnt.predict(_changed("offer", 61, None)), "series 'two'", "2024-05-01", "offer"
    )


def test_a_category_that_was_not_seen_is_named(learnt: Forecaster) -> None:
    _refused(
        lambda: learnt.predict(_changed("shop", 5, "closed")),
        "series 'two', 2024-03-06",
        "category 'closed' was not seen in training",
        "'open', 'shut'",
        "shop",
    )
    _refused(
        lambda: learnt.predict(_changed("shop", 62, "closed")), "series 'two', 2024-05-02", "shop"
    )
    far = _table(ahead=3).with_columns(pl.lit("west").alias("region"))
    _refused(lambda: learnt.predict(far), "series 'one'", "'west' was not seen", "region")


@pytest.mark.parametrize("column", ["y", "rain", "offer"])
def test_an_infinite_value_is_named(learnt: Forecaster, column: str) -> None:
    _refused(lambda: learnt.predict(_changed(column, 5, float("inf"))), "infinite", column)
    text = _refused(lambda: learnt.predict(_changed(column, 5, float("-inf"))), "infinite", column)
    assert "two" in text or "69" in text or "70" in text  # the series, or the row of the table


def test_numbers_where_categories_were_are_named(learnt: Forecaster) -> None:
    numbers = _table(ahead=3).with_columns(pl.lit(1.5).alias("shop"))
    _refused(lambda: learnt.predict(numbers), "shop")


def test_another_frequency_is_named(learnt: Forecaster) -> None:
    hourly = _table(ahead=3).with_columns(
        ds=pl.datetime(2024, 3, 1) + pl.duration(hours=pl.int_range(pl.len()).over("unique_id"))
    )
    for ask in (learnt.predict, learnt.evaluate, learnt.backtest):
        _refused(lambda ask=ask: ask(hourly), "hourly", "the model learnt daily")  # type: ignore[misc]


def test_mixed_time_zones_are_named(learnt: Forecaster, tmp_path: Path) -> None:
    file = tmp_path / "zones.csv"
    table = _table(ahead=3)
    zones = np.where(np.arange(len(table)) % 2, "+01:00", "+05:00")
    stamps = [
        f"{one:%Y-%m-%dT00:00:00}{zone}" for one, zone in zip(table["ds"], zones, strict=True)
    ]
    table.with_columns(pl.Series("ds", stamps)).write_csv(file)
    _refused(lambda: learnt.predict(file), str(file), "series 'one'")


def test_columns_for_a_set_that_has_been_read_change_nothing_and_are_refused(
    each: Make, beside: SeriesSet
) -> None:
    with pytest.raises(ConfigError, match="past_columns: got columns for a SeriesSet"):
        each("steps").fit(beside, past_columns=["rain"], budget="1 steps", progress=False)


def test_missing_values_are_refused_where_that_is_asked(each: Make) -> None:
    table = _table().with_columns(
        y=pl.when(pl.int_range(pl.len()) == 30).then(None).otherwise(pl.col("y"))
    )
    with pytest.raises(DataError, match=r"column .y.: row 30 .*series .one."):
        each("steps").fit(table, missing="error", budget="1 steps", progress=False)
    each("steps").fit(table, budget="1 steps", progress=False)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"head": "normal"}, "head: got 'normal', expected 'quantiles'"),
        ({"architecture": "autoregressive", "head": "quantiles"}, "expected a distribution"),
        ({"architecture": "segments", "lookback": 10, "segment": 4}, "a divisor of the lookback"),
        ({"lookback": (8, 16)}, "expected one number with architecture='steps'"),
        ({"architecture": "autoregressive", "paths": 1}, "paths: got 1"),
    ],
)
def test_arguments_that_do_not_go_together_are_named(
    small: Make, options: dict[str, Any], said: str
) -> None:
    text = _refused(
        lambda: small(**options).fit(_table(), budget="1 steps", progress=False, value_columns="y")
    )
    assert said in text


def test_an_origin_where_nothing_is_known_yet_is_named(each: Make) -> None:
    values = 10 + np.sin(np.arange(60.0))
    values[:5] = np.nan
    one = SeriesSet.from_arrays({"late": values}, frequency="D")
    model = each("segments").fit(one, budget="1 steps", progress=False)
    _refused(lambda: model.backtest(one, origins={"late": [30, 3]}), "got 3 for series 'late'")
    new = replace(one, ids=("new",))
    assert model.backtest(new, windows=99, stride=1).origins["new"][0] == 5
