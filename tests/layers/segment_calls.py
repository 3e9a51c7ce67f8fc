"""What `checkpointed` runs in its tests, and how the memory of a graph is counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled.layers.recurrent import unroll
from unrolled.layers.states import State, tensors_of


class _Called(torch.nn.Module):
    """A function of a module as a module, so that the module's parameters can be replaced."""

    def __init__(self, module: torch.nn.Module, function: Callable[[], Any]) -> None:
        super().__init__()
        self.module = module
        self.function = function

    def forward(self) -> Any:
        return self.function()


def with_parameters(
    module: torch.nn.Module, parameters: dict[str, Tensor], function: Callable[[], Any]
) -> Any:
    named = {f"module.{name}": part for name, part in parameters.items()}
    called = _Called(module, function)
    return torch.func.functional_call(called, named, (), tie_weights=False)


def parameters_of(module: torch.nn.Module) -> dict[str, Tensor]:
    return dict(module.named_parameters())


def stack(layer: torch.nn.Module, run: Callable[..., Any]) -> Callable[..., Any]:
    """A segment of a stack of layers, by `native.run` or `reference.run`."""

    def run_segment(
        x: Tensor, state: State, lengths: Any, starts: Any, masks: Any, parameters: Any
    ) -> Any:
        def call() -> Any:
            return run(layer, x, state, lengths, starts, masks)

        return with_parameters(layer, parameters, call)

    return run_segment


def over_time(cell: Any, reverse: bool = False) -> Callable[..., Any]:
    """A segment of any cell that is a module."""

    def run_segment(
        x: Tensor, state: State, lengths: Any, starts: Any, masks: Any, parameters: Any
    ) -> Any:
        def call() -> Any:
            return unroll(cell, x, state, lengths=lengths, starts=starts, reverse=reverse)

        return with_parameters(cell, parameters, call)

    return run_segment


class Two(NamedTuple):
    fast: Tensor
    slow: Tensor


class TwoSpeeds(torch.nn.Module):
    """A cell with a learned first state, a state in two parts and an output in one."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.read = torch.nn.Linear(inputs, hidden)
        self.mix = torch.nn.Linear(hidden, hidden)
        self.first = torch.nn.Parameter(torch.randn(2, hidden))
        self.double()

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        read = self.read(x)
        return read, torch.sigmoid(read)

    def step(self, projected: tuple[Tensor, Tensor], state: Two) -> tuple[Tensor, Two]:
        read, gate = projected
        fast = torch.tanh(read + self.mix(state.slow))
        slow = gate * state.slow + (1 - gate) * fast
        return torch.cat([fast, slow], -1), Two(fast, slow)

    def initial_state(self, batch: int, like: Tensor) -> Two:
        return Two(*(part.expand(batch, -1) for part in self.first))


def mixed(outputs: Any) -> Tensor:
    """A loss that looks at every number of the outputs, each in a way of its own."""
    total = torch.zeros((), dtype=torch.float64)
    for part in tensors_of(outputs):
        weights = torch.arange(part.numel(), dtype=torch.float64).sin().view(part.shape)
        total = total + (part * weights).sum() + part.square().sum()
    return total


class Meter:
    """Bytes that autograd holds: now, and at most so far."""

    def __init__(self, given: Any) -> None:
        self.known = {part.untyped_storage().data_ptr() for part in given}
        self.holders: dict[int, int] = {}
        self.now = self.peak = 0


class _Held:
    """A saved tensor; its storage is counted while any one of these holds it."""

    def __init__(self, meter: Meter, tensor: Tensor) -> None:
        self.meter, self.tensor = meter, tensor
        storage = tensor.untyped_storage()
        self.key, self.size = storage.data_ptr(), storage.nbytes()
        if self.key in meter.known:
            self.size = 0
        holders = meter.holders.get(self.key, 0)
        if not holders:
            meter.now += self.size
            meter.peak = max(meter.peak, meter.now)
        meter.holders[self.key] = holders + 1

    def __del__(self) -> None:
        self.meter.holders[self.key] -= 1
        if not self.meter.holders[self.key]:
            self.meter.now -= self.size


@contextmanager
def metered(*given: Tensor) -> Iterator[Meter]:
    """Counts what autograd saves inside, each storage once, those of `given` never."""
    meter = Meter(given)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda saved: _Held(meter, saved), lambda held: held.tensor
    ):
        yield meter
