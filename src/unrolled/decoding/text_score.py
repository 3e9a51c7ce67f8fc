"""`TextScore`: how likely a language model finds a text."""

from __future__ import annotations

import math
from dataclasses import dataclass


def perplexity_of(log_probability: float, count: int) -> float:
    """exp(-log_probability / count) of `count` tokens, 1 of none; infinite where float64 holds it
    no more."""
    try:
        return math.exp(-log_probability / max(1, count))
    except OverflowError:
        return math.inf


@dataclass(frozen=True)
class TextScore:
    """How likely a model finds a text, read from the beginning of a document or sentence.

    Attributes:
        log_probability: of the whole text, in nats.
        characters: how many it has.
        count: how many tokens; of an n-gram model the end of the sentence is one.
        unknown: how many of them the model does not know; they are scored as the unknown token.
        tokens: each token's text and its log-probability in nats, where asked for.
    """

    log_probability: float
    characters: int
    count: int
    unknown: int = 0
    tokens: tuple[tuple[str, float], ...] | None = None

    @property
    def perplexity(self) -> float:
        """exp(-log_probability / count): per token; 1 for an empty text."""
        return perplexity_of(self.log_probability, self.count)

    @property
    def bits_per_character(self) -> float:
        """-log2 of the probability, by character; 0 for an empty text."""
        return -self.log_probability / math.log(2) / max(1, self.characters)
