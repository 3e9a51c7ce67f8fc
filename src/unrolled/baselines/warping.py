"""Dynamic time warping of one sequence of frames against many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

# Frames of templates that are gone through at once: their costs stay in a processor's cache.
_BLOCK = 8192


@dataclass(frozen=True)
class _Block:
    """Templates of like length, padded to the longest.

    Attributes:
        places: `(n,)` where they stand among all.
        lengths: `(n,)` frames of each.
        frames: `(L * n, F)`, frame by frame and in each frame template by template.
        squares: `(L * n,)` the squared norm of each frame.
    """

    places: NDArray[np.int64]
    lengths: NDArray[np.int64]
    frames: NDArray[np.float32]
    squares: NDArray[np.float32]


class Warping:
    """The distance of a sequence to each of many templates, by dynamic time warping.

    With `d(i, j)` the Euclidean distance of frame `i` of the sequence (`I` frames) and frame `j`
    of a template (`J` frames),

        g(i, j) = min(g(i-1, j) + d(i, j), g(i-1, j-1) + 2 d(i, j), g(i, j-1) + d(i, j))
        distance = g(I, J) / (I + J),  g(1, 1) = 2 d(1, 1)

    so that the weights of every path add up to `I + J`, and the distance is one of a mean frame.
    All templates are gone through together, along the anti-diagonals of `(i, j)`.

    Args:
        templates: `(J, F)` each, at least one frame; `J` may differ.
        band: a frame is laid on frames `|i - j| <= max(band max(I, J), |I - J|)` alone. None: on
            any.

    Source: Sakoe and Chiba 1978, "Dynamic programming algorithm optimization for spoken word
    recognition", the symmetric form without slope constraint.
    """

    def __init__(self, templates: Sequence[Floats], band: float | None = None) -> None:
        self.band = band
        self._count = len(templates)
        lengths = np.array([len(one) for one in templates], dtype=np.int64)
        order = np.argsort(lengths, kind="stable")
        self._blocks, start = [], 0
        while start < len(order):
            end = start + 1
            while end < len(order) and lengths[order[end]] * (end + 1 - start) <= _BLOCK:
                end += 1
            self._blocks.append(_block(templates, lengths, order[start:end]))
            start = end

    def distances(self, frames: Floats) -> NDArray[np.float32]:
        """`(N,)`: of a sequence `(I, F)`, `I` at least 1, to each template."""
        sequence = np.ascontiguousarray(frames, dtype=np.float32)
        found = np.empty(self._count, dtype=np.float32)
        for block in self._blocks:
            costs = _costs(sequence, block)
            if self.band is not None:
                costs[_outside(len(sequence), block, self.band)] = np.inf
            found[block.places] = _lowest(costs, block) / (len(sequence) + block.lengths)
        return found


def _block(
    templates: Sequence[Floats], lengths: NDArray[np.int64], places: NDArray[np.int64]
) -> _Block:
    longest = int(lengths[places].max())
    padded = np.zeros((longest, len(places), templates[int(places[0])].shape[1]), dtype=np.float32)
    for row, place in enumerate(places.tolist()):
        padded[: lengths[place], row] = templates[place]
    frames = padded.reshape(longest * len(places), -1)
    squares = np.einsum("mf,mf->m", frames, frames)
    return _Block(places, lengths[places], frames, squares)


def _costs(sequence: NDArray[np.float32], block: _Block) -> NDArray[np.float32]:
    """`(I, L, n)`: the Euclidean distance of each frame to each frame of each template."""
    # |x - y|^2 = |x|^2 - 2 x y + |y|^2: one matrix product for all.
    costs = (-2 * sequence) @ block.frames.T
    costs += block.squares
    costs += np.einsum("if,if->i", sequence, sequence)[:, None]
    np.sqrt(np.maximum(costs, 0, out=costs), out=costs)
    return costs.reshape(len(sequence), -1, len(block.places))


def _outside(size: int, block: _Block, band: float) -> NDArray[np.bool_]:
    """`(I, L, n)`: whether a frame may not be laid on a frame."""
    reach = np.maximum(np.ceil(band * np.maximum(size, block.lengths)), abs(size - block.lengths))
    longest = int(block.lengths[-1])
    apart = np.abs(np.arange(size)[:, None] - np.arange(longest))
    return apart[:, :, None] > reach


def _lowest(costs: NDArray[np.float32], block: _Block) -> NDArray[np.float32]:
    """`(n,)`: the cost of the cheapest path to the end of each template."""
    size, longest, count = costs.shape
    cells = costs.reshape(size * longest, count)
    # Of the last three anti-diagonals, row i + 1 is frame i; what is not reached stays infinite.
    before, last, now = (np.full((size + 1, count), np.inf, dtype=np.float32) for _ in range(3))
    ends = np.empty((longest, count), dtype=np.float32)
    doubled = np.empty((size, count), dtype=np.float32)
    before[0] = 0
    for diagonal in range(size + longest - 1):
        low, high = max(0, diagonal - longest + 1), min(size - 1, diagonal)
        # Cell (i, diagonal - i) stands at i * longest + diagonal - i.
        steps = slice(
            diagonal + low * (longest - 1),
            diagonal + high * (longest - 1) + 1,
            max(longest - 1, 1),
        )
        cost, above, own = cells[steps], slice(low, high + 1), slice(low + 1, high + 2)
        reached, diagonally = now[own], doubled[: high + 1 - low]
        np.minimum(last[above], last[own], out=reached)
        np.add(before[above], cost, out=diagonally)
        np.minimum(reached, diagonally, out=reached)
        reached += cost
        if high == size - 1:
            ends[diagonal - high] = now[size]
        before[0] = np.inf
        before, last, now = last, now, before
    return ends[block.lengths - 1, np.arange(count)]
