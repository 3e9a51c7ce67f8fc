"""From scores to answers: which token comes next, and which sequence is the best."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.decoding.beam import search, search_with_record
    from unrolled.decoding.beam_options import BeamOptions
    from unrolled.decoding.beam_record import BeamRecord
    from unrolled.decoding.fusion import Fused
    from unrolled.decoding.hypotheses import Hypothesis, rerank
    from unrolled.decoding.repetition import penalise_repetition
    from unrolled.decoding.sampling import filter_logits, sample, suggest
    from unrolled.decoding.scorer import LogProbabilities, Scorer, Scores
    from unrolled.decoding.stopping import StopStrings

_HOMES = {
    "BeamOptions": "beam_options",
    "BeamRecord": "beam_record",
    "Fused": "fusion",
    "Hypothesis": "hypotheses",
    "LogProbabilities": "scorer",
    "Scorer": "scorer",
    "Scores": "scorer",
    "StopStrings": "stopping",
    "filter_logits": "sampling",
    "penalise_repetition": "repetition",
    "rerank": "hypotheses",
    "sample": "sampling",
    "search": "beam",
    "search_with_record": "beam",
    "suggest": "sampling",
}

__all__ = [
    "BeamOptions",
    "BeamRecord",
    "Fused",
    "Hypothesis",
    "LogProbabilities",
    "Scorer",
    "Scores",
    "StopStrings",
    "filter_logits",
    "penalise_repetition",
    "rerank",
    "sample",
    "search",
    "search_with_record",
    "suggest",
]

__getattr__, __dir__ = door(__name__, _HOMES)
