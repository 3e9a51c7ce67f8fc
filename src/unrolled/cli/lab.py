"""`unrolled lab`: two networks that learn side by side, on a page."""

from __future__ import annotations

from typing import Annotated

import typer

EXAMPLES = (
    "unrolled lab",
    "unrolled lab --no-browser --port 8000",
)


def lab(
    port: Annotated[
        int,
        typer.Option(help="Of the page's address; 0 takes any that is free.", show_default=True),
    ] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address alone; open no browser.")
    ] = False,
) -> None:
    """Watch two networks learn a memory task side by side: six chapters and settings of your own.

    Order, memory, unfolding, vanishing and exploding gradients, gates. The page is served on this
    machine alone; it learns while the page is open. Ctrl-C ends it.
    """
    from unrolled.lab.laboratory import run_lab

    run_lab(port=port, browser=not no_browser)
