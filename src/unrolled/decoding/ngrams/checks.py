"""Bad settings and models that are no distribution, each as one plain line."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from unrolled.decoding.ngrams.sums import TOLERANCE, context_sums
from unrolled.decoding.ngrams.trie import Trie
from unrolled.decoding.ngrams.vocabulary import Vocabulary
from unrolled.errors import ConfigError, DataError


def check_settings(settings: dict[str, Any]) -> None:
    """Raises ConfigError for arguments of `NGramModel` that can't work."""
    for name in ("order", "vocabulary_size", "min_count"):
        value = settings[name]
        if value is None and name == "vocabulary_size":
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigError(f"{name} is {value!r}; give a whole number of 1 or more")
    counts = settings["prune_counts"]
    counts = () if counts is None else counts
    if isinstance(counts, str) or not isinstance(counts, Sequence):
        raise ConfigError(f"prune_counts is {counts!r}; give whole numbers, as in (0, 0, 1)")
    if any(isinstance(one, bool) or not isinstance(one, int) or one < 0 for one in counts):
        raise ConfigError(f"prune_counts is {list(counts)!r}; give whole numbers of 0 or more")
    if counts and (counts[0] or list(counts) != sorted(counts)):
        raise ConfigError(
            f"prune_counts is {list(counts)!r}; the first must be 0 (min_count leaves single tokens"
            " out) and none below the one before it, as in 0, 0, 1"
        )
    entropy = settings["prune_entropy"]
    if not isinstance(entropy, (int, float)) or not 0 <= entropy < math.inf:
        raise ConfigError(f"prune_entropy is {entropy!r}; give a share of 0 or more, such as 1e-8")


def check_holdout(holdout: Any) -> None:
    """Raises ConfigError for a share of sentences that can't be held out."""
    number = isinstance(holdout, int | float | np.number) and not isinstance(holdout, bool)
    if not number or not 0 <= holdout <= 0.5:
        raise ConfigError(f"holdout is {holdout!r}; give a share from 0 to 0.5")


def check_texts(texts: Any, what: str) -> list[str]:
    """The texts of a list or any other iterable; ConfigError where they are none."""
    found = list(texts) if isinstance(texts, Iterable) else [texts]
    bad = [one for one in found if not isinstance(one, str)]
    if bad or not isinstance(texts, Iterable):
        got = type((bad or found)[0]).__name__
        raise ConfigError(f"{what}: got {got}, expected a text or several")
    return found


def check_token(token: Any, size: int) -> None:
    """Raises ConfigError for what is no number of a vocabulary of so many tokens."""
    if isinstance(token, bool) or not isinstance(token, int | np.integer):
        raise ConfigError(f"token is {token!r}; give a token or its number")
    if not 0 <= token < size:
        raise ConfigError(
            f"token {token} is not in the vocabulary: it has {size:,} tokens,"
            " numbered from 0; take the numbers from this model's vocabulary"
        )


def check_state(state: Any, size: int) -> None:
    """Raises ConfigError for what is no node of a trie of so many."""
    number = isinstance(state, int | np.integer) and not isinstance(state, bool)
    if not number or not 0 <= state < size:
        raise ConfigError(f"state is {state!r}, expected what start() or step() of this model gave")


def check_sums(trie: Trie, vocabulary: Vocabulary, path: str | os.PathLike[str]) -> None:
    """Raises DataError that names the context whose sum is farthest from 1, where it is too far."""
    sums = context_sums(trie)
    apart = np.abs(sums - 1)
    worst = int(np.argmax(apart))
    if apart[worst] <= TOLERANCE:
        return
    context = " ".join(vocabulary.tokens[token] for token in trie.gram(worst))
    place = f"after {context!r}" if context else "of single words"
    raise DataError(
        f"the probabilities {place} sum to {sums[worst]:.4g}, expected 1: the back-off weights are"
        " not those of these grams; make the file anew, or take it as it is with"
        " check=False (--unchecked)",
        file=path,
    )
