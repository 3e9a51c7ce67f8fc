"""The transducer loss of what a joiner reads: its logits are made a few nodes at a time.

Shapes: `B` utterances, `T` frames, `U` symbols, `J` size of the joiner, `V` symbols with the blank.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor

from unrolled.errors import ShapeError
from unrolled.training.transducer_loss import (
    Lattice,
    TransducerLoss,
    check_transducer,
    native_loss,
    reduced,
)
from unrolled.training.transducer_reference import reference_losses

# Nodes whose logits are made by one product: few enough for a cache, enough for a quick product.
NODES_AT_ONCE = 2048
# What an utterance's logits and hidden values may take, in bytes; a longer one makes them twice.
KEPT = 1 << 28
# Where fewer than this share of some nodes are on any alignment, the others are left out of the
# products: to pick out nodes costs as much as a part of a product.
FEW = 0.7


def joint_transducer_loss(
    frames: Tensor,
    said: Tensor,
    weight: Tensor,
    bias: Tensor,
    lengths: Tensor,
    targets: Tensor,
    target_lengths: Tensor,
    *,
    blank: int = 0,
    per: Literal["utterance", "symbol"] = "utterance",
) -> TransducerLoss:
    """`transducer_loss` of the logits `W tanh(f_t + g_u) + b`, none of which is kept.

    The gradient is made together with the loss, an utterance at a time: the memory is that of one
    utterance up to `KEPT` bytes, where all `(B, T, U + 1, V)` logits and `(B, T, U + 1, J)` hidden
    values would be needed twice. Nodes that no alignment to speak of passes, which are most of them
    in a network that has learnt something, are left out of the gradient's products. It can't be
    differentiated twice.

    On the CPU in float32 the kernels calculate it; elsewhere operations of torch, with all logits.

    Args:
        frames: f `(T, B, J)`, what was heard.
        said: g `(U + 1, B, J)`, what the prediction network makes of the symbols said so far.
        weight, bias: `(V, J)` and `(V,)`.
        lengths, targets, target_lengths, blank, per: as of `transducer_loss`.

    Returns, raises: as `transducer_loss`.

    Source: as there; the joiner is that of Graves et al. 2013, arXiv 1303.5778.
    """
    device = frames.device
    lengths, target_lengths = lengths.to(device), target_lengths.to(device)
    targets = targets.to(device)
    _check_parts(frames, said, weight, bias)
    shape = torch.Size((frames.shape[1], len(frames), len(said), len(weight)))
    check_transducer(shape, lengths, targets, target_lengths, blank)
    given = (lengths, targets, target_lengths, blank)
    parts = (frames, said, weight, bias)
    if frames.numel() and all(native_loss(one) for one in parts):
        count = reduced(lengths.new_zeros(len(lengths)), lengths, target_lengths, per)
        kept = target_lengths[lengths > 0].sum() if per == "symbol" else (lengths > 0).sum()
        loss = _Joint.apply(*parts, *given, 1.0 / max(1, int(kept)))
        return TransducerLoss(loss, count.left_out)
    hidden = (frames.transpose(0, 1)[:, :, None] + said.transpose(0, 1)[:, None]).tanh()
    losses = reference_losses(torch.nn.functional.linear(hidden, weight, bias), *given)
    return reduced(losses, lengths, target_lengths, per)


def _check_parts(frames: Tensor, said: Tensor, weight: Tensor, bias: Tensor) -> None:
    if frames.dim() != 3:
        raise ShapeError(f"frames: got shape {tuple(frames.shape)}, expected (T, B, J)")
    batch, size = frames.shape[1:]
    for name, one, expected in (
        ("said", said, ("U + 1", batch, size)),
        ("weight", weight, ("V", size)),
        ("bias", bias, (len(weight),)),
    ):
        free = isinstance(expected[0], str)
        if one.dim() != len(expected) or tuple(one.shape)[free:] != expected[free:]:
            told = ", ".join(map(str, expected)) + ("," if len(expected) == 1 else "")
            raise ShapeError(
                f"{name}: got shape {tuple(one.shape)}, expected ({told}) beside frames"
                f" {tuple(frames.shape)}"
            )


class _Joint(torch.autograd.Function):
    """The sum of the losses, times `scale`."""

    @staticmethod
    @torch.autocast("cpu", enabled=False)
    def forward(
        ctx: Any,
        frames: Tensor,
        said: Tensor,
        weight: Tensor,
        bias: Tensor,
        lengths: Tensor,
        targets: Tensor,
        target_lengths: Tensor,
        blank: int,
        scale: float,
    ) -> Tensor:
        learns = any(ctx.needs_input_grad[:4])
        made = [torch.zeros_like(one) for one in (frames, said, weight, bias)] if learns else []
        total = 0.0
        sizes = zip(lengths.tolist(), target_lengths.tolist(), strict=True)
        for row, (length, count) in enumerate(sizes):
            if not length:
                continue
            utterance = _Utterance(
                frames[:length, row], said[: count + 1, row], weight, bias, targets[row, :count]
            )
            total += utterance.loss(blank, learns)
            if learns:
                to_frames, to_said = made[0][:length, row], made[1][: count + 1, row]
                utterance.slopes(scale, to_frames, to_said, *made[2:])
        ctx.save_for_backward(*made)
        return frames.new_tensor(total * scale)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Any, ...]:
        return (*(one * upstream for one in ctx.saved_tensors), *(None,) * 5)


class _Utterance:
    """One utterance: f `(T, J)`, g `(U + 1, J)`, the joiner's readout, and what is said."""

    def __init__(
        self, frames: Tensor, said: Tensor, weight: Tensor, bias: Tensor, targets: Tensor
    ) -> None:
        self._frames, self._said, self._weight, self._bias = frames, said, weight, bias
        self._targets = targets
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}

    def loss(self, blank: int, learns: bool) -> float:
        """Its loss; what it is made of is kept for the slopes as far as there is room."""
        steps, rows, vocabulary = len(self._frames), len(self._said), len(self._weight)
        count = torch.tensor([rows - 1])
        shape = torch.Size((1, steps, rows, vocabulary))
        self._lattice = Lattice(shape, torch.tensor([steps]), self._targets[None], count, blank)
        bytes_in_all = 4 * steps * rows * (vocabulary + self._weight.shape[1])
        for first, some in self._parts():
            hidden, logits = self._scores(some)
            self._lattice.score(logits, first)
            if learns and bytes_in_all <= KEPT:
                self._kept[first] = hidden, logits
        return float(self._lattice.sum()[0])

    def slopes(
        self, scale: float, to_frames: Tensor, to_said: Tensor, to_weight: Tensor, to_bias: Tensor
    ) -> None:
        """Writes the gradient by the frames, adds the others, all times `scale`."""
        by = torch.tensor([scale])
        size, rows = self._weight.shape[1], len(self._said)
        for first, some in self._parts():
            kept = self._kept.pop(first, None)
            hidden, logits = self._scores(some) if kept is None else kept
            self._lattice.slopes(logits, by, logits, first)
            taken = self._lattice.taken(first, len(some))
            if len(taken) > FEW * len(logits):
                to_hidden = self._through(hidden, logits, to_weight, to_bias)
                nodes = to_hidden.view(-1, rows, size)
                to_frames[first : first + len(some)] = nodes.sum(1)
                to_said += nodes.sum(0)
                continue
            to_hidden = self._through(hidden[taken], logits[taken], to_weight, to_bias)
            to_frames.index_add_(0, first + taken // rows, to_hidden)
            to_said.index_add_(0, taken % rows, to_hidden)

    def _through(
        self, hidden: Tensor, slopes: Tensor, to_weight: Tensor, to_bias: Tensor
    ) -> Tensor:
        """From slopes by logits `(N, V)` to those by f + g, `(N, J)`."""
        to_weight.addmm_(slopes.t(), hidden)
        to_bias += slopes.sum(0)
        found: Tensor = torch.ops.aten.tanh_backward(slopes @ self._weight, hidden)
        return found

    def _parts(self) -> Iterator[tuple[int, Tensor]]:
        """Some frames at a time, with the number of the first."""
        each = max(1, NODES_AT_ONCE // len(self._said))
        for number, some in enumerate(self._frames.split(each)):
            yield number * each, some

    def _scores(self, some: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden values `(N, J)` and logits `(N, V)` of the nodes of some frames."""
        hidden = (some[:, None] + self._said).tanh_().flatten(0, 1)
        return hidden, torch.addmm(self._bias, hidden, self._weight.t())
