"""Batches of pairs: every pair once an epoch, near the size that was asked for, and repeatable."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.batching.checks import IGNORED_TARGET
from unrolled.data.batching.like_lengths import cut
from unrolled.tasks.translating.batches import PairBatches


def pairs(count: int, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Sentences whose first token is their number."""
    random = np.random.default_rng(seed)

    def side(place: int) -> np.ndarray:
        return np.array([place, *random.integers(2, 9, random.integers(1, 20)), 1])

    sources = [side(place) for place in range(count)]
    return sources, [np.append([1], side(place)) for place in range(count)]


def test_every_pair_comes_once_in_each_epoch() -> None:
    sources, targets = pairs(200)
    batches = PairBatches(sources, targets, tokens=60, seed=3)
    for epoch in range(2):
        seen = []
        for place in range(len(batches)):
            batch = batches[epoch * len(batches) + place]
            assert batch.lengths is not None
            assert batch.targets is not None
            for row, number in enumerate(batch.inputs[0].tolist()):
                length = int(batch.lengths[row])
                assert batch.inputs[:length, row].tolist() == sources[number].tolist()
                real = batch.targets[:, row] != IGNORED_TARGET
                assert batch.targets[real, row].tolist() == targets[number].tolist()
                seen.append(number)
        assert sorted(seen) == list(range(200))


def test_batches_hold_about_as_many_tokens_as_asked() -> None:
    sources, targets = pairs(500)
    batches = PairBatches(sources, targets, tokens=100, seed=0)
    sizes = [
        int((batches[step].targets[1:] != IGNORED_TARGET).sum()) for step in range(len(batches))
    ]
    assert max(sizes) <= 130
    assert np.mean(sizes) > 80


def test_little_is_padded() -> None:
    sources, targets = pairs(2000)
    batches = PairBatches(sources, targets, tokens=200, seed=0)
    real = padded = 0
    for step in range(len(batches)):
        found = batches[step].targets != IGNORED_TARGET
        real += int(found.sum())
        padded += found.numel()
    assert real / padded > 0.85


def test_a_batch_depends_on_step_and_seed_alone() -> None:
    sources, targets = pairs(100)
    first = PairBatches(sources, targets, tokens=50, seed=1)
    late = PairBatches(sources, targets, tokens=50, seed=1)
    ahead = len(first) + 2
    for step in range(ahead):
        first[step]
    assert torch.equal(first[ahead].inputs, late[ahead].inputs)
    other = PairBatches(sources, targets, tokens=50, seed=2)
    assert any(not torch.equal(first[i].inputs, other[i].inputs) for i in range(len(first)))


def test_a_sentence_longer_than_a_batch_is_one_by_itself() -> None:
    sources, targets = pairs(5)
    targets[2] = np.array([1, *range(2, 80), 1])
    batches = PairBatches(sources, targets, tokens=30, seed=0)
    shapes = [batches[step].targets.shape for step in range(len(batches))]
    assert (80, 1) in [tuple(shape) for shape in shapes]


def test_every_row_begins_anew() -> None:
    batch = PairBatches(*pairs(10), tokens=50, seed=0)[0]
    assert not batch.continues
    assert batch.starts is not None
    assert int(batch.starts.sum()) == batch.inputs.shape[1]


@pytest.mark.parametrize("long_side", ["source", "target", "both"])
def test_a_long_sentence_pads_no_short_ones(long_side: str) -> None:
    sources, targets = pairs(400)
    random = np.random.default_rng(1)
    for place in (3, 50, 399):
        long = random.integers(2, 9, 5000)
        if long_side != "target":
            sources[place] = np.array([place, *long, 1])
        if long_side != "source":
            targets[place] = np.array([1, *long, 1])
    batches = PairBatches(sources, targets, tokens=100, seed=0)
    seen: list[int] = []
    for step in range(2 * len(batches)):
        batch = batches[step]
        assert batch.targets is not None
        seen += batch.inputs[0].tolist()
        # twice as many source tokens may be in it, each side padded to 1.5 as many, both jittered
        if batch.inputs.shape[1] > 1:
            assert batch.inputs.numel() <= 2 * 1.5 * 1.25 * 100
            assert batch.targets[1:].numel() <= 1.5 * 1.25 * 100
    assert sorted(seen) == sorted([*range(400)] * 2)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=80), st.integers(1, 200))
def test_cuts_leave_no_batch_empty_and_none_far_too_large(lengths: list[int], tokens: int) -> None:
    sizes = np.sort(np.array(lengths))
    parts = np.split(sizes, cut(sizes, tokens))
    assert all(len(part) for part in parts)
    assert all(len(part) == 1 or part.max() * len(part) <= 1.5 * tokens for part in parts)


@pytest.mark.data
def test_usual_pairs_are_cut_by_their_target_tokens_alone() -> None:
    from unrolled.data import catalog

    found = catalog.load("multi30k-train", download=False)
    sides = [
        [np.zeros(len(text) // 4 + 2, np.int64) for text in side]
        for side in (found.sources, found.targets)
    ]
    batches = PairBatches(sides[0], sides[1], tokens=600, seed=0)
    total = sum(len(one) - 1 for one in sides[1])
    assert len(batches) == pytest.approx(total / 600, rel=0.02)
