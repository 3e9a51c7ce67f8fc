"""Weights that a network starts from."""

from __future__ import annotations

import torch

from unrolled.tasks.initial import put_vectors


def test_vectors_from_elsewhere_have_the_size_of_those_that_were_drawn() -> None:
    drawn = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    rows = torch.randn(5, 4, generator=torch.Generator().manual_seed(1)) * 40 + 7
    known = torch.tensor([False, True, True, False, True])
    table = drawn.clone()
    put_vectors(table, rows, known)
    assert torch.equal(table[~known], drawn[~known])
    scale = table[known] / rows[known]
    torch.testing.assert_close(scale, scale[:1, :1].expand(3, 4))
    torch.testing.assert_close(table[known].square().mean(), drawn.square().mean())


def test_vectors_of_zeros_stay_finite() -> None:
    table = torch.ones(2, 3)
    put_vectors(table, torch.zeros(2, 3), torch.tensor([True, False]))
    assert torch.equal(table, torch.tensor([[0.0], [1.0]]).expand(2, 3))
