"""`unrolled train forecast`: from a table of series to a saved `Forecaster`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli import options
from unrolled.cli.options import given, option

EXAMPLES = (
    "unrolled train forecast weather.csv --horizon 7 --target temp_max",
    "unrolled train forecast data:us-employment --horizon 3 --budget 30s --out jobs.unrolled",
    "unrolled train forecast sales.parquet --horizon 14 --missing mask --run-dir run",
    "unrolled train forecast sales.parquet --horizon 14 --missing mask --run-dir run --resume",
)


def train_forecast(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="A .csv or .parquet table, or data:NAME (catalog)."),
    ],
    horizon: Annotated[int, typer.Option(help="How many steps ahead to forecast.")],
    out: options.Out = Path("model.unrolled"),
    target: options.Target = None,
    time: options.Time = None,
    id_: options.Id = None,
    missing: options.Missing = None,
    budget: Annotated[str | None, option(options.BUDGET_HELP, "1m")] = None,
    holdout: Annotated[float | None, option(options.HOLDOUT_HELP, "0.2")] = None,
    run_dir: options.RunDir = None,
    resume: options.Resume = False,
    quantile: Annotated[
        list[float] | None,
        option(
            "A quantile to forecast; may be repeated, ascending, 0.5 among them.",
            "0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95",
            metavar="LEVEL",
        ),
    ] = None,
    cell: options.Cell = None,
    hidden_size: Annotated[int | None, option(options.HIDDEN_SIZE_HELP, "128")] = None,
    layers: Annotated[int | None, option(options.LAYERS_HELP, "1")] = None,
    members: Annotated[
        str | None,
        option("Networks whose mean is the forecast.", "auto", metavar="auto|COUNT"),
    ] = None,
    window: Annotated[
        int | None,
        option("Steps of history in a training window.", "from the horizon and the season"),
    ] = None,
    dropout: Annotated[float | None, option(options.DROPOUT_HELP, "0.5")] = None,
    noise: Annotated[
        float | None,
        option("Strength of the noise that training adds.", "0.2"),
    ] = None,
    learning_rate: Annotated[float | None, option(options.LEARNING_RATE_HELP, "0.01")] = None,
    batch_size: Annotated[int | None, option("Windows in a batch.", "64")] = None,
    patience: Annotated[
        int | None,
        option("Validations without a better score before the run ends early.", "never"),
    ] = None,
    seed: options.Seed = None,
    device: options.Device = None,
    precision: options.Precision = None,
    no_diagnose: options.NoDiagnose = False,
    no_progress: options.NoProgress = False,
) -> None:
    """Learn to forecast the series of a table, with quantiles.

    The table is long (columns unique_id, ds, y) or wide (a time column, each other column a
    series). The evaluation compares the network with a naive forecast on the part that was kept
    back, and says where the network loses. Ctrl-C ends the training early and saves what was
    learnt.
    """
    from unrolled.cli.outputs import MODEL, check_out
    from unrolled.cli.sources import series_of
    from unrolled.cli.training import train

    check_out(out, MODEL)
    reading = given(value_columns=target, time_column=time, id_column=id_, missing=missing)
    series = series_of(file, reading)
    from unrolled.tasks.forecaster import Forecaster

    task = Forecaster(
        horizon,
        **given(
            quantiles=None if not quantile else tuple(quantile),
            cell=cell,
            hidden_size=hidden_size,
            layers=layers,
            members=int(members) if members and members.isdecimal() else members,
            window=window,
            dropout=dropout,
            noise=noise,
            learning_rate=learning_rate,
            batch_size=batch_size,
            patience=patience,
            seed=seed,
            device=device,
            precision=precision,
        ),
    )
    run = given(budget=budget, holdout=holdout, run_dir=run_dir)
    train(task, series, out, resume=resume, no_diagnose=no_diagnose, no_progress=no_progress, **run)
