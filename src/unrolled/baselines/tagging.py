"""The rivals of a tagger: a word's most frequent tag, and a logistic regression on its window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from unrolled.baselines.logistic import Floats, Integers, fit_adaptively, softmax
from unrolled.baselines.rival import impossible, needed
from unrolled.baselines.sample import sampled
from unrolled.baselines.strings import pack_strings, unpack_strings
from unrolled.baselines.word_features import SIDES, WordFeatures
from unrolled.errors import DataError, NotFittedError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Sentences = Sequence[Sequence[str]]

_KINDS = 4  # how an unknown word may begin


class _TagRival:
    """What both rivals share: classes, and answers sentence by sentence."""

    classes: tuple[str, ...] = ()

    def predict_proba(self, sentences: Sentences) -> list[Floats]:
        """`(n, C)` float32 for each sentence of `n` words: p of each tag; rows add up to 1.

        Raises:
            NotFittedError: before `fit`.
        """
        if not self.classes:
            raise NotFittedError(
                f"this {type(self).__name__} knows no tags yet; call fit(sentences, tags)"
            )
        lengths = [len(words) for words in sentences]
        if not sum(lengths):
            return [np.empty((0, len(self.classes)), dtype=np.float32) for _ in lengths]
        return np.split(self._shares(sentences), np.cumsum(lengths)[:-1])

    def predict(self, sentences: Sentences) -> list[tuple[str, ...]]:
        """The likeliest tag of each word of each sentence."""
        return [
            tuple(self.classes[place] for place in shares.argmax(axis=1))
            for shares in self.predict_proba(sentences)
        ]

    def _shares(self, sentences: Sentences) -> Floats:
        """`(n, C)` over the words of all sentences."""
        raise NotImplementedError

    def _number(self, sentences: Sentences, tags: Sentences) -> Integers:
        """Sets the classes, sorted, and gives the tag of every word as its number."""
        if len(sentences) != len(tags):
            raise DataError(f"got {len(sentences)} sentences and tags of {len(tags)}")
        for row, (words, own) in enumerate(zip(sentences, tags, strict=True), 1):
            if len(words) != len(own):
                raise DataError(f"sentence {row} has {len(words)} words and {len(own)} tags")
        self.classes = tuple(sorted({tag for own in tags for tag in own}))
        if not self.classes:
            raise DataError("the sentences hold no word; give at least one with its tag")
        number = {tag: place for place, tag in enumerate(self.classes)}
        return np.array([number[tag] for own in tags for tag in own], dtype=np.int64)


class MostFrequentTag(_TagRival):
    """Gives each word the tag that it had most often, and an unknown word that of unknown words.

        p(tag | word) = (c(word, tag) + s(tag)) / (c(word) + 1)

    `s` is the share of each tag among the words that were seen once and that begin alike: with a
    capital, another letter, a digit, or a mark. So do unknown words look. A word that was never
    seen as it is written is read in lower case, if that was seen.

    Shapes: `V` words, `C` tags.
    """

    def __init__(self) -> None:
        self._words: dict[str, int] = {}
        self._table: Floats

    @property
    def name(self) -> str:
        """`most frequent tag`."""
        return "most frequent tag"

    def fit(self, sentences: Sentences, tags: Sentences) -> Self:
        """Counts.

        Raises:
            DataError: other numbers of sentences, words and tags, or no word at all.
        """
        numbers = self._number(sentences, tags)
        words = [word for own in sentences for word in own]
        self._words = {word: place for place, word in enumerate(sorted(set(words)))}
        size = len(self.classes)
        ids = np.array([self._words[word] for word in words])
        counts = np.bincount(ids * size + numbers, minlength=len(self._words) * size)
        counts = counts.reshape(-1, size).astype(np.float64)
        once = counts.sum(axis=1) == 1
        common = (counts[once] if once.any() else counts).sum(axis=0)
        begun = np.array([_beginning(word) for word in self._words])
        unknown = np.stack([counts[once & (begun == kind)].sum(axis=0) for kind in range(_KINDS)])
        # Where hardly any begins so, as all that were seen once.
        unknown += common / common.sum()
        unknown /= unknown.sum(axis=1, keepdims=True)
        shares = (counts + unknown[begun]) / (counts.sum(axis=1, keepdims=True) + 1)
        self._table = np.concatenate((shares, unknown)).astype(np.float32)
        return self

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted rival as named arrays; `table` ends with four rows, of unknown words."""
        if not self.classes:
            raise NotFittedError("this MostFrequentTag knows no tags yet; call fit")
        return {
            **pack_strings("words", list(self._words)),
            **pack_strings("classes", self.classes),
            "table": self._table,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The rival that `to_arrays` wrote; it gives the same probabilities, bit for bit.

        Raises:
            ModelFileError: an array is missing, or the arrays do not belong together.
        """
        needed(arrays, ("table",), cls.__name__)
        rival = cls()
        words = unpack_strings("words", arrays, cls.__name__)
        rival.classes = unpack_strings("classes", arrays, cls.__name__)
        rival._words = {word: place for place, word in enumerate(words)}
        rival._table = np.asarray(arrays["table"], dtype=np.float32)
        if rival._table.shape != (len(words) + _KINDS, len(rival.classes)) or not rival.classes:
            raise impossible(arrays, ("table", "words_offsets", "classes_offsets"), cls.__name__)
        return rival

    def _shares(self, sentences: Sentences) -> Floats:
        known = self._words
        places = []
        for word in (word for words in sentences for word in words):
            place = known.get(word)
            if place is None:
                place = known.get(word.lower(), len(known) + _beginning(word))
            places.append(place)
        return self._table[places]


class WindowTagger(_TagRival):
    """A logistic regression on the word, its parts, and the two words on either side.

        p = softmax(W x + b)

    `x` says which features a word has (`WordFeatures`): itself, its prefixes and suffixes of one to
    four characters, its shape; and of each word up to two places away, itself and its suffix. A
    feature must have been seen twice.

    Shapes: `F` features, `C` tags.

    Args:
        sample: learn from sentences of at most so many words together, drawn by `seed`;
            `learnt_from` says how many words it were. None: from all.
        seed: of the sample, and of the order in which the words are learnt.
    """

    def __init__(self, *, sample: int | None = 500_000, seed: int = 0) -> None:
        self.sample, self.seed = sample, seed
        self.learnt_from = 0
        self._features: WordFeatures
        self._weights: Floats
        self._biases: Floats

    @property
    def name(self) -> str:
        """`window of 5 words with logistic regression`."""
        return f"window of {len(SIDES) + 1} words with logistic regression"

    def fit(self, sentences: Sentences, tags: Sentences) -> Self:
        """Learns.

        Raises:
            DataError: other numbers of sentences, words and tags, or no word at all.
        """
        rows = sampled([len(words) for words in sentences], self.sample, self.seed)
        if len(sentences) == len(tags):
            tags = [tags[row] for row in rows]
            sentences = [sentences[row] for row in rows]
        numbers = self._number(sentences, tags)
        self.learnt_from = len(numbers)
        self._features = WordFeatures()
        found = self._features.fit_transform(sentences)
        weights, biases = fit_adaptively(found, numbers, len(self.classes), self.seed)
        self._weights, self._biases = weights.astype(np.float32), biases.astype(np.float32)
        return self

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted rival as named arrays."""
        if not self.classes:
            raise NotFittedError("this WindowTagger knows no tags yet; call fit")
        return {
            **self._features.to_arrays(),
            **pack_strings("classes", self.classes),
            "learnt_from": np.array([self.learnt_from]),
            "weights": self._weights,
            "biases": self._biases,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The rival that `to_arrays` wrote; it gives the same probabilities, bit for bit.

        Raises:
            ModelFileError: an array is missing, or the arrays do not belong together.
        """
        needed(arrays, ("learnt_from", "weights", "biases"), cls.__name__)
        rival = cls()
        rival._features = WordFeatures.from_arrays(arrays, cls.__name__)
        rival.classes = unpack_strings("classes", arrays, cls.__name__)
        rival._weights = np.asarray(arrays["weights"], dtype=np.float32)
        rival._biases = np.asarray(arrays["biases"], dtype=np.float32)
        learnt = np.asarray(arrays["learnt_from"])
        rows = len(rival.classes)
        right = rival._weights.shape == (rows, rival._features.size) and learnt.shape == (1,)
        if not right or rival._biases.shape != (rows,) or not rival.classes:
            raise impossible(arrays, ("weights", "biases", "learnt_from"), cls.__name__)
        rival.learnt_from = int(learnt[0])
        return rival

    def _shares(self, sentences: Sentences) -> Floats:
        found: csr_array = self._features.transform(sentences)
        scores = np.asarray(found @ self._weights.T + self._biases, dtype=np.float32)
        return softmax(scores, one_row=False)


def _beginning(word: str) -> int:
    """Whether a word begins with a capital, another letter, a digit or a mark, from 0."""
    first = word[:1]
    if first.isalpha():
        return 0 if first.isupper() else 1
    return 2 if first.isdigit() else 3
