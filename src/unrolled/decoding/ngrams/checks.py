"""Bad settings and models that are no distribution, each as one plain line."""

from __future__ import annotations

import math
import os
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
    counts = settings["prune_counts"] or ()
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
