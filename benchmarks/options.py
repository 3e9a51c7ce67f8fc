"""What the LSTM's options cost: layer norm, zoneout and recurrent dropout, all three on."""

from __future__ import annotations

import torch
from contests import Plan, Shape, Work, arrays_of
from harness import Effort, agree, race
from report import Report, Table, figure
from torch import Tensor

import unrolled
from unrolled.layers import kernel_calls, recurrence, reference
from unrolled.layers.call import LayerCall, Masks, Weights, weights_of
from unrolled.layers.masks import recurrent_mask, zoneout_mask

RATE = 0.1
# A training step with all three takes at most so many times the plain one's time, at H >= 128.
OPTIONS_COST, OPTIONS_COST_FROM = 1.35, 128


def options_table(report: Report, plan: Plan, effort: Effort) -> None:
    """A row for each shape and thread count: training steps with and without the options."""
    table = Table(
        "LSTM, training step: plain, and with layer norm, zoneout of h and c, recurrent dropout",
        {
            "T,B,I,H": -14,
            "threads": 1,
            "plain, ms": 8,
            "options, ms": 8,
            "times": 5,
            "of medians": 5,
            "limit": 5,
        },
    )
    for threads in plan.threads:
        torch.set_num_threads(threads)
        for shape in plan.shapes:
            _options_row(report, table, shape, effort)


def _options_row(report: Report, table: Table, shape: Shape, effort: Effort) -> None:
    x, dy = arrays_of(shape)
    plain = weights_of(unrolled.LSTM(shape.input, shape.hidden), 0)
    normed = plain._replace(
        gain_ih=torch.ones(4 * shape.hidden, requires_grad=True),
        gain_hh=torch.ones(4 * shape.hidden, requires_grad=True),
        norm_c=torch.stack([torch.ones(shape.hidden), torch.zeros(shape.hidden)]).requires_grad_(),
    )
    runs = {"plain": _work(plain, x, dy, False), "options": _work(normed, x, dy, True)}
    _check(normed, x, dy, shape)
    times = race(runs, effort)
    cost = times["options"].minimum / times["plain"].minimum
    of_medians = times["options"].median / times["plain"].median
    limit = OPTIONS_COST if shape.hidden >= OPTIONS_COST_FROM else None
    threads = torch.get_num_threads()
    report.add(
        table="options",
        rate=RATE,
        shape=list(shape),
        threads=threads,
        times=cost,
        times_of_medians=of_medians,
        limit=limit,
        seconds={name: timing.to_json() for name, timing in times.items()},
    )
    table.row(
        shape,
        threads,
        figure(times["plain"].minimum * 1e3),
        figure(times["options"].minimum * 1e3),
        f"{cost:.2f}",
        f"{of_medians:.2f}",
        "-" if limit is None else f"{limit:g}",
    )


def _masks(weights: Weights, x: Tensor) -> Masks:
    """Drawn anew for every training step, as training does."""
    steps, batch, hidden = *x.shape[:2], weights.hh.shape[1]
    return Masks(
        zoneout_h=zoneout_mask((steps, batch, hidden), RATE),
        zoneout_c=zoneout_mask((steps, batch, hidden), RATE),
        recurrent=recurrent_mask(batch, hidden, RATE, x),
    )


def _work(weights: Weights, x: Tensor, dy: Tensor, options: bool) -> Work:
    given = [x, *(weight for weight in weights if weight is not None)]

    def run() -> list[Tensor]:
        masks = [_masks(weights, x)] if options else None
        y, _ = recurrence.run_layer(kernel_calls.Run("LSTM"), x, None, [weights], masks)
        return [y.detach(), *torch.autograd.grad(y, given, dy)]

    return run


def _check(weights: Weights, x: Tensor, dy: Tensor, shape: Shape) -> None:
    """The reference path gives the same numbers with the same masks. In float64: at the first steps
    the state is near 0, and layer norm enlarges what rounding did by up to 1 / sqrt(epsilon)."""
    x, dy = x.detach().double().requires_grad_(), dy.double()
    doubles = [None if one is None else one.detach().double().requires_grad_() for one in weights]
    weights = Weights(*doubles)  # type: ignore[arg-type]
    torch.manual_seed(2)
    got = _work(weights, x, dy, True)()
    torch.manual_seed(2)
    given = {"x": x} | {k: v for k, v in weights._asdict().items() if v is not None}
    call = LayerCall("LSTM", weights, _masks(weights, x))
    y = reference.run_layer(call, x, None, None, None).y
    expected = [y.detach(), *torch.autograd.grad(y, list(given.values()), dy)]
    names = ["y", *[f"d {name}" for name in given]]
    agree(f"LSTM with options {shape}", got, expected, names, tolerance=1e-9)
