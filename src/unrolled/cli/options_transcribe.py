"""Options of recordings that several verbs share: how a folder or table of them is read."""

from __future__ import annotations

from typing import Annotated

import typer

from unrolled.cli.options import option

AudioColumn = Annotated[
    str | None,
    option("Recordings: the column of a table that names sounds.", "found", metavar="COLUMN"),
]
TranscriptColumn = Annotated[
    str | None,
    option("Recordings: the column that holds what is said.", "found", metavar="COLUMN"),
]
SpeakerColumn = Annotated[
    str | None,
    option("Recordings: the column that names the speaker.", "found", metavar="COLUMN"),
]
Pattern = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="Recordings: what the names of files tell, such as '{label}_{speaker}_{take}.wav'.",
    ),
]
