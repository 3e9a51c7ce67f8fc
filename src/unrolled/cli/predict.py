"""`unrolled predict`: a forecast of series, or text that goes on from a prompt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli import options
from unrolled.cli.options import given, option
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.forecaster import Forecaster
    from unrolled.tasks.generator import Generator

EXAMPLES = (
    "unrolled predict model.unrolled weather.csv --out next.csv --plot next.png",
    "unrolled predict model.unrolled sales.parquet --future ahead.csv --out next.parquet",
    "unrolled predict model.unrolled weather.csv --quantile 0.1 --quantile 0.9",
    "unrolled predict writer.unrolled --prompt 'It was a' --length 300 --seed 1",
    "unrolled predict writer.unrolled --prompt 'It was a' --suggest 5",
)


def predict(
    model: options.Model,
    history: Annotated[
        str | None,
        typer.Argument(
            metavar="INPUT", help="Forecaster: the table to go on from, or data:NAME (catalog)."
        ),
    ] = None,
    future: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Forecaster: a table of the future covariates of the steps ahead, where INPUT does"
            " not hold them in rows of its own.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Forecaster: write to this .csv or .parquet file."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"Forecaster: {options.PLOT_HELP}")
    ] = None,
    quantile: Annotated[
        list[float] | None,
        typer.Option(metavar="LEVEL", help="Forecaster: a learnt quantile; may be repeated."),
    ] = None,
    target: options.Target = None,
    time: options.Time = None,
    id_: options.Id = None,
    missing: options.MissingAgain = None,
    prompt: Annotated[str | None, typer.Option(help="Generator: what to read first.")] = None,
    length: Annotated[int | None, option("Generator: characters to write.", "200")] = None,
    temperature: Annotated[
        float | None,
        option("Generator: below 1 the likely is likelier; 0 takes the likeliest.", "0.8"),
    ] = None,
    top_k: Annotated[
        int | None, typer.Option(help="Generator: draw from the K likeliest only.")
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(help="Generator: draw from the fewest that have probability P together."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Generator: the same seed gives the same text.")
    ] = None,
    suggest: Annotated[
        int | None,
        typer.Option(metavar="K", help="Generator: only the K likeliest next characters."),
    ] = None,
    no_progress: options.NoProgress = False,
) -> None:
    """Forecast what follows a table, or write on from a prompt.

    A forecaster prints CSV with the columns unique_id, ds (or as they were called in training),
    forecast (the median) and one for each quantile. The table is read as the one of the training;
    --target, --time, --id and --missing say what is different. A generator prints what comes after
    the prompt.
    """
    from unrolled.cli.models import kind, open_model, refuse

    task: Any = open_model(model)
    series = given(future=future, quantiles=quantile, out=out, plot=plot) | options.columns(
        target=target, time=time, id_=id_, missing=missing
    )
    writing = given(
        prompt=prompt,
        length=length,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        seed=seed,
        k=suggest,
    )
    other = f"not for {model}, which holds a {kind(task)}; see unrolled predict --help"
    if kind(task) == "Forecaster":
        refuse(writing, other)
        _forecast(task, model, history, series, progress=not no_progress)
    else:
        refuse(given(history=history) | series, other)
        _write(task, writing)


def _forecast(
    task: Forecaster, model: Path, history: str | None, series: dict[str, Any], *, progress: bool
) -> None:
    from unrolled.cli.outputs import PICTURE, TABLE, check_out, plain_warnings, write_table
    from unrolled.cli.sources import history_of

    if history is None:
        raise ConfigError(f"{model} holds a Forecaster, which needs INPUT, the table to go on from")
    out, plot, future = (series.pop(name, None) for name in ("out", "plot", "future"))
    quantiles = series.pop("quantiles", None)
    inputs = [history, *([future] if future is not None else [])]
    if out is not None:
        check_out(out, TABLE, inputs=inputs)
    if plot is not None:
        check_out(plot, PICTURE, "--plot", inputs)
    known = history_of(task, history, series)
    with plain_warnings():
        frame = task.predict(known, future=future, quantiles=quantiles, progress=progress, **series)
    if plot is not None:
        from unrolled.lens import draw_forecasts, forecast_panel

        draw_forecasts(forecast_panel(known, frame), plot)
    if out is not None or plot is None:
        write_table(frame, out)


def _write(task: Generator, writing: dict[str, Any]) -> None:
    from unrolled.cli.models import refuse

    prompt = writing.pop("prompt", "")
    if "k" not in writing:
        print(task.generate(prompt, **writing))
        return
    k = writing.pop("k")
    refuse(writing, "can't go together with --suggest, which draws nothing")
    for character, probability in task.suggest(prompt, k):
        print(f"{probability:.3f}  {character!r}")
