"""Exponential smoothing and MSTL by statsforecast; skipped where it is not installed."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest

from unrolled.baselines import MSTL, ExponentialSmoothing, Naive, Rival
from unrolled.errors import ConfigError, MissingExtra, ModelFileError

needs_statsforecast = pytest.mark.skipif(
    importlib.util.find_spec("statsforecast") is None,
    reason="needs statsforecast: pip install 'unrolled[bench]'",
)
NAN = float("nan")
BUILT = [lambda: ExponentialSmoothing(4), lambda: MSTL((4, 8))]


def swing(length: int, seed: int = 0) -> np.ndarray:
    noise = 0.2 * np.random.default_rng(seed).standard_normal(length)
    return 5 + np.sin(np.arange(length) * np.pi / 2) + noise


@needs_statsforecast
@pytest.mark.parametrize("build", BUILT)
def test_it_keeps_the_protocol_and_beats_the_naive_forecast_on_a_season(build: object) -> None:
    history, origins = swing(160), np.arange(120, 150)
    model = build().fit([history[:120]], 8)
    assert isinstance(model, Rival)
    actual = history[origins[:, None] + np.arange(8)]
    errors = [np.abs(m.rolling(history, origins, 8) - actual).mean() for m in (model, Naive())]
    assert errors[0] < 0.5 * errors[1]
    fans = model.rolling_quantiles(history, origins, 8, [0.1, 0.5, 0.9])
    held = ((fans[..., 0] <= actual) & (actual <= fans[..., 2])).mean()
    assert held == pytest.approx(0.8, abs=0.12)
    np.testing.assert_allclose(fans[..., 1], model.rolling(history, origins, 8))


@needs_statsforecast
@pytest.mark.parametrize("build", BUILT)
def test_no_forecast_sees_what_comes_after_its_origin(build: object) -> None:
    history = swing(90)
    history[50] = NAN
    changed = np.where(np.arange(90) < 70, history, 99.0)
    for values in (history, changed):
        found = build().rolling_quantiles(values, [60, 70], 4, [0.1, 0.9])
        np.testing.assert_array_equal(
            found, build().rolling_quantiles(history, [60, 70], 4, [0.1, 0.9])
        )


@needs_statsforecast
def test_parameters_are_estimated_as_often_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for refit, expected in ((None, 1), (3, 4), (1, 10)):
        model = ExponentialSmoothing(refit=refit)
        fresh = model._new
        monkeypatch.setattr(model, "_new", lambda fresh=fresh: made.append(1) or fresh())
        made.clear()
        model.rolling(swing(60), np.arange(40, 50), 2)
        assert len(made) == expected


@needs_statsforecast
def test_an_origin_that_has_seen_too_little_gets_nan() -> None:
    found = ExponentialSmoothing(4).rolling(swing(60), [5, 40], 3)
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()
    assert np.isnan(MSTL((4, 24)).rolling(swing(60), [48], 3)).all()
    assert np.isnan(ExponentialSmoothing().rolling([NAN] * 20, [20], 3)).all()


@needs_statsforecast
def test_a_long_history_is_cut_to_the_last_values() -> None:
    long, short = swing(300), swing(300)[-50:]
    model = ExponentialSmoothing(4, most=50)
    np.testing.assert_array_equal(model.forecast(long, 4), model.forecast(short, 4))


@needs_statsforecast
@pytest.mark.parametrize("build", BUILT)
def test_its_settings_survive_as_arrays(build: object) -> None:
    model = build()
    again = type(model).from_arrays(model.to_arrays())
    assert (again.name, again.refit, again.most) == (model.name, None, 2000)
    with pytest.raises(ModelFileError, match="lacks the array 'most'"):
        type(model).from_arrays({"seasons": np.ones(1), "refit": np.ones(1)})
    with pytest.raises(ModelFileError, match="values that can't be"):
        type(model).from_arrays(model.to_arrays() | {"seasons": np.zeros(1, dtype=int)})


def test_bad_settings_are_named_in_one_plain_line() -> None:
    with pytest.raises(ConfigError, match=r"seasons are \[0\]"):
        ExponentialSmoothing(0)
    with pytest.raises(ConfigError, match=r"seasons are \[\]"):
        MSTL([])
    with pytest.raises(ConfigError, match="refit is 0"):
        ExponentialSmoothing(refit=0)
    with pytest.raises(ConfigError, match="most is 3"):
        MSTL([4], most=3)


def test_without_statsforecast_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "statsforecast", None)
    with pytest.raises(MissingExtra, match=r"pip install 'unrolled\[bench\]'"):
        ExponentialSmoothing()
