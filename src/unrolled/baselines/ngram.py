"""An n-gram language model with interpolated Kneser-Ney smoothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.baselines.grams import GramLevel, Integers, count_grams
from unrolled.baselines.smoothed_grams import (
    Discounts,
    Floats,
    SmoothedGrams,
    check_grams,
    estimated_discounts,
)
from unrolled.errors import ConfigError, DataError, ModelFileError, NotFittedError, ShapeError


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
        self._levels: list[SmoothedGrams] = []
        self._end = np.zeros(0, dtype=np.int64)  # The last tokens of the text that was counted.

    def fit(self, ids: ArrayLike, vocabulary_size: int) -> Self:
        """Counts the grams of a text.

        Args:
            ids: `(N,)` integers in `[0, vocabulary_size)`, the text's tokens in order.
            vocabulary_size: `V`, how many different tokens can occur, seen or not.

        Raises:
            DataError: an empty text, or an id outside the vocabulary.
        """
        tokens = _training_tokens(ids, vocabulary_size)
        return self._smooth(
            count_grams(tokens, vocabulary_size, self.order), tokens, vocabulary_size
        )

    def log2_probabilities(self, ids: ArrayLike, starts: ArrayLike | None = None) -> Floats:
        """`(N,)`: log2 p of each token after (at most `order - 1` of) those before it.

        Args:
            ids: `(N,)` tokens.
            starts: `(N,)` bool, where a new text begins: it is read as if it came after the text
                that was counted (`after_learnt`), without the tokens before it.
        """
        tokens = _checked_tokens(ids, self._fitted().vocabulary_size)
        probabilities = np.full(len(tokens), 1.0 / self.vocabulary_size)
        # contexts[i] numbers the gram that ends just before token i, or is -1 where it was never
        # seen.
        contexts = np.zeros(len(tokens), dtype=np.int64)
        before = [] if starts is None else self.after_learnt()[0].tolist()
        for place, level in enumerate(self._levels):
            grams = level.find(contexts, tokens)
            probabilities = level.weights[grams] + level.backoff[contexts] * probabilities
            contexts = np.concatenate(([-1], grams[:-1])) if len(grams) else grams
            if place < len(before):
                contexts[np.asarray(starts, dtype=bool)] = before[place]
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
        chances: Floats = self.predict(self.read(tokens[:, None], self.beginning()))[0]
        return chances

    def beginning(self, rows: int = 1) -> Integers:
        """Where `rows` streams are before their first token: `(B, order - 1)` numbers.

        The `k`-th is that of the gram of the last `k + 1` tokens, or -1 where it was never seen:
        all that a prediction depends on, whatever was read.
        """
        return np.full((rows, self._fitted().order - 1), -1, dtype=np.int64)

    def after_learnt(self, rows: int = 1) -> Integers:
        """Where `rows` streams are that begin at the end of the text that was counted, as numbers
        like those of `beginning`. Where texts were counted one after the other, another one begins
        there as they all do: after the end of one."""
        return self.read(np.repeat(self._end[:, None], rows, axis=1), self.beginning(rows))

    def read(self, ids: ArrayLike, contexts: Integers) -> Integers:
        """Where the streams are after the tokens `ids (N, B)`, from `contexts (B, order - 1)` on;
        only the last `order - 1` tokens matter."""
        tokens = np.asarray(ids, dtype=np.int64)
        reach = self._fitted().order - 1
        if len(tokens) >= reach:
            tokens, contexts = tokens[len(tokens) - reach :], self.beginning(tokens.shape[1])
        for row in tokens:
            before = contexts
            contexts = np.empty_like(before)
            prefixes = np.zeros(len(row), dtype=np.int64)
            for place, level in enumerate(self._levels[:reach]):
                contexts[:, place] = level.find(prefixes, row)
                prefixes = before[:, place]
        return contexts

    def has(self, contexts: NDArray[Any]) -> bool:
        """Whether these can be what `read` gave, of any number of streams."""
        reach = self._fitted().order - 1
        if contexts.ndim != 2 or contexts.shape[1] != reach or contexts.dtype.kind != "i":
            return False
        counts = [len(level.symbols) for level in self._levels[:reach]]
        return bool(((contexts >= -1) & (contexts < counts)).all())

    def predict(self, contexts: Integers) -> Floats:
        """`(B, V)`: each token's probability after `contexts (B, order - 1)`."""
        lowest, *longer = self._fitted()._levels
        backoffs = [level.backoff[contexts[:, place]] for place, level in enumerate(longer)]
        # What a gram adds is handed over by every longer context.
        handed = np.ones(len(contexts))
        parts: list[Floats] = []
        for backoff in reversed(backoffs):
            parts.append(handed)
            handed = handed * backoff
        probabilities: Floats = handed[:, None] * lowest.everything
        for place, (level, part) in enumerate(zip(longer, reversed(parts), strict=True)):
            for row in np.flatnonzero(contexts[:, place] >= 0):
                number = contexts[row, place]
                first, last = level.first[number], level.first[number + 1]
                probabilities[row, level.symbols[first:last]] += (
                    part[row] * level.weights[first:last]
                )
        return probabilities

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted model as named arrays of the smallest integer types that hold it."""
        self._fitted()
        arrays: dict[str, NDArray[Any]] = {
            "vocabulary_size": np.array([self.vocabulary_size], dtype=np.int64),
            "discounts": np.stack([level.discounts for level in self._levels]),
            "end": self._end,
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
            model._end = _checked_tokens(arrays.get("end", ()), vocabulary_size)
            prefixes = 1
            for length in range(1, order + 1):
                children, symbols, counts = (
                    np.asarray(arrays[f"{name}_{length}"])
                    for name in ("children", "symbols", "counts")
                )
                taken = discounts[length - 1]
                check_grams(children, symbols, counts, taken, vocabulary_size, prefixes)
                model._levels.append(
                    SmoothedGrams(
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
        except (ValueError, IndexError, TypeError, DataError, ShapeError) as error:
            raise ModelFileError(
                f"the n-gram model's arrays do not belong together ({error}); save the model again"
            ) from None
        return model

    def _smooth(self, counted: list[GramLevel], tokens: Integers, vocabulary_size: int) -> Self:
        """Takes the counts of the first `order` levels and turns them into probabilities."""
        self.vocabulary_size = int(vocabulary_size)
        self._end = tokens[len(tokens) - min(len(tokens), self.order - 1) :].copy()
        self._levels = []
        for length, level in enumerate(counted[: self.order], start=1):
            shorter = length < self.order and level.continuations is not None
            counts = level.continuations if shorter else level.occurrences
            assert counts is not None
            discounts = estimated_discounts(counts, self.discounts)
            self._levels.append(
                SmoothedGrams(level.children, level.symbols, counts, discounts, vocabulary_size)
            )
        return self

    def _fitted(self) -> Self:
        if not self._levels:
            raise NotFittedError(
                "this NGram has no counts yet; call fit(ids, vocabulary_size) first"
            )
        return self


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
    return [model._smooth(counted, tokens, vocabulary_size) for model in models]


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
