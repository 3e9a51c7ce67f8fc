"""Options of a transcriber that several verbs share: how its recordings are read, its search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli.options import option

_USUAL = "by its usual names, and told"
Audio = Annotated[
    str | None, option("Recordings: the column of the sounds.", _USUAL, metavar="COLUMN")
]
Text = Annotated[
    str | None, option("Recordings: the column of what is said.", _USUAL, metavar="COLUMN")
]
Speaker = Annotated[
    str | None, option("Recordings: the column of who speaks.", _USUAL, metavar="COLUMN")
]
Pattern = Annotated[
    str | None,
    typer.Option(
        metavar="PATTERN",
        help="Recordings: what the names of the files tell: '{label}_{speaker}_{take}.wav'.",
    ),
]
Skip = Annotated[
    bool,
    typer.Option(
        "--skip", help="Recordings: leave out what can't be read, and say so, in place of stopping."
    ),
]
Beam = Annotated[
    int | None,
    option(
        "Prefixes that the search keeps; 1: the best symbol of each step.",
        "8, or 32 with a language model or hot words",
    ),
]
_LANGUAGE = "Transcriber:"
Lm = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help=f"{_LANGUAGE} an n-gram model (.unrolled, .arpa) that has a say while it searches.",
    ),
]
LmWeight = Annotated[
    float | None, option(f"{_LANGUAGE} how much --lm counts.", "as tuned, else 0.5")
]
WordBonus = Annotated[
    float | None,
    option(
        f"{_LANGUAGE} with --lm or --rerank, what each word adds, in nats.", "as tuned, else 0.5"
    ),
]
UnknownWord = Annotated[
    float | None,
    option(
        f"{_LANGUAGE} with --lm, what a word adds that it does not know, in nats.",
        "as tuned, else -3",
    ),
]
# Of verbs that search with a transcriber alone.
Rerank = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help=f"{_LANGUAGE} a generator or n-gram model that has a say in which answer is best.",
    ),
]
RerankWeight = Annotated[
    float | None, option(f"{_LANGUAGE} how much say --rerank has.", "as tuned, else 0.5")
]
HotWord = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WORD[=NATS]",
        help=f"{_LANGUAGE} hear this word, or phrase, rather than others that sound like it; by 3"
        " nats unless said. May be repeated.",
    ),
]
HotWords = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help=f"{_LANGUAGE} a file of hot words or phrases, one a line, each with a tab and nats"
        " behind it, or not.",
    ),
]
SkipLm = Annotated[
    bool,
    typer.Option(
        "--skip-lm",
        help=f"{_LANGUAGE} where --lm or --rerank can't be read or does not fit, say so and hear"
        " without it.",
    ),
]
Pronunciations = Annotated[
    str | None,
    option(
        f"{_LANGUAGE} with --explain, how words are said: a dictionary in the form of CMUdict, or"
        " data:cmudict (catalog).",
        "CMUdict where it is at hand, else letters",
        metavar="FILE",
    ),
]
Near = Annotated[
    bool,
    typer.Option("--near", help=f"{_LANGUAGE} with --explain, words that are one phone away, too."),
]
Rivals = Annotated[
    int | None,
    option(f"{_LANGUAGE} with --explain, how many are told of a word.", "5", metavar="N"),
]
