"""Words that sound alike, heard right by context: right or write, there or their.

    python benchmarks/heard_right.py make DIR            UNROLLED_DATA names the folders
    python benchmarks/heard_right.py learn DIR           70, 40 and 30 minutes on one core
    python benchmarks/heard_right.py score DIR           the test part; --on choose: the other

`make` draws sentences of Tatoeba's English side that no model here learns, each with a word that
another sounds like (a curated list of homophones, confirmed by CMUdict), every group of words as
often as another, and in it every spelling. A sentence counts only where eSpeak NG speaks it bit for
bit the same with any of the rivals in the word's place, so that nothing in the sound tells them
apart. They are spoken by timbres that are not in the training. `learn` trains a recogniser of
letters in two lessons, of 30,000 rows of words each that have no context, an n-gram model and a
generator on 112,000 other sentences; stopped, the same command goes on. `score` chooses the weights
on sentences of the validation part, spoken by timbres of their own, and prints a table: the word
that counts, and the words of the whole sentence.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from heard_right_parts.making import SCORED, SPOKEN, make
from heard_right_parts.models import BUDGETS, learn
from heard_right_parts.scoring import score
from run_folder import Stopped

from unrolled.errors import UnrolledError


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=("make", "learn", "score"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--spoken", type=int, default=SPOKEN, help="make: sentences to learn from")
    parser.add_argument("--scored", type=int, default=SCORED, help="make: sentences to score")
    for name, usual in BUDGETS.items():
        parser.add_argument(
            f"--{name}", default=usual, metavar="BUDGET", help="learn: of the model"
        )
    parser.add_argument("--on", choices=("test", "choose"), default="test", help="score: the part")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    try:
        if options.task == "make":
            make(options.folder, options.spoken, options.scored)
        elif options.task == "learn":
            learn(options.folder, {name: getattr(options, name) for name in BUDGETS})
        else:
            print(score(options.folder, options.on))
    except UnrolledError as error:
        print(f"heard_right: {error}", file=sys.stderr)
        return 1
    except (Stopped, KeyboardInterrupt):  # the latter between two trainings
        print("heard_right: stopped; the same command goes on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
