"""Trace a model into plain records, and draw the records: a page, or a picture.

records    what a report holds: plain dataclasses, no model code
forecasts  records of the frames that a forecaster gives
traces     what a network did with one sequence, saved as one file
tracing    `trace`: any network, step by step (`tracing_layers`, `tracing_tasks`: its parts)
text_trace reads a text with a character model and records every step, for the page
page       one self-contained HTML page
report_labels  another: confusion matrix, reliability and the gate of a classifier or tagger
runs       what the log of a run tells, as records (`run_records`)
server     a page that a running program keeps up to date
showing    `show`: a model that reads something, a trace, or runs, in the browser
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
    from unrolled.lens.records import Report, TextTrace
    from unrolled.lens.report_labels import write_report
    from unrolled.lens.run_records import RunRecord
    from unrolled.lens.runs import read_run
    from unrolled.lens.showing import serve, show
    from unrolled.lens.text_trace import trace_text
    from unrolled.lens.traces import Trace
    from unrolled.lens.tracing import trace

_HOMES = {
    "Report": "records",
    "RunRecord": "run_records",
    "TextTrace": "records",
    "Trace": "traces",
    "draw_backtest": "picture",
    "draw_calibration": "picture",
    "draw_forecast": "picture",
    "draw_forecasts": "picture",
    "draw_overview": "picture",
    "draw_unfolded": "picture",
    "forecast_panel": "forecasts",
    "read_run": "runs",
    "render_report": "page",
    "serve": "showing",
    "show": "showing",
    "trace": "tracing",
    "trace_text": "text_trace",
    "write_report": "report_labels",
}

__all__ = [
    "Report",
    "RunRecord",
    "TextTrace",
    "Trace",
    "draw_backtest",
    "draw_calibration",
    "draw_forecast",
    "draw_forecasts",
    "draw_overview",
    "draw_unfolded",
    "forecast_panel",
    "read_run",
    "render_report",
    "serve",
    "show",
    "trace",
    "trace_text",
    "write_report",
]

__getattr__, __dir__ = door(__name__, _HOMES)
