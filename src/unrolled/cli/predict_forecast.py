"""`unrolled predict` with a forecaster: what follows a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.forecaster import Forecaster


def forecast(
    task: Forecaster, model: Path, history: str | None, series: dict[str, Any], *, progress: bool
) -> None:
    """Forecast what follows a table.

    Args:
        task: the forecaster.
        model: its file, for messages.
        history: the table.
        series: the options that were given: where to write, which quantiles, how to read.
        progress: show a bar.
    """
    from unrolled.cli.outputs import PICTURE, TABLE, check_out, write_table
    from unrolled.cli.sources import history_of

    if history is None:
        raise ConfigError(f"{model} holds a Forecaster, which needs INPUT, the table to go on from")
    out, plot, future = (series.pop(name, None) for name in ("out", "plot", "future"))
    quantiles = series.pop("quantiles", None)
    inputs = [str(model), history, *([future] if future is not None else [])]
    if out is not None:
        check_out(out, TABLE, inputs=inputs)
    if plot is not None:
        check_out(plot, PICTURE, "--plot", inputs)
    known = history_of(task, history, series)
    frame = task.predict(known, future=future, quantiles=quantiles, progress=progress, **series)
    if plot is not None:
        from unrolled.lens import draw_forecasts, forecast_panel

        draw_forecasts(forecast_panel(known, frame), plot)
    if out is not None or plot is None:
        write_table(frame, out)
