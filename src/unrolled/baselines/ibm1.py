"""IBM model 1: which word translates which, learnt from pairs of sentences alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from unrolled.baselines.cooccurrence import (
    Cells,
    Integers,
    Sentences,
    Token,
    Vocabulary,
    distinct,
    lengths_of,
    narrow,
)
from unrolled.baselines.rival import impossible, needed
from unrolled.baselines.sample import sampled
from unrolled.baselines.strings import pack_strings, unpack_strings
from unrolled.errors import ConfigError, DataError, NotFittedError

Floats = NDArray[np.float32]

# `posteriors_of` lays out so many pairs of sentences at a time.
_CHUNK = 20_000


class Ibm1:
    """Each target word comes from one source word, or from the empty word NULL, whichever it is.

        p(y_1 ... y_m | x_1 ... x_l) = prod over j of 1 / (l + 1) sum over i of t(y_j | x_i)

    where the sum is over the `l` source words and NULL. EM finds the table `t`. The posterior of
    `y_j` coming from `x_i` is

        a_ji = t(y_j | x_i) / sum over k of t(y_j | x_k)

    and the next `t(e | f)` is the sum of `a_ji` over all places where `y_j = e` and `x_i = f`,
    divided by the same sum for every `e`. At first all target words are equally likely.

    Words are strings or whole numbers, alike in all sentences of a side. After the last iteration
    each source word (and NULL) keeps its `most` likeliest translations, of those that have at least
    the probability `least`: the whole table would be too large for a model file.

    Shapes: `l` words of a source, `m` of its target; `K` entries of the table.

    Args:
        iterations: of EM.
        most: translations that a word keeps.
        least: probability that a translation must have.
        sample: learn from pairs of sentences of at most so many pairs of words together, drawn by
            `seed`; `learnt_from` says how many pairs of sentences it were. None: from all.
        seed: of the sample.

    Attributes:
        log_likelihoods: the mean of log p(y_j | x) over the target words in nats, by the table that
            each iteration began with.
        learnt_from: pairs of sentences.

    Source: Brown, Della Pietra, Della Pietra & Mercer 1993.
    """

    def __init__(
        self,
        *,
        iterations: int = 5,
        most: int = 20,
        least: float = 1e-3,
        sample: int | None = 30_000_000,
        seed: int = 0,
    ) -> None:
        if iterations < 1 or most < 1 or (sample is not None and sample < 1):
            raise ConfigError(
                f"iterations is {iterations}, most {most} and sample {sample}; give 1 or more"
            )
        if not 0 <= least < 1:
            raise ConfigError(f"least is {least}; give a probability, 0 or more and below 1")
        self.iterations, self.most, self.least = int(iterations), int(most), float(least)
        self.sample, self.seed = sample, seed
        self.log_likelihoods: tuple[float, ...] = ()
        self.learnt_from = 0
        self._sources: Vocabulary | None = None
        self._targets: Vocabulary
        # Sorted keys of source and target, and the probability of each; NULL is the last source.
        self._keys: Integers
        self._table: Floats

    def fit(self, sources: Sentences, targets: Sentences) -> Self:
        """Learns the table.

        Args:
            sources, targets: the words of each sentence, and of its translation.

        Raises:
            DataError: other numbers of sources and targets, no word in the targets, or words of
                several kinds.
        """
        if len(sources) != len(targets):
            raise DataError(f"got {len(sources)} sources and {len(targets)} targets; give pairs")
        sizes = (lengths_of(sources) + 1) * lengths_of(targets)
        rows = sampled(sizes.tolist(), self.sample, self.seed)
        if len(rows) < len(sizes):
            sources, targets = [sources[row] for row in rows], [targets[row] for row in rows]
        known, targets_known = Vocabulary.of(sources), Vocabulary.of(targets)
        if not len(targets_known):
            raise DataError("the targets hold no word; give at least one pair of sentences")
        self._sources, self._targets, self.learnt_from = known, targets_known, len(sources)
        cells = _cells(sources, targets, known, targets_known)
        first, second, entry = distinct(cells.sources, cells.targets)
        table = self._maximise(first, entry, cells.sizes)
        kept = _likeliest(first, table, self.most, self.least)
        self._keys = _keys(first[kept], second[kept], targets_known)
        self._table = table[kept].astype(np.float32)
        return self

    def translations(self, word: Token | None, k: int = 5) -> list[tuple[Token, float]]:
        """The `k` likeliest translations of a source word (None: of NULL) with t; none if unknown.

        Raises:
            NotFittedError: before `fit`.
        """
        known = self._fitted()
        number = len(known) if word is None else int(known.numbers([[word]])[0])
        if word is not None and number == len(known):
            return []
        stride = len(self._targets) + 1
        begin, end = np.searchsorted(self._keys, [number * stride, (number + 1) * stride])
        own = self._table[begin:end]
        best = np.argsort(-own, kind="stable")[:k]
        tokens = self._targets.tokens
        return [
            (tokens[int(self._keys[begin + place] % stride)], float(own[place])) for place in best
        ]

    def posteriors(self, source: Sequence[Token], target: Sequence[Token]) -> Floats:
        """`(m, l + 1)` the weight of each source word for each target word; NULL comes last.

        Rows add up to 1. A target word that neither a source word nor NULL explains is NULL's.

        Raises:
            NotFittedError: before `fit`.
        """
        return self.posteriors_of([(source, target)])[0]

    def posteriors_of(
        self, pairs: Sequence[tuple[Sequence[Token], Sequence[Token]]]
    ) -> list[Floats]:
        """`posteriors` of many pairs of sentences, much faster than one by one."""
        known, found = self._fitted(), []
        for begin in range(0, len(pairs), _CHUNK):
            part = pairs[begin : begin + _CHUNK]
            sources, targets = [one for one, _ in part], [one for _, one in part]
            cells = _cells(sources, targets, known, self._targets)
            weights = self._lookup(cells)
            ends = np.cumsum(cells.sizes)
            sums = np.add.reduceat(weights, ends - cells.sizes) if len(ends) else weights
            weights[ends - 1] += sums == 0
            weights /= np.repeat(np.where(sums == 0, 1, sums), cells.sizes)
            widths = [len(one) + 1 for one in sources]
            heights = [len(one) for one in targets]
            places = np.cumsum(np.multiply(widths, heights))[:-1]
            found += [
                own.reshape(height, width)
                for own, height, width in zip(
                    np.split(weights, places), heights, widths, strict=True
                )
            ]
        return found

    def align(self, source: Sequence[Token], target: Sequence[Token]) -> Integers:
        """`(m,)` the place of the source word that each target word comes from; -1 for NULL.

        Of equals it is the first, and NULL the last.

        Raises:
            NotFittedError: before `fit`.
        """
        best = self.posteriors(source, target).argmax(axis=1)
        return np.where(best == len(source), -1, best)

    def lexicon(self) -> tuple[NDArray[Any], NDArray[Any], Floats]:
        """The table without NULL: source words `(K,)`, target words `(K,)`, t(target | source).

        Sorted by source word and target word. Strings are objects, numbers int64.

        Raises:
            NotFittedError: before `fit`.
        """
        known = self._fitted()
        first, second = np.divmod(self._keys, len(self._targets) + 1)
        words = first < len(known)
        return (
            known.array()[first[words]],
            self._targets.array()[second[words]],
            self._table[words],
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted table as named arrays; entries of a source word follow each other.

        Raises:
            NotFittedError: before `fit`.
        """
        known = self._fitted()
        first, second = np.divmod(self._keys, len(self._targets) + 1)
        return {
            **_pack("sources", known),
            **_pack("targets", self._targets),
            "entries": np.bincount(first, minlength=len(known) + 1).astype(np.int32),
            "translations": second.astype(np.int32),
            "probabilities": self._table,
            "learnt_from": np.array([self.learnt_from]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model that `to_arrays` wrote; it gives the same numbers, bit for bit.

        Raises:
            ModelFileError: an array is missing, or the arrays do not belong together.
        """
        names = ("entries", "translations", "probabilities", "learnt_from")
        needed(arrays, names, cls.__name__)
        model = cls()
        known = model._sources = _unpack("sources", arrays, cls.__name__)
        model._targets = _unpack("targets", arrays, cls.__name__)
        entries, second, learnt = (np.asarray(arrays[names[place]]) for place in (0, 1, 3))
        model._table = np.asarray(arrays["probabilities"], dtype=np.float32)
        right = bool(
            all(one.dtype.kind in "iu" for one in (entries, second, learnt))
            and entries.shape == (len(known) + 1,)
            and learnt.shape == (1,)
            and second.shape == model._table.shape == (int(entries.sum()),)
            and second.size > 0
            and ((model._table >= 0) & (model._table <= 1)).all()
            and (entries >= 0).all()
            and (second >= 0).all()
            and (second < len(model._targets)).all()
        )
        if right:
            first = np.repeat(np.arange(len(entries)), entries)
            model._keys = _keys(first, second, model._targets)
            right = bool((np.diff(model._keys) > 0).all())
        if not right:
            raise impossible(arrays, names, cls.__name__)
        model.learnt_from = int(learnt[0])
        return model

    def _maximise(self, first: Integers, entry: Integers, sizes: Integers) -> NDArray[np.float64]:
        """EM: the probability of each entry.

        Args:
            first: `(K,)` the source word of each entry.
            entry: `(C,)` the entry of each cell.
            sizes: `(M,)` the cells of each target word.
        """
        table = np.full(len(first), 1 / len(self._targets))
        begins, found = np.cumsum(sizes) - sizes, []
        for _ in range(self.iterations):
            weights = table[entry]
            sums = np.add.reduceat(weights, begins)
            found.append(float(np.log(sums / sizes).mean()))
            weights /= np.repeat(sums, sizes)
            counts = np.bincount(entry, weights=weights, minlength=len(table))
            table = counts / np.bincount(first, weights=counts)[first]
        self.log_likelihoods = tuple(found)
        return table

    def _lookup(self, cells: Cells) -> Floats:
        """`(C,)` t of each cell, 0 of what is not in the table."""
        keys = _keys(cells.sources, cells.targets, self._targets)
        place = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
        return np.where(self._keys[place] == keys, self._table[place], np.float32(0))

    def _fitted(self) -> Vocabulary:
        if self._sources is None:
            raise NotFittedError("this Ibm1 knows no words yet; call fit(sources, targets)")
        return self._sources


def _cells(
    sources: Sentences, targets: Sentences, known: Vocabulary, targets_known: Vocabulary
) -> Cells:
    """The cells of pairs of sentences; NULL has the number after the known words, and what is
    unknown the one after that."""
    null, size = len(known), len(targets_known)
    numbers = known.numbers(sources)
    numbers[numbers == null] = null + 1
    return Cells.of(
        narrow(numbers, null + 1),
        lengths_of(sources),
        narrow(targets_known.numbers(targets), size),
        lengths_of(targets),
        null,
    )


def _keys(first: NDArray[Any], second: NDArray[Any], targets: Vocabulary) -> Integers:
    """One number for a pair of numbers, with room for an unknown target."""
    return first.astype(np.int64) * (len(targets) + 1) + second


def _likeliest(first: Integers, table: NDArray[np.float64], most: int, least: float) -> Integers:
    """The entries to keep, in order: of each source word the `most` likeliest that are possible."""
    order = np.lexsort((-table, first))
    owner = first[order]
    begins = np.flatnonzero(np.diff(owner, prepend=-1))
    rank = np.arange(len(order)) - np.repeat(begins, np.diff(begins, append=len(order)))
    # The likeliest one stays, so that every word has a translation.
    return np.sort(order[(rank == 0) | ((rank < most) & (table[order] >= least))])


def _pack(name: str, words: Vocabulary) -> dict[str, NDArray[Any]]:
    if isinstance(words.tokens, np.ndarray):
        return {name: words.tokens}
    return pack_strings(name, words.tokens)


def _unpack(name: str, arrays: Mapping[str, NDArray[Any]], model: str) -> Vocabulary:
    if name not in arrays:
        return Vocabulary(unpack_strings(name, arrays, model))
    tokens = np.asarray(arrays[name])
    right = tokens.ndim == 1 and tokens.dtype.kind in "iu" and tokens.size > 0
    if not right or (tokens[1:] <= tokens[:-1]).any():
        raise impossible(arrays, (name,), model)
    return Vocabulary(tokens.astype(np.int64))
