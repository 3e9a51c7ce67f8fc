"""`unrolled info`: what is installed here and what it can use, or what a model file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli import options

EXAMPLES = (
    "unrolled info",
    "unrolled info --json",
    "unrolled info model.unrolled",
)


def info(
    model: Annotated[
        Path | None,
        typer.Argument(metavar="MODEL", help="A .unrolled file, to say what it holds instead."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Say what is installed here and what it can use.

    Versions, processor, kernels, devices and data: paste it into a report of a fault. With MODEL:
    what the file says of itself.
    """
    import unrolled
    from unrolled.cli.outputs import print_json

    found = unrolled.info(model)
    if as_json:
        print_json(found)
    else:
        print(found)
