"""`unrolled train forecast`: from a table of series to a saved `Forecaster`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli import options
from unrolled.cli.options import given, option
from unrolled.errors import ConfigError

EXAMPLES = (
    "unrolled train forecast sales.csv --horizon 28 --budget 10m",
    "unrolled train forecast weather.csv --horizon 24 --target temp --past wind --future holiday",
    "unrolled train forecast data:us-employment --horizon 3 --budget 30s --out jobs.unrolled",
    "unrolled train forecast sales.parquet --horizon 14 --fallback baseline --run-dir run",
    "unrolled train forecast sales.parquet --horizon 14 --fallback baseline --run-dir run --resume",
)


def train_forecast(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="A .csv or .parquet table, or data:NAME (catalog)."),
    ],
    horizon: Annotated[
        int | None, option("How many steps ahead to forecast.", "one season of the frequency")
    ] = None,
    out: options.Out = Path("model.unrolled"),
    target: options.Target = None,
    time: options.Time = None,
    id_: options.Id = None,
    past: options.Past = None,
    future: options.Future = None,
    static: options.Static = None,
    category: options.Category = None,
    missing: options.Missing = None,
    budget: Annotated[str | None, option(options.BUDGET_HELP, "1m")] = None,
    holdout: Annotated[
        str | None,
        option(
            "What is kept at the end to measure on: a share such as 0.2, a number of steps, or 0.",
            "0.2",
            metavar="SHARE|STEPS",
        ),
    ] = None,
    run_dir: options.RunDir = None,
    resume: options.Resume = False,
    quantile: Annotated[
        list[float] | None,
        option(
            "A quantile to forecast; may be repeated, ascending, 0.5 among them.",
            "0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975",
            metavar="LEVEL",
        ),
    ] = None,
    architecture: Annotated[
        str | None,
        option(
            "How the network reads and answers.",
            "auto",
            metavar="auto|segments|autoregressive|steps",
        ),
    ] = None,
    head: Annotated[
        str | None,
        option(
            "What it answers with.",
            "auto",
            metavar="auto|quantiles|normal|mean|student-t|negative-binomial",
        ),
    ] = None,
    cell: options.Cell = None,
    hidden_size: Annotated[
        int | None, option(options.HIDDEN_SIZE_HELP, "by the architecture")
    ] = None,
    layers: Annotated[int | None, option(options.LAYERS_HELP, "1")] = None,
    members: Annotated[
        str | None,
        option("Networks whose mean is the forecast.", "auto", metavar="auto|COUNT"),
    ] = None,
    lookback: Annotated[
        list[int] | None,
        option(
            "Steps of history that are read; may be repeated, for members that read differently"
            " much.",
            "by horizon, season and length of the data",
        ),
    ] = None,
    segment: Annotated[
        int | None, option("Steps of history that are read at once.", "a season, where that fits")
    ] = None,
    normalise: Annotated[
        str | None,
        option(
            "What a window is measured against.",
            "auto",
            metavar="auto|last|season|window|volatility|mean",
        ),
    ] = None,
    shortcut: Annotated[
        str | None,
        option("The linear map beside the network.", "learnt", metavar="learnt|fixed|none"),
    ] = None,
    log: Annotated[
        bool | None,
        typer.Option(
            "--log/--no-log",
            help="Read series in logarithms. [default: where changes grow with the level]",
        ),
    ] = None,
    holidays: Annotated[
        str | None,
        typer.Option(metavar="COUNTRY", help="Read the holidays of a country, such as DE."),
    ] = None,
    paths: Annotated[int | None, option("Sample paths (autoregressive).", "200")] = None,
    dropout: Annotated[float | None, option(options.DROPOUT_HELP, "by the architecture")] = None,
    gaps: Annotated[
        float | None,
        option("Share of the training windows whose last values are hidden (not steps).", "0.1"),
    ] = None,
    noise: Annotated[
        float | None,
        option("Strength of the noise that training adds (steps).", "0.2"),
    ] = None,
    learning_rate: Annotated[
        float | None, option(options.LEARNING_RATE_HELP, "by the architecture")
    ] = None,
    batch_size: Annotated[int | None, option("Windows in a batch.", "by the architecture")] = None,
    validation: Annotated[
        float | None,
        option(
            "Share at the end of what is learnt from on which the best weights are chosen and the"
            " intervals are repaired.",
            "0.15",
        ),
    ] = None,
    patience: Annotated[
        int | None,
        option("Validations without a better score before the run ends early.", "never"),
    ] = None,
    fallback: Annotated[
        str | None,
        typer.Option(
            metavar="baseline",
            help="Let a simple rival answer where it was better on what was kept.",
        ),
    ] = None,
    seed: options.Seed = None,
    device: options.Device = None,
    precision: options.Precision = None,
    no_diagnose: options.NoDiagnose = False,
    no_progress: options.NoProgress = False,
) -> None:
    """Learn to forecast the series of a table, with quantiles.

    The table is long (columns unique_id, ds, y) or wide (a time column, each other column a
    series). First comes what the data doctor found. After the training the evaluation compares the
    network with simple rivals on the part that was kept back, says where the network loses, and who
    answers. Ctrl-C ends the training early and saves what was learnt.
    """
    from unrolled.cli.outputs import MODEL, check_out
    from unrolled.cli.sources import table_of
    from unrolled.cli.training import tell, train

    check_out(out, MODEL, inputs=[file])
    reading = options.columns(
        target=target,
        time=time,
        id_=id_,
        missing=missing,
        past=past,
        future=future,
        static=static,
        category=category,
    )
    data, columns = table_of(file, reading)
    from unrolled.tasks.forecaster import Forecaster

    task = Forecaster(
        **given(
            architecture=architecture,
            horizon=horizon,
            quantiles=None if not quantile else tuple(quantile),
            head=head,
            cell=cell,
            hidden_size=hidden_size,
            layers=layers,
            members=int(members) if members and members.isdecimal() else members,
            lookback=lookback,
            segment=segment,
            normalise=normalise,
            shortcut=shortcut,
            log=log,
            holidays=holidays,
            paths=paths,
            dropout=dropout,
            noise=noise,
            gaps=gaps,
            learning_rate=learning_rate,
            batch_size=batch_size,
            validation=validation,
            patience=patience,
            fallback=fallback,
            seed=seed,
            device=device,
            precision=precision,
        ),
    )
    run = given(budget=budget, holdout=_share_or_steps(holdout), run_dir=run_dir)
    train(
        task,
        data,
        out,
        resume=resume,
        no_diagnose=no_diagnose,
        no_progress=no_progress,
        tell=tell,
        **columns,
        **run,
    )


def _share_or_steps(told: str | None) -> float | int | None:
    if told is None or told.isdecimal():
        return None if told is None else int(told)
    try:
        return float(told)
    except ValueError:
        raise ConfigError(
            f"holdout: got {told!r}, expected a share such as 0.2, or a number of steps"
        ) from None
