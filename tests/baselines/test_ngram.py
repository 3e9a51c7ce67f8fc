"""Kneser-Ney against a slow dictionary of counts, and the laws of a probability."""

from __future__ import annotations

from collections import Counter, defaultdict
from pydoc_data.topics import topics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from unrolled.baselines import NGram, bits_by_order, choose_order
from unrolled.errors import ConfigError, DataError, ModelFileError, NotFittedError, ShapeError

KINDS = pytest.mark.parametrize("discounts", ["one", "three"])


class SlowKneserNey:
    """The same model, written from the paper's definitions with dictionaries and recursion."""

    def __init__(self, text: list[int], vocabulary_size: int, order: int, kind: str) -> None:
        self.vocabulary_size = vocabulary_size
        self.counts: list[dict[tuple[int, ...], int]] = []
        for length in range(1, order + 1):
            grams = [tuple(text[i : i + length]) for i in range(len(text) - length + 1)]
            if length == order:
                self.counts.append(Counter(grams))
                continue
            before = defaultdict(set)
            for start, gram in enumerate(grams):
                before[gram].add(text[start - 1] if start else "beginning")
            self.counts.append({gram: len(tokens) for gram, tokens in before.items()})
        self.discounts = [self.estimate(counts, kind) for counts in self.counts]

    @staticmethod
    def estimate(counts: dict[tuple[int, ...], int], kind: str) -> tuple[float, float, float]:
        n = Counter(counts.values())
        fallback = (0.5, 1.0, 1.5) if kind == "three" else (0.5, 0.5, 0.5)
        if n[1] == 0 or n[2] == 0:
            return fallback
        y = n[1] / (n[1] + 2 * n[2])
        if kind == "one":
            return (y, y, y)
        found = [j - (j + 1) * y * n[j + 1] / n[j] if n[j] else -1.0 for j in (1, 2, 3)]
        return tuple(d if 0 < d <= j + 1 else fallback[j] for j, d in enumerate(found))

    def probability(self, context: tuple[int, ...], token: int) -> float:
        length = len(context)
        shorter = self.probability(context[1:], token) if context else 1 / self.vocabulary_size
        successors = {g: c for g, c in self.counts[length].items() if g[:-1] == context}
        if not successors:
            return shorter
        off = {g: self.discounts[length][min(c, 3) - 1] for g, c in successors.items()}
        total = sum(successors.values())
        gram = (*context, token)
        own = successors[gram] - off[gram] if gram in successors else 0.0
        return own / total + sum(off.values()) / total * shorter


def texts(vocabulary_size: int, longest: int = 40, shortest: int = 1) -> st.SearchStrategy:
    return st.lists(st.integers(0, vocabulary_size - 1), min_size=shortest, max_size=longest)


@pytest.fixture(scope="module")
def python_text() -> tuple[np.ndarray, np.ndarray, int]:
    """The first 120,000 characters of Python's documentation as ids: train, validation, V."""
    text = "\n\n".join(topics.values())[:120_000]
    symbols, ids = np.unique(list(text), return_inverse=True)
    return ids[:100_000], ids[100_000:], len(symbols)


@KINDS
@settings(max_examples=60, deadline=None)
@given(text=texts(3), scored=texts(4, longest=12), order=st.integers(1, 5))
def test_every_probability_is_that_of_the_slow_model(
    discounts: str, text: list[int], scored: list[int], order: int
) -> None:
    slow = SlowKneserNey(text, 4, order, discounts)
    expected = [
        slow.probability(tuple(scored[max(0, i - order + 1) : i]), token)
        for i, token in enumerate(scored)
    ]
    model = NGram(order, discounts=discounts).fit(np.array(text), 4)
    np.testing.assert_allclose(np.exp2(model.log2_probabilities(scored)), expected, rtol=1e-9)


