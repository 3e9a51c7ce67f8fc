"""From hypotheses to explanations: each word's rivals in its place, and what speaks for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.decoding.ctc_words import CtcWord, words_heard
from unrolled.decoding.prefix_scores import PrefixScores
from unrolled.decoding.rescoring import text_scores
from unrolled.tasks.transcribing.heads import Head
from unrolled.tasks.transcribing.language import Language
from unrolled.tasks.transcribing.other_contexts import Contexts
from unrolled.tasks.transcribing.sounds_alike import ExplainedWord, Explanation, Rival
from unrolled.tasks.transcribing.symbols import Symbols
from unrolled.tasks.transcribing.transcript import HeardWord, Transcript
from unrolled.tasks.transcribing.why import why
from unrolled.tasks.transcribing.word_rivals import HEARD, HOW, WordRivals

# Of each rival that is told, so many are listened for.
_TRIED = 4
# A recording of more steps is looked at around each word, so many words to either side. What a
# transducer says costs as much as it has steps times symbols.
_WHOLE, _AROUND = {"ctc": 1500, "transducer": 300}, 12
Tokens = tuple[int, ...]
Floats = NDArray[np.float64]


class _Tried(NamedTuple):
    """A rival in its place: `tokens` of the whole text."""

    at: int
    text: str
    how: str
    own: Tokens
    tokens: Tokens


class _Said(NamedTuple):
    """What the language adds to texts, `(N,)` each."""

    language: Floats
    hot: Floats
    second: Floats


@dataclass(frozen=True, eq=False)
class Explainer:
    """Explains transcripts of one model.

    Attributes:
        head: of the model.
        symbols: of it.
        language: what is in use; None: what is heard alone counts.
        alike: which words sound alike.
        rivals: how many are told of a word.
        step: seconds from one step of the network to the next.
    """

    head: Head
    symbols: Symbols
    language: Language | None
    alike: WordRivals
    rivals: int
    step: float

    def of(
        self, answer: np.ndarray, hypotheses: Sequence[CtcHypothesis], transcript: Transcript
    ) -> Explanation:
        """Why the best of some hypotheses is what it is.

        Args:
            answer: of the network, `(T', A)`.
            hypotheses: of the search, best first.
            transcript: of the best.
        """
        best = hypotheses[0]
        words = self._words(best)
        tried = self._tried(best, words, hypotheses[1:])
        said = self._said([best.tokens, *(one.tokens for one in tried)])
        tried, said = self._likely(tried, said)
        sums = self._heard(answer, best, words, tried)
        found: list[list[Rival]] = [[] for _ in words]
        for row, one in enumerate(tried, start=1):
            if np.isfinite(sums[row]):
                language, hot, second = (float(part[row] - part[0]) for part in said)
                rival = Rival(one.text, one.how, float(sums[row]), language, hot, second)
                found[one.at].append(rival)
        whole = float(self.head.text_sums(answer, [best.tokens])[0])
        texts = [word.text for word in words]
        explained = [
            self._explained(heard, some, texts, at)
            for at, (heard, some) in enumerate(zip(transcript.words, found, strict=True))
        ]
        language, hot, second = (float(part[0]) for part in said)
        return Explanation(transcript, whole, language, hot, second, tuple(explained))

    def _explained(
        self, heard: HeardWord, rivals: list[Rival], words: Sequence[str], at: int
    ) -> ExplainedWord:
        some = sorted(rivals, key=lambda one: (-one.total, one.text))[: self.rivals]
        if self._contexts is not None:
            some = [self._with_contexts(one, words, at) for one in some]
        told = why(heard.text, some, words, at, self.language, self._contexts)
        return ExplainedWord(heard, tuple(some), told)

    def _with_contexts(self, rival: Rival, words: Sequence[str], at: int) -> Rival:
        assert self._contexts is not None
        says = sum(self._contexts.in_place(words, at, rival.text))
        rest = rival.total - self._contexts.scores.weight * says
        return replace(rival, contexts=self._contexts.others(words, at, rival.text, rest))

    @cached_property
    def _contexts(self) -> Contexts | None:
        """None: there is no language model, or one over characters, which knows no words."""
        language = self.language
        if language is None or language.model is None or language.model.unit != "words":
            return None
        assert language.scores is not None
        return Contexts(language.scores)

    def _words(self, one: CtcHypothesis) -> list[CtcWord]:
        return words_heard(
            [one], self.symbols.pieces, seconds=self.step, between=self.symbols.between
        )

    def _tried(
        self, best: CtcHypothesis, words: list[CtcWord], others: Sequence[CtcHypothesis]
    ) -> list[_Tried]:
        """All rivals that can be written, in their places."""
        found = [self.alike.of(word.text) for word in words]
        for other in others:
            for one in self._words(other):
                for word, some in zip(words, found, strict=True):
                    # A beam is full of words with a letter too many.
                    if _at_once(word, one) and self.alike.knows(one.text):
                        some.setdefault(one.text, HEARD)
        return [
            _Tried(at, text, how, own, (*best.tokens[:first], *own, *best.tokens[end:]))
            for at, (word, some) in enumerate(zip(words, found, strict=True))
            for first, end in [word.tokens]
            for text, how in some.items()
            if text != word.text and (own := self._written(text))
        ]

    def _written(self, word: str) -> Tokens:
        """Its symbols; none where it can't be written."""
        if self.symbols.unknown(word):
            return ()
        return tuple(self.symbols.encode([word])[0].tolist())

    def _said(self, texts: Sequence[Tokens]) -> _Said:
        nothing = np.zeros(len(texts))
        language = self.language
        if language is None:
            return _Said(nothing, nothing, nothing)
        scores = language.scores
        both = nothing if scores is None else scores.sums(texts)
        hot = nothing if self._hot is None else self._hot.sums(texts)
        second = nothing
        if language.writer is not None:
            written = [language.as_read(one) for one in texts]
            says = text_scores(language.writer, written)
            second = language.weights.rerank_weight * np.array([says[one] for one in written])
        return _Said(both - hot, hot, second)

    @cached_property
    def _hot(self) -> PrefixScores | None:
        """Hot words alone."""
        if self.language is None or not self.language.hot_words:
            return None
        return PrefixScores(
            self.symbols.pieces,
            between=self.symbols.between,
            hot_words=self.language.hot_words,
        )

    def _likely(self, tried: list[_Tried], said: _Said) -> tuple[list[_Tried], _Said]:
        """Of each word the rivals that are worth listening for: those that are surest to sound
        alike, then those of which the language says most."""
        says = np.sum(said, axis=0)[1:]
        order = sorted(
            range(len(tried)), key=lambda row: (HOW.index(tried[row].how), -says[row], row)
        )
        left: dict[int, int] = {}
        kept = []
        for row in order:
            at = tried[row].at
            left[at] = left.get(at, _TRIED * self.rivals) - 1
            if left[at] >= 0:
                kept.append(row)
        rows = np.array([0, *(1 + row for row in kept)])
        return [tried[row] for row in kept], _Said(*(part[rows] for part in said))

    def _heard(
        self,
        answer: np.ndarray,
        best: CtcHypothesis,
        words: list[CtcWord],
        tried: list[_Tried],
    ) -> Floats:
        """`(1 + N,)`: log-probabilities of the recording with each rival, less that without."""
        found = np.zeros(1 + len(tried))
        if len(answer) <= _WHOLE[self.head.name]:
            sums = self.head.text_sums(answer, [best.tokens, *(one.tokens for one in tried)])
            found[1:] = sums[1:] - sums[0]
            return found
        rows: dict[int, list[int]] = {}
        for row, one in enumerate(tried, start=1):
            rows.setdefault(one.at, []).append(row)
        said, before = self.head.after(()), 0
        for at in sorted(rows):
            # What is far away is the same with either; its symbols are on frames of their own.
            first, last = max(0, at - _AROUND), min(len(words) - 1, at + _AROUND)
            begin = words[first].tokens[0] if first else 0
            end = words[last].tokens[1] if last + 1 < len(words) else len(best.tokens)
            said, before = self.head.after(best.tokens[before:begin], said), begin
            here = slice(*words[at].tokens)
            texts = [
                (*best.tokens[begin : here.start], *own, *best.tokens[here.stop : end])
                for own in (best.tokens[here], *(tried[row - 1].own for row in rows[at]))
            ]
            sums = self.head.text_sums(answer[_frames(best, begin, end, len(answer))], texts, said)
            found[rows[at]] = sums[1:] - sums[0]
        return found


def _frames(one: CtcHypothesis, begin: int, end: int, count: int) -> slice:
    """Those of some tokens, from the one before to the one after; a transducer may say several on
    one frame."""
    frames = one.frames
    start = min(frames[begin - 1][1] + 1, frames[begin][0]) if begin else 0
    return slice(start, max(frames[end - 1][1] + 1, frames[end][0]) if end < len(frames) else count)


def _at_once(word: CtcWord, other: CtcWord) -> bool:
    """Whether two words are at the same place: for more than half of each."""
    shared = min(word.end, other.end) - max(word.start, other.start)
    return shared > max(word.end - word.start, other.end - other.start) / 2
