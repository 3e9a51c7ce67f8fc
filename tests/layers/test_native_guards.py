"""What the kernels must not believe: reused buffers, hand-made batches, stale weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.utils.rnn import PackedSequence

import unrolled
from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers.call import Masks, weights_of
from unrolled.layers.kernel_calls import Run
from unrolled.layers.recurrence import run_layer

needs_kernels = pytest.mark.skipif(not unrolled.kernels.available(), reason="no native kernels")


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize(("layer", "hidden"), [(unrolled.RNN, 5), (unrolled.GRU, 130)])
def test_replaced_weights_are_used_at_any_number_of_steps(
    layer: type, hidden: int, steps: int
) -> None:
    torch.manual_seed(0)
    one, other = layer(3, hidden), layer(3, hidden)
    x = torch.randn(steps, 2, 3)
    got, _ = functional_call(one, dict(other.named_parameters()), (x,))
    torch.testing.assert_close(got, other(x)[0])


@pytest.mark.parametrize(
    "sizes", [[4, 4], [2, 3], [5, 0], [], [[3, 2]]], ids=["sum", "grows", "zero", "none", "2-D"]
)
@pytest.mark.parametrize("layer", [unrolled.LSTM, unrolled.MinGRU])
def test_a_hand_made_packed_batch_is_refused(layer: type, sizes: list[int]) -> None:
    packed = PackedSequence(torch.randn(5, 3), torch.tensor(sizes, dtype=torch.int64))
    with pytest.raises(ShapeError, match="batch_sizes"):
        layer(3, 4)(packed)


def test_batch_sizes_of_another_dtype_are_refused() -> None:
    packed = PackedSequence(torch.randn(5, 3), torch.tensor([3, 2], dtype=torch.int32))
    with pytest.raises(DTypeError, match="batch_sizes"):
        unrolled.GRU(3, 4)(packed)


@pytest.mark.parametrize("layer", [unrolled.LSTM, unrolled.MinGRU])
def test_a_buffer_of_lengths_and_starts_may_be_used_again_before_backward(layer: type) -> None:
    torch.manual_seed(0)
    run = layer(3, 4)
    x = torch.randn(6, 3, 3, requires_grad=True)
    lengths, starts = torch.tensor([6, 2, 4]), torch.rand(6, 3) < 0.3

    def gradient(spoil: bool) -> Tensor:
        buffers = lengths.clone(), starts.clone()
        y, _ = run(x, lengths=buffers[0], starts=buffers[1])
        if spoil:
            buffers[0].fill_(1)
            buffers[1].fill_(True)
        return torch.autograd.grad(y.square().sum(), x)[0]

    assert torch.equal(gradient(spoil=True), gradient(spoil=False))


def test_a_tensor_with_its_sign_still_to_come_is_read_with_it() -> None:
    torch.manual_seed(0)
    layer = unrolled.GRU(1, 4)
    x = torch.randn(5, 2, 1, dtype=torch.complex64).conj().imag
    assert x.is_neg()
    torch.testing.assert_close(layer(x)[0], layer(x.resolve_neg())[0])


@needs_kernels
def test_half_of_layer_normalisation_is_refused() -> None:
    weights = weights_of(unrolled.LSTM(3, 4), 0)._replace(gain_ih=torch.ones(16))
    with pytest.raises(ConfigError, match="norm_c"):
        run_layer(Run("LSTM"), torch.randn(2, 1, 3), None, [weights])


@needs_kernels
def test_a_mask_that_wants_a_gradient_is_refused() -> None:
    weights = weights_of(unrolled.GRU(3, 4), 0)
    masks = Masks(recurrent=torch.ones(1, 4, requires_grad=True))
    with pytest.raises(ConfigError, match="mask"):
        run_layer(Run("GRU"), torch.randn(2, 1, 3), None, [weights], [masks])


@needs_kernels
@pytest.mark.parametrize("lengths", [[3], [9, 1], [-1, 2]])
def test_the_operator_looks_at_what_it_is_given(lengths: list[int]) -> None:
    import unrolled.layers.operator

    layer = unrolled.GRU(3, 4)
    parts = [part if part is not None else torch.empty(0) for part in weights_of(layer, 0)]
    parts += [torch.empty(0)] * 3
    arguments = (torch.tensor(lengths), None, None, "GRU", 0.0, 0.0, 1e-5, False)
    with pytest.raises(ShapeError, match="lengths"):
        torch.ops.unrolled.recurrence(torch.randn(5, 2, 3), None, None, parts, *arguments)
