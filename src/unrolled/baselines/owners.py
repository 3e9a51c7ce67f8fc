"""The arrays of several rivals in one table, as a model file keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray


def together(kept: Mapping[str, Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """`owner.name` to array, from the arrays of each owner by name."""
    return {f"{owner}.{name}": array for owner, own in kept.items() for name, array in own.items()}


def arrays_of(owner: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays of one owner by name, from those of all; empty where it has none."""
    return {
        name.removeprefix(f"{owner}."): array
        for name, array in arrays.items()
        if name.startswith(f"{owner}.")
    }
