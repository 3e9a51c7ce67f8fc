"""What a layer passes through on its way: states, gates and gradients at every step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence

from unrolled.layers.call import Result


@dataclass
class LayerRecord:
    """One layer's record; every list has one entry for each direction.

    Attributes:
        gates: `(T, B, G*H)` after their functions: i, f, g, o of an LSTM; r, z, n of a GRU. An RNN
            has none.
        cells: `(T, B, H)` the cell state of an LSTM after every step.
        d_h: `(T, B, P)` the gradient of the loss by `h` after each step, all paths through time in
            it; there once `backward` has run.
        d_c: `(T, B, H)` the same by `c` of an LSTM, what goes through `h` of the same step included
            (with zoneout: by `c~`, the state that it would have had).

    With a packed input `(N, ...)` stands for `(T, B, ...)`. All are zero beyond a row's length.
    What the kernels leave takes part in no gradient. A record is of one call: the next one starts
    it anew.
    """

    gates: list[Tensor] = field(default_factory=list)
    cells: list[Tensor] = field(default_factory=list)
    d_h: list[Tensor] = field(default_factory=list)
    d_c: list[Tensor] = field(default_factory=list)

    def clear(self) -> None:
        """Forgets the call before."""
        for part in (self.gates, self.cells, self.d_h, self.d_c):
            part.clear()

    def after_forward(
        self,
        mode: str,
        gates: Tensor | None,
        cells: Tensor | None,
        lengths: Tensor | None,
        x: Tensor,
    ) -> None:
        """Takes what a forward call of the kernels kept, `(N, ...)`, for one direction."""
        if mode == "GRU" and gates is not None:
            gates = gates[:, gates.shape[1] // 4 :]  # without hn, which is no gate
        for part, to in ((gates, self.gates), (cells, self.cells)):
            if part is not None and mode in ("GRU", "LSTM"):
                to.append(_over_time(part, x, lengths))

    def after_call(self, result: Result) -> None:
        """Takes what one direction handed out on the reference path; gradients flow through it."""
        for part, to in ((result.gates, self.gates), (result.cells, self.cells)):
            if part is not None:
                to.append(part)

    def pack(self, lengths: Tensor) -> None:
        """Gates and cell states of a padded batch `(T, B, ...)`, packed: `(N, ...)`."""
        for parts in (self.gates, self.cells):
            parts[:] = [pack_padded_sequence(part, lengths).data for part in parts]

    def laid_out(self, change: Callable[[Tensor], Tensor]) -> LayerRecord:
        """The gates and cell states in another layout."""
        return LayerRecord(list(map(change, self.gates)), list(map(change, self.cells)))

    def before_backward(self, back: Any, x: Tensor, output: int, hidden: int, lstm: bool) -> None:
        """Makes room for the gradients of one direction and tells the backward call where."""
        places = x.shape[:-1]
        self.d_h.append(x.new_empty(*places, output))
        back.dh = self.d_h[-1].data_ptr()
        if lstm:
            self.d_c.append(x.new_empty(*places, hidden))
            back.dc = self.d_c[-1].data_ptr()


def _over_time(part: Tensor, x: Tensor, lengths: Tensor | None) -> Tensor:
    part = part.view(*x.shape[:-1], -1)
    if lengths is None:
        return part
    beyond = torch.arange(len(x), device=x.device).unsqueeze(1) >= lengths
    return part.masked_fill(beyond.unsqueeze(-1), 0)
