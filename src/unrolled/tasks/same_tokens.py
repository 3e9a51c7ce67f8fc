"""The check that a network whose tokens are there already is not asked to read by others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unrolled.errors import ConfigError

_SAYS = {
    "warm_start": ("goes on from a network with", "warm_start=False to begin anew"),
    "tokens_of": ("has tokens with", "leave tokens_of out"),
}


def check_same_tokens(
    task: Any, there: Mapping[str, Any], size: int, argument: str = "warm_start"
) -> None:
    """ConfigError where an argument of the task contradicts the tokens that are there.

    Args:
        task: with its arguments as attributes.
        there: what the tokens are, by the argument that asks for it: "tokenizer" and others.
        size: how many there are, which must not be more than `vocabulary_size`.
        argument: what says that they stay: "warm_start" or "tokens_of".
    """
    most = task.vocabulary_size
    if most is not None and most < size:
        there = {**there, "vocabulary_size": size}
    check_same(task, there, argument)


def check_same(task: Any, there: Mapping[str, Any], argument: str = "warm_start") -> None:
    """ConfigError where an argument of the task is not the value that is there, by its name."""
    there_is, otherwise = _SAYS[argument]
    for name, value in there.items():
        if getattr(task, name) != value:
            raise ConfigError(
                f"{name}: got {getattr(task, name)!r}, but {argument} {there_is} {value!r}; use the"
                f" same, or {otherwise}"
            )
