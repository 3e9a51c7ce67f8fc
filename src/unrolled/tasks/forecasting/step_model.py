"""The network of a `Forecaster`: at every step, quantiles of the next steps, by several members."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from unrolled.layers.states import State
from unrolled.tasks.forecasting.step_features import OWN_COLUMNS


class Member(nn.Module):
    """One network.

        y_t, s_t = recurrent(x_t, s_{t-1});   out_t[k, q] = (A x_t + a)_k + (B drop(y_t) + b)_{k, q}

    The straight path `A x_t` can say "back to the average of the season" at once; the recurrent
    path says the rest. Training begins at the simple rival: "as the last value", or "as one season
    ago" where the last `lags` inputs hold those values.
    """

    def __init__(
        self, recurrent: nn.RNNBase, horizon: int, quantiles: int, *, dropout: float, lags: int
    ) -> None:
        super().__init__()
        # The layer's own type: torch's base class knows no `step`.
        self.recurrent: Any = recurrent
        self.dropout = nn.Dropout(dropout)
        self.straight = nn.Linear(recurrent.input_size, horizon)
        self.readout = nn.Linear(recurrent.hidden_size, horizon * quantiles)
        self.shape = (horizon, quantiles)
        for layer in (self.straight, self.readout):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            for k in range(horizon if lags else 0):
                self.straight.weight[k, k % lags - lags] = 1.0

    def answer(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """`(..., F)` and `(..., H)` to `(..., K, Q)`."""
        spread = self.readout(self.dropout(hidden)).unflatten(-1, self.shape)
        return self.straight(inputs).unsqueeze(-1) + spread


class ForecastModel(nn.Module):
    """Several members, each trained without another part of the past; the forecast is their mean.

    Shapes: `T` time, `B` series, `F` inputs, `K` horizon, `Q` quantiles, `M` members.

    Args:
        make_recurrent: makes the layers of a member: of one direction, time-major.
        members: `M`.
        horizon: `K`.
        quantiles: the levels, each inside (0, 1).
        dropout: share of the hidden state that is dropped on its way to the answer, in training.
        noise: standard deviation of what is added to level and change, in training.
        lags: how many of the last inputs are values of one season ago.

    The state is that of the members, one on the other: `(M L, B, H)`, twice for an LSTM.

    Source of training members on different parts: Krogh & Vedelsby 1995.
    """

    def __init__(
        self,
        make_recurrent: Callable[[], nn.RNNBase],
        *,
        members: int,
        horizon: int,
        quantiles: tuple[float, ...],
        dropout: float,
        noise: float,
        lags: int = 0,
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(
            Member(make_recurrent(), horizon, len(quantiles), dropout=dropout, lags=lags)
            for _ in range(members)
        )
        self.noise = noise
        self.answers = members * horizon * len(quantiles)

    def forward(
        self,
        inputs: Tensor,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """`(T, B, F)` to `(M, T, B, K, Q)` and the state after the last step."""
        answers, states = [], []
        for member, own in self._each(state):
            seen = self._disturb(inputs)
            hidden, after = member.recurrent(seen, own, lengths=lengths, starts=starts)
            answers.append(member.answer(seen, hidden))
            states.append(after)
        return torch.stack(answers), _join(states)

    def step(self, inputs: Tensor, state: State = None) -> tuple[Tensor, State]:
        """`(B, F)` to `(M, B, K, Q)` and the state after this step."""
        answers, states = [], []
        for member, own in self._each(state):
            hidden, after = member.recurrent.step(inputs, own)
            answers.append(member.answer(inputs, hidden))
            states.append(after)
        return torch.stack(answers), _join(states)

    def _disturb(self, inputs: Tensor) -> Tensor:
        if not self.training or self.noise == 0:
            return inputs
        own, rest = inputs[..., :OWN_COLUMNS], inputs[..., OWN_COLUMNS:]
        return torch.cat([own + self.noise * torch.randn_like(own), rest], dim=-1)

    def _each(self, state: State) -> list[tuple[Member, State]]:
        """Every member with its part of the state."""
        count = len(self.members)
        parts: list[State] = [None] * count
        if isinstance(state, Tensor):
            parts = list(state.chunk(count))
        elif state is not None:
            parts = list(zip(*(part.chunk(count) for part in state), strict=True))
        return [(cast(Member, m), part) for m, part in zip(self.members, parts, strict=True)]


def _join(states: list[State]) -> State:
    if isinstance(states[0], Tensor):
        return torch.cat(states)
    return tuple(torch.cat(parts) for parts in zip(*states, strict=True))
