"""An n-gram language model with interpolated Kneser-Ney smoothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.baselines.grams import GramLevel, Integers, count_grams
from unrolled.errors import ConfigError, DataError, ModelFileError, NotFittedError, ShapeError

Floats = NDArray[np.float64]
Discounts = Literal["one", "three"]

# What is taken off a count of 1, 2, and 3 or more where the text is too small to say.
_FALLBACK = np.array([0.5, 1.0, 1.5])


class NGram:
    """Predicts a token from the `order - 1` tokens before it, by interpolated Kneser-Ney smoothing.

    For a token `w` after a context `u`, where `u'` is `u` without its first token:

        p(w | u) = max(c(u w) - D, 0) / c(u) + gamma(u) p(w | u')
        gamma(u) = (sum of what the discounts took from the successors of u) / c(u)

    `c(u w)` counts occurrences for the longest context, and for every shorter one the different
    tokens that stand before `u w`. A context that was never seen hands over to the next shorter
    one; below the empty context stands the uniform distribution, so that no token has probability
    zero.

    `discounts="one"` takes one `D = n1 / (n1 + 2 n2)` per length, where `nj` is the number of grams
    with count `j` (Kneser and Ney 1995). `discounts="three"` takes one each for counts of 1, 2, and
    3 or more (modified Kneser-Ney). Where a text is too small to tell a discount, it is 0.5, 1 and
    1.5 instead.

    Shapes: `N` tokens, `V` vocabulary.

    Args:
        order: length of the longest gram: the context and the token it predicts. At least 1.
        discounts: `"one"` or `"three"` per length.

    Raises:
        ConfigError: an order below 1, or an unknown kind of discount.

    Source: Chen and Goodman, "An empirical study of smoothing techniques for language modeling",
    Harvard TR-10-98, 1998 (both kinds, in their interpolated form).
    """

    def __init__(self, order: int = 5, *, discounts: Discounts = "one") -> None:
        if order < 1:
            raise ConfigError(f"order is {order}; an n-gram model needs order 1 or more")
        if discounts not in get_args(Discounts):
            raise ConfigError(f"discounts is {discounts!r}; choose 'one' or 'three'")
        self.order = int(order)
        self.discounts: Discounts = discounts
        self.vocabulary_size = 0
        self._levels: list[_Smoothed] = []

    def fit(self, ids: ArrayLike, vocabulary_size: int) -> Self:
        """Counts the grams of a text.

        Args:
            ids: `(N,)` integers in `[0, vocabulary_size)`, the text's tokens in order.
            vocabulary_size: `V`, how many different tokens can occur, seen or not.

        Raises:
            DataError: an empty text, or an id outside the vocabulary.
        """
        tokens = _training_tokens(ids, vocabulary_size)
        return self._smooth(count_grams(tokens, vocabulary_size, self.order), vocabulary_size)

    def log2_probabilities(self, ids: ArrayLike) -> Floats:
        """`(N,)`: log2 p of each token after (at most `order - 1` of) those before it."""
        tokens = _checked_tokens(ids, self._fitted().vocabulary_size)
        probabilities = np.full(len(tokens), 1.0 / self.vocabulary_size)
        # contexts[i] numbers the gram that ends just before token i, or is -1 where it was never
        # seen.
        contexts = np.zeros(len(tokens), dtype=np.int64)
        for level in self._levels:
            grams = level.find(contexts, tokens)
            probabilities = level.weights[grams] + level.backoff[contexts] * probabilities
            contexts = np.concatenate(([-1], grams[:-1])) if len(grams) else grams
        return np.log2(probabilities)

    def bits_per_token(self, ids: ArrayLike) -> float:
        """Mean of `-log2 p` over the tokens of a text: the cross-entropy, in bits."""
        bits = self.log2_probabilities(ids)
        if not len(bits):
            raise DataError("the text to score has no tokens; give at least one")
        return float(-bits.mean())

    def next_probabilities(self, context: ArrayLike) -> Floats:
        """`(V,)`: each token's probability after `context`, `(N,)` token ids or none at all."""
        tokens = _checked_tokens(context, self._fitted().vocabulary_size)
        probabilities = np.full(self.vocabulary_size, 1.0 / self.vocabulary_size)
        for length, level in enumerate(self._levels[: len(tokens) + 1]):
            number = np.zeros(1, dtype=np.int64)
            for place, below in enumerate(self._levels[:length], start=len(tokens) - length):
                number = below.find(number, tokens[place : place + 1])
            if number[0] < 0:
                break  # A longer context that ends in an unseen one is unseen too.
            first, last = level.first[number[0] : number[0] + 2]
            probabilities *= level.backoff[number]
            probabilities[level.symbols[first:last]] += level.weights[first:last]
        return probabilities

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted model as named arrays of the smallest integer types that hold it."""
        self._fitted()
        arrays: dict[str, NDArray[Any]] = {
            "vocabulary_size": np.array([self.vocabulary_size], dtype=np.int64),
            "discounts": np.stack([level.discounts for level in self._levels]),
        }
        for length, level in enumerate(self._levels, start=1):
            arrays[f"children_{length}"] = _smallest(np.diff(level.first))
            arrays[f"symbols_{length}"] = _smallest(level.symbols)
            arrays[f"counts_{length}"] = _smallest(level.counts)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model that `to_arrays` wrote; it gives the same probabilities, bit for bit.

        Raises:
            ModelFileError: an array is missing, or the arrays do not belong together.
        """
        try:
            vocabulary_size = int(arrays["vocabulary_size"][0])
            discounts = np.asarray(arrays["discounts"], dtype=np.float64)
            order = len(discounts)
            model = cls(order, discounts="one" if np.ptp(discounts, axis=1).max() == 0 else "three")
            if vocabulary_size < 1:
                raise ValueError("the vocabulary is empty")
            model.vocabulary_size = vocabulary_size
            prefixes = 1
            for length in range(1, order + 1):
                children, symbols, counts = (
                    np.asarray(arrays[f"{name}_{length}"])
                    for name in ("children", "symbols", "counts")
                )
                taken = discounts[length - 1]
                _check_level(children, symbols, counts, taken, vocabulary_size, prefixes)
                model._levels.append(
                    _Smoothed(
                        children.astype(np.int64),
                        symbols.astype(np.int64),
                        counts.astype(np.int64),
                        taken,
                        vocabulary_size,
                    )
                )
                prefixes = len(symbols)
        except KeyError as missing:
            raise ModelFileError(
                f"the n-gram model lacks the array {missing}; "
                "the file is truncated or of another kind"
            ) from None
        except (ValueError, IndexError, TypeError) as error:
            raise ModelFileError(
                f"the n-gram model's arrays do not belong together ({error}); save the model again"
            ) from None
        return model

    def _smooth(self, counted: list[GramLevel], vocabulary_size: int) -> Self:
        """Takes the counts of the first `order` levels and turns them into probabilities."""
        self.vocabulary_size = int(vocabulary_size)
        self._levels = []
        for length, level in enumerate(counted[: self.order], start=1):
            shorter = length < self.order and level.continuations is not None
            counts = level.continuations if shorter else level.occurrences
            assert counts is not None
            discounts = _discounts(counts, self.discounts)
            self._levels.append(
                _Smoothed(level.children, level.symbols, counts, discounts, vocabulary_size)
            )
        return self

    def _fitted(self) -> Self:
        if not self._levels:
            raise NotFittedError(
                "this NGram has no counts yet; call fit(ids, vocabulary_size) first"
            )
        return self


class _Smoothed:
    """The grams of one length with what each adds to a probability.

    Shapes: `P` grams one token shorter, `G` grams of this length. `weights` and `backoff` carry one
    more entry at the end, which the number -1 ("never seen") reads: nothing added, all handed over.
    """

    def __init__(
        self,
        children: Integers,
        symbols: Integers,
        counts: Integers,
        discounts: Floats,
        vocabulary_size: int,
    ) -> None:
        prefixes = np.repeat(np.arange(len(children)), children)
        self.symbols = symbols
        self.counts = counts
        self.discounts = discounts
        self.vocabulary_size = vocabulary_size
        self.first = np.concatenate(([0], np.cumsum(children)))
        self.keys = prefixes * vocabulary_size + symbols
        taken = discounts[np.minimum(counts, 3) - 1]
        # A prefix that only ends the text has no successors: it hands everything over.
        totals = np.bincount(prefixes, weights=counts, minlength=len(children))
        handed = np.bincount(prefixes, weights=taken, minlength=len(children))
        backoff = np.divide(handed, totals, out=np.ones(len(children)), where=totals > 0)
        self.weights = np.append((counts - taken) / totals[prefixes], 0.0)
        self.backoff = np.append(backoff, 1.0)

    def find(self, prefixes: Integers, symbols: Integers) -> Integers:
        """The number of each gram (prefix, symbol), or -1 where there is none."""
        if not len(self.keys):
            return np.full(len(prefixes), -1, dtype=np.int64)
        wanted = prefixes * self.vocabulary_size + symbols  # Below 0, so not found, after -1.
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[places] == wanted, places, -1)


