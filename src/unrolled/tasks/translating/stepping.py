"""A translation token by token: its state as plain arrays."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from unrolled.layers.states import State, tensors_of
from unrolled.tasks.arrays import Arrays, check_state, like
from unrolled.tasks.translating.decoder import DecoderState
from unrolled.tasks.translating.network import Memory, TranslationNetwork
from unrolled.tasks.translating.networks import AnyTranslationNetwork

_MEMORY = ("outputs", "summary", "lengths", "keys")


@torch.no_grad()
def begun(model: AnyTranslationNetwork, source: np.ndarray) -> Arrays:
    """What a sentence leaves before the first token of its translation is read: of member `m` the
    memory as `m.outputs` and so on, the decoder's state as `m.first0` and so on."""
    inputs = torch.from_numpy(source).to(like(model).device).unsqueeze(1)
    found: Arrays = {}
    for place, network in enumerate(model.each):
        memory, _ = network(inputs)
        for name in _MEMORY:
            part = getattr(memory, name)
            if part is not None:
                found[f"{place}.{name}"] = part.cpu().numpy()
        found |= _of_state(place, network.begin(memory))
    return found


@torch.no_grad()
def read_token(
    model: AnyTranslationNetwork, token: int, state: Arrays
) -> tuple[np.ndarray, Arrays]:
    """Read one target token.

    Returns:
        The probability of each token to come next `(V,)` float32, and the new state, in which
        `looked` `(S,)` says where the network looked; it is missing without attention.

    Raises:
        ConfigError: that is no state of this model.
    """
    check_state(state, *(f"{place}.first0" for place in range(len(model.each))))
    device = like(model).device
    total: Tensor | None = None
    looks, found = [], dict(state)
    for place, network in enumerate(model.each):
        own = _part(state, place, device)
        memory = Memory(*(own.get(name) for name in _MEMORY))  # type: ignore[arg-type]
        before = _state_of(network, own)
        hidden, weights, after = network.step(torch.tensor([token], device=device), before, memory)
        shares = network.scores(hidden)[0].softmax(-1)
        total = shares if total is None else total + shares
        if weights is not None:
            looks.append(weights[0])
        found |= _of_state(place, after)
    assert total is not None
    if looks:
        found["looked"] = torch.stack(looks).mean(0).cpu().numpy()
    return (total / len(model.each)).cpu().numpy(), found


def _of_state(place: int, state: DecoderState) -> Arrays:
    found = {}
    for name, part in zip(state._fields, state, strict=True):
        if part is not None:
            for number, tensor in enumerate(tensors_of(part)):
                found[f"{place}.{name}{number}"] = tensor.cpu().numpy()
    return found


def _part(state: Arrays, place: int, device: torch.device) -> dict[str, Tensor]:
    prefix = f"{place}."
    # Copied: the caller's state stays as it is, whatever the layers do.
    return {
        name.removeprefix(prefix): torch.tensor(array, device=device)
        for name, array in state.items()
        if name.startswith(prefix)
    }


def _state_of(network: TranslationNetwork, own: dict[str, Tensor]) -> DecoderState:
    def layers(name: str) -> State:
        parts = [own[f"{name}{number}"] for number in range(2) if f"{name}{number}" in own]
        if not parts:
            return None
        return tuple(parts) if network.decoder.lstm else parts[0]

    return DecoderState(layers("first"), layers("upper"), own.get("fed0"))
