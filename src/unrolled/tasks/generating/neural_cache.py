"""A neural cache: what was lately read becomes likelier, with nothing to train."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.tasks.generating.interpolation import interpolated


@dataclass(frozen=True)
class NeuralCache:
    """Settings of a continuous cache over hidden states.

        p_cache(w | h_t) ~ sum over i < t of [x_{i+1} = w] exp(theta h_t . h_i)
        p(w) = (1 - weight) p_model(w) + weight p_cache(w)

    It remembers the last `size` steps, so that its memory is constant. Good for words and subwords
    of texts that keep to a subject; theta and weight are best chosen on text that was held out.

    Attributes:
        size: steps that are remembered.
        theta: how sharply it looks for states like the present one; 0 counts what was read.
        weight: the cache's share, lambda in the paper; 0 leaves the model alone.

    Raises:
        ConfigError: a value out of its range.

    Source: Grave, Joulin and Usunier 2017, arXiv 1612.04426.
    """

    size: int = 500
    theta: float = 0.3
    weight: float = 0.1

    def __post_init__(self) -> None:
        if isinstance(self.size, bool) or not isinstance(self.size, int) or self.size < 1:
            raise ConfigError(f"cache: got size {self.size!r}, expected a whole number from 1 on")
        if not (_is_number(self.theta) and 0 <= self.theta < math.inf):
            raise ConfigError(f"cache: got theta {self.theta!r}, expected a number from 0 on")
        if not (_is_number(self.weight) and 0 <= self.weight < 1):
            raise ConfigError(f"cache: got weight {self.weight!r}, expected 0 to below 1")


def cache_of(given: Any) -> NeuralCache | None:
    """The settings that an argument `cache=` stands for: None, True, or a `NeuralCache`."""
    if given is None or given is False:
        return None
    if given is True:
        return NeuralCache()
    if isinstance(given, NeuralCache):
        return given
    raise ConfigError(
        f"cache: got {type(given).__name__}, expected True or NeuralCache(size=, theta=, weight=)"
    )


class CacheMemory:
    """What a cache remembers of one stream: hidden states, and the token that followed each.

    Shapes: `T` steps, `N` steps that are remembered, `H` hidden size, `V` tokens that there are.
    """

    def __init__(self, settings: NeuralCache) -> None:
        self._settings = settings
        self._states: Tensor | None = None  # (N, H)
        self._followed: Tensor | None = None  # (N,)

    def mixed(self, log_probabilities: Tensor, hidden: Tensor) -> Tensor:
        """Log-probabilities `(V,)` of the next token after the state `hidden (H,)`, mixed."""
        if self._states is None or self._followed is None:
            return log_probabilities
        shares = (self._settings.theta * (self._states @ hidden)).softmax(dim=0)
        cached = torch.zeros_like(log_probabilities).index_add_(0, self._followed, shares)
        return interpolated(log_probabilities, cached.log(), self._settings.weight)

    def mixed_targets(self, log_probabilities: Tensor, hidden: Tensor, targets: Tensor) -> Tensor:
        """Log-probabilities `(T,)` of the tokens that came after `hidden (T, H)`, mixed; each
        step sees the steps before it, and all are remembered."""
        steps, size = len(hidden), self._settings.size
        states, followed, before = hidden, targets, 0
        if self._states is not None and self._followed is not None:
            before = len(self._states)
            states = torch.cat([self._states, hidden])
            followed = torch.cat([self._followed, targets])
        place = torch.arange(len(states), device=hidden.device)
        now = before + torch.arange(steps, device=hidden.device).unsqueeze(1)
        seen = (place < now) & (place >= now - size)  # (T, N + T)
        likeness = (self._settings.theta * (hidden @ states.T)).masked_fill(~seen, -math.inf)
        same = followed.unsqueeze(0) == targets.unsqueeze(1)
        cached = likeness.masked_fill(~same, -math.inf).logsumexp(1) - likeness.logsumexp(1)
        mixed = interpolated(log_probabilities, cached, self._settings.weight)
        if before == 0:  # at the very first step there is nothing to look back at
            mixed[0] = log_probabilities[0]
        self._states, self._followed = states[-size:].clone(), followed[-size:].clone()
        return mixed

    def remember(self, hidden: Tensor, targets: Tensor) -> None:
        """Note states `(T, H)` and the tokens `(T,)` that followed them."""
        size = self._settings.size
        if self._states is not None and self._followed is not None:
            hidden = torch.cat([self._states, hidden])
            targets = torch.cat([self._followed, targets])
        self._states, self._followed = hidden[-size:].clone(), targets[-size:].clone()


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
