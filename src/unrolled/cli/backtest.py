"""`unrolled backtest`: what a model would have said at earlier moments, beside what came."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli import options
from unrolled.cli.options import given, option

EXAMPLES = (
    "unrolled backtest model.unrolled sales.csv",
    "unrolled backtest model.unrolled sales.csv --windows 8 --stride 7 --plot backtest.png",
    "unrolled backtest model.unrolled sales.csv --refit --budget 2m --out backtest.csv --json",
)


def backtest(
    model: options.Model,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The table to test on, or data:NAME (catalog).")
    ],
    windows: Annotated[
        int | None, option("Moments of each series, the last ones whose answers are known.", "5")
    ] = None,
    stride: Annotated[int | None, option("Steps between them.", "the horizon")] = None,
    refit: Annotated[
        bool,
        typer.Option("--refit", help="Learn anew before each moment, from all that precedes it."),
    ] = False,
    budget: Annotated[str | None, option("Of each --refit: 90s, 10m, '500 steps'.", "1m")] = None,
    target: options.Target = None,
    time: options.Time = None,
    id_: options.Id = None,
    missing: options.MissingAgain = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write all forecasts, with what came true, to this .csv or .parquet file.",
        ),
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help=options.PLOT_HELP)] = None,
    as_json: options.AsJson = False,
    no_progress: options.NoProgress = False,
) -> None:
    """Forecast from earlier moments of each series, and score what was said.

    Prints the scores of the network and of each simple rival, the share of what came that the
    intervals held before and after their repair, and what is wrong with them. Without --refit only
    moments behind the training part count, so that nothing that was learnt is tested on.
    """
    from unrolled.cli.models import open_forecaster, refuse
    from unrolled.cli.outputs import (
        PICTURE,
        TABLE,
        check_out,
        print_json,
        write_table,
    )
    from unrolled.cli.sources import history_of

    task = open_forecaster(model)
    if not refit:
        refuse(given(budget=budget), "for --refit only, without which nothing is learnt")
    if out is not None:
        check_out(out, TABLE, inputs=[file])
    if plot is not None:
        check_out(plot, PICTURE, "--plot", [file])
    reading = options.columns(target=target, time=time, id_=id_, missing=missing)
    series = history_of(task, file, reading)
    moments = given(windows=windows, stride=stride, budget=budget)
    found = task.backtest(series, refit=refit, progress=not no_progress, **moments)
    if as_json:
        print_json(found.to_dict())
    else:
        print(found)
    if out is not None:
        write_table(found.frame, out)
    if plot is not None:
        from unrolled.lens import draw_backtest, forecast_panel

        draw_backtest(forecast_panel(series, found.frame), found.before, found.after, plot)
