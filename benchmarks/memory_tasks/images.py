"""The tasks whose sequences are pictures: MNIST pixel by pixel, and 8x8 digits row by row.

Shapes: `N` pictures, `T` steps, `B` batch; inputs are `(T, B, I)`, targets `(B,)`. Scored by
accuracy, in %.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.data.batch import Batch
from unrolled.errors import DataError

VALIDATION = 5000  # the last of the 60,000 pictures to learn from
CHUNK = 250  # rows of a held-out batch
MEAN, DEVIATION = 0.1307, 0.3081  # of the pixels, 0 to 1: customary for MNIST
PERMUTATION_SEED = 1803


@dataclass(frozen=True)
class Pictures:
    """Pictures as sequences, in the parts "train", "validation" and "test".

    Attributes:
        parts: of each part the inputs `(N, T, I)` and the labels `(N,)`.
    """

    parts: dict[str, tuple[Tensor, Tensor]] = field(repr=False)
    name: str
    outputs = 10
    every_step: ClassVar[bool] = False
    metric, higher_is_better = "accuracy, %", True

    @property
    def length(self) -> int:
        return self.parts["train"][0].shape[1]

    @property
    def inputs(self) -> int:
        return self.parts["train"][0].shape[2]

    def batch(self, rows: int, seed: int, update: int) -> Batch:
        """The batch of an update, counted from 0 and on through the epochs, each in an order of its
        own; what is left over at the end of an epoch is left out of it."""
        pictures, labels = self.parts["train"]
        epoch, number = divmod(update, len(labels) // rows)
        order = _order(len(labels), seed, epoch)[number * rows : (number + 1) * rows]
        return Batch(pictures[order].transpose(0, 1).contiguous(), labels[order])

    def held_out(self, part: str) -> Iterator[Batch]:
        """The pictures of "validation" or "test", batch by batch."""
        pictures, labels = self.parts[part]
        for some, their in zip(pictures.split(CHUNK), labels.split(CHUNK), strict=True):
            yield Batch(some.transpose(0, 1).contiguous(), their)

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(answers, targets)

    def measure(self, answers: Tensor, targets: Tensor) -> Tensor:
        """The score of each row, `(B,)`."""
        return 100.0 * (answers.argmax(-1) == targets)


def mnist(*, permuted: bool) -> Pictures:
    """MNIST, a pixel a step: `T = 784`, `I = 1`, row after row from the top left; or `permuted`, in
    an order drawn once and the same for all pictures and all runs.

    Sources: arXiv 1504.00941; the normalisation is that of arXiv 1803.01271's code.

    Raises:
        DataError: no folder of UNROLLED_DATA holds `mnist`, or a file there is not MNIST's.
    """
    order = torch.arange(784)
    if permuted:
        order = torch.randperm(784, generator=torch.Generator().manual_seed(PERMUTATION_SEED))
    found = {}
    for part, stem, count in (("train", "train", 60000), ("test", "t10k", 10000)):
        pixels = _idx(f"{stem}-images-idx3-ubyte.gz", (count, 28, 28)).reshape(count, 784)
        labels = _idx(f"{stem}-labels-idx1-ubyte.gz", (count,))
        scaled = (torch.from_numpy(pixels).float() / 255 - MEAN) / DEVIATION
        found[part] = scaled[:, order].unsqueeze(-1), torch.from_numpy(labels).long()
    (pictures, labels), test = found["train"], found["test"]
    learn = pictures[:-VALIDATION], labels[:-VALIDATION]
    hold = pictures[-VALIDATION:], labels[-VALIDATION:]
    name = "permuted-mnist" if permuted else "sequential-mnist"
    return Pictures({"train": learn, "validation": hold, "test": test}, name)


def digits() -> Pictures:
    """The 1,797 digits of 8x8 pixels that come with scikit-learn, a row a step: `T = 8`, `I = 8`.
    Every fifth picture is held out for the test, and every fifth of the others for validation."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    pictures = torch.from_numpy(loaded.images).float() / 16
    labels = torch.from_numpy(loaded.target).long()
    number = torch.arange(len(labels))
    test = number % 5 == 4
    validation = ~test & (number // 5 % 5 == 4)
    masks = {"train": ~test & ~validation, "validation": validation, "test": test}
    return Pictures({part: (pictures[m], labels[m]) for part, m in masks.items()}, "digits")


@lru_cache(maxsize=1)
def _order(count: int, seed: int, epoch: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(count))


def _idx(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A file of bytes in the idx format: two zeros, 8 for bytes, the number of sizes, the sizes."""
    folders = [one for one in os.environ.get("UNROLLED_DATA", "").split(os.pathsep) if one]
    paths = [Path(folder) / "mnist" / name for folder in folders]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        looked = ", ".join(folders) or "UNROLLED_DATA is not set"
        raise DataError(
            f"mnist/{name} is not at hand (folders: {looked}): name a folder that holds it in"
            " UNROLLED_DATA"
        )
    raw = gzip.decompress(path.read_bytes())
    head = bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)
    if raw[: len(head)] != head or len(raw) != len(head) + int(np.prod(shape)):
        raise DataError(f"{path}: is not the idx file of {shape} bytes that MNIST has there")
    return np.frombuffer(raw, np.uint8, offset=len(head)).reshape(shape).copy()
