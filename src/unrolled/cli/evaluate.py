"""`unrolled evaluate`: a model's score beside its baseline's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli import options, options_transcribe, options_translate
from unrolled.cli.language import language, use
from unrolled.cli.options import columns, given, number_or_name
from unrolled.cli.options_translate import target_side
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.evaluation import Evaluation

EXAMPLES = (
    "unrolled evaluate model.unrolled",
    "unrolled evaluate model.unrolled later.csv",
    "unrolled evaluate reviews.unrolled new.csv --report report.html",
    "unrolled evaluate writer.unrolled other.txt --json",
    "unrolled evaluate de-en.unrolled test.de test.en --worst 20",
    "unrolled evaluate hears.unrolled recordings/ --worst 10 --skip",
    "unrolled evaluate hears.unrolled test/ --lm lm.unrolled --rerank writer.unrolled",
)
# Of the language, what a translator takes, too.
_OF_TRANSLATORS = ("rerank", "rerank_weight")


def evaluate(
    model: options.Model,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE",
            help="What to measure on, or data:NAME; of a translator two files that go line by line,"
            " too. Without: what was measured in training.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Classifier, tagger: write a page with confusion matrix and reliability (.html).",
        ),
    ] = None,
    source: options.SourceColumn = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="What is forecast; may be repeated. Of pairs: the column of the translations.",
        ),
    ] = None,
    time: options.Time = None,
    id_: options.Id = None,
    missing: options.MissingAgain = None,
    text_column: options.TextColumn = None,
    label_column: options.LabelColumn = None,
    column: options.TagColumn = None,
    audio: options_transcribe.Audio = None,
    text: options_transcribe.Text = None,
    speaker: options_transcribe.Speaker = None,
    pattern: options_transcribe.Pattern = None,
    skip: options_transcribe.Skip = False,
    worst: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Translator, transcriber: print the N worst translations or recordings, too.",
        ),
    ] = None,
    beam: options_translate.Beam = None,
    length_penalty: options_translate.LengthPenalty = None,
    coverage_penalty: options_translate.CoveragePenalty = None,
    prune: options_translate.Prune = None,
    precision: options_translate.SearchPrecision = None,
    no_repeat: options_translate.NoRepeat = None,
    max_length: options_translate.MaxLength = None,
    too_long: options_translate.TooLong = None,
    fuse: options_translate.Fuse = None,
    fuse_weight: options_translate.FuseWeight = None,
    rerank: options_translate.Rerank = None,
    rerank_weight: options_translate.RerankWeight = None,
    lm: options_transcribe.Lm = None,
    lm_weight: options_transcribe.LmWeight = None,
    word_bonus: options_transcribe.WordBonus = None,
    unknown_word: options_transcribe.UnknownWord = None,
    hot_word: options_transcribe.HotWord = None,
    hot_words: options_transcribe.HotWords = None,
    skip_lm: options_transcribe.SkipLm = False,
    as_json: options.AsJson = False,
) -> None:
    """Measure a model beside its simple rivals, and say who wins.

    Without FILE this is the evaluation on the part that was kept back in training. The table of a
    forecaster is read as the one of its training; --target, --time, --id and --missing say what is
    different. Of a translator it is BLEU and chrF, also by the words of a sentence, with the
    signatures of sacreBLEU. Of a transcriber it is word and character error rate, with what is most
    often taken for what, or accuracy and macro F1. Of an n-gram model it is the perplexity of the
    sentences of FILE, a line each.
    """
    from unrolled.cli.models import data_for, kind, open_model, refuse, verdict
    from unrolled.cli.outputs import PAGE, check_out, print_json

    spoken = language(locals())
    task: Any = open_model(model)
    own = kind(task)
    of_pairs = own == "Translator"
    reading = {
        **columns(target=None if of_pairs else target, time=time, id_=id_, missing=missing),
        **given(text_column=text_column, label_column=label_column),
        **given(column=number_or_name(column), source=number_or_name(source)),
        **given(target=target_side(target) if of_pairs else None),
        **given(audio=audio, text=text, speaker=speaker, pattern=pattern, skip=skip or None),
    }
    heard = own == "Transcriber"
    if not heard:
        spoken = {name: one for name, one in spoken.items() if name not in _OF_TRANSLATORS}
    search = options_translate.searching(
        beam=beam,
        length_penalty=length_penalty,
        coverage_penalty=coverage_penalty,
        prune=prune,
        precision=precision,
        no_repeat=no_repeat,
        max_length=max_length,
        too_long=too_long,
        fuse=fuse,
        fuse_weight=fuse_weight,
        rerank=None if heard else rerank,
        rerank_weight=None if heard else rerank_weight,
    )
    if own == "NGramModel":
        refuse(
            reading | search | spoken | given(worst=worst, report=report),
            f"not for n-grams ({model})",
        )
        _of_sentences(task, files or [], as_json)
        return
    if not of_pairs:
        other = f"not for {model}, which holds a {own}; see unrolled evaluate --help"
        refuse(
            {name: value for name, value in search.items() if not heard or name != "beam"}, other
        )
        refuse({} if heard else given(worst=worst) | spoken, other)
    if worst is not None and worst < 1:
        raise ConfigError(f"--worst: got {worst}, expected a whole number from 1 on")
    if report is not None:
        if own not in ("Classifier", "Tagger"):
            refuse({"report": report}, f"of labels only, and {model} holds a {own}")
        check_out(report, PAGE, "--report", [str(model), *(files or [])])
    if not files:
        refuse(reading | search | spoken, "say how to measure a FILE, and none is named")
        measured = task.evaluate()
    else:
        if heard:
            use(task, spoken)
        data, told = data_for(task, model, files, reading)
        measured = task.evaluate(data, **told, **search, **given(worst=worst))
    if as_json:
        print_json({**measured.to_dict(), "verdict": measured.verdict})
    else:
        print(verdict(task, measured))
        if worst is not None:
            print(_worst(measured, worst))
    if report is not None:
        from unrolled.lens import write_report

        write_report(f"{own} {model.name}", measured, report)
        if not as_json:
            print(f"report written to {report}")


def _worst(measured: Evaluation, most: int) -> str:
    from unrolled.tasks.poor import worst_table

    found = measured.worst[:most]
    if not found:
        return "\nno answer is wrong, or none was kept: name a FILE to measure"
    return f"\nthe worst by {found[0].by}:\n{worst_table(found)}"


def _of_sentences(model: Any, files: list[str], as_json: bool) -> None:
    """The perplexity of an n-gram model; without files what `fit` measured."""
    from unrolled.cli.outputs import print_json
    from unrolled.cli.sources import corpus_of

    measured = model.perplexity(corpus_of(files, {})[0]) if files else model.evaluation
    if as_json:
        print_json(measured and measured.to_dict())
    else:
        print(measured or "nothing was held out, so nothing was measured: give a FILE")
