"""The transducer loss of a batch, by the kernels and by operations of torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unrolled import kernels
from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.training.transducer_loss import transducer_loss

from .transducer_alignments import brute_force

DTYPES = [torch.float32, torch.float64]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


@pytest.fixture(params=["kernels", "torch"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What calculates float32: the kernels, or operations of torch."""
    if request.param == "torch":
        monkeypatch.setenv("UNROLLED_KERNELS", "off")
    elif not kernels.available():
        pytest.skip("the native kernels are not built")
    return str(request.param)


def batch(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Four rows: one of full length, a short one, one of silence, one of a single frame."""
    lengths, counts = torch.tensor([4, 3, 4, 1]), torch.tensor([3, 1, 0, 2])
    targets = torch.tensor([[1, 2, 2], [2, -100, -100], [9, 9, 9], [1, 1, 0]])
    return torch.randn(4, 4, 4, 3, dtype=dtype), lengths, targets, counts


def losses(logits: Tensor, lengths: Tensor, targets: Tensor, counts: Tensor) -> Tensor:
    """Of each row as it is defined, in float64."""
    each = [
        brute_force(
            logits[row, : lengths[row], : counts[row] + 1].double(),
            targets[row, : counts[row]].tolist(),
        )
        for row in range(len(logits))
    ]
    return torch.stack(each)


def gradient(loss: Tensor, logits: Tensor) -> Tensor:
    (slopes,) = torch.autograd.grad(loss, logits)
    return slopes


@pytest.mark.parametrize("per", ["utterance", "symbol"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_loss_and_gradient_are_those_of_the_sum_over_all_alignments(
    path: str, dtype: torch.dtype, per: Any
) -> None:
    given = batch(dtype)
    logits = given[0].requires_grad_()
    loss, left_out = transducer_loss(*given, per=per)
    want = losses(*given).sum() / (4 if per == "utterance" else 6)
    assert left_out == 0
    close = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    torch.testing.assert_close(loss.double(), want, **close)
    slopes = gradient(loss, logits)
    torch.testing.assert_close(slopes, gradient(want, logits).to(dtype), **close)


@settings(max_examples=40)
@given(
    rows=st.integers(1, 4),
    steps=st.integers(1, 9),
    symbols=st.integers(0, 7),
    vocabulary=st.integers(2, 40),
    seed=st.integers(0, 2**31),
)
def test_the_kernels_give_what_torch_gives_in_float64(
    rows: int, steps: int, symbols: int, vocabulary: int, seed: int
) -> None:
    if not kernels.available():
        pytest.skip("the native kernels are not built")
    torch.manual_seed(seed)
    logits = 3 * torch.randn(rows, steps, symbols + 1, vocabulary)
    lengths, counts = torch.randint(1, steps + 1, (rows,)), torch.randint(0, symbols + 1, (rows,))
    targets = torch.randint(1, vocabulary, (rows, symbols))
    found, slopes = [], []
    for values in (logits, logits.double()):
        values.requires_grad_()
        loss = transducer_loss(values, lengths, targets, counts).loss
        found.append(loss.detach().double())
        slopes.append(gradient(loss, values).double())
    torch.testing.assert_close(*found, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(*slopes, rtol=1e-5, atol=1e-6)


def test_a_batch_is_its_rows_one_by_one(path: str) -> None:
    logits, lengths, targets, counts = batch()
    logits.requires_grad_()
    together = transducer_loss(logits, lengths, targets, counts).loss
    alone = [
        transducer_loss(
            logits[row : row + 1, : lengths[row], : counts[row] + 1],
            lengths[row : row + 1],
            targets[row : row + 1, : counts[row]],
            counts[row : row + 1],
        ).loss
        for row in range(4)
    ]
    mean = torch.stack(alone).mean()
    torch.testing.assert_close(together, mean, rtol=1e-6, atol=0)
    slopes = gradient(together, logits), gradient(mean, logits)
    torch.testing.assert_close(*slopes, rtol=1e-6, atol=1e-7)


def test_what_stands_beyond_the_lengths_changes_nothing(path: str) -> None:
    logits, lengths, targets, counts = batch()
    want = transducer_loss(logits, lengths, targets, counts).loss
    for row in range(4):
        logits[row, lengths[row] :] = torch.nan
        logits[row, :, counts[row] + 1 :] = torch.inf
    targets[1, 1:] = 2
    logits.requires_grad_()
    loss = transducer_loss(logits, lengths, targets, counts).loss
    assert float((loss - want).detach().abs()) <= 1e-6
    slopes = gradient(loss, logits)
    assert slopes.isfinite().all()
    assert not slopes[1, 3:].any()
    assert not slopes[1, :, 2:].any()
    assert slopes[1, 0, 0].any()


def test_a_row_without_frames_is_left_out_and_counted(path: str) -> None:
    logits, lengths, targets, counts = batch()
    want = transducer_loss(logits[1:], lengths[1:], targets[1:], counts[1:]).loss
    lengths[0] = 0
    logits[0] = torch.nan
    logits.requires_grad_()
    loss, left_out = transducer_loss(logits, lengths, targets, counts)
    assert left_out == 1
    assert float((loss - want).detach().abs()) <= 1e-6
    assert not gradient(loss, logits)[0].any()
    nothing, left_out = transducer_loss(logits, 0 * lengths, targets, counts)
    assert left_out == 4
    assert float(nothing.detach()) == 0.0
    assert not gradient(nothing, logits).any()


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf])
def test_a_logit_that_is_no_number_makes_the_loss_of_its_row_no_number(
    path: str, wrong: float
) -> None:
    logits, lengths, targets, counts = batch()
    logits[2, 1, 0, 1] = wrong
    assert transducer_loss(logits, lengths, targets, counts).loss.isnan()
    fine = [0, 1, 3]
    rest = transducer_loss(logits[fine], lengths[fine], targets[fine], counts[fine]).loss
    assert rest.isfinite()


def test_what_has_no_probability_is_said_by_no_alignment(path: str) -> None:
    logits, lengths, targets, counts = (one[:1] for one in batch())
    free = logits.clone()
    free[0, :2, 1, 2] = -torch.inf  # the second symbol can't be said in the first two frames
    free.requires_grad_()
    loss = transducer_loss(free, lengths, targets, counts).loss
    torch.testing.assert_close(
        loss.double(), losses(free, lengths, targets, counts)[0], rtol=1e-5, atol=0
    )
    assert gradient(loss, free).isfinite().all()
    logits[0, :, 1, 2] = -torch.inf  # nor in any other
    logits.requires_grad_()
    loss = transducer_loss(logits, lengths, targets, counts).loss
    assert float(loss.detach()) == float("inf")


def test_the_gradient_may_stand_in_the_place_of_the_logits() -> None:
    if not kernels.available():
        pytest.skip("the native kernels are not built")
    logits, *given = batch()
    weight = torch.randn(3, 5, requires_grad=True)
    hidden = torch.randn(4, 4, 4, 5)
    found = []
    for overwrite in (False, True):
        logits = hidden @ weight.t()
        at = logits.data_ptr()
        loss = transducer_loss(logits, *given, overwrite=overwrite).loss
        slopes, logits_slopes = torch.autograd.grad(loss, [weight, logits])
        found.append(slopes)
        assert (logits_slopes.data_ptr() == at) == overwrite
    torch.testing.assert_close(*found, rtol=0, atol=0)


def test_logits_that_are_not_dense_are_read_right(path: str) -> None:
    logits, *given = batch()
    turned = logits.permute(3, 1, 0, 2).contiguous().permute(2, 1, 3, 0).requires_grad_()
    assert not turned.is_contiguous()
    logits.requires_grad_()
    losses = [transducer_loss(one, *given).loss for one in (logits, turned)]
    torch.testing.assert_close(*losses, rtol=0, atol=0)
    slopes = [gradient(*pair) for pair in zip(losses, (logits, turned), strict=True)]
    torch.testing.assert_close(*slopes, rtol=0, atol=0)


def test_any_symbol_can_be_the_blank(path: str) -> None:
    logits, lengths, targets, counts = batch()
    want = transducer_loss(logits, lengths, targets, counts).loss
    turned = logits[..., [1, 2, 0]]
    found = transducer_loss(turned, lengths, targets - 1, counts, blank=2).loss
    torch.testing.assert_close(found, want, rtol=1e-6, atol=0)


def test_what_does_not_go_together_is_told_in_one_line() -> None:
    logits, lengths, targets, counts = batch()
    with pytest.raises(ShapeError, match=r"logits: got shape \(4, 4, 3\), expected \(B, T, U"):
        transducer_loss(logits[:, :, 0], lengths, targets, counts)
    with pytest.raises(ShapeError, match=r"targets: got shape \(4, 2\), expected \(4, 3\)"):
        transducer_loss(logits, lengths, targets[:, :2], counts)
    with pytest.raises(DTypeError, match=r"lengths: got torch.float32, expected torch.int64"):
        transducer_loss(logits, lengths.float(), targets, counts)
    with pytest.raises(DTypeError, match=r"logits: got torch.int64, expected floating point"):
        transducer_loss(logits.long(), lengths, targets, counts)
    with pytest.raises(ConfigError, match=r"lengths\[0\]: got 5, expected 0 to 4"):
        transducer_loss(logits, lengths + 1, targets, counts)
    with pytest.raises(ConfigError, match=r"target_lengths\[2\]: got -1, expected 0 to 3"):
        transducer_loss(logits, lengths, targets, counts - 1)
    with pytest.raises(ConfigError, match=r"targets\[0, 1\]: got 2, expected .* not the blank 2"):
        transducer_loss(logits, lengths, targets, counts, blank=2)
    with pytest.raises(ConfigError, match=r"targets\[0, 0\]: got 7, expected 0 to V - 1 = 2"):
        transducer_loss(logits, lengths, targets + 6, counts)
    with pytest.raises(ConfigError, match=r"blank: got 3, expected 0 to V - 1 = 2"):
        transducer_loss(logits, lengths, targets, counts, blank=3)
    with pytest.raises(ConfigError, match=r"per: got 'word'"):
        transducer_loss(logits, lengths, targets, counts, per="word")  # type: ignore[arg-type]
