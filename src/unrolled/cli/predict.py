"""`unrolled predict`: what a model answers: a forecast, text, labels, tags, a transcript."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from unrolled.cli import options, options_transcribe, options_translate
from unrolled.cli.language import files_of, language, use
from unrolled.cli.options import given, option
from unrolled.errors import ConfigError

EXAMPLES = (
    "unrolled predict model.unrolled weather.csv --out next.csv --plot next.png",
    "unrolled predict model.unrolled sales.parquet --future ahead.csv --quantile 0.1",
    "unrolled predict writer.unrolled --prompt 'It was a' --length 300 --seed 1",
    "unrolled predict reviews.unrolled new.csv --out answers.csv",
    "unrolled predict reviews.unrolled --text 'not a bad film at all' --running",
    "tail -f app.log | unrolled predict alarms.unrolled -",
    "unrolled predict tagger.unrolled letter.txt --out letter.conll",
    "unrolled predict de-en.unrolled test.de --out test.en",
    "unrolled predict de-en.unrolled --text 'Ein Mann fährt Rad.' --alignment",
    "unrolled predict de-en.unrolled",
    "unrolled predict hears.unrolled a.wav talks/ --format jsonl",
    "unrolled predict hears.unrolled talk.mp3 --out talk.srt",
    "unrolled predict hears.unrolled a.wav --lm lm.unrolled --hot-word unrolled",
    "unrolled predict hears.unrolled a.wav --lm lm.unrolled --explain",
    "ffmpeg -i film.mkv -f wav - | unrolled predict hears.unrolled -",
)
# Their input is no text.
_WITHOUT_TEXT = ("Forecaster", "Generator", "Transcriber")


def predict(
    model: options.Model,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT",
            help="Forecaster: the table to go on from. Classifier: a table, or a .txt file with a"
            " text a line. Tagger: a CoNLL file or a text. Generator: a prompt a line. Translator:"
            " a sentence a line; without, as you type. Transcriber: sounds, folders or tables of"
            " them; several, too. Or data:NAME (catalog). Texts, names of sounds and one sound: -"
            " for standard input, lines answered as they come.",
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(help="Classifier, tagger, translator: a text, in place of INPUT."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write to this file: .csv or .parquet of a forecaster, .csv of a classifier,"
            " .conll or .txt of a tagger, .txt, .tsv or a language (.en) of a translator, .txt,"
            " .tsv, .jsonl, .srt or .vtt of a transcriber.",
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
    text_column: options.TextColumn = None,
    running: Annotated[
        bool, typer.Option("--running", help="Classifier: the answer after every word.")
    ] = False,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Classifier: how much each word speaks for the answer. Transcriber: which words"
            " sound like those that were heard, and why they lost.",
        ),
    ] = False,
    prompt: Annotated[str | None, typer.Option(help="Generator: what to read first.")] = None,
    length: Annotated[int | None, option("Generator: tokens to write.", "200")] = None,
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
    repetition_penalty: Annotated[
        float | None,
        option("Generator: above 1, what stands there already becomes less likely.", "1.0"),
    ] = None,
    repetition_window: Annotated[
        int | None, option("Generator: how many tokens back count as repeated.", "64")
    ] = None,
    cache: Annotated[
        bool,
        typer.Option("--cache", help="Generator: a neural cache of what was read and written."),
    ] = False,
    stop: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="Generator: end before this; may be repeated."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Generator: the same seed gives the same text.")
    ] = None,
    suggest: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Generator: only the N likeliest next words."),
    ] = None,
    beam: options_translate.Beam = None,
    n_best: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Translator, transcriber: the N best as a table: line or sound, rank, score,"
            " text.",
        ),
    ] = None,
    length_penalty: options_translate.LengthPenalty = None,
    coverage_penalty: options_translate.CoveragePenalty = None,
    prune: options_translate.Prune = None,
    precision: options_translate.SearchPrecision = None,
    no_repeat: options_translate.NoRepeat = None,
    max_length: options_translate.MaxLength = None,
    min_length: options_translate.MinLength = None,
    prefix: options_translate.Prefix = None,
    too_long: options_translate.TooLong = None,
    fuse: options_translate.Fuse = None,
    fuse_weight: options_translate.FuseWeight = None,
    rerank: options_translate.Rerank = None,
    rerank_weight: options_translate.RerankWeight = None,
    alignment: Annotated[
        bool, typer.Option("--alignment", help="Translator: where each word looked.")
    ] = False,
    lm: options_transcribe.Lm = None,
    lm_weight: options_transcribe.LmWeight = None,
    word_bonus: options_transcribe.WordBonus = None,
    unknown_word: options_transcribe.UnknownWord = None,
    hot_word: options_transcribe.HotWord = None,
    hot_words: options_transcribe.HotWords = None,
    skip_lm: options_transcribe.SkipLm = False,
    pronunciations: options_transcribe.Pronunciations = None,
    near: options_transcribe.Near = False,
    rivals: options_transcribe.Rivals = None,
    format: Annotated[
        str | None,
        option(
            "Transcriber: text; jsonl has words with times and confidences; srt and vtt are"
            " subtitles, of one sound.",
            "by the name of --out, else text",
            metavar="text|jsonl|srt|vtt",
        ),
    ] = None,
    no_progress: options.NoProgress = False,
) -> None:
    """Forecast, label texts, tag words, translate, transcribe, or write on from a prompt.

    A forecaster prints CSV with the columns unique_id, ds (or as they were called in training),
    forecast (the median) and one for each quantile; its table is read as the one of the training,
    but for what --target, --time, --id and --missing say. A classifier prints CSV: text, label and
    the probability of each label. A tagger prints a word and its tag a line, and a blank line after
    each sentence. A generator prints what comes after the prompt, as it is written. A translator
    prints a translation a line, an empty one for an empty one; at a terminal without INPUT it asks
    for sentences. A transcriber prints what is said in a sound, of several a name, a tab and what
    is said each; those that can't be read are told, and the exit code is 1.
    """
    from unrolled.cli.answers import STREAM, conversing, is_conversation, told_while
    from unrolled.cli.models import kind, open_task, refuse

    spoken = language(locals())
    source = sources[0] if sources else None
    asked = source in (None, STREAM) and text is None and prompt is None and out is None
    talks = asked and is_conversation()
    with conversing(talks), told_while(f"opening {model}", talks):
        task: Any = open_task(model)
    columns = options.columns(target=target, time=time, id_=id_, missing=missing)
    groups: dict[str, dict[str, Any]] = {
        "Forecaster": given(future=future, quantiles=quantile, plot=plot) | columns,
        "Classifier": given(
            text_column=text_column, running=running or None, explain=explain or None
        ),
        "Tagger": {},
        "Generator": given(
            prompt=prompt,
            length=length,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            repetition_penalty=repetition_penalty,
            repetition_window=repetition_window,
            cache=cache or None,
            stop=stop,
            seed=seed,
            n=suggest,
        ),
        "Translator": given(
            beam=beam,
            n_best=n_best,
            length_penalty=length_penalty,
            coverage_penalty=coverage_penalty,
            prune=prune,
            precision=precision,
            no_repeat=no_repeat,
            max_length=max_length,
            min_length=min_length,
            prefix=prefix,
            too_long=too_long,
            fuse=fuse,
            fuse_weight=fuse_weight,
            rerank=rerank,
            rerank_weight=rerank_weight,
            alignment=alignment or None,
        ),
        "Transcriber": given(
            beam=beam,
            n_best=n_best,
            format=format,
            explain=explain or None,
            pronunciations=pronunciations,
            near=near or None,
            rivals=rivals,
        )
        | spoken,
    }
    own = groups.pop(kind(task))
    other = f"not for {model}, which holds a {kind(task)}; see unrolled predict --help"
    for theirs in groups.values():
        refuse({name: value for name, value in theirs.items() if name not in own}, other)
    refuse(given(text=text) if kind(task) in _WITHOUT_TEXT else {}, other)
    refuse(given(out=out) if kind(task) == "Generator" else {}, other)
    if kind(task) == "Transcriber":
        from unrolled.cli.predict_transcribe import sounds_named, transcribe

        use(task, spoken)
        search = {name: value for name, value in own.items() if name not in spoken}
        reads = [str(model), *files_of(spoken)]
        transcribe(task, sounds_named(sources), reads=reads, out=out, **search)
        return
    if sources and len(sources) > 1:
        raise ConfigError(
            f"{model} holds a {kind(task)}: expected one INPUT, got {', '.join(sources)}"
        )
    if kind(task) == "Forecaster":
        from unrolled.cli.predict_forecast import forecast

        forecast(task, model, source, given(out=out) | own, progress=not no_progress)
    elif kind(task) == "Generator":
        from unrolled.cli.predict_generate import write

        write(task, source, own)
    elif kind(task) == "Translator":
        from unrolled.cli.predict_translate import check_translations, translate

        if out is not None:
            reads = [one for one in (source, fuse, rerank) if one is not None]
            check_translations(out, [str(model), *reads])
        translate(task, source, text=text, out=out, **options_translate.searching(**own))
    else:
        reads = [str(model), *([] if source is None else [source])]
        _of_texts(task, source, text, out, reads, own)


def _of_texts(
    task: Any,
    source: str | None,
    text: str | None,
    out: Path | None,
    reads: list[str],
    own: dict[str, Any],
) -> None:
    from unrolled.cli.models import kind, refuse
    from unrolled.cli.outputs import check_out

    suffixes = (".csv",) if kind(task) == "Classifier" else (".conll", ".txt")
    if out is not None:
        check_out(out, suffixes, inputs=reads)
    if kind(task) == "Tagger":
        from unrolled.cli.predict_tag import tag

        tag(task, source, text=text, out=out)
        return
    from unrolled.cli.predict_classify import classify

    if own.get("running"):
        refuse({"explain": True} if own.get("explain") else {}, "can't go together with --running")
    classify(task, source, text=text, out=out, **own)
