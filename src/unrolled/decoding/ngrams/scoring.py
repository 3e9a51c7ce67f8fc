"""Scores of many sentences at once, natively where there are kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled import kernels
from unrolled.decoding.ngrams.trie import Floats, Integers, Nodes, Trie

_LN10 = float(np.log(10.0))


def native_model(trie: Trie) -> Any:
    """The `NGram` of `kernels/include/unrolled/ngram.h`: addresses in the trie, which must live as
    long as it is used."""
    model = kernels.ngram_model()
    model.order, model.tokens, model.nodes = trie.order, trie.vocabulary_size, len(trie)
    for name in ("first_child", "token", "log_prob", "backoff", "suffix"):
        setattr(model, name, getattr(trie, name).ctypes.data)
    return model


def log_probabilities(
    trie: Trie, tokens: Integers, offsets: Integers, states: Nodes
) -> tuple[Floats, Nodes]:
    """Natural log p of each token after those before it, and each sentence's state at its end.

    Args:
        tokens: `(T,)` in `[0, V)`, sentence by sentence.
        offsets: `(S + 1,)` where each sentence begins, and T.
        states: `(S,)` before the first token of each.
    """
    found, after = np.empty(len(tokens)), states.astype(np.int32)
    if not kernels.available():
        for place in range(len(states)):
            state = int(states[place])
            for at in range(offsets[place], offsets[place + 1]):
                log10, state = trie.step(state, int(tokens[at]))
                found[at] = _LN10 * log10
            after[place] = state
        return found, after
    import torch

    ids, bounds = tokens.astype(np.int32), offsets.astype(np.int64)
    call = kernels.ngram_scores_call()
    call.model = native_model(trie)
    call.sentences, call.threads = len(states), torch.get_num_threads()
    call.tokens, call.offsets = ids.ctypes.data, bounds.ctypes.data
    call.states, call.log_probs = after.ctypes.data, found.ctypes.data
    kernels.ngram_scores(call)
    return found, after


def next_probabilities(trie: Trie, state: int) -> Floats:
    """`(V,)`: p of each token after a state; infinite where the weights of a model that is no
    distribution are beyond float64."""
    chain = []
    while state:
        chain.append(state)
        state = int(trie.suffix[state])
    found = 10.0 ** trie.log_prob[1 : 1 + trie.vocabulary_size].astype(np.float64)
    with np.errstate(over="ignore"):
        weights = 10.0 ** trie.backoff[chain].astype(np.float64)
        for node, weight in zip(reversed(chain), reversed(weights), strict=True):
            seen = slice(int(trie.first_child[node]), int(trie.first_child[node + 1]))
            found *= weight
            found[trie.token[seen]] = 10.0 ** trie.log_prob[seen].astype(np.float64)
    return found
