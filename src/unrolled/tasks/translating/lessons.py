"""How a `Translator` is scored while it trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unrolled.tasks.translating.asking import translations
from unrolled.tasks.translating.encoding import PairTokens
from unrolled.tasks.translating.networks import AnyTranslationNetwork
from unrolled.tasks.translating.request import Request
from unrolled.training.budget import Budget
from unrolled.training.translation_scores import translation_scores

# Of shorter references few have the four words in a row that BLEU counts.
_FEWEST_WORDS = 5.0
# A translation that is so much longer than its reference, in tokens, is wrong however it goes on.
_LONGER, _MORE = 1.5, 5
# Steps of all sentences together, a thousand of Multi30k's; more tell little more.
_MOST_STEPS = 30_000
# For each second of the budget: a fiftieth of it where two cores search 3,000 steps a second.
_STEPS_A_SECOND = 60


def metric_of(references: Sequence[str]) -> str:
    """What the best weights are chosen by: "BLEU", or "chrF" where the references are short."""
    words = sum(len(one.split()) for one in references) / max(1, len(references))
    return "BLEU" if words >= _FEWEST_WORDS else "chrF"


@dataclass(frozen=True)
class Validator:
    """Scores greedy translations; lower is better.

    Attributes:
        model, tokens: what translates.
        sources, references: of the sentences that are scored.
        limits: the most steps of each. A network that has learnt little writes on and on; so it
            takes no longer than one that has.
        metric: "BLEU" or "chrF".
    """

    model: AnyTranslationNetwork
    tokens: PairTokens
    sources: tuple[str, ...]
    references: tuple[str, ...]
    limits: tuple[int, ...]
    metric: str

    @property
    def unit(self) -> str:
        """What a score is counted in, in words."""
        return f"100 minus {self.metric}"

    def __call__(self) -> float:
        greedy = Request(beam=1)
        made = translations(self.model, self.tokens, self.sources, greedy, limits=self.limits)
        found = translation_scores([one.text for one in made], self.references)
        return 100.0 - (found.bleu if self.metric == "BLEU" else found.chrf)


def validator(
    model: AnyTranslationNetwork,
    tokens: PairTokens,
    sources: Sequence[str],
    references: Sequence[str],
    budget: Budget,
) -> Validator:
    """Of many sentences a part, evenly drawn: as many as a budget of time has a little time for, by
    the steps that they take at most. It depends on nothing else, so that a run that goes on is
    scored as before."""
    # the begin symbol is no step
    limits = [int(_LONGER * (len(one) - 1)) + _MORE for one in tokens.targets(references)]
    most = _MOST_STEPS
    if budget.seconds is not None:
        most = min(most, int(_STEPS_A_SECOND * budget.seconds))
    count = len(limits)
    taken = min(count, max(1, count * most // sum(limits)))
    places = [place * count // taken for place in range(taken)]
    right = tuple(references[place] for place in places)
    return Validator(
        model,
        tokens,
        tuple(sources[place] for place in places),
        right,
        tuple(limits[place] for place in places),
        metric_of(right),
    )
