"""The results of runs that have ended, as Markdown."""

from __future__ import annotations

import run_tables
from run_tables import Columns, Results

TOOK: Columns = {
    "steps": lambda took: f"{took['steps']:,}",
    "windows": lambda took: f"{took['windows']:,}",
    "minutes": lambda took: f"{took['minutes']:.1f}",
    "processor": lambda took: (
        f"{took['processor minutes']:.1f}" if "processor minutes" in took else "-"
    ),
    "parameters": lambda took: f"{took['parameters']:,}",
    "threads": lambda took: str(took["threads"]),
}


def tables(results: Results) -> str:
    """Goals beside figures; then of every part the scores of all; then what each run took."""
    return run_tables.tables(results, TOOK)
