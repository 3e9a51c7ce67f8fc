"""What all batch sources check and share."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np
import torch

from unrolled.data.batch import Batch
from unrolled.errors import ConfigError, DataError

# torch's cross entropy leaves targets with this number out
IGNORED_TARGET = -100


def at_least_one(name: str, value: int) -> int:
    """`value` as an int, or ConfigError with the argument's name."""
    try:
        number = index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise ConfigError(f"{name}={value!r} is not possible: give a whole number from 1 on")
    return number


def check_step(step: int) -> int:
    """A step counts from 0 without end (so that plain iteration over a source is not meant)."""
    if step < 0:
        raise ConfigError(f"step {step} is not possible: steps count from 0")
    return step


def epoch_order(count: int, seed: int | None, epoch: int) -> np.ndarray:
    """A permutation that depends on nothing but its arguments; in order where `seed` is None."""
    if seed is None:
        return np.arange(count)
    return epoch_generator(seed, epoch).permutation(count)


def epoch_generator(seed: int, epoch: int) -> np.random.Generator:
    """Random numbers of one epoch, the same whatever was drawn before."""
    return np.random.default_rng([seed, epoch])


def check_pairs(
    inputs: Sequence[Any], targets: Sequence[Any]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Inputs and targets as arrays of float32 or int64, one target for each step."""
    if not len(inputs):
        raise DataError("there is no sequence to make batches of: give at least one")
    if len(inputs) != len(targets):
        raise DataError(f"{len(inputs)} inputs but {len(targets)} targets: give as many of each")
    xs, ys = [_plain(one) for one in inputs], [_plain(one) for one in targets]
    for place, (x, y) in enumerate(zip(xs, ys, strict=True)):
        if not len(x):
            raise DataError(f"sequence {place} is empty: leave it out")
        if len(x) != len(y):
            raise DataError(
                f"sequence {place} has {len(x)} steps of input but {len(y)} of targets: "
                "give one target for each step"
            )
    return xs, ys


def stack_padded(inputs: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> Batch:
    """One batch of sequences that each begin anew; shorter ones are padded at their end.

    Padding is 0 in the inputs and "not known" in the targets: NaN for floats, -100 for integers.
    `lengths` is None where nothing was padded.
    """
    lengths = np.array([len(one) for one in inputs], dtype=np.int64)
    ragged = bool((lengths != lengths[0]).any())
    unknown = np.nan if targets[0].dtype.kind == "f" else IGNORED_TARGET
    starts = torch.zeros(int(lengths.max()), len(inputs), dtype=torch.bool)
    starts[0] = True
    return Batch(
        _time_major(inputs, lengths, 0),
        _time_major(targets, lengths, unknown),
        torch.from_numpy(lengths) if ragged else None,
        starts,
    )


def _time_major(rows: Sequence[np.ndarray], lengths: np.ndarray, padding: float) -> torch.Tensor:
    shape = (int(lengths.max()), len(rows), *rows[0].shape[1:])
    whole = np.full(shape, padding, dtype=rows[0].dtype)
    for place, row in enumerate(rows):
        whole[: len(row), place] = row
    return torch.from_numpy(whole)


def _plain(array: Any) -> np.ndarray:
    array = np.asarray(array)
    return np.ascontiguousarray(array, dtype=np.float32 if array.dtype.kind == "f" else np.int64)
