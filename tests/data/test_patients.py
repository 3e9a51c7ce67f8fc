"""The made patients: irregular, with gaps, and with inputs that truly help."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from unrolled.data import read_series
from unrolled.data.doctor import examine
from unrolled.data.patients import PEAK, RELAXATION, make_patients
from unrolled.errors import ConfigError


@pytest.fixture(scope="module")
def patients() -> pl.DataFrame:
    return make_patients()


def test_the_same_seed_gives_the_same_readings():
    assert make_patients(3, seed=1).equals(make_patients(3, seed=1))
    assert not make_patients(3, seed=1).equals(make_patients(3, seed=2))


def test_there_are_as_many_patients_as_asked_for_each_with_one_age_and_sex(patients):
    per = patients.group_by("patient").agg(
        pl.len(), pl.col("age").n_unique(), pl.col("sex").n_unique()
    )
    assert len(per) == 200
    assert per["len"].min() >= 40
    assert per["len"].max() <= 120
    assert per["age"].max() == per["sex"].max() == 1
    assert set(patients["sex"]) == {"female", "male"}


def test_times_are_irregular_and_some_readings_are_missing(patients):
    steps = patients.group_by("patient").agg(pl.col("time").diff()).explode("time")["time"]
    steps = steps.drop_nulls().dt.total_minutes()
    assert 10 <= steps.min() <= 15
    assert 90 * 60 <= steps.max() <= 96 * 60
    assert patients["glucose"].null_count() / len(patients) == pytest.approx(0.03, abs=0.01)
    assert patients["glucose"].min() >= 1
    assert patients["glucose"].max() < 25


def test_no_dose_follows_a_low_or_failed_reading(patients):
    given = patients.filter(pl.col("dose") > 0)
    assert 0.1 < len(given) / len(patients) < 0.6
    assert given["glucose"].null_count() == 0
    assert given["glucose"].min() >= 8.5


def test_they_read_as_irregular_series_with_a_dose(patients):
    series = read_series(
        patients,
        id_column="patient",
        time_column="time",
        value_columns="glucose",
        past_columns="dose",
        missing="mask",
    )
    assert len(series) == 200
    assert series.frequency.code == "step"
    assert series.past_names == ("dose",)
    kinds = {one.kind for one in examine(series, horizon=1)}
    assert kinds == {"irregular", "gaps"}


@pytest.mark.parametrize(("without", "least"), [("hours", 0.1), ("dose", 0.05), ("age", 0.03)])
def test_each_input_lowers_the_error_on_other_patients(patients, without, least):
    """By this share of the squared error, in a linear regression on the right functions of it."""
    steps = patients.with_columns(
        next=pl.col("glucose").shift(-1).over("patient"),
        hours=(pl.col("time").shift(-1).over("patient") - pl.col("time")).dt.total_minutes() / 60,
    ).drop_nulls()
    hidden = steps.with_columns(pl.lit(steps[without].median()).alias(without))
    assert error_on_others(steps) < (1 - least) * error_on_others(hidden)


def error_on_others(steps: pl.DataFrame) -> float:
    now, then, hours, dose, age = (
        steps[name].to_numpy().astype(float) for name in ("glucose", "next", "hours", "dose", "age")
    )
    kept, acting = np.exp(-hours / RELAXATION), hours / PEAK * np.exp(-hours / PEAK)
    inputs = np.stack(
        [np.ones_like(now), now, kept, kept * now, dose * acting, age, age * kept], axis=1
    )
    train = steps["patient"].to_numpy() <= "P120"
    weights = np.linalg.lstsq(inputs[train], then[train], rcond=None)[0]
    return float(np.mean((then[~train] - inputs[~train] @ weights) ** 2))


def test_no_patients_are_refused():
    with pytest.raises(ConfigError, match="got count=0, expected at least 1 patient"):
        make_patients(0)
