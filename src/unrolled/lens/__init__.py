"""Trace a model into plain records, and draw the records: a page, or a picture.

records    what a report holds: plain dataclasses, no model code
forecasts  records of the frames that a forecaster gives
traces     what a network did with one sequence, saved as one file
properties inside quotes, depth of brackets, ...: which units go with them
tracing    `trace`: any network, step by step (`tracing_layers`, `tracing_tasks`: its parts)
page       one self-contained HTML page
notebook   the same in a cell of a notebook: a frame, or a widget
report_labels  another: confusion matrix, reliability and the gate of a classifier or tagger
runs       what the log of a run tells, as records (`run_records`)
server     a page that a running program keeps up to date
showing    `show`: a model that reads something, a trace, or runs, in the browser
picture    PNG or SVG files (matplotlib, extra `lens`)
picture_trace  one view of a trace; each view is a module (`picture_map`, `picture_text`, ...)
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
    from unrolled.lens.picture_answers import draw_answers
    from unrolled.lens.picture_gradient import draw_gradients
    from unrolled.lens.picture_text import draw_text
    from unrolled.lens.properties import PROPERTIES, TrackingUnit, tracking_units
    from unrolled.lens.records import Report
    from unrolled.lens.report_labels import write_report
    from unrolled.lens.run_records import RunRecord
    from unrolled.lens.runs import read_run
    from unrolled.lens.showing import serve, show
    from unrolled.lens.traces import Trace
    from unrolled.lens.tracing import trace

_HOMES = {
    "PROPERTIES": "properties",
    "Report": "records",
    "RunRecord": "run_records",
    "Trace": "traces",
    "TrackingUnit": "properties",
    "draw_answers": "picture_answers",
    "draw_backtest": "picture",
    "draw_calibration": "picture",
    "draw_forecast": "picture",
    "draw_forecasts": "picture",
    "draw_gradients": "picture_gradient",
    "draw_overview": "picture",
    "draw_text": "picture_text",
    "draw_unfolded": "picture",
    "forecast_panel": "forecasts",
    "read_run": "runs",
    "render_report": "page",
    "serve": "showing",
    "show": "showing",
    "trace": "tracing",
    "tracking_units": "properties",
    "write_report": "report_labels",
}

__all__ = [
    "PROPERTIES",
    "Report",
    "RunRecord",
    "Trace",
    "TrackingUnit",
    "draw_answers",
    "draw_backtest",
    "draw_calibration",
    "draw_forecast",
    "draw_forecasts",
    "draw_gradients",
    "draw_overview",
    "draw_text",
    "draw_unfolded",
    "forecast_panel",
    "read_run",
    "render_report",
    "serve",
    "show",
    "trace",
    "tracking_units",
    "write_report",
]

__getattr__, __dir__ = door(__name__, _HOMES)
