"""Text tasks: language models, sentiment, tags, names and suggestions beside simple rivals.

    python benchmarks/text.py shakespeare --budget 10m    UNROLLED_DATA names the folders of data
    python benchmarks/text.py shakespeare --budget 60s --rival
    python benchmarks/text.py imdb --on validation
    python benchmarks/text.py mr --pretrained FILE        of a Generator, such as imdb's run keeps
    python benchmarks/text.py running --model FILE        of a Classifier, such as imdb's run keeps
    python benchmarks/text.py table                       of the runs that have ended

Tasks: shakespeare, imdb, mr, ud, names, suggest, scale, running. Settings are chosen on the
validation parts (`--on validation` scores there); the test parts are scored by the commands as they
stand. A run prints tables as Markdown, and keeps its result as JSON in a folder under `--runs`; the
same command goes on with a run that was stopped (Ctrl-C), and prints the result of one that has
ended. With `--rival` PyTorch's own LSTM is trained as long, in turns of ten seconds; such a run
does not go on but begins anew.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from run_command import carry_out, folder_of, parser_of
from text_tasks.runs import Request
from text_tasks.table import tables

TASKS = ("shakespeare", "imdb", "mr", "ud", "names", "suggest", "scale", "running")
RUNS = Path(__file__).parent / "results" / "text"


def _options() -> argparse.Namespace:
    parser = parser_of(__doc__, TASKS, RUNS)
    parser.add_argument("--pretrained", help="file of a Generator that a classifier starts from")
    parser.add_argument("--model", help="file of the classifier, for 'running'")
    parser.add_argument("--rival", action="store_true", help="train the rival in turns")
    return parser.parse_args()


def main() -> int:
    options = _options()

    def request() -> Request:
        words = ("pretrained" if options.pretrained else "", "rival" if options.rival else "")
        return Request(
            options.task,
            options.seed,
            options.on,
            options.budget,
            options.options,
            folder_of(options, *words),
            options.pretrained,
            options.model,
            options.rival,
        )

    return carry_out("text", "text_tasks", options, request, tables)


if __name__ == "__main__":
    sys.exit(main())
