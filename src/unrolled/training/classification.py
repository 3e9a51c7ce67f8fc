"""Held-out scores of labels and of their probabilities: scikit-learn's, at one door.

Shapes: `N` items, `C` classes. `actual` and `predicted` are class numbers `(N,)`, or, where an item
has any number of labels, bool `(N, C)`. What can't be told (no item, one class only) is NaN, apart
from F1: a class that neither occurs nor is predicted has F1 0, as in scikit-learn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ShapeError

Floats = NDArray[np.float64]
# As many as in most of the literature since Guo et al. 2017.
BINS = 15
_SMALLEST = 1e-7  # of a float32 probability that is 1 but for rounding


@dataclass(frozen=True)
class LabelFigures:
    """Precision, recall and F1 of each class, `(C,)` each, and how many items have it (support)."""

    precision: Floats
    recall: Floats
    f1: Floats
    support: NDArray[np.int64]


@dataclass(frozen=True)
class Bin:
    """The items whose confidence lies above `lower` and at most at `upper`.

    Attributes:
        lower, upper: the edges.
        count: how many items.
        confidence: their mean confidence.
        accuracy: the share of them that is right.
    """

    lower: float
    upper: float
    count: int
    confidence: float
    accuracy: float


def accuracy(actual: NDArray[Any], predicted: NDArray[Any]) -> float:
    """Share of the items that are right; with several labels, of those whose labels all are."""
    from sklearn.metrics import accuracy_score

    actual, predicted = _same(actual, predicted)
    return float(accuracy_score(actual, predicted)) if len(actual) else float("nan")


def confusion(actual: NDArray[Any], predicted: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """`(C, C)`: how many items of class `row` were said to be of class `column`."""
    actual, predicted = _same(actual, predicted)
    if actual.ndim != 1:
        raise ShapeError("a confusion matrix needs one label an item, class numbers (N,)")
    if classes == 1 or not len(actual):  # nothing to tell apart
        return np.full((classes, classes), len(actual), dtype=np.int64)
    from sklearn.metrics import confusion_matrix

    return np.asarray(confusion_matrix(actual, predicted, labels=range(classes)))


def label_figures(actual: NDArray[Any], predicted: NDArray[Any], classes: int) -> LabelFigures:
    """Precision, recall and F1 of each class.

    precision = TP / (TP + FP),   recall = TP / (TP + FN),   F1 = 2 TP / (2 TP + FP + FN)

    Where there is nothing to divide by, 0.
    """
    actual, predicted = _same(actual, predicted)
    if not len(actual):
        nothing = np.zeros(classes)
        return LabelFigures(nothing, nothing, nothing, nothing.astype(np.int64))
    return LabelFigures(*_figures(actual, predicted, range(classes), average=None))


def macro_f1(actual: NDArray[Any], predicted: NDArray[Any], classes: int) -> float:
    """Mean of the F1 of the classes: rare ones count as common ones.

    With one label an item, of the classes that occur or are predicted; with several, of all.
    """
    actual, predicted = _same(actual, predicted)
    if actual.ndim == 1 and not len(actual):
        return float("nan")
    if actual.ndim == 2:
        return float(label_figures(actual, predicted, classes).f1.mean())
    seen = np.union1d(actual, predicted).astype(np.int64).tolist()
    return float(_figures(actual, predicted, seen, average="macro")[2])


def micro_f1(actual: NDArray[Any], predicted: NDArray[Any], classes: int) -> float:
    """F1 over all decisions; with one label an item it is the accuracy."""
    actual, predicted = _same(actual, predicted)
    if not len(actual) or (actual.ndim == 2 and not (actual.any() or predicted.any())):
        return float("nan")
    return float(_figures(actual, predicted, range(classes), average="micro")[2])


def auc(actual: NDArray[Any], scores: NDArray[Any]) -> float:
    """Area under the ROC curve: how often an item of the class scores above one that is not.

    Equal scores count one half. NaN where all items or none are of the class.

    Args:
        actual: `(N,)` bool or 0/1.
        scores: `(N,)`, higher where the class is likelier.
    """
    from sklearn.metrics import roc_auc_score

    inside, scores = _same(np.asarray(actual).astype(bool), np.asarray(scores))
    if inside.all() or not inside.any():
        return float("nan")
    return float(roc_auc_score(inside, scores))


def log_loss(actual: NDArray[Any], probabilities: NDArray[Any]) -> float:
    """Mean of -ln p(what came), in nats; with several labels, a decision's mean.

    A probability below 1e-7 counts as that: a certainty that is wrong costs much, not everything.

    Args:
        actual: `(N,)` class numbers, or bool `(N, C)`.
        probabilities: `(N, C)`.
    """
    from sklearn.metrics import log_loss as of_scikit_learn

    actual, p = np.asarray(actual), np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 2 or actual.shape not in (p.shape, p.shape[:1]):
        raise ShapeError(
            f"log_loss got labels {actual.shape} and probabilities {p.shape}; expected (N,) or"
            " (N, C), and (N, C)"
        )
    if not actual.size:
        return float("nan")
    if actual.ndim == 2:
        # Each decision by itself: no, or yes.
        actual, p = actual.ravel(), np.stack([1 - p.ravel(), p.ravel()], axis=1)
    p = np.maximum(p, _SMALLEST)
    # Sums that are 1 but for rounding are made 1, or scikit-learn warns of them.
    p /= p.sum(axis=1, keepdims=True)
    return float(of_scikit_learn(actual.astype(np.int64), p, labels=range(p.shape[1])))


def reliability(
    confidence: NDArray[Any], right: NDArray[Any], *, bins: int = BINS
) -> tuple[Bin, ...]:
    """How often items of like confidence are right; equally wide bins from 0 to 1, all of them.

    Args:
        confidence: `(N,)` probability of what was predicted.
        right: `(N,)` bool.
        bins: how many.

    An empty bin has NaN for its confidence and accuracy.
    """
    confidence, right = _same(np.asarray(confidence, dtype=np.float64), np.asarray(right))
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    sums = [
        np.bincount(place, weights=part.astype(np.float64), minlength=bins)
        for part in (confidence, right)
    ]
    means = [np.divide(part, counts, out=np.full(bins, np.nan), where=counts > 0) for part in sums]
    return tuple(
        Bin(k / bins, (k + 1) / bins, int(counts[k]), float(means[0][k]), float(means[1][k]))
        for k in range(bins)
    )


def calibration_error(bins: tuple[Bin, ...]) -> float:
    """Expected calibration error: the gap between confidence and accuracy, a mean over the items.

        ECE = sum over bins of (count / N) |accuracy - confidence|

    Source: Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian
    binning", AAAI 2015; Guo et al., arXiv 1706.04599.
    """
    total = sum(one.count for one in bins)
    gaps = [one.count * abs(one.accuracy - one.confidence) for one in bins if one.count]
    return float(sum(gaps) / total) if total else float("nan")


def _figures(
    actual: NDArray[Any], predicted: NDArray[Any], classes: Iterable[int], *, average: str | None
) -> tuple[Any, Any, Any, Any]:
    """Precision, recall, F1 and support of these classes."""
    from sklearn.metrics import precision_recall_fscore_support

    chosen = list(classes)
    if actual.ndim == 2:
        actual, predicted = actual.astype(bool), predicted.astype(bool)
        if actual.shape[1] == 1:  # one column is not several labels to scikit-learn, but yes or no
            actual, predicted, chosen = actual[:, 0], predicted[:, 0], [1]
    found: tuple[Any, Any, Any, Any] = precision_recall_fscore_support(
        actual, predicted, labels=chosen, average=average, zero_division=0
    )
    return found


def _same(actual: NDArray[Any], predicted: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    actual, predicted = np.asarray(actual), np.asarray(predicted)
    if actual.shape != predicted.shape:
        raise ShapeError(
            f"what is {actual.shape} and what was predicted {predicted.shape} differ in shape;"
            " give one for each item"
        )
    return actual, predicted
