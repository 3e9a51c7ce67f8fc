"""Sentences whose order alone tells praise from blame."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.word_order import BAD, GOOD, VOCABULARY, WordOrder
from unrolled.errors import ConfigError

seeds = st.integers(0, 2**31)


def words(batch: torch.Tensor, row: int) -> list[str]:
    return [VOCABULARY[number] for number in batch[:, row].argmax(-1).tolist()]


@given(seeds)
def test_twins_have_the_same_words_in_another_order_and_the_other_label(seed: int) -> None:
    batch = WordOrder().batch(8, seed, 0)
    assert batch.inputs.shape == (9, 8, len(VOCABULARY))
    assert batch.targets is not None
    for row in range(0, 8, 2):
        one, other = words(batch.inputs, row), words(batch.inputs, row + 1)
        assert sorted(one) == sorted(other)
        assert one != other
        assert int(batch.targets[row]) + int(batch.targets[row + 1]) == 1


@pytest.mark.parametrize(
    ("sentence", "praises"),
    [("{} and not {}", 0), ("not {} but {}", 1), ("never {} , always {}", 1)],
)
def test_the_label_is_what_the_sentence_says(sentence: str, praises: int) -> None:
    batch = WordOrder().batch(200, 1, 0)
    assert batch.targets is not None
    seen = 0
    for row in range(200):
        text = " ".join(words(batch.inputs, row))
        for good in GOOD:
            for bad in BAD:
                for label, pair in ((1, (good, bad)), (0, (bad, good))):
                    if sentence.format(*pair) in text:
                        seen += 1
                        expected = label if praises == 0 else 1 - label
                        assert int(batch.targets[row]) == expected, text
    assert seen > 10


def test_no_pair_of_adjectives_stands_in_two_parts() -> None:
    task = WordOrder()

    def pairs(inputs: torch.Tensor) -> set[frozenset[str]]:
        return {
            frozenset(word for word in words(inputs, row) if word in GOOD + BAD)
            for row in range(inputs.shape[1])
        }

    train = pairs(torch.cat([task.batch(100, seed, 0).inputs for seed in range(20)], 1))
    validation = pairs(next(task.held_out("validation")).inputs)
    test = pairs(next(task.held_out("test")).inputs)
    assert all((train, validation, test))
    assert not train & validation
    assert not train & test
    assert not validation & test
    assert (len(train), len(validation), len(test)) == (30, 3, 3)


def test_a_length_that_holds_no_long_sentence_is_refused() -> None:
    with pytest.raises(ConfigError, match="length: got 8, expected a whole number of 9 or more"):
        WordOrder(8)
    assert WordOrder(9).batch(50, 1, 0).inputs[0].argmax(-1).any()
