"""Every alignment of a small CTC output, one by one: what the searches are tested against."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch

Said = tuple[int, ...]


def draw(*shape: int, size: float = 2.0) -> torch.Tensor:
    """Log-probabilities `(T, B, 1 + V)`, or `(T, 1 + V)`."""
    return torch.randn(*shape).mul(size).log_softmax(-1)


def collapsed(path: Any) -> Said:
    """What a path stands for."""
    return tuple(token for token, _ in itertools.groupby(path) if token)


def every_alignment(y: Any) -> dict[Said, list[tuple[float, tuple[int, ...]]]]:
    """Of each sequence its alignments with their log-probabilities, for `(T, 1 + V)`."""
    y = np.asarray(y, np.float64)
    found: dict[Said, list[tuple[float, tuple[int, ...]]]] = {}
    for path in itertools.product(range(y.shape[1]), repeat=len(y)):
        value = float(sum(y[time, token] for time, token in enumerate(path)))
        found.setdefault(collapsed(path), []).append((value, path))
    return found


def totals(y: Any) -> dict[Said, float]:
    """The log-probability of each sequence."""
    return {
        said: float(np.logaddexp.reduce([value for value, _ in paths]))
        for said, paths in every_alignment(y).items()
    }


def frames_of(path: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """The first and last frame of each symbol of a path."""
    found, time = [], 0
    for token, run in itertools.groupby(path):
        count = len(list(run))
        if token:
            found.append((time, time + count - 1))
        time += count
    return tuple(found)
