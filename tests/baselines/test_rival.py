"""What all rivals of a series have in common."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.baselines import Drift, EWMAVolatility, Naive, Ridge, Rival, SeasonalNaive

RIVALS = [Naive(), SeasonalNaive(7), Drift(), Ridge(5), Ridge(), EWMAVolatility()]


@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.name)
def test_a_rival_keeps_the_protocol(rival: Rival) -> None:
    assert isinstance(rival, Rival)
    history = np.random.default_rng(0).standard_normal(80).cumsum()
    assert rival.fit([history], 6) is rival
    assert rival.rolling(history, [30, 80], 9).shape == (2, 9)
    fans = rival.rolling_quantiles(history, [30, 80], 9, [0.1, 0.9])
    assert fans.shape == (2, 9, 2)
    assert (fans[..., 0] <= fans[..., 1]).all()
    assert rival.rolling(history, np.empty(0, dtype=int), 9).shape == (0, 9)
    assert type(rival).from_arrays(rival.to_arrays()).name == rival.name


def test_names_say_what_a_table_calls_them() -> None:
    built = (Naive(), SeasonalNaive(7), Drift(), Ridge(), Ridge(5), EWMAVolatility())
    names = [rival.name for rival in built]
    assert names == [
        "last value", "same as 7 steps ago", "drift", "ridge on the lags", "ridge on the last 5",
        "EWMA(0.94) volatility",
    ]  # fmt: skip
