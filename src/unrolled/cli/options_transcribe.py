"""Options of a transcriber that several verbs share: how its recordings are read, its search."""

from __future__ import annotations

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
    int | None, option("Prefixes that the search keeps; 1: the best symbol of each step.", "8")
]
