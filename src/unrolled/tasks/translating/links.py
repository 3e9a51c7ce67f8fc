"""Where each word of a translation looked: the attention of tokens, gathered into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unrolled.data.tokens.checks import word_beginnings
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.translating.request import Translation

END = "(end)"
"""What the end of the source is called, which can be looked at as any word."""


@dataclass(frozen=True)
class WordLink:
    """A word of a translation, and the word of the source that it looked at most.

    Attributes:
        word: of the translation; a mark of punctuation is one.
        source: of the sentence, or `END`.
        weight: the share of its attention that the source word got, 0 to 1.
    """

    word: str
    source: str
    weight: float

    def __str__(self) -> str:
        return f"{self.word} <- {self.source} {self.weight:.2f}"


def word_links(translation: Translation, kind: str) -> list[WordLink]:
    """A link for each word of a translation, in its order.

        weight(w, v) = mean over the tokens t of w of the sum over the tokens s of v of a_ts

    Args:
        translation: of which the tokens are gathered.
        kind: of tokens: "subwords", "words" or "characters".

    Raises:
        ConfigError: the model has no attention.
    """
    if not translation.tokens:
        return []
    if translation.alignment is None:
        raise ConfigError(
            "the model has no attention (attention='none'), so that no word looked anywhere: train"
            " one with attention"
        )
    read, sources = _words(translation.source, kind)
    written, words = _words(translation.tokens, kind)
    by_word = np.add.reduceat(translation.alignment, read, axis=1)
    links = []
    for word, begin, end in zip(words, written, [*written[1:], None], strict=True):
        weights = by_word[begin:end].mean(axis=0)
        best = int(weights.argmax())
        if word:
            links.append(WordLink(word, sources[best] or END, float(weights[best])))
    return links


def _words(pieces: Sequence[str], kind: str) -> tuple[list[int], list[str]]:
    """Where each word begins among the tokens, and the words; a blank is "", and so is the end."""
    begins = np.ones(len(pieces), dtype=bool) if kind == "words" else word_beginnings(pieces)
    begins[0] = True
    places = np.flatnonzero(begins).tolist()
    ends = [*places[1:], len(pieces)]
    return places, ["".join(pieces[b:e]).strip() for b, e in zip(places, ends, strict=True)]
