"""`unrolled info`: what is installed here and what it can use."""

from __future__ import annotations

from typing import Annotated

import typer

EXAMPLES = (
    "unrolled info",
    "unrolled info --json",
)


def info(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what is installed here and what it can use.

    Versions, processor, kernels, devices and data: paste it into a report of a fault.
    """
    import unrolled

    found = unrolled.info()
    if as_json:
        import json

        print(json.dumps(found, indent=2))
    else:
        print(found)
