"""Trace a model into plain records, and draw the records: a page, or a picture.

records    what a report holds: plain dataclasses, no model code
forecasts  records of the frames that a forecaster gives
traces     what a network did with one sequence, saved as one file
tracing    `trace`: any network, step by step (`tracing_layers`, `tracing_tasks`: its parts)
page       one self-contained HTML page
report_labels  another: confusion matrix, reliability and the gate of a classifier or tagger
picture    PNG or SVG files (matplotlib, extra `lens`)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.lens.forecasts import forecast_panel
    from unrolled.lens.page import render_report
    from unrolled.lens.picture import (
        draw_backtest,
        draw_calibration,
        draw_forecast,
        draw_forecasts,
        draw_overview,
        draw_unfolded,
    )
    from unrolled.lens.records import Report
    from unrolled.lens.report_labels import write_report
    from unrolled.lens.traces import Trace
    from unrolled.lens.tracing import trace

_HOMES = {
    "Report": "records",
    "Trace": "traces",
    "draw_backtest": "picture",
    "draw_calibration": "picture",
    "draw_forecast": "picture",
    "draw_forecasts": "picture",
    "draw_overview": "picture",
    "draw_unfolded": "picture",
    "forecast_panel": "forecasts",
    "render_report": "page",
    "trace": "tracing",
    "write_report": "report_labels",
}

__all__ = [
    "Report",
    "Trace",
    "draw_backtest",
    "draw_calibration",
    "draw_forecast",
    "draw_forecasts",
    "draw_overview",
    "draw_unfolded",
    "forecast_panel",
    "render_report",
    "trace",
    "write_report",
]

__getattr__, __dir__ = door(__name__, _HOMES)
