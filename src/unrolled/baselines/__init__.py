"""The simple rivals that every network is measured against; numpy only, and quick to fit."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
