"""The heads that a forecasting network can have, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unrolled.errors import ConfigError
from unrolled.tasks.forecasting.head_base import Head
from unrolled.tasks.forecasting.head_counts import NegativeBinomial
from unrolled.tasks.forecasting.head_distributions import Mean, Normal, StudentT
from unrolled.tasks.forecasting.head_quantiles import Quantiles

__all__ = [
    "HEADS",
    "Head",
    "Mean",
    "NegativeBinomial",
    "Normal",
    "Quantiles",
    "StudentT",
    "make_head",
]

HEADS: dict[str, Callable[[Sequence[float]], Head]] = {
    "quantiles": Quantiles,
    "normal": lambda levels: Normal(),
    "mean": lambda levels: Mean(),
    "student-t": lambda levels: StudentT(),
    "negative-binomial": lambda levels: NegativeBinomial(),
}
"""Each makes its head from the levels that the forecast is asked for; only the first needs them."""


def make_head(name: str, levels: Sequence[float]) -> Head:
    """The head of that name.

    Args:
        name: one of `HEADS`.
        levels: the quantiles' levels, ascending, each inside (0, 1).

    Raises:
        ConfigError: another name, or levels that can't be.
    """
    if name not in HEADS:
        raise ConfigError(f"head: got {name!r}, expected one of {', '.join(map(repr, HEADS))}")
    return HEADS[name](levels)
