"""Parity: how far apart the numbers of two layers are that should be the same.

Every conversion and every export proves itself on random input before it is handed out; what was
found is a `ParityReport`.

Shapes: `T` time, `B` batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import Module

from unrolled.errors import ConfigError, ParityError
from unrolled.layers.states import State, map_state, tensors_of

TOLERANCES = {
    torch.float64: 1e-9,
    torch.float32: 2e-5,
    torch.float16: 5e-3,
    torch.bfloat16: 4e-2,
}
"""The largest difference that is taken for rounding, for numbers of each dtype."""

Outputs = Sequence[Tensor]
Run = Callable[..., tuple[Outputs, Mapping[str, Tensor]]]
"""Random input -> outputs, and gradients by name (none of them where there are none)."""


@dataclass(frozen=True)
class ParityReport:
    """What a comparison of two layers found; its `str` is one line.

    A difference is the largest `|a - b|` of two tensors, divided by the largest `|b|` where that is
    above 1.

    Attributes:
        what: the two that were compared, such as "torch.nn.LSTM to unrolled.LSTM".
        values: largest difference of outputs and final states.
        gradients: largest difference of the gradients of a random loss by input, state and
            parameters; None where one of the two has no gradients.
        tolerance: above which the conversion raises `ParityError`.
        sizes: `(T, B)` of each run.
        notes: what the two do not have in common and no comparison shows, a sentence each.
    """

    what: str
    values: float
    gradients: float | None
    tolerance: float
    sizes: tuple[tuple[int, int], ...]
    notes: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether no difference is above the tolerance; NaN is not good."""
        gradients = 0.0 if self.gradients is None else self.gradients
        return self.values <= self.tolerance and gradients <= self.tolerance

    def __str__(self) -> str:
        found = f"values differ by at most {self.values:.1e}"
        if self.gradients is not None:
            found += f", gradients by at most {self.gradients:.1e}"
        shapes = ", ".join(f"{steps}x{batch}" for steps, batch in self.sizes)
        line = f"{self.what}: {found} (tolerance {self.tolerance:.0e}; TxB = {shapes})"
        return "; ".join([line, *self.notes])


def prove(
    what: str,
    runs: Iterable[tuple[tuple[int, int], Outputs, Outputs, Mapping[str, tuple[Tensor, Tensor]]]],
    tolerance: float,
    notes: Sequence[str] = (),
    *,
    gradients: bool,
) -> ParityReport:
    """The report of some runs, each `((T, B), got, wanted, pairs of gradients by name)`.

    Raises:
        ParityError: something differs by more than the tolerance, or is NaN; named.
    """
    values, slopes, sizes = 0.0, 0.0, []
    worst = ""
    for size, got, want, pairs in runs:
        sizes.append(size)
        named = {f"output {at}": pair for at, pair in enumerate(zip(got, want, strict=True))}
        for name, (a, b) in named.items():
            off = difference(a, b)
            if not off <= tolerance and not worst:
                worst = f"{name} at T = {size[0]}, B = {size[1]} by {off:.1e}"
            values = _larger(values, off)
        for name, (a, b) in pairs.items():
            off = difference(a, b)
            if not off <= tolerance and not worst:
                worst = f"the gradient of {name} at T = {size[0]}, B = {size[1]} by {off:.1e}"
            slopes = _larger(slopes, off)
    report = ParityReport(
        what,
        values,
        slopes if gradients else None,
        tolerance,
        tuple(dict.fromkeys(sizes)),
        tuple(notes),
    )
    if not report.good:
        raise ParityError(
            f"{what}: the two do not give the same numbers: {worst} apart, expected at most "
            f"{tolerance:.0e}; nothing was converted; where the weights are so large that rounding "
            "grows from step to step, give tolerance=",
            report,
        )
    return report


def difference(got: Tensor, want: Tensor) -> float:
    """The largest `|got - want|`, divided by the largest `|want|` where that is above 1.

    NaN where a number is; infinite where the shapes differ.
    """
    if got.shape != want.shape:
        return float("inf")
    if not want.numel():
        return 0.0
    got, want = got.detach().double().cpu(), want.detach().double().cpu()
    scale = max(1.0, want.abs().max().item())
    return (got - want).abs().max().item() / scale


def _larger(a: float, b: float) -> float:
    return b if not b <= a else a  # NaN stays


def tolerance_for(dtype: torch.dtype, asked: float | None) -> float:
    """The tolerance that was asked for, or that of the dtype."""
    if asked is None:
        return TOLERANCES.get(dtype, 0.0)
    if not 0 <= asked < float("inf"):
        raise ConfigError(f"tolerance: got {asked}, expected a number from 0 up, such as 1e-4")
    return asked


def random_like(state: State, seed: int) -> State:
    """A state of the same shapes and dtypes with normal numbers, the same for every call.

    Torch's own generators are left alone.
    """
    generator = Generator().manual_seed(seed)
    return map_state(
        lambda part: torch.randn(part.shape, generator=generator).to(part.device, part.dtype), state
    )


def values_and_gradients(
    module: Module, x: Tensor, state: State, names: Iterable[str]
) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Outputs of `module(x, state)` and the gradients of a random loss.

    By input, state and the parameters `names`. For a loss that sees every number, the outputs are
    weighted with random numbers, the same at every call.
    """
    leaves = map_state(lambda part: part.detach().clone().requires_grad_(), (x, state))
    # cuDNN has no backward in evaluation mode.
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=x.device.type != "cuda"):
        outputs = list(tensors_of(module(*leaves)))
        loss = sum(
            (weight * out).sum()
            for out, weight in zip(outputs, random_like(outputs, seed=3), strict=True)
        )
        assert isinstance(loss, Tensor)
        named = {"the input": leaves[0]}
        named |= {f"state {at}": part for at, part in enumerate(tensors_of(leaves[1]))}
        named |= {name: module.get_parameter(name) for name in names}
        slopes = torch.autograd.grad(loss, list(named.values()), materialize_grads=True)
    return [out.detach() for out in outputs], dict(zip(named, slopes, strict=True))


@contextmanager
def evaluating(*modules: Module) -> Iterator[None]:
    """Inside, the modules are in evaluation mode; afterwards as they were."""
    parts = [(part, part.training) for module in modules for part in module.modules()]
    try:
        for part, _ in parts:
            part.training = False
        yield
    finally:
        for part, training in parts:
            part.training = training
