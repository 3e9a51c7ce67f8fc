"""How many steps a segment of `checkpointed` gets, from a budget in bytes.

What is kept over `T` steps in segments of k, with `p` bytes kept for each step and `s` bytes of
state:

    kept(k) = k * p + (ceil(T / k) - 1) * s

These bytes are what a budget counts. The input, the output and their gradients, and the parameters
and theirs, are there in any case, and count for nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.layers.replay import Generators, replayed
from unrolled.layers.trees import flatten

AMPLE = 64 << 20
"""Bytes kept for a segment beyond which a longer one gains no time: the cost of running the
segments again does not depend on their length, only what each costs besides its steps does."""

_UNITS = {"B": 1, **{f"{p}B": 1000**n for n, p in enumerate("KMGT", 1)}} | {
    f"{p}iB": 1024**n for n, p in enumerate("KMGT", 1)
}
_BY_NAME = {name.lower(): size for name, size in _UNITS.items()}
_BYTES = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", re.IGNORECASE)


class Checkpoint(NamedTuple):
    """What the argument `checkpoint` of a layer asks for: a number of steps, or a budget in
    bytes."""

    steps: int | None = None
    budget: int | None = None


def parse_checkpoint(checkpoint: Any) -> Checkpoint | None:
    """What `checkpoint` asks for; None stays None: no checkpoints.

    Args:
        checkpoint: None; an integer, the steps k of a segment; or a string such as `"512MB"`, a
            budget: a number and one of B, KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB
            (powers of 1024), in any case.

    Raises:
        ConfigError: anything else.
    """
    if checkpoint is None:
        return None
    if isinstance(checkpoint, int) and not isinstance(checkpoint, bool) and checkpoint >= 1:
        return Checkpoint(steps=checkpoint)
    if isinstance(checkpoint, str):
        found = _BYTES.fullmatch(checkpoint)
        if found is not None and found[2].lower() in _BY_NAME:
            budget = int(float(found[1]) * _BY_NAME[found[2].lower()])
            if budget >= 1:
                return Checkpoint(budget=budget)
    raise ConfigError(
        f"checkpoint: got {checkpoint!r}, expected None, a number of steps from 1 on, or a budget "
        "of bytes such as '512MB' or '1.5GiB'"
    )


def planned_steps(budget: int, steps: int, per_step: int, state: int) -> int:
    """The steps k of a segment that keep a call within a budget.

    Where all `T` steps fit, k is T: nothing is run again. Otherwise all k cost the same time but
    for what each segment costs besides its steps, so k is the largest that fits both the budget and
    `AMPLE`; where even the least memory is more than `AMPLE`, it is the k with the least. So a
    budget is a limit, and not a wish: a long sequence is well served by a part of it.

    Args:
        budget: bytes for what is kept (see above).
        steps: T.
        per_step: p, bytes kept for each step of a segment.
        state: s, bytes of the state.

    Raises:
        ConfigError: less than `least_budget`, which it names.
    """

    def kept(k: int) -> int:
        return k * per_step + (math.ceil(steps / k) - 1) * state

    if steps * per_step <= budget:
        return steps
    best = _least_steps(steps, per_step, state)
    least = kept(best)
    if budget < least:
        raise ConfigError(
            f"checkpoint: got a budget of {shown(budget)}, and {steps} steps need at least "
            f"{shown(least)}; raise it, or make the batch smaller"
        )
    limit = max(min(budget, AMPLE), least)
    k = min(steps, limit // max(per_step, 1))
    while kept(k) > limit:
        k -= 1
    return max(k, best)


def bytes_kept(
    run_segment: Callable[..., tuple[Any, Any]],
    x: Tensor,
    state: Any,
    parameters: Any,
    *,
    lengths: Tensor | None = None,
    masks: Any = None,
) -> tuple[int, int]:
    """Bytes that autograd keeps for each step of `run_segment`, and bytes of the state.

    Counted, not computed: it is run on the first 2 and the first 6 steps (fewer where there are
    fewer), and the memory of all
    tensors that are saved for the backward pass is added up, each storage once and those of the
    arguments never. The difference is four steps'. So it holds for any cell, option and path, and
    is the same in every run. torch's generators go on as if nothing had been drawn.

    Args:
        run_segment, x, state, parameters, lengths, masks: as for `checkpointed`.
    """
    long = min(6, len(x))
    short = max(1, min(2, long - 1))
    given, build = flatten((state, parameters))
    of_masks, build_masks = flatten(masks)
    known = {tensor.untyped_storage().data_ptr() for tensor in (x, *given, *of_masks)}

    def run(steps: int) -> tuple[int, int]:
        kept: dict[int, tuple[int, Tensor]] = {}  # held, so that no address is used twice

        def pack(saved: Tensor) -> Tensor:
            storage = saved.untyped_storage()
            if storage.data_ptr() not in known:
                kept[storage.data_ptr()] = (storage.nbytes(), saved)
            return saved

        own = [tensor.detach().requires_grad_(tensor.requires_grad) for tensor in given]
        before, weights = build(own)
        part = x[:steps].detach().requires_grad_(x.requires_grad)
        ends = None if lengths is None else lengths.clamp(0, steps)
        drawn = build_masks(masks_over(0, steps, of_masks))
        with (
            replayed(Generators(x), x),
            torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved),
        ):
            _, after = run_segment(part, before, ends, None, drawn, weights)
        return sum(size for size, _ in kept.values()), sum(
            part.nbytes for part in flatten(after)[0]
        )

    few, of_state = run(short)
    if long == short:
        return few, of_state
    many, _ = run(long)
    return max(math.ceil((many - few) / (long - short)), 1), of_state


def masks_over(begin: int, end: int, masks: Sequence[Tensor]) -> list[Tensor]:
    """The masks of these steps: one of two axes is the same at every step."""
    return [mask[begin:end] if mask.dim() >= 3 else mask for mask in masks]


def shown(size: int) -> str:
    """Bytes in the largest unit that gives 1 or more, rounded up to three digits."""
    for name in ("TB", "GB", "MB", "KB"):
        if size >= _UNITS[name]:
            digits = max(0, 2 - int(math.log10(size / _UNITS[name])))
            scaled = math.ceil(size / _UNITS[name] * 10**digits) / 10**digits
            return f"{scaled:.{digits}f} {name}"
    return f"{size} B"


def least_budget(steps: int, per_step: int, state: int) -> int:
    """The smallest budget that works, in bytes: `kept(k)` of the best k."""
    k = _least_steps(steps, per_step, state)
    return k * per_step + (math.ceil(steps / k) - 1) * state


def _least_steps(steps: int, per_step: int, state: int) -> int:
    """The k with the smallest `kept(k)`; of equals the largest.

    Of all k with the same number n of segments the smallest, `ceil(T / n)`, keeps least. The
    optimum over real numbers is `n = sqrt(T * p / s)`, and the best integer lies close to it: the
    rounding moves `kept` by less than p, so a search over the n that are no further off finds it.
    """
    if state == 0 or per_step == 0:
        return 1 if state == 0 and per_step else steps
    middle = math.sqrt(steps * per_step / state)
    reach = math.ceil(math.sqrt(per_step / state) * math.sqrt(middle)) + 2
    low, high = max(1, int(middle) - reach), min(steps, int(middle) + reach + 1)
    low = min(low, high)
    sizes = {math.ceil(steps / n) for n in range(low, high + 1)}
    return max(sizes, key=lambda k: (-(k * per_step + (math.ceil(steps / k) - 1) * state), k))
