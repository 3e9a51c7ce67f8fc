"""`unrolled check`: what the data doctor says of a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli import options
from unrolled.cli.options import columns

EXAMPLES = (
    "unrolled check sales.csv --horizon 28",
    "unrolled check weather.csv --time date --target temp_max --past wind",
    "unrolled check sales.parquet --horizon 28 --out findings.csv --json",
)


def check(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="A .csv or .parquet table, or data:NAME (catalog)."),
    ],
    horizon: Annotated[
        int | None, typer.Option(help="How many steps ahead will be forecast.")
    ] = None,
    lookback: Annotated[
        int | None, typer.Option(help="Steps of history that a window of training will take.")
    ] = None,
    target: options.Target = None,
    time: options.Time = None,
    id_: options.Id = None,
    past: options.Past = None,
    future: options.Future = None,
    static: options.Static = None,
    category: options.Category = None,
    missing: options.Missing = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all findings to this .csv or .parquet file."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Look through the series of a table before anything is learnt from them.

    Tells how many series there are and of which frequency; then duplicates, gaps, constant series,
    outliers, changes of unit, covariates that hold the future, and series that are too short for
    the horizon, each with its series and time. Changes nothing; findings are no error.
    """
    from unrolled.cli.outputs import TABLE, check_out, print_json, write_table
    from unrolled.cli.sources import series_of
    from unrolled.data.doctor import examine

    if out is not None:
        check_out(out, TABLE, inputs=[file])
    reading = columns(
        target=target,
        time=time,
        id_=id_,
        missing=missing or "mask",
        past=past,
        future=future,
        static=static,
        category=category,
    )
    found = examine(series_of(file, reading), horizon=horizon, lookback=lookback)
    if as_json:
        print_json(found.to_dict())
    else:
        print(found)
    if out is not None:
        write_table(found.to_frame(), out)
