"""Vectors of words from which words stand near which: where a network may begin."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from unrolled.tasks.language_models import AnyLanguageModel

# Words at so many places count as neighbours, the k-th with 1 / k.
WINDOW = 5
# Rare contexts say less than their counts promise.
SMOOTHED = 0.75
# Tokens that are counted: the first of a larger text; and how many at a time.
MOST = 5_000_000
_BLOCK = 1 << 19
# What stands at every kind of place: the unknown token (0) and the line break (1).
_NO_WORDS = 2


def cooccurrence_vectors(ids: np.ndarray, symbols: int, size: int, *, seed: int) -> np.ndarray:
    """A vector for each token, float32 `(V, E)`, from a factorisation of its neighbours.

        m[w, c] = max(0, log(n(w, c) / (n(w) p(c)))),   p(c) ~ n(c)^0.75
        m ~ U S V^T,   vectors = U S^0.5

    where `n(w, c)` counts how often c stands near w, and n(w) is its sum: positive pointwise mutual
    information. The vectors are scaled to a standard deviation
    of 1 over all that have neighbours; the others are zero.

    Args:
        ids: `(N,)` tokens; 0 is the unknown one, 1 the line break.
        symbols: `V`.
        size: `E`; where fewer tokens have neighbours, the rest is zero.
        seed: of the factorisation, which is a randomised one.

    Source: Levy, Goldberg and Dagan 2015, "Improving distributional similarity with lessons learned
    from word embeddings", TACL 3.
    """
    from scipy.sparse import csr_array
    from sklearn.utils.extmath import randomized_svd

    near = _counted(np.asarray(ids[:MOST]), symbols).tocoo()
    often = np.bincount(near.row, weights=near.data, minlength=symbols)
    context = often**SMOOTHED
    expected = often[near.row] * context[near.col] / max(context.sum(), 1e-12)
    mutual = np.log(near.data / np.maximum(expected, 1e-12))
    kept = mutual > 0
    places = (near.row[kept], near.col[kept])
    vectors = np.zeros((symbols, size), dtype=np.float32)
    rank = min(size, len(np.unique(places[0])) - 1)
    if rank < 1:
        return vectors
    weighed = csr_array((mutual[kept].astype(np.float32), places), shape=(symbols, symbols))
    left, values, _ = randomized_svd(weighed, rank, n_iter=2, random_state=seed % 2**32)
    vectors[:, :rank] = left * np.sqrt(values)
    known = often > 0
    vectors[~known] = 0  # but for what rounding left
    return vectors / max(float(vectors[known].std()), 1e-12)


def begin_near(model: AnyLanguageModel, ids: np.ndarray, *, seed: int) -> None:
    """Let the vectors of every member begin there, those of tokens without neighbours excepted."""
    symbols, size = model.encoder.embedding.weight.shape
    vectors = torch.from_numpy(cooccurrence_vectors(ids, symbols, size, seed=seed))
    near = vectors.abs().amax(1) > 0
    with torch.no_grad():
        for member in model.each:
            member.encoder.embedding.weight[near] = vectors[near] * size**-0.5


def _counted(ids: np.ndarray, symbols: int) -> Any:
    """How often each token stands near each, `(V, V)` sparse, symmetric."""
    from scipy.sparse import coo_array, csr_array

    total = csr_array((symbols, symbols), dtype=np.float32)
    for begin in range(0, len(ids), _BLOCK):
        part = ids[begin : begin + _BLOCK + WINDOW].astype(np.int64)
        for back in range(1, WINDOW + 1):
            end = min(len(part), _BLOCK + back)
            if end <= back:
                break
            first, second = part[: end - back], part[back:end]
            words = (first >= _NO_WORDS) & (second >= _NO_WORDS)
            pair = (first[words], second[words])
            weights = np.full(len(pair[0]), 1 / back, dtype=np.float32)
            total = total + coo_array((weights, pair), shape=(symbols, symbols)).tocsr()
    return total + total.T
