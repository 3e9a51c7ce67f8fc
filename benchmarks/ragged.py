"""Ragged batches: ours, with lengths or packed, against torch's packed layer.

All start from what they take: torch's layer and ours from a PackedSequence that is made before the
clock starts (packing and padding cost torch nothing here), ours with `lengths` from the padded
batch. A fourth contestant is our own layer on the same batch with every row full.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from contests import SHAPES, Pair, Plan, Shape, Work, arrays_of, pair_of, work, work_name
from harness import Effort, agree, flops, product_peak, race
from report import Report, Table, figure
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

SHORTEST = 10
# Goals for torch's time divided by ours, by the shapes with more than one row.
RAGGED_TARGETS = {"LSTM": (3, 3, 2.3, 10, 30), "GRU": (3, 2, 1.7, 8, 20)}
# At H >= 128 ours takes at most so much of its own padded time times the share of real steps.
RAGGED_COST, RAGGED_COST_FROM = 1.15, 128


class Batch(NamedTuple):
    """The same rows in both layouts, and their lengths."""

    x: Tensor
    dy: Tensor
    lengths: Tensor
    packed: PackedSequence
    packed_dy: Tensor

    @property
    def places(self) -> int:
        return int(self.lengths.sum())


def batch_of(shape: Shape) -> Batch:
    """Lengths uniform in 10..T, the same in every run."""
    draw = torch.Generator().manual_seed(1)
    lengths = torch.randint(SHORTEST, shape.steps + 1, (shape.batch,), generator=draw)
    x, dy = arrays_of(shape)
    packed = pack_padded_sequence(x.detach(), lengths, enforce_sorted=False)
    leaf = packed._replace(data=packed.data.requires_grad_())
    return Batch(x, dy, lengths, leaf, _packed(dy, lengths))


def _packed(padded: Tensor, lengths: Tensor) -> Tensor:
    return pack_padded_sequence(padded, lengths, enforce_sorted=False).data


def goal_of(cell: str, shape: Shape) -> float:
    """The set goal at two threads; where none was set, not to be slower."""
    shapes = [one for one in SHAPES if one.batch > 1]
    if torch.get_num_threads() != 2 or cell not in RAGGED_TARGETS or shape not in shapes:
        return 1.0
    return RAGGED_TARGETS[cell][shapes.index(shape)]


def ragged_table(report: Report, plan: Plan, effort: Effort) -> None:
    """A row for each cell, shape with more than one row, work and thread count."""
    table = Table(
        f"Lengths uniform in {SHORTEST}..T; ours by lengths (l) and packed (p), torch's packed; "
        f"of padded: l over our padded time times the real share (H >= {RAGGED_COST_FROM}: <= "
        f"{RAGGED_COST})",
        {
            "cell": -4,
            "T,B,I,H": -14,
            "work": -9,
            "threads": 1,
            "real": 4,
            "ours l, ms": 8,
            "ours p, ms": 8,
            "torch, ms": 8,
            "ratio l": 5,
            "ratio p": 5,
            "goal": 4,
            "of padded": 5,
            "GFLOP/s l": 4,
            "of peak": 5,
        },
    )
    for threads in plan.threads:
        torch.set_num_threads(threads)
        for cell in plan.cells:
            for shape in plan.shapes:
                for training in (True, False) if shape.batch > 1 else ():
                    _ragged_row(report, table, cell, shape, training, effort)


def _ragged_row(
    report: Report, table: Table, cell: str, shape: Shape, training: bool, effort: Effort
) -> None:
    pair = pair_of(cell, shape, training=training)
    batch = batch_of(shape)
    runs: dict[str, Work] = {
        "torch": work(pair.torch, batch.packed, batch.packed_dy, training),
        "lengths": work(pair.ours, batch.x, batch.dy, training, lengths=batch.lengths),
        "packed": work(pair.ours, batch.packed, batch.packed_dy, training),
        "padded": work(pair.ours, batch.x, batch.dy, training),
    }
    _check(f"ragged {cell} {shape}", pair, batch, runs, training)

    peak = product_peak()
    times = race(runs, effort)
    peak = max(peak, product_peak())
    best = {name: timing.minimum for name, timing in times.items()}
    real = batch.places / (shape.steps * shape.batch)
    cost = best["lengths"] / (best["padded"] * real)
    ratios = {name: best["torch"] / best[name] for name in ("lengths", "packed")}
    operations = flops(cell, batch.places, shape.input, shape.hidden, training=training)
    speed = operations / best["lengths"] / 1e9
    goal = goal_of(cell, shape)
    report.add(
        table="ragged",
        cell=cell,
        shape=list(shape),
        work=work_name(training),
        threads=torch.get_num_threads(),
        real_share=real,
        goal=goal,
        ratio=ratios,
        ratio_of_medians={name: times["torch"].median / times[name].median for name in ratios},
        of_padded=cost,
        of_padded_limit=RAGGED_COST if shape.hidden >= RAGGED_COST_FROM else None,
        gflops=speed,
        peak_gflops=peak,
        seconds={name: timing.to_json() for name, timing in times.items()},
    )
    table.row(
        cell,
        shape,
        work_name(training),
        torch.get_num_threads(),
        f"{real:.0%}",
        figure(best["lengths"] * 1e3),
        figure(best["packed"] * 1e3),
        figure(best["torch"] * 1e3),
        f"{ratios['lengths']:.2f}",
        f"{ratios['packed']:.2f}",
        f"{goal:g}",
        f"{cost:.2f}",
        figure(speed),
        f"{speed / peak:.0%}",
    )


def _check(what: str, pair: Pair, batch: Batch, runs: dict[str, Work], training: bool) -> None:
    """Torch's results are those of our two, the padded one compared where the steps are real."""
    names = pair.names if training else pair.names[:1]
    expected = runs["torch"]()
    agree(f"{what} packed", runs["packed"](), expected, names)
    padded = runs["lengths"]()
    along = [_packed(one, batch.lengths) for one in padded[:2]]
    agree(f"{what} by lengths", [*along, *padded[2:]], expected, names)
