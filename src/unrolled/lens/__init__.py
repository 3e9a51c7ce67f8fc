"""Trace a model into plain records, and draw the records: a page, or a picture.

records    what a report holds: plain dataclasses, no model code
forecasts  records of the frames that a forecaster gives
traces     what a network did with one sequence, saved as one file
properties inside quotes, depth of brackets, ...: which units go with them
tracing    `trace`: any network, step by step (`tracing_layers`, `tracing_tasks`: its parts)
text_trace reads a text with a character model and records every step, for the page
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
    from unrolled.lens.picture_answers import draw_answers
    from unrolled.lens.picture_gradient import draw_gradients
    from unrolled.lens.picture_text import draw_text
    from unrolled.lens.properties import PROPERTIES, TrackingUnit, tracking_units
    from unrolled.lens.records import Report, TextTrace
    from unrolled.lens.report_labels import write_report
    from unrolled.lens.text_trace import trace_text
    from unrolled.lens.traces import Trace
    from unrolled.lens.tracing import trace

_HOMES = {
    "PROPERTIES": "properties",
    "Report": "records",
    "TextTrace": "records",
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
    "render_report": "page",
    "trace": "tracing",
    "trace_text": "text_trace",
    "tracking_units": "properties",
    "write_report": "report_labels",
}

__all__ = [
    "PROPERTIES",
    "Report",
    "TextTrace",
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
    "render_report",
    "trace",
    "trace_text",
    "tracking_units",
    "write_report",
]

__getattr__, __dir__ = door(__name__, _HOMES)
