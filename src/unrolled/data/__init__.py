"""Readers that turn files into batches: series, text, batching, and the catalog of public data.

Names are loaded when they are first asked for, so that `import unrolled.data` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unrolled.data import catalog
    from unrolled.data.batch import Batch
    from unrolled.data.batching import BucketedBatches, ContiguousBatches, WindowBatches
    from unrolled.data.calendar import calendar_features, calendar_names
    from unrolled.data.frequency import Frequency
    from unrolled.data.series import read_series
    from unrolled.data.series_set import SeriesSet
    from unrolled.data.text import Vocabulary, read_text

_HOMES = {
    "Batch": "batch",
    "BucketedBatches": "batching",
    "ContiguousBatches": "batching",
    "Frequency": "frequency",
    "SeriesSet": "series_set",
    "Vocabulary": "text",
    "WindowBatches": "batching",
    "calendar_features": "calendar",
    "calendar_names": "calendar",
    "read_series": "series",
    "read_text": "text",
}

__all__ = [
    "Batch",
    "BucketedBatches",
    "ContiguousBatches",
    "Frequency",
    "SeriesSet",
    "Vocabulary",
    "WindowBatches",
    "calendar_features",
    "calendar_names",
    "catalog",
    "read_series",
    "read_text",
]


def __getattr__(name: str) -> Any:
    if name == "catalog":
        return import_module("unrolled.data.catalog")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"unrolled.data.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
