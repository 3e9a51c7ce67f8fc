"""Several networks that answer as one language model."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ShapeError
from unrolled.layers.states import State, map_state, tensors_of
from unrolled.tasks.language_model import LanguageModel
from unrolled.tasks.members import Members
from unrolled.tasks.text_encoder import TextEncoder
from unrolled.training.losses import token_loss


class LanguageModels(Members[LanguageModel]):
    """Members that each learn by themselves and answer together: the mean of their probabilities.

        p(x_{t+1} | x_1 .. x_t) = 1/M sum_m p_m(x_{t+1} | x_1 .. x_t)

    Shapes: `M` members, `T` time, `B` batch, `V` tokens that there are, `H` hidden size and `L`
    layers of each. The hidden states stand side by side, `(T, B, M * H)`, and what is carried on
    is one state `(M * L, B, H)`: a reader need not know how many members there are.

    Args:
        members: of equal sizes.
    """

    @property
    def encoder(self) -> TextEncoder:
        """The first member's: what other tasks begin with."""
        return self.each[0].encoder

    @property
    def recurrent(self) -> Any:
        """The first member's recurrent layer."""
        return self.each[0].recurrent

    def forward(
        self,
        inputs: Tensor,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Any, State]:
        """`inputs` `(T, B)` int64 to logits `(T, B, V)` and the state after the last step; in
        training to the outputs of each member, for `loss`."""
        if not self.training:
            hidden, state = self.read(inputs, state, lengths=lengths, starts=starts)
            return self.scores(hidden), state
        answers = [
            member(inputs, own, lengths=lengths, starts=starts)
            for member, own in zip(self.each, self._parted(state), strict=True)
        ]
        return tuple(outputs for outputs, _ in answers), _joined([own for _, own in answers])

    def loss(self, outputs: Any, targets: Tensor) -> Tensor:
        """In training the mean over the members of their losses, so that each learns what it would
        alone; otherwise of the answer that they give together."""
        if isinstance(outputs, Tensor):
            return token_loss(outputs, targets)
        each = [member.loss(own, targets) for member, own in zip(self.each, outputs, strict=True)]
        return torch.stack(each).mean()

    def read(
        self,
        ids: Tensor,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """As `LanguageModel.read`, the members' hidden states side by side."""
        return _together(
            member.read(ids, own, lengths=lengths, starts=starts)
            for member, own in zip(self.each, self._parted(state), strict=True)
        )

    def read_step(self, ids: Tensor, state: State = None) -> tuple[Tensor, State]:
        """As `LanguageModel.read_step`, the members' hidden states side by side."""
        return _together(
            member.read_step(ids, own)
            for member, own in zip(self.each, self._parted(state), strict=True)
        )

    def step(self, ids: Tensor, state: State = None) -> tuple[Tensor, State]:
        """As `LanguageModel.step`."""
        hidden, state = self.read_step(ids, state)
        return self.scores(hidden), state

    def scores(self, hidden: Tensor) -> Tensor:
        """`hidden` `(..., M * H)` to the logarithm of the mean of the members' probabilities."""
        total: Tensor | None = None  # one after the other: scores of a large vocabulary are many
        for member, own in zip(self.each, self._own(hidden), strict=True):
            log_p = member.scores(own).float().log_softmax(-1)
            total = log_p if total is None else torch.logaddexp(total, log_p)
        assert total is not None
        return total - math.log(len(self.members))

    def log_probabilities(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """As `LanguageModel.log_probabilities`, of the answer together."""
        each = [
            member.log_probabilities(own, targets)
            for member, own in zip(self.each, self._own(hidden), strict=True)
        ]
        return torch.stack(each).logsumexp(0) - math.log(len(each))

    def _own(self, hidden: Tensor) -> tuple[Tensor, ...]:
        """Each member's part of the hidden states."""
        return hidden.chunk(len(self.members), dim=-1)

    def _parted(self, state: State) -> list[State]:
        """What each member carries on."""
        count = len(self.members)
        if state is None:
            return [None] * count
        layers = len(next(tensors_of(state)))
        expected = count * self.recurrent.num_layers
        if layers != expected:
            raise ShapeError(
                f"state: got {layers} layers, expected {expected}:"
                f" {self.recurrent.num_layers} for each of {count} members"
            )
        return [
            map_state(lambda part, place=place: part.chunk(count)[place], state)
            for place in range(count)
        ]


def _together(reads: Any) -> tuple[Tensor, State]:
    hidden, states = zip(*reads, strict=True)
    return torch.cat(hidden, dim=-1), _joined(states)


def _joined(states: Any) -> State:
    return map_state(lambda *parts: torch.cat(parts), *states)


AnyLanguageModel = LanguageModel | LanguageModels
"""One network, or several that answer as one."""
