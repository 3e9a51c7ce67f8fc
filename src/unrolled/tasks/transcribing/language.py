"""`Language`: what a recogniser knows beside what it hears."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.decoding.letter_case import Case, known_case
from unrolled.decoding.letters import Letters
from unrolled.decoding.penalties import check_weight
from unrolled.decoding.prefix_scores import PrefixScores, another_alphabet, checked_number
from unrolled.decoding.rescoring import TextModel, rescored, text_scores
from unrolled.errors import ConfigError
from unrolled.tasks.transcribing.symbols import Symbols
from unrolled.tasks.tuned import LanguageWeights

if TYPE_CHECKING:
    from unrolled.decoding.ngrams.model import NGramModel

# What a hot word adds unless it is said, in nats: it is 20 times as probable as it was.
HOT = 3.0


@dataclass(frozen=True)
class Weights(LanguageWeights):
    """How much the language counts beside what is heard, as `tune` chooses it.

    Attributes:
        weight: of the n-gram model in the search.
        word_bonus: nats for each word.
        unknown: nats for each word that the n-gram model does not know.
        rerank_weight: of the model of the second pass.
    """

    weight: float = 0.5
    word_bonus: float = 0.5
    unknown: float = -3.0
    rerank_weight: float = 0.5

    def check(self) -> None:
        """ConfigError where one can't work."""
        checked_number("weight", self.weight, least=0.0)
        checked_number("word_bonus", self.word_bonus)
        checked_number("unknown", self.unknown)
        check_weight("rerank_weight", self.rerank_weight)


@dataclass(frozen=True, eq=False)
class Language:
    """A language model in the search, hot words, and a model that reads what was found.

    Attributes:
        symbols: of the recogniser.
        weights: how much each counts.
        model: in the first pass; None: none.
        hot_words: with what each adds, in nats.
        writer: of the second pass; None: none.
    """

    symbols: Symbols
    weights: Weights = field(default_factory=Weights)
    model: NGramModel | None = None
    hot_words: Mapping[str, float] = field(default_factory=dict)
    writer: TextModel | None = None

    @cached_property
    def scores(self) -> PrefixScores | None:
        """What it adds in the search; None for nothing. Words are counted where a model of either
        pass makes each cost something."""
        no_model = self.model is None and self.writer is None
        if no_model and not self.hot_words:
            return None
        return PrefixScores(
            self.symbols.pieces,
            between=self.symbols.between,
            model=self.model,
            weight=self.weights.weight,
            word_bonus=0.0 if no_model else self.weights.word_bonus,
            unknown=self.weights.unknown,
            hot_words=self.hot_words,
        )

    def second(self, each: Sequence[Sequence[CtcHypothesis]]) -> list[list[CtcHypothesis]]:
        """The hypotheses of recordings in the order of the second pass; silence stays silence."""
        if self.writer is None:
            return [silence_first(one) for one in each]
        return [
            silence_first(rescored(some, says, self.weights.rerank_weight))
            for some, says in zip(each, self.says(each), strict=True)
        ]

    def says(self, each: Sequence[Sequence[CtcHypothesis]]) -> list[list[float]]:
        """How likely the model of the second pass finds each hypothesis, in nats."""
        assert self.writer is not None
        texts = [[self.as_read(one.tokens) for one in some] for some in each]
        found = text_scores(self.writer, [text for some in texts for text in some])
        return [[found[text] for text in some] for some in texts]

    def as_read(self, tokens: Iterable[int]) -> str:
        """A text as the model of the second pass is asked for it: in the case that it knows, and
        over. An n-gram model ends every sentence; to a generator a line break is the end, without
        which the fewest words would always be the likeliest."""
        return self._case(self.symbols.text(tokens)) + self._end

    @cached_property
    def _end(self) -> str:
        from unrolled.tasks.generator import Generator

        return "\n" if isinstance(self.writer, Generator) else ""

    @cached_property
    def _case(self) -> Case:
        letters = Letters(self.symbols.pieces, self.symbols.between)
        return known_case(letters, _tokens_of(self.writer)) or str


def silence_first(hypotheses: Sequence[CtcHypothesis]) -> list[CtcHypothesis]:
    """With no words in front where the network alone finds that likelier than all words together.

    A language model has hardly seen a sentence without words, and would rather hear some in silence
    than nothing.
    """
    return sorted(
        hypotheses, key=lambda one: bool(one.tokens) or not one.log_probability > math.log(0.5)
    )


def check_same_letters(writer: TextModel, symbols: Symbols) -> None:
    """ConfigError where a model of the second pass has no token that the recogniser can write."""
    tokens, letters = _tokens_of(writer), Letters(symbols.pieces, symbols.between)
    if known_case(letters, tokens) is None:
        raise another_alphabet("letters", letters, tokens)


def _tokens_of(writer: TextModel | None) -> Sequence[str]:
    """The words of a model, or what it has in their place; none of one that is of another kind."""
    from unrolled.decoding.ngrams.model import NGramModel
    from unrolled.decoding.ngrams.vocabulary import MARKS
    from unrolled.tasks.generator import Generator

    if isinstance(writer, NGramModel):
        return writer.vocabulary.tokens[len(MARKS) :]
    return writer.vocabulary.pieces[1:] if isinstance(writer, Generator) else ()


def hot_words_of(words: Mapping[str, float] | Iterable[str]) -> dict[str, float]:
    """Hot words with what each adds.

    Raises:
        ConfigError: there is none, or one that is no text.
    """
    if isinstance(words, str):
        words = [words]
    if not isinstance(words, Iterable):
        raise ConfigError(f"hot words: got {words!r}, expected words, each with its nats or not")
    found = dict(words) if isinstance(words, Mapping) else dict.fromkeys(words, HOT)
    if not found:
        raise ConfigError("hot words: got none; name some, or None to take them back")
    strange = next((one for one in found if not isinstance(one, str)), None)
    if strange is not None:
        raise ConfigError(f"hot words: got {strange!r}, expected words")
    return found
