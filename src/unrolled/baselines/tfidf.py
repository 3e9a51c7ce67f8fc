"""The rival of a text classifier: n-gram counts, weighted, and a logistic regression on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from unrolled.baselines.gram_counts import Analyzer, GramCounts
from unrolled.baselines.logistic import (
    Floats,
    Integers,
    Weights,
    choose,
    fit_sigmoids,
    fit_softmax,
    held_out,
    sigmoid,
    softmax,
)
from unrolled.baselines.rival import impossible, needed
from unrolled.baselines.strings import pack_strings, unpack_strings
from unrolled.errors import ConfigError, DataError, NotFittedError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Weighting = Literal["tfidf", "naive-bayes"]
Labels = Sequence[str] | Sequence[Sequence[str]]

# Inverse strengths of the decay that are tried: unit rows need little decay, 0/1 features more.
_GRID = {"tfidf": (1.0, 3.0, 10.0, 30.0, 100.0), "naive-bayes": (0.01, 0.03, 0.1, 0.3, 1.0)}
# Held out to choose by: this share, and no more rows than say enough.
_SHARE, _MOST_HELD_OUT = 0.1, 5_000
# So that a rival in a model file stays in the tens of megabytes: weights, and grams.
_MOST_WEIGHTS, _MOST_GRAMS = 8_000_000, 600_000


class TfidfLogistic:
    """Weighted n-gram counts and a logistic regression; hard to beat where texts are few or long.

    `weighting="tfidf"`: for a gram that stands `t` times in a text, and in `d` of `N` texts,

        x = (1 + log t) (1 + log((1 + N) / (1 + d))),   each row divided by its length

    `weighting="naive-bayes"`: a gram that stands there has the log of how many times as often it
    stands in the texts of a class as in the others; it is the stronger of the two on most
    sentiment. `p` counts the texts of the class that hold the gram, plus one; `q` those of others.

        x = log((p / |p|) / (q / |q|))

    One label a text: p = softmax(W x + b); naive Bayes with three classes or more has a sigmoid for
    each class against the rest, and divides them by their sum. Several labels: a sigmoid each.
    The strength of the decay is chosen on a tenth of the texts (stratified; at most 5,000), by
    accuracy and, of equals, the stronger decay; by the log loss where a text has several labels.

    Shapes: `N` texts, `C` classes.

    Args:
        ngrams: the shortest and the longest gram.
        analyzer: `"word"`, or `"char"` for short strings such as names.
        weighting: see above.
        min_count: in how many texts a gram must stand; None: 2, or 1 below 2,000 texts.
        sample: learn from at most so many texts, drawn by `seed`; `learnt_from` says how many.
        seed: of the sample, and of what is held out to choose by.

    After `fit`: `classes`, `several`, `c` (the inverse strength of the decay), `learnt_from`.

    Raises:
        ConfigError: an argument that can't work.

    Source: Wang and Manning, "Baselines and bigrams: simple, good sentiment and topic
    classification", ACL 2012 (log-count ratios); Mesnil et al., arXiv 1412.5335 (with a logistic
    regression).
    """

    def __init__(
        self,
        ngrams: tuple[int, int] = (1, 2),
        analyzer: Analyzer = "word",
        *,
        weighting: Weighting = "tfidf",
        min_count: int | None = None,
        sample: int | None = None,
        seed: int = 0,
    ) -> None:
        if weighting not in get_args(Weighting):
            raise ConfigError(f"weighting is {weighting!r}; choose 'tfidf' or 'naive-bayes'")
        if sample is not None and sample < 2:
            raise ConfigError(f"sample is {sample}; give 2 texts or more, or None for all")
        GramCounts(ngrams, analyzer, min_count or 1, 1)  # says what can't work before the reading
        self.ngrams, self.analyzer, self.weighting = ngrams, analyzer, weighting
        self.min_count, self.sample, self.seed = min_count, sample, seed
        self.classes: tuple[str, ...] = ()
        self.several = False
        self.c = float("nan")
        self.learnt_from = 0
        self._counts: GramCounts
        self._idf: Floats
        self._weights: Floats
        self._biases: Floats

    @property
    def name(self) -> str:
        """`TF-IDF (1-2 words) with logistic regression`."""
        kind = "TF-IDF" if self.weighting == "tfidf" else "naive-Bayes weights"
        unit = {"word": "words", "char": "characters"}[self.analyzer]
        shortest, longest = self.ngrams
        span = str(longest) if shortest == longest else f"{shortest}-{longest}"
        return f"{kind} ({span} {unit}) with logistic regression"

    def fit(self, texts: Sequence[str], labels: Labels, *, several: bool | None = None) -> Self:
        """Learns.

        Args:
            texts: `N` texts.
            labels: a name each, or with `several` any number of names each.
            several: None: what the labels look like.

        Raises:
            DataError: as many labels as texts are needed, two classes or more, and a gram that
                stands in `min_count` texts.
        """
        return self._fit(*self._read(texts, labels, several))

    def _read(
        self, texts: Sequence[str], labels: Labels, several: bool | None
    ) -> tuple[csr_array, NDArray[Any]]:
        """The counts `(N, F)` of the texts, and their classes as numbers."""
        if len(texts) != len(labels):
            raise DataError(f"got {len(texts)} texts and {len(labels)} labels; give one for each")
        if several is None:
            several = any(not isinstance(one, str) for one in labels)
        rows = _sampled(len(texts), self.sample, self.seed)
        texts, labels = [texts[row] for row in rows], [labels[row] for row in rows]
        self.several, self.learnt_from = several, len(texts)
        self.classes, targets = _numbered(labels, several)
        rarest = self.min_count or (2 if len(texts) >= 2_000 else 1)
        most = max(1_000, min(_MOST_GRAMS, _MOST_WEIGHTS // len(self.classes)))
        self._counts = GramCounts(self.ngrams, self.analyzer, rarest, most)
        return self._counts.fit_transform(texts), targets

    def _fit(self, counts: csr_array, targets: NDArray[Any]) -> Self:
        share = min(_SHARE, _MOST_HELD_OUT / len(targets))
        learn, apart = held_out(targets, share, self.seed)
        self.c, start = _GRID[self.weighting][1], None
        if len(apart):
            part = self._prepared(counts[learn], targets[learn])
            seen = self._features(counts[apart], part[0])
            found: dict[float, Weights] = {}

            def score(c: float) -> float:
                nearest = found[max(found)] if found else None
                found[c] = self._solved(part, targets[learn], c, nearest)
                return self._score(seen, found[c], targets[apart])

            self.c = choose(_GRID[self.weighting], score)
            start = found[self.c]
        whole = self._prepared(counts, targets)
        weights, biases = self._solved(whole, targets, self.c, start)
        self._idf = whole[0]
        self._weights, self._biases = weights.astype(np.float32), biases.astype(np.float32)
        return self

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """`(N, C)` float32: p of each class; rows add up to 1 unless `several`.

        Raises:
            NotFittedError: before `fit`.
        """
        self._check_fitted()
        features = self._features(self._counts.transform(texts), self._idf)
        return self._probabilities(features, self._weights, self._biases)

    def predict(self, texts: Sequence[str]) -> list[str] | list[tuple[str, ...]]:
        """The likeliest class of each text; with `several`, those with p of one half or more."""
        shares = self.predict_proba(texts)
        if not self.several:
            return [self.classes[place] for place in shares.argmax(axis=1)]
        return [
            tuple(name for name, p in zip(self.classes, row, strict=True) if p >= 0.5)
            for row in shares
        ]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted rival as named arrays.

        Raises:
            NotFittedError: before `fit`.
        """
        self._check_fitted()
        kinds = get_args(Weighting)
        return {
            **self._counts.to_arrays(),
            **pack_strings("classes", self.classes),
            "kind": np.array(
                [kinds.index(self.weighting), self.several, self.seed, self.learnt_from]
            ),
            "c": np.array([self.c]),
            "idf": self._idf,
            "weights": self._weights,
            "biases": self._biases,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The rival that `to_arrays` wrote; it gives the same probabilities, bit for bit.

        Raises:
            ModelFileError: an array is missing, or the arrays do not belong together.
        """
        needed(arrays, ("kind", "c", "idf", "weights", "biases"), cls.__name__)
        counts = GramCounts.from_arrays(arrays, cls.__name__)
        kind, c = np.asarray(arrays["kind"]), np.asarray(arrays["c"])
        idf, weights, biases = (
            np.asarray(arrays[name], dtype=np.float32) for name in ("idf", "weights", "biases")
        )
        classes = unpack_strings("classes", arrays, cls.__name__)
        kinds = get_args(Weighting)
        right = kind.shape == (4,) and c.shape == (1,) and 0 <= kind[0] < len(kinds)
        if not right or idf.shape != (counts.size,) or weights.shape != (len(biases), counts.size):
            raise impossible(arrays, ("kind", "c", "idf", "weights", "biases"), cls.__name__)
        if len(biases) != len(classes) and (len(biases), len(classes), kind[1]) != (1, 2, 0):
            raise impossible(arrays, ("weights", "biases", "classes_offsets"), cls.__name__)
        rival = cls(
            counts.ngrams,
            counts.analyzer,
            weighting=kinds[int(kind[0])],
            min_count=counts.min_count,
            seed=int(kind[2]),
        )
        rival.several, rival.learnt_from, rival.c = bool(kind[1]), int(kind[3]), float(c[0])
        rival.classes, rival._counts = classes, counts
        rival._idf, rival._weights, rival._biases = idf, weights, biases
        return rival

    def _check_fitted(self) -> None:
        if not self.classes:
            raise NotFittedError("this TfidfLogistic knows no texts yet; call fit(texts, labels)")

    def _features(self, counts: csr_array, idf: Floats) -> csr_array:
        """`(N, F)` float32: 0/1 for naive Bayes, whose ratios are part of the weights."""
        found = counts.astype(np.float32)
        if self.weighting == "naive-bayes":
            found.data = np.ones_like(found.data)
            return found
        found.data = (1 + np.log(found.data)) * idf[found.indices]
        squares = np.asarray(found.multiply(found).sum(axis=1)).ravel()
        lengths = np.sqrt(np.maximum(squares, 1e-12)).astype(np.float32)
        found.data /= np.repeat(lengths, np.diff(found.indptr))
        return found

    def _prepared(
        self, counts: csr_array, targets: NDArray[Any]
    ) -> tuple[Floats, csr_array, NDArray[np.float64]]:
        """The weight of each gram, the features, and the log-count ratios of each sigmoid."""
        texts = counts.shape[0]
        if self.weighting == "tfidf":
            held = np.bincount(counts.indices, minlength=counts.shape[1])
            idf = (1 + np.log((1 + texts) / (1 + held))).astype(np.float32)
            return idf, self._features(counts, idf), np.empty((0, counts.shape[1]))
        idf = np.ones(counts.shape[1], dtype=np.float32)
        features = self._features(counts, idf)
        members = self._members(targets).T.astype(np.float64)
        inside = 1 + np.asarray(members @ features)
        outside = 1 + np.asarray((1 - members) @ features)
        shares = [part / part.sum(axis=1, keepdims=True) for part in (inside, outside)]
        return idf, features, np.log(shares[0] / shares[1])

    def _members(self, targets: NDArray[Any]) -> NDArray[np.bool_]:
        """`(N, sigmoids)`: what each sigmoid is to tell; for two classes one, the second's."""
        if self.several:
            return targets
        if len(self.classes) == 2:
            return (targets == 1)[:, None]
        return targets[:, None] == np.arange(len(self.classes))

    def _solved(
        self,
        prepared: tuple[Floats, csr_array, NDArray[np.float64]],
        targets: NDArray[Any],
        c: float,
        start: Weights | None,
    ) -> Weights:
        _, features, ratios = prepared
        if self.weighting == "tfidf":
            if self.several:
                return fit_sigmoids([features], targets, c)
            return fit_softmax(features, targets, c, start)
        weighted = _Scaled(features, ratios)
        weights, biases = fit_sigmoids(weighted, self._members(targets), c)
        return weights * ratios, biases

    def _probabilities(self, features: csr_array, weights: Floats, biases: Floats) -> Floats:
        scores = np.asarray(features @ weights.T + biases, dtype=np.float32)
        if self.several:
            return sigmoid(scores)
        if self.weighting == "tfidf" or len(self.classes) == 2:
            return softmax(scores)
        shares = np.maximum(sigmoid(scores), np.float32(1e-30))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def _score(self, features: csr_array, solved: Weights, targets: NDArray[Any]) -> float:
        weights, biases = (part.astype(np.float32) for part in solved)
        shares = self._probabilities(features, weights, biases)
        if not self.several:
            return float((shares.argmax(axis=1) == targets).mean())
        right = np.where(targets, shares, 1 - shares)
        return float(np.log(np.maximum(right, 1e-7)).mean())


def fit_weightings(
    texts: Sequence[str], labels: Labels, *, several: bool | None = None, **options: Any
) -> dict[str, TfidfLogistic]:
    """A rival of each weighting, by its name; the texts are cut and counted once for all.

    Args:
        texts, labels, several: as for `TfidfLogistic.fit`.
        options: of `TfidfLogistic`.

    Raises:
        DataError: as `TfidfLogistic.fit` does.
    """
    rivals: dict[str, TfidfLogistic] = {}
    first = TfidfLogistic(**options)
    read = first._read(texts, labels, several)
    for weighting in get_args(Weighting):
        rival = copy(first)
        rival.weighting = weighting
        rivals[weighting] = rival._fit(*read)
    return rivals


class _Scaled(Sequence["csr_array"]):
    """The features times the ratios of each sigmoid, made one at a time: they are as large."""

    def __init__(self, features: csr_array, ratios: NDArray[np.float64]) -> None:
        self.features, self.ratios = features, ratios.astype(np.float32)

    def __len__(self) -> int:
        return len(self.ratios)

    def __getitem__(self, place: Any) -> Any:
        scaled = self.features.copy()
        scaled.data = scaled.data * self.ratios[place][scaled.indices]
        return scaled


def _sampled(texts: int, sample: int | None, seed: int) -> Integers:
    """The rows to learn from, in order."""
    if sample is None or texts <= sample:
        return np.arange(texts)
    return np.sort(np.random.default_rng(seed).permutation(texts)[:sample])


def _numbered(labels: Labels, several: bool) -> tuple[tuple[str, ...], NDArray[Any]]:
    """The classes, sorted, and `(N,)` their numbers, or `(N, C)` bool."""
    names = (
        {name for held in labels for name in held} if several else {str(name) for name in labels}
    )
    classes = tuple(sorted(names))
    if len(classes) < (1 if several else 2):
        raise DataError(
            f"the labels hold {len(classes)} class ({', '.join(classes)}); a rival needs two"
        )
    number = {name: place for place, name in enumerate(classes)}
    if not several:
        return classes, np.array([number[str(name)] for name in labels], dtype=np.int64)
    targets = np.zeros((len(labels), len(classes)), dtype=bool)
    for row, held in enumerate(labels):
        targets[row, [number[name] for name in held]] = True
    return classes, targets
