"""Small series, small forecasters, and one thread: more would only wait for each other here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from unrolled.data.series_set import SeriesSet
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
    given: dict[str, Any] = {"horizon": 3, "hidden_size": 8, "members": 2, "device": "cpu"}
    return Forecaster(**{**given, **options})


@pytest.fixture(scope="session")
def weekly() -> Callable[..., np.ndarray]:
    """`weekly(length, seed, noise)`: values around 10 that repeat every 7 steps, with noise."""
    return _weekly


@pytest.fixture(scope="session")
def small() -> Callable[..., Forecaster]:
    """`small(**options)`: a forecaster of 3 steps with 8 units and 2 members."""
    return _small


@pytest.fixture(scope="session")
def gaps() -> SeriesSet:
    """Two daily series with a week in them, the first with values that are not known."""
    first, second = _weekly(120, seed=1), 200 + 5 * _weekly(150, seed=2)
    first[[0, 1, 30, 31, 32, 33, 34, 35, 36, 37, 90, 110, 119]] = np.nan
    return SeriesSet.from_arrays({"gaps": first, "whole": second}, frequency="D")
