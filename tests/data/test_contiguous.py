"""Streams of tokens: mapped files, random resets and the starts of documents."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data import ContiguousBatches
from unrolled.errors import ConfigError


def starts_of(source, steps) -> torch.Tensor:
    """`(steps T, B)` of several batches, one after the other."""
    found = []
    for step in steps:
        batch = source[step]
        none = torch.zeros(batch.inputs.shape, dtype=torch.bool)
        found.append(none if batch.starts is None else batch.starts)
    return torch.cat(found)


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.int64])
def test_a_mapped_file_gives_the_batches_of_the_array(tmp_path, dtype):
    tokens = np.random.default_rng(0).integers(0, 60_000, 500).astype(dtype)
    (tmp_path / "tokens").write_bytes(tokens.tobytes())
    mapped = ContiguousBatches(np.memmap(tmp_path / "tokens", dtype, "r"), rows=3, steps=16)
    held = ContiguousBatches(torch.from_numpy(tokens.astype(np.int64)), rows=3, steps=16)
    for step in range(len(mapped)):
        assert mapped[step].inputs.dtype == torch.int64
        assert torch.equal(mapped[step].inputs, held[step].inputs)
        assert torch.equal(mapped[step].targets, held[step].targets)


def test_a_mapped_file_is_not_copied(tmp_path):
    (tmp_path / "tokens").write_bytes(np.zeros(500, np.uint16).tobytes())
    mapped = np.memmap(tmp_path / "tokens", np.uint16, "r+")
    source = ContiguousBatches(mapped, rows=3, steps=16)
    mapped[:] = 7
    assert (source[2].inputs == 7).all()
    source[2].inputs.add_(1)
    assert (mapped == 7).all()


@settings(max_examples=50, deadline=None)
@given(
    count=st.integers(21, 200),
    rows=st.integers(1, 4),
    steps=st.integers(1, 5),
    data=st.data(),
)
def test_a_document_begins_where_it_is_said_and_nowhere_else(count, rows, steps, data):
    documents = sorted(data.draw(st.sets(st.integers(0, count - 1), max_size=10)))
    source = ContiguousBatches(
        np.arange(count), rows=rows, steps=steps, document_starts=np.array(documents, np.int64)
    )
    for step in range(2 * len(source)):
        batch = source[step]
        expected = torch.isin(batch.inputs, torch.tensor(documents, dtype=torch.int64))
        if step % len(source) == 0:
            expected[0] = True
        starts = torch.zeros_like(expected) if batch.starts is None else batch.starts
        assert torch.equal(starts, expected)
        assert batch.starts is None or expected.any()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), order=st.randoms(use_true_random=False))
def test_resets_depend_on_seed_and_step_alone(seed, order):
    made = [
        ContiguousBatches(np.arange(200), rows=3, steps=7, resets=0.3, seed=seed) for _ in range(2)
    ]
    steps = list(range(2 * len(made[0])))
    straight = [starts_of(made[0], [step]) for step in steps]
    order.shuffle(steps)
    assert all(torch.equal(starts_of(made[1], [step]), straight[step]) for step in steps)


def test_no_reset_falls_where_its_probability_is_0():
    source = ContiguousBatches(np.arange(1000), rows=4, steps=10, seed=3)
    assert starts_of(source, range(len(source))).sum() == 4
    assert source[1].starts is None


def test_resets_fall_as_often_as_asked_in_every_row_on_its_own_and_anew_each_epoch():
    source = ContiguousBatches(np.arange(80_001), rows=4, steps=2, resets=0.05, seed=1)
    steps = range(len(source))
    later = torch.cat([starts_of(source, [step])[1:] for step in steps])
    assert not later.any()  # with a batch, never inside one
    first = starts_of(source, steps)[2::2].double()
    second = starts_of(source, range(len(source), 2 * len(source)))[2::2].double()
    assert ((first.mean(0) - 0.05).abs() < 0.01).all()
    between_rows = torch.corrcoef(first.T) - torch.eye(4)
    assert between_rows.abs().max() < 0.04
    assert not torch.equal(first, second)
    assert torch.corrcoef(torch.stack([first[:, 0], second[:, 0]]))[0, 1].abs() < 0.04
    other = ContiguousBatches(np.arange(80_001), rows=4, steps=2, resets=0.05, seed=2)
    assert not torch.equal(starts_of(other, steps)[2::2], first.bool())


def test_documents_and_resets_add_up():
    options = {"rows": 2, "steps": 10}
    documents = np.array([3, 40, 77])
    both = ContiguousBatches(
        np.arange(100), **options, resets=0.2, seed=5, document_starts=documents
    )
    apart = [
        ContiguousBatches(np.arange(100), **options, resets=0.2, seed=5),
        ContiguousBatches(np.arange(100), **options, document_starts=documents),
    ]
    steps = range(len(both))
    expected = starts_of(apart[0], steps) | starts_of(apart[1], steps)
    assert torch.equal(starts_of(both, steps), expected)


@pytest.mark.parametrize("resets", [1.0, -0.1, float("nan"), "often"])
def test_a_probability_out_of_range_is_refused(resets):
    with pytest.raises(ConfigError, match="resets="):
        ContiguousBatches(np.arange(100), rows=2, steps=10, resets=resets)


def test_documents_out_of_order_are_refused():
    with pytest.raises(ConfigError, match="ascending order"):
        ContiguousBatches(np.arange(100), rows=2, steps=10, document_starts=[5, 3])
