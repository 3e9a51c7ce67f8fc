"""How likely texts are, token by token."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from unrolled.decoding.text_score import TextScore
from unrolled.layers.states import State, map_state
from unrolled.tasks.generating.interpolation import interpolated
from unrolled.tasks.generating.neural_cache import CacheMemory, NeuralCache
from unrolled.tasks.generating.reading import CHUNK, Reader

# Rows that are read side by side, and how many scores are held at once.
ROWS = 32
SCORES = 1 << 22


def score_texts(
    reader: Reader, texts: Sequence[str], *, per_token: bool, cache: NeuralCache | None
) -> list[TextScore]:
    """The scores of texts, in their order.

    Args:
        reader: model and tokenizer.
        texts: each is read from the beginning of a document.
        per_token: keep each token with its log-probability.
        cache: settings of a neural cache, which begins empty for each text; None for none.
    """
    tokens = [reader.tokenizer.encode(text) for text in texts]
    # Of like lengths together, so that a batch has little padding.
    order = sorted(range(len(texts)), key=lambda place: len(tokens[place]))
    found: list[TextScore | None] = [None] * len(texts)
    rows = ROWS if cache is None else 1
    for begin in range(0, len(order), rows):
        batch = order[begin : begin + rows]
        memory = None if cache is None else CacheMemory(cache)
        scored = log_probabilities(reader, [tokens[place] for place in batch], memory)
        for place, of_tokens in zip(batch, scored, strict=True):
            ids = tokens[place]
            named = None
            if per_token:
                pieces = reader.tokenizer.pieces
                named = tuple(
                    (pieces[number], float(value))
                    for number, value in zip(ids.tolist(), of_tokens, strict=True)
                )
            found[place] = TextScore(
                log_probability=float(of_tokens.sum()),
                characters=len(texts[place]),
                count=len(ids),
                unknown=int(np.count_nonzero(ids == 0)),
                tokens=named,
            )
    return [one for one in found if one is not None]


@torch.no_grad()
def log_probabilities(
    reader: Reader, rows: Sequence[np.ndarray], memory: CacheMemory | None = None
) -> list[np.ndarray]:
    """Of each row the log-probability of every token after those before it, float64 `(n,)`.

    Every row begins a document. Memory is bounded: rows are read in parts of some steps.

    Args:
        reader: model and tokenizer.
        rows: token numbers, `(n,)` each.
        memory: of a cache, for one row only.
    """
    lengths = torch.tensor([len(row) for row in rows])
    longest = max(map(len, rows), default=0)
    mix = reader.interpolation
    out = [np.zeros(len(row)) for row in rows]
    at = reader.beginning()
    count = len(rows)
    state: State = _rows_of(at.place.state, count)
    hidden_before = at.hidden.expand(count, -1)
    steps = max(1, min(CHUNK, SCORES // (max(1, count) * len(reader.tokenizer))))
    for begin in range(0, longest, steps):
        end = min(begin + steps, longest)
        ids = np.zeros((end - begin, count), dtype=np.int64)
        for column, row in enumerate(rows):
            part = row[begin:end]
            ids[: len(part), column] = part
        tokens = torch.from_numpy(ids).to(reader.device)
        left = (lengths - begin).clamp(0, end - begin)
        hidden, state = reader.model.read(tokens, state, lengths=left)
        before = torch.cat([hidden_before.unsqueeze(0), hidden[:-1]])
        values = reader.model.log_probabilities(before, tokens)
        if mix is not None:
            own = torch.from_numpy(mix.of_part(rows, begin, end, reader.newline)).to(values)
            values = interpolated(values, own, mix.weight)
        if memory is not None:
            values = memory.mixed_targets(values[:, 0], before[:, 0], tokens[:, 0]).unsqueeze(1)
        scored = values.double().cpu().numpy()
        for column, row in enumerate(rows):
            real = min(len(row), end) - begin
            if real > 0:
                out[column][begin : begin + real] = scored[:real, column]
        hidden_before = hidden[-1]
    return out


def _rows_of(state: State, count: int) -> State:
    """One row's state for `count` rows."""
    return map_state(lambda part: part.expand(-1, count, -1).contiguous(), state)
