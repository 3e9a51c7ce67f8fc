"""A curve over any number of steps in bounded memory."""

from __future__ import annotations

import math

MOST = 200


class Curve:
    """Means over bins of equal width; when there are `MOST` of them, each two become one.

    What is not finite ends the curve: a mean with it in it would tell nothing.
    """

    def __init__(self) -> None:
        self.width = 1
        self._bins: list[tuple[int, float, int]] = []  # last step, sum, count

    def add(self, step: int, value: float) -> None:
        """A value at a step; steps only grow."""
        if not math.isfinite(value):
            return
        if self._bins and self._bins[-1][0] // self.width == step // self.width:
            _, total, count = self._bins.pop()
            self._bins.append((step, total + value, count + 1))
        else:
            self._bins.append((step, value, 1))
        if len(self._bins) > MOST:
            self._halve()

    @property
    def last(self) -> float | None:
        """The mean of the last bin."""
        return self._bins[-1][1] / self._bins[-1][2] if self._bins else None

    def points(self) -> list[tuple[int, float]]:
        """The curve as (step, mean), four digits a value."""
        return [(step, float(f"{total / count:.4g}")) for step, total, count in self._bins]

    def _halve(self) -> None:
        self.width *= 2
        merged: list[tuple[int, float, int]] = []
        for step, total, count in self._bins:
            if merged and merged[-1][0] // self.width == step // self.width:
                _, before, fewer = merged.pop()
                merged.append((step, before + total, fewer + count))
            else:
                merged.append((step, total, count))
        self._bins = merged
