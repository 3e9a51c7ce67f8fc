"""One streaming step: our native kernel against torch's LSTMCell and GRUCell.

    make bench
    python benchmarks/step.py --threads 2 --rounds 31

Both do the same work on the same weights, one thread each unless told otherwise, in turns within
one run, since machines drift. A ratio above 1 means that ours is faster: of the fastest times, and
the median over the rounds of the ratio within a round.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from rich.console import Console
from rich.table import Table

from unrolled import kernels

SHAPES = [(1, 1, 32), (1, 64, 64), (1, 128, 256), (1, 256, 256), (1, 512, 512), (4, 256, 256)]


@dataclass(frozen=True)
class Contest:
    """One cell at one shape: two functions that do the same step."""

    ours: Callable[[], object]
    rival: Callable[[], object]

    def check(self) -> None:
        """Both give the same, or there is nothing to time."""
        mine, other = self.ours(), self.rival()
        assert isinstance(mine, torch.Tensor)
        assert isinstance(other, torch.Tensor)
        difference = (mine - other).abs().max().item()
        if not difference <= 1e-5:
            raise SystemExit(f"the results differ by {difference}: no timing")


def contest(cell: str, batch: int, size: int, hidden: int) -> Contest:
    x, h, c = torch.randn(batch, size), torch.randn(batch, hidden), torch.randn(batch, hidden)
    h_out, c_out = torch.empty_like(h), torch.empty_like(c)
    lstm, gru = torch.nn.LSTMCell(size, hidden), torch.nn.GRUCell(size, hidden)
    rival = lstm if cell == "LSTM" else gru
    w_ih, w_hh, b_ih, b_hh = rival.weight_ih, rival.weight_hh, rival.bias_ih, rival.bias_hh

    def lstm_step() -> torch.Tensor:
        kernels.lstm_step(x, h, c, w_ih, w_hh, b_ih, b_hh, h_out, c_out)
        return h_out

    def gru_step() -> torch.Tensor:
        kernels.gru_step(x, h, w_ih, w_hh, b_ih, b_hh, h_out)
        return h_out

    if cell == "LSTM":
        return Contest(lstm_step, lambda: lstm(x, (h, c))[0])
    return Contest(gru_step, lambda: gru(x, h))


def microseconds(step: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        step()
    return (time.perf_counter() - start) / calls * 1e6


def matmul_peak() -> float:
    """The best of ten square products, in 10^9 operations a second: what the machine can do."""
    a = torch.randn(768, 768)
    seconds = min(microseconds(lambda: a @ a, 1) for _ in range(10)) / 1e6
    return 2 * 768**3 / seconds / 1e9


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15, help="turns of each (15)")
    parser.add_argument("--threads", type=int, default=1, help="torch's threads (1)")
    options = parser.parse_args()
    reason = kernels.why_not()
    if reason:
        print(f"bench: there are no native kernels to time: {reason}", file=sys.stderr)
        return 1
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    print(
        f"One step: {kernels.isa()} ({kernels.compiler()}) against torch {torch.__version__}, "
        f"{options.threads} thread(s); matrix product {matmul_peak():.0f} GFLOP/s"
    )
    table = Table()
    for column in ("cell", "B", "I", "H", "ours, µs", "torch, µs", "ratio of min", "median ratio"):
        table.add_column(column, justify="left" if column == "cell" else "right")
    with torch.inference_mode():
        for cell in ("LSTM", "GRU"):
            for shape in SHAPES:
                pair = contest(cell, *shape)
                pair.check()
                calls = max(20, int(2e4 / microseconds(pair.rival, 50)))
                turns = [
                    (microseconds(pair.ours, calls), microseconds(pair.rival, calls))
                    for _ in range(options.rounds)
                ]
                best, rival = min(t[0] for t in turns), min(t[1] for t in turns)
                median = statistics.median(other / mine for mine, other in turns)
                table.add_row(
                    cell,
                    *map(str, shape),
                    f"{best:.1f}",
                    f"{rival:.1f}",
                    f"{rival / best:.2f}",
                    f"{median:.2f}",
                )
    Console(width=110).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
