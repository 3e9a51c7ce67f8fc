"""`Trail`: which tokens a search chose, as pointers back, traced once at the end."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Ints = NDArray[np.int64]
Numbers = NDArray[np.float64]


class Path(NamedTuple):
    """A hypothesis: its tokens with the end, what each cost, and where it looked, `(T, S)`."""

    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    attention: NDArray[np.float32] | None


class Trail:
    """Every token that a search went on with or ended with: a node with a pointer to the one
    before. Nothing is copied when hypotheses part.

    A node's number counts from 0 over the whole search; -1 is the beginning.
    """

    def __init__(self) -> None:
        self._starts = [0]
        self._parents: list[Ints] = []
        self._tokens: list[Ints] = []
        self._values: list[Numbers] = []
        self._rows: list[Ints] = []
        self._attention: list[NDArray[np.float32]] = []

    def look(self, attention: Tensor) -> None:
        """Keeps where the rows of this step look, `(R, S)`; before its nodes are added."""
        self._attention.append(attention.float().cpu().numpy().copy())

    def add(self, parents: Ints, tokens: Ints, values: Numbers, rows: Ints) -> Ints:
        """The numbers of this step's nodes, each with its parent, token, log-probability, and the
        row of the model that it comes from.
        """
        first = self._starts[-1]
        self._starts.append(first + len(parents))
        self._parents.append(parents)
        self._tokens.append(tokens)
        self._values.append(values)
        self._rows.append(rows)
        return np.arange(first, first + len(parents))

    def trace(self, nodes: Ints, ended: NDArray[np.bool_], widths: Ints) -> list[Path]:
        """What leads to each of these nodes.

        Args:
            nodes: `(H,)`, the last one of each.
            ended: `(H,)`, whether its token is the end, which has no row in the attention.
            widths: `(H,)`, how many places of the attention belong to its source.
        """
        if not len(nodes):
            return []
        parents, tokens, rows = (
            np.concatenate([np.empty(0, np.int64), *each])
            for each in (self._parents, self._tokens, self._rows)
        )
        values = np.concatenate([np.empty(0), *self._values])
        back = []
        here = nodes
        while (here >= 0).any():
            back.append(here)
            here = np.where(here >= 0, parents[here], -1)
        # (L, H), the first token on top; shorter paths end at the same row and begin below.
        steps = np.stack(back[::-1]) if back else np.empty((0, len(nodes)), np.int64)
        counts = (steps >= 0).sum(axis=0)
        looks = self._looks(steps, rows, counts)
        found = []
        for place, (count, end) in enumerate(zip(counts.tolist(), ended.tolist(), strict=True)):
            path = steps[len(steps) - count :, place]
            found.append(
                Path(
                    tuple(tokens[path].tolist()),
                    tuple(values[path].tolist()),
                    # A copy, so that one answer does not hold the memory of all.
                    None if looks is None else looks[place, : count - end, : widths[place]].copy(),
                )
            )
        return found

    def _looks(self, steps: Ints, rows: Ints, counts: Ints) -> NDArray[np.float32] | None:
        """`(H, L, S)`, of each path its rows of attention from the first token on."""
        if not self._attention:
            return None
        width = max(each.shape[1] for each in self._attention)
        found = np.zeros((steps.shape[1], len(steps), width), np.float32)
        for step in range(len(steps)):
            paths = np.flatnonzero(counts > step)
            # The node of this step stands `counts` rows above the path's last.
            nodes = steps[len(steps) - counts[paths] + step, paths]
            each = self._attention[step][rows[nodes]]
            found[paths, step, : each.shape[1]] = each
        return found
