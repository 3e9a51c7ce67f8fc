"""The simple rivals that every network is measured against; without torch, and quick to fit.

Exponential smoothing and MSTL need statsforecast, of the extra `bench`; `TfidfLogistic` and
`WindowTagger` load scikit-learn when they are fitted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.baselines.drift import Drift
    from unrolled.baselines.ewma import EWMAVolatility
    from unrolled.baselines.ibm1 import Ibm1
    from unrolled.baselines.most_frequent import MostFrequent
    from unrolled.baselines.naive import Naive, SeasonalNaive
    from unrolled.baselines.ngram import NGram, bits_by_order, choose_order
    from unrolled.baselines.ridge import Ridge
    from unrolled.baselines.rival import Rival
    from unrolled.baselines.statistical import MSTL, ExponentialSmoothing
    from unrolled.baselines.tagging import MostFrequentTag, WindowTagger
    from unrolled.baselines.templates import NearestTemplate
    from unrolled.baselines.tfidf import TfidfLogistic
    from unrolled.baselines.word_for_word import CopySource, WordForWord
    from unrolled.baselines.word_ngrams import WordNGram

_HOMES = {
    "CopySource": "word_for_word",
    "Drift": "drift",
    "EWMAVolatility": "ewma",
    "ExponentialSmoothing": "statistical",
    "Ibm1": "ibm1",
    "MSTL": "statistical",
    "MostFrequent": "most_frequent",
    "MostFrequentTag": "tagging",
    "NGram": "ngram",
    "Naive": "naive",
    "NearestTemplate": "templates",
    "Ridge": "ridge",
    "Rival": "rival",
    "SeasonalNaive": "naive",
    "TfidfLogistic": "tfidf",
    "WindowTagger": "tagging",
    "WordForWord": "word_for_word",
    "WordNGram": "word_ngrams",
    "bits_by_order": "ngram",
    "choose_order": "ngram",
}

__all__ = [
    "MSTL",
    "CopySource",
    "Drift",
    "EWMAVolatility",
    "ExponentialSmoothing",
    "Ibm1",
    "MostFrequent",
    "MostFrequentTag",
    "NGram",
    "Naive",
    "NearestTemplate",
    "Ridge",
    "Rival",
    "SeasonalNaive",
    "TfidfLogistic",
    "WindowTagger",
    "WordForWord",
    "WordNGram",
    "bits_by_order",
    "choose_order",
]

__getattr__, __dir__ = door(__name__, _HOMES)
