"""`unrolled lens`: a network step by step, or how it learns, in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from unrolled.cli import options_transcribe
from unrolled.cli.language import files_of, language
from unrolled.cli.options import given, option

EXAMPLES = (
    "unrolled lens reviews.unrolled 'the film is not good'",
    "unrolled lens writer.unrolled chapter.txt --steps 200",
    "unrolled lens de-en.unrolled 'Ein Mann fährt Rad.' --beam 3",
    "unrolled lens digits.unrolled a.wav",
    "unrolled lens hears.unrolled a.wav --lm lm.unrolled --hot-word Nguyen",
    "unrolled lens weather.unrolled weather.csv --origin 2015-06-01",
    "unrolled lens weather.unrolled data:seattle-weather",
    "unrolled lens night.trace",
    "unrolled lens runs/one",
    "unrolled lens runs/one runs/two --out compared.html",
)


def lens(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="A model (.unrolled), the file of a trace, or the folder of a run (--run-dir),"
            " which is followed while it is written.",
        ),
    ],
    more: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT|PATH",
            help="After a model, what it reads: a text, the name of a text file, or - for standard"
            " input; after a translator a sentence, or with a tab behind it the translation to look"
            " at; after a transcriber a file of sound, or with a tab behind it the text to align"
            " with it; after a forecaster a table or data:NAME (catalog). After a run, others to"
            " compare.",
        ),
    ] = None,
    series: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of a table with several series: the one to read."),
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Of a forecaster: the last time that it knows; what the table holds after it is"
            " what came true.",
        ),
    ] = None,
    beam: Annotated[
        int | None,
        option(
            "Of a translator or transcriber: hypotheses that its search keeps.",
            "as predict does",
        ),
    ] = None,
    lm: options_transcribe.Lm = None,
    lm_weight: options_transcribe.LmWeight = None,
    word_bonus: options_transcribe.WordBonus = None,
    unknown_word: options_transcribe.UnknownWord = None,
    rerank: options_transcribe.Rerank = None,
    rerank_weight: options_transcribe.RerankWeight = None,
    hot_word: options_transcribe.HotWord = None,
    hot_words: options_transcribe.HotWords = None,
    skip_lm: options_transcribe.SkipLm = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the page to this file (.html), which works from disk, and serve nothing.",
        ),
    ] = None,
    port: Annotated[int | None, option("Of the address; 0: any that is free.", "0")] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address of the page.")
    ] = False,
    steps: Annotated[
        int | None,
        option("Of what is read, the last so many are shown; of a sound the first.", "1000"),
    ] = None,
    units: Annotated[
        int | None, option("Of a layer, so many units that change most are shown.", "512")
    ] = None,
) -> None:
    """Show a network step by step, or how it learns, as a page in the browser.

    The page is served on 127.0.0.1 alone, until Ctrl-C. Of a model: what it does with a text or
    a sound, step by step: states, gates, gradients, answers; of a transcriber also which words
    sound like those that it hears, and what --lm, --rerank and hot words say of each. Of runs:
    loss, learning rate, gradient, what was found on the way, and the gradient through time over the
    training; several are compared.
    """
    from unrolled.cli.outputs import PAGE, check_out
    from unrolled.cli.sources import CATALOG
    from unrolled.lens.showing import is_file, show

    spoken = language(locals())
    paths: list[Any] = [path, *(more or [])]
    read: list[str] = []
    if is_file(path):
        paths, read = paths[:1], paths[1:]
    if out is not None:
        check_out(out, PAGE, inputs=[path, *filter(is_file, more or []), *files_of(spoken)])
    if len(read) > 1:
        raise typer.BadParameter(
            f"got {len(read)} texts for {path}, expected one; put it in quotes"
        )
    if spoken:
        paths[0] = _with_language(path, spoken)
    told: Any = None
    if read and read[0].startswith(CATALOG):
        paths[0], told = _with_catalog(paths[0], read[0])
    elif read:
        told = _input(read[0])
    page = show(
        *paths,
        **given(
            given=told,
            series=series,
            origin=origin,
            beam=beam,
            out=out,
            port=port,
            steps=steps,
            units=units,
        ),
        browser=not no_browser,
    )
    if page is not None:
        print(f"page written to {page}")


def _with_language(path: str, spoken: dict[str, Any]) -> Any:
    """A transcriber that hears with the language; ConfigError for all else."""
    from unrolled.cli.language import use
    from unrolled.cli.models import a_kind, kind, open_model, refuse
    from unrolled.lens.showing import file_kind, is_folder

    what = "a run" if is_folder(path) else file_kind(Path(path))
    if what != "a model":
        refuse(spoken, f"for the model of a transcriber, and {path} is {what}; leave it out")
    task: Any = open_model(Path(path))
    if kind(task) != "Transcriber":
        refuse(spoken, f"not for {path}, which holds {a_kind(task)}; see unrolled lens --help")
    use(task, spoken)
    return task


def _with_catalog(model: Any, told: str) -> tuple[Any, Any]:
    """A forecaster and a set of the catalog, read as its table; for others it is a text."""
    from unrolled.cli.models import kind, open_model
    from unrolled.cli.sources import history_of
    from unrolled.lens.showing import file_kind

    if not isinstance(model, str) or file_kind(Path(model)) != "a model":
        return model, told
    task: Any = open_model(Path(model))
    return task, history_of(task, told, {}) if kind(task) == "Forecaster" else told


def _input(told: str) -> Any:
    """A text file by its path, standard input, or the text itself."""
    from unrolled.cli.answers import STREAM, typed_lines
    from unrolled.lens.showing import is_file

    if told == STREAM:
        return "\n".join(typed_lines())
    return Path(told) if is_file(told) else told
