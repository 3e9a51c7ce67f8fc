"""How much a language counts: weights chosen by the word error rate of recordings held out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.decoding.rescoring import rescored
from unrolled.tasks import tuned as tuning
from unrolled.tasks.transcribing.heads import Head
from unrolled.tasks.transcribing.language import Language, Weights, silence_first
from unrolled.tasks.transcribing.symbols import Symbols
from unrolled.tasks.tuned import SECOND
from unrolled.training.speech_scores import speech_scores

# What is tried of each, one after the other, from the usual numbers on.
FIRST = {
    "weight": (0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4),
    "word_bonus": (-0.5, 0.0, 0.5, 1.0, 1.5, 2.5, 4.0, 6.0),
    "unknown": (0.0, -3.0, -6.0, -10.0, -15.0),
}
# And of all three together, times what they are: how much the language counts beside the sound. One
# by one they can't grow where each needs the others.
_TIMES = (0.5, 0.7, 1.4, 2.0)
_ROUNDS = 2
Hypotheses = list[list[CtcHypothesis]]


@dataclass(frozen=True)
class Trial(tuning.Trial[Weights]):
    """One choice of weights.

    Attributes:
        weights: what was tried; None: without language models.
        wer, cer: word and character error rate, percent.
    """

    NAMES: ClassVar = {"wer": "WER", "cer": "CER"}
    UNIT = "%"
    BETTER = "fewer words wrong"

    wer: float
    cer: float

    @property
    def rates(self) -> tuple[float, float]:
        """What is to be small: words count first."""
        return self.wer, self.cer


@dataclass(frozen=True)
class Tuned(tuning.Tuned[Trial]):
    """What was found.

    Attributes:
        before, best, trials: as of any task.
        recordings: how many chose.
    """

    COUNTED = "recordings"

    recordings: int

    @property
    def weights(self) -> Weights:
        """Those that were chosen."""
        assert self.best.weights is not None
        return self.best.weights


def tuned(
    answers: Sequence[np.ndarray],
    texts: Sequence[str],
    head: Head,
    language: Language,
    *,
    beam: int,
    tell: Callable[[str], object] | None = None,
) -> Tuned:
    """The weights with the fewest words wrong; of equals with the fewest characters.

    One number after the other is varied, the others kept, then all of them together, twice around;
    then the weight of the second pass, over the answers of the first, where there is no first pass
    with the bonus for each word. What is as good as the usual number does not replace it.

    Args:
        answers: of the network, of each recording.
        texts: what is said in them; a word in one of them at least.
        head: how they are searched.
        language: of which the weights are chosen.
        beam: of the search.
        tell: called with a line for each step.
    """
    trials = _Trials(texts, language.symbols, tell)
    no_bonus = language.weights.given(word_bonus=0.0)
    alone = replace(language, model=None, weights=no_bonus).scores
    each = head.search(answers, beam=beam, n_best=beam, scores=alone)
    before = trials.add(each, None)
    trials.say("without a language model", before)
    weights = language.weights
    if language.writer is not None:
        # The numbers of the search are chosen by what it finds alone.
        weights = weights.given(rerank_weight=0.0)

    def search(tried: Weights) -> Hypotheses:
        assert language.scores is not None
        scores = language.scores.weighed(
            weight=tried.weight, word_bonus=tried.word_bonus, unknown=tried.unknown
        )
        return head.search(answers, beam=beam, n_best=beam, scores=scores)

    if language.model is not None:
        each = search(weights)
    else:
        weights = no_bonus.given(rerank_weight=0.0)
    best = trials.add(each, weights)
    if language.model is not None:
        for name in [*FIRST, "together"] * _ROUNDS:
            for tried in _other(weights, name):
                if trials.has(tried):
                    continue
                found = search(tried)
                now = trials.add(found, tried)
                if now.rates < best.rates:
                    best, weights, each = now, tried, found
            trials.say(", ".join(f"{one} {getattr(weights, one):g}" for one in FIRST), best)
    if language.writer is not None:
        says = language.says(each)
        # What the first pass was tuned with is kept: it is heard live.
        bonuses = (weights.word_bonus,) if language.model is not None else FIRST["word_bonus"]
        for bonus in bonuses:
            more = bonus - weights.word_bonus
            counted = [_with_bonus(some, language.symbols, more) for some in each]
            for number in SECOND[1:]:
                found = [rescored(*one, number) for one in zip(counted, says, strict=True)]
                now = trials.add(found, weights.given(rerank_weight=number, word_bonus=bonus))
                if now.rates < best.rates:
                    best = now
        assert best.weights is not None
        trials.say(f"rerank_weight {best.weights.rerank_weight:g}", best)
    return Tuned(before, best, tuple(trials.all), len(texts))


def _other(weights: Weights, name: str) -> Iterator[Weights]:
    """Weights that differ in a number, or in all of the search."""
    if name in FIRST:
        return (weights.given(**{name: number}) for number in FIRST[name])
    return (
        weights.given(**{one: getattr(weights, one) * times for one in FIRST}) for times in _TIMES
    )


def _with_bonus(
    hypotheses: Sequence[CtcHypothesis], symbols: Symbols, bonus: float
) -> list[CtcHypothesis]:
    """Hypotheses with nats more for each word."""
    return [
        replace(one, score=one.score + bonus * len(symbols.text(one.tokens).split()))
        for one in hypotheses
    ]


class _Trials:
    """What was tried, measured and told."""

    def __init__(
        self, texts: Sequence[str], symbols: Symbols, tell: Callable[[str], object] | None
    ) -> None:
        self.all: list[Trial] = []
        self._texts, self._symbols, self._tell = texts, symbols, tell

    def add(self, each: Hypotheses, weights: Weights | None) -> Trial:
        said = [self._symbols.text(silence_first(some)[0].tokens) for some in each]
        found = speech_scores(said, self._texts)
        self.all.append(Trial(weights, found.wer, found.cer))
        return self.all[-1]

    def has(self, weights: Weights) -> bool:
        return any(one.weights == weights for one in self.all)

    def say(self, what: str, best: Trial) -> None:
        if self._tell is not None:
            self._tell(f"{what}: {best}")
