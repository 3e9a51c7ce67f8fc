"""The batch sources: nothing lost, nothing twice, and each batch a function of its step alone."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data import BucketedBatches, ContiguousBatches, WindowBatches
from unrolled.errors import ConfigError, DataError, UnrolledError

SEEDS = st.integers(0, 1000)
LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=12)


def numbered(lengths: list[int]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Sequences whose every step has a number of its own, which is also its target."""
    ends = np.cumsum([0, *lengths])
    targets = [np.arange(a, b, dtype=np.float64) for a, b in pairwise(ends)]
    return [np.stack([one, -one], axis=1) for one in targets], targets


def epoch(source, number: int = 0) -> list:
    return [source[number * len(source) + place] for place in range(len(source))]


def real_steps(batch) -> torch.Tensor:
    steps, rows = batch.inputs.shape[:2]
    lengths = torch.full((rows,), steps) if batch.lengths is None else batch.lengths
    return torch.arange(steps)[:, None] < lengths


def same(one, other) -> bool:
    return all(
        (a is None and b is None) or torch.equal(torch.nan_to_num(a), torch.nan_to_num(b))
        for a, b in zip(vars(one).values(), vars(other).values(), strict=True)
    )


def sources(lengths: list[int], seed: int | None) -> list:
    inputs, targets = numbered(lengths)
    tokens = np.arange(sum(lengths) + 10)
    return [
        ContiguousBatches(tokens, rows=2, steps=3),
        WindowBatches(inputs, targets, steps=5, batch_size=3, seed=seed, stride=2),
        BucketedBatches(inputs, targets, batch_size=3, seed=seed),
    ]


@settings(max_examples=25, deadline=None)
@given(lengths=LENGTHS, seed=SEEDS, order=st.randoms(use_true_random=False))
def test_a_batch_is_a_function_of_its_step_alone(lengths, seed, order):
    for straight, mixed in zip(sources(lengths, seed), sources(lengths, seed), strict=True):
        steps = list(range(3 * len(straight)))
        first = [straight[step] for step in steps]
        order.shuffle(steps)
        assert all(same(mixed[step], first[step]) for step in steps)


@settings(max_examples=40, deadline=None)
@given(tokens=st.integers(13, 300), rows=st.integers(1, 4), steps=st.integers(1, 3))
def test_contiguous_batches_ask_for_every_next_token_once(tokens, rows, steps):
    source = ContiguousBatches(np.arange(tokens), rows=rows, steps=steps)
    batches = epoch(source)
    asked = torch.cat([batch.targets.flatten() for batch in batches])
    read = (tokens - 1) // rows * rows
    assert sorted(asked.tolist()) == list(range(1, read + 1))
    for batch in batches:
        assert torch.equal(batch.targets, batch.inputs + 1)
        assert batch.inputs.dtype == batch.targets.dtype == torch.int64
        assert batch.inputs.shape[0] <= steps
        assert batch.inputs.shape[1] == rows


def test_contiguous_rows_continue_in_the_next_batch_and_start_only_with_an_epoch():
    source = ContiguousBatches(torch.arange(50), rows=3, steps=5)
    for step in range(2 * len(source) - 1):
        batch, following = source[step], source[step + 1]
        begins = step % len(source) == 0
        assert batch.continues is not begins
        if begins:
            assert batch.starts[0].all()
            assert not batch.starts[1:].any()
        if following.continues:
            assert torch.equal(following.inputs[0], batch.targets[-1])


@settings(max_examples=40, deadline=None)
@given(lengths=LENGTHS, steps=st.integers(1, 12), stride=st.integers(1, 6), seed=SEEDS)
def test_windows_cover_every_step_and_stay_inside_one_series(lengths, steps, stride, seed):
    inputs, targets = numbered(lengths)
    source = WindowBatches(
        inputs, targets, steps=steps, batch_size=4, seed=seed, stride=min(stride, steps)
    )
    series_of = np.repeat(np.arange(len(lengths)), lengths)
    seen: set[int] = set()
    for batch in epoch(source):
        real = real_steps(batch)
        assert torch.equal(batch.inputs[..., 0][real], batch.targets[real])
        assert torch.equal(batch.inputs[..., 1][real], -batch.targets[real])
        assert batch.targets[~real].isnan().all()
        assert (batch.inputs[~real] == 0).all()
        assert batch.starts[0].all()
        assert not batch.starts[1:].any()
        for row in range(batch.inputs.shape[1]):
            steps_read = batch.targets[:, row][real[:, row]].long().tolist()
            assert steps_read == list(range(steps_read[0], steps_read[-1] + 1))
            assert len(set(series_of[steps_read])) == 1
            assert len(steps_read) == min(steps, lengths[series_of[steps_read[0]]])
            seen.update(steps_read)
    assert seen == set(range(sum(lengths)))


