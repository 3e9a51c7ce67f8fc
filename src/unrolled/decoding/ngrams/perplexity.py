"""`Perplexity`: how well a model foretells sentences, as the toolkits count it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from unrolled.decoding.text_score import perplexity_of


@dataclass(frozen=True)
class Perplexity:
    """The perplexity of sentences, each with its end as a token.

        perplexity = exp(-(sum of log p(w | all before)) / number of tokens)

    KenLM's `query` gives the same two numbers, "including OOVs" and "excluding OOVs"; the second is
    SRILM's `ppl`.

    Attributes:
        sentences: how many.
        tokens: how many, the ends of sentences among them.
        unknown: tokens that the model does not know (out of vocabulary), scored as `<unk>`.
        log_probability: of all tokens, in nats.
        log_probability_unknown: of the unknown ones.
    """

    sentences: int
    tokens: int
    unknown: int
    log_probability: float
    log_probability_unknown: float

    @property
    def with_unknown(self) -> float:
        """By all tokens."""
        return perplexity_of(self.log_probability, self.tokens)

    @property
    def without_unknown(self) -> float:
        """By the known tokens alone."""
        known = self.log_probability - self.log_probability_unknown
        return perplexity_of(known, self.tokens - self.unknown)

    def to_dict(self) -> dict[str, Any]:
        """Plain values by name: the attributes, `perplexity` of all tokens and
        `perplexity_without_unknown`."""
        found = {
            "perplexity": self.with_unknown,
            "perplexity_without_unknown": self.without_unknown,
        }
        return found | asdict(self)

    def __str__(self) -> str:
        share = self.unknown / max(1, self.tokens - self.sentences)
        return (
            f"perplexity {self.with_unknown:,.2f} ({self.without_unknown:,.2f} without the"
            f" {self.unknown:,} unknown tokens, {share:.1%}) on {self.sentences:,} sentences,"
            f" {self.tokens:,} tokens with their ends"
        )


@dataclass(frozen=True)
class HeldOut:
    """What `fit` measured on sentences that were not learnt.

    Attributes:
        model: perplexity of the model.
        unigram: of the simple rival: how frequent each token is, whatever stands before it. It has
            the same vocabulary.
        held_out: in words, what was measured on.
    """

    model: Perplexity
    unigram: Perplexity
    held_out: str

    @property
    def wins(self) -> bool:
        """Whether the model is better than the rival."""
        return self.model.with_unknown < self.unigram.with_unknown

    def to_dict(self) -> dict[str, Any]:
        """Plain values by name: of the model, of single tokens, and what was measured on."""
        return {
            "model": self.model.to_dict(),
            "unigram": self.unigram.to_dict(),
            "held_out": self.held_out,
        }

    def __str__(self) -> str:
        verdict = "the model wins" if self.wins else "the model LOSES"
        return (
            f"{self.model}\nsingle tokens alone: perplexity {self.unigram.with_unknown:,.2f}:"
            f" {verdict}\nmeasured on {self.held_out}"
        )
