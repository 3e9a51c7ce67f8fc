"""From what a network answers to transcripts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unrolled.data.batching.padded import padded
from unrolled.decoding.ctc import search_ctc
from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.decoding.ctc_words import CtcWord, words_heard
from unrolled.decoding.prefix_scores import PrefixScores
from unrolled.tasks.transcribing.language import Language
from unrolled.tasks.transcribing.symbols import Symbols
from unrolled.tasks.transcribing.transcript import HeardWord, Transcript

# Recordings that a search runs over at once.
_AT_ONCE = 32


def of_label(
    log_probs: np.ndarray, labels: Sequence[str], n_best: int, seconds: float
) -> Transcript:
    """The most probable label of `(V,)`, and the next `n_best - 1`."""
    order = np.argsort(-log_probs, kind="stable")[:n_best]
    first, *others = (
        Transcript(labels[at], float(log_probs[at]), float(np.exp(log_probs[at])), seconds=seconds)
        for at in order.tolist()
    )
    return Transcript(
        first.text, first.log_probability, first.confidence, (), seconds, tuple(others)
    )


def of_symbols(
    log_probs: Sequence[np.ndarray],
    symbols: Symbols,
    seconds: Sequence[float],
    *,
    step: float,
    beam: int,
    n_best: int,
    language: Language | None = None,
) -> list[Transcript]:
    """The transcripts of recordings.

    Args:
        log_probs: of each `(T', 1 + V)`.
        symbols: what they stand for.
        seconds: how long each is.
        step: seconds from one step to the next.
        beam, n_best: of the search.
        language: what is known beside what is heard.
    """
    # All of the beam has a say in how sure a word is.
    scores = None if language is None else language.scores
    each = searched(log_probs, beam=beam, n_best=beam, scores=scores)
    if language is not None:
        each = language.second(each)
    return [
        transcript_of(hypotheses, symbols, length, step=step, n_best=n_best)
        for hypotheses, length in zip(each, seconds, strict=True)
    ]


def searched(
    log_probs: Sequence[np.ndarray],
    *,
    beam: int,
    n_best: int = 1,
    scores: PrefixScores | None = None,
) -> list[list[CtcHypothesis]]:
    """The likeliest sequences of symbols of recordings, of each `(T', 1 + V)`."""
    found: list[list[CtcHypothesis]] = []
    for start in range(0, len(log_probs), _AT_ONCE):
        some = log_probs[start : start + _AT_ONCE]
        lengths = np.array([len(one) for one in some])
        side_by_side = padded(some, 0, np.float32)
        found += search_ctc(side_by_side, lengths, beam=beam, n_best=n_best, scores=scores)
    return found


def transcript_of(
    hypotheses: Sequence[CtcHypothesis],
    symbols: Symbols,
    seconds: float,
    *,
    step: float,
    n_best: int = 1,
) -> Transcript:
    """The best of some hypotheses, and the next `n_best - 1` as alternatives."""
    best, *others = (
        _transcript(hypotheses[at:] if at == 0 else [hypotheses[at]], symbols, seconds, step)
        for at in range(min(n_best, len(hypotheses)))
    )
    return Transcript(
        best.text, best.log_probability, best.confidence, best.words, seconds, tuple(others)
    )


def heard_words(found: Sequence[CtcWord]) -> tuple[HeardWord, ...]:
    """Words as a transcript has them."""
    return tuple(HeardWord(one.text, one.start, one.end, one.confidence) for one in found)


def _transcript(
    hypotheses: Sequence[CtcHypothesis], symbols: Symbols, seconds: float, step: float
) -> Transcript:
    first = hypotheses[0]
    words = words_heard(hypotheses, symbols.pieces, seconds=step, between=symbols.between)
    sure = min((one.confidence for one in words), default=1.0)
    text = symbols.text(first.tokens)
    return Transcript(text, first.log_probability, sure, heard_words(words), seconds)
