"""`unrolled train tag`: from tagged sentences to a saved `Tagger`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli import options
from unrolled.cli.options import given, number_or_name, option

EXAMPLES = (
    "unrolled train tag en-train.conllu --validation en-dev.conllu --test en-test.conllu",
    "unrolled train tag names.conll --column ner --budget 20m --out names.unrolled",
    "unrolled train tag data:ud-ewt-train --column xpos --budget 10m --run-dir run",
    "unrolled train tag train.conllu --pretrained reader.unrolled --out tags.unrolled",
)


def train_tag(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="A CoNLL or CoNLL-U file, or data:NAME (catalog)."),
    ],
    out: options.Out = Path("model.unrolled"),
    column: options.TagColumn = None,
    validation: Annotated[
        str | None,
        option(
            "What the best weights are chosen on: a file like FILE, or a share of it; 0: nothing.",
            "a tenth",
            metavar="FILE|SHARE",
        ),
    ] = None,
    test: options.Test = None,
    holdout: Annotated[float | None, option("Share of the sentences to measure on.", "0.1")] = None,
    budget: Annotated[str | None, option(options.BUDGET_HELP, "5m")] = None,
    run_dir: options.RunDir = None,
    resume: options.Resume = False,
    pretrained: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Start words from what a generator of words learnt: its file."
        ),
    ] = None,
    cell: options.Cell = None,
    hidden_size: Annotated[
        int | None, option("Units of each layer, in each direction.", "200")
    ] = None,
    layers: Annotated[int | None, option(options.LAYERS_HELP, "2")] = None,
    directions: Annotated[
        int | None, option("2 reads both ways; 1 forward only, and can stream.", "2")
    ] = None,
    embedding_size: Annotated[
        int | None, option("Size of a word's own vector.", "that of --pretrained, else 100")
    ] = None,
    character_size: Annotated[
        int | None, option("Units of the layers that read a word's characters; 0: none.", "48")
    ] = None,
    members: Annotated[int | None, option("Networks whose mean answers.", "1")] = None,
    no_crf: Annotated[
        bool, typer.Option("--no-crf", help="Neighbouring tags have no say in each other.")
    ] = False,
    dropout: Annotated[float | None, option(options.DROPOUT_HELP, "0.33")] = None,
    word_dropout: Annotated[
        float | None, option("How often rare words are read as unknown ones.", "0.25")
    ] = None,
    batch_size: Annotated[int | None, option("Sentences in a batch.", "32")] = None,
    learning_rate: Annotated[float | None, option(options.LEARNING_RATE_HELP, "0.002")] = None,
    average: Annotated[float | None, option(options.AVERAGE_HELP, "0.995")] = None,
    seed: options.Seed = None,
    device: options.Device = None,
    precision: options.Precision = None,
    no_diagnose: options.NoDiagnose = False,
    no_progress: options.NoProgress = False,
) -> None:
    """Learn a tag for every word: parts of speech, names, any label a token.

    Begins with what the data doctor found. The evaluation compares the network with the most
    frequent tag of each word and with a window of words, and says where the network loses. Ctrl-C
    ends the training early and saves what was learnt.
    """
    from unrolled.cli.outputs import MODEL, check_out
    from unrolled.cli.sources import loaded, share_or_file
    from unrolled.cli.training import tell, train

    named = [one for one in (file, validation, test, pretrained) if one is not None]
    check_out(out, MODEL, inputs=named)
    place = number_or_name(column)
    from unrolled.tasks.tagger import Tagger

    task = Tagger(
        **given(
            cell=cell,
            hidden_size=hidden_size,
            layers=layers,
            directions=directions,
            embedding_size=embedding_size,
            character_size=character_size,
            pretrained=pretrained,
            members=members,
            crf=False if no_crf else None,
            dropout=dropout,
            word_dropout=word_dropout,
            batch_size=batch_size,
            learning_rate=learning_rate,
            average=average,
            seed=seed,
            device=device,
            precision=precision,
        )
    )
    reading = given(column=place)
    run = given(
        validation=share_or_file(validation, "tagged", reading),
        test=None if test is None else loaded(test, "tagged", **reading),
        holdout=holdout,
        budget=budget,
        run_dir=run_dir,
    )
    data = loaded(file, "tagged", **reading)
    told = reading if data is file else {}  # a set of the catalog has been read already
    run |= {"resume": resume, "no_diagnose": no_diagnose, "no_progress": no_progress}
    train(task, data, out, tell=tell, **run, **told)
