"""Checks of what a CTC model's output and the options of a search over it are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError, DTypeError, ShapeError

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

BLANK = 0
"""The symbol that stands for nothing."""

# A log-probability may be so far above 0 by rounding.
_ROUNDING = 1e-4


def as_array(name: str, values: Any) -> NDArray[Any]:
    """A tensor's or an array's numbers on the CPU."""
    if isinstance(values, np.ndarray):
        return values
    if not hasattr(values, "detach"):
        raise DTypeError(f"{name}: got {type(values).__name__}, expected a tensor or a numpy array")
    values = values.detach().cpu()
    return np.asarray(values.float() if values.is_floating_point() else values)


def check_log_probs(log_probs: Any, lengths: Any) -> tuple[Floats, Ints]:
    """Log-probabilities `(T, B, 1 + V)` float32 with dense symbols, and lengths `(B,)` int64.

    Raises:
        ShapeError, DTypeError: arrays that do not fit.
        ConfigError: NaN, a number above 0, or a frame on which nothing is possible, within a row's
            length; it names row and frame.
    """
    values = as_array("log_probs", log_probs)
    if values.ndim != 3 or values.shape[1] < 1 or values.shape[2] < 2:
        raise ShapeError(
            f"log_probs: got shape {values.shape}, expected (T, B, 1 + V): frames, rows, and the"
            " blank with at least one symbol"
        )
    if not np.issubdtype(values.dtype, np.floating):
        raise DTypeError(f"log_probs: got dtype {values.dtype}, expected float32")
    values = values.astype(np.float32, copy=False)
    if values.strides[2] != values.itemsize:
        values = np.ascontiguousarray(values)
    counts = check_lengths(lengths, *values.shape[:2])
    best = values.max(axis=2, initial=-math.inf)
    good = (best <= _ROUNDING) & (best > -math.inf)
    if not good.all() and (wrong := ~good & (np.arange(len(values))[:, None] < counts)).any():
        row, frame = (int(at[0]) for at in wrong.T.nonzero())
        raise ConfigError(f"log_probs: row {row}, frame {frame} {_fault(float(best[frame, row]))}")
    return values, counts


def _fault(best: float) -> str:
    if math.isnan(best):
        return "holds NaN; look for the first value that is not finite in the weights or the input"
    if best > 0:
        return f"holds {best:g}, expected numbers up to 0: take log_softmax of the logits"
    return "holds minus infinity alone, so that nothing is possible"


def check_lengths(lengths: Any, steps: int, rows: int) -> Ints:
    """Frames of each row, `(B,)` int64; None: all of them."""
    if lengths is None:
        return np.full(rows, steps, np.int64)
    is_list = isinstance(lengths, list | tuple)
    counts = np.asarray(lengths) if is_list else as_array("lengths", lengths)
    if not np.issubdtype(counts.dtype, np.integer):
        raise DTypeError(f"lengths: got dtype {counts.dtype}, expected whole numbers")
    if counts.shape != (rows,):
        raise ShapeError(f"lengths: got shape {counts.shape}, expected (B,) = ({rows},)")
    wrong = (counts < 0) | (counts > steps)
    if wrong.any():
        row = int(wrong.nonzero()[0][0])
        raise ShapeError(f"lengths: got {counts[row]} for row {row}, expected 0 to T = {steps}")
    return counts.astype(np.int64)


def check_tokens(tokens: Sequence[int] | Ints, symbols: int, row: int) -> Ints:
    """The symbols of a row, `(U,)` int64, each one of 1 to V."""
    found = np.asarray(tokens, dtype=np.int64 if not len(tokens) else None)
    if found.ndim != 1 or not np.issubdtype(found.dtype, np.integer):
        raise DTypeError(f"tokens: row {row} is no sequence of whole numbers")
    wrong = found[(found < 1) | (found >= symbols)]
    if len(wrong):
        raise ConfigError(
            f"tokens: row {row} holds {wrong[0]}, expected symbols from 1 to {symbols - 1}"
        )
    return found.astype(np.int64)


def check_count(name: str, value: Any, most: int | None = None) -> int:
    """A whole number from 1 on, up to `most`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ConfigError(f"{name}: got {value!r}, expected a whole number from 1 on")
    if most is not None and value > most:
        raise ConfigError(f"{name}: got {value}, expected at most the beam, {most}")
    return int(value)
