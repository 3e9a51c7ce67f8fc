"""The quantile levels of a forecast: what may be asked for, in training and of a trained model."""

from __future__ import annotations

from typing import Any

from unrolled.errors import ConfigError


def learnable_levels(quantiles: Any) -> tuple[float, ...]:
    """Levels to train on: ascending, inside (0, 1), the median 0.5 among them; else ConfigError."""
    levels = _numbers(quantiles)
    inside = all(0 < level < 1 for level in levels)
    if not inside or list(levels) != sorted(set(levels)):
        raise ConfigError(f"quantiles: got {levels}, expected ascending levels between 0 and 1")
    if 0.5 not in levels:
        raise ConfigError(f"quantiles: got {levels}, expected 0.5 to be among them")
    return levels


def learnt_levels(quantiles: Any, learnt: tuple[float, ...]) -> tuple[float, ...]:
    """Some of the levels that a model has learnt, None for all; else ConfigError."""
    levels = learnt if quantiles is None else _numbers(quantiles)
    for level in levels:
        if level not in learnt:
            raise ConfigError(
                f"quantiles: got {level}, expected some of {', '.join(map(str, learnt))}, which"
                " this model has learnt"
            )
    return levels


def _numbers(quantiles: Any) -> tuple[float, ...]:
    try:
        return tuple(float(level) for level in quantiles)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"quantiles: got {quantiles!r}, expected levels such as (0.1, 0.5, 0.9)"
        ) from error
