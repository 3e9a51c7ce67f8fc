"""The data doctor: what it finds where something was planted, and that it is quiet where not."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data import SeriesSet, catalog
from unrolled.data.doctor import Checkup, DataFinding, examine
from unrolled.errors import ConfigError

SEASONS = {"h": 24, "D": 7, "MS": 12}


def hourly(n: int = 600, seed: int = 0) -> np.ndarray:
    """A sound series: level 100, a day of 24 steps, noise."""
    noise = np.random.default_rng(seed).normal(0, 3, n)
    return 100 + 20 * np.sin(2 * np.pi * np.arange(n) / 24) + noise


def beside(values: np.ndarray) -> SeriesSet:
    """The series "odd" beside a sound one of the same length."""
    return SeriesSet.from_arrays({"sound": hourly(len(values), 1), "odd": values}, frequency="h")


def only(checkup: Checkup, kind: str) -> DataFinding:
    """The one finding, which must be of this kind and about "odd"."""
    assert [(one.kind, one.series) for one in checkup] == [(kind, "odd")], str(checkup)
    return checkup.findings[0]


def time_of(series: SeriesSet, place: int) -> str:
    text = str(series.times[0][place].astype("datetime64[m]")).replace("T", " ")
    return text.removesuffix(" 00:00")


def test_a_sound_set_gets_one_plain_line():
    checkup = examine(SeriesSet.from_arrays(hourly(), frequency="h"), horizon=24, lookback=96)
    assert checkup.findings == ()
    text = "1 series of 600 values, hourly, 2001-01-01 00:00 to 2001-01-25 23:00: nothing to report"
    assert str(checkup) == text


def test_the_longest_gap_is_named_and_masked():
    values = hourly()
    values[10:12] = np.nan
    values[300:340] = np.nan
    series = beside(values)
    found = only(examine(series), "gaps")
    assert found.time == time_of(series, 300)
    assert found.text == "42 of 600 values are missing in 2 runs, the longest of 40 from here on"
    assert found.done == "masked: they count for nothing in the loss"
    assert found.severity == "note"


def test_more_gaps_than_values_is_a_warning():
    values = hourly()
    values[5:400] = np.nan
    assert only(examine(beside(values)), "few known").severity == "warning"
    assert only(examine(beside(np.full(600, np.nan))), "few known").text == "no value is known"


def test_a_constant_series_is_named():
    found = only(examine(beside(np.full(600, 7.5))), "constant")
    assert found.text == "all 600 known values are 7.5"
    assert found.severity == "warning"


@pytest.mark.parametrize(("still", "told"), [(47, False), (48, True), (200, True)])
def test_a_sensor_that_stopped_is_named_from_two_seasons_on(still, told):
    values = hourly()
    values[-still:] = 99.0
    checkup = examine(beside(values))
    if told:
        assert only(checkup, "constant").time == time_of(beside(values), 600 - still)
    else:
        assert not checkup.findings


def test_a_rest_as_long_as_earlier_ones_is_no_news():
    values = np.tile(np.r_[np.arange(1.0, 101), np.zeros(100)], 3)
    assert not examine(SeriesSet.from_arrays(values, frequency="h")).findings


@pytest.mark.parametrize("place", [50, 300, 590])
@pytest.mark.parametrize("size", [-700, 400])
def test_a_spike_is_named(place, size):
    values = hourly()
    values[place] += size
    series = beside(values)
    found = only(examine(series), "outliers")
    assert found.time == time_of(series, place)
    assert found.done.startswith("left as it is")


def test_the_worst_of_several_spikes_is_named_and_the_others_counted():
    values = hourly()
    values[[100, 200, 300]] += [300, 600, 400]
    series = beside(values)
    found = only(examine(series), "outliers")
    assert found.time == time_of(series, 200)
    assert "2 more like it" in found.text


def test_a_spike_that_comes_every_season_is_none():
    values = hourly()
    values[8::24] += 300
    assert not examine(beside(values)).findings
    # too few for the share of large ones: that they stand a season apart is what tells
    values = hourly()
    values[[200, 224, 248]] += 300
    assert not examine(beside(values)).findings


def test_a_spike_on_a_smooth_rise_is_named():
    values = np.arange(600.0) ** 1.5
    values[300] += 2000
    series = SeriesSet.from_arrays({"odd": values}, frequency="h")
    assert only(examine(series), "outliers").time == time_of(series, 300)


def test_rare_sales_are_no_spikes():
    values = np.zeros(600)
    values[[100, 250, 251, 480]] = [1, 3, 1, 2]
    assert not examine(SeriesSet.from_arrays(values)).findings


def test_the_sharp_peak_of_a_wave_is_no_spike():
    away = np.abs(np.arange(600) - 300.0)
    values = 400 - away + np.random.default_rng(0).normal(0, 0.01, 600)
    assert not examine(SeriesSet.from_arrays(values)).findings


@pytest.mark.parametrize("code", [-9999.0, -999.0, 99999.0])
def test_a_code_for_missing_is_a_warning_and_hides_nothing_else(code):
    values = hourly()
    values[np.arange(20, 260, 20)] = code
    values[300] += 400
    series = beside(values)
    first, second = examine(series)
    assert (first.kind, first.series, first.time) == ("outliers", "odd", time_of(series, 20))
    assert "11 times more" in first.text
    assert first.severity == "warning"
    assert (second.kind, second.time) == ("outliers", time_of(series, 300))


def test_a_code_among_values_of_its_size_is_a_value():
    values = np.random.default_rng(0).integers(900, 1000, 500).astype(float)
    values[7] = 999.0
    assert not examine(SeriesSet.from_arrays(values)).findings


def test_a_negative_correction_of_a_count_is_named():
    values = np.random.default_rng(0).poisson(20, 600).astype(float)
    values[123] = -4
    series = beside(values)
    found = only(examine(series), "negative")
    assert found.time == time_of(series, 123)
    assert "-4" in found.text


def test_whole_degrees_below_zero_are_no_counts():
    values = np.full(600, 15.0) + np.arange(600) % 5
    values[100:103] = [-1, -2, -1]
    assert "negative" not in {one.kind for one in examine(beside(values))}


FACTORS = [10, 100, 1000, 24, 60, 1 / 0.45359237, 1 / 0.3048]


@pytest.mark.parametrize("factor", FACTORS + [1 / one for one in FACTORS])
@pytest.mark.parametrize("place", [80, 300, 500])
def test_a_change_of_unit_is_named_with_its_factor(factor, place):
    values = hourly()
    values[place:] *= factor
    series = beside(values)
    found = only(examine(series), "unit change")
    assert found.time == time_of(series, place)
    shown = f"{max(factor, 1 / factor):,.5g}"
    assert f"a change of unit by {shown}" in found.text
    assert ("large" if factor > 1 else "small") in found.text
    assert found.severity == "warning"


def test_a_unit_that_changes_back_is_named_twice():
    values = hourly()
    values[200:400] *= 1000
    series = beside(values)
    found = examine(series)
    assert {one.kind for one in found} == {"unit change"}
    assert {one.time for one in found} == {time_of(series, 200), time_of(series, 400)}


@pytest.mark.parametrize("back", [False, True])
def test_celsius_that_becomes_fahrenheit_is_named(back):
    values = hourly() / 5 - 8
    changed = slice(None, 300) if back else slice(300, None)
    values[changed] = 1.8 * values[changed] + 32
    series = beside(values)
    found = only(examine(series), "unit change")
    assert found.time == time_of(series, 300)
    assert ("from Fahrenheit to Celsius" if back else "from Celsius to Fahrenheit") in found.text


@pytest.mark.parametrize("factor", [1.5, 5, 15])
def test_another_change_of_level_is_no_unit(factor):
    values = hourly()
    values[300:] *= factor
    assert "unit change" not in {one.kind for one in examine(beside(values))}


def test_a_level_that_jumps_while_the_scatter_stays_is_no_unit():
    values = hourly()
    values[300:] += 900
    assert "unit change" not in {one.kind for one in examine(beside(values))}


def test_a_level_that_jumps_again_by_another_factor_is_no_unit():
    values = hourly()
    values[200:] *= 10
    values[400:] *= 4
    assert "unit change" not in {one.kind for one in examine(beside(values))}


def test_a_level_that_grows_within_a_day_is_no_unit():
    values = hourly() * 10 ** np.clip((np.arange(600) - 288) / 24, 0, 1)
    assert "unit change" not in {one.kind for one in examine(beside(values))}


def test_a_jump_that_is_not_quite_fahrenheit_is_none():
    values = hourly() / 5 - 8
    values[300:] = 1.8 * values[300:] + 26
    assert "unit change" not in {one.kind for one in examine(beside(values))}
    values[300:] += 6
    values[450:] -= 30
    assert "unit change" not in {one.kind for one in examine(beside(values))}


@dataclass(frozen=True, eq=False, repr=False)
class Ahead(SeriesSet):
    """Series with covariates that are known ahead, categories and notes."""

    future: tuple[np.ndarray, ...] | None = None
    future_names: tuple[str, ...] = ()
    categories: dict[str, tuple[str, ...]] | None = None
    notes: tuple = ()

    @classmethod
    def of(cls, series: SeriesSet, **more) -> Ahead:
        return cls(
            series.ids, series.times, series.values, series.frequency, **{"categories": {}, **more}
        )


def moved(values: np.ndarray, ahead: int) -> np.ndarray:
    """At t what `values` holds at t + ahead; NaN where that is outside."""
    out = np.full(len(values), np.nan)
    if ahead >= 0:
        out[: len(values) - ahead] = values[ahead:]
    else:
        out[-ahead:] = values[:ahead]
    return out


def walk(seed: int = 0, n: int = 600) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(size=n)) + 50


def leaks_of(values: np.ndarray, covariate: np.ndarray, role: str, horizon: int = 6) -> Checkup:
    sound = np.random.default_rng(9).normal(size=(len(values), 1))
    columns = np.concatenate([sound, covariate[:, None]], axis=1)
    series = SeriesSet.from_arrays({"odd": values}, frequency="h")
    more = {role: (columns,), f"{role}_names": ("sound", "copy")}
    return examine(Ahead.of(series, **more), horizon=horizon)


@pytest.mark.parametrize("make", [hourly, walk])
@pytest.mark.parametrize(
    ("role", "shift", "leak"),
    [
        ("past", 1, True),
        ("past", 6, True),
        ("past", 0, False),
        ("past", -1, False),
        ("past", -5, False),
        ("future", 0, True),
        ("future", 3, True),
        ("future", -5, True),
        ("future", -6, False),
        ("future", -9, False),
    ],
)
def test_a_covariate_that_tells_the_future_is_a_leak(make, role, shift, leak):
    values = make(n=600)
    checkup = leaks_of(values, moved(values, shift), role)
    if not leak:
        assert not checkup.findings
        return
    found = only(checkup, "leak")
    assert found.column == "copy"
    assert found.severity == "warning"
    count = f"{abs(shift)} step{'s' * (abs(shift) > 1)}"
    when = "at the same time" if not shift else f"{count} {'later' if shift > 0 else 'earlier'}"
    assert f"moves as the target {when} (correlation 1.0000)" in found.text


def test_a_copy_in_another_unit_with_rounding_and_errors_is_a_leak():
    values = hourly()
    copy = np.round(1.8 * values + 32)
    copy[[50, 300, 301]] = 0
    found = only(leaks_of(values, copy, "future"), "leak")
    assert "moves as the target at the same time" in found.text


def test_codes_for_missing_in_both_are_no_leak():
    values, other = hourly(seed=3), hourly(seed=4)
    values[100:104] = other[100:104] = -9999
    kinds = {one.kind for one in leaks_of(values, other, "future")}
    assert kinds == {"outliers"}


def test_two_trends_are_no_leak():
    t = np.arange(600)
    noise = np.random.default_rng(0).normal(size=(2, 600))
    assert not leaks_of(t + noise[0], 5.0 * t + noise[1], "future").findings
    assert not leaks_of(t + noise[0], 1.0 * t, "future").findings


def test_a_covariate_that_only_resembles_the_target_is_no_leak():
    values = walk()
    noisy = values + np.random.default_rng(5).normal(0, 0.9, 600)
    assert not leaks_of(values, noisy, "future").findings


def test_a_cycle_that_anyone_can_go_on_with_is_no_leak():
    cycle = np.sin(2 * np.pi * np.arange(600) / 24)
    assert not leaks_of(cycle, cycle, "future", horizon=12).findings


def test_a_category_is_not_correlated():
    series = SeriesSet.from_arrays({"odd": hourly()}, frequency="h")
    ahead = Ahead.of(
        series,
        future=(hourly()[:, None],),
        future_names=("kind",),
        categories={"kind": ("a", "b")},
    )
    assert not examine(ahead, horizon=6).findings


def test_rows_beyond_the_series_are_left_out_of_the_comparison():
    values = hourly()
    series = SeriesSet.from_arrays({"odd": values}, frequency="h")
    longer = np.concatenate([values, np.zeros(24)])[:, None]
    ahead = Ahead.of(series, future=(longer,), future_names=("copy",))
    assert "at the same time" in only(examine(ahead, horizon=24), "leak").text


def test_a_series_too_short_for_the_horizon_is_told_what_it_needs():
    series = SeriesSet.from_arrays({"sound": hourly(), "odd": hourly(30)}, frequency="h")
    kinds = [(one.kind, one.series) for one in examine(series, horizon=24, lookback=96)]
    assert kinds == [("too short", "odd")]
    found = examine(series, horizon=24, lookback=96).findings[0]
    assert "30 values, expected at least 120 to learn from (96 of history, 24 ahead)" in found.text
    assert not examine(series, horizon=24).warnings
    assert [one.series for one in examine(series, horizon=29).warnings] == ["odd"]


def test_irregular_times_are_told():
    minutes = np.cumsum(np.random.default_rng(0).integers(5, 3000, 200))
    minutes[100:] += 50_000
    times = np.datetime64("2024-01-01") + minutes.astype("timedelta64[m]")
    series = SeriesSet.from_arrays({"odd": hourly(200)}, times=times)
    found = only(examine(series), "irregular")
    assert found.time == str(times[99]).replace("T", " ")[:16]
    assert "days from value to value" in found.text
    assert not examine(SeriesSet.from_arrays({"odd": hourly(200)})).findings


def test_series_that_begin_or_end_apart_from_most_are_named():
    begin = np.datetime64("2024-01-01")
    spans = {"a": (0, 90), "b": (0, 90), "late": (40, 90), "early": (0, 60), "c": (0, 90)}
    series = SeriesSet.from_arrays(
        {name: hourly(high - low) for name, (low, high) in spans.items()},
        times=[begin + np.arange(low, high) for low, high in spans.values()],
    )
    found = {(one.kind, one.series, one.time) for one in examine(series)}
    assert found == {
        ("late start", "late", "2024-02-10"),
        ("early end", "early", "2024-02-29"),
    }


def test_where_all_series_end_apart_none_is_early():
    begin = np.datetime64("2024-01-01")
    series = SeriesSet.from_arrays(
        [hourly(n) for n in (60, 70, 80, 90)],
        times=[begin + i + np.arange(n) for i, n in enumerate((60, 70, 80, 90))],
    )
    assert not examine(series).findings


@dataclass(frozen=True)
class Note:
    kind: str
    series: str | None
    time: np.datetime64
    text: str


def test_what_the_reader_noted_is_told():
    time = np.datetime64("2001-01-02T03:00", "us")
    notes = tuple(Note("duplicate", name, time, "2 rows of one time") for name in ("odd", None))
    series = Ahead.of(SeriesSet.from_arrays({"odd": hourly()}, frequency="h"), notes=notes)
    one, every = examine(series)
    assert (one.kind, one.series, one.time) == ("duplicate", "odd", "2001-01-02 03:00")
    assert str(one).startswith("duplicate: series 'odd', 2001-01-02 03:00: 2 rows of one time")
    assert str(every).startswith("duplicate: all series, 2001-01-02 03:00: 2 rows of one time")


@pytest.mark.parametrize("name", ["horizon", "lookback"])
def test_a_horizon_or_lookback_below_one_is_refused(name):
    with pytest.raises(ConfigError, match=f"got {name}=0, expected at least 1 step"):
        examine(beside(hourly()), **{name: 0})


# Sound series of many kinds, each from a seed.
def _waves(rng: np.random.Generator, n: int, season: int) -> np.ndarray:
    t = np.arange(n)
    waves = sum(
        rng.uniform(10, 1000) * np.exp(-(((t - rng.uniform(0, n)) / rng.uniform(10, 60)) ** 2))
        for _ in range(4)
    )
    return rng.poisson(waves + 1).astype(float)


SOUND = {
    "seasonal": lambda rng, n, s: (
        100
        + rng.uniform(5, 80) * np.sin(2 * np.pi * np.arange(n) / s)
        + rng.normal(0, rng.uniform(0.1, 10), n)
    ),
    "strong seasons": lambda rng, n, s: np.exp(
        3 * np.sin(2 * np.pi * np.arange(n) / s) + rng.normal(0, 0.1, n)
    ),
    "trend": lambda rng, n, s: rng.uniform(-1, 1) * np.arange(n) + rng.normal(0, 5, n),
    "growth": lambda rng, n, s: np.exp(
        np.arange(n) * rng.uniform(0, 20) / n + rng.normal(0, 0.1, n)
    ),
    "counts": lambda rng, n, s: rng.poisson(rng.choice([0.3, 2, 20, 500]), n).astype(float),
    "walk": lambda rng, n, s: np.cumsum(rng.normal(size=n)),
    "prices": lambda rng, n, s: np.exp(np.cumsum(rng.normal(0, 0.02, n))),
    "epidemic": _waves,
    "rain": lambda rng, n, s: rng.gamma(0.5, 5, n) * (rng.random(n) < 0.4),
    "heavy tails": lambda rng, n, s: rng.standard_t(4, n),
}


@pytest.mark.parametrize("kind", SOUND)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(100, 1200),
    code=st.sampled_from(sorted(SEASONS)),
)
@settings(max_examples=25)
def test_sound_series_give_no_warning(kind, seed, n, code):
    n = min(n, 400) if code == "MS" else n
    values = SOUND[kind](np.random.default_rng(seed), n, SEASONS[code])
    checkup = examine(SeriesSet.from_arrays(values, frequency=code), horizon=6, lookback=24)
    assert checkup.warnings == (), str(checkup)
    if kind in ("seasonal", "strong seasons", "trend", "counts", "walk"):
        assert checkup.findings == (), str(checkup)


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.standard_t(4, 700),
        lambda rng: rng.lognormal(0, 0.8, 700),
        lambda rng: rng.gamma(0.5, 5, 700) * (rng.random(700) < 0.4),
        lambda rng: rng.negative_binomial(0.5, 0.05, 700).astype(float),
    ],
)
def test_the_largest_of_heavy_tails_is_seldom_an_outlier(draw):
    values = [draw(np.random.default_rng(seed)) for seed in range(100)]
    checkup = examine(SeriesSet.from_arrays(values, frequency="D"))
    assert len(checkup) <= 3, str(checkup)
    assert checkup.warnings == ()


@given(seed=st.integers(0, 2**32 - 1), power=st.integers(-20, 20))
@settings(max_examples=25)
def test_another_unit_for_all_values_changes_no_finding(seed, power):
    rng = np.random.default_rng(seed)
    n = 500
    changed, spiked, still, gappy = (100 + 3 * rng.normal(size=(4, n))).astype(float)
    changed[int(rng.integers(100, 400)) :] *= 60
    spiked[int(rng.integers(10, 490))] += 300
    still[400:] = still[400]
    gappy[50:90] = np.nan

    def found(scale: float) -> list[tuple[str, str, str | None]]:
        values = {"a": changed, "b": spiked, "c": still, "d": gappy}
        scaled = {name: scale * one for name, one in values.items()}
        checkup = examine(SeriesSet.from_arrays(scaled, frequency="D"))
        return [(one.kind, one.series, one.time) for one in checkup]

    assert {kind for kind, _, _ in found(1.0)} >= {"unit change", "outliers", "constant", "gaps"}
    assert found(2.0**power) == found(1.0)


def test_many_findings_of_a_kind_are_counted_not_listed():
    values = {f"s{i}": np.full(60, 1.0 * i) for i in range(1207)}
    checkup = examine(SeriesSet.from_arrays(values, frequency="D"))
    lines = str(checkup).splitlines()
    assert len(checkup) == 1207
    assert len(lines) == 5
    assert lines[0].startswith("1,207 series of 60 values, daily")
    assert lines[1].startswith("warning: constant: series 's0', 2001-01-01: all 60 known values")
    assert lines[4].strip() == "... and 1,204 more series"


def test_warnings_come_before_notes():
    spiked, coded = hourly(), hourly()
    spiked[300] += 500
    coded[200] = -9999
    checkup = examine(SeriesSet.from_arrays([spiked, coded], frequency="h"))
    assert [(one.series, one.severity) for one in checkup] == [("y2", "warning"), ("y1", "note")]


def test_many_findings_of_one_series_are_counted_as_such():
    values = hourly()
    series = SeriesSet.from_arrays({"odd": values}, frequency="h")
    copies = np.stack([values] * 5, axis=1)
    checkup = examine(Ahead.of(series, future=(copies,), future_names=tuple("abcde")))
    assert [one.column for one in checkup] == list("abcde")
    assert str(checkup).splitlines()[-1].strip() == "... and 2 more of these series"


def test_a_checkup_travels_through_json_and_to_a_frame():
    values = hourly()
    values[10:12] = np.nan
    values[300] += 500
    checkup = examine(beside(values))
    assert len(checkup) == 2
    assert Checkup.from_dict(json.loads(json.dumps(checkup.to_dict()))) == checkup
    frame = checkup.to_frame()
    assert frame["kind"].to_list() == ["outliers", "gaps"]
    assert frame["column"].to_list() == [None, None]
    assert frame.columns == list(examine(beside(hourly())).to_frame().columns)


@pytest.mark.data
@pytest.mark.parametrize("name", ["ett-h1", "weather-hourly", "m4-hourly", "stocks-5yr", "illness"])
def test_sound_public_sets_give_no_warning(name):
    options = {"missing": "mask"} if name == "stocks-5yr" else {}
    series = catalog.load(name, download=False, **options)
    assert examine(series, horizon=catalog.entry(name).horizon).warnings == ()
