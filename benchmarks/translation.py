"""Translation: BLEU beside published figures, dates, speed beside plain torch, what attention does.

    python benchmarks/translation.py multi30k-de-en --budget 15m    UNROLLED_DATA names the folders
    python benchmarks/translation.py multi30k-de-en --budget 15m --test     scores the test part too
    python benchmarks/translation.py multi30k-de-en --budget 15m --rival
    python benchmarks/translation.py throughput --model FILE        of a Translator, such as above
    python benchmarks/translation.py attention --picture docs/translation/attention.png
    python benchmarks/translation.py table                          of the runs that have ended

Tasks: multi30k-de-en, multi30k-en-de, tatoeba-de-en, dates, throughput, attention. Settings are
chosen on the validation parts, which is what a run scores; with `--test` it scores the test part,
and trains nothing again. A run prints tables as Markdown, and keeps its result as JSON in a folder
under `--runs`; the same command goes on with a run that was stopped (Ctrl-C), and prints the result
of one that has ended. With `--rival` a plain encoder-decoder is trained as long, in turns of ten
seconds; such a training does not go on but begins anew.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from run_command import carry_out
from run_folder import RESULT
from run_parts import parts_parser, request_of
from translation_tasks import attention
from translation_tasks.table import tables

TASKS = (
    *("multi30k-de-en", "multi30k-en-de", "tatoeba-de-en"),
    *("dates", "throughput", "attention"),
)
RUNS = Path(__file__).parent / "results" / "translation"


def _options() -> argparse.Namespace:
    parser = parts_parser(__doc__, TASKS, RUNS)
    parser.add_argument("--model", help="file of the translator, for 'throughput'")
    parser.add_argument("--picture", type=Path, help="where 'attention' draws (.png, .svg or .pdf)")
    options = parser.parse_args()
    if options.picture and options.picture.suffix not in (".png", ".svg", ".pdf"):
        parser.error(f"--picture: got {options.picture}, expected a .png, .svg or .pdf")
    return options


def main() -> int:
    options = _options()
    request = request_of(options)
    code = carry_out("translation", "translation_tasks", options, lambda: request, tables)
    if code == 0 and options.picture and options.task == "attention":
        assert request.folder is not None
        # From the result, which a run that has ended does not make again.
        result = json.loads((request.folder / RESULT).read_text())
        attention.draw(result["parts"][0], options.picture)
    return code


if __name__ == "__main__":
    sys.exit(main())
