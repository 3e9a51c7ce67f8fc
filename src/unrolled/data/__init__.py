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
    from unrolled.data.calendar import (
        calendar_features,
        calendar_more,
        calendar_more_names,
        calendar_names,
    )
    from unrolled.data.covariates import Covariates, check_covariates
    from unrolled.data.doctor import examine
    from unrolled.data.doctor_checkup import Checkup, DataFinding
    from unrolled.data.elapsed import elapsed_features
    from unrolled.data.frames import same_kind
    from unrolled.data.frequency import Frequency
    from unrolled.data.holiday import check_country, holiday_features, holiday_names
    from unrolled.data.known_ahead import attach_future
    from unrolled.data.notes import Note
    from unrolled.data.patients import make_patients
    from unrolled.data.series import read_series
    from unrolled.data.series_set import SeriesSet
    from unrolled.data.text import Vocabulary, read_text

_HOMES = {
    "elapsed_features": "elapsed",
    "examine": "doctor",
    "make_patients": "patients",
    "Batch": "batch",
    "BucketedBatches": "batching",
    "ContiguousBatches": "batching",
    "Covariates": "covariates",
    "Checkup": "doctor_checkup",
    "DataFinding": "doctor_checkup",
    "Frequency": "frequency",
    "Note": "notes",
    "SeriesSet": "series_set",
    "Vocabulary": "text",
    "WindowBatches": "batching",
    "attach_future": "known_ahead",
    "calendar_features": "calendar",
    "calendar_more": "calendar",
    "calendar_more_names": "calendar",
    "calendar_names": "calendar",
    "catalog": "",
    "check_country": "holiday",
    "check_covariates": "covariates",
    "holiday_features": "holiday",
    "holiday_names": "holiday",
    "read_series": "series",
    "read_text": "text",
    "same_kind": "frames",
}

__all__ = [
    "Batch",
    "BucketedBatches",
    "Checkup",
    "ContiguousBatches",
    "Covariates",
    "DataFinding",
    "Frequency",
    "Note",
    "SeriesSet",
    "Vocabulary",
    "WindowBatches",
    "attach_future",
    "calendar_features",
    "calendar_more",
    "calendar_more_names",
    "calendar_names",
    "catalog",
    "check_country",
    "check_covariates",
    "elapsed_features",
    "examine",
    "holiday_features",
    "holiday_names",
    "make_patients",
    "read_series",
    "read_text",
    "same_kind",
]

__getattr__, __dir__ = door(__name__, _HOMES)
