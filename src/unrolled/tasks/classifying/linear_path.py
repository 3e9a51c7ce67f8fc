"""The linear path beside the network: which words and pairs of words occur, each with a weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.tasks.classifying.gram_index import Documents, GramIndex

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# Strengths of the weights (1 / ridge penalty) to choose from.
STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
# Added to each count, so that no ratio is infinite (Wang & Manning's alpha).
_SMOOTHING = 1.0
_ROUNDS = 200


class LinearPath:
    """Scores of the labels from the n-grams that a document holds, whether once or often.

        logits = b + sum of W[g] over the known grams g of the document

    `W[g] = s[g] V[g]`, where `V` is a logistic regression on the grams scaled by their naive-Bayes
    log-count ratio: what tells the labels apart may weigh more.

        r[g, c] = log((1 + n[g, c]) / sum_g (1 + n[g, c])) - the same of all other labels
        s[g]    = root of the mean over c of r[g, c]^2          (two labels: |r[g]|)

    where `n[g, c]` counts the documents with label c that hold g. Several labels a document have a
    regression each.

    Shapes: `F` grams, `C` labels.

    Args:
        index: the known grams.
        weights: float32 `(F + 1, C)`, row 0 zero.
        bias: float32 `(C,)`.

    Source: Wang & Manning 2012, "Baselines and Bigrams".
    """

    def __init__(self, index: GramIndex, weights: np.ndarray, bias: np.ndarray) -> None:
        self.index = index
        self.weights = weights
        self.bias = bias

    @classmethod
    def learn(
        cls,
        index: GramIndex,
        held: csr_matrix,
        targets: np.ndarray,
        *,
        strength: float,
        weight: np.ndarray | None = None,
    ) -> LinearPath:
        """Fit the weights.

        Args:
            index: the known grams.
            held: which document holds which, `(N, F)`, as `index.held` gives it.
            targets: `(N,)` int64, the label of each; or `(N, C)` of 0 and 1, several a document.
            strength: how far weights may grow (`C` of scikit-learn).
            weight: `(C,)`, how much a document of each label counts; None: one.
        """
        if targets.ndim == 2:
            counts = (
                None
                if weight is None
                else [np.where(column, w, 1.0) for column, w in zip(targets.T, weight, strict=True)]
            )
            fits = [
                _fit(
                    held,
                    column.astype(np.int64),
                    2,
                    strength,
                    None if counts is None else counts[at],
                )
                for at, column in enumerate(targets.T)
            ]
            # The log odds of each label are the difference of its two scores.
            weights = np.stack([w[:, 1] - w[:, 0] for w, _ in fits], 1)
            bias = np.array([b[1] - b[0] for _, b in fits])
        else:
            labels = int(targets.max()) + 1 if weight is None else len(weight)
            each = None if weight is None else weight[targets]
            weights, bias = _fit(held, targets, labels, strength, each)
        whole = np.concatenate([np.zeros((1, weights.shape[1])), weights])
        return cls(index, whole.astype(np.float32), bias.astype(np.float32))

    def logits(self, documents: Documents) -> np.ndarray:
        """`(N, C)` float64."""
        return self.logits_of(self.index.held(closed(documents)))

    def logits_of(self, held: csr_matrix) -> np.ndarray:
        """The same from which document holds which gram."""
        return np.asarray(held @ self.weights[1:].astype(np.float64)) + self.bias

    def contributions(self, tokens: np.ndarray) -> np.ndarray:
        """What each token adds to the logits: `(T, C)`; with the bias, they sum to the logits.

        A gram's weight counts once; it is shared evenly by the tokens of all its occurrences. The
        share of the mark at the end is the last token's.
        """
        count = len(tokens)
        tokens = closed([tokens])[0]
        numbers = self.index.ending(tokens)
        shares = np.zeros((len(tokens), self.weights.shape[1]))
        times = np.bincount(numbers.ravel(), minlength=len(self.index))
        for length in range(self.index.order):
            ends = np.flatnonzero(numbers[:, length])
            grams = numbers[ends, length]
            each = self.weights[grams] / (times[grams] * (length + 1))[:, None]
            for back in range(length + 1):
                np.add.at(shares, ends - back, each)
        if count:
            shares[count - 1] += shares[count]
        return shares[:count]

    def start(self) -> dict[str, np.ndarray]:
        """The state before a document: nothing was seen."""
        return {
            "grams": np.zeros(self.index.order, dtype=np.int64),
            "seen": np.zeros(-(-len(self.index) // 8), dtype=np.uint8),
            "linear": self.bias.astype(np.float64),
        }

    def step(self, tokens: np.ndarray, state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Read on; `linear` of the new state holds the logits. The given state stays as it is.

        Of the grams only a bit each is kept: whether it occurred already.
        """
        if not len(tokens):
            return state
        numbers = self.index.ending(tokens, state["grams"])
        seen = state["seen"].copy()
        held = np.unique(numbers[numbers > 0])
        new = held[(seen[held >> 3] >> (held & 7).astype(np.uint8)) & 1 == 0]
        np.bitwise_or.at(seen, new >> 3, np.left_shift(1, new & 7).astype(np.uint8))
        added = self.weights[new].astype(np.float64).sum(0)
        return {"grams": numbers[-1], "seen": seen, "linear": state["linear"] + added}

    def ended(self, closing: np.ndarray, state: dict[str, np.ndarray]) -> np.ndarray:
        """The logits `(C,)` if the document ends here, with the mark of its end."""
        return self.step(closing, state)["linear"]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Plain arrays for a model file."""
        sizes = np.array([self.index.tokens, self.index.order], dtype=np.int64)
        return {
            "keys": self.index.keys,
            "sizes": sizes,
            "weights": self.weights,
            "bias": self.bias,
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> LinearPath:
        """The inverse of `to_arrays`."""
        tokens, order = (int(one) for one in arrays["sizes"])
        index = GramIndex(arrays["keys"], tokens, order)
        return cls(index, arrays["weights"], arrays["bias"])


def closed(documents: Documents) -> Documents:
    """Each document with the mark that it begins with at its end, too: how a text ends tells much,
    of a name most."""
    return [np.append(one, one[:1]) for one in documents]


def ratios(held: Any, targets: np.ndarray, labels: int) -> np.ndarray:
    """The scale `s` of each gram, `(F,)`."""
    counts = np.stack([np.asarray(held[targets == c].sum(0)).ravel() for c in range(labels)])
    own = counts + _SMOOTHING
    other = counts.sum(0) - counts + _SMOOTHING
    logs = np.log(own / own.sum(1, keepdims=True)) - np.log(other / other.sum(1, keepdims=True))
    return np.sqrt((logs**2).mean(0))


def _fit(
    held: Any, targets: np.ndarray, labels: int, strength: float, each: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Weights `(F, C)` on the grams as they are, and bias `(C,)`."""
    from scipy.sparse import diags
    from sklearn.linear_model import LogisticRegression

    present = np.unique(targets)
    if len(present) < 2 or held.shape[1] == 0:
        shares = (np.bincount(targets, minlength=labels) + 1) / (len(targets) + labels)
        return np.zeros((held.shape[1], labels)), np.log(shares)
    scale = ratios(held, targets, labels)
    # liblinear is the quicker by far for two labels, and knows no others.
    solver = "liblinear" if len(present) == 2 else "lbfgs"
    model = LogisticRegression(C=strength, solver=solver, max_iter=_ROUNDS, tol=1e-3)
    model.fit(held @ diags(scale), targets, sample_weight=each)
    weights, bias = np.zeros((held.shape[1], labels)), np.full(labels, -20.0)
    if len(present) == 2:
        low, high = present
        weights[:, high], weights[:, low] = model.coef_[0] / 2, -model.coef_[0] / 2
        bias[high], bias[low] = model.intercept_[0] / 2, -model.intercept_[0] / 2
    else:
        weights[:, present], bias[present] = model.coef_.T, model.intercept_
    return weights * scale[:, None], bias
