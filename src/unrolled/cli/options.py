"""Options that several verbs share, and how what was given becomes arguments in Python.

An option that was not given is None and is not passed on: the default stands in one place, the
Python function. The help repeats it (`option`), and a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer


def examples(lines: Iterable[str]) -> str:
    """The end of a verb's help; the control character keeps its lines apart."""
    return "Examples:\n\n\b\n" + "\n".join(f"  {line}" for line in lines)


def option(words: str, default: str, **more: Any) -> Any:
    """An option whose default stands in Python and is only told here."""
    return typer.Option(help=f"{words} [default: {default}]", **more)


def given(**options: Any) -> dict[str, Any]:
    """The options that were given, by their names in Python."""
    return {name: value for name, value in options.items() if value is not None and value != []}


def columns(
    *,
    target: list[str] | None,
    time: str | None,
    id_: str | None,
    missing: str | None,
    past: list[str] | None = None,
    future: list[str] | None = None,
    static: list[str] | None = None,
    category: list[str] | None = None,
) -> dict[str, Any]:
    """How a table is read: the options that were given, as arguments of `read_series`."""
    return given(
        value_columns=target,
        time_column=time,
        id_column=id_,
        past_columns=past,
        future_columns=future,
        static_columns=static,
        category_columns=category,
        missing=missing,
    )


_COLUMNS = {
    "value_columns": "--target",
    "time_column": "--time",
    "id_column": "--id",
    "past_columns": "--past",
    "future_columns": "--future",
    "static_columns": "--static",
    "category_columns": "--category",
}
_SPELT = {**_COLUMNS, "quantiles": "--quantile", "n": "--suggest", "history": "INPUT"}
# Arguments that are spelt alike but for the dashes, as messages name them: "text_column=".
_ALIKE = ("text_column", "label_column")
# Those that messages name with "=", and with a value or without: "tokenizer='words'".
_WITH_VALUE = re.compile(
    r"\b(column|source|target|pretrained|tokenizer|holdout|validation|test|fuse|rerank|tokens_of"
    r"|audio|text|speaker)=('?)([\w.%-]*\w)?\2"
)
# How recordings are read; most messages name the option beside it, "pattern= (--pattern)".
_OF_RECORDINGS = re.compile(r"\b(audio|text|speaker|pattern|skip)=(?:True)?( \(--[\w-]+\))?")
# The command line reads UTF-8 alone.
_CONVERT = re.compile(r"read it with encoding='([\w-]+)', or convert it to UTF-8")


def spelt(name: str) -> str:
    """How an argument in Python is spelt on the command line."""
    return _SPELT.get(name, "--" + name.replace("_", "-"))


def in_our_words(message: str) -> str:
    """A message that names arguments in Python for columns, with the options for them instead."""
    names = "|".join((*_COLUMNS, *_ALIKE))
    message = _WITH_VALUE.sub(lambda found: f"{spelt(found[1])} {found[3] or ''}".strip(), message)
    message = _OF_RECORDINGS.sub(lambda found: spelt(found[1]), message)
    message = message.replace("(source, target)", "SOURCE,TARGET")
    message = _CONVERT.sub(r"convert it to UTF-8, such as with `iconv -f \1 -t UTF-8`", message)
    # Some messages name both already: "value_columns (--target)", "text_column= (--text-column)".
    return re.sub(rf"\b({names})\b=?( \(--[\w-]+\))?", lambda found: spelt(found[1]), message)


Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A .unrolled file.")]

# How a table is read: the arguments of `unrolled.read_series`.
Target = Annotated[
    list[str] | None,
    typer.Option("--target", metavar="COLUMN", help="What to forecast; may be repeated."),
]
Time = Annotated[
    str | None, typer.Option("--time", metavar="COLUMN", help="The column with the times.")
]
Id = Annotated[
    str | None,
    typer.Option("--id", metavar="COLUMN", help="The column that names the series of a row."),
]
Past = Annotated[
    list[str] | None,
    typer.Option("--past", metavar="COLUMN", help="A covariate known up to now; may be repeated."),
]
Future = Annotated[
    list[str] | None,
    typer.Option(
        "--future", metavar="COLUMN", help="A covariate known ahead too; may be repeated."
    ),
]
Static = Annotated[
    list[str] | None,
    typer.Option(
        "--static", metavar="COLUMN", help="What holds for a whole series; may be repeated."
    ),
]
Category = Annotated[
    list[str] | None,
    typer.Option(
        "--category",
        metavar="COLUMN",
        help="A covariate of categories although it reads as numbers; may be repeated.",
    ),
]
MISSING_HELP = "Missing values and gaps: an error, or masked and trained around."
Missing = Annotated[str | None, option(MISSING_HELP, "mask", metavar="error|mask")]

