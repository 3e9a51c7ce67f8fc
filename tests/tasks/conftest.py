"""Small series, small forecasters, and one thread: more would only wait for each other here."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from unrolled.data.series_set import SeriesSet
from unrolled.tasks.evaluation import NetworkLoses
from unrolled.tasks.forecaster import Forecaster


@pytest.fixture(autouse=True, scope="package")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _weekly(length: int = 120, seed: int = 0, noise: float = 0.3) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(0.0, 1.0, length)
    return 10 + 3 * np.sin(2 * np.pi * np.arange(length) / 7) + noise * drawn


def _small(**options: Any) -> Forecaster:
    """A forecaster that learns nothing much, at once."""
    given: dict[str, Any] = {
        "architecture": "steps",
        "horizon": 3,
        "hidden_size": 8,
        "members": 2,
        "device": "cpu",
    }
    return Forecaster(**{**given, **options})


@pytest.fixture(scope="session")
def weekly() -> Callable[..., np.ndarray]:
    """`weekly(length, seed, noise)`: values around 10 that repeat every 7 steps, with noise."""
    return _weekly


@pytest.fixture(scope="session")
def small() -> Callable[..., Forecaster]:
    """`small(**options)`: a forecaster of 3 steps with 8 units and 2 members."""
    return _small


def _fans_at(model: Forecaster, series: SeriesSet, origins: dict[str, Any]) -> dict[str, Any]:
    return model.backtest(series, origins=origins).fans


@pytest.fixture(scope="session")
def fans_at() -> Callable[..., dict[str, np.ndarray]]:
    """`fans_at(model, series, origins)`: forecasts `(O, K, Q)` of each series, by its name."""
    return _fans_at


@pytest.fixture(scope="session")
def gaps() -> SeriesSet:
    """Two daily series with a week in them, the first with values that are not known."""
    first, second = _weekly(120, seed=1), 200 + 5 * _weekly(150, seed=2)
    first[[0, 1, 30, 31, 32, 33, 34, 35, 36, 37, 90, 110, 119]] = np.nan
    return SeriesSet.from_arrays({"gaps": first, "whole": second}, frequency="D")


@pytest.fixture(scope="session")
def beside() -> SeriesSet:
    """Two daily series with gaps and covariates of each kind, numbers and categories, known ahead.

    Past: rain, sky (3 categories); future: offer, shop (2); static: size, region (2).
    """
    random = np.random.default_rng(7)
    lengths = (60, 75)
    first, second = _weekly(60, seed=3), 100 + 4 * _weekly(75, seed=4)
    first[[20, 21, 33, 50, 57]] = np.nan
    second[[0, 40, 41, 42, 43, 44, 70]] = np.nan
    rain = [random.exponential(size=n) for n in lengths]
    rain[0][[11, 30, 58]] = np.nan
    sky = [random.choice(["clear", "cloudy", "rainy"], n).astype(object) for n in lengths]
    sky[1][[5, 71]] = None
    return SeriesSet.from_arrays(
        {"one": first, "two": second},
        times=[
            np.datetime64("2024-03-20", "us") + np.arange(n) * np.timedelta64(1, "D")
            for n in lengths
        ],
        past={"rain": rain, "sky": sky},
        future={
            "offer": [random.normal(size=n + 5) for n in lengths],
            "shop": [random.choice(["open", "shut"], n + 5) for n in lengths],
        },
        static={"size": [1.0, 5.0], "region": ["north", "south"]},
    )


ARCHITECTURES: dict[str, dict[str, Any]] = {
    "steps": {},
    "segments": {"lookback": 14, "segment": 7},
    "autoregressive": {"lookback": 14, "paths": 32},
}


@pytest.fixture(scope="session")
def each() -> Callable[..., Forecaster]:
    """`each(architecture, **options)`: a small forecaster of that architecture, not fitted."""

    def make(architecture: str, **options: Any) -> Forecaster:
        return _small(architecture=architecture, **{**ARCHITECTURES[architecture], **options})

    return make


@pytest.fixture(scope="session")
def taught(each: Callable[..., Forecaster], beside: SeriesSet) -> Callable[..., Forecaster]:
    """`taught(architecture, **options)`: fitted once on `beside`, its weights moved about."""
    made: dict[str, Forecaster] = {}

    def model(architecture: str, **options: Any) -> Forecaster:
        key = f"{architecture} {options}"
        if key not in made:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NetworkLoses)
                made[key] = each(architecture, **options).fit(
                    beside, budget="2 steps", progress=False
                )
            generator = torch.Generator().manual_seed(5)
            with torch.no_grad():
                for parameter in made[key].model.parameters():
                    parameter += 0.15 * torch.randn(parameter.shape, generator=generator)
        return made[key]

    return model