def bits_by_order(
    train: ArrayLike,
    validation: ArrayLike,
    vocabulary_size: int,
    orders: Iterable[int] = range(2, 9),
    *,
    discounts: Discounts = "one",
) -> dict[int, float]:
    """Bits per token on `validation` of the model of each order, from one count of `train`."""
    return {
        model.order: model.bits_per_token(validation)
        for model in _models(train, vocabulary_size, orders, discounts)
    }


def choose_order(
    train: ArrayLike,
    validation: ArrayLike,
    vocabulary_size: int,
    orders: Iterable[int] = range(2, 9),
    *,
    discounts: Discounts = "one",
    refit: bool = False,
) -> NGram:
    """The model of the order that gives `validation` the fewest bits; of equals, the lowest.

    Args:
        train: `(N,)` tokens to count.
        validation: `(M,)` tokens that are scored and, unless `refit`, never counted.
        vocabulary_size: `V`, how many different tokens can occur.
        orders: the orders to try.
        discounts: as for `NGram`.
        refit: count `train` and `validation` together, in that order, for the model that is
            returned.

    Raises:
        ConfigError: no orders to choose from.
        DataError: an empty text, or an id outside the vocabulary.
    """
    scored = [
        (model.bits_per_token(validation), model.order, model)
        for model in _models(train, vocabulary_size, orders, discounts)
    ]
    best = min(scored, key=lambda entry: entry[:2])[2]
    if refit:
        best.fit(np.concatenate((np.asarray(train), np.asarray(validation))), vocabulary_size)
    return best


