"""The autoregressive network: a distribution of the next value, and sample paths drawn from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.quasirandom import SobolEngine

from unrolled.errors import ConfigError
from unrolled.layers.states import State, map_state
from unrolled.tasks.forecasting.head_base import Head, inside
from unrolled.tasks.forecasting.layout import KNOWN, VALUE, Layout

# Paths that go through a step together: so many fit into the processor's cache, and ten times as
# many take twice the time each.
ROWS_AT_ONCE = 4096


class AutoregressiveMember(nn.Module):
    """One network.

        h_t, s_t = recurrent(e_t, s_{t-1});   raw_t = W drop(h_t) + b,   raw_t[centre] += g v_{t-1}

    `e_t` are the embedded inputs of row `t`, `v_{t-1}` is the value before it. `W` and `b` begin at
    0 and `g` at 1: training begins at "as the last value", with a spread of one scale. A head
    without a number that moves its distribution has no `g`.
    """

    def __init__(self, recurrent: nn.RNNBase, head: Head, *, dropout: float) -> None:
        super().__init__()
        self.recurrent = recurrent
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(recurrent.hidden_size, head.size)
        nn.init.zeros_(self.readout.weight)
        nn.init.zeros_(self.readout.bias)
        self.centre = head.centre
        if self.centre is not None:
            self.carry = nn.Parameter(torch.ones(()))

    def answer(self, hidden: Tensor, last: Tensor) -> Tensor:
        """`(..., H)` and the values before `(...)` to raw numbers `(..., S)`."""
        raw: Tensor = self.readout(self.dropout(hidden))
        if self.centre is None:
            return raw
        at = torch.arange(raw.shape[-1], device=raw.device) == self.centre
        return raw + at * (self.carry * last).unsqueeze(-1)


class AutoregressiveModel(nn.Module):
    """At every row the distribution of its value, given all values before; paths are drawn from it.

    Shapes: `L` lookback, `K` horizon, `B` windows, `C` channels of the layout, `M` members, `N`
    paths, `S` raw numbers of the head, `Q` levels.

    Rows: the network reads at row `t` what is known before it: value and past covariates (with
    their flags) of row `t - 1`, future and static covariates of row `t` itself. Its answer at row
    `t` is the distribution of the value at row `t`. At row 0 nothing came before: zeros.

    Training reads `(L + K, B, C + 2)`: the channels of the layout, then `answer`, the scaled value
    at every row, horizon included, and `answer known`, 1 where it is one (`answer` is 0 elsewhere).
    These two take the place of the layout's `value` and `known`, so that the network is taught
    with the true values of the horizon. Prediction reads `(L + K, B, C)` and feeds what it has
    drawn. Past covariates are 0 in the horizon for both.

    Args:
        make_recurrent: makes the layers of a member from their input size: `unrolled.LSTM` and its
            kind, of one direction, time-major.
        layout: which channel holds what.
        embed: `(T, B, C)` to `(T, B, size)`, shared by the members; has the attribute `size`.
        head: what the raw numbers mean.
        lookback, horizon: `L` and `K`.
        members: `M`, networks that differ by their random beginning; their paths are pooled.
        paths: `N`, at least `M`; best a power of two for each member.
        dropout: share of the hidden state that is dropped on its way to the answer, in training.

    Raises:
        ConfigError: fewer paths than members.

    Source: Salinas et al. 2020 (DeepAR, arXiv 1704.04110); levels: Sobol 1967, Owen 1998.
    """

    lagged: Tensor

    def __init__(
        self,
        make_recurrent: Callable[[int], nn.RNNBase],
        *,
        layout: Layout,
        embed: nn.Module,
        head: Head,
        lookback: int,
        horizon: int,
        members: int = 1,
        paths: int = 256,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if paths < members:
            raise ConfigError(f"paths: got {paths}, expected one for each of {members} members")
        self.embed = embed
        self.members = nn.ModuleList(
            AutoregressiveMember(make_recurrent(cast(int, embed.size)), head, dropout=dropout)
            for _ in range(members)
        )
        self.head = head
        self.lookback, self.horizon, self.count = lookback, horizon, paths
        self.channels = layout.channels
        lagged = torch.zeros(layout.channels, dtype=torch.bool)
        lagged[: layout.past_channels.stop] = True
        self.register_buffer("lagged", lagged, persistent=False)

    def forward(
        self,
        inputs: Tensor,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """`(L + K, B, C + 2)` to raw numbers `(M, L + K, B, S)`; no state goes on to other windows.

        Every window begins from zeros and is whole: `state`, `lengths` and `starts` are there for
        the training loop, which hands them to every model, and change nothing.
        """
        rows = inputs[..., : self.channels].clone()
        rows[..., VALUE] = inputs[..., self.channels]
        rows[..., KNOWN] = inputs[..., self.channels + 1]
        rows = self._before(rows)
        last, embedded = rows[..., VALUE], self.embed(rows)
        answers = []
        for member in self._members():
            hidden, _ = member.recurrent(embedded)
            answers.append(member.answer(hidden, last))
        return torch.stack(answers), None

    @torch.no_grad()
    def paths(
        self,
        inputs: Tensor,
        generator: torch.Generator,
        location: Tensor | None = None,
        scale: Tensor | None = None,
    ) -> Tensor:
        """Sample paths of the horizon, `(N, B, K)`, in the unit of `location` and `scale`.

        Every window gets the same random levels, so a window's paths do not depend on the others
        of its batch. That makes them no paths of a sum over several series. The levels fill
        (0, 1)^K more evenly than independent ones (Sobol), so that quantiles of the first steps are
        several times as near, with as many paths. Call it in evaluation mode.

        Args:
            inputs: `(L + K, B, C)`.
            generator: of the random levels; the next call goes on with it.
            location, scale: `(B,)`, the windows' normalisation; None: 0 and 1.
        """
        location = inputs.new_zeros(()) if location is None else location
        scale = inputs.new_ones(()) if scale is None else scale
        rows = self._before(inputs)
        embedded = self.embed(rows[: self.lookback + 1])
        shares = torch.arange(self.count).tensor_split(len(self.members))
        return torch.cat(
            [
                self._walk(
                    member, rows, embedded, self._levels(len(share), generator), location, scale
                )
                for member, share in zip(self._members(), shares, strict=True)
            ]
        )

    def fan(
        self,
        inputs: Tensor,
        levels: Tensor,
        seed: int,
        location: Tensor | None = None,
        scale: Tensor | None = None,
    ) -> Tensor:
        """Quantiles of the horizon, `(B, K, Q)`: those of the sample paths.

        The same for a window alone and in a batch. Counts come out as whole numbers.

        Args:
            inputs: `(L + K, B, C)`.
            levels: `(Q,)`, each inside (0, 1).
            seed: of the paths.
            location, scale: as for `paths`.
        """
        batch = inputs.shape[1]
        between = "nearest" if self.head.whole else "linear"
        parts = []
        for chosen in torch.arange(batch).split(max(1, ROWS_AT_ONCE // self.count)):
            paths = self.paths(
                inputs[:, chosen],
                torch.Generator().manual_seed(seed),
                None if location is None else location.expand(batch)[chosen],
                None if scale is None else scale.expand(batch)[chosen],
            )
            # Step by step: torch's quantile takes no more than 16 million numbers.
            steps = [
                torch.quantile(step, levels.to(step), dim=0, interpolation=between)
                for step in paths.unbind(-1)
            ]
            parts.append(torch.stack(steps).permute(2, 0, 1))
        return torch.cat(parts)

    def _walk(
        self,
        member: AutoregressiveMember,
        rows: Tensor,
        embedded: Tensor,
        levels: Tensor,
        location: Tensor,
        scale: Tensor,
    ) -> Tensor:
        """One member's paths `(n, B, K)` at the random `levels` `(K, n)`."""
        levels = levels.to(rows)
        paths, batch = levels.shape[1], rows.shape[1]
        hidden, state = member.recurrent(embedded)
        raw = member.answer(hidden[-1], rows[self.lookback, :, VALUE])
        # One state for each path of each window, from the one that they share.
        raw = raw.expand(paths, -1, -1)
        state = map_state(
            lambda part: part.unsqueeze(1).expand(-1, paths, -1, -1).flatten(1, 2), state
        )
        drawn: list[Tensor] = []
        for k in range(self.horizon):
            if k > 0:
                row = rows[self.lookback + k].expand(paths, -1, -1).clone()
                row[..., VALUE] = last = (drawn[-1] - location) / scale
                row[..., KNOWN] = 1.0
                # A sequence of one step: `step` is made for few rows.
                hidden, state = member.recurrent(self.embed(row).flatten(0, 1)[None], state)
                raw = member.answer(hidden[0].unflatten(0, (paths, batch)), last)
            drawn.append(self.head.icdf(raw, levels[k].unsqueeze(-1), location, scale))
        return torch.stack(drawn, dim=-1)

    def _levels(self, paths: int, generator: torch.Generator) -> Tensor:
        """Random levels `(K, paths)`: scrambled Sobol points of `K` dimensions."""
        seed = int(torch.randint(2**31, (), generator=generator, device=generator.device))
        return inside(SobolEngine(self.horizon, scramble=True, seed=seed).draw(paths).T)

    def _before(self, rows: Tensor) -> Tensor:
        """What is known before each row: value and past covariates are those of the last one."""
        earlier = torch.cat([torch.zeros_like(rows[:1]), rows[:-1]])
        return torch.where(self.lagged, earlier, rows)

    def _members(self) -> list[AutoregressiveMember]:
        return [cast(AutoregressiveMember, member) for member in self.members]


class AutoregressiveLoss:
    """The head's loss of each value given all before it, in lookback and horizon alike.

    `outputs` `(M, L + K, B, S)`; `targets` `(L + K, B, 3)`: value (NaN where not known), location,
    scale, all in the unit of the data; or `(L + K, B)`: values with location 0 and scale 1.
    Row 0 does not count: nothing came before it.

    Args:
        head: what the raw numbers mean.
        lookback: `L`.
    """

    def __init__(self, head: Head, lookback: int) -> None:
        self.head = head
        self.lookback = lookback

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean over the known values."""
        return self._mean(outputs[:, 1:], targets[1:])

    def held_out(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean over the known values of the horizon, each given the true ones before it."""
        return self._mean(outputs[:, self.lookback :], targets[self.lookback :])

    def _mean(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if targets.dim() == 2:
            targets = torch.stack(
                [targets, torch.zeros_like(targets), torch.ones_like(targets)], dim=-1
            )
        value, location, scale = targets.unbind(-1)
        loss = self.head.loss(outputs, value, location, scale)
        return loss.sum() / ((~value.isnan()).sum().clamp(min=1) * len(outputs))
