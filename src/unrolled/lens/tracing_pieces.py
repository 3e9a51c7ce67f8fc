"""What a model read, as the user wrote it: the parts of the text that its tokens stand for."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from unrolled.data.tokens import Tokenizer


def written(text: str, vocabulary: Tokenizer, ids: np.ndarray) -> tuple[tuple[str, ...], bool]:
    """Of each token the part of the text that it stands for, and whether they join to the text.

    Of characters and subwords they do, whatever the text: no character is lost or changed. Where
    subwords cut a character, it is the part of the token that completes it, and those before are
    empty. Spaces between words are implied, so words do not join. A word that is none of the text's
    own parts is spelt as the model spells it.

    Args:
        text: what was encoded.
        vocabulary: by what.
        ids: to what, all of it.
    """
    from unrolled.data.tokens import Subwords

    if isinstance(vocabulary, Subwords):
        return _slices(text, [len(vocabulary.to_bytes([number])) for number in ids.tolist()]), True
    if vocabulary.kind == "characters":
        return tuple(text), True
    own = _words(text)
    if len(own) == len(ids):
        return tuple(own), False
    return tuple(vocabulary.pieces[number] for number in ids.tolist()), False


def _slices(text: str, sizes: list[int]) -> tuple[str, ...]:
    """The characters that are complete after each of so many bytes."""
    # As the tokenizer reads it: half of a surrogate pair alone has no bytes, and is read as "?".
    ends = np.cumsum([len(letter.encode("utf-8", "replace")) for letter in text])
    places = [0, *np.searchsorted(ends, np.cumsum(sizes), side="right").tolist()]
    return tuple(text[a:b] for a, b in pairwise(places))


def _words(text: str) -> list[str]:
    from unrolled.data.tokens.word_pattern import LINE, split_token, token_pattern

    found: list[str] = []
    for token in token_pattern().findall(text):
        _, kind, word, tail = split_token(token)
        found += ["\n"] if kind == LINE else [word, tail] if tail else [word]
    return found