def _models(
    train: ArrayLike, vocabulary_size: int, orders: Iterable[int], discounts: Discounts
) -> list[NGram]:
    """One model of each order; the text is counted once, for the longest."""
    models = [NGram(order, discounts=discounts) for order in sorted(set(orders))]
    if not models:
        raise ConfigError("orders is empty; give at least one order to choose from")
    tokens = _training_tokens(train, vocabulary_size)
    counted = count_grams(tokens, vocabulary_size, models[-1].order)
    return [model._smooth(counted, vocabulary_size) for model in models]


def _discounts(counts: Integers, kind: Discounts) -> Floats:
    """`(3,)`: what to take off a count of 1, of 2, and of 3 or more."""
    n1, n2, n3, n4 = (float((counts == j).sum()) for j in (1, 2, 3, 4))
    if not n1 or not n2:
        return _FALLBACK[[0, 0, 0]] if kind == "one" else _FALLBACK.copy()
    base = n1 / (n1 + 2 * n2)
    if kind == "one":
        return np.full(3, base)
    raised = np.array(
        [
            1 - 2 * base * n2 / n1,
            2 - 3 * base * n3 / n2,
            3 - 4 * base * n4 / n3 if n3 else np.nan,
        ]
    )
    usable = (raised > 0) & (raised <= [1, 2, 3])
    return np.where(usable, raised, _FALLBACK)


def _check_level(
    children: NDArray[Any],
    symbols: NDArray[Any],
    counts: NDArray[Any],
    discounts: Floats,
    vocabulary_size: int,
    prefixes: int,
) -> None:
    """Raises ValueError unless the arrays describe grams on top of `prefixes` shorter ones."""
    if any(
        array.ndim != 1 or array.dtype.kind not in "iu" for array in (children, symbols, counts)
    ):
        raise ValueError("an array is not a row of integers")
    if len(children) != prefixes or not len(symbols) == len(counts) == int(children.sum()):
        raise ValueError("the lengths differ")
    if len(symbols) and not (symbols.min() >= 0 and symbols.max() < vocabulary_size):
        raise ValueError("a symbol lies outside the vocabulary")
    if len(counts) and not counts.min() > 0:
        raise ValueError("a count is below 1")
    if not ((discounts > 0) & (discounts <= [1, 2, 3])).all():
        raise ValueError("a discount is out of range")
    owners = np.repeat(np.arange(prefixes), children)
    if not (np.diff(owners * vocabulary_size + symbols.astype(np.int64)) > 0).all():
        raise ValueError("the grams are not sorted")


def _training_tokens(ids: ArrayLike, vocabulary_size: int) -> Integers:
    if vocabulary_size < 1:
        raise ConfigError(f"vocabulary_size is {vocabulary_size}; it must be 1 or more")
    tokens = _checked_tokens(ids, vocabulary_size)
    if not len(tokens):
        raise DataError("the text to learn from has no tokens; give at least one")
    return tokens


def _checked_tokens(ids: ArrayLike, vocabulary_size: int) -> Integers:
    tokens = np.asarray(ids)
    if tokens.ndim != 1:
        raise ShapeError(f"token ids have the shape {tokens.shape}; expected one dimension, (N,)")
    if tokens.size and tokens.dtype.kind not in "iu":
        raise DataError(f"token ids have the type {tokens.dtype}; expected integers")
    tokens = tokens.astype(np.int64)
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < vocabulary_size:
        wrong = int(np.flatnonzero((tokens < 0) | (tokens >= vocabulary_size))[0])
        raise DataError(
            f"token {wrong} has the id {tokens[wrong]}, outside 0 to {vocabulary_size - 1}; "
            "encode the text with the vocabulary that the model was given"
        )
    return tokens


def _smallest(numbers: Integers) -> NDArray[Any]:
    """The same numbers in the smallest unsigned type that holds them."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))