# A later table is read as the one of the training, but for what is said here.
MissingAgain = Annotated[
    str | None,
    option("Missing values and gaps: an error, or masked.", "as trained", metavar="error|mask"),
]

# How labelled texts and tagged words are read: arguments of `fit`, `evaluate` and `examine_texts`.
TextColumn = Annotated[
    str | None, option("The column with the texts.", "guessed, and told", metavar="COLUMN")
]
LabelColumn = Annotated[
    str | None, option("The column with the labels.", "guessed, and told", metavar="COLUMN")
]
SourceColumn = Annotated[
    str | None,
    option(
        "Pairs: the column of the sentences to translate, a name or a number counted from 0; of two"
        " files the end of a name.",
        "the first",
        metavar="COLUMN",
    ),
]
TagColumn = Annotated[
    str | None,
    option(
        "The column of the tags: a name (upos, xpos, ner, ...) or a number counted from 0.",
        "upos of CoNLL-U, else the last one",
        metavar="COLUMN",
    ),
]
Test = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="A file to measure on, in place of --holdout."),
]

# A run: the arguments of `fit`.
Out = Annotated[
    Path,
    typer.Option(
        metavar="FILE",
        help="Where the model goes; one that is there is replaced by a complete new one only.",
    ),
]
RunDir = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Keep a log and a checkpoint here, to resume from."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in --run-dir.")]
NoDiagnose = Annotated[
    bool,
    typer.Option(
        "--no-diagnose",
        help="Do not look at gradients, gates and states now and then, and warn of what is wrong.",
    ),
]
NoProgress = Annotated[bool, typer.Option("--no-progress", help="Show no progress bar.")]

# A network: the arguments of both tasks. Where their defaults differ, they share the words.
BUDGET_HELP = "Time or steps of training: 90s, 10m, '500 steps'."
HOLDOUT_HELP = "Share at the end that is kept to measure on."
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
PLOT_HELP = "Draw a picture: .png, .svg or .pdf (extra `lens`)."
HIDDEN_SIZE_HELP = "Units of each layer."
LAYERS_HELP = "Recurrent layers, one on the other."
DROPOUT_HELP = "Share of activations that training drops."
EMBEDDING_SIZE_HELP = "Size of the vector of a token."
AVERAGE_HELP = "Memory of the average of the weights that is kept; 0: none."
LEARNING_RATE_HELP = "Peak of the learning rate."
BY_THE_TEXTS = "by the texts"
TokenizerKind = Annotated[
    str | None,
    option("What a token is.", "words", metavar="characters|words|subwords"),
]
VocabularySize = Annotated[
    int | None, option("Most different tokens.", "30,000 words, 8,000 subwords, all characters")
]
Lower = Annotated[
    bool | None,
    typer.Option("--lower/--no-lower", help="Words: read upper case as lower case."),
]
InputDropout = Annotated[
    float | None, option("Share of what each layer reads that is dropped.", BY_THE_TEXTS)
]
WeightDropout = Annotated[
    float | None, option("Share of the recurrent weights that is dropped.", BY_THE_TEXTS)
]
EmbeddingDropout = Annotated[
    float | None, option("Share of the words that training reads without.", BY_THE_TEXTS)
]
Cell = Annotated[str | None, option("The cell.", "lstm", metavar="lstm|gru|rnn")]
Seed = Annotated[int | None, option("Of everything that is drawn at random.", "0")]
Device = Annotated[
    str | None,
    option("Where to compute.", "auto", metavar="auto|cpu|cuda"),
]
Precision = Annotated[str | None, option("How precisely.", "fp32", metavar="fp32|bf16")]


def number_or_name(told: str | None) -> str | int | None:
    """A column by its number, where it is one."""
    if told is not None and re.fullmatch(r"-?\d+", told):
        return int(told)
    return told
