"""The state of a run as plain named tensors: weights, moments, carried state, random generators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from unrolled.layers.states import State, map_state, tensors_of


def detach(state: State) -> State:
    """The state without its history: where truncated backpropagation through time is truncated."""
    return None if state is None else map_state(Tensor.detach, state)


def flatten(state: State) -> list[Tensor]:
    """The tensors of a state in order: none, one, or one after the other of a tuple."""
    return [] if state is None else list(tensors_of(state))


def unflatten(leaves: list[Tensor]) -> State:
    """The inverse of `flatten` for the states of recurrent layers: a tensor, or a flat tuple."""
    if len(leaves) > 1:
        return tuple(leaves)
    return leaves[0] if leaves else None


def copy_weights(model: nn.Module) -> dict[str, Tensor]:
    """A copy of the model's weights that further steps leave alone."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """AdamW's moments and step counts, and Muon's momentum, as named tensors."""
    states = optimizer.state_dict()["state"]
    return {
        f"optimizer.{index}.{name}": torch.as_tensor(value)
        for index, entries in states.items()
        for name, value in entries.items()
    }


def load_optimizer_tensors(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """The inverse of `optimizer_tensors`."""
    states: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, entry = name.split(".")
        states.setdefault(int(index), {})[entry] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": states})


def generator_states() -> dict[str, Tensor]:
    """The state of torch's random generators, the CPU's and each GPU's."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states |= {f"cuda{i}": s for i, s in enumerate(torch.cuda.get_rng_state_all())}
    return states


def set_generator_states(states: dict[str, Tensor]) -> None:
    """The inverse of `generator_states`; GPUs that are not here are passed over."""
    torch.set_rng_state(states["cpu"])
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            if f"cuda{index}" in states:
                torch.cuda.set_rng_state(states[f"cuda{index}"], index)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draws inside come from `seed` alone; the caller's generator is as before afterwards."""
    before = generator_states()
    torch.manual_seed(seed)
    try:
        yield
    finally:
        set_generator_states(before)
