"""The kernels of the transducer loss: the oracle against the sum over all alignments, the fast code
against the oracle."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ..training.transducer_alignments import brute_force

UNTOUCHED = 77.0


class Case(NamedTuple):
    logits: Tensor  # (B, T, U + 1, V)
    lengths: Tensor
    targets: Tensor
    counts: Tensor
    blank: int
    scale: Tensor


@st.composite
def cases(draw: Any, *, steps: int = 12, labels: int = 12, vocabulary: int = 40) -> Case:
    """Ragged batches, some rows without frames; what is beyond the lengths is NaN."""
    batch, seed = draw(st.integers(1, 4)), draw(st.integers(0, 2**31))
    most = draw(st.integers(1, steps)), draw(st.integers(0, labels))
    symbols = draw(st.integers(2, vocabulary))
    size = draw(st.sampled_from([0.1, 1.0, 10.0, 60.0]))
    random = torch.Generator().manual_seed(seed)

    def whole(low: int, high: int, *shape: int) -> Tensor:
        return torch.randint(low, high, shape, generator=random)

    lengths, counts = whole(0, most[0] + 1, batch), whole(0, most[1] + 1, batch)
    lengths[0], counts[-1] = most
    blank = int(whole(0, symbols, 1))
    targets = whole(0, symbols - 1, batch, most[1])
    targets += (targets >= blank).long()
    logits = size * torch.randn((batch, most[0], most[1] + 1, symbols), generator=random)
    for row in range(batch):
        logits[row, lengths[row] :] = torch.nan
        logits[row, :, counts[row] + 1 :] = torch.nan
    return Case(logits, lengths, targets, counts, blank, torch.randn(batch, generator=random))


def run(native: Any, case: Case, dtype: torch.dtype, threads: int = 1) -> tuple[Tensor, Tensor]:
    """Losses and slopes; nothing around the slopes is written."""
    logits, scale = case.logits.to(dtype).contiguous(), case.scale.to(dtype)
    batch, steps, rows, vocabulary = logits.shape
    fast = dtype == torch.float32
    call = native.TransducerLoss32() if fast else native.TransducerLoss64()
    call.batch, call.steps, call.labels, call.vocabulary = batch, steps, rows - 1, vocabulary
    call.blank, call.threads = case.blank, threads
    kinds = (dtype, *[torch.float64] * 3)
    nodes = [torch.empty(batch, steps, rows, dtype=one) for one in kinds]
    losses = torch.empty(batch, dtype=torch.float64)
    frame = torch.full((logits.numel() + 16,), UNTOUCHED, dtype=dtype)
    call.lengths, call.counts = case.lengths.data_ptr(), case.counts.data_ptr()
    call.targets, call.logits = case.targets.data_ptr(), logits.data_ptr()
    call.most, call.powers, call.to_frame, call.to_symbol = (one.data_ptr() for one in nodes)
    call.losses, call.scale, call.slopes = losses.data_ptr(), scale.data_ptr(), frame[8:].data_ptr()
    if fast:
        native.transducer_scores(call)
        native.transducer_sums(call)
        native.transducer_slopes(call)
    else:
        native.oracle_transducer_loss(call)
    assert (frame[:8] == UNTOUCHED).all()
    assert (frame[-8:] == UNTOUCHED).all()
    return losses, frame[8:-8].view(logits.shape)


@settings(max_examples=60)
@given(case=cases(steps=4, labels=3, vocabulary=4))
def test_the_oracle_gives_the_sum_over_all_alignments(native: Any, case: Case) -> None:
    losses, slopes = run(native, case, torch.float64)
    for row, (length, count) in enumerate(zip(case.lengths, case.counts, strict=True)):
        if not length:
            assert losses[row] == 0
            assert not slopes[row].any()
            continue
        logits = case.logits[row, :length, : count + 1].double().requires_grad_()
        want = brute_force(logits, case.targets[row, :count].tolist(), case.blank)
        torch.testing.assert_close(losses[row], want.detach(), rtol=1e-11, atol=1e-11)
        (gradient,) = torch.autograd.grad(want, logits)
        inside = slopes[row, :length, : count + 1] / case.scale[row].double()
        torch.testing.assert_close(inside, gradient, rtol=1e-9, atol=1e-10)


@settings(max_examples=80)
@given(case=cases(), threads=st.integers(1, 3))
def test_the_fast_code_gives_what_the_oracle_gives(
    native: Any, isa: str, case: Case, threads: int
) -> None:
    want, gradient = run(native, case, torch.float64)
    losses, slopes = run(native, case, torch.float32, threads)
    torch.testing.assert_close(losses, want, rtol=1e-6, atol=1e-5)
    # An error of a logit's rounding, which grows with it, is one of the slope.
    torch.testing.assert_close(slopes.double(), gradient, rtol=1e-5, atol=3e-6)


@pytest.mark.parametrize("vocabulary", [1, 7, 16, 33, 700, 1030])
def test_every_width_of_the_vocabulary_is_right(native: Any, isa: str, vocabulary: int) -> None:
    logits = torch.randn(2, 5, 4, vocabulary)
    counts = torch.tensor([3, 1]) if vocabulary > 1 else torch.tensor([0, 0])
    targets = torch.full((2, 3), vocabulary - 1)
    case = Case(logits, torch.tensor([5, 4]), targets, counts, 0, torch.ones(2))
    want, gradient = run(native, case, torch.float64)
    losses, slopes = run(native, case, torch.float32)
    torch.testing.assert_close(losses, want, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(slopes.double(), gradient, rtol=1e-5, atol=1e-6)


def test_the_sums_keep_their_digits_over_hundreds_of_frames(native: Any, isa: str) -> None:
    logits = 4 * torch.randn(1, 400, 61, 8)
    targets = torch.randint(1, 8, (1, 60))
    case = Case(logits, torch.tensor([400]), targets, torch.tensor([60]), 0, torch.ones(1))
    want, gradient = run(native, case, torch.float64)
    losses, slopes = run(native, case, torch.float32)
    torch.testing.assert_close(losses, want, rtol=1e-6, atol=0)
    far = (slopes.double() - gradient).norm() / gradient.norm()
    assert far <= 2e-6


def test_where_a_network_is_sure_the_small_slopes_keep_their_digits(native: Any, isa: str) -> None:
    logits = torch.randn(1, 30, 6, 20)
    for frame in range(30):
        logits[0, frame, frame // 6, 0] += 15
        if frame % 6 == 5 and frame < 29:
            logits[0, frame, frame // 6, 3] += 30
            logits[0, frame, frame // 6 + 1, 0] += 15
    targets = torch.full((1, 5), 3)
    case = Case(logits, torch.tensor([30]), targets, torch.tensor([4]), 0, torch.ones(1))
    _, gradient = run(native, case, torch.float64)
    _, slopes = run(native, case, torch.float32)
    assert gradient.norm() <= 1e-3
    assert (slopes.double() - gradient).norm() / gradient.norm() <= 1e-5


@given(case=cases())
@settings(max_examples=20)
def test_any_number_of_threads_gives_the_same_bits(native: Any, case: Case) -> None:
    many = case.logits.repeat(4, 1, 1, 1), *(one.repeat(4) for one in (case.lengths, case.counts))
    case = Case(many[0], many[1], case.targets.repeat(4, 1), many[2], case.blank, torch.ones(99))
    alone, together = (run(native, case, torch.float32, threads) for threads in (1, 3))
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)
