"""The transducer loss of what a joiner reads: the same as of all its logits."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import linear

from unrolled import kernels
from unrolled.errors import ConfigError, ShapeError
from unrolled.training import transducer_joint
from unrolled.training.transducer_joint import joint_transducer_loss
from unrolled.training.transducer_loss import transducer_loss

NAMES = ("frames", "said", "weight", "bias")


def parts(
    rows: int, steps: int, symbols: int, size: int, vocabulary: int, scale: float = 1.0
) -> tuple[list[Tensor], tuple[Tensor, Tensor, Tensor]]:
    """f, g, W and b; lengths, targets and their lengths."""
    shapes = ((steps, rows, size), (symbols + 1, rows, size), (vocabulary, size), (vocabulary,))
    lengths, counts = torch.randint(0, steps + 1, (rows,)), torch.randint(0, symbols + 1, (rows,))
    lengths[0] = steps
    targets = torch.randint(1, vocabulary, (rows, symbols))
    return [scale * torch.randn(one) for one in shapes], (lengths, targets, counts)


def right(leaves: list[Tensor], given: Any, per: Any) -> list[Tensor]:
    """Loss and gradients in float64, by way of all logits."""
    frames, said, weight, bias = doubles = [one.double().requires_grad_() for one in leaves]
    hidden = (frames.transpose(0, 1)[:, :, None] + said.transpose(0, 1)[:, None]).tanh()
    loss = transducer_loss(linear(hidden, weight, bias), *given, per=per).loss
    return [loss.detach(), *torch.autograd.grad(loss, doubles)]


def found(leaves: list[Tensor], given: Any, per: Any) -> list[Tensor]:
    own = [one.clone().requires_grad_() for one in leaves]
    loss = joint_transducer_loss(*own, *given, per=per).loss
    return [loss.detach(), *torch.autograd.grad(loss, own)]


def check(got: list[Tensor], want: list[Tensor]) -> None:
    """To 1e-5 of each tensor's size."""
    for name, one, other in zip(("loss", *NAMES), got, want, strict=True):
        assert one.dtype == torch.float32
        assert one.shape == other.shape
        far = float((one.double() - other).norm()) / max(float(other.norm()), 1e-3)
        assert far <= 1e-5, f"{name} is off by {far:.1e}"


@pytest.mark.parametrize("per", ["utterance", "symbol"])
@pytest.mark.parametrize("switch", ["on", "off"])
def test_loss_and_gradients_are_those_of_all_logits(
    monkeypatch: pytest.MonkeyPatch, switch: str, per: Any
) -> None:
    monkeypatch.setenv("UNROLLED_KERNELS", switch)
    leaves, given = parts(3, 9, 5, 12, 7)
    check(found(leaves, given, per), right(leaves, given, per))


@settings(max_examples=30)
@given(
    rows=st.integers(1, 4),
    steps=st.integers(1, 12),
    symbols=st.integers(0, 8),
    size=st.integers(1, 20),
    vocabulary=st.integers(2, 30),
    nodes=st.integers(1, 60),
    kept=st.sampled_from([0, 1 << 28]),
    scale=st.sampled_from([0.3, 1.0, 6.0]),
    seed=st.integers(0, 2**31),
)
def test_how_it_is_cut_and_what_is_kept_changes_nothing(
    rows: int,
    steps: int,
    symbols: int,
    size: int,
    vocabulary: int,
    nodes: int,
    kept: int,
    scale: float,
    seed: int,
) -> None:
    torch.manual_seed(seed)
    leaves, given = parts(rows, steps, symbols, size, vocabulary, scale)
    # Not the sums in float64: of a tanh that is nearly 1, float32 does not know its slope.
    want = found(leaves, given, "utterance")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transducer_joint, "NODES_AT_ONCE", nodes)
        patch.setattr(transducer_joint, "KEPT", kept)
        check(found(leaves, given, "utterance"), want)


def test_nodes_that_no_alignment_passes_are_left_out_of_the_products(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not kernels.available():
        pytest.skip("the native kernels are not built")
    seen = []
    product = transducer_joint._Utterance._through

    def counted(self: Any, hidden: Tensor, *rest: Any) -> Tensor:
        seen.append(len(hidden))
        return product(self, hidden, *rest)

    monkeypatch.setattr(transducer_joint._Utterance, "_through", counted)
    (frames, said, weight, bias), _ = parts(1, 12, 6, 16, 5)
    given = torch.tensor([12]), torch.ones(1, 6, dtype=torch.int64), torch.tensor([6])
    leaves = [frames, said, 40 * weight, bias]  # so that one alignment is sure
    check(found(leaves, given, "utterance"), right(leaves, given, "utterance"))
    assert 0 < sum(seen) < 12 * 7 / 2


def test_a_loss_that_is_no_number_gives_gradients_that_are_none() -> None:
    leaves, given = parts(2, 4, 2, 3, 4)
    leaves[0][0, 0, 0] = torch.nan
    loss, *slopes = found(leaves, given, "utterance")
    assert loss.isnan()
    assert all(one.isnan().any() for one in slopes)


def test_what_does_not_go_together_is_told_in_one_line() -> None:
    (frames, said, weight, bias), given = parts(2, 4, 2, 3, 4)
    with pytest.raises(ShapeError, match=r"frames: got shape \(4, 2\), expected \(T, B, J\)"):
        joint_transducer_loss(frames[..., 0], said, weight, bias, *given)
    with pytest.raises(ShapeError, match=r"said: got shape \(3, 1, 3\), expected \(U \+ 1, 2, 3\)"):
        joint_transducer_loss(frames, said[:, :1], weight, bias, *given)
    with pytest.raises(ShapeError, match=r"bias: got shape \(3,\), expected \(4,\)"):
        joint_transducer_loss(frames, said, weight, bias[1:], *given)
    with pytest.raises(ConfigError, match=r"lengths\[0\]: got 5, expected 0 to 4"):
        joint_transducer_loss(frames, said, weight, bias, given[0] + 1, *given[1:])
