"""Two tests to run once before training: other rows, and padding, must not change a row.

Shapes: `T` time, `B` rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.data.batch import Batch
from unrolled.errors import (
    ConfigError,
    DTypeError,
    Finding,
    LeakBetweenRows,
    LeakFromPadding,
    ShapeError,
)
from unrolled.layers.checks import check_lengths, check_starts
from unrolled.layers.precision import full_precision
from unrolled.training import snapshot
from unrolled.training.diagnostics_capture import check_model, undisturbed

ROWS = 4
PADDED = 2
ROWS_REMEDY = (
    "normalise over units instead of rows (layer_norm=True, torch.nn.LayerNorm), reduce over time"
    " or units only, and see that batch_first says which axis holds the rows"
)
PADDING_REMEDY = (
    "pass lengths to every recurrent layer, and leave the padding out of means, maxima, attention"
    " and convolutions"
)


def check_leaks(
    model: nn.Module,
    batch: Batch | Tensor,
    *,
    lengths: Tensor | None = None,
    batch_first: bool = False,
    call: Callable[..., Any] | None = None,
    warn: bool = True,
) -> list[Finding]:
    """Whether the outputs of a row depend on other rows, or on what stands beyond its length.

    A few rows are run, then again with other values in all rows but one, then with other values in
    the padding, and with more of it; where inputs are not integers, with NaN, too. That is done in
    training mode and in evaluation, with the same random draws. The outputs of a row at its real
    steps, and its final state, must stay the same up to rounding. Afterwards the model is as it
    was.

    Args:
        model: called as `model(inputs)`, with `lengths` and `starts` by name where the batch has
            them. Every tensor that it gives is checked that has an axis of rows.
        batch: a `Batch`, or inputs `(T, B, ...)`.
        lengths: `(B,)`, where `batch` is a tensor. The padding is tested only with lengths.
        batch_first: inputs are `(B, T, ...)`.
        call: how to run the model otherwise: `call(inputs, lengths=..., starts=...)`, those given.
        warn: warn of each finding.

    Returns:
        The findings, at most one of a kind.

    Raises:
        ConfigError: nothing that the model gives has an axis of rows.
        ShapeError: inputs without rows and time; `lengths` or `starts` that do not fit them.
        DTypeError: no module, or no batch.

    Warns:
        LeakBetweenRows: such as batch normalisation in training mode, or a wrong `batch_first`.
        LeakFromPadding: such as a mean over all steps, or a reverse direction without `lengths`.
    """
    check_model(model)
    if not isinstance(batch, Batch | Tensor):
        raise DTypeError(f"batch: got {type(batch).__name__}, expected a Batch or a tensor")
    if isinstance(batch, Tensor):
        batch = Batch(batch.transpose(0, 1) if batch_first else batch, lengths=lengths)
    if batch.inputs.dim() < 2 or 0 in batch.inputs.shape[:2]:
        raise ShapeError(
            f"batch: got inputs of shape {tuple(batch.inputs.shape)}, expected (T, B, ...)"
        )
    check_lengths(batch.lengths, *batch.inputs.shape[:2])
    check_starts(batch.starts, tuple(batch.inputs.shape[:2]), "(T, B)")
    found: dict[type[Finding], Finding] = {}
    with undisturbed(model), torch.no_grad(), full_precision():
        draws = snapshot.generator_states()

        def run(inputs: Tensor, one: Batch) -> list[Tensor]:
            snapshot.set_generator_states(draws)
            given = {"lengths": one.lengths, "starts": one.starts}
            options = {name: value for name, value in given.items() if value is not None}
            if batch_first:
                inputs = inputs.transpose(0, 1)
                options |= {k: v.transpose(0, 1) for k, v in options.items() if k == "starts"}
            return list(_tensors((call or model)(inputs, **options)))

        chosen = _few_rows(batch)
        few = _of_rows(batch, chosen)
        for training in (True, False):
            if model.training != training:
                model.train(training)
            where = f"{type(model).__name__} in {'training' if training else 'evaluation'} mode"
            for test in (_rows_leak, _padding_leaks):
                finding = test(run, few, chosen, where, training)
                if finding is not None:
                    found.setdefault(type(finding), finding)
    if warn:
        for finding in found.values():
            warnings.warn(finding, stacklevel=2)
    return list(found.values())


Run = Callable[[Tensor, Batch], list[Tensor]]


def _rows_leak(
    run: Run, batch: Batch, names: list[int], where: str, training: bool
) -> Finding | None:
    x = batch.inputs
    rows = x.shape[1]
    before = run(x, batch)
    more = run(torch.cat([x, x[:, :1]], 1), _with_row(batch))
    axes = [_axis(a, b, rows) for a, b in zip(before, more, strict=True)]
    if all(axis is None for axis in axes):
        shapes = [tuple(part.shape) for part in before]
        raise ConfigError(
            f"model: gives tensors of shapes {shapes}, and expected was one with an axis for the"
            f" {rows} rows; use call= to hand out one"
        )
    if not _alike(before, run(x, batch)):
        return None  # draws of its own at every call: nothing can be told
    for row in (0, rows - 1):
        for kind, other in _others(x):
            changed = other.clone()
            changed[:, row] = x[:, row]
            after = _tried(run, changed, batch, kind)
            for axis, a, b in zip(axes, before, after or before, strict=True):
                if axis is None:
                    continue
                one, two = a.select(axis, row), b.select(axis, row)
                if not _same(one, two):
                    return LeakBetweenRows(
                        where,
                        f"with {kind} in the other rows of the batch, the output of row"
                        f" {names[row]} changes by {_change(one, two)}",
                        ROWS_REMEDY,
                    )
    return None


def _padding_leaks(
    run: Run, batch: Batch, names: list[int], where: str, training: bool
) -> Finding | None:
    if batch.lengths is None:
        return None
    lengths, given = batch.lengths, batch
    batch = _with_padding(batch)
    x = batch.inputs
    steps, rows = x.shape[:2]
    before = run(x, batch)
    if not _alike(before, run(x, batch)):
        return None
    more_rows = run(torch.cat([x, x[:, :1]], 1), _with_row(batch))
    more_steps = run(*_with_steps(batch, 1))
    padding = torch.arange(steps, device=x.device).unsqueeze(1) >= lengths.to(x.device)
    padding = padding.reshape(steps, rows, *[1] * (x.dim() - 2))
    runs = [
        (f"{kind} beyond its {{}} steps", _tried(run, torch.where(padding, other, x), batch, kind))
        for kind, other in _others(x)
    ]
    if not training:  # random draws differ with the number of steps
        runs.insert(0, ("more padding after its {} steps", run(given.inputs, given)))
    axes = [
        (_axis(a, wider, rows), _axis(a, longer, steps))
        for a, wider, longer in zip(before, more_rows, more_steps, strict=True)
    ]
    for kind, after in runs:
        for (axis, over_time), a, b in zip(axes, before, after or before, strict=True):
            if axis is None:
                continue
            for row in range(rows):
                one, two = a.select(axis, row), b.select(axis, row)
                real = int(lengths[row])
                if over_time is not None:
                    along = over_time - (over_time > axis)
                    one, two = one.narrow(along, 0, real), two.narrow(along, 0, real)
                if one.shape != two.shape or not _same(one, two):
                    return LeakFromPadding(
                        where,
                        f"with {kind.format(real)}, the output of row {names[row]} changes by"
                        f" {_change(one, two)}",
                        PADDING_REMEDY,
                    )
    return None


def _few_rows(batch: Batch) -> list[int]:
    """A few rows, the shortest and the longest where there are lengths; a lone one twice."""
    count = batch.inputs.shape[1]
    order = torch.arange(count)
    if batch.lengths is not None:
        order = torch.argsort(batch.lengths.cpu(), stable=True)
    kept = order[: ROWS - 1].tolist() + order[-1:].tolist()
    return sorted(set(kept)) if count > 1 else [0, 0]


def _of_rows(batch: Batch, rows: list[int]) -> Batch:
    chosen = torch.tensor(rows, device=batch.inputs.device)
    return Batch(
        batch.inputs.detach().index_select(1, chosen),
        None,
        None if batch.lengths is None else batch.lengths[chosen.to(batch.lengths.device)],
        None if batch.starts is None else batch.starts.index_select(1, chosen),
    )


def _with_row(batch: Batch) -> Batch:
    """Lengths and starts of a batch whose first row stands at its end once more."""
    lengths, starts = batch.lengths, batch.starts
    return Batch(
        batch.inputs,
        None,
        None if lengths is None else torch.cat([lengths, lengths[:1]]),
        None if starts is None else torch.cat([starts, starts[:, :1]], 1),
    )


def _with_padding(batch: Batch) -> Batch:
    """Some steps longer than its lengths allow, so that every row has padding."""
    inputs, options = _with_steps(batch, PADDED)
    return Batch(inputs, None, batch.lengths, options.starts)


def _with_steps(batch: Batch, steps: int) -> tuple[Tensor, Batch]:
    x = torch.cat([batch.inputs, batch.inputs[-1:].expand(steps, *batch.inputs.shape[1:])])
    starts = batch.starts
    if starts is not None:
        starts = torch.cat([starts, starts.new_zeros(steps, starts.shape[1])])
    return x, Batch(x, None, batch.lengths, starts)


def _others(x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Other values in the place of every one of `x`, that a model can read as well."""
    flipped = x.flip(0).roll(1, 1)
    if not x.is_floating_point():
        # Of integers, which may be places in a table, only those that are there can be used.
        yield "other values", flipped
        return
    yield "other values", 1.5 - 2 * flipped
    yield "NaN", torch.full_like(x, torch.nan)


