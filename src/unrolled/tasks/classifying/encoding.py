"""Texts as the token numbers that a `Classifier` reads."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from unrolled.data.tokens import Tokenizer

# What every document begins with, so that an empty one has an answer too.
OPENING = "\n"


def opening(tokenizer: Tokenizer) -> np.ndarray:
    """The token that every document begins with, int64 `(1,)`, as a `Generator` learns it."""
    return tokenizer.encode(OPENING)[:1]


def document(tokenizer: Tokenizer, text: str) -> np.ndarray:
    """Token numbers of a whole document, int64 `(1 + n,)`."""
    return np.concatenate([opening(tokenizer), tokenizer.encode(text)])


def cropped(tokens: np.ndarray, most: int | None) -> np.ndarray:
    """A long document's first quarter and last three quarters of `most` tokens: opinions stand at
    the beginning and, more often, at the end."""
    if most is None or len(tokens) <= most:
        return tokens
    head = most // 4
    return np.concatenate([tokens[:head], tokens[len(tokens) - (most - head) :]])


def documents(tokenizer: Tokenizer, texts: Iterable[str]) -> list[np.ndarray]:
    """Each text's tokens, int32 to keep many of them."""
    return [document(tokenizer, text).astype(np.int32) for text in texts]
