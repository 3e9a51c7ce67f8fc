"""The simple rivals that every network is measured against; numpy only, and quick to fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.baselines.naive import Naive, SeasonalNaive
    from unrolled.baselines.ngram import NGram, bits_by_order, choose_order

_HOMES = {
    "NGram": "ngram",
    "Naive": "naive",
    "SeasonalNaive": "naive",
    "bits_by_order": "ngram",
    "choose_order": "ngram",
}

__all__ = ["NGram", "Naive", "SeasonalNaive", "bits_by_order", "choose_order"]

__getattr__, __dir__ = door(__name__, _HOMES)
