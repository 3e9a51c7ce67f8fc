"""What the probabilities after each context of a back-off model sum to."""

from __future__ import annotations

import numpy as np

from unrolled.decoding.ngrams.trie import Floats, Trie, summed

# How far from 1 a sum may be: ARPA files with four decimals are right to this.
TOLERANCE = 1e-3


def shorter_log_probs(trie: Trie, first: int, last: int, backoff: Floats) -> Floats:
    """log10 p(w | u') for each gram u w among nodes `first` to before `last`, u' the suffix of u.

    Args:
        first, last: of grams of two tokens or more.
        backoff: `(N,)` log10, those of the trie or others in their place.

    No gram is searched for: what u' backs off to is the suffix of u w.
    """
    found = trie.suffix[first:last]
    total = trie.log_prob[found].astype(np.float64)
    states, until = trie.suffix[trie.parent[first:last]], trie.parent[found]
    while (apart := np.flatnonzero(states != until)).size:
        total[apart] += backoff[states[apart]]
        states[apart] = trie.suffix[states[apart]]
    return total


def seen_mass(trie: Trie, length: int, backoff: Floats) -> tuple[Floats, Floats]:
    """Of each context of `length` tokens what the tokens seen after it have of p(w | u), and of
    p(w | u'); arguments as for `shorter_log_probs`."""
    first, last, end = trie.starts[length : length + 3]
    contexts = trie.parent[last:end] - first
    own = 10.0 ** trie.log_prob[last:end].astype(np.float64)
    shorter = 10.0 ** shorter_log_probs(trie, last, end, backoff)
    return summed(own, contexts, last - first), summed(shorter, contexts, last - first)


@np.errstate(over="ignore", invalid="ignore")
def context_sums(trie: Trie) -> Floats:
    """`(N,)`: the sum over all tokens of p(w | u) for each gram u as a context.

        sum = seen(u) + b(u) (1 - seen'(u))

    with the mass that the tokens seen after u have of p(w | u) and of p(w | u'). It is 1 where the
    back-off weight is right, given that it is 1 for all shorter contexts. A
    weight that float64 does not hold gives infinity, or no number.
    """
    backoff = trie.backoff.astype(np.float64)
    sums = 10.0**backoff
    sums[0] = (10.0 ** trie.log_prob[1 : trie.starts[2]].astype(np.float64)).sum()
    for length in range(1, trie.order):
        seen, shorter = seen_mass(trie, length, backoff)
        here = slice(*trie.starts[length : length + 2])
        sums[here] = seen + sums[here] * (1 - shorter)
    return sums
