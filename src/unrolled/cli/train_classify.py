"""`unrolled train classify`: from labelled texts to a saved `Classifier`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from unrolled.cli import options
from unrolled.cli.options import given, option

EXAMPLES = (
    "unrolled train classify reviews.csv --budget 10m --out reviews.unrolled",
    "unrolled train classify train.jsonl --test test.jsonl --text-column body --label-column topic",
    "unrolled train classify mails/ --class-weight balanced",
    "unrolled train classify data:imdb-train --test data:imdb-test --pretrained films.unrolled",
)


def train_classify(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A .csv, .tsv, .jsonl or .parquet table, a folder with a folder or a .txt file for"
            " each label, or data:NAME (catalog).",
        ),
    ],
    out: options.Out = Path("model.unrolled"),
    text_column: options.TextColumn = None,
    label_column: options.LabelColumn = None,
    several: Annotated[
        bool | None,
        typer.Option(
            "--several/--one", help="Whether a text can have several labels. [default: as found]"
        ),
    ] = None,
    test: options.Test = None,
    holdout: Annotated[
        float | None, option("Share of each label's texts to measure on.", "0.1")
    ] = None,
    validation: Annotated[
        str | None,
        option(
            "What the best weights are chosen on: a share of the others, or a file like FILE.",
            "0.1",
            metavar="SHARE|FILE",
        ),
    ] = None,
    budget: Annotated[str | None, option(options.BUDGET_HELP, "5m")] = None,
    run_dir: options.RunDir = None,
    resume: options.Resume = False,
    pretrained: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Start from what a generator learnt: its file."),
    ] = None,
    vectors: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Start words from vectors in text form (GloVe, word2vec)."
        ),
    ] = None,
    no_linear: Annotated[
        bool, typer.Option("--no-linear", help="No linear path of n-grams beside the network.")
    ] = False,
    ngrams: Annotated[int | None, option("Tokens in its longest n-gram.", "by the tokens")] = None,
    class_weight: Annotated[
        list[str] | None,
        typer.Option(
            metavar="balanced|LABEL=WEIGHT",
            help="How much the texts of a label count; may be repeated.",
        ),
    ] = None,
    tokenizer: options.TokenizerKind = None,
    vocabulary_size: options.VocabularySize = None,
    lower: options.Lower = None,
    cell: options.Cell = None,
    hidden_size: Annotated[
        int | None, option(options.HIDDEN_SIZE_HELP, options.BY_THE_TEXTS)
    ] = None,
    layers: Annotated[int | None, option(options.LAYERS_HELP, options.BY_THE_TEXTS)] = None,
    directions: Annotated[
        int | None, option("2 reads backward too; then there is no running answer.", "1")
    ] = None,
    embedding_size: Annotated[
        int | None, option(options.EMBEDDING_SIZE_HELP, options.BY_THE_TEXTS)
    ] = None,
    head_size: Annotated[
        int | None, option("Units between pooled states and scores; 0: none.", options.BY_THE_TEXTS)
    ] = None,
    dropout: Annotated[
        float | None, option("Share of the pooled states that is dropped.", options.BY_THE_TEXTS)
    ] = None,
    input_dropout: options.InputDropout = None,
    weight_dropout: options.WeightDropout = None,
    embedding_dropout: options.EmbeddingDropout = None,
    output_dropout: Annotated[
        float | None, option("Share of the units that are pooled.", options.BY_THE_TEXTS)
    ] = None,
    prefix: Annotated[
        float | None,
        option("How much the answer at a drawn place counts in training.", options.BY_THE_TEXTS),
    ] = None,
    train_tokens: Annotated[
        int | None, option("Of a longer text so many are trained on.", options.BY_THE_TEXTS)
    ] = None,
    batch_size: Annotated[
        int | None, option("Most texts in a batch.", options.BY_THE_TEXTS)
    ] = None,
    chunk: Annotated[int | None, option("Tokens read at once.", options.BY_THE_TEXTS)] = None,
    learning_rate: Annotated[
        float | None, option(options.LEARNING_RATE_HELP, options.BY_THE_TEXTS)
    ] = None,
    weight_decay: Annotated[float | None, option("Of AdamW.", options.BY_THE_TEXTS)] = None,
    rate_decay: Annotated[
        float | None,
        option("Each layer learns so many times as slowly as the one above.", options.BY_THE_TEXTS),
    ] = None,
    unfreeze: Annotated[
        float | None,
        option("Share of the run after which the next layer below learns.", options.BY_THE_TEXTS),
    ] = None,
    average: Annotated[float | None, option(options.AVERAGE_HELP, options.BY_THE_TEXTS)] = None,
    patience: Annotated[
        int | None, option("Validations without a better score before the end.", "none")
    ] = None,
    seed: options.Seed = None,
    device: options.Device = None,
    precision: options.Precision = None,
    no_diagnose: options.NoDiagnose = False,
    no_progress: options.NoProgress = False,
) -> None:
    """Learn the labels of texts: sentiment, topic, language, one or several a text.

    Begins with what the data doctor found. The evaluation compares the network, its linear path
    and both together with TF-IDF and logistic regression, and says where they lose. Ctrl-C ends
    the training early and saves what was learnt.
    """
    from unrolled.cli.outputs import MODEL, check_out
    from unrolled.cli.sources import loaded, share_or_file
    from unrolled.cli.training import tell, train

    named = [one for one in (file, test, pretrained, vectors) if one is not None]
    check_out(out, MODEL, inputs=named)
    weights = _weights(class_weight)
    from unrolled.tasks.classifier import Classifier

    task = Classifier(
        **given(
            tokenizer=tokenizer,
            vocabulary_size=vocabulary_size,
            lower=lower,
            cell=cell,
            hidden_size=hidden_size,
            layers=layers,
            directions=directions,
            embedding_size=embedding_size,
            head_size=head_size,
            pretrained=pretrained,
            vectors=vectors,
            linear=False if no_linear else None,
            ngrams=ngrams,
            class_weight=weights,
            dropout=dropout,
            input_dropout=input_dropout,
            weight_dropout=weight_dropout,
            embedding_dropout=embedding_dropout,
            output_dropout=output_dropout,
            prefix=prefix,
            train_tokens=train_tokens,
            batch_size=batch_size,
            chunk=chunk,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            rate_decay=rate_decay,
            unfreeze=unfreeze,
            average=average,
            patience=patience,
            seed=seed,
            device=device,
            precision=precision,
        )
    )
    reading = given(text_column=text_column, label_column=label_column)
    run = given(
        test=None if test is None else loaded(test, "labelled", **reading),
        several=several,
        holdout=holdout,
        validation=share_or_file(validation, "labelled", reading),
        budget=budget,
        run_dir=run_dir,
    )
    data = loaded(file, "labelled", **reading)
    told: dict[str, Any] = dict(reading) if data is file else {}
    told |= {"resume": resume, "no_diagnose": no_diagnose, "no_progress": no_progress}
    train(task, data, out, tell=tell, **run, **told)


def _weights(told: list[str] | None) -> str | dict[str, float] | None:
    from unrolled.errors import ConfigError

    if not told:
        return None
    if told == ["balanced"]:
        return "balanced"
    weights = {}
    for one in told:
        label, equals, weight = one.rpartition("=")
        try:
            weights[label] = float(weight)
        except ValueError:
            equals = ""
        if not equals:
            raise ConfigError(
                f"--class-weight: got {one!r}, expected balanced, or a label and a number such as"
                " spam=3"
            )
    return weights
