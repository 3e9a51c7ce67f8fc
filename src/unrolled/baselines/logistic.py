"""Logistic regression on sparse features, with its strength of decay chosen on held-out rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Weights = tuple[NDArray[np.float64], NDArray[np.float64]]

# The largest part of the mean gradient that is left: a looser one stops before the weights of rare
# features have moved, and costs a point of accuracy on long texts.
_ITERATIONS, _TOLERANCE = 150, 1e-5
# Of the small steps: rows a step, their rate, passes over the rows (fewest, most), and steps that
# few rows are gone through again for.
_BATCH, _RATE, _PASSES, _FEWEST_STEPS = 256, 0.1, (6, 60), 1_500


def fit_softmax(
    features: csr_array, labels: Integers, c: float, start: Weights | None = None
) -> Weights:
    """Weights `(C, F)` and biases `(C,)` of p = softmax(W x + b).

        minimise  c * sum of -log p(label | x)  +  |W|^2 / 2

    Every class must occur. Two classes have one row, `(1, F)` and `(1,)`: p(1) = sigmoid(w x + b).
    `start`, the solution for another `c`, saves most of the way.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=c, max_iter=_ITERATIONS, tol=_TOLERANCE, warm_start=True)
    if start is not None:
        model.coef_, model.intercept_ = start
    with warnings.catch_warnings():
        # Far enough for a rival: the last digits of the weights change no answer.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features, labels)
    return np.asarray(model.coef_), np.asarray(model.intercept_)


def fit_adaptively(features: csr_array, labels: Integers, classes: int, seed: int) -> Weights:
    """As `fit_softmax`, by small steps on batches of rows: for rows of few features out of many.

        W <- W - rate g / sqrt(sum of the g^2 so far)

    Rare features so keep a large rate. On 200,000 words with 20 features each as good as the exact
    solution, in a tenth of its time; stopping after a few passes stands for the decay. Gives always
    `(C, F)` and `(C,)`.

    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods", JMLR 12, 2011.
    """
    from scipy.sparse import csr_array

    draws = np.random.default_rng(seed)
    rows, columns = features.shape
    passes = int(np.clip(np.ceil(_FEWEST_STEPS * _BATCH / rows), *_PASSES))
    weights = np.zeros((columns, classes), dtype=np.float32)
    biases = np.zeros(classes, dtype=np.float32)
    squares, bias_squares = np.full_like(weights, 1e-6), np.full_like(biases, 1e-6)
    local = np.empty(columns, dtype=np.int32)
    for _ in range(passes):
        order = draws.permutation(rows)
        for first in range(0, rows, _BATCH):
            chosen = np.sort(order[first : first + _BATCH])
            part = features[chosen]
            # Only what the batch touches is read and written: a thousandth of a large model.
            touched = np.unique(part.indices)
            local[touched] = np.arange(len(touched), dtype=np.int32)
            shape = (len(chosen), len(touched))
            part = csr_array((part.data, local[part.indices], part.indptr), shape=shape)
            own = weights[touched]
            error = softmax(np.asarray(part @ own + biases), one_row=False)
            error[np.arange(len(chosen)), labels[chosen]] -= 1
            error /= len(chosen)
            slope = np.asarray(part.T @ error)
            squares[touched] = sums = squares[touched] + slope * slope
            weights[touched] = own - _RATE * slope / np.sqrt(sums)
            slope = error.sum(axis=0)
            bias_squares += slope * slope
            biases -= _RATE * slope / np.sqrt(bias_squares)
    return weights.T.astype(np.float64), biases.astype(np.float64)


def fit_sigmoids(features: Sequence[csr_array], targets: NDArray[np.bool_], c: float) -> Weights:
    """One sigmoid a column of `targets` `(N, C)`, each on its own features (or all on one).

    A column with one value only gets no weights, and the bias of its smoothed share.
    """
    rows, biases = [], []
    for column in range(targets.shape[1]):
        seen = targets[:, column]
        own = features[column % len(features)]
        if seen.all() or not seen.any():
            share = (seen.sum() + 0.5) / (len(seen) + 1)
            rows.append(np.zeros(own.shape[1]))
            biases.append(float(np.log(share / (1 - share))))
            continue
        weights, bias = fit_softmax(own, seen.astype(np.int64), c)
        rows.append(weights[0])
        biases.append(float(bias[0]))
    return np.stack(rows), np.array(biases)


def softmax(scores: Floats, *, one_row: bool = True) -> Floats:
    """Probabilities `(N, C)` of scores `(N, C)`; with `one_row`, of one column "not" and "it"."""
    if scores.shape[1] == 1 and one_row:
        scores = np.concatenate((np.zeros_like(scores), scores), axis=1)
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shares


def sigmoid(scores: Floats) -> Floats:
    """`1 / (1 + exp(-s))`, without overflow."""
    shares: Floats = np.exp(-np.logaddexp(np.float32(0), -scores))
    return shares


def held_out(labels: NDArray[Any], share: float, seed: int) -> tuple[Integers, Integers]:
    """Rows to learn from and rows to choose by; a share of each class where labels are `(N,)`.

    Every class keeps a row to learn from.
    """
    draws = np.random.default_rng(seed)
    order = draws.permutation(len(labels))
    groups = (
        [order[labels[order] == one] for one in np.unique(labels)] if labels.ndim == 1 else [order]
    )
    apart = [rows[: min(round(share * len(rows)), len(rows) - 1)] for rows in groups]
    chosen_by = np.sort(np.concatenate(apart))
    return np.setdiff1d(np.arange(len(labels)), chosen_by), chosen_by


def choose(grid: Sequence[float], score: Callable[[float], float]) -> float:
    """The value of an ascending grid with the best score; it stops once two in a row are worse."""
    best, best_score, worse = grid[0], -np.inf, 0
    for value in grid:
        found = score(value)
        if found > best_score:
            best, best_score, worse = value, found, 0
        else:
            worse += 1
            if worse == 2:
                break
    return best
