"""The network of a `Classifier`: an encoder's states, pooled over the document, to label scores."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from unrolled.layers.states import State, map_state
from unrolled.tasks.classifying.pooling import Pool
from unrolled.tasks.text_encoder import locked_dropout


class TextClassifier(nn.Module):
    """Scores of the labels of whole documents.

        y_1 .. y_n = encoder(x_1 .. x_n)
        p = [mean_t y_t, max_t y_t, y_n]
        logits = W p + b,  or  W relu(V p + c) + b  with `head_size`

    The document is read in chunks that hand state and pool on, so that memory stays within one
    chunk: in the answer, and in training too, where the backward pass runs each chunk again (the
    gradient is that of the whole document). With two directions the backward one begins anew in
    each chunk, since at the document's end it would have to wait for all the others.

    Shapes: `T` time, `B` batch, `H` units (of both directions), `C` labels.

    Args:
        encoder: a `TextEncoder`: `encoder(ids, state, lengths=...)` gives `(T, B, H)` and a state.
        units: `H`.
        labels: `C`.
        chunk: steps that are read at once.
        dropout: share of the pooled vector, and of the head's own units, dropped in training.
        head_size: units of a layer of its own before the scores; 0: none.
        output_dropout: share of the encoder's units that is dropped in training, the same at every
            step of a chunk.
        prefix: whether training answers at a drawn place of each document too.
    """

    def __init__(
        self,
        encoder: nn.Module,
        units: int,
        labels: int,
        *,
        chunk: int,
        dropout: float,
        head_size: int = 0,
        output_dropout: float = 0.0,
        prefix: bool = False,
    ) -> None:
        super().__init__()
        self.encoder: Any = encoder
        self.units = units
        self.chunk = chunk
        self.output_dropout = output_dropout
        self.prefix = prefix
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(3 * units, head_size) if head_size else None
        self.readout = nn.Linear(head_size or 3 * units, labels)

    def forward(
        self,
        inputs: Tensor,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Any, State]:
        """Documents `(T, B)` int64 that each begin anew, to logits `(B, C)`; no state is left.

        In training with `prefix`, a pair of logits: of the documents, and of each up to a place
        drawn from torch's generator. `state` and `starts` are there for the training loop, which
        carries none here.
        """
        if not (self.training and self.prefix):
            return self.answer(self.read(inputs, None, None, lengths)[1]), None
        steps, rows = inputs.shape
        whole = torch.full((rows,), steps) if lengths is None else lengths.cpu()
        places = 1 + (torch.rand(rows) * whole).long().clamp(max=whole - 1)
        empty = Pool.empty(rows, self.units, self.readout.weight)
        _, (pool, early) = self._read(inputs, None, [empty, empty], [lengths, places])
        return (self.answer(pool), self.answer(early)), None

    def read(
        self, inputs: Tensor, state: State, pool: Pool | None, lengths: Tensor | None = None
    ) -> tuple[State, Pool]:
        """Read on: ids `(T, B)`, or what the encoder makes of them, `(T, B, E)` float."""
        if pool is None:
            pool = Pool.empty(inputs.shape[1], self.units, self.readout.weight)
        state, (pool,) = self._read(inputs, state, [pool], [lengths])
        return state, pool

    def _read(
        self, inputs: Tensor, state: State, pools: list[Pool], ends: list[Tensor | None]
    ) -> tuple[State, list[Pool]]:
        """Chunk by chunk; each pool takes what comes before its own ends. The first ends are the
        documents' lengths."""
        ends = [None if end is None else end.to(inputs.device) for end in ends]
        # With the gradient switched off nothing is kept for a second pass.
        again = len(inputs) > self.chunk and torch.is_grad_enabled()
        for begin in range(0, len(inputs), self.chunk):
            piece = inputs[begin : begin + self.chunk]
            within = [None if end is None else (end - begin).clamp(0, len(piece)) for end in ends]
            parts: list[tuple[Tensor, ...]] = [pool.tensors() for pool in pools]
            if again:
                state, parts = checkpoint(
                    self._chunk, piece, state, parts, within, use_reentrant=False
                )
            else:
                state, parts = self._chunk(piece, state, parts, within)
            pools = [Pool(*part) for part in parts]
        return state, pools

    def answer(self, pool: Pool) -> Tensor:
        """Logits `(B, C)` for what was read."""
        pooled = self.dropout(pool.read())
        if self.hidden is not None:
            pooled = self.dropout(torch.relu(self.hidden(pooled)))
        scores: Tensor = self.readout(pooled)
        return scores.float()

    def _chunk(
        self,
        piece: Tensor,
        state: State,
        pools: list[tuple[Tensor, ...]],
        ends: list[Tensor | None],
    ) -> tuple[State, list[tuple[Tensor, ...]]]:
        if piece.is_floating_point():
            outputs, state = self.encoder.recurrent(piece, state, lengths=ends[0])
        else:
            outputs, state = self.encoder(piece, state, lengths=ends[0])
        if self.encoder.recurrent.bidirectional:
            state = map_state(_forward_only, state)
        outputs = locked_dropout(outputs, self.output_dropout, self.training)
        outputs = outputs.to(pools[0][0].dtype)
        taken = [Pool(*pools[0]).take(outputs, ends[0])]
        for pool, end in zip(pools[1:], ends[1:], strict=True):
            assert end is not None
            after = torch.arange(len(piece), device=piece.device).unsqueeze(1) >= end
            taken.append(Pool(*pool).take(outputs.masked_fill(after.unsqueeze(-1), 0), end))
        return state, [pool.tensors() for pool in taken]


def _forward_only(part: Tensor) -> Tensor:
    """A state `(2 L, B, H)` whose backward direction begins anew."""
    keep = torch.tensor([1.0, 0.0], device=part.device, dtype=part.dtype)
    return part * keep.repeat(len(part) // 2).view(-1, 1, 1)
