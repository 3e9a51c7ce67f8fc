"""`unrolled demo`: real networks on real data, and a page that shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli.options import NoProgress

EXAMPLES = (
    "unrolled demo",
    "unrolled demo --quick",
    "unrolled demo --out /tmp/demo --no-progress",
)


def demo(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the report goes.")] = Path(
        "demo"
    ),
    quick: Annotated[
        bool, typer.Option("--quick", help="Train a moment only, to see that all works.")
    ] = False,
    no_progress: NoProgress = False,
) -> None:
    """Train small models on data at hand and write a page about them.

    Needs no network. The page opens from disk: forecasts against what came true, the baselines
    beside them, dates of many languages with their translations and where each of these looked,
    spoken digits as they are heard (with the extras speech and spoken), a sample of text, and the
    character model unfolded over a word.
    """
    from unrolled.demo import run_demo

    run_demo(out, progress=not no_progress, quick=quick)