@KINDS
@settings(max_examples=60, deadline=None)
@given(text=texts(5), context=texts(6, longest=7, shortest=0), order=st.integers(1, 6))
def test_the_probabilities_sum_to_one_and_none_is_zero(
    discounts: str, text: list[int], context: list[int], order: int
) -> None:
    following = NGram(order, discounts=discounts).fit(text, 6).next_probabilities(context)
    assert following.shape == (6,)
    assert abs(following.sum() - 1) < 1e-9
    assert following.min() > 0


@settings(max_examples=40, deadline=None)
@given(text=texts(4), scored=texts(5, longest=12), order=st.integers(1, 6))
def test_the_next_token_has_the_probability_that_scoring_gives_it(
    text: list[int], scored: list[int], order: int
) -> None:
    model = NGram(order).fit(text, 5)
    one_by_one = [model.next_probabilities(scored[:i])[t] for i, t in enumerate(scored)]
    np.testing.assert_allclose(np.exp2(model.log2_probabilities(scored)), one_by_one, rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    text=texts(4),
    columns=st.lists(texts(5, longest=7, shortest=7), min_size=1, max_size=3),
    order=st.integers(1, 5),
    cut=st.integers(0, 7),
)
def test_streams_side_by_side_are_read_on_from_where_they_are(
    text: list[int], columns: list[list[int]], order: int, cut: int
) -> None:
    model = NGram(order).fit(text, 5)
    ids = np.array(columns).T
    contexts = model.read(ids[cut:], model.read(ids[:cut], model.beginning(len(columns))))
    assert contexts.shape == (len(columns), order - 1)
    assert model.has(contexts)
    expected = [model.next_probabilities(column) for column in columns]
    np.testing.assert_allclose(model.predict(contexts), expected, rtol=1e-12)
    fresh = model.predict(model.beginning())[0]
    np.testing.assert_allclose(fresh, model.next_probabilities([]), rtol=1e-12)


def test_what_no_stream_can_be_at_is_known() -> None:
    model = NGram(3).fit([0, 1, 2, 0, 1, 2, 0, 1, 3], 5)
    at = model.read([[0], [1]], model.beginning())
    assert model.has(at)
    for wrong in (at[:, :1], at[0], at + 100, at - 5, at.astype(float)):
        assert not model.has(wrong)


@settings(max_examples=40, deadline=None)
@given(
    text=texts(4),
    parts=st.lists(texts(5, longest=6), min_size=1, max_size=4),
    order=st.integers(1, 5),
)
def test_a_text_that_begins_is_scored_as_if_it_came_after_the_one_that_was_learnt(
    text: list[int], parts: list[list[int]], order: int
) -> None:
    model = NGram(order).fit(text, 5)
    ids = np.concatenate(parts)
    starts = np.zeros(len(ids), dtype=bool)
    starts[np.cumsum([0, *map(len, parts[:-1])])] = True
    # Each as if it came after the text that was learnt.
    expected = np.concatenate(
        [model.log2_probabilities([*text, *part])[len(text) :] for part in parts]
    )
    again = NGram.from_arrays(model.to_arrays())
    np.testing.assert_array_equal(
        model.log2_probabilities(ids, starts), again.log2_probabilities(ids, starts)
    )
    np.testing.assert_allclose(
        model.predict(model.after_learnt(2)), [model.next_probabilities(text)] * 2, rtol=1e-12
    )
    np.testing.assert_allclose(model.log2_probabilities(ids, starts), expected, rtol=1e-12)


def test_an_unseen_context_backs_off_to_the_longest_seen_one() -> None:
    model = NGram(3).fit([0, 1, 2, 0, 1, 2, 0, 1, 3], 5)
    np.testing.assert_array_equal(model.next_probabilities([4, 1]), model.next_probabilities([1]))
    assert not np.allclose(model.next_probabilities([0, 1]), model.next_probabilities([1]))


