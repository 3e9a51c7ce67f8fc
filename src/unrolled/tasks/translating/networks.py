"""Several networks that translate as one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from unrolled.layers.states import State
from unrolled.tasks.members import Members
from unrolled.tasks.translating.network import TranslationNetwork


class TranslationNetworks(Members[TranslationNetwork]):
    """Members that each learn by themselves and answer together: the mean of their probabilities
    at every token.

    Args:
        members: of equal sizes.
    """

    def forward(
        self,
        inputs: Tensor,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Any, None]:
        """Source tokens `(S, B)` to the memory of each member."""
        memories = [member(inputs, None, lengths=lengths, starts=starts)[0] for member in self.each]
        return tuple(memories), None

    def loss(self, memories: Any, targets: Tensor) -> Tensor:
        """The mean over the members of their losses, so that each learns what it would alone."""
        each = [one.loss(own, targets) for one, own in zip(self.each, memories, strict=True)]
        return torch.stack(each).mean()


AnyTranslationNetwork = TranslationNetwork | TranslationNetworks
"""One network, or several that answer as one."""
