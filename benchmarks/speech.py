"""Speech: error rates beside published figures, speakers held out, what listening live costs.

    python benchmarks/speech.py fsdd                        UNROLLED_DATA names the folders
    python benchmarks/speech.py fsdd --test                 scores the test part too
    python benchmarks/speech.py fsdd-speakers --rival
    python benchmarks/speech.py live --model FILE           of a Transcriber that listens
    python benchmarks/speech.py table                       of the runs that have ended

Tasks: fsdd, fsdd-speakers, connected, an4, espeak, live. Settings are chosen on the validation
parts, which is what a run scores; with `--test` it scores the test part, and trains nothing again,
but for the speakers who are held out: there one learns from five, not from four. A run prints
tables as Markdown, and keeps its result as JSON in a folder under `--runs`; the same command goes
on with a run that was stopped (Ctrl-C), and prints the result of one that has ended. With `--rival`
a plain GRU is trained as long beside `fsdd-speakers`, in turns of ten seconds; such a training does
not go on but begins anew.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from run_command import carry_out
from run_parts import parts_parser, request_of
from speech_tasks.table import tables

TASKS = ("fsdd", "fsdd-speakers", "connected", "an4", "espeak", "live")
RUNS = Path(__file__).parent / "results" / "speech"
WITH_A_RIVAL = "fsdd-speakers"


def _options() -> argparse.Namespace:
    parser = parts_parser(__doc__, TASKS, RUNS)
    parser.add_argument("--model", help="file of the transcriber, for 'live'")
    options = parser.parse_args()
    if options.rival and options.task != WITH_A_RIVAL:
        parser.error(f"--rival: {options.task} has none, only {WITH_A_RIVAL} has one")
    if options.model and options.task != "live":
        parser.error(f"--model: {options.task} trains its own, only 'live' measures another")
    return options


def main() -> int:
    options = _options()
    return carry_out("speech", "speech_tasks", options, lambda: request_of(options), tables)


if __name__ == "__main__":
    sys.exit(main())
