"""Tokenizers: a text as numbers and back, by characters, words or subwords.

    make_tokenizer("words", pieces)  learns one from texts, in one pass
    tokenizer.encode(text)           ids, int64 (n,)
    tokenizer.decode(ids)            the text

Number 0 is the unknown token of every kind, and `"\\n"` has a number of its own, so that a line
break can stand for the beginning of a document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.data.tokens.characters import Characters
    from unrolled.data.tokens.stream import TextStream
    from unrolled.data.tokens.subwords import Subwords
    from unrolled.data.tokens.tokenizer import Tokenizer, make_tokenizer, tokenizer_from_assets
    from unrolled.data.tokens.words import Words

_HOMES = {
    "Characters": "characters",
    "Subwords": "subwords",
    "TextStream": "stream",
    "Tokenizer": "tokenizer",
    "Words": "words",
    "make_tokenizer": "tokenizer",
    "tokenizer_from_assets": "tokenizer",
}

__all__ = [
    "Characters",
    "Subwords",
    "TextStream",
    "Tokenizer",
    "Words",
    "make_tokenizer",
    "tokenizer_from_assets",
]

__getattr__, __dir__ = door(__name__, _HOMES)
