"""The weighted mean over the steps: of the whole, and as the steps come."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from unrolled.tasks.transcribing.pooling import Pooling

STEPS, ROWS, SIZE = 9, 3, 5


def pooling(scale: float = 1.0) -> Pooling:
    torch.manual_seed(0)
    found = Pooling(SIZE)
    with torch.no_grad():
        found.weight.copy_(scale * torch.randn(SIZE))
    return found


def hidden() -> torch.Tensor:
    return torch.randn(STEPS, ROWS, SIZE, generator=torch.Generator().manual_seed(1))


def test_it_is_the_mean_weighted_by_the_exponentials_of_each_row_alone() -> None:
    net, h, counts = pooling(), hidden(), torch.tensor([9, 1, 4])
    found = net(h, counts)
    for row, count in enumerate(counts.tolist()):
        own = h[:count, row]
        weights = torch.exp(own @ net.weight)
        wanted = (weights[:, None] * own).sum(0) / weights.sum()
        torch.testing.assert_close(found[row], wanted)


def test_it_begins_as_the_plain_mean() -> None:
    h = hidden()
    whole = torch.full((ROWS,), STEPS)
    torch.testing.assert_close(Pooling(SIZE)(h, whole), h.mean(0))


@pytest.mark.parametrize("scale", [1.0, 300.0])
@pytest.mark.parametrize("ends", [(0, 0, 9), (0, 1, 1, 4, 9), tuple(range(10))])
def test_a_stream_knows_after_each_piece_what_the_whole_so_far_gives(
    ends: tuple[int, ...], scale: float
) -> None:
    # Weights so large that their exponentials are no numbers any more, too.
    net, h = pooling(scale), hidden()
    known = net.begin(ROWS)
    for start, end in pairwise(ends):
        known = net.stream(h[start:end], known)
        if end:
            so_far = torch.full((ROWS,), end)
            torch.testing.assert_close(known[:, 1:], net(h[:end], so_far))
    assert torch.isfinite(known).all()
