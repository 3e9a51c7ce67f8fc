"""The rivals of a translator: the source as it is, and a dictionary that goes word for word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from unrolled.baselines.ibm1 import Ibm1
from unrolled.baselines.rival import impossible, needed
from unrolled.baselines.strings import pack_strings, unpack_strings
from unrolled.data.tokens.word_pattern import join_keys
from unrolled.data.tokens.word_scan import WordScan
from unrolled.errors import DataError, NotFittedError


class CopySource:
    """Says the source again: names, numbers and marks are right, and what both languages share.

    What does not beat it has learnt nothing.
    """

    name = "copy of the source"

    def translate(self, texts: Iterable[str]) -> list[str]:
        """The texts as they are."""
        return list(texts)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Nothing was learnt: no arrays."""
        return {}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The rival; it reads no array."""
        return cls()


class WordForWord:
    """Translates each word by itself, in the order of the source.

        e(f) = argmax over e of t(e | f) t(f | e)

    where `t` is learnt by IBM model 1 in either direction (`Ibm1`): a translation must be likely
    from both sides. Words, numbers and marks are cut and set as in `data.tokens.Words`, and read in
    lower case; a translation is spelled as it most often is inside a sentence, with a capital
    where the source begins with one. An unknown word is copied.

    Args:
        most: words of the dictionary; of more the most frequent are kept.
        sample, seed: as of `Ibm1`.

    Attributes:
        learnt_from: pairs of sentences.
    """

    name = "word for word by IBM model 1"

    def __init__(
        self, *, most: int = 50_000, sample: int | None = 30_000_000, seed: int = 0
    ) -> None:
        self.most, self.sample, self.seed = most, sample, seed
        self.learnt_from = 0
        self._translations: dict[str, str] | None = None
        self._scan = WordScan(None)

    def fit(self, sources: Sequence[str], targets: Sequence[str]) -> Self:
        """Learns the dictionary.

        Args:
            sources, targets: sentences and their translations.

        Raises:
            DataError: other numbers of sources and targets, or no word on one of the sides.
        """
        said = [self._scan.keys(text) for text in targets]
        words, others = (
            [[key.lower() for key in row] for row in rows]
            for rows in (map(self._scan.keys, sources), said)
        )
        if not any(words):
            raise DataError("the sources hold no word; give at least one pair of sentences")
        forward, backward = (
            Ibm1(sample=self.sample, seed=self.seed).fit(*sides)
            for sides in ((words, others), (others, words))
        )
        self.learnt_from = forward.learnt_from
        back = {(f, e): share for e, f, share in zip(*backward.lexicon(), strict=True)}
        best: dict[str, tuple[float, float, str]] = {}
        for f, e, share in zip(*forward.lexicon(), strict=True):
            # Where no translation is likely from both sides, the likeliest from this one.
            own = (share * back.get((f, e), 0.0), share, e)
            if f not in best or own[:2] > best[f][:2]:
                best[f] = own
        counts = Counter(key for row in words for key in row if key in best)
        spelled = _spellings(said, {e for _, _, e in best.values()})
        self._translations = {f: spelled[best[f][2]] for f, _ in counts.most_common(self.most)}
        return self

    def translate(self, texts: Iterable[str]) -> list[str]:
        """The translation of each text, word for word.

        Raises:
            NotFittedError: before `fit`.
        """
        known, found = self._fitted(), []
        for text in texts:
            said = join_keys(known.get(key.lower(), key) for key in self._scan.keys(text))
            begins = text.lstrip()[:1].isupper()
            found.append(said[:1].upper() + said[1:] if begins else said)
        return found

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The dictionary as named arrays: two rows of strings.

        Raises:
            NotFittedError: before `fit`.
        """
        known = self._fitted()
        return {
            **pack_strings("words", list(known)),
            **pack_strings("translations", list(known.values())),
            "learnt_from": np.array([self.learnt_from]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The rival that `to_arrays` wrote; it says the same.

        Raises:
            ModelFileError: an array is missing, or the arrays do not belong together.
        """
        needed(arrays, ("learnt_from",), cls.__name__)
        words = unpack_strings("words", arrays, cls.__name__)
        translations = unpack_strings("translations", arrays, cls.__name__)
        learnt = np.asarray(arrays["learnt_from"])
        right = learnt.shape == (1,) and learnt.dtype.kind in "iu"
        if not right or len(words) != len(translations):
            names = ("words_offsets", "translations_offsets", "learnt_from")
            raise impossible(arrays, names, cls.__name__)
        rival = cls()
        rival._translations = dict(zip(words, translations, strict=True))
        rival.learnt_from = int(learnt[0])
        return rival

    def _fitted(self) -> dict[str, str]:
        if self._translations is None:
            raise NotFittedError("this WordForWord knows no words yet; call fit(sources, targets)")
        return self._translations


def _spellings(said: Sequence[Sequence[str]], wanted: set[str]) -> dict[str, str]:
    """Of each key in lower case how it is written most often.

    The first word of a sentence counts only where there is no other: its capital is the sentence's.
    """
    found: dict[str, str] = {}
    for parts in ((row[:1] for row in said), (row[1:] for row in said)):
        counts = Counter(chain.from_iterable(parts))
        # The most frequent comes last, and stays.
        found |= {key.lower(): key for key, _ in reversed(counts.most_common())}
    return {key: found[key] for key in wanted}
