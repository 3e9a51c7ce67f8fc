"""The transducer loss of a batch, without the utterances that have no frame.

Shapes: `B` utterances, `T` frames, `U` symbols, `V` symbols with the blank.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from unrolled import kernels
from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.training.transducer_reference import reference_losses

# Of the kernels' calls what a node has.
_NODES = ("most", "powers", "to_frame", "to_symbol")
# Nodes that a smaller part of all alignments passes have no slopes (transducer_loss.h).
_TAKEN = 2.0**-40


class TransducerLoss(NamedTuple):
    """
    Attributes:
        loss: a scalar, in nats.
        left_out: how many utterances had no frame, so no alignment, and count for nothing.
    """

    loss: Tensor
    left_out: int


def transducer_loss(
    logits: Tensor,
    lengths: Tensor,
    targets: Tensor,
    target_lengths: Tensor,
    *,
    blank: int = 0,
    per: Literal["utterance", "symbol"] = "utterance",
    overwrite: bool = False,
) -> TransducerLoss:
    """Minus the log-probability of what was said, summed over all its alignments (RNN-T).

        a_tu = a_{t-1,u} p(blank | t-1, u) + a_{t,u-1} p(l_u | t, u-1),    a_00 = 1
        p(l | x) = a_{T-1,U} p(blank | T-1, U)
        loss = mean over b of -log p(l_b | x_b)                            per utterance
               sum over b of -log p(l_b | x_b) / sum over b of |l_b|       per symbol

    On the CPU in float32 the kernels calculate it, sums in float64 and the gradient by the logits
    at once; elsewhere operations of torch do, of any dtype.

    Args:
        logits: `(B, T, U + 1, V)` of the joiner; the softmax is taken here.
        lengths: `(B,)` frames of each utterance.
        targets: `(B, U)` int64 symbols below V, none of them the blank; anything beyond a target's
            length.
        target_lengths: `(B,)` symbols of each; 0 for silence.
        blank: the number of the blank.
        per: what the mean is over. Per symbol, long utterances count for more.
        overwrite: let the gradient stand where the logits do, which then are lost: half of the
            memory. For logits that nothing else needs, as those of a linear layer; on the path of
            torch it changes nothing.

    Returns:
        The loss, 0 with a gradient of 0 where no utterance has a frame, and how many have none.
        What stands beyond a row's lengths, NaN too, counts for nothing. A loss is NaN where a logit
        within is NaN or infinite, but for minus infinity, which is a probability of 0; where no
        alignment is possible so, it is infinite.

    Raises:
        ShapeError, DTypeError: arguments that do not go together.
        ConfigError: a length or a symbol out of range.

    Source: Graves 2012, arXiv 1211.3711, section 2.4.
    """
    lengths, target_lengths = lengths.to(logits.device), target_lengths.to(logits.device)
    targets = targets.to(logits.device)
    check_transducer(logits.shape, lengths, targets, target_lengths, blank)
    if not logits.is_floating_point():
        raise DTypeError(f"logits: got {logits.dtype}, expected floating point")
    given = (lengths, targets, target_lengths, blank)
    if native_loss(logits):
        losses = _Native.apply(logits, *given, overwrite)
    else:
        losses = reference_losses(logits, *given)
    return reduced(losses, lengths, target_lengths, per)


def reduced(losses: Tensor, lengths: Tensor, target_lengths: Tensor, per: str) -> TransducerLoss:
    """The mean of the losses `(B,)` of those that have a frame."""
    if per not in ("utterance", "symbol"):
        raise ConfigError(f"per: got {per!r}, expected 'utterance' or 'symbol'")
    kept = lengths > 0
    count = int(kept.sum())
    symbols = target_lengths[kept].sum() if per == "symbol" else kept.sum()
    return TransducerLoss(losses.sum() / symbols.clamp(min=1), len(kept) - count)


def native_loss(logits: Tensor) -> bool:
    """Whether the kernels can calculate it."""
    plain = logits.device.type == "cpu" and logits.dtype == torch.float32
    return plain and logits.numel() > 0 and kernels.available()


def check_transducer(
    shape: torch.Size, lengths: Tensor, targets: Tensor, target_lengths: Tensor, blank: int
) -> None:
    """ShapeError or ConfigError where logits of this shape and the rest do not go together."""
    if len(shape) != 4 or shape[2] < 1 or shape[3] < 1:
        raise ShapeError(f"logits: got shape {tuple(shape)}, expected (B, T, U + 1, V)")
    batch, steps, rows, vocabulary = shape
    expected = {"lengths": (batch,), "targets": (batch, rows - 1), "target_lengths": (batch,)}
    for name, given in zip(expected, (lengths, targets, target_lengths), strict=True):
        if tuple(given.shape) != expected[name]:
            raise ShapeError(
                f"{name}: got shape {tuple(given.shape)}, expected {expected[name]} beside logits"
                f" {tuple(shape)}"
            )
        if given.dtype != torch.int64:
            raise DTypeError(f"{name}: got {given.dtype}, expected torch.int64")
    if not 0 <= blank < vocabulary:
        raise ConfigError(f"blank: got {blank}, expected 0 to V - 1 = {vocabulary - 1}")
    _check_range("lengths", lengths, steps)
    _check_range("target_lengths", target_lengths, rows - 1)
    said = torch.arange(rows - 1, device=targets.device) < target_lengths[:, None]
    wrong = said & ((targets < 0) | (targets >= vocabulary) | (targets == blank))
    if wrong.any():
        row, at = wrong.nonzero()[0].tolist()
        raise ConfigError(
            f"targets[{row}, {at}]: got {int(targets[row, at])}, expected 0 to V - 1 ="
            f" {vocabulary - 1} and not the blank {blank}"
        )


def _check_range(name: str, lengths: Tensor, most: int) -> None:
    wrong = ((lengths < 0) | (lengths > most)).nonzero()
    if len(wrong):
        row = int(wrong[0, 0])
        raise ConfigError(f"{name}[{row}]: got {int(lengths[row])}, expected 0 to {most}")


class Lattice:
    """The nodes `(B, T, U + 1)` of some utterances, and the kernels' calls on them.

    Attributes:
        losses: `(B,)` float64, after `sums`.
    """

    def __init__(
        self,
        shape: torch.Size,
        lengths: Tensor,
        targets: Tensor,
        target_lengths: Tensor,
        blank: int,
    ) -> None:
        batch, steps, rows, vocabulary = shape
        self.shape = shape
        self.losses = torch.empty(batch, dtype=torch.float64)
        self._nodes = [
            torch.empty((batch, steps, rows), dtype=dtype)
            for dtype in (torch.float32, torch.float64, torch.float64, torch.float64)
        ]
        self._given = [one.contiguous() for one in (lengths, target_lengths, targets)]
        call = self._call = kernels.transducer_call()
        call.batch, call.labels, call.vocabulary = batch, rows - 1, vocabulary
        call.blank, call.threads = blank, torch.get_num_threads()
        call.counts, call.targets = (one.data_ptr() for one in self._given[1:])
        call.losses = self.losses.data_ptr()

    def score(self, logits: Tensor, first: int = 0) -> None:
        """Of contiguous logits: of all, or of some frames of a single utterance from `first` on."""
        call = self._call_on(logits, first)
        kernels.transducer_scores(call)

    def sum(self) -> Tensor:
        """The losses, after all scores."""
        kernels.transducer_sums(self._call_on(None, 0))
        return self.losses

    def slopes(self, logits: Tensor, scale: Tensor, out: Tensor, first: int = 0) -> None:
        """The gradient by logits as `score` had them, after `sum`, times `scale` `(B,)` float32."""
        call = self._call_on(logits, first)
        call.scale, call.slopes = scale.data_ptr(), out.data_ptr()
        kernels.transducer_slopes(call)

    def taken(self, first: int, frames: int) -> Tensor:
        """Of a single utterance the nodes that have slopes, `(N,)`, among those of some frames."""
        stays, says = (one[0, first : first + frames].flatten() for one in self._nodes[2:])
        # Written so that NaN has slopes.
        return (~(stays + says < _TAKEN)).nonzero()[:, 0]

    def _call_on(self, logits: Tensor | None, first: int) -> Any:
        """The call on all frames, or on those from `first` on that there are logits of."""
        steps, rows, vocabulary = self.shape[1:]
        if logits is not None:
            steps = logits.numel() // (self.shape[0] * rows * vocabulary)
            self._call.logits = logits.data_ptr()
        self._few = self._given[0] if steps == self.shape[1] else torch.tensor([steps])
        self._call.steps, self._call.lengths = steps, self._few.data_ptr()
        for name, one in zip(_NODES, self._nodes, strict=True):
            setattr(self._call, name, one.data_ptr() + first * rows * one.element_size())
        return self._call


class _Native(torch.autograd.Function):
    """The loss of each row, `(B,)`."""

    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,
        lengths: Tensor,
        targets: Tensor,
        target_lengths: Tensor,
        blank: int,
        overwrite: bool,
    ) -> Tensor:
        # Kept in full: without a gradient nothing is saved, and this dies with the call.
        ctx.lattice = Lattice(logits.shape, lengths, targets, target_lengths, blank)
        ctx.overwrite = overwrite
        dense = logits.contiguous()
        ctx.lattice.score(dense)
        ctx.save_for_backward(dense)
        return ctx.lattice.sum().float()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Any, ...]:
        (logits,) = ctx.saved_tensors
        gradient = logits.detach() if ctx.overwrite else torch.empty_like(logits)
        ctx.lattice.slopes(logits, upstream.contiguous(), gradient)
        return gradient, None, None, None, None, None
