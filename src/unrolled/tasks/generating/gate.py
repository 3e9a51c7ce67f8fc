"""The rival of a language model: Kneser-Ney n-grams on the same tokens."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from unrolled.baselines import NGram, choose_order
from unrolled.baselines.ngram import Discounts
from unrolled.data.token_store import TokenStore
from unrolled.data.tokens import Tokenizer
from unrolled.tasks.generating.interpolation import USUAL, best_weight
from unrolled.tasks.generating.reading import Reader
from unrolled.tasks.generating.streams import scored_parts

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


@dataclass(frozen=True)
class Rival:
    """The n-gram model to compare with, and to answer with.

    Attributes:
        ngram: of all that is learnt and chosen by.
        sample: what to say of the text that it learnt from; empty where that is all.
        unlearnt: log-probabilities of the validation part's tokens `(N,)` by the same model before
            it learnt them; None where there is no such part.
    """

    ngram: NGram
    sample: str
    unlearnt: np.ndarray | None


def choose_rival(learn: TokenStore, choose: TokenStore | None, tokenizer: Tokenizer) -> Rival:
    """The n-gram model that is best on the validation part (without one, on the end of what is
    learnt), refitted to both parts.

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
    best = min(
        (
            choose_order(train, validation, symbols, orders, discounts=discounts)
            for discounts in DISCOUNTS
        ),
        key=lambda one: one.bits_per_token(validation),
    )
    unlearnt = None
    if choose is not None:
        starts = choose.begins_document(np.arange(len(validation)))
        unlearnt = best.log2_probabilities(validation, starts) * math.log(2)
    ngram = NGram(best.order, discounts=best.discounts)
    sample = "" if len(read) == len(learn) else f" on {len(read):,} of {len(learn):,} tokens"
    return Rival(ngram.fit(np.concatenate([train, validation]), symbols), sample, unlearnt)


def share_of(rival: Rival, network: Reader, choose: TokenStore | None) -> float:
    """The share that the n-gram model shall have in the answers: what makes the validation part
    likeliest, which neither has learnt; without such a part, the usual one.

    Args:
        rival: the n-gram model.
        network: reads with the network alone.
        choose: the validation part.
    """
    if choose is None or rival.unlearnt is None:
        return USUAL
    found = [
        (part.network.cpu().double().numpy(), rival.unlearnt[part.places])
        for part in scored_parts(network, choose)
    ]
    if not found:  # white space alone has no words
        return USUAL
    return best_weight(*map(np.concatenate, zip(*found, strict=True)))


def rival_nats(rival: NGram, store: TokenStore) -> float:
    """What the tokens cost the rival, but for the line breaks that begin a document, in nats; each
    document is read without those before it."""
    total, before = 0.0, rival.order - 1
    for begin in range(0, len(store), _CHUNK):
        first = max(0, begin - before)
        end = min(begin + _CHUNK, len(store))
        starts = store.begins_document(np.arange(first, end))
        scores = rival.log2_probabilities(np.asarray(store.ids[first:end]), starts)
        total -= float(scores[begin - first :][~starts[begin - first :]].sum())
    return total * math.log(2)
