"""Blood sugar at irregular times: python examples/patient_readings.py [budget]

The patients are made (`make_patients` has the equations); no person stands behind them. Readings
come minutes or days apart, some fail, doses are seen in the hours after them, age and sex are
known. The time since the last reading is read by itself; when the next one is due is told, as a
covariate that is known ahead. Draws patient_readings.png.
"""

from __future__ import annotations

import sys
from datetime import timedelta

import polars as pl

from unrolled import Forecaster, read_series
from unrolled.data import SeriesSet, make_patients
from unrolled.lens import draw_backtest, forecast_panel

DUE, HOUR = "hours until due", "hour of day"


def read(table: pl.DataFrame, future: list[str] | None) -> SeriesSet:
    """The readings as series: doses beside them, age and sex of each patient."""
    return read_series(
        table,
        id_column="patient",
        time_column="time",
        value_columns="glucose",
        past_columns="dose",
        future_columns=future,
        static_columns=["age", "sex"],
        missing="mask",
    )


def planned(table: pl.DataFrame) -> pl.DataFrame:
    """The table with what a plan knows of each reading: how long after the last one, and when."""
    time = pl.col("time")
    hours = time.diff().over("patient").dt.total_minutes().fill_null(0) / 60
    clock = time.dt.hour() + time.dt.minute() / 60
    return table.with_columns(hours.log1p().alias(DUE), (clock - 12).alias(HOUR))


def main(budget: str = "200 steps") -> None:
    """Forecast the next reading without and with the time that it is due."""
    table = planned(make_patients(200))
    for future in (None, [DUE, HOUR]):
        readings = read(table, future)
        model = Forecaster(
            "segments", horizon=1, lookback=16, segment=1, log=False, members=1, hidden_size=64
        ).fit(readings, budget=budget)
        print(f"\n{readings}, known ahead: {', '.join(future or ['nothing'])}")
        print(model.evaluation)

    one = table.filter(patient="P001")
    last = one.tail(1)
    print("\nif the next reading of P001 is due")
    for hours in (1, 4, 24):
        due = last.with_columns(
            time=pl.col("time") + timedelta(hours=hours), glucose=None, dose=None
        ).cast(dict(one.schema))
        rows = planned(pl.concat([one, due]))
        said = model.predict(read(rows, [DUE, HOUR]), quantiles=(0.1, 0.9)).row(0, named=True)
        print(f"in {hours:2} h: {said['forecast']:.1f} mmol/L,", end=" ")
        print(f"80% of outcomes {said['q0.1']:.1f} to {said['q0.9']:.1f}")

    everyone = model.backtest(readings, windows=10, stride=1)
    print(everyone)
    shown = readings.select(["P001"])
    panel = forecast_panel(shown, model.backtest(shown, windows=16, stride=1).frame, unit="mmol/L")
    print("drew", draw_backtest(panel, everyone.before, everyone.after, "patient_readings.png"))


if __name__ == "__main__":
    main(*sys.argv[1:])
