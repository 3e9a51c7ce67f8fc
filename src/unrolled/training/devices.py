"""Where and in which precision to compute; `accelerate` does the rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from accelerate import Accelerator


# Our names of the precisions, and Accelerate's.
_MODES = {"fp32": "no", "bf16": "bf16"}
PRECISIONS = tuple(_MODES)


def make_accelerator(device: str, precision: str) -> Accelerator:
    """Accelerate's handle for a device and a precision.

    Raises:
        ConfigError: a device or precision that is not known, or not there.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    check_device(device, precision)
    on_cpu = _on_cpu(device)
    # Accelerate keeps one state for the whole process; a second fit may want another precision.
    AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(cpu=on_cpu, mixed_precision=_MODES[precision])


def check_device(device: str, precision: str, known: tuple[str, ...] = PRECISIONS) -> None:
    """ConfigError for a device or precision that is not known, or not there."""
    if precision not in known:
        raise ConfigError(f"precision: got {precision!r}, expected one of {', '.join(known)}")
    if device not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"device: got {device!r}, expected 'auto', 'cpu' or 'cuda'")
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device: got 'cuda', but torch finds no GPU here; use 'auto' or 'cpu'")


@contextmanager
def repeatable() -> Iterator[None]:
    """On a GPU cuDNN's convolutions give the same gradients for the same numbers, bit for bit; they
    would else add up in an order of chance."""
    before = torch.backends.cudnn.deterministic
    torch.backends.cudnn.deterministic = True
    try:
        yield
    finally:
        torch.backends.cudnn.deterministic = before


def supports_bfloat16(device: str) -> bool:
    """Whether "cpu", "cuda" or what "auto" finds multiplies matrices of bfloat16 in hardware."""
    if not _on_cpu(device):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Not public: a torch without it multiplies in float32.
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return supported is not None and bool(supported())


def supports_int8() -> bool:
    """Whether the CPU multiplies matrices of int8 in hardware, summed in int32."""
    # Not public: a torch without it multiplies in float32.
    supported = getattr(torch.cpu, "_is_vnni_supported", None)
    return supported is not None and bool(supported())


def _on_cpu(device: str) -> bool:
    return device == "cpu" or not torch.cuda.is_available()
