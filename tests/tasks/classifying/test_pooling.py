"""Laws of the pool: however a document is cut, the same is seen of it."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.tasks.classifying.pooling import Pool


def _outputs(steps: int, rows: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(steps, rows, 4, generator=torch.Generator().manual_seed(seed)) - 1


@given(steps=st.integers(1, 12), cut=st.integers(0, 12), seed=st.integers(0, 50))
def test_a_document_in_two_pieces_pools_as_in_one(steps: int, cut: int, seed: int) -> None:
    outputs = _outputs(steps, 2, seed)
    empty = Pool.empty(2, 4, outputs)
    cut = min(cut, steps)
    pool = empty
    for piece in (outputs[:cut], outputs[cut:]):
        if len(piece):
            pool = pool.take(piece)
    torch.testing.assert_close(pool.read(), empty.take(outputs).read())


@given(lengths=st.lists(st.integers(0, 7), min_size=1, max_size=4), cut=st.integers(1, 6))
def test_padding_is_not_pooled(lengths: list[int], cut: int) -> None:
    real = torch.tensor(lengths)
    outputs = _outputs(7, len(lengths))
    outputs = outputs * (torch.arange(7).unsqueeze(1) < real).unsqueeze(-1)
    pool = Pool.empty(len(lengths), 4, outputs)
    for begin in range(0, 7, cut):
        piece = outputs[begin : begin + cut]
        pool = pool.take(piece, (real - begin).clamp(0, len(piece)))
    for row, length in enumerate(lengths):
        alone = outputs[:length, row]
        wanted = torch.cat([alone.mean(0), alone.amax(0), alone[-1]]) if length else torch.zeros(12)
        torch.testing.assert_close(pool.read()[row], wanted)


def test_mean_maximum_and_last_are_what_they_are_called() -> None:
    outputs = torch.tensor([[[1.0, -5.0]], [[3.0, -1.0]], [[2.0, -9.0]]])
    pooled = Pool.empty(1, 2, outputs).take(outputs).read()
    assert pooled.tolist() == [[2.0, -5.0, 3.0, -1.0, 2.0, -9.0]]
