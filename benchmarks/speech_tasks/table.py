"""The results of speech runs that have ended, as Markdown."""

from __future__ import annotations

import text_tasks.table
from run_tables import Columns, Results


def tables(results: Results) -> str:
    """Goals beside figures; the scores of all; what each run took; what a task shows besides."""
    return text_tasks.table.tables(results, TOOK)


TOOK: Columns = {
    "budget": lambda took: took["budget"],
    "steps": lambda took: f"{took['steps']:,}",
    "passes": lambda took: f"{took['passes']:.1f}" if "passes" in took else "-",
    "sound, h": lambda took: f"{took['sound hours']:.1f}" if "passes" in took else "-",
    "training, min": lambda took: f"{took['training']:.1f}",
    "all, min": lambda took: f"{took['minutes']:.1f}",
    "processor, min": lambda took: f"{took['processor minutes']:.1f}",
    "parameters": lambda took: f"{took['parameters']:,}",
    "threads": lambda took: str(took["threads"]),
}
