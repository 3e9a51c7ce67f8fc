"""How much a language model counts in a translation: its weight, chosen by pairs held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from unrolled.tasks import tuned as tuning
from unrolled.tasks.translating.request import Request
from unrolled.tasks.tuned import SECOND, LanguageWeights
from unrolled.training.translation_scores import translation_scores, usual_tokenize


@dataclass(frozen=True)
class Weights(LanguageWeights):
    """How much the language counts beside the sentence, as `tune` chooses it.

    Attributes:
        rerank_weight: of the model that has a say in which of the answers is the best.
    """

    rerank_weight: float = Request.rerank_weight


@dataclass(frozen=True)
class Trial(tuning.Trial[Weights]):
    """One weight.

    Attributes:
        weights: what was tried; None: without a language model.
        bleu, chrf: 0 to 100.
    """

    NAMES: ClassVar = {"bleu": "BLEU", "chrf": "chrF"}
    BETTER = "a higher BLEU"

    bleu: float
    chrf: float

    @property
    def rates(self) -> tuple[float, float]:
        """What is to be small: BLEU counts first, as in an evaluation."""
        return -self.bleu, -self.chrf


@dataclass(frozen=True)
class Tuned(tuning.Tuned[Trial]):
    """What was found.

    Attributes:
        before, best, trials: as of any task.
        pairs: how many chose.
    """

    COUNTED = "pairs"

    pairs: int

    @property
    def weights(self) -> Weights:
        """The weight that was chosen."""
        assert self.best.weights is not None
        return self.best.weights


def tuned(
    said: Callable[[float], Sequence[str]],
    references: Sequence[str],
    *,
    tell: Callable[[str], object] | None = None,
) -> Tuned:
    """The weight with the highest BLEU; of equals that with the highest chrF, then the smallest.

    Args:
        said: the translations with a weight.
        references: what is right.
        tell: called with a line for each step.

    Raises:
        DataError: other numbers of translations and references, or none.
    """
    tokenize = usual_tokenize(references)
    trials: list[Trial] = []
    for number in SECOND:
        found = translation_scores(said(number), references, tokenize=tokenize)
        if not number:
            # Without a say the translations are those of the network alone.
            trials.append(Trial(None, found.bleu, found.chrf))
        trials.append(Trial(Weights(rerank_weight=number), found.bleu, found.chrf))
    before, *others = trials
    # The first of equals has the smallest weight.
    best = min(others, key=lambda one: one.rates)
    if tell is not None:
        assert best.weights is not None
        tell(f"without a language model: {before}")
        tell(f"rerank_weight {best.weights.rerank_weight:g}: {best}")
    return Tuned(before, best, tuple(trials), len(references))
