"""`unrolled data get`: one set of the catalog as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = (
    "unrolled data get tiny-shakespeare",
    "unrolled data get seattle-weather --out weather.csv",
)


def data_get(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `unrolled data list` has it.")],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Here: a .txt, .csv, .tsv, .jsonl, .conll or .conllu file; or a folder.",
        ),
    ] = None,
) -> None:
    """Find or fetch a public data set, check its sum, and print where its file is.

    With --out it is written as a file that the tasks read as it is: text as UTF-8 (.txt), series as
    a CSV of unique_id, ds and y, labelled texts as .csv or .jsonl of text and label, tagged words
    as .conll or .conllu, pairs of sentences as .tsv or .jsonl, recordings as a new folder.

    It is looked for inside installed packages, in the folders of UNROLLED_DATA and in the cache,
    and fetched only where it is in none of them.
    """
    from unrolled.data import catalog

    print(catalog.get(name) if out is None else catalog.export(name, out))
