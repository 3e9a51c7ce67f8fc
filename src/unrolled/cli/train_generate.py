"""`unrolled train generate`: from text to a saved `Generator`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unrolled.cli import options
from unrolled.cli.options import given, in_our_words, option

if TYPE_CHECKING:
    from unrolled.tasks.generator import Generator

# Tokens that make a few lines.
SAMPLE = {"characters": 240, "subwords": 80, "words": 60}
EXAMPLES = (
    "unrolled train generate book.txt",
    "unrolled train generate letters/ diary.txt --budget 10m --out me.unrolled",
    "unrolled train generate data:python-docs --tokenizer words --budget 10m --run-dir run",
    "unrolled train generate reviews.csv --text-column text --tokenizer words --lower",
)


def train_generate(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="Text files, folders of .txt files, a table of texts, or data:NAME (catalog).",
        ),
    ],
    out: options.Out = Path("model.unrolled"),
    text_column: options.TextColumn = None,
    budget: Annotated[str | None, option(options.BUDGET_HELP, "2m")] = None,
    holdout: Annotated[float | None, option(options.HOLDOUT_HELP, "0.1")] = None,
    validation: Annotated[
        float | None,
        option("Share before it that the best weights are chosen on; 0: all is learnt.", "0.05"),
    ] = None,
    run_dir: options.RunDir = None,
    resume: options.Resume = False,
    tokenizer: Annotated[
        str | None,
        option(
            "What a token is.",
            "characters, or as --tokens-of has them",
            metavar="characters|words|subwords",
        ),
    ] = None,
    tokens_of: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Read the tokens of this translator or generator, to have a say in what it writes"
            " (predict --fuse).",
        ),
    ] = None,
    vocabulary_size: options.VocabularySize = None,
    lower: options.Lower = None,
    cell: options.Cell = None,
    hidden_size: Annotated[
        int | None, option(options.HIDDEN_SIZE_HELP, options.BY_THE_TEXTS)
    ] = None,
    layers: Annotated[int | None, option(options.LAYERS_HELP, options.BY_THE_TEXTS)] = None,
    members: Annotated[
        int | None, option("Networks whose mean answers, trained side by side.", "1")
    ] = None,
    embedding_size: Annotated[
        int | None, option(options.EMBEDDING_SIZE_HELP, options.BY_THE_TEXTS)
    ] = None,
    tie_weights: Annotated[
        bool | None,
        typer.Option(
            "--tie-weights/--no-tie-weights",
            help=f"Score with the vectors that are read. [default: {options.BY_THE_TEXTS}]",
        ),
    ] = None,
    dropout: Annotated[
        float | None,
        option("Share of every layer's outputs that is dropped.", options.BY_THE_TEXTS),
    ] = None,
    input_dropout: options.InputDropout = None,
    weight_dropout: options.WeightDropout = None,
    embedding_dropout: options.EmbeddingDropout = None,
    learning_rate: Annotated[
        float | None, option(options.LEARNING_RATE_HELP, options.BY_THE_TEXTS)
    ] = None,
    muon_rate: Annotated[
        float | None,
        option("Peak for the recurrent matrices, by Muon; 0: as all else.", options.BY_THE_TEXTS),
    ] = None,
    weight_decay: Annotated[float | None, option("Of AdamW.", options.BY_THE_TEXTS)] = None,
    negatives: Annotated[
        int | None,
        option("Tokens drawn to compare with; 0: all are compared.", options.BY_THE_TEXTS),
    ] = None,
    cooccurrence: Annotated[
        bool | None,
        typer.Option(
            "--cooccurrence/--no-cooccurrence",
            help="Vectors of tokens begin at which stand near which."
            f" [default: {options.BY_THE_TEXTS}]",
        ),
    ] = None,
    rows: Annotated[int | None, option("Streams read side by side.", options.BY_THE_TEXTS)] = None,
    steps: Annotated[
        int | None, option("Tokens between two updates.", options.BY_THE_TEXTS)
    ] = None,
    resets: Annotated[
        float | None,
        option("Probability, for each row of a batch, to begin at zero.", options.BY_THE_TEXTS),
    ] = None,
    average: Annotated[float | None, option(options.AVERAGE_HELP, options.BY_THE_TEXTS)] = None,
    ngram_weight: Annotated[
        float | None,
        option(
            "Share of the n-gram model in every answer; 0: the network alone.",
            "by the validation part",
        ),
    ] = None,
    seed: options.Seed = None,
    device: options.Device = None,
    precision: Annotated[
        str | None, option("How precisely.", "fp32", metavar="fp32|bf16|auto")
    ] = None,
    no_diagnose: options.NoDiagnose = False,
    no_progress: options.NoProgress = False,
) -> None:
    """Learn to write like a text, by characters, words or subwords.

    The evaluation compares the network with an n-gram model on the part that was kept back, and
    says where the network loses. The n-gram model then answers with it, with the share that is best
    on the validation part. Ctrl-C ends the training early and saves what was learnt.
    """
    from unrolled.cli.outputs import MODEL, check_out
    from unrolled.cli.sources import corpus_of
    from unrolled.cli.training import train

    check_out(out, MODEL, inputs=files)
    data, told = corpus_of(files, given(text_column=text_column))
    from unrolled.tasks.generator import Generator

    task = Generator(
        **given(
            tokenizer=tokenizer,
            vocabulary_size=vocabulary_size,
            lower=lower,
            cell=cell,
            hidden_size=hidden_size,
            layers=layers,
            members=members,
            embedding_size=embedding_size,
            tie_weights=tie_weights,
            dropout=dropout,
            input_dropout=input_dropout,
            weight_dropout=weight_dropout,
            embedding_dropout=embedding_dropout,
            learning_rate=learning_rate,
            muon_rate=muon_rate,
            weight_decay=weight_decay,
            negatives=negatives,
            cooccurrence=cooccurrence,
            rows=rows,
            steps=steps,
            resets=resets,
            average=average,
            ngram_weight=ngram_weight,
            seed=seed,
            device=device,
            precision=precision,
        )
    )
    run = told | given(
        budget=budget,
        holdout=holdout,
        validation=validation,
        run_dir=run_dir,
        tokens_of=tokens_of,
    )
    train(task, data, out, resume=resume, no_diagnose=no_diagnose, no_progress=no_progress, **run)
    for note in task.notes:
        print(in_our_words(note))
    if task.outcome.ended != "interrupted":
        _show(task, out)


def _show(task: Generator, out: Path) -> None:
    """A short sample, and how to get it again."""
    length = SAMPLE[task.vocabulary.kind]
    words = f"unrolled predict {shlex.quote(str(out))} --length {length} --seed 0"
    print(f"\na sample, written by `{words}`:\n{task.generate(length=length, seed=0).rstrip()}")
