"""Two language models as one: each has its share in every probability."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from unrolled.baselines import NGram
from unrolled.data.token_store import TokenStore

# Where nothing says what is best: about what is, for a text of a million characters.
USUAL = 0.2
# Tokens that this is worth against what the validation part says: a few sentences move it little.
_DOUBT = 200.0
# A share below this is not worth its time.
_LEAST = 0.01
_ROUNDS = 100


def interpolated(first: Tensor, second: Tensor, weight: float) -> Tensor:
    """log((1 - weight) exp(first) + weight exp(second)), of log-probabilities of one shape."""
    if weight == 0:
        return first.clone()
    return torch.logaddexp(first + math.log1p(-weight), second + math.log(weight))


@dataclass(frozen=True)
class Interpolation:
    """The n-gram model that answers with a network.

        p(w | all before) = (1 - weight) p_network(w | all before)
                            + weight p_ngram(w | the last tokens)

    The network knows what is far away, the n-gram model every rare word that it has counted.

    Attributes:
        ngram: of the same tokens.
        weight: its share, above 0 and below 1.

    Source: Mikolov et al. 2011, "Empirical evaluation and combination of advanced language modeling
    techniques" (Interspeech).
    """

    ngram: NGram
    weight: float

    def answered(self, logits: Tensor, contexts: np.ndarray) -> Tensor:
        """Log-probabilities `(B, V)` of the next token, by the network's logits and where the
        n-gram model is (`NGram.read`)."""
        own = torch.from_numpy(np.log(self.ngram.predict(contexts))).to(logits)
        return interpolated(logits.log_softmax(-1), own, self.weight)

    def of_part(self, rows: Sequence[np.ndarray], begin: int, end: int, before: int) -> np.ndarray:
        """The n-gram model's log-probabilities of the tokens `begin` to `end` of rows side by side,
        `(end - begin, B)`; 0 beyond a row's end.

        Args:
            rows: token numbers, `(n,)` each; a document each.
            begin, end: places.
            before: the token that each is read after.
        """
        first = max(0, begin - self.ngram.order)
        parts = [np.append(before, row[first:end]) for row in rows]
        edges = np.cumsum([0, *map(len, parts)])
        starts = np.zeros(edges[-1], dtype=bool)
        starts[edges[:-1]] = True
        found = self.ngram.log2_probabilities(np.concatenate(parts), starts) * math.log(2)
        out = np.zeros((end - begin, len(rows)))
        for column, edge in enumerate(pairwise(edges)):
            own = found[edge[0] + 1 + begin - first : edge[1]]
            out[: len(own), column] = own
        return out

    def of_places(self, store: TokenStore, places: np.ndarray) -> np.ndarray:
        """The n-gram model's log-probabilities of a store's tokens at `places (T, B)`, where each
        column goes on from one place to the next; a document is read without those before it."""
        reach = self.ngram.order - 1
        wide = places[0] + np.arange(-reach, len(places))[:, None]
        wide = np.clip(wide, 0, len(store) - 1).T
        starts = store.begins_document(wide)
        starts[:, 0] = True
        ids = np.asarray(store.ids[wide], dtype=np.int64)
        found = self.ngram.log2_probabilities(ids.ravel(), starts.ravel()) * math.log(2)
        return found.reshape(wide.shape)[:, reach:].T


def best_weight(network: np.ndarray, ngram: np.ndarray) -> float:
    """The n-gram model's share that makes tokens likeliest, by expectation and maximisation.

        weight <- mean of  weight p_ngram / ((1 - weight) p_network + weight p_ngram)

    with `_DOUBT` tokens that say `USUAL`. Less than a hundredth is none.

    Args:
        network, ngram: log-probabilities `(N,)` of tokens that neither has learnt.
    """
    if not len(network):
        return USUAL
    weight = USUAL
    for _ in range(_ROUNDS):
        odds = np.exp(np.clip(ngram - network, -700, 700)) * weight
        shares = odds / (1 - weight + odds)
        weight = float((shares.sum() + _DOUBT * USUAL) / (len(shares) + _DOUBT))
    return weight if weight >= _LEAST else 0.0