def test_only_the_last_tokens_of_a_context_count() -> None:
    model = NGram(3).fit([0, 1, 2, 0, 1, 2, 0, 1, 3], 5)
    np.testing.assert_array_equal(
        model.next_probabilities([2, 3, 0, 1]), model.next_probabilities([0, 1])
    )


@settings(max_examples=40, deadline=None)
@given(text=texts(4), order=st.integers(1, 6))
def test_a_saved_model_gives_the_same_bits(text: list[int], order: int) -> None:
    model = NGram(order, discounts="three").fit(text, 5)
    again = NGram.from_arrays(model.to_arrays())
    assert (again.order, again.vocabulary_size) == (order, 5)
    scored = [0, 1, 2, 3, 4, 0, 1, 2, *text]
    np.testing.assert_array_equal(
        model.log2_probabilities(scored), again.log2_probabilities(scored)
    )
    np.testing.assert_array_equal(model.next_probabilities(text), again.next_probabilities(text))


@pytest.mark.parametrize("order", [1, 3, 9])
def test_the_arrays_fit_in_a_safetensors_file(order: int) -> None:
    model = NGram(order).fit([0, 1, 2, 0, 70_000], 70_001)  # Order 9 leaves empty arrays.
    again = NGram.from_arrays(load(save(model.to_arrays())))
    np.testing.assert_array_equal(
        model.log2_probabilities([2, 0, 1]), again.log2_probabilities([2, 0, 1])
    )


def test_a_saved_model_remembers_its_kind_of_discount(
    python_text: tuple[np.ndarray, np.ndarray, int],
) -> None:
    train, _, size = python_text
    for kind in ("one", "three"):
        model = NGram(3, discounts=kind).fit(train, size)
        assert NGram.from_arrays(model.to_arrays()).discounts == kind


def test_a_saved_model_takes_a_few_bytes_per_gram(
    python_text: tuple[np.ndarray, np.ndarray, int],
) -> None:
    train, _, size = python_text
    arrays = NGram(5).fit(train, size).to_arrays()
    grams = sum(len(array) for name, array in arrays.items() if name.startswith("symbols"))
    assert sum(array.nbytes for array in arrays.values()) < 5 * grams


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("counts_2", lambda a: a[:-1]),
        ("counts_2", lambda a: a * 0),
        ("counts_2", lambda a: a.astype(float)),
        ("symbols_2", lambda a: a + 200),
        ("symbols_2", lambda a: a[::-1]),
        ("symbols_3", lambda a: a[:, None]),
        ("children_2", lambda a: a[:-1]),
        ("children_3", lambda a: a + 1),
        ("discounts", lambda a: a * np.nan),
        ("discounts", lambda a: a[:0]),
        ("vocabulary_size", lambda a: a * 0),
        ("vocabulary_size", lambda a: a[:0]),
        ("symbols_1", None),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(name: str, change: object) -> None:
    arrays = NGram(3).fit([0, 1, 2, 0, 1, 2, 0, 1, 3], 5).to_arrays()
    if callable(change):
        arrays[name] = change(arrays[name])
    else:
        del arrays[name]
    with pytest.raises(ModelFileError, match="n-gram model"):
        NGram.from_arrays(arrays)


def test_a_large_vocabulary_and_a_long_order_lose_nothing() -> None:
    size = 2_000_000
    text = np.random.default_rng(0).integers(0, size, 300)
    text = np.concatenate((text, text))
    model = NGram(12).fit(text, size)
    assert model.bits_per_token(text[300:]) < 2
    assert abs(model.next_probabilities(text[:11]).sum() - 1) < 1e-9


def test_a_longer_order_predicts_unseen_english_better(
    python_text: tuple[np.ndarray, np.ndarray, int],
) -> None:
    train, validation, size = python_text
    bits = bits_by_order(train, validation, size, range(1, 6))
    assert list(bits) == [1, 2, 3, 4, 5]
    assert all(bits[order + 1] < bits[order] for order in range(1, 5))
    assert bits[5] < 2.6 < 4.4 < bits[1]