def test_windows_with_stride_one_are_all_windows_once():
    inputs, targets = numbered([10, 4, 7])
    source = WindowBatches(inputs, targets, steps=4, batch_size=5, seed=3)
    begins = [int(one) for batch in epoch(source) for one in batch.targets[0]]
    assert sorted(begins) == [*range(0, 7), 10, *range(14, 18)]
    assert source.windows == len(begins)


@pytest.mark.parametrize("kind", [1, 2])
def test_epochs_are_shuffled_differently_and_seeds_matter(kind):
    lengths = list(range(20, 60))

    def firsts(seed, number):
        return [b.targets[0].tolist() for b in epoch(sources(lengths, seed)[kind], number)]

    assert firsts(1, 0) != firsts(1, 1)
    assert firsts(1, 0) != firsts(2, 0)
    assert firsts(None, 0) == firsts(None, 1)


@settings(max_examples=30, deadline=None)
@given(lengths=LENGTHS, size=st.integers(1, 5), seed=SEEDS)
def test_buckets_hold_every_sequence_once_and_whole(lengths, size, seed):
    inputs, targets = numbered(lengths)
    source = BucketedBatches(inputs, targets, batch_size=size, seed=seed)
    assert len(source) == math.ceil(len(lengths) / size)
    begins = np.cumsum([0, *lengths])[:-1].tolist()
    seen = []
    for batch in epoch(source):
        real = real_steps(batch)
        assert batch.inputs.shape[0] == int(batch.lengths.max())
        assert batch.tokens == int(real.sum())
        for row in range(batch.inputs.shape[1]):
            steps_read = batch.targets[:, row][real[:, row]].long().tolist()
            seen.append(steps_read[0])
            assert len(steps_read) == lengths[begins.index(steps_read[0])]
    assert sorted(seen) == begins


def test_buckets_pad_little():
    lengths = np.random.default_rng(0).integers(5, 500, 2000).tolist()
    inputs, targets = numbered(lengths)
    source = BucketedBatches(inputs, targets, batch_size=16, seed=0)
    cells = sum(batch.inputs.shape[0] * batch.inputs.shape[1] for batch in epoch(source))
    assert sum(lengths) / cells > 0.92


def test_integer_targets_are_padded_with_what_cross_entropy_ignores():
    source = BucketedBatches(
        [np.arange(3), np.arange(2)], [np.arange(3), np.arange(2)], batch_size=2, seed=None
    )
    batch = source[0]
    assert batch.targets.dtype == torch.int64
    assert batch.targets[2].tolist() == [-100, 2]
    assert batch.lengths.tolist() == [2, 3]


BAD = {
    "too few": lambda: ContiguousBatches(np.arange(12), rows=3, steps=4),
    "rows=0": lambda: ContiguousBatches(np.arange(12), rows=0, steps=4),
    "steps=2.5": lambda: WindowBatches([[1]], [[1]], steps=2.5, batch_size=1, seed=0),
    "no sequence": lambda: BucketedBatches([], [], batch_size=1, seed=0),
    "sequence 1 is empty": lambda: BucketedBatches([[1], []], [[1], []], batch_size=1, seed=0),
    "2 inputs but 1 targets": lambda: BucketedBatches([[1], [1]], [[1]], batch_size=1, seed=0),
    "sequence 0 has 2 steps of input but 1": lambda: WindowBatches(
        [[1, 2]], [[1]], steps=1, batch_size=1, seed=0
    ),
    "step -1": lambda: ContiguousBatches(np.arange(13), rows=3, steps=4)[-1],
}


@pytest.mark.parametrize("told", BAD)
def test_a_bad_argument_is_one_plain_line(told):
    with pytest.raises(UnrolledError) as caught:
        BAD[told]()
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, (DataError, ConfigError))
