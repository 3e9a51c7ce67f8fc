"""The linear recurrent unit (LRU): a cell with a complex diagonal recurrence, and the block that
deep stacks are made of.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size, `P` output size.

Source: Orvieto et al., Resurrecting Recurrent Neural Networks for Long Sequences, arXiv 2303.06349.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import LayerNorm, Linear, Module, Parameter
from torch.nn.functional import dropout, gelu, glu, linear

from unrolled.errors import ConfigError, ShapeError
from unrolled.layers.cell_base import OwnCell
from unrolled.layers.cell_checks import check_input
from unrolled.layers.checks import check_lengths, check_starts
from unrolled.layers.unroll import unroll


class LRUCell(OwnCell):
    """Linear recurrent unit: each unit turns and shrinks its complex state at a rate of its own.

        lambda = exp(-exp(nu_log) + i exp(theta_log))
        h' = lambda * h + exp(gamma_log) * (B x)
        y = Re(C h') + D x

    with `|lambda| < 1` whatever the parameters, so that no state grows. There is nothing nonlinear
    over time: what a step computes is the sum over the past of `C lambda^k gamma B x_{t-k}`, and
    whole sequences run as one scan between two matrix products. Make it nonlinear between layers,
    as `LRUBlock` does.

    Args:
        input_size, hidden_size: I and H.
        output_size: P; None is I.
        r_min, r_max: the ring that lambda is drawn from, `r_min <= |lambda| <= r_max`, with the
            same probability everywhere on it. A long memory wants them near 1, such as 0.9 and
            0.999: with r a state falls to half within `log(0.5) / log(r)` steps.
        max_phase: lambda's angle is drawn from 0 to this. Small values (the paper takes pi / 10 and
            less for sequences of a thousand steps and more) begin with slow oscillations.
        device, dtype: of the parameters; dtype is float32 or float64.

    Parameters: `nu_log (H,)`, `theta_log (H,)`, `gamma_log (H,)`; `B (H, 2, I)` and `C (P, H, 2)`,
    complex matrices as real and imaginary parts; `D (P,)`, which multiplies each input where
    `P == I`, else a full matrix `(P, I)`.

    State: `h (B, H)`, complex. Everything that a cell is asked for (see
    `unrolled.layers.cells.Cell`), and two things more: `project(x)` is all of a linear recurrence,
    a and b, and `emit(h, x)` makes outputs from the states of all steps at once. Called as torch's
    cells, `h = cell(x_t, h)`, it gives the next state, from which `emit(h, x_t)` makes y.

    Raises:
        ConfigError: a size below 1, a ring that is not `0 <= r_min < r_max <= 1`, a `max_phase`
            that is not above 0, or another dtype.

    Source: arXiv 2303.06349, section 3 (lemma 3.2 for the ring) and the code of appendix A.
    """

    linear = True
    """`project` gives `(a, b)` with `h' = a * h + b`, and the output of a step is h'."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int | None = None,
        *,
        r_min: float = 0.0,
        r_max: float = 1.0,
        max_phase: float = 2 * math.pi,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias=False)
        output_size = input_size if output_size is None else output_size
        if output_size < 1:
            raise ConfigError(f"output_size: got {output_size}, expected at least 1")
        if dtype not in (None, torch.float32, torch.float64):
            raise ConfigError(f"dtype: got {dtype}, expected torch.float32 or torch.float64")
        if not 0 <= r_min < r_max <= 1:
            raise ConfigError(
                f"r_min, r_max: got {r_min} and {r_max}, expected 0 <= r_min < r_max <= 1"
            )
        if not 0 < max_phase < math.inf:
            raise ConfigError(f"max_phase: got {max_phase}, expected a number above 0")
        self.output_size = output_size
        self.r_min, self.r_max, self.max_phase = r_min, r_max, max_phase
        skip = (output_size,) if output_size == input_size else (output_size, input_size)

        def empty(*shape: int) -> Parameter:
            return Parameter(torch.empty(shape, device=device, dtype=dtype))

        self.nu_log, self.theta_log, self.gamma_log = (empty(hidden_size) for _ in range(3))
        self.B = empty(hidden_size, 2, input_size)
        self.C = empty(output_size, hidden_size, 2)
        self.D = empty(*skip)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all parameters anew, as in the paper's appendix A.

        gamma begins at `sqrt(1 - |lambda|^2)`: white noise at the input gives states of the same
        size at any rate.
        """
        # In double precision, and never at an end of the ring: logarithms of 0 would follow.
        shape = (2, self.hidden_size)
        u, v = torch.rand(shape, dtype=torch.float64, device=self.B.device).clamp(1e-7, 1 - 1e-7)
        squared = u * (self.r_max**2 - self.r_min**2) + self.r_min**2
        self.nu_log.copy_(torch.log(-0.5 * torch.log(squared)))
        self.theta_log.copy_(torch.log(self.max_phase * v))
        self.gamma_log.copy_(0.5 * torch.log1p(-squared))
        self.B.normal_(std=(2 * self.input_size) ** -0.5)
        self.C.normal_(std=self.hidden_size**-0.5)
        self.D.normal_(std=1.0 if self.D.dim() == 1 else self.input_size**-0.5)

    def eigenvalues(self) -> Tensor:
        """lambda `(H,)`, complex."""
        return torch.polar(torch.exp(-torch.exp(self.nu_log)), torch.exp(self.theta_log))

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """lambda `(H,)`, and `gamma * (B x)` for all steps at once, `(..., H)` for x `(..., I)`."""
        check_input(self, x, self.B, legend="(..., I)")
        # One real product: the real and the imaginary part of a unit stand side by side.
        scaled = self.B * torch.exp(self.gamma_log)[:, None, None]
        parts = linear(x, scaled.flatten(0, 1)).to(self.B.dtype)
        return self.eigenvalues(), torch.view_as_complex(parts.unflatten(-1, (-1, 2)))

    def step(self, projected_t: tuple[Tensor, Tensor], state: Tensor) -> tuple[Tensor, Tensor]:
        """`lambda * h + b`, as output and as state; `emit` makes y of it."""
        a, b = projected_t
        h = a * state + b
        return h, h

    def emit(self, h: Tensor, x: Tensor) -> Tensor:
        """`Re(C h) + D x`: states `(..., H)` and inputs `(..., I)` to outputs `(..., P)`."""
        signed = self.C * self.C.new_tensor([1.0, -1.0])
        y = linear(torch.view_as_real(h).flatten(-2), signed.flatten(1))
        return torch.addcmul(y, x, self.D) if self.D.dim() == 1 else y + linear(x, self.D)

    def initial_state(self, batch: int, like: Tensor) -> Tensor:
        """Zeros `(B, H)`, complex."""
        # Not dtype.to_complex(), which torch.compile can't trace.
        double = self.B.dtype == torch.float64
        dtype = torch.complex128 if double else torch.complex64
        return like.new_zeros(batch, self.hidden_size, dtype=dtype)

    def extra_repr(self) -> str:
        return (
            f"{self.input_size}, {self.hidden_size}, {self.output_size}, r_min={self.r_min}, "
            f"r_max={self.r_max}, max_phase={self.max_phase:g}"
        )

    def _weight(self) -> Tensor:
        return self.B


class BlockCell:
    """A block as the linear cell that it is: all of it but the recurrence stands in `project` and
    `emit`. Made for one run over time, in which `emit` takes what `project` has normalised."""

    linear = True
    name_in_errors = "LRUBlock"

    def __init__(self, block: LRUBlock) -> None:
        self._block = block
        self._normed: Tensor | None = None

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self._normed = self._block.norm(x)
        return self._block.cell.project(self._normed)

    def step(self, projected_t: tuple[Tensor, Tensor], state: Tensor) -> tuple[Tensor, Tensor]:
        return self._block.cell.step(projected_t, state)

    def emit(self, h: Tensor, x: Tensor) -> Tensor:
        block, normed = self._block, self._normed
        assert normed is not None
        y = block.drop(gelu(block.cell.emit(h, normed)))
        return x + block.drop(glu(block.mix(y), -1))

    def initial_state(self, batch: int, like: Tensor) -> Tensor:
        return self._block.cell.initial_state(batch, like)


class LRUBlock(Module):
    """A layer of a deep LRU network: what is nonlinear stands between the scans.

        y = x + dropout(glu(W dropout(gelu(LRU(norm(x)))) + b))

    with layer normalisation before the unit, and `glu(u, v) = u * sigmoid(v)`.

    Args:
        size: of inputs and outputs; I and P of the unit.
        hidden_size: H of the unit; None is `size`.
        dropout: in training; one mask over all steps of a row.
        r_min, r_max, max_phase: as for `LRUCell`.
        device, dtype: of the parameters.

    Parameters: `norm`'s, `cell`'s (an `LRUCell`) and `mix`'s, `weight (2 size, size)` and
    `bias (2 size,)`.

    Example:

        >>> import torch
        >>> from unrolled.layers.lru import LRUBlock
        >>> block = LRUBlock(8, 16, r_min=0.9, r_max=0.999)
        >>> x = torch.randn(5, 2, 8)
        >>> y, state = block(x, lengths=torch.tensor([5, 2]))
        >>> y.shape, state.shape
        (torch.Size([5, 2, 8]), torch.Size([2, 16]))
        >>> y_0, state = block.step(x[0])
        >>> torch.allclose(y_0, y[0], atol=1e-6)
        True

    Source: arXiv 2303.06349, figure 1; Dauphin et al. 2016, arXiv 1612.08083, for the gated linear
    unit.
    """

    def __init__(
        self,
        size: int,
        hidden_size: int | None = None,
        *,
        dropout: float = 0.0,
        r_min: float = 0.0,
        r_max: float = 1.0,
        max_phase: float = 2 * math.pi,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if not 0 <= dropout <= 1:
            raise ConfigError(f"dropout: got {dropout}, expected 0 to 1")
        self.cell = LRUCell(
            size,
            size if hidden_size is None else hidden_size,
            r_min=r_min,
            r_max=r_max,
            max_phase=max_phase,
            device=device,
            dtype=dtype,
        )
        self.dropout = dropout
        self.norm = LayerNorm(size, device=device, dtype=dtype)
        self.mix = Linear(size, 2 * size, device=device, dtype=dtype)

    def forward(
        self,
        x: Tensor,
        state: Tensor | None = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The whole sequence: x `(T, B, size)` to y of that shape, and the state `(B, H)` after
        each row's last real step.

        Args, errors: as for `Recurrent`; the state is complex, None for zeros.
        """
        check_input(self.cell, x, self.cell.B, legend="(T, B, size)")
        if x.shape[0] == 0:
            raise ShapeError("x: got no time steps, expected at least one in (T, B, size)")
        lengths = check_lengths(lengths, *x.shape[:2])
        starts = check_starts(starts, tuple(x.shape[:2]), "(T, B)")
        return unroll(BlockCell(self), x, state, lengths=lengths, starts=starts)

    def step(self, x_t: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """One step: `x_t (B, size)` and a state to the output `(B, size)` and the next state."""
        y, state = self(x_t.unsqueeze(0), state)
        return y.squeeze(0), state

    def drop(self, y: Tensor) -> Tensor:
        """In training, drops the same features at all steps of a row."""
        if not self.dropout or not self.training:
            return y
        return y * dropout(y.new_ones(1, *y.shape[1:]), self.dropout)