def test_the_whole_python_text_takes_the_bits_that_were_measured() -> None:
    # Interpolated Kneser-Ney, 90% counted and 10% scored: 1.786 at order 5, 1.686 at order 8 with
    # the text of CPython 3.11; the tolerance is for the texts of other versions.
    symbols, ids = np.unique(list("\n\n".join(topics.values())), return_inverse=True)
    train, test = np.split(ids, [len(ids) * 9 // 10])
    one = bits_by_order(train, test, len(symbols), [5, 8])
    assert one == pytest.approx({5: 1.786, 8: 1.686}, abs=0.1)
    three = bits_by_order(train, test, len(symbols), [5, 8], discounts="three")
    assert three == pytest.approx({5: 1.739, 8: 1.617}, abs=0.1)


@KINDS
def test_orders_that_share_one_count_are_the_models_fitted_alone(
    discounts: str, python_text: tuple[np.ndarray, np.ndarray, int]
) -> None:
    train, validation, size = python_text
    shared = bits_by_order(train, validation, size, [3, 5], discounts=discounts)
    for order, bits in shared.items():
        alone = NGram(order, discounts=discounts).fit(train, size)
        assert bits == alone.bits_per_token(validation)


def test_the_chosen_order_is_the_best_on_validation() -> None:
    # Each token depends on the one before it alone: longer contexts are noise.
    rng = np.random.default_rng(0)
    text = rng.integers(0, 2, 6_000).cumsum() % 7
    train, validation = text[:4_000], text[4_000:]
    bits = bits_by_order(train, validation, 7)
    best = min(bits, key=bits.get)
    assert best < 8
    chosen = choose_order(train, validation, 7)
    assert chosen.order == best
    assert chosen.bits_per_token(validation) == bits[best]


def test_a_refitted_choice_has_counted_the_validation_text_too() -> None:
    train, validation = np.tile([0, 1, 2], 20), np.tile([3, 4], 20)
    chosen = choose_order(train, validation, 5, refit=True)
    both = NGram(chosen.order).fit(np.concatenate((train, validation)), 5)
    np.testing.assert_array_equal(
        chosen.log2_probabilities(validation), both.log2_probabilities(validation)
    )


def test_bits_are_the_mean_of_minus_log2(python_text: tuple[np.ndarray, np.ndarray, int]) -> None:
    train, validation, size = python_text
    model = NGram(3).fit(train, size)
    assert model.bits_per_token(validation) == pytest.approx(
        -model.log2_probabilities(validation).mean()
    )


def test_bad_input_is_named_in_one_plain_line() -> None:
    with pytest.raises(ConfigError, match="order is 0"):
        NGram(0)
    with pytest.raises(ConfigError, match="'many'"):
        NGram(2, discounts="many")
    with pytest.raises(NotFittedError, match="fit"):
        NGram(2).next_probabilities([])
    with pytest.raises(NotFittedError, match="fit"):
        NGram(2).to_arrays()
    with pytest.raises(DataError, match="no tokens"):
        NGram(2).fit([], 3)
    with pytest.raises(ConfigError, match="vocabulary_size is 0"):
        NGram(2).fit([0], 0)
    with pytest.raises(DataError, match="token 1 has the id 3, outside 0 to 2"):
        NGram(2).fit([0, 3], 3)
    with pytest.raises(DataError, match="float"):
        NGram(2).fit([0.5], 3)
    with pytest.raises(ShapeError, match="one dimension"):
        NGram(2).fit([[0, 1]], 3)
    with pytest.raises(DataError, match="no tokens"):
        NGram(2).fit([0, 1], 3).bits_per_token([])
    with pytest.raises(DataError, match="token 0 has the id -1"):
        NGram(2).fit([0, 1], 3).next_probabilities([-1])
    with pytest.raises(ConfigError, match="orders is empty"):
        choose_order([0, 1], [0], 3, orders=[])
