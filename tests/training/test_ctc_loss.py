"""The CTC loss of a batch."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch

from unrolled.data.ctc_frames import frames_needed
from unrolled.training.ctc_loss import ctc_loss, needed_frames


def brute(logits: torch.Tensor, said: tuple[int, ...]) -> torch.Tensor:
    """Minus the log of the sum over every alignment, for `(T, 1 + V)`."""
    y = logits.double().log_softmax(-1)
    values = [
        sum(y[time, token] for time, token in enumerate(path))
        for path in itertools.product(range(y.shape[1]), repeat=len(y))
        if tuple(token for token, _ in itertools.groupby(path) if token) == said
    ]
    return -torch.stack(values).logsumexp(0)  # type: ignore[arg-type]


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Four rows: one of full length, a short one, one of silence, one with a repeat."""
    lengths, counts = torch.tensor([5, 3, 4, 3]), torch.tensor([2, 1, 0, 2])
    targets = torch.tensor([[1, 2, -100], [2, -100, -100], [9, 9, 9], [1, 1, 0]])
    return torch.randn(5, 4, 3), lengths, targets, counts


@pytest.mark.parametrize("per", ["utterance", "symbol"])
def test_loss_and_gradient_are_those_of_the_sum_over_all_alignments(per: Any) -> None:
    logits, lengths, targets, counts = batch()
    logits.requires_grad_()
    loss, left_out = ctc_loss(logits, lengths, targets, counts, per=per)
    each = [
        brute(logits[: lengths[row], row], tuple(targets[row, : counts[row]].tolist()))
        for row in range(4)
    ]
    want = torch.stack(each).sum() / (4 if per == "utterance" else 5)
    assert left_out == 0
    assert float((loss - want).detach().abs()) <= 1e-5
    (got,) = torch.autograd.grad(loss, logits)
    (slopes,) = torch.autograd.grad(want, logits)
    torch.testing.assert_close(got, slopes.float(), rtol=1e-4, atol=1e-6)


def test_what_has_no_alignment_is_left_out_and_counted() -> None:
    logits, lengths, targets, counts = batch()
    want = ctc_loss(logits[:, :3], lengths[:3], targets[:3], counts[:3]).loss
    lengths[3] = 2  # two of the same symbol need three frames
    logits[:, 3] = torch.nan
    logits.requires_grad_()
    loss, left_out = ctc_loss(logits, lengths, targets, counts)
    assert left_out == 1
    assert float((loss - want).detach().abs()) <= 1e-6
    (slopes,) = torch.autograd.grad(loss, logits)
    assert slopes.isfinite().all()
    assert not slopes[:, 3].any()
    assert slopes[:, :3].any()


def test_where_nothing_has_an_alignment_the_loss_is_zero_and_teaches_nothing() -> None:
    logits = torch.randn(3, 2, 3, requires_grad=True)
    targets = torch.tensor([[1, 1], [1, 2]])
    loss, left_out = ctc_loss(logits, torch.tensor([2, 0]), targets, torch.tensor([2, 0]))
    assert left_out == 2
    (slopes,) = torch.autograd.grad(loss, logits)
    assert float(loss.detach()) == 0.0
    assert not slopes.any()


def test_a_batch_of_silence_alone_costs_what_its_blanks_cost() -> None:
    logits, none = torch.randn(4, 1, 3), torch.zeros(1, 0, dtype=torch.int64)
    loss, left_out = ctc_loss(logits, torch.tensor([4]), none, torch.tensor([0]))
    assert abs(loss.item() - brute(logits[:, 0], ()).item()) < 1e-5
    assert left_out == 0


def test_what_stands_beyond_the_lengths_changes_nothing() -> None:
    logits, lengths, targets, counts = batch()
    want = ctc_loss(logits, lengths, targets, counts).loss
    logits[3:, 1] = torch.nan
    logits[4, 2] = math.inf
    logits.requires_grad_()
    loss = ctc_loss(logits, lengths, targets, counts).loss
    assert float((loss - want).detach().abs()) <= 1e-6
    (slopes,) = torch.autograd.grad(loss, logits)
    assert slopes.isfinite().all()
    assert not slopes[3:, 1].any()


def test_needed_frames_are_those_of_each_row() -> None:
    rows = [[1, 1, 2], [3, 3, 3], [1], [], [2, 1, 2]]
    targets = torch.full((5, 4), 1)
    for row, said in enumerate(rows):
        targets[row, : len(said)] = torch.tensor(said, dtype=torch.int64)
    counts = torch.tensor([len(said) for said in rows])
    assert needed_frames(targets, counts).tolist() == [frames_needed(said) for said in rows]
