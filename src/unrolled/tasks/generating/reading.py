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
from unrolled.tasks.generating.interpolation import Interpolation
from unrolled.tasks.language_models import AnyLanguageModel

# Tokens that are read in one call: long texts in constant memory.
CHUNK = 1024


@dataclass(frozen=True)
class Place:
    """Where a reader is in `B` texts: all that what comes depends on.

    Attributes:
        state: of the recurrent layers; None before anything was read.
        grams: where the n-gram model is (`NGram.read`), `(B, order - 1)`; None where the network
            answers alone, and before anything was read.
    """

    state: State = None
    grams: np.ndarray | None = None


@dataclass(frozen=True)
class Read:
    """What a reader found where it is.

    Attributes:
        logits: `(B, V)`, scores for the next token.
        hidden: `(B, H)`, what the network made them from.
        place: where to go on from.
    """

    logits: Tensor
    hidden: Tensor
    place: Place


class Reader:
    """Reads tokens with a trained model, without gradients.

    Every document begins with a line break, read from the zero state.

    Args:
        model: in evaluation mode.
        tokenizer: its tokens.
        interpolation: the n-gram model that answers with the network; None: it answers alone.
    """

    def __init__(
        self,
        model: AnyLanguageModel,
        tokenizer: Any,
        interpolation: Interpolation | None = None,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.interpolation = interpolation
        self.device = like(model).device
        self.newline = int(tokenizer.encode("\n")[0])

    def beginning(self) -> Read:
        """The beginning of a document."""
        return self.step([self.newline], Place())

    def read(self, ids: Sequence[int] | np.ndarray, at: Read | None = None) -> Read:
        """Read tokens from `at` on; None: from the beginning of a document."""
        at = self.beginning() if at is None else at
        for begin in range(0, len(ids), CHUNK):
            at = self._call(ids[begin : begin + CHUNK], at.place)
        return at

    def text(self, text: str, at: Read | None = None) -> Read:
        """Read a text."""
        return self.read(self.tokenizer.encode(text), at)

    @torch.no_grad()
    def step(self, ids: Sequence[int], place: Place) -> Read:
        """One token for each of `B` rows of `place`."""
        hidden, state = self.model.read_step(torch.tensor(ids, device=self.device), place.state)
        return self._answer(hidden, state, np.array([ids]), place)

    @torch.no_grad()
    def _call(self, ids: Sequence[int] | np.ndarray, place: Place) -> Read:
        if len(ids) == 1:
            return self.step([int(ids[0])], place)
        column = np.asarray(ids, dtype=np.int64)[:, None]
        hidden, state = self.model.read(torch.from_numpy(column).to(self.device), place.state)
        return self._answer(hidden[-1], state, column, place)

    def _answer(self, hidden: Tensor, state: State, ids: np.ndarray, before: Place) -> Read:
        """What comes after the tokens `ids (N, B)`, which came after `before`."""
        logits = self.model.scores(hidden).float()
        if self.interpolation is None:
            return Read(logits, hidden, Place(state))
        ngram = self.interpolation.ngram
        grams = ngram.after_learnt(ids.shape[1]) if before.grams is None else before.grams
        grams = ngram.read(ids, grams)
        return Read(self.interpolation.answered(logits, grams), hidden, Place(state, grams))
