"""What other words beside it would have made of a word: asked of an n-gram model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from unrolled.decoding.ngrams.model import NGramModel
from unrolled.decoding.ngrams.scoring import log_probabilities
from unrolled.decoding.ngrams.trie import Floats, Integers
from unrolled.decoding.ngrams.vocabulary import END, MARKS, UNKNOWN
from unrolled.decoding.prefix_scores import PrefixScores
from unrolled.tasks.transcribing.sounds_alike import OtherContext

# Words that are tried whatever the model has seen beside a rival, and all that are tried.
_FREQUENT, _MOST = 200, 4000
# How many are told for the word before, and for the word after.
_TOLD = (3, 2)
# A rival that wins by less has not won clearly, in nats: 2 to 1.
_LEAST = math.log(2.0)


class InPlace(NamedTuple):
    """What an n-gram model says of a rival, less what it says of the word itself, in nats.

    Attributes:
        itself: of the word after those before it.
        following: of the words after it, and the end.
    """

    itself: float
    following: float


@dataclass(frozen=True, eq=False)
class Contexts:
    """Compares two words in the places of a sentence.

    Attributes:
        scores: of the search, of a model over words: how the recogniser writes them, and how much
            they count.
    """

    scores: PrefixScores

    @property
    def model(self) -> NGramModel:
        """The model over words."""
        assert self.scores.model is not None
        return self.scores.model

    def knows(self, word: str) -> bool:
        """Whether the model has the word."""
        return self.scores.word(word) != UNKNOWN

    def in_place(self, words: Sequence[str], at: int, rival: str) -> InPlace:
        """A rival against the word at `at`, in this sentence; without the weight."""
        one = self._compared(self._ids(words), at, self.scores.word(rival))[0]
        return InPlace(float(one[0]), float(one[1:].sum()))

    def others(
        self, words: Sequence[str], at: int, rival: str, rest: float
    ) -> tuple[OtherContext, ...]:
        """The words that make the rival win where they stand before it, and after it, all else
        being as it is: of those with which it wins by 2 to 1 the ones that are said most often.

            log odds(u) = rest + a (log p(... u w' ...) - log p(... u w ...))

        Args:
            words: of the sentence.
            at: which of them has the rival.
            rival: w', which the model must know to be found.
            rest: what else speaks for the rival, in nats: all but the model's probabilities.
        """
        token = self.scores.word(rival)
        if token == UNKNOWN or self.model.trie.order < 2:
            return ()
        ids, found = self._ids(words), []
        for before, told in zip((True, False), _TOLD, strict=True):
            tried = self._beside(token, before)
            found += self._winning(ids, at, token, tried, before, rest)[:told]
        return tuple(found)

    def _winning(
        self, ids: Integers, at: int, rival: int, tried: Integers, before: bool, rest: float
    ) -> list[OtherContext]:
        some = np.tile(ids, (len(tried), 1))
        if before and at:
            some[:, at - 1] = tried
        elif before:
            some, at = np.insert(some, 0, tried, axis=1), 1
        elif at + 1 < len(ids):
            some[:, at + 1] = tried
        else:
            some = np.concatenate([some, tried[:, None]], axis=1)
        gains, own = self._differences(some, at, rival)
        odds = rest + self.scores.weight * gains.sum(1)
        # How often both stand there together.
        common = own if not before else own + self._unigrams[tried]
        wins = np.flatnonzero(odds > _LEAST)
        best = wins[np.argsort(-common[wins], kind="stable")]
        names, written = self.model.vocabulary.tokens, self.scores.letters.written
        return [
            OtherContext(
                written(names[tried[one]]) or "", before, math.exp(min(float(odds[one]), 700.0))
            )
            for one in best.tolist()
        ]

    def _compared(self, ids: Integers, at: int, rival: int) -> Floats:
        return self._differences(ids[None], at, rival)[0]

    def _differences(self, some: Integers, at: int, rival: int) -> tuple[Floats, Floats]:
        """Of sentences `(S, n)`: what a rival in place of the word at `at` adds to log p of the
        word and of each after it that knows of it; and log p of the rival and the next word."""
        order = self.model.trie.order
        first, last = max(0, at - order + 1), at + order
        count = len(some)
        if last > some.shape[1]:
            some = np.concatenate([some, np.full((count, 1), END)], axis=1)
        own = some[:, first:last]
        theirs = own.copy()
        theirs[:, at - first] = rival
        both = np.concatenate([own, theirs])
        start = self.model.start() if first == 0 else 0
        logs, _ = log_probabilities(
            self.model.trie,
            both.reshape(-1),
            np.arange(len(both) + 1) * both.shape[1],
            np.full(len(both), start, np.int32),
        )
        logs = logs.reshape(both.shape)[:, at - first :]
        return logs[count:] - logs[:count], logs[count:, :2].sum(1)

    def _beside(self, token: int, before: bool) -> Integers:
        """Words that the model has seen beside a word, and frequent ones: what can be written."""
        trie = self.model.trie
        if before:
            second = np.arange(trie.starts[2], trie.starts[3])
            seen = trie.token[trie.parent[second[trie.token[second] == token]]]
        else:
            seen = trie.token[trie.first_child[1 + token] : trie.first_child[2 + token]]
        order = np.argsort(-self._unigrams, kind="stable")
        some = np.union1d(seen, order[: _FREQUENT + len(MARKS)])
        some = some[np.isin(some, self.scores.words)]
        return some[np.argsort(-self._unigrams[some], kind="stable")][:_MOST].astype(np.int64)

    @cached_property
    def _unigrams(self) -> Floats:
        found: Floats = math.log(10.0) * self.model.trie.log_prob[
            1 : 1 + self.model.trie.vocabulary_size
        ].astype(np.float64)
        return found

    def _ids(self, words: Sequence[str]) -> Integers:
        return np.array([self.scores.word(one) for one in words], np.int64)
