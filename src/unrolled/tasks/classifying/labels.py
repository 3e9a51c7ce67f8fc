"""The labels that a `Classifier` tells apart, as numbers and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from unrolled.data.labelled import ordered_labels
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.base import is_number

# A text gets each label whose probability is this or more, where it can have several.
THRESHOLD = 0.5


@dataclass(frozen=True)
class Labels:
    """Names of the labels in their order, and whether a text may have several of them.

    Attributes:
        names: sorted as numbers where all are numbers, else as text.
        several: each label is a question of its own (a sigmoid each, and none may hold); else
            exactly one holds (softmax).
    """

    names: tuple[str, ...]
    several: bool

    @classmethod
    def of(cls, given: Sequence[Any], several: bool) -> Labels:
        """The labels that occur."""
        found = {name for one in given for name in (one if several else (one,))}
        return cls(ordered_labels(found), several)

    def __len__(self) -> int:
        return len(self.names)

    def number(self, name: Any) -> int:
        """The number of a label; ConfigError for an unknown one."""
        if str(name) not in self.names:
            raise ConfigError(f"label: got {name!r}, expected one of {_some(self.names)}")
        return self.names.index(str(name))

    def targets(self, given: Sequence[Any], file: str | None = None) -> np.ndarray:
        """Numbers `(N,)` int64; or with several, `(N, C)` float32 of 0 and 1.

        Args:
            given: the labels of each text.
            file: where they are from, for messages.

        Raises:
            DataError: a label that was not there when the model learnt.
        """
        places = {name: place for place, name in enumerate(self.names)}
        rows = [one if self.several else (one,) for one in given]
        unknown = sorted({name for row in rows for name in row if name not in places})
        if unknown:
            raise DataError(
                f"got the label {unknown[0]!r}, which the model did not learn; it knows"
                f" {_some(self.names)}",
                file=file,
            )
        if not self.several:
            return np.array([places[row[0]] for row in rows], dtype=np.int64)
        targets = np.zeros((len(rows), len(self)), dtype=np.float32)
        for at, row in enumerate(rows):
            targets[at, [places[name] for name in row]] = 1
        return targets

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """`(..., C)` from logits of the same shape."""
        found = expit(logits) if self.several else softmax(logits, axis=-1)
        return np.asarray(found)

    def chosen(self, probabilities: np.ndarray) -> list[Any]:
        """The answer for each row of `(N, C)`: a name, or with several a tuple of names."""
        if not self.several:
            return [self.names[place] for place in probabilities.argmax(-1)]
        return [
            tuple(name for name, p in zip(self.names, row, strict=True) if p >= THRESHOLD)
            for row in probabilities
        ]

    def weights(self, asked: str | Mapping[str, float] | None, targets: np.ndarray) -> np.ndarray:
        """How much a text of each label counts, `(C,)` float32.

        Args:
            asked: None, all alike; "balanced", `N / (C n_c)`, so that each label counts as much as
                the others (with several: `(N - n_c) / n_c`, as those without it); or by name, 1
                where none is given.
            targets: of the texts that are learnt.

        Raises:
            ConfigError: anything else.
        """
        weights = np.ones(len(self), dtype=np.float32)
        if asked is None:
            return weights
        if asked == "balanced":
            if self.several:
                held = targets.sum(0).clip(min=1)
                return ((len(targets) - held).clip(min=1) / held).astype(np.float32)
            held = np.bincount(targets, minlength=len(self)).clip(min=1)
            return (len(targets) / (len(self) * held)).astype(np.float32)
        if not isinstance(asked, Mapping):
            raise ConfigError(
                f"class_weight: got {asked!r}, expected None, 'balanced' or a number for each label"
            )
        for name, weight in asked.items():
            if str(name) not in self.names:
                raise ConfigError(
                    f"class_weight: got the label {name!r}, expected some of {_some(self.names)}"
                )
            if not (is_number(weight) and 0 < weight < float("inf")):
                raise ConfigError(
                    f"class_weight: got {weight!r} for {name!r}, expected a number above 0"
                )
            weights[self.number(name)] = weight
        return weights


def per_text(weights: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """How much each text counts: `(N,)`; with several labels, `(N, C)`."""
    if targets.ndim == 2:
        return np.where(targets > 0, weights, 1.0)
    return weights[targets]


def _some(names: Sequence[str], most: int = 10) -> str:
    shown = ", ".join(map(repr, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
