"""Tokens as the words that stand in the text, unknown ones too."""

from __future__ import annotations

import numpy as np

from unrolled.data.tokens import Tokenizer

_UNKNOWN = 0


def words_of(tokens: Tokenizer, ids: np.ndarray, text: str) -> tuple[tuple[str, ...], np.ndarray]:
    """The words of a text as it writes them, and for each token the word that it is of, `(n,)`.

    A word of "words" is a token; of "characters" and "subwords", what lies between two beginnings
    of words. A token that the tokenizer does not know is looked up in the text.
    """
    written = _written(tokens, ids, text)
    words: list[str] = []
    owner = np.zeros(len(ids), dtype=np.int64)
    begins = tokens.word_beginnings
    for at, (number, piece) in enumerate(zip(ids, written, strict=True)):
        whole = tokens.kind == "words" or begins[number] or not words or not words[-1].strip()
        if whole:
            words.append(piece)
        else:
            words[-1] += piece
        owner[at] = len(words) - 1
    return tuple(word.strip() or word for word in words), owner


def _written(tokens: Tokenizer, ids: np.ndarray, text: str) -> list[str]:
    """What stands in the text for each token."""
    if tokens.kind == "characters":
        return list(text)
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters have no small form of their own
        lowered = text
    pieces = [tokens.pieces[number] for number in ids]
    found: list[str] = []
    unknown: list[int] = []
    place = 0
    for number, piece in zip(ids, pieces, strict=True):
        if number == _UNKNOWN:
            unknown.append(len(found))
            found.append(piece)
            continue
        wanted = piece.strip() or piece
        at = lowered.find(wanted.lower(), place)
        if at < 0:
            found.append(piece)
            continue
        _name(unknown, text[place:at], found)
        found.append(text[at : at + len(wanted)] if tokens.kind == "words" else piece)
        place = at + len(wanted)
    _name(unknown, text[place:], found)
    return found


def _name(unknown: list[int], between: str, found: list[str]) -> None:
    """Unknown tokens get the words that stand between the known ones, where they are as many."""
    words = between.split()
    if len(words) == len(unknown):
        for at, word in zip(unknown, words, strict=True):
            found[at] = word
    elif len(unknown) == 1 and words:
        found[unknown[0]] = between.strip()
    unknown.clear()