def _tried(run: Run, x: Tensor, batch: Batch, kind: str) -> list[Tensor] | None:
    """A model may refuse NaN with an error of its own; that is no leak."""
    if kind != "NaN":
        return run(x, batch)
    with suppress(ValueError, RuntimeError, AssertionError):
        return run(x, batch)
    return None


def _axis(one: Tensor, more: Tensor, size: int) -> int | None:
    """The axis of `size` that has grown by one."""
    if one.dim() != more.dim():
        return None
    for axis, (a, b) in enumerate(zip(one.shape, more.shape, strict=True)):
        if a == size and b == size + 1:
            return axis
    return None


def _alike(before: list[Tensor], after: list[Tensor]) -> bool:
    return all(_same(a, b) for a, b in zip(before, after, strict=True))


def _same(one: Tensor, two: Tensor) -> bool:
    """Up to rounding; NaN only where NaN was."""
    if not one.is_floating_point() and not one.is_complex():
        return torch.equal(one, two)
    if one.numel() == 0:
        return True
    finite = torch.where(one.isfinite(), one.abs(), 0)
    epsilon = torch.finfo(one.dtype).eps
    bound = (64 if epsilon < 1e-5 else 4) * epsilon * max(1.0, float(finite.max()))
    return torch.allclose(one, two, rtol=0.0, atol=bound, equal_nan=True)


def _change(one: Tensor, two: Tensor) -> str:
    if not one.is_floating_point() or one.shape != two.shape:
        return "another answer"
    return f"{float((one.double() - two.double()).abs().max()):.2g}"


def _tensors(given: Any) -> Iterator[Tensor]:
    """Every tensor in a nest of tuples, lists and dicts."""
    if isinstance(given, Tensor):
        yield given
    elif isinstance(given, dict):
        for part in given.values():
            yield from _tensors(part)
    elif isinstance(given, (tuple, list)):
        for part in given:
            yield from _tensors(part)
