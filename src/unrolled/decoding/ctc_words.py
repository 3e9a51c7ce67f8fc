"""From symbols to words: their times, and how sure they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple

import numpy as np

from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.decoding.penalties import check_weight
from unrolled.errors import ConfigError


@dataclass(frozen=True)
class CtcWord:
    """A word that was heard.

    Attributes:
        text: the word.
        start, end: seconds; from the first frame of its first symbol to the end of the last frame
            of its last. The model's receptive field is not told from the sound: a word may begin
            a little before.
        confidence: 0 to 1, see `words_heard`.
        tokens: where its symbols are in the hypothesis: from the first to before the second.
    """

    text: str
    start: float
    end: float
    confidence: float
    tokens: tuple[int, int]


def words_heard(
    hypotheses: Sequence[CtcHypothesis],
    pieces: Sequence[str],
    *,
    seconds: float,
    between: str = "",
    scale: float = 1.0,
) -> list[CtcWord]:
    """The words of the best of some hypotheses, with times and confidences.

    With several hypotheses the confidence of a word is the share of their probability that agrees:

        c(w) = sum over h that have w there of exp(a s(h)) / sum over all h of exp(a s(h))

    with the scores s and the scale a. A hypothesis has w there if the same word is in it on frames
    that overlap w's. Under a beam that holds every prefix, no scores of extensions and a of 1 this
    is the probability that the model gives to hearing w there; a narrow beam leaves out mass, so
    that it is too sure. A network is mostly too sure of itself besides: a below 1, fitted on
    validation data, calibrates it, and changes no order of the hypotheses.

    With one hypothesis it is `c(w) = (product of the confidences of its symbols) ** a`: the
    probability, with frames independent as CTC has them, of these symbols where they are surest.

    Args:
        hypotheses: of one row, best first.
        pieces: `(1 + V,)` the text of each symbol, the blank's first. Joined, those of a hypothesis
            are its text, and white space in it parts the words.
        seconds: from a frame to the next.
        between: text between two symbols: " " where each symbol is a word.
        scale: a, 0 or more.

    Raises:
        ConfigError: no hypothesis, a symbol without a piece, numbers out of range.

    Sources: Wessel, Schlueter, Macherey and Ney 2001, "Confidence measures for large vocabulary
    continuous speech recognition" (shares of an n-best list, overlap in time, the scale); Laptev
    and Ginsburg 2022, arXiv 2212.08703 (how sure CTC models are).
    """
    if not hypotheses:
        raise ConfigError("hypotheses: there is none; give one at least, the best first")
    if not 0 < seconds < math.inf:
        raise ConfigError(f"seconds: got {seconds!r}, expected a number above 0")
    check_weight("scale", scale)
    best, *others = (_spans(one, pieces, between) for one in hypotheses)
    first = hypotheses[0]
    if not others:
        sure = [math.prod(first.confidences[one.first : one.end]) ** scale for one in best]
    else:
        shares = scale * np.array([one.score for one in hypotheses])
        shares = np.exp(shares - shares.max())
        own, *rest = (shares / shares.sum()).tolist()
        # One after the other in this order, the best first.
        agree = [[any(one.same(other) for other in spans) for spans in others] for one in best]
        sure = [min(1.0, sum(compress(rest, one), own)) for one in agree]
    return [
        CtcWord(
            one.text, one.start * seconds, (one.last + 1) * seconds, how_sure, (one.first, one.end)
        )
        for one, how_sure in zip(best, sure, strict=True)
    ]


def stable_words(words: Sequence[CtcWord], stable: int, *, between: str = "") -> int:
    """How many of the first words can't change any more.

    Args:
        words: of the best hypothesis of a search that goes on.
        stable: how many of its tokens can't change.
        between: as for `words_heard`. Without it a word is not over before the symbol after it.
    """
    return sum(word.tokens[1] + (not between) <= stable for word in words)


class _Span(NamedTuple):
    """A word of a hypothesis: its first and last frame, and its tokens from `first` to before
    `end`."""

    text: str
    start: int
    last: int
    first: int
    end: int

    def same(self, other: _Span) -> bool:
        """The same word at the same time."""
        return self.text == other.text and self.start <= other.last and other.start <= self.last


def _spans(one: CtcHypothesis, pieces: Sequence[str], between: str) -> list[_Span]:
    if one.tokens and max(one.tokens) >= len(pieces):
        raise ConfigError(
            f"pieces: got {len(pieces)}, expected one for each symbol up to {max(one.tokens)}"
        )
    found: list[_Span] = []
    text, first, last = "", 0, 0

    def close() -> None:
        nonlocal text
        if text:
            found.append(_Span(text, one.frames[first][0], one.frames[last][1], first, last + 1))
        text = ""

    for at, token in enumerate(one.tokens):
        for letter in (between if at else "") + pieces[token]:
            if letter.isspace():
                close()
                continue
            if not text:
                first = at
            text, last = text + letter, at
    close()
    return found
