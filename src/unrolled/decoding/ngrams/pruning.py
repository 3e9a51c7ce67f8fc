"""Relative-entropy pruning: leaving out the grams that change a back-off model least."""

from __future__ import annotations

import numpy as np

from unrolled.decoding.ngrams.sums import seen_mass, shorter_log_probs
from unrolled.decoding.ngrams.trie import Floats, Trie
from unrolled.decoding.ngrams.vocabulary import BEGIN, END

# A context whose sum is this near to 1 keeps its back-off weight, to the bit.
_NEAR = 1e-6
# Where nearly all is seen, rounding can leave less than nothing to hand over.
_LEAST = 1e-12


@np.errstate(over="ignore", invalid="ignore")  # of weights that make no distribution
def prune_by_entropy(trie: Trie, threshold: float) -> Trie:
    """The model without the grams that raise its own perplexity by less than a share.

    Leaving out u w hands its probability over: b'(u) = (m + p(w | u)) / (m' + p(w | u')), with the
    mass m and m' that tokens not seen after u have of p(. | u) and p(. | u'). The relative entropy
    of the two models is then

        D = -p(u) (p(w | u) (log p(w | u') + log b'(u) - log p(w | u)) + m (log b'(u) - log b(u)))

    and the gram is left out where exp(D) - 1 < threshold. Grams are looked at from the longest to
    those of two tokens; one that a longer gram begins with stays. Back-off weights are computed
    anew at the end, so that every context sums to 1.

    Shorter grams of a Kneser-Ney model do not tell how frequent a context is, which p(u) is taken
    for; it loses more by pruning than other models do (Chelba et al. 2010).

    Args:
        threshold: such as 1e-8, a share of the perplexity; 0 leaves nothing out, infinity all but
            single tokens.

    Source: Stolcke 1998, "Entropy-based pruning of backoff language models".
    """
    if not threshold:
        return trie
    backoff = trie.backoff.astype(np.float64)
    context = _context_log_probs(trie)
    kept = np.ones(len(trie), dtype=bool)
    for length in range(trie.order - 1, 0, -1):
        above, first, last = trie.starts[length : length + 3]
        parent = trie.parent[first:last]
        p = trie.log_prob[first:last] * np.log(10)
        shorter = shorter_log_probs(trie, first, last, backoff) * np.log(10)
        _, seen = seen_mass(trie, length, backoff)
        b = backoff[parent] * np.log(10)
        rest = np.maximum(1 - seen, _LEAST)[parent - above]
        mass = np.exp(b) * rest
        b_new = np.log(mass + np.exp(p)) - np.log(rest + np.exp(shorter))
        change = np.exp(p) * (shorter + b_new - p) + mass * (b_new - b)
        raised = np.expm1(-np.exp(context[parent]) * change)
        begins_longer = np.zeros(len(trie), dtype=bool)
        begins_longer[trie.parent[last:][kept[last:]]] = True
        kept[first:last] = (raised >= threshold) | begins_longer[first:last]
    pruned = trie if kept.all() else trie.select(kept)
    _hand_over_anew(pruned)
    return pruned


def _context_log_probs(trie: Trie) -> Floats:
    """`(N,)`: ln p(u) of each gram; of one that begins with <s>, as if it came after </s>."""
    found = np.log(10) * trie.log_prob.astype(np.float64)
    found[1 + BEGIN] = found[1 + END]
    for first, last in zip(trie.starts[2:], trie.starts[3:], strict=False):
        found[first:last] += found[trie.parent[first:last]]
    return found


def _hand_over_anew(trie: Trie) -> None:
    """Write the back-off weights, shorter contexts first, that make each context sum to 1."""
    backoff = trie.backoff.astype(np.float64)
    for length in range(1, trie.order + 1):
        first, last = trie.starts[length : length + 2]
        seen, shorter = np.zeros((2, last - first))
        if length < trie.order:
            seen, shorter = seen_mass(trie, length, backoff)
        total = seen + 10.0 ** backoff[first:last] * (1 - shorter)
        wrong = first + np.flatnonzero(np.abs(total - 1) > _NEAR)
        left = np.maximum(1 - seen[wrong - first], _LEAST)
        backoff[wrong] = np.log10(left / np.maximum(1 - shorter[wrong - first], _LEAST))
        trie.backoff[wrong] = backoff[wrong]
        backoff[first:last] = trie.backoff[first:last]
