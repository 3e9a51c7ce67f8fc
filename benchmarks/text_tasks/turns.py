"""A rival that is trained in turns with a network, as long as it, on a machine whose speed drifts.

The rival is PyTorch's own LSTM, as one writes it: truncated backpropagation with carried state.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from unrolled.training import budget, loop

ROWS, STEPS, RATE, CLIP = 32, 64, 3e-3, 1.0


class TorchLSTM(nn.Module):
    """`torch.nn.LSTM` between an embedding and a readout, and its training, some seconds at a time.

    Args:
        text: to learn from; its characters are the tokens.
        hidden_size, layers, embedding_size: as the rival that the goals were set by.
        seed: of the weights.
    """

    name = "torch.nn.LSTM"

    def __init__(
        self,
        text: str,
        hidden_size: int = 256,
        layers: int = 2,
        embedding_size: int = 64,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.characters = "".join(sorted({"\n", *text}))
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            self.embedding = nn.Embedding(len(self.characters), embedding_size)
            self.layers = nn.LSTM(embedding_size, hidden_size, layers)
            self.readout = nn.Linear(hidden_size, len(self.characters))
        self.optimizer = torch.optim.AdamW(self.parameters(), lr=RATE)
        ids = self._ids(text)
        length = (len(ids) - 1) // ROWS
        self._inputs = ids[: ROWS * length].view(ROWS, length).T
        self._targets = ids[1 : ROWS * length + 1].view(ROWS, length).T
        self._at, self._state = 0, None
        self.steps, self.seconds, self.busy = 0, 0.0, 0.0

    def learn(self, seconds: float) -> None:
        """Train for about so long, for a step at least in all."""
        began, busy = time.perf_counter(), time.process_time()
        while self.steps == 0 or time.perf_counter() - began < seconds:
            self._step()
        self.seconds += time.perf_counter() - began
        self.busy += time.process_time() - busy

    def _step(self) -> None:
        if self._at >= len(self._inputs):
            self._at, self._state = 0, None
        cut = slice(self._at, self._at + STEPS)
        logits, self._state = self(self._inputs[cut], self._state)
        loss = cross_entropy(logits.flatten(0, 1), self._targets[cut].flatten())
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters(), CLIP)
        self.optimizer.step()
        self._at += STEPS
        self.steps += 1

    def forward(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Logits `(T, B, V)` of ids `(T, B)`, and the state, cut off from what made it."""
        hidden, state = self.layers(self.embedding(ids), state)
        return self.readout(hidden), tuple(one.detach() for one in state)

    @torch.no_grad()
    def nats(self, text: str) -> float:
        """Nats a character of a text as one stream that begins with a line break."""
        ids, state, spent = self._ids("\n" + text)[:, None], None, 0.0
        for begin in range(0, len(ids) - 1, 1024):
            cut = slice(begin, min(begin + 1024, len(ids) - 1))
            logits, state = self(ids[cut], state)
            targets = ids[cut.start + 1 : cut.stop + 1]
            spent += float(cross_entropy(logits[:, 0], targets[:, 0], reduction="sum").double())
        return spent / len(text)

    def _ids(self, text: str) -> Tensor:
        known = {character: number for number, character in enumerate(self.characters)}
        return torch.from_numpy(np.array([known.get(one, 0) for one in text], dtype=np.int64))


@contextmanager
def in_turns(learn: Callable[[float], object], seconds: float = 10.0) -> Iterator[None]:
    """While a network is trained by `fit`, another learns as long, in turns of some seconds.

    The training loop's clock stands still meanwhile: budgets, plans and logged seconds are those
    of the network alone.

    Args:
        learn: trains the other for so many seconds.
        seconds: of a turn.
    """
    paused, given = 0.0, 0.0
    began: float | None = None
    inside, depth = False, 0

    def clock() -> float:
        return time.perf_counter() - paused

    def turn(*_: Any) -> None:
        nonlocal paused, given, began, inside, depth
        depth += 1
        if inside or depth > 1:
            return  # a step of the other's own optimizer, or one that is part of another
        began = clock() if began is None else began
        owed = clock() - began - given
        if owed < seconds:
            return
        inside, now = True, time.perf_counter()
        with torch.enable_grad():  # an optimizer's step may have switched gradients off
            learn(owed)
        given += owed
        paused, inside = paused + time.perf_counter() - now, False

    def after(*_: Any) -> None:
        nonlocal depth
        depth -= 1

    hooks = (register_optimizer_step_pre_hook(turn), register_optimizer_step_post_hook(after))
    loop.time = budget.time = SimpleNamespace(perf_counter=clock)  # type: ignore[assignment]
    try:
        yield
    finally:
        loop.time = budget.time = time
        for hook in hooks:
            hook.remove()
