"""What has to come again when a part of a call is run again: random numbers, and autocast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor
from torch.utils.checkpoint import get_device_states, set_device_states


class Generators:
    """The states of torch's generators on the CPU and on the device of a tensor."""

    def __init__(self, x: Tensor) -> None:
        self.cpu = torch.get_rng_state()
        self.devices, self.states = get_device_states(x)
        self.like = x.new_empty(0)

    def moved(self) -> bool:
        """Whether anything was drawn since."""
        now = Generators(self.like)
        pairs = zip(self.states, now.states, strict=True)
        return not torch.equal(self.cpu, now.cpu) or any(not torch.equal(a, b) for a, b in pairs)

    def restore(self) -> None:
        torch.set_rng_state(self.cpu)
        if self.devices:
            set_device_states(self.devices, self.states, device_type=self.like.device.type)


@contextmanager
def replayed(drawn: Generators | None, x: Tensor) -> Iterator[None]:
    """Inside, the generators give again what they gave; afterwards they are as before."""
    if drawn is None:
        yield
        return
    now = Generators(x.detach())
    drawn.restore()
    try:
        yield
    finally:
        now.restore()


class Autocast:
    """Autocast, as it is where this is made."""

    def __init__(self, x: Tensor) -> None:
        self.kinds = {
            kind: (torch.get_autocast_dtype(kind), torch.is_autocast_enabled(kind))
            for kind in dict.fromkeys((x.device.type, "cpu"))
            if torch.amp.is_autocast_available(kind)
        }
        self.cache = torch.is_autocast_cache_enabled()

    @contextmanager
    def again(self) -> Iterator[None]:
        """Inside, it is so again."""
        with ExitStack() as stack:
            for kind, (dtype, enabled) in self.kinds.items():
                stack.enter_context(
                    torch.autocast(kind, dtype, enabled=enabled, cache_enabled=self.cache)
                )
            yield
