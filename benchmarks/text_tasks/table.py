"""The results of text runs that have ended, as Markdown."""

from __future__ import annotations

import run_tables
from run_tables import Columns, Results, markdown

TOOK: Columns = {
    "budget": lambda took: took["budget"],
    "steps": lambda took: f"{took['steps']:,}",
    "training, min": lambda took: f"{took['training']:.1f}",
    "all, min": lambda took: f"{took['minutes']:.1f}",
    "processor, min": lambda took: f"{took['processor minutes']:.1f}",
    "parameters": lambda took: f"{took['parameters']:,}",
    "threads": lambda took: str(took["threads"]),
}


def tables(results: Results, took: Columns = TOOK) -> str:
    """Goals beside figures; of every part the scores of all; what each run took; what a task shows
    line by line."""
    shown = [
        f"{part['part']}\n\n" + markdown(part["shown"]["head"], part["shown"]["rows"])
        for result in results
        for part in result["parts"]
        if "shown" in part
    ]
    return "\n".join([run_tables.tables(results, took), *shown])
