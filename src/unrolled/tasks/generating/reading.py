"""Reading a text from the beginning of a document, and going on from where one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.layers.states import State
from unrolled.tasks.arrays import like
from unrolled.tasks.language_model import LanguageModel

# Tokens that are read in one call: long texts in constant memory.
CHUNK = 1024


@dataclass(frozen=True)
class Read:
    """Where a reader is.

    Attributes:
        logits: `(B, V)`, scores for the next token.
        hidden: `(B, H)`, what the scores were made from.
        state: of the recurrent layers; None before anything was read.
    """

    logits: Tensor
    hidden: Tensor
    state: State


class Reader:
    """Reads tokens with a trained model, without gradients.

    Every document begins with a line break, read from the zero state.

    Args:
        model: in evaluation mode.
        tokenizer: its tokens.
    """

    def __init__(self, model: LanguageModel, tokenizer: Any) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.device = like(model).device
        self.newline = int(tokenizer.encode("\n")[0])

    def beginning(self) -> Read:
        """The beginning of a document."""
        return self._call([self.newline], None)

    def read(self, ids: Sequence[int] | np.ndarray, at: Read | None = None) -> Read:
        """Read tokens from `at` on; None: from the beginning of a document."""
        at = self.beginning() if at is None else at
        for begin in range(0, len(ids), CHUNK):
            at = self._call(ids[begin : begin + CHUNK], at.state)
        return at

    def text(self, text: str, at: Read | None = None) -> Read:
        """Read a text."""
        return self.read(self.tokenizer.encode(text), at)

    @torch.no_grad()
    def step(self, ids: Sequence[int], state: State) -> Read:
        """One token for each of `B` rows of `state`."""
        tokens = torch.tensor(ids, device=self.device)
        hidden, state = self.model.encoder.step(tokens, state)
        return Read(self.model.scores(hidden), hidden, state)

    @torch.no_grad()
    def _call(self, ids: Sequence[int] | np.ndarray, state: State) -> Read:
        if len(ids) == 1:
            return self.step([int(ids[0])], state)
        tokens = torch.from_numpy(np.asarray(ids, dtype=np.int64)).to(self.device)
        hidden, state = self.model.encoder(tokens.unsqueeze(1), state)
        return Read(self.model.scores(hidden[-1]), hidden[-1], state)
