"""Comparing numbers on a GPU: products of float32 in float32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def full_precision() -> Iterator[None]:
    """Inside, a GPU multiplies float32 in float32, for the whole process; afterwards as before.

    By torch's default cuDNN rounds the factors to TensorFloat-32, 10 bits behind the point. That is
    no fault of a layer, but hides one: it moves outputs by 1e-3, and otherwise for another batch.
    """
    if not torch.cuda.is_available():
        yield
        return
    settings = _settings()
    before = [getattr(owner, name) for owner, name, _ in settings]
    try:
        for owner, name, full in settings:
            setattr(owner, name, full)
        yield
    finally:
        for (owner, name, _), value in zip(settings, before, strict=True):
            setattr(owner, name, value)


def _settings() -> list[tuple[Any, str, Any]]:
    """Owner, name, and the value for full precision."""
    matmul: Any = torch.backends.cuda.matmul
    cudnn: Any = torch.backends.cudnn
    if not hasattr(matmul, "fp32_precision"):  # torch before 2.9
        return [(matmul, "allow_tf32", False), (cudnn, "allow_tf32", False)]
    # The older names raise an error where somebody has set the newer ones.
    return [(owner, "fp32_precision", "ieee") for owner in (matmul, cudnn.conv, cudnn.rnn)]
