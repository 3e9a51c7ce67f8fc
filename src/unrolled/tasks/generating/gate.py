"""The rival of a language model: Kneser-Ney n-grams on the same tokens."""

from __future__ import annotations

import math

import numpy as np

from unrolled.baselines import NGram, bits_by_order
from unrolled.baselines.ngram import Discounts
from unrolled.data.token_store import TokenStore
from unrolled.data.tokens import Tokenizer

DISCOUNTS: tuple[Discounts, ...] = ("one", "three")
# All of a text is counted up to so many tokens; of a larger one the last so many, and of a very
# large one fewer: counting takes some hundred bytes a token, and shall not need more memory than
# the training.
MOST = 5_000_000
VERY_LARGE, MOST_OF_VERY_LARGE = 20_000_000, 1_500_000
# The longest grams that are tried: of words and subwords longer ones are hardly seen twice.
ORDERS = {"characters": 8}
ORDER = 5
# Share of what is learnt that the rival is chosen by where nothing is kept for that.
TO_CHOOSE_BY = 0.05
# Tokens that are scored at a time.
_CHUNK = 1 << 18


def choose_rival(
    learn: TokenStore, choose: TokenStore | None, tokenizer: Tokenizer
) -> tuple[NGram, str]:
    """The n-gram model that is best on the validation part (without one, on the end of what is
    learnt), refitted to both parts, and what to say of the sample that it learnt from; empty where
    that is all.

    The order (up to 8 characters, 5 words or subwords) and the kind of discount are chosen, so that
    the rival is a strong one.
    """
    symbols = len(tokenizer)
    orders = range(2, ORDERS.get(tokenizer.kind, ORDER) + 1)
    most = MOST if len(learn) <= VERY_LARGE else MOST_OF_VERY_LARGE
    read = np.asarray(learn.ids[-most:])
    if choose is None:
        # One token at least, however short the text.
        cut = min(round(len(read) * (1 - TO_CHOOSE_BY)), len(read) - 1)
        train, validation = read[:cut], read[cut:]
    else:
        train, validation = read, np.asarray(choose.ids)
    bits = {
        (order, discounts): score
        for discounts in DISCOUNTS
        for order, score in bits_by_order(
            train, validation, symbols, orders, discounts=discounts
        ).items()
    }
    order, discounts = min(bits, key=lambda choice: bits[choice])
    both = np.concatenate([train, validation])
    sample = "" if len(read) == len(learn) else f" on {len(read):,} of {len(learn):,} tokens"
    return NGram(order, discounts=discounts).fit(both, symbols), sample


def rival_nats(rival: NGram, store: TokenStore) -> float:
    """What the tokens cost the rival, but for the line breaks that begin a document, in nats."""
    total, before = 0.0, rival.order - 1
    for begin in range(0, len(store), _CHUNK):
        first = max(0, begin - before)
        end = min(begin + _CHUNK, len(store))
        scores = rival.log2_probabilities(np.asarray(store.ids[first:end]))[begin - first :]
        total -= float(scores[~store.begins_document(np.arange(begin, end))].sum())
    return total * math.log(2)
