"""Whether the arguments of a `Classifier` can work, before any work."""

from __future__ import annotations

from typing import Any

from unrolled.errors import ConfigError
from unrolled.tasks.base import check_rate, is_number, whole_number

# Arguments that are shares from 0 to below 1, and whole numbers from 1 on; None is settled by fit.
_SHARES = (
    "dropout",
    "input_dropout",
    "weight_dropout",
    "embedding_dropout",
    "output_dropout",
    "unfreeze",
    "average",
)
_COUNTS = (
    "vocabulary_size",
    "hidden_size",
    "layers",
    "embedding_size",
    "ngrams",
    "batch_size",
    "train_tokens",
    "chunk",
    "patience",
)
_LEAST = {"weight_decay": 0, "prefix": 0, "rate_decay": 1}


def check_arguments(task: Any) -> None:
    """ConfigError with the name of the first argument that can't work; whole numbers become ints.

    Args:
        task: the classifier; what is None is left to be settled by the texts.
    """
    layers, task.layers = task.layers, 1  # the check of all tasks knows no None
    try:
        task._check_sizes()
    finally:
        task.layers = layers
    for name in _COUNTS:
        if getattr(task, name) is not None:
            setattr(task, name, whole_number(name, getattr(task, name), least=1))
    if task.head_size is not None:
        task.head_size = whole_number("head_size", task.head_size, least=0)
    if task.directions not in (1, 2):
        raise ConfigError(f"directions: got {task.directions!r}, expected 1 or 2")
    for name in _SHARES:
        if getattr(task, name) is not None:
            check_rate(name, getattr(task, name))
    for name, least in _LEAST.items():
        value = getattr(task, name)
        if value is not None and not (is_number(value) and least <= value < float("inf")):
            raise ConfigError(f"{name}: got {value!r}, expected a number from {least} on")
    if task.vectors is not None and task.pretrained is not None:
        raise ConfigError("vectors: words start from vectors or from pretrained, not from both")
    if task.vectors is not None and task.tokenizer not in (None, "words"):
        raise ConfigError(f"vectors: are of words, got tokenizer={task.tokenizer!r}")
