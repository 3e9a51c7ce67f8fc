"""A network that reads its window in segments and answers all steps ahead at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from unrolled.layers.states import State
from unrolled.tasks.forecasting.head_base import Head
from unrolled.tasks.forecasting.layout import KNOWN, VALUE, Embed, Layout
from unrolled.tasks.forecasting.normalising import Normalise, growth, normalisation


class Shortcut(nn.Module):
    """A linear map from the window to every step ahead, shared by all series.

        point_k = x_L + sum_l W[k, l] (x_l - x_L) + b_k

    With `W` and `b` from ridge regression the network begins at that rival; with zeros at "as the
    last value".
    """

    def __init__(self, lookback: int, horizon: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(horizon, lookback))
        self.bias = nn.Parameter(torch.zeros(horizon))

    def forward(self, x: Tensor) -> Tensor:
        """`(L, B)` to `(B, K)`."""
        last = x[-1:]
        return nn.functional.linear((x - last).T, self.weight, self.bias) + last.T


class SegmentMember(nn.Module):
    """One network.

        e_i      = drop(relu(E [x of segment i] + static))        i = 1 .. L / w
        h_i, s_i = recurrent(e_i, s_{i-1})
        d_j, _   = decoder(position_j + D [known ahead of segment j], s_{L/w})    j = 1 .. K / w
        raw      = B drop(d_j) + start,  the head's central number plus the shortcut's point

    Every segment ahead is one step from the final state, all of them at once.

    Source: SegRNN, Lin et al. 2023 (arXiv 2308.11200).
    """

    def __init__(
        self,
        recurrent: Callable[[int], nn.RNNBase],
        layout: Layout,
        head: Head,
        *,
        lookback: int,
        horizon: int,
        segment: int,
        width: int,
        dropout: float,
        shortcut: str,
    ) -> None:
        super().__init__()
        self.lookback, self.segment, self.horizon = lookback, segment, horizon
        self.centre, self.apart = head.centre, head.apart
        self.ahead = -(-horizon // segment)
        own = Embed(layout, slice(0, layout.calendar_channels.start))
        later = Embed(layout, layout.future_channels)
        static = Embed(layout, layout.static_channels)
        self.parts = nn.ModuleDict({"own": own, "later": later, "static": static})
        self.recurrent: Any = recurrent(width)
        self.decoder: Any = recurrent(width)
        self.read = nn.Linear(segment * own.size, width)
        self.know = nn.Linear(segment * later.size, width) if later.size else None
        self.static = nn.Linear(static.size, width) if static.size else None
        self.positions = nn.Parameter(torch.randn(self.ahead, width) * width**-0.5)
        self.dropout = nn.Dropout(dropout)
        self.answer = nn.Linear(self.recurrent.hidden_size, segment * head.size)
        self.start = nn.Parameter(torch.zeros(horizon, head.size))
        linear = head.centre is not None and shortcut != "none"
        self.shortcut = Shortcut(lookback, horizon) if linear else None
        if self.shortcut is not None and shortcut == "fixed":
            self.shortcut.requires_grad_(False)
        self.sight = nn.Linear(later.size, 1) if later.size and head.centre is not None else None
        for layer in (self.answer, self.sight):
            if layer is not None:
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, past: Tensor, later: Tensor, x: Tensor) -> Tensor:
        """Past rows `(L, B, C)`, rows ahead `(K, B, C)`, values `(L, B)`: raw `(B, K, size)`."""
        past, x = past[-self.lookback :], x[-self.lookback :]
        own = self.parts["own"](past)
        steps, batch, _ = own.shape
        segments = own.unflatten(0, (steps // self.segment, self.segment))
        read = self.read(segments.transpose(1, 2).flatten(2))
        static = None
        if self.static is not None:
            static = self.static(self.parts["static"](past[-1]))
            read = read + static
        _, state = self.recurrent(self.dropout(torch.relu(read)))
        ahead = self.positions.unsqueeze(1).expand(-1, batch, -1)
        known = self.parts["later"](later) if self.know is not None else None
        if self.know is not None and known is not None:
            padded = nn.functional.pad(
                known, (0, 0, 0, 0, 0, self.ahead * self.segment - len(known))
            )
            rows = padded.unflatten(0, (self.ahead, self.segment))
            ahead = ahead + self.know(rows.transpose(1, 2).flatten(2))
        if static is not None:
            ahead = ahead + static
        # One step from the same state for every segment ahead: they lie side by side as rows.
        begun = _repeated(state, self.ahead)
        hidden, _ = self.decoder(ahead.reshape(1, self.ahead * batch, -1), begun)
        hidden = self.dropout(hidden[0].unflatten(0, (self.ahead, batch)))
        raw = self.answer(hidden).unflatten(-1, (self.segment, -1))
        if self.apart:
            settled = self.answer(hidden.detach()).unflatten(-1, (self.segment, -1))
            mask = torch.tensor([i in self.apart for i in range(raw.shape[-1])], device=raw.device)
            raw = torch.where(mask, settled, raw)
        raw = raw.permute(1, 0, 2, 3).flatten(1, 2)[:, : self.horizon] + self.start
        if self.centre is None:
            return raw
        point = x[-1:].T if self.shortcut is None else self.shortcut(x)
        if self.sight is not None and known is not None:
            point = point + self.sight(known).squeeze(-1).T
        return raw + torch.eye(raw.shape[-1]).to(raw)[self.centre] * point.unsqueeze(-1)


class SegmentModel(nn.Module):
    """Members that see the same windows, each with weights of its own; the forecast is their mean.

    Shapes: `L` lookback, `K` horizon, `B` windows, `C` channels, `M` members.

    Args:
        recurrent: makes a member's layers, given their input size; one direction, time-major.
        layout: the channels of a window.
        head: what the numbers of an answer mean.
        members: `M`.
        lookbacks: rows that a member reads, at the end of the window, in turns; the longest is `L`.
        horizon: `K`.
        segment: rows in a segment (`w`); divides each lookback.
        width: what a segment is embedded in.
        dropout: share of the hidden state that is dropped on its way to the answer, in training.
        normalise, season: see `normalisation`.
        shortcut: "learnt", "fixed" or "none": whether it learns, and whether it is there.
    """

    def __init__(
        self,
        recurrent: Callable[[int], nn.RNNBase],
        layout: Layout,
        head: Head,
        *,
        members: int,
        lookbacks: Sequence[int],
        horizon: int,
        segment: int,
        width: int,
        dropout: float,
        normalise: Normalise,
        season: int,
        shortcut: str,
    ) -> None:
        super().__init__()
        self.normalise: Normalise = normalise
        self.season = season
        self.growth: Tensor
        self.register_buffer("growth", growth(horizon, normalise), persistent=False)
        self.lookback, self.horizon = max(lookbacks), horizon
        self.marks = [KNOWN, layout.past_channels.stop - 1] if layout.past else [KNOWN]
        self.members = nn.ModuleList(
            SegmentMember(
                recurrent,
                layout,
                head,
                lookback=lookbacks[place % len(lookbacks)],
                horizon=horizon,
                segment=segment,
                width=width,
                dropout=dropout,
                shortcut=shortcut,
            )
            for place in range(members)
        )

    @property
    def linear(self) -> list[SegmentMember]:
        """The members that have a shortcut."""
        members = [cast(SegmentMember, member) for member in self.members]
        return [member for member in members if member.shortcut is not None]

    def forward(
        self,
        inputs: Tensor,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[tuple[Tensor, Tensor, Tensor], State]:
        """Windows `(L + K, B, C)` to raw `(M, B, K, size)`, location `(B, 1)`, scale `(B, K)`.

        The other arguments are those of every model of the training loop; a window begins anew.
        """
        past, later = inputs[: self.lookback], inputs[self.lookback :]
        known = past[..., KNOWN]
        location, scale = normalisation(past[..., VALUE], known, self.normalise, self.season)
        x = (past[..., VALUE] - location) / scale
        own = past.clone()
        own[..., VALUE] = x * known
        # A mark that is 1 in nearly every row would be one more bias for each row of a segment,
        # and all of them learn at once: what is not known is marked instead.
        own[..., self.marks] = 1 - past[..., self.marks]
        raw = torch.stack([member(own, later, x) for member in self.members])
        return (raw, location.unsqueeze(-1), scale.unsqueeze(-1) * self.growth), None


def _repeated(state: State, times: int) -> State:
    """The state `(layers, B, H)` as `(layers, times B, H)`, all rows one time after the other."""
    if isinstance(state, Tensor):
        return state.repeat(1, times, 1)
    assert state is not None
    return tuple(part.repeat(1, times, 1) for part in state)
