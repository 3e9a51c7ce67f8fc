"""How much a language counts: weights chosen by the word error rate of recordings held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.decoding.rescoring import rescored, text_scores
from unrolled.tasks.transcribing.heads import Head
from unrolled.tasks.transcribing.language import Language, Weights
from unrolled.training.speech_scores import speech_scores

# What is tried of each, one after the other, from the usual numbers on.
FIRST = {
    "weight": (0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4),
    "word_bonus": (-0.5, 0.0, 0.5, 1.0, 1.5, 2.5, 4.0),
    "unknown": (0.0, -3.0, -6.0, -10.0, -15.0),
}
SECOND = (0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)
_ROUNDS = 2
Scored = tuple[float, float]
Hypotheses = list[list[CtcHypothesis]]


@dataclass(frozen=True)
class Trial:
    """One choice of weights.

    Attributes:
        weights: what was tried; None: without a language.
        wer, cer: word and character error rate, percent.
    """

    weights: Weights | None
    wer: float
    cer: float


@dataclass(frozen=True)
class Tuned:
    """What was found.

    Attributes:
        weights: the best.
        trials: all, in their order; the first is without a language.
        recordings: how many chose.
    """

    weights: Weights
    trials: tuple[Trial, ...]
    recordings: int

    @property
    def before(self) -> Trial:
        """What is heard without a language."""
        return self.trials[0]

    @property
    def best(self) -> Trial:
        """With the weights that were chosen."""
        return min(self.trials[1:], key=lambda one: (one.wer, one.cer))

    @property
    def helps(self) -> bool:
        """Whether fewer words are wrong than without a language."""
        return self.best.wer < self.before.wer


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

    One number after the other is varied, the others kept, twice around; then the weight of the
    second pass, over the answers of the first.

    Args:
        answers: of the network, of each recording.
        texts: what is said in them.
        head: how they are searched.
        language: of which the weights are chosen.
        beam: of the search.
        tell: called with a line for each step.
    """
    trials: list[Trial] = []

    def score(each: Hypotheses, weights: Weights | None) -> Scored:
        said = [language.symbols.text(one[0].tokens) for one in each]
        found = speech_scores(said, texts)
        trials.append(Trial(weights, found.wer, found.cer))
        return found.wer, found.cer

    def search(weights: Weights) -> Hypotheses:
        scores = replace(language, weights=weights).scores
        return head.search(answers, beam=beam, n_best=beam, scores=scores)

    each = head.search(answers, beam=beam, n_best=beam)
    best, weights = score(each, None), language.weights
    if tell is not None:
        tell(f"without a language: WER {best[0]:.2f}%")
    if language.model is not None:
        each = search(weights)
        best = score(each, weights)
        for _ in range(_ROUNDS):
            for name, numbers in FIRST.items():
                for number in numbers:
                    tried = weights.given(**{name: number})
                    if any(one.weights == tried for one in trials):
                        continue
                    found = search(tried)
                    if (now := score(found, tried)) < best:
                        best, weights, each = now, tried, found
                if tell is not None:
                    tell(f"{name}: {getattr(weights, name):g}, WER {best[0]:.2f}%")
    if language.writer is not None:
        written = [[language.symbols.text(one.tokens) for one in some] for some in each]
        says = text_scores(language.writer, [text for some in written for text in some])
        first: Scored | None = None
        for number in SECOND:
            tried = replace(weights, rerank_weight=number)
            again = [
                rescored(some, [says[text] for text in texts_of], number)
                for some, texts_of in zip(each, written, strict=True)
            ]
            now = score(again, tried)
            if first is None or now < first:
                first, weights = now, tried
        assert first is not None
        if tell is not None:
            tell(f"rerank_weight: {weights.rerank_weight:g}, WER {first[0]:.2f}%")
    return Tuned(weights, tuple(trials), len(texts))
