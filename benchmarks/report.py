"""What the benchmarks print and write: the machine, tables row by row, and one JSON file."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from contests import CELLS, Shape
from harness import Effort

from unrolled import kernels
from unrolled.about import machine

QUICK = Effort(rounds=3, sample=0.002)


def parser_of(doc: str, *, timed: bool = True) -> argparse.ArgumentParser:
    """A parser that explains with `doc` and knows what all benchmarks, or all timed ones, take."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=_threads, default=[1], help="torch's threads, as in 1,2")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write what was measured")
    parser.set_defaults(busy=False)
    if timed:
        parser.add_argument("--rounds", type=int, default=Effort().rounds, help="samples (9)")
        parser.add_argument("--quick", action="store_true", help="3 short rounds: does it run?")
        parser.add_argument("--busy", action="store_true", help="beside another busy process")
    return parser


def add_layers(parser: argparse.ArgumentParser) -> None:
    """What the benchmarks of whole layers take besides."""
    parser.add_argument("--cells", type=cells_of, default=CELLS, help="which of LSTM,GRU,RNN (all)")
    parser.add_argument("--shapes", type=_shape, nargs="+", metavar="T,B,I,H", help="sizes")
    parser.add_argument("--path", default="auto", help="of our layers: auto, native, ... (auto)")


def cells_of(text: str, known: tuple[str, ...] = CELLS) -> tuple[str, ...]:
    cells = tuple(text.split(","))
    for cell in cells:
        if cell not in known:
            raise argparse.ArgumentTypeError(f"no cell {cell!r}; there are {', '.join(known)}")
    return cells


def _threads(text: str) -> list[int]:
    threads = [int(part) for part in text.split(",")]
    if min(threads) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected numbers of at least 1")
    return threads


def _shape(text: str) -> Shape:
    try:
        return Shape.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def effort_of(options: argparse.Namespace) -> Effort:
    return QUICK if options.quick else Effort(rounds=options.rounds)


class Table:
    """A table in Markdown, printed row by row, since a row can take half a minute."""

    def __init__(self, title: str, columns: dict[str, int]) -> None:
        """`columns`: their heads, with the width of what stands below; negative: to the left."""
        print(f"\n{title}\n")
        self._widths = [
            max(len(head), width) if width > 0 else -max(len(head), -width)
            for head, width in columns.items()
        ]
        self._print(list(columns))
        rules = ["-" * (abs(width) - 1) for width in self._widths]
        self._print(
            [
                rule + ":" if w > 0 else ":" + rule
                for rule, w in zip(rules, self._widths, strict=True)
            ]
        )

    def row(self, *cells: object) -> None:
        self._print([str(cell) for cell in cells])

    def _print(self, cells: list[str]) -> None:
        padded = [
            cell.rjust(width) if width > 0 else cell.ljust(-width)
            for cell, width in zip(cells, self._widths, strict=True)
        ]
        print(f"| {' | '.join(padded)} |", flush=True)


class Report:
    """One run of a benchmark: the machine at its start, then rows of plain values."""

    def __init__(self, name: str, options: argparse.Namespace) -> None:
        """Prints the machine, and warns where it is at work already."""
        self._started = time.perf_counter()
        self._file: Path | None = options.json
        self._content: dict[str, Any] = {
            "benchmark": name,
            "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
            "machine": _machine(),
            "busy": options.busy,
            "rows": [],
        }
        about = self._content["machine"]
        print(
            f"{about['processor']}, {about['cores']} cores; torch {about['torch']}; kernels "
            f"{about['isa']}, {about['compiler']}; load {about['load']:.2f}"
        )
        if about["load"] > 0.5:
            print(
                f"{name}: the machine is at work already ({about['load']:.2f} cores are busy, more "
                "than 0.5): these figures are not worth keeping",
                file=sys.stderr,
            )

    def add(self, **row: Any) -> None:
        self._content["rows"].append(row)

    def finish(self) -> None:
        seconds = time.perf_counter() - self._started
        print(f"\n{seconds:.0f} seconds")
        if self._file is not None:
            self._content["seconds"] = round(seconds, 1)
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(self._content, indent=1) + "\n", encoding="utf-8")


def _busy_cores(seconds: float = 0.5) -> float:
    """How many cores were busy for a moment; 0 where the system does not say (`/proc/stat`)."""

    def read() -> tuple[float, float]:
        with open("/proc/stat", encoding="ascii") as file:
            ticks = [float(number) for number in file.readline().split()[1:]]
        return sum(ticks), ticks[3] + ticks[4]

    try:
        (all_before, idle_before), _ = read(), time.sleep(seconds)
        all_after, idle_after = read()
    except (OSError, ValueError, IndexError):
        return 0.0
    share = 1 - (idle_after - idle_before) / max(1.0, all_after - all_before)
    return share * (os.cpu_count() or 1)


def _machine() -> dict[str, Any]:
    about = machine()
    del about["threads"]  # each row has its own
    load = _busy_cores()
    return {
        **about,
        "cores": os.cpu_count(),
        "isa": kernels.isa() or "not used",
        "compiler": kernels.compiler() or str(kernels.why_not()),
        "load": round(load, 2),
    }


def figure(value: float) -> str:
    """Three figures that count, never more than three decimals."""
    if value >= 100:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"
