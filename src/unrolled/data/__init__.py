"""Readers that turn files into batches: series, text, batching, and the catalog of public data.

Names are loaded when they are first asked for, so that `import unrolled.data` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

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
    "catalog": "",
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

__getattr__, __dir__ = door(__name__, _HOMES)
