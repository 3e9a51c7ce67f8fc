"""What a run is made of, and the numbers that each task and cell is run with.

Chosen by the losses of short runs, on training and validation rows. Only for the digits, which are
a check of the loop and no result, was the rate raised until a test of the test suite passed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from unrolled.errors import ConfigError


@dataclass(frozen=True)
class Settings:
    """A run, in plain numbers; the same settings give the same run.

    Attributes:
        task: "adding", "copy", "parity", "sequential-mnist", "permuted-mnist" or "digits".
        cell: a name in `networks.CELLS`.
        length: the T of a drawn task; pictures have their own.
        hidden, layers: sizes of the network. state: complex units of an LRU's layer.
        radius, phase: of an LRU's eigenvalues at the start: least and largest, and largest.
        chrono: gates that forget over 1 to so many steps at the start; -1: over the length; 0: as
            torch draws them.
        head: hidden units of the readout; 0: it is linear.
        pool: what is read of a row, the "last" output or the "mean".
        dropout: between layers, and in the head.
        rows: of a batch. updates: of the weights, over the whole run.
        learning_rate: of AdamW at its peak. slow: the factor for an LRU's eigenvalues.
        weight_decay: of matrices. clip: largest norm of the gradient. warmup: in updates.
        validations: how often the validation rows are scored; the best weights are tested.
        seed: of the weights, of the dropout, of the batches.
    """

    task: str
    cell: str
    length: int = 0
    hidden: int = 64
    layers: int = 1
    state: int = 64
    radius: tuple[float, float] = (0.9, 0.999)
    phase: float = 2 * math.pi
    chrono: int = 0
    head: int = 0
    pool: str = "last"
    dropout: float = 0.0
    rows: int = 32
    updates: int = 5000
    learning_rate: float = 2e-3
    slow: float = 1.0
    weight_decay: float = 0.0
    clip: float = 1.0
    warmup: int = 100
    validations: int = 20
    seed: int = 1


def settings_of(task: str, cell: str, **given: Any) -> Settings:
    """The recipe of a task and a cell, but for what is given (None: as in the recipe).

    Raises:
        ConfigError: an unknown task.
    """
    if task not in TASKS:
        raise ConfigError(f"task: got {task!r}, expected one of {', '.join(TASKS)}")
    found = replace(Settings(task, cell), **TASKS[task])
    found = replace(found, **RECIPES.get((task, cell), {}))
    found = replace(found, **{name: value for name, value in given.items() if value is not None})
    return replace(found, chrono=found.length if found.chrono < 0 else found.chrono)


TASKS: dict[str, dict[str, Any]] = {
    "adding": {"length": 600, "updates": 10000},
    "copy": {"length": 1000, "updates": 5000},
    "parity": {
        "length": 40,
        "hidden": 32,
        "rows": 64,
        "updates": 3000,
        "learning_rate": 1e-2,
    },
    "sequential-mnist": {"hidden": 128, "rows": 50, "updates": 8800, "warmup": 500},
    "permuted-mnist": {"hidden": 128, "rows": 50, "updates": 4400, "warmup": 500},
    "digits": {"updates": 800, "learning_rate": 6e-3},
}
# A picture's pixels, by LRU blocks: 55,000 pictures are 1,100 updates.
BLOCKS: dict[str, Any] = {
    "layers": 3,
    "state": 48,
    "pool": "mean",
    "dropout": 0.1,
    "learning_rate": 4e-3,
    "slow": 0.25,
    "weight_decay": 0.05,
}
RECIPES: dict[tuple[str, str], dict[str, Any]] = {
    ("adding", "gru"): {"chrono": -1, "learning_rate": 5e-3},
    ("adding", "lstm"): {"chrono": -1, "learning_rate": 5e-3},
    ("adding", "mingru"): {"chrono": -1, "learning_rate": 3e-2},
    ("adding", "minlstm"): {"chrono": -1, "learning_rate": 3e-2},
    ("adding", "indrnn"): {"hidden": 128, "layers": 2, "learning_rate": 1e-3},
    ("adding", "lru"): {"hidden": 32, "state": 32, "layers": 2, "radius": (0.999, 0.9999)},
    ("parity", "rnn"): {"learning_rate": 3e-3, "updates": 20000},
    ("parity", "lru"): {"layers": 2},
    ("copy", "gru"): {"hidden": 62, "chrono": -1},
    ("copy", "lstm"): {"hidden": 54, "chrono": -1},
    ("copy", "slstm"): {"hidden": 52},
    ("copy", "lru"): {
        "hidden": 32,
        "state": 96,
        "radius": (0.999, 0.9999),
        "rows": 16,
        "updates": 1000,
        "learning_rate": 5e-3,
        "slow": 0.03,
        "clip": 10.0,
        "validations": 5,
    },
    ("sequential-mnist", "lru"): {**BLOCKS, "hidden": 64},
    ("permuted-mnist", "lru"): {**BLOCKS, "hidden": 48, "radius": (0.99, 0.9999)},
    ("sequential-mnist", "indrnn"): {"layers": 4, "learning_rate": 1e-3},
    ("permuted-mnist", "indrnn"): {"layers": 4, "learning_rate": 1e-3},
    ("sequential-mnist", "mingru"): {"layers": 3},
    ("permuted-mnist", "mingru"): {"layers": 3},
    ("sequential-mnist", "minlstm"): {"layers": 3, "hidden": 104},
    ("permuted-mnist", "minlstm"): {"layers": 3, "hidden": 104},
}
