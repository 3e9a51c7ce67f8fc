"""From what a network answers to transcripts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.decoding.ctc_words import CtcWord, words_heard
from unrolled.tasks.transcribing.heads import Head
from unrolled.tasks.transcribing.language import Language
from unrolled.tasks.transcribing.symbols import Symbols
from unrolled.tasks.transcribing.transcript import HeardWord, Transcript


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
    answers: Sequence[np.ndarray],
    head: Head,
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
        answers: of each what the network answers, `(T', A)`.
        head: how it is searched.
        symbols: what they stand for.
        seconds: how long each is.
        step: seconds from one step to the next.
        beam, n_best: of the search.
        language: what is known beside what is heard.
    """
    each = searched(answers, head, beam, language)
    return [
        transcript_of(hypotheses, symbols, length, step=step, n_best=n_best)
        for hypotheses, length in zip(each, seconds, strict=True)
    ]


def searched(
    answers: Sequence[np.ndarray], head: Head, beam: int, language: Language | None
) -> list[list[CtcHypothesis]]:
    """The hypotheses of recordings, best first: all of the beam, which has a say in how sure a word
    is."""
    scores = None if language is None else language.scores
    each = head.search(answers, beam=beam, n_best=beam, scores=scores)
    return each if language is None else language.second(each)


def transcript_of(
    hypotheses: Sequence[CtcHypothesis],
    symbols: Symbols,
    seconds: float,
    *,
    step: float,
    n_best: int = 1,
) -> Transcript:
    """The best of some hypotheses, and the next `n_best - 1` that are written otherwise as
    alternatives."""
    best = _transcript(hypotheses, symbols, seconds, step)
    others: dict[str, Transcript] = {}
    for one in hypotheses[1:]:
        if len(others) == n_best - 1:
            break
        text = symbols.text(one.tokens)
        # A space at the end, or a second one, makes other symbols of the same words.
        if text != best.text and text not in others:
            others[text] = _transcript([one], symbols, seconds, step)
    alternatives = tuple(others.values())
    return Transcript(
        best.text, best.log_probability, best.confidence, best.words, seconds, alternatives
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
