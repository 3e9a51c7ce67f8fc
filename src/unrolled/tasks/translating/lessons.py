"""How a `Translator` is scored while it trains."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unrolled.tasks.translating.asking import translations
from unrolled.tasks.translating.encoding import PairTokens
from unrolled.tasks.translating.networks import AnyTranslationNetwork
from unrolled.tasks.translating.request import Request
from unrolled.training.translation_scores import translation_scores

# Of shorter references few have the four words in a row that BLEU counts.
_FEWEST_WORDS = 5.0
# More tell little more, and take time from learning.
_MOST_SENTENCES = 1000


def metric_of(references: Sequence[str]) -> str:
    """What the best weights are chosen by: "BLEU", or "chrF" where the references are short."""
    words = sum(len(one.split()) for one in references) / max(1, len(references))
    return "BLEU" if words >= _FEWEST_WORDS else "chrF"


def validator(
    model: AnyTranslationNetwork,
    tokens: PairTokens,
    sources: Sequence[str],
    references: Sequence[str],
) -> Callable[[], float]:
    """100 less the score (see `metric_of`) of greedy translations; of many sentences a part, evenly
    drawn."""
    stride = -(-len(sources) // _MOST_SENTENCES)
    some, right = list(sources[::stride]), list(references[::stride])
    metric = metric_of(right)
    greedy = Request(beam=1)

    def score() -> float:
        said = [one.text for one in translations(model, tokens, some, greedy)]
        found = translation_scores(said, right)
        return 100.0 - (found.bleu if metric == "BLEU" else found.chrf)

    return score
