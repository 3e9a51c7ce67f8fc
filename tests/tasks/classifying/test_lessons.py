"""Lessons: every document once an epoch, of like lengths together, a pure function of the step."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.tasks.classifying.lessons import Lessons


def lessons(lengths: list[int], batch_size: int = 4, tokens: int = 40, seed: int = 0) -> Lessons:
    documents = [np.full(length, at + 1) for at, length in enumerate(lengths)]
    return Lessons(
        documents, np.arange(len(lengths)), batch_size=batch_size, tokens=tokens, seed=seed
    )


@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=30),
    batch_size=st.integers(1, 6),
    tokens=st.integers(1, 60),
    epoch=st.integers(0, 3),
)
def test_an_epoch_holds_every_document_once(
    lengths: list[int], batch_size: int, tokens: int, epoch: int
) -> None:
    source = lessons(lengths, batch_size, tokens)
    seen = []
    for step in range(epoch * len(source), (epoch + 1) * len(source)):
        batch = source[step]
        assert batch.lengths is not None
        assert batch.targets is not None
        rows = batch.inputs.shape[1]
        assert rows <= batch_size
        assert rows == 1 or batch.inputs.numel() <= tokens * 1.25
        for row, (target, length) in enumerate(
            zip(batch.targets.tolist(), batch.lengths.tolist(), strict=True)
        ):
            assert length == lengths[target]
            assert (batch.inputs[:length, row] == target + 1).all()
            assert (batch.inputs[length:, row] == 0).all()
            seen.append(target)
    assert sorted(seen) == list(range(len(lengths)))


def test_a_step_is_the_same_whatever_was_read_before() -> None:
    lengths = np.random.default_rng(0).integers(1, 50, 60).tolist()
    one, other = lessons(lengths), lessons(lengths)
    for step in range(40):
        one[step]
    assert torch.equal(one[7].inputs, other[7].inputs)
    assert torch.equal(one[len(one) + 3].inputs, other[len(one) + 3].inputs)


def test_epochs_differ_and_so_do_seeds() -> None:
    lengths = [5] * 40
    source = lessons(lengths)
    first = [source[step].targets.tolist() for step in range(len(source))]
    second = [source[len(source) + step].targets.tolist() for step in range(len(source))]
    third = [lessons(lengths, seed=1)[step].targets.tolist() for step in range(len(source))]
    assert first != second != third != first


def test_little_is_padded() -> None:
    lengths = np.random.default_rng(1).integers(10, 400, 2000).tolist()
    source = lessons(lengths, batch_size=32, tokens=10_000)
    batches = [source[step] for step in range(len(source))]
    padded = sum(batch.inputs.numel() for batch in batches)
    assert padded <= 1.15 * sum(lengths)
