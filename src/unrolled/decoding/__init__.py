"""From scores to answers: which token comes next, and which sequence is the best."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.decoding.beam import search, search_with_record
    from unrolled.decoding.beam_options import BeamOptions
    from unrolled.decoding.beam_record import BeamRecord
    from unrolled.decoding.ctc import search_ctc
    from unrolled.decoding.ctc_alignment import align_ctc
    from unrolled.decoding.ctc_endpoint import Endpoint
    from unrolled.decoding.ctc_hypothesis import CtcHypothesis
    from unrolled.decoding.ctc_options import CtcOptions
    from unrolled.decoding.ctc_stream import CtcDecoder, CtcResult, CtcStream
    from unrolled.decoding.ctc_words import CtcWord, stable_words, words_heard
    from unrolled.decoding.fusion import Fused
    from unrolled.decoding.hypotheses import Hypothesis, rerank
    from unrolled.decoding.prefix_scores import PrefixScores
    from unrolled.decoding.repetition import penalise_repetition
    from unrolled.decoding.sampling import filter_logits, sample, suggest
    from unrolled.decoding.scorer import LogProbabilities, Scorer, Scores
    from unrolled.decoding.stopping import StopStrings
    from unrolled.decoding.transducer import TransducerOptions
    from unrolled.decoding.transducer_alignment import align_transducer
    from unrolled.decoding.transducer_stream import TransducerDecoder, search_transducer

_HOMES = {
    "BeamOptions": "beam_options",
    "BeamRecord": "beam_record",
    "CtcDecoder": "ctc_stream",
    "CtcHypothesis": "ctc_hypothesis",
    "CtcOptions": "ctc_options",
    "CtcResult": "ctc_stream",
    "CtcStream": "ctc_stream",
    "CtcWord": "ctc_words",
    "Endpoint": "ctc_endpoint",
    "Fused": "fusion",
    "Hypothesis": "hypotheses",
    "LogProbabilities": "scorer",
    "PrefixScores": "prefix_scores",
    "Scorer": "scorer",
    "Scores": "scorer",
    "StopStrings": "stopping",
    "TransducerDecoder": "transducer_stream",
    "TransducerOptions": "transducer",
    "align_ctc": "ctc_alignment",
    "align_transducer": "transducer_alignment",
    "filter_logits": "sampling",
    "penalise_repetition": "repetition",
    "rerank": "hypotheses",
    "sample": "sampling",
    "search": "beam",
    "search_ctc": "ctc",
    "search_transducer": "transducer_stream",
    "search_with_record": "beam",
    "stable_words": "ctc_words",
    "suggest": "sampling",
    "words_heard": "ctc_words",
}

__all__ = [
    "BeamOptions",
    "BeamRecord",
    "CtcDecoder",
    "CtcHypothesis",
    "CtcOptions",
    "CtcResult",
    "CtcStream",
    "CtcWord",
    "Endpoint",
    "Fused",
    "Hypothesis",
    "LogProbabilities",
    "PrefixScores",
    "Scorer",
    "Scores",
    "StopStrings",
    "TransducerDecoder",
    "TransducerOptions",
    "align_ctc",
    "align_transducer",
    "filter_logits",
    "penalise_repetition",
    "rerank",
    "sample",
    "search",
    "search_ctc",
    "search_transducer",
    "search_with_record",
    "stable_words",
    "suggest",
    "words_heard",
]

__getattr__, __dir__ = door(__name__, _HOMES)
