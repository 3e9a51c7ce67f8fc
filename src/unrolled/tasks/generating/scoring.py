"""How likely texts are, token by token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from unrolled.decoding.text_score import TextScore
from unrolled.layers.states import map_state
from unrolled.tasks.generating.interpolation import interpolated
from unrolled.tasks.generating.neural_cache import CacheMemory, NeuralCache
from unrolled.tasks.generating.reading import CHUNK, Reader
from unrolled.tasks.generating.stretches import Stretch, cost_side_by_side, read_once, side_by_side

# Rows that are read side by side, and how many scores are held at once.
ROWS = 32
SCORES = 1 << 22
# What is known of costs is coarse: rows that begin alike are read together where it saves much.
_WORTH = 0.8


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
    found: list[TextScore | None] = [None] * len(texts)
    for batch, scored in _batches(reader, tokens, cache):
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


def _batches(
    reader: Reader, tokens: list[np.ndarray], cache: NeuralCache | None
) -> Iterator[tuple[list[int], list[np.ndarray]]]:
    """Places of rows that are scored together, with the log-probabilities of their tokens."""
    if cache is not None:
        for place, row in enumerate(tokens):
            yield [place], log_probabilities(reader, [row], memory=CacheMemory(cache))
        return
    left = []
    # As bytes, what begins alike stands together, too, and a long text stays small.
    for batch in _parts(sorted(range(len(tokens)), key=lambda place: tokens[place].tobytes())):
        rows = [tokens[place] for place in batch]
        stretches, needed = read_once(rows, _steps(reader, len(rows)))
        lengths = [len(row) for row in rows]
        # Those of one batch would stay together, in the order of their lengths, too.
        steps = max(lengths) if len(tokens) <= ROWS else sum(lengths) / len(rows)
        if needed <= _WORTH * cost_side_by_side(len(rows), steps):
            yield batch, log_probabilities(reader, rows, stretches)
        else:
            left += batch
    # Of like lengths together, so that a batch has little padding.
    for batch in _parts(sorted(left, key=lambda place: len(tokens[place]))):
        yield batch, log_probabilities(reader, [tokens[place] for place in batch])


def _parts(places: list[int]) -> Iterator[list[int]]:
    return (places[begin : begin + ROWS] for begin in range(0, len(places), ROWS))


def _steps(reader: Reader, rows: int) -> int:
    """So many tokens of each of some rows are read at once."""
    return max(1, min(CHUNK, SCORES // (max(1, rows) * len(reader.tokenizer))))


@torch.no_grad()
def log_probabilities(
    reader: Reader,
    rows: Sequence[np.ndarray],
    stretches: Sequence[Stretch] | None = None,
    memory: CacheMemory | None = None,
) -> list[np.ndarray]:
    """Of each row the log-probability of every token after those before it, float64 `(n,)`.

    Every row begins a document. Memory is bounded: rows are read in parts of some steps.

    Args:
        reader: model and tokenizer.
        rows: token numbers, `(n,)` each.
        stretches: of the rows; None: each is read by itself, all side by side.
        memory: of a cache, for one row only.
    """
    if stretches is None:
        stretches = side_by_side(rows, _steps(reader, len(rows)))
    mix = reader.interpolation
    out = [np.zeros(len(row)) for row in rows]
    at = reader.beginning()
    state, hidden = at.place.state, at.hidden.unsqueeze(0)
    for one in stretches:
        begin, end = one.begin, one.end
        some = [rows[row] for row in one.rows]
        ids = np.zeros((end - begin, len(some)), dtype=np.int64)
        for column, row in enumerate(some):
            part = row[begin:end]
            ids[: len(part), column] = part
        tokens = torch.from_numpy(ids).to(reader.device)
        lengths = torch.tensor([len(row) - begin for row in some]).clamp(0, end - begin)
        parents = torch.from_numpy(one.parents).to(reader.device)
        before = hidden[-1, parents]
        state = map_state(lambda part, at=parents: part[:, at].contiguous(), state)
        hidden, state = reader.model.read(tokens, state, lengths=lengths)
        before = torch.cat([before.unsqueeze(0), hidden[:-1]])
        values = reader.model.log_probabilities(before, tokens)
        if mix is not None:
            own = torch.from_numpy(mix.of_part(some, begin, end, reader.newline)).to(values)
            values = interpolated(values, own, mix.weight)
        if memory is not None:
            values = memory.mixed_targets(values[:, 0], before[:, 0], tokens[:, 0]).unsqueeze(1)
        scored = values.double().cpu().numpy()
        for row, column in enumerate(one.columns.tolist()):
            real = min(len(rows[row]), end) - begin
            if real > 0:
                out[row][begin : begin + real] = scored[:real, column]
    return out
