"""Attention and the best tokens of a readout: the kernels against PyTorch operations.

    python benchmarks/attention.py --threads 1,2
    python benchmarks/attention.py --table readout --rounds 21
    python benchmarks/attention.py --quick --json attention.json

The first table is attention over whole sequences and over one step, forward alone and with its
gradients; the second `readout_top` against `log_softmax` and `topk`. All of a row must give the
same numbers before they are timed, and then run in turns; a readout in int8 is off by what is
printed. A time is the minimum over the rounds; a ratio is the rival's time divided by ours: above
1, ours is faster.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import torch
from harness import Disagreement, Effort, agree, busy_neighbour, race
from report import Report, Table, effort_of, figure, parser_of
from torch import Tensor

from unrolled import kernels, use_path
from unrolled.layers.attention_additive import additive_attention
from unrolled.layers.attention_multiplicative import multiplicative_attention
from unrolled.layers.readout_top import Readout


class Sizes(NamedTuple):
    steps: int
    sources: int
    batch: int
    width: int

    def __str__(self) -> str:
        return ",".join(map(str, self))


SIZES = (
    Sizes(15, 15, 64, 512),
    Sizes(15, 15, 128, 512),
    Sizes(40, 40, 32, 512),
    Sizes(1, 15, 64, 512),
    Sizes(1, 15, 320, 512),
)
READOUTS = ((320, 4000, 512), (320, 8000, 512), (320, 16000, 512))  # R, V, E


def _attention_row(
    report: Report, table: Table, score: str, sizes: Sizes, training: bool, effort: Effort
) -> None:
    steps, sources, batch, width = sizes
    q, dc = (torch.randn(steps, batch, width) for _ in range(2))
    q = q * 0.1
    k, m = (torch.randn(sources, batch, width) for _ in range(2))
    v = torch.randn(width) * 0.1
    lengths = torch.randint(sources // 2, sources + 1, (batch,))
    leaves = [q, k, m, v] if score == "additive" else [q, m]
    leaves = [leaf.requires_grad_(training) for leaf in leaves]

    def on(path: str) -> Callable[[], list[Tensor]]:
        def run() -> list[Tensor]:
            with use_path(path):
                if score == "additive":
                    c, a = additive_attention(q, k, m, v, lengths)
                else:
                    c, a = multiplicative_attention(q, m, lengths)
            slopes = torch.autograd.grad(c, leaves, dc) if training else ()
            return [c.detach(), a.detach(), *slopes]

        return run

    runs = {"ours": on("native"), "operations": on("reference")}
    names = ["c", "a", *([f"gradient {n}" for n in range(len(leaves))] if training else [])]
    agree(f"{score} {sizes}", runs["operations"](), runs["ours"](), names, 1e-4)
    about = {"score": score, "T,S,B,A": str(sizes), "with": "gradients" if training else "-"}
    times = race(dict(runs), effort)
    ours, theirs = times["ours"], times["operations"]
    report.add(
        table="attention",
        threads=torch.get_num_threads(),
        **about,
        ratio=theirs.minimum / ours.minimum,
        ratio_of_medians=theirs.median / ours.median,
        seconds={name: timing.to_json() for name, timing in times.items()},
    )
    table.row(
        *about.values(),
        torch.get_num_threads(),
        figure(ours.minimum * 1e3),
        figure(theirs.minimum * 1e3),
        f"{theirs.minimum / ours.minimum:.2f}",
    )


def _readout_row(
    report: Report, table: Table, sizes: tuple[int, int, int], k: int, effort: Effort
) -> None:
    rows, vocabulary, size = sizes
    o, weight = torch.randn(rows, size).tanh(), torch.randn(vocabulary, size) * 0.15
    bias = torch.randn(vocabulary)
    exact, rounded = Readout(weight, bias), Readout(weight, bias, precision="int8")

    def operations() -> tuple[Tensor, Tensor]:
        scores = torch.nn.functional.linear(o, weight, bias)
        values, tokens = torch.log_softmax(scores, -1).topk(k)
        return values, tokens

    want, tokens = operations()
    agree(f"readout {sizes}", [exact.top(o, k)[0]], [want], ["values"], 1e-5)
    nearly, others = rounded.top(o, k)
    times = race(
        {
            "ours": lambda: exact.top(o, k),
            "int8": lambda: rounded.top(o, k),
            "operations": operations,
        },
        effort,
    )
    best = {name: timing.minimum for name, timing in times.items()}
    about = {"R,V,E": ",".join(map(str, sizes)), "k": k}
    off = {"other tokens": int((others != tokens).sum()), "off": float((nearly - want).abs().max())}
    report.add(
        table="readout",
        threads=torch.get_num_threads(),
        **about,
        **off,
        ratio={name: best["operations"] / best[name] for name in ("ours", "int8")},
        seconds={name: timing.to_json() for name, timing in times.items()},
    )
    table.row(
        *about.values(),
        torch.get_num_threads(),
        figure(best["operations"] * 1e3),
        *(
            cell
            for name in ("ours", "int8")
            for cell in (figure(best[name] * 1e3), f"{best['operations'] / best[name]:.2f}")
        ),
        off["other tokens"],
        f"{off['off']:.4f}",
    )


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--table", choices=["attention", "readout"], help="only this table")
    options = parser.parse_args()
    if not kernels.available():
        print(f"attention: there are no native kernels: {kernels.why_not()}", file=sys.stderr)
        return 1
    report, effort = Report("attention", options), effort_of(options)
    torch.manual_seed(0)
    try:
        with busy_neighbour(options.busy):
            if options.table != "readout":
                heads = {"score": -14, "T,S,B,A": -13, "with": -9, "threads": 1}
                heads |= {"ours, ms": 8, "operations, ms": 8, "ratio": 5}
                table = Table("Attention", heads)
                for threads in options.threads:
                    torch.set_num_threads(threads)
                    for score in ("additive", "multiplicative"):
                        for sizes in SIZES:
                            for training in (False, True):
                                _attention_row(report, table, score, sizes, training, effort)
            if options.table != "attention":
                heads = {"R,V,E": -13, "k": 2, "threads": 1, "operations, ms": 8, "ours, ms": 8}
                heads |= {"ratio": 5, "int8, ms": 8, "its ratio": 5}
                heads |= {"other tokens": 4, "off by": 6}
                table = Table("The best tokens of a readout", heads)
                for threads in options.threads:
                    torch.set_num_threads(threads)
                    for shape in READOUTS:
                        _readout_row(report, table, shape, 10, effort)
    except Disagreement as error:
        print(f"attention: {error}", file=sys.stderr)
        return 1
    report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
