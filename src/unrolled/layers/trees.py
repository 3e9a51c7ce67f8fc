"""Trees of tensors: tuples, lists and dicts, with anything else at the leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from unrolled.layers.states import like_state

Rebuild = Callable[[Sequence[Tensor]], Any]
"""Makes the tree again around other tensors, in the same order."""


def flatten(tree: Any) -> tuple[list[Tensor], Rebuild]:
    """The tensors of a tree, in order, and what builds such a tree from as many others.

    What is neither a tensor, tuple, list nor dict (None, a rate) stays where it stands.
    """
    tensors: list[Tensor] = []
    frame = _frame(tree, tensors)
    return tensors, lambda others: _filled(frame, others)


class _Place(int):
    """Where a tensor stood: its number."""


def _frame(tree: Any, tensors: list[Tensor]) -> Any:
    if isinstance(tree, Tensor):
        tensors.append(tree)
        return _Place(len(tensors) - 1)
    if isinstance(tree, dict):
        return {key: _frame(part, tensors) for key, part in tree.items()}
    if isinstance(tree, tuple | list):
        return like_state(tree, [_frame(part, tensors) for part in tree])
    return tree


def _filled(frame: Any, tensors: Sequence[Tensor]) -> Any:
    if isinstance(frame, _Place):
        return tensors[frame]
    if isinstance(frame, dict):
        return {key: _filled(part, tensors) for key, part in frame.items()}
    if isinstance(frame, tuple | list):
        return like_state(frame, [_filled(part, tensors) for part in frame])
    return frame
