"""`unrolled train translate`: from pairs of sentences to a saved `Translator`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli import options, options_translate
from unrolled.cli.options import given, number_or_name, option

EXAMPLES = (
    "unrolled train translate pairs.tsv --budget 15m --out de-en.unrolled",
    "unrolled train translate pairs.tsv --source 1 --out en-de.unrolled",
    "unrolled train translate train.de train.en --validation val.de,val.en --test test.de,test.en",
    "unrolled train translate data:multi30k-train --validation data:multi30k-val --run-dir run",
)


def train_translate(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="A table with a sentence and its translation a line (tabs between, .csv, .jsonl,"
            " .parquet); or two files that go line by line; or data:NAME (catalog).",
        ),
    ],
    out: options.Out = Path("model.unrolled"),
    source: options.SourceColumn = None,
    target: options_translate.TargetColumn = None,
    validation: Annotated[
        list[str] | None,
        option(
            "What the best weights are chosen on: a file like FILE, or two (val.de,val.en, or given"
            " twice), or a share of the pairs; 0: nothing.",
            "a tenth",
            metavar="FILE|SHARE",
        ),
    ] = None,
    test: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="A file to measure on, or two likewise, in place of --holdout."
        ),
    ] = None,
    holdout: Annotated[float | None, option("Share of the pairs to measure on.", "0.1")] = None,
    budget: Annotated[str | None, option(options.BUDGET_HELP, "15m")] = None,
    run_dir: options.RunDir = None,
    resume: options.Resume = False,
    tokenizer: Annotated[
        str | None, option("What a token is.", "subwords", metavar="subwords|words|characters")
    ] = None,
    vocabulary_size: options.VocabularySize = None,
    cell: Annotated[str | None, option("The cell.", "gru", metavar="gru|lstm|rnn")] = None,
    hidden_size: Annotated[
        int | None,
        option(
            "Units of each layer of the decoder; the encoder's directions share as many.",
            "256",
        ),
    ] = None,
    layers: Annotated[int | None, option("Layers of the decoder.", "2")] = None,
    directions: Annotated[
        int | None, option("Of the encoder: 2 reads the sentence both ways.", "2")
    ] = None,
    encoder_layers: Annotated[int | None, option("Layers of the encoder.", "1")] = None,
    embedding_size: Annotated[int | None, option(options.EMBEDDING_SIZE_HELP, "256")] = None,
    attention: Annotated[
        str | None,
        option(
            "How the decoder looks back at the sentence; none: through one vector alone.",
            "multiplicative",
            metavar="multiplicative|additive|none",
        ),
    ] = None,
    input_feeding: Annotated[
        bool,
        typer.Option(
            "--input-feeding", help="Each step also reads the answer before; training is slower."
        ),
    ] = False,
    separate: Annotated[
        bool, typer.Option("--separate", help="A vocabulary for each language, in place of one.")
    ] = False,
    no_tie_weights: Annotated[
        bool,
        typer.Option(
            "--no-tie-weights", help="Scores have weights of their own, not the tokens' vectors."
        ),
    ] = False,
    members: Annotated[int | None, option("Networks whose mean answers.", "1")] = None,
    dropout: Annotated[
        float | None, option("Share of what layers give that training drops.", "0.3")
    ] = None,
    input_dropout: Annotated[
        float | None, option("The same of the vectors that are read.", "0.3")
    ] = None,
    smoothing: Annotated[
        float | None, option("Share of a target that is spread over all tokens.", "0.1")
    ] = None,
    batch_tokens: Annotated[int | None, option("Target tokens of a batch.", "600")] = None,
    learning_rate: Annotated[float | None, option(options.LEARNING_RATE_HELP, "0.008")] = None,
    muon_rate: Annotated[
        float | None,
        option("Peak for recurrent matrices, in orthogonal steps; 0: none.", "0.0"),
    ] = None,
    weight_decay: Annotated[float | None, option("Of the matrices.", "0.01")] = None,
    average: Annotated[float | None, option(options.AVERAGE_HELP, "0.99")] = None,
    patience: Annotated[
        int | None, option("Validations without a better score before the end.", "none")
    ] = None,
    seed: options.Seed = None,
    device: options.Device = None,
    precision: Annotated[
        str | None, option("How precisely.", "auto", metavar="auto|fp32|bf16")
    ] = None,
    no_diagnose: options.NoDiagnose = False,
    no_progress: options.NoProgress = False,
) -> None:
    """Learn to translate from pairs of sentences: any text to any text, line by line.

    Begins with what the data doctor found. The other direction is --source 1, or the two files in
    the other order. The evaluation compares BLEU and chrF of the network with the source copied and
    with a dictionary, word for word, and says where the network loses. Ctrl-C ends the training
    early and saves what was learnt.
    """
    from unrolled.cli.outputs import MODEL, check_out
    from unrolled.cli.sources import files_of_pairs, share_or_pairs, unread_pairs
    from unrolled.cli.training import tell, train

    named = {"FILE": files, "--validation": validation or [], "--test": test or []}
    read = [one for option, told in named.items() for one in files_of_pairs(told, option)]
    check_out(out, MODEL, inputs=read)
    from unrolled.tasks.translator import Translator

    task = Translator(
        **given(
            tokenizer=tokenizer,
            vocabulary_size=vocabulary_size,
            cell=cell,
            hidden_size=hidden_size,
            layers=layers,
            directions=directions,
            encoder_layers=encoder_layers,
            embedding_size=embedding_size,
            attention=attention,
            input_feeding=input_feeding or None,
            shared=False if separate else None,
            tie_weights=False if no_tie_weights else None,
            members=members,
            dropout=dropout,
            input_dropout=input_dropout,
            smoothing=smoothing,
            batch_tokens=batch_tokens,
            learning_rate=learning_rate,
            muon_rate=muon_rate,
            weight_decay=weight_decay,
            average=average,
            patience=patience,
            seed=seed,
            device=device,
            precision=precision,
        )
    )
    reading = given(source=number_or_name(source), target=number_or_name(target))
    run = given(
        validation=share_or_pairs(validation, "--validation"),
        test=None if not test else unread_pairs(test, "--test"),
        holdout=holdout,
        budget=budget,
        run_dir=run_dir,
    )
    run |= {"resume": resume, "no_diagnose": no_diagnose, "no_progress": no_progress}
    train(task, unread_pairs(files), out, tell=tell, **reading, **run)
