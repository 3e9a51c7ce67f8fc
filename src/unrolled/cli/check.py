"""`unrolled check`: what the data doctor says of series, texts, tagged words, pairs, recordings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli import options, options_transcribe
from unrolled.cli.options import columns, given, in_our_words, number_or_name, option
from unrolled.cli.options_translate import target_side
from unrolled.errors import DataError

if TYPE_CHECKING:
    from unrolled.data.doctor_checkup import Checkup

EXAMPLES = (
    "unrolled check sales.csv --horizon 28",
    "unrolled check train.csv --text-column review --label-column stars --test test.csv",
    "unrolled check en-train.conllu --test en-test.conllu",
    "unrolled check deu.txt --source 1",
    "unrolled check train.de train.en --validation val.de,val.en",
    "unrolled check commands/ --test later/",
    "unrolled check digits/ --pattern '{label}_{speaker}_{take}.wav'",
    "unrolled check weather.csv --time date --target temp_max --past wind",
    "unrolled check sales.parquet --horizon 28 --out findings.csv --json",
)

# How the reader of series says that a table may hold something else.
NO_TIMES = "no column reads as dates"
# How the reader of texts says that it might be either of two columns.
TWO_TEXTS = "both look like text"
_IF_PAIRS = "if pairs of sentences, both of theirs: --source, --target"


def check(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="A table of series; labelled texts (.jsonl, .tsv, a folder, or a table with"
            " --text-column or --label-column); a CoNLL file; a .txt file; pairs of sentences"
            " (tabs between, or two files: train.de train.en); recordings (a folder of sounds, or a"
            " table that names some); or data:NAME (catalog).",
        ),
    ],
    test: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="But series: what will be tested on, to look across."),
    ] = None,
    validation: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="But series: what the best weights are chosen on."),
    ] = None,
    text_column: options.TextColumn = None,
    label_column: options.LabelColumn = None,
    column: options.TagColumn = None,
    source: options.SourceColumn = None,
    audio: options_transcribe.Audio = None,
    text: options_transcribe.Text = None,
    speaker: options_transcribe.Speaker = None,
    pattern: options_transcribe.Pattern = None,
    frame_seconds: Annotated[
        float | None, option("Recordings: seconds of a step of the network.", "0.03")
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(help="How many steps ahead will be forecast.")
    ] = None,
    lookback: Annotated[
        int | None, typer.Option(help="Steps of history that a window of training will take.")
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="What to forecast; may be repeated. Of pairs: the column of the translations.",
        ),
    ] = None,
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
    """Look through data before anything is learnt from them.

    Of series: duplicates, gaps, constant series, outliers, changes of unit, covariates that hold
    the future, series too short for the horizon. Of texts: duplicates (also across --test and
    --validation), empty and very long ones, rare labels, words that give the label away, a wrong
    encoding. Of pairs: empty and identical sides, unusual lengths, another language, shifted lines,
    sentences that --test or --validation share. Of recordings: transcripts too long to be said,
    silence, clipping, mixed rates, odd characters, sounds, texts and speakers that --test or
    --validation share. Each finding names its place. Changes nothing; findings are no error.
    """
    from unrolled.cli.models import refuse
    from unrolled.cli.outputs import TABLE, check_out, print_json, write_table
    from unrolled.cli.sources import files_of_pairs, kind_of

    apart = given(test=test, validation=validation)
    if out is not None:
        inputs = [*files_of_pairs(files)]
        for name, named in apart.items():
            inputs += files_of_pairs(named, f"--{name}")
        check_out(out, TABLE, inputs=inputs)
    texts = given(text_column=text_column, label_column=label_column)
    tags = given(column=number_or_name(column))
    spoken = given(audio=audio, text=text, speaker=speaker, pattern=pattern)
    spoken |= given(frame_seconds=frame_seconds)
    kind = "pairs"
    if len(files) == 1 and source is None:
        kind = "labelled" if texts else "recordings" if spoken else kind_of(files[0])
    pairs = given(source=number_or_name(source))
    if kind == "pairs" and target:
        pairs["target"], target = target_side(target), None
    series = columns(
        target=target,
        time=time,
        id_=id_,
        missing=missing,
        past=past,
        future=future,
        static=static,
        category=category,
    )
    lengths = given(horizon=horizon, lookback=lookback)
    reading = {
        "series": series | lengths,
        "labelled": texts,
        "tagged": tags,
        "pairs": pairs,
        "recordings": spoken,
    }
    own = reading.pop(kind, {})  # a corpus has no options
    for theirs in reading.values():
        refuse(theirs, f"not for {', '.join(files)}, which holds {kind}")
    if kind == "series":
        refuse(apart, "of texts, pairs and recordings only")
        found = _of_series(files[0], {"missing": "mask", **series}, lengths)
    elif kind == "pairs":
        found = _of_pairs(files, apart, own)
    else:
        refuse({name: one for name, one in apart.items() if len(one) > 1}, f"one file of {kind}")
        examined = _of_recordings if kind == "recordings" else _of_texts
        found = examined(files[0], {name: one[0] for name, one in apart.items()}, kind, own)
    if as_json:
        print_json(found.to_dict())
    else:
        print(in_our_words(str(found)))
    if out is not None:
        write_table(found.to_frame(), out)


def _of_series(file: str, reading: dict[str, Any], lengths: dict[str, int]) -> Checkup:
    from unrolled.cli.sources import series_of
    from unrolled.data.doctor import examine

    try:
        series = series_of(file, reading)
    except DataError as error:
        if NO_TIMES not in str(error):
            raise
        raise DataError(
            f"{error}; if it holds texts, name their column: --text-column; {_IF_PAIRS}"
        ) from None
    return examine(series, **lengths)


def _of_pairs(files: list[str], apart: dict[str, list[str]], reading: dict[str, Any]) -> Checkup:
    from unrolled.cli.sources import pairs_of
    from unrolled.data.pairs_doctor import examine_pairs
    from unrolled.tasks.telling import with_notes

    data = pairs_of(files, reading)
    others = {name: pairs_of(one, reading, f"--{name}") for name, one in apart.items()}
    return with_notes(examine_pairs(data, **others), data.notes)


def _of_texts(file: str, apart: dict[str, str], kind: str, reading: dict[str, Any]) -> Checkup:
    from unrolled.cli.sources import texts_of
    from unrolled.data.text_doctor import examine_texts

    try:
        data = texts_of(file, kind, reading)
    except DataError as error:
        if TWO_TEXTS not in str(error):
            raise
        raise DataError(f"{error}; {_IF_PAIRS}") from None
    others = {name: texts_of(one, kind, reading) for name, one in apart.items()}
    return examine_texts(data, **others)


def _of_recordings(file: str, apart: dict[str, str], kind: str, reading: dict[str, Any]) -> Checkup:
    from unrolled.cli.sources import recordings_of
    from unrolled.data.recordings_doctor import examine_recordings
    from unrolled.tasks.telling import with_notes

    seconds = given(frame_seconds=reading.pop("frame_seconds", None))
    data = recordings_of(file, reading)
    others: dict[str, Any] = {name: recordings_of(one, reading) for name, one in apart.items()}
    notes = [
        *data.notes,
        *(f"{part}: {note}" for part, one in others.items() for note in one.notes),
    ]
    return with_notes(examine_recordings(data, **others, **seconds), notes)
