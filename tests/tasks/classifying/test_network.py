"""A document in chunks is the document: its answer, its gradient, and the memory of one chunk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.checkpoint import checkpoint

from unrolled.tasks.classifying.network import TextClassifier

Make = Callable[..., TextClassifier]


def _ids(steps: int, rows: int, seed: int = 1) -> torch.Tensor:
    return torch.randint(0, 12, (steps, rows), generator=torch.Generator().manual_seed(seed))


@given(steps=st.integers(1, 15), chunk=st.integers(1, 16), seed=st.integers(0, 20))
def test_chunks_change_no_answer(network: Make, steps: int, chunk: int, seed: int) -> None:
    model, ids = network(layers=2), _ids(steps, 2, seed)
    model.chunk = 1000
    whole = model(ids)[0]
    model.chunk = chunk
    torch.testing.assert_close(model(ids)[0], whole)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_chunks_change_no_gradient(network: Make, cell: str) -> None:
    lengths = torch.tensor([13, 5, 9])
    found = []
    for chunk in (1000, 4):
        model = network(cell, layers=2)
        model.train()
        model.prefix = False
        model.chunk = chunk
        model(_ids(13, 3), lengths=lengths)[0].square().sum().backward()
        found.append([p.grad for p in model.parameters()])
    for whole, chunked in zip(*found, strict=True):
        assert whole is not None
        assert whole.abs().max() > 0
        torch.testing.assert_close(chunked, whole)


@pytest.mark.parametrize("directions", [1, 2])
def test_a_batch_is_its_documents_one_by_one(network: Make, directions: int) -> None:
    model, ids, lengths = network(directions=directions), _ids(11, 4), [11, 1, 4, 6]
    together = model(ids, lengths=torch.tensor(lengths))[0]
    for row, length in enumerate(lengths):
        alone = model(ids[:length, row : row + 1])[0]
        torch.testing.assert_close(together[row : row + 1], alone)


def test_the_backward_direction_begins_anew_in_each_chunk(network: Make) -> None:
    model, ids = network(directions=2), _ids(8, 1)
    other = ids.clone()
    other[6] = (ids[6] + 1) % 12
    _, before = model.read(ids[:4], None, None)
    state, first = model.read(other[:4], None, None)
    torch.testing.assert_close(first.read(), before.read())  # the chunk before knows nothing of it
    _, pool = model.read(ids[4:], state, first)
    torch.testing.assert_close(model.answer(pool), model(ids)[0])


def test_the_backward_direction_takes_nothing_from_the_chunk_before(network: Make) -> None:
    model, ids = network(directions=2), _ids(8, 1)
    state, pool = model.read(ids[:4], None, None)
    zero = tuple(torch.zeros_like(part) for part in state)
    for part in state:
        assert (part[1::2] == 0).all()
        assert (part[::2] != 0).any()
    _, later = model.read(ids[4:], state, pool)
    _, anew = model.read(ids[4:], zero, pool)
    backward = slice(later.last.shape[-1] // 2, None)
    torch.testing.assert_close(later.last[:, backward], anew.last[:, backward])


def test_a_head_of_its_own_lies_between_pool_and_scores(network: Make) -> None:
    model = network(head_size=7)
    assert model.readout.in_features == 7
    pooled = torch.randn(2, 18)
    assert model.hidden is not None
    wanted = model.readout(torch.relu(model.hidden(pooled)))

    class Read:
        def read(self) -> torch.Tensor:
            return pooled

    torch.testing.assert_close(model.answer(Read()), wanted)  # type: ignore[arg-type]


def test_in_training_it_answers_at_a_drawn_place_too(
    network: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, ids, lengths = network(prefix=0.3), _ids(11, 3), torch.tensor([11, 6, 1])
    model.train()
    monkeypatch.setattr(torch, "rand", lambda rows: torch.tensor([0.5, 0.99, 0.0])[:rows])
    whole, early = model(ids, lengths=lengths)[0]
    model.eval()
    torch.testing.assert_close(whole, model(ids, lengths=lengths)[0])
    torch.testing.assert_close(early, model(ids, lengths=torch.tensor([6, 6, 1]))[0])


def test_what_is_kept_between_chunks_is_as_small_as_a_state(
    network: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = network(hidden_size=32)
    model.train()
    model.prefix = False
    model.chunk = 16
    kept: list[list[int]] = []

    def watched(run: Any, piece: Any, state: Any, pools: Any, ends: Any, **options: Any) -> Any:
        handed = [*([] if state is None else state), *(part for pool in pools for part in pool)]
        kept.append([part.untyped_storage().nbytes() for part in handed])
        return checkpoint(run, piece, state, pools, ends, **options)

    monkeypatch.setattr("unrolled.tasks.classifying.network.checkpoint", watched)
    model(_ids(512, 1))[0].sum().backward()
    assert len(kept) == 512 // 16
    assert max(max(sizes) for sizes in kept) <= 4 * 32  # a view of a chunk would hold all of it
