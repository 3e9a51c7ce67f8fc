"""Label by label how well a classifier or tagger did, and whether its confidence can be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError, ShapeError
from unrolled.training.classification import (
    Bin,
    calibration_error,
    confusion,
    label_figures,
    reliability,
)


@dataclass(frozen=True)
class LabelScores:
    """Held-out figures of each label; plain values for a model's card and for a report.

    Attributes:
        labels: `C` names.
        confusion: `C` rows of `C` counts, row what it is, column what was said; None where an item
            may have several labels.
        precision, recall, f1: of each label, shares from 0 to 1.
        support: how many items have the label.
        bins: how often items of like confidence are right (`training.classification.reliability`);
            with several labels, how often labels of like probability are there. Empty where the
            confidence is not known.
    """

    labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...] | None
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f1: tuple[float, ...]
    support: tuple[int, ...]
    bins: tuple[Bin, ...] = ()

    @classmethod
    def of(
        cls,
        labels: Sequence[str],
        actual: NDArray[Any],
        predicted: NDArray[Any],
        confidence: NDArray[Any] | None = None,
    ) -> LabelScores:
        """Measures.

        Args:
            labels: the `C` names.
            actual, predicted: label numbers `(N,)`, or bool `(N, C)` where an item may have
                several labels.
            confidence: `(N,)` the probability of the predicted label; with several labels, `(N, C)`
                the probability of each.

        Raises:
            ConfigError: a label number that has no name.
            ShapeError: shapes that do not belong together.
        """
        actual, predicted, size = np.asarray(actual), np.asarray(predicted), len(labels)
        several = actual.ndim == 2
        if several and actual.shape[1] != size:
            raise ShapeError(f"got {actual.shape[1]} columns for {size} labels; give one for each")
        if not several:
            for numbers in (actual, predicted):
                if numbers.size and not 0 <= numbers.min() <= numbers.max() < size:
                    raise ConfigError(
                        f"label numbers run from {numbers.min()} to {numbers.max()}, expected 0 to"
                        f" {size - 1}: there are {size} labels"
                    )
        figures = label_figures(actual, predicted, size)
        bins: tuple[Bin, ...] = ()
        if confidence is not None and several:
            bins = reliability(np.ravel(confidence), np.ravel(actual))
        elif confidence is not None:
            bins = reliability(confidence, actual == predicted)
        return cls(
            labels=tuple(labels),
            confusion=None
            if several
            else tuple(tuple(row) for row in confusion(actual, predicted, size).tolist()),
            precision=tuple(figures.precision.tolist()),
            recall=tuple(figures.recall.tolist()),
            f1=tuple(figures.f1.tolist()),
            support=tuple(figures.support.tolist()),
            bins=bins,
        )

    @property
    def calibration_error(self) -> float:
        """The expected calibration error of the bins; NaN where there are none."""
        return calibration_error(self.bins)

    def most_confused(self, most: int = 5) -> list[tuple[str, str, int]]:
        """`(what it is, what was said, how often)`, the most frequent mistakes first."""
        if self.confusion is None:
            return []
        pairs = [
            (self.labels[row], self.labels[column], count)
            for row, counts in enumerate(self.confusion)
            for column, count in enumerate(counts)
            if row != column and count
        ]
        return sorted(pairs, key=lambda pair: (-pair[2], pair[:2]))[:most]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a model's card; JSON has no NaN, so an empty bin has None."""
        bins = [
            asdict(one) | ({} if one.count else {"confidence": None, "accuracy": None})
            for one in self.bins
        ]
        return {**asdict(self), "bins": bins}

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> LabelScores:
        """The inverse of `to_dict`."""
        table = raw["confusion"]
        bins = [
            Bin(
                one["lower"],
                one["upper"],
                one["count"],
                _number(one["confidence"]),
                _number(one["accuracy"]),
            )
            for one in raw["bins"]
        ]
        return cls(
            labels=tuple(raw["labels"]),
            confusion=None if table is None else tuple(tuple(row) for row in table),
            precision=tuple(raw["precision"]),
            recall=tuple(raw["recall"]),
            f1=tuple(raw["f1"]),
            support=tuple(raw["support"]),
            bins=tuple(bins),
        )


def _number(value: float | None) -> float:
    return math.nan if value is None else value
