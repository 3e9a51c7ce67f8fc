"""ONNX Runtime as the judge: does a graph give the numbers of the layer, at any batch and length?

Shapes: `T` time, `B` batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ConfigError, ParityError

Sizes = Sequence[tuple[int, int]]

SIZES: Sizes = ((1, 1), (2, 7), (13, 3), (50, 2))
"""`(T, B)` of the runs by which a graph is judged."""


class Judge:
    """A model, loaded by ONNX Runtime on the CPU, one thread, without a word of its own."""

    def __init__(self, model: bytes, what: str) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4  # its faults come as exceptions, too
        self._what = what
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # of classes of its own, below Exception
            raise ParityError(f"{what}: ONNX Runtime can't load it: {_line(error)}") from None

    def __call__(self, given: Mapping[str, Tensor]) -> list[Tensor]:
        """The outputs of a run on these inputs."""
        feed = {name: part.detach().cpu().numpy() for name, part in given.items()}
        try:
            return [torch.from_numpy(part) for part in self._session.run(None, feed)]
        except Exception as error:
            shapes = ", ".join(f"{name} {tuple(part.shape)}" for name, part in given.items())
            raise ParityError(
                f"{self._what}: ONNX Runtime can't run it on {shapes}: {_line(error)}"
            ) from None


def _line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def checked_sizes(sizes: Sizes) -> tuple[tuple[int, int], ...]:
    """The sizes, once all are pairs of numbers from 1 up."""
    found: list[tuple[int, int]] = []
    for size in sizes:
        pair: Any = tuple(size) if isinstance(size, tuple | list) else ()
        if len(pair) != 2 or not all(isinstance(n, int) and n >= 1 for n in pair):
            raise ConfigError(f"sizes: got {size!r}, expected pairs (T, B) of numbers from 1 up")
        found.append(pair)
    if not found:
        raise ConfigError("sizes: got none, expected at least one pair (T, B) to check with")
    return tuple(found)


def random_lengths(steps: int, batch: int, seed: int) -> Tensor:
    """`(B,)`: 0 to T; where there are rows enough, one is empty and one full."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(0, steps + 1, (batch,), generator=generator)
    lengths[:1] = steps
    if batch > 1:
        lengths[1] = 0
    return lengths


def random_starts(steps: int, batch: int, seed: int) -> Tensor:
    """`(T, B)`: about every fourth step of a row begins a new sequence."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(steps, batch, generator=generator) < 0.25


def numbered(sizes: Sizes) -> Iterator[tuple[int, int, int]]:
    """`(seed, T, B)` of each run."""
    for seed, (steps, batch) in enumerate(sizes):
        yield seed, steps, batch
