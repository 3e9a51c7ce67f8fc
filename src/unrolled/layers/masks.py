"""Random masks of recurrent layers, drawn from torch's generator before a layer runs.

They enter a call as arguments (`Masks`), so that every path, and every recomputation in a backward
pass, sees the same. The same seed draws the same masks, whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from unrolled.errors import ConfigError

_LEVELS = 1 << 16
"""How many values a drawn 16-bit number has."""


def zoneout_mask(
    shape: Sequence[int],
    rate: float,
    device: torch.device | str = "cpu",
    generator: Generator | None = None,
) -> Tensor:
    """Which units keep their old value at a step: bool, each true with probability `rate`.

    One mask is drawn for every step of a sequence, `T * B * H` units, so it must be cheap. On a CPU
    each unit takes 16 bits of what the generator gives: 2.6 times as fast as `torch.rand(shape) <
    rate`, and 4.7 times as `bernoulli_`, on one thread. There the rate is rounded to a multiple of
    2**-16; 0 and 1 are exact everywhere and draw nothing.

    Args:
        shape: `(T, B, H)`, or any other.
        rate: 0 to 1.
        device: where the mask is to be; it is drawn there.
        generator: of that device; None is torch's own.

    Raises:
        ConfigError: a rate that is not 0 to 1.

    Source: Krueger et al. 2017, arXiv 1606.01305.
    """
    _check_rate(rate)
    if rate in (0, 1):
        return torch.full(shape, bool(rate), device=device)
    if generator is None and in_operations():
        return torch.rand(*shape, device=device) < rate
    if torch.device(device).type != "cpu":
        drawn = torch.empty(shape, dtype=torch.bool, device=device)
        return drawn.bernoulli_(rate, generator=generator)
    size = torch.Size(shape).numel()
    words = torch.empty(-(-size // 4), dtype=torch.int64, device="cpu")
    # From the smallest number to None: all 64 bits. The default would leave the sign bit zero.
    words.random_(-(1 << 63), None, generator=generator)
    units = words.view(torch.int16)[:size].view(shape)
    return units < round(rate * _LEVELS) - _LEVELS // 2


def recurrent_mask(
    batch: int, size: int, rate: float, like: Tensor, generator: Generator | None = None
) -> Tensor:
    """Recurrent (variational) dropout: the mask of a state, the same at every step of a row.

        m = 0 with probability p, else 1 / (1 - p)

    so that the mean of `m * h` is `h`. A rate of 1 gives zeros.

    Args:
        batch, size: B, and the size P of the state.
        rate: p, 0 to 1.
        like: a tensor of the dtype and device that the mask should have.
        generator: of that device; None is torch's own.

    Returns:
        `(B, P)`.

    Raises:
        ConfigError: a rate that is not 0 to 1.

    Source: Gal and Ghahramani 2016, arXiv 1512.05287.
    """
    _check_rate(rate)
    if rate in (0, 1):
        return like.new_full((batch, size), 1 - rate)
    if generator is None and in_operations():
        drawn = torch.rand(batch, size, device=like.device)
        return (drawn >= rate).to(like.dtype) / (1 - rate)
    kept = like.new_empty(batch, size).bernoulli_(1 - rate, generator=generator)
    return kept.div_(1 - rate)


def in_operations() -> bool:
    """Whether masks are drawn by an operation that gives a new tensor: what is drawn into a tensor
    can't be traced by `torch.compile`, and is the same for all of a `vmap`. It gives other masks
    from the same seed."""
    return torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active()


def _check_rate(rate: float) -> None:
    if not 0 <= rate <= 1:
        raise ConfigError(f"rate: got {rate}, expected 0 to 1")
