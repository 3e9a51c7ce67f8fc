"""The simple rivals that every network is measured against; numpy only, and quick to fit.

Exponential smoothing and MSTL are the exception: they need statsforecast, of the extra `bench`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.baselines.drift import Drift
    from unrolled.baselines.ewma import EWMAVolatility
    from unrolled.baselines.naive import Naive, SeasonalNaive
    from unrolled.baselines.ngram import NGram, bits_by_order, choose_order
    from unrolled.baselines.ridge import Ridge
    from unrolled.baselines.rival import Rival
    from unrolled.baselines.statistical import MSTL, ExponentialSmoothing

_HOMES = {
    "Drift": "drift",
    "EWMAVolatility": "ewma",
    "ExponentialSmoothing": "statistical",
    "MSTL": "statistical",
    "NGram": "ngram",
    "Naive": "naive",
    "Ridge": "ridge",
    "Rival": "rival",
    "SeasonalNaive": "naive",
    "bits_by_order": "ngram",
    "choose_order": "ngram",
}

__all__ = [
    "MSTL",
    "Drift",
    "EWMAVolatility",
    "ExponentialSmoothing",
    "NGram",
    "Naive",
    "Ridge",
    "Rival",
    "SeasonalNaive",
    "bits_by_order",
    "choose_order",
]

__getattr__, __dir__ = door(__name__, _HOMES)
