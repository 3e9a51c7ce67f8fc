"""The verbs, put together."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.main import get_command

from unrolled.cli import (
    backtest,
    check,
    data_get,
    data_list,
    demo,
    evaluate,
    info,
    lab,
    lens,
    listen,
    predict,
    score,
    suggest,
    train_classify,
    train_forecast,
    train_generate,
    train_ngram,
    train_tag,
    train_transcribe,
    train_translate,
    tune,
)
from unrolled.cli.options import examples

# Plain help: it needs no import of rich, and reads the same in a pipe.
_PLAIN: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["--help", "-h"], "max_content_width": 100},
}
EXAMPLES = (
    "unrolled demo",
    "unrolled train forecast data:seattle-weather --target temp_max --horizon 7",
    "unrolled predict model.unrolled data:seattle-weather --out next.csv --plot next.png",
    "unrolled train classify reviews.csv --out reviews.unrolled",
    "unrolled predict reviews.unrolled --text 'not a bad film at all' --running",
)


def command() -> Any:
    """The whole command line as one command object."""
    app = typer.Typer(**_PLAIN)
    app.callback(invoke_without_command=True, epilog=examples(EXAMPLES))(unrolled)
    _add(app, "demo", demo.demo, demo.EXAMPLES)
    _add(app, "check", check.check, check.EXAMPLES)
    train = _group(
        app,
        "train",
        "Train a model on a file: forecast, classify, tag, translate, transcribe, generate, or"
        " count n-grams.",
    )
    _add(train, "forecast", train_forecast.train_forecast, train_forecast.EXAMPLES)
    _add(train, "classify", train_classify.train_classify, train_classify.EXAMPLES)
    _add(train, "tag", train_tag.train_tag, train_tag.EXAMPLES)
    _add(train, "translate", train_translate.train_translate, train_translate.EXAMPLES)
    _add(train, "transcribe", train_transcribe.train_transcribe, train_transcribe.EXAMPLES)
    _add(train, "generate", train_generate.train_generate, train_generate.EXAMPLES)
    _add(train, "ngram", train_ngram.train_ngram, train_ngram.EXAMPLES)
    _add(app, "tune", tune.tune, tune.EXAMPLES)
    _add(app, "predict", predict.predict, predict.EXAMPLES)
    _add(app, "listen", listen.listen, listen.EXAMPLES)
    _add(app, "suggest", suggest.suggest, suggest.EXAMPLES)
    _add(app, "score", score.score, score.EXAMPLES)
    _add(app, "evaluate", evaluate.evaluate, evaluate.EXAMPLES)
    _add(app, "backtest", backtest.backtest, backtest.EXAMPLES)
    _add(app, "lab", lab.lab, lab.EXAMPLES)
    _add(app, "lens", lens.lens, lens.EXAMPLES)
    data = _group(app, "data", "Public data sets by name: what there is, and where its file is.")
    _add(data, "list", data_list.data_list, data_list.EXAMPLES)
    _add(data, "get", data_get.data_get, data_get.EXAMPLES)
    _add(app, "info", info.info, info.EXAMPLES)
    group = get_command(app)
    # typer puts groups after verbs; a reader wants the order in which they are used
    order = [
        "demo",
        "check",
        "train",
        "tune",
        "predict",
        "listen",
        "suggest",
        "score",
        "evaluate",
        "backtest",
        "lab",
        "lens",
        "data",
        "info",
    ]
    group.commands = {name: group.commands[name] for name in order}  # type: ignore[attr-defined]
    return group


def unrolled(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True)
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the trace of an error; may stand anywhere.")
    ] = False,
) -> None:
    """Recurrent networks that you can train, see through and ship, on the machine you have.

    Exit codes: 0 done, 2 bad input or usage, 1 anything else.
    """
    if version:
        from unrolled import __version__

        print(f"unrolled {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


def _group(app: typer.Typer, name: str, about: str) -> typer.Typer:
    group = typer.Typer(help=about, **_PLAIN)
    app.add_typer(group, name=name)
    return group


def _add(app: typer.Typer, name: str, function: Any, shown: tuple[str, ...]) -> None:
    app.command(name, epilog=examples(shown))(function)
