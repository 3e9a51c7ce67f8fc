"""MinGRU and MinLSTM, which torch has not: tokens a second in training, beside torch's LSTM."""

from __future__ import annotations

import torch
from contests import Plan, Shape, arrays_of, work
from harness import Effort, agree, race
from report import Report, Table, figure

import unrolled

LAYERS = {"MinGRU": unrolled.MinGRU, "MinLSTM": unrolled.MinLSTM}
GOAL = 4  # MinGRU trains at least so many times the tokens per second of torch's LSTM


def minimal_table(report: Report, plan: Plan, effort: Effort) -> None:
    """A row for each layer, shape and thread count: training steps of the same T, B, I and H."""
    table = Table(
        "Training step, thousands of tokens (steps of a row) a second, beside torch's LSTM",
        {
            "layer": -7,
            "T,B,I,H": -14,
            "threads": 1,
            "ours, k/s": 8,
            "torch's LSTM, k/s": 8,
            "ratio": 5,
            "of medians": 5,
            "goal": 4,
        },
    )
    for threads in plan.threads:
        torch.set_num_threads(threads)
        for name in LAYERS:
            for shape in plan.shapes:
                _row(report, table, name, shape, effort)


def _row(report: Report, table: Table, name: str, shape: Shape, effort: Effort) -> None:
    x, dy = arrays_of(shape)
    layer = LAYERS[name](shape.input, shape.hidden)
    ours = work(layer, x, dy, training=True)
    names = ["y", "dx", *[f"d {name}" for name, _ in layer.named_parameters()]]
    got = ours()
    with unrolled.use_path("reference"):
        agree(f"{name} {shape}", got, ours(), names)
    theirs = work(torch.nn.LSTM(shape.input, shape.hidden), x, dy, training=True)
    times = race({"torch": theirs, "ours": ours}, effort)
    tokens = shape.steps * shape.batch / 1e3
    ratio = times["torch"].minimum / times["ours"].minimum
    of_medians = times["torch"].median / times["ours"].median
    goal = GOAL if name == "MinGRU" else None
    report.add(
        table="minimal",
        layer=name,
        shape=list(shape),
        threads=torch.get_num_threads(),
        goal=goal,
        ratio=ratio,
        ratio_of_medians=of_medians,
        seconds={name: timing.to_json() for name, timing in times.items()},
    )
    table.row(
        name,
        shape,
        torch.get_num_threads(),
        figure(tokens / times["ours"].minimum),
        figure(tokens / times["torch"].minimum),
        f"{ratio:.2f}",
        f"{of_medians:.2f}",
        "-" if goal is None else f"{goal:g}",
    )
