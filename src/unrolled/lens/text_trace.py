"""Read a text with a character model, one symbol at a time, and record all that can be seen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from unrolled.errors import ConfigError
from unrolled.lens.records import LayerTrace, TextTrace

if TYPE_CHECKING:
    import torch


class Vocabulary(Protocol):
    pieces: tuple[str, ...]

    def encode(self, text: str) -> Iterable[int]: ...


class CharacterModel(Protocol):
    """What `trace_text` needs: a vocabulary, and a module with `recurrent` and `step`."""

    vocabulary: Vocabulary
    model: Any


def trace_text(
    generator: CharacterModel, text: str, *, top: int = 8, keep: int | None = None
) -> TextTrace:
    """Record the hidden states and the next-symbol probabilities while `generator` reads `text`.

    Step by step, with `T` symbols, vocabulary `V` and layers of `H` units:

        logits_t, state_t = model.step(x_t, state_{t-1})    (1, V), and (L, 1, H), (h, c), or that
                                                            of a `Recurrent`
        next_t = softmax(logits_t)                          what is expected after x_t
        surprise_t = -log2 next_{t-1}[x_t]                  bits that x_t cost

    Args:
        generator: a fitted `Generator`, or anything with its `vocabulary` and `model`.
        text: what to read; not empty.
        top: how many of the likeliest next symbols to record at each step.
        keep: record only the last `keep` symbols; those before are read, so that the state is warm.

    Returns:
        A `TextTrace`; states are rounded to 3 decimals, probabilities to 6.

    Raises:
        ConfigError: `text` is empty, or `top` or `keep` is below 1.
    """
    import torch

    if not text:
        raise ConfigError("trace_text got an empty text; give at least one character to read")
    if top < 1:
        raise ConfigError(f"trace_text got top={top}, expected 1 or more")
    if keep is not None and keep < 1:
        raise ConfigError(f"trace_text got keep={keep}, expected 1 or more, or None for all")

    model, vocabulary = generator.model, generator.vocabulary
    ids = [int(index) for index in vocabulary.encode(text)]
    # One symbol per character as a rule; where a vocabulary joins or drops some, its own are shown.
    symbols = list(text) if len(ids) == len(text) else [vocabulary.pieces[i] for i in ids]
    first = 0 if keep is None else max(0, len(ids) - keep)

    device = next(model.parameters()).device
    cells: list[str] = []
    hidden: list[list[list[float]]] = []
    memory: list[list[list[float] | None]] = []
    expected: list[list[tuple[str, float]]] = []
    surprise: list[float | None] = []

    state: Any = None
    log_p: torch.Tensor | None = None
    with _evaluating(model), torch.no_grad():
        for step, index in enumerate(ids):
            if step >= first:
                # `+ 0.0` turns the -0.0 of a sure symbol into 0.0.
                surprise.append(
                    None if log_p is None else round(-float(log_p[index]) / math.log(2) + 0.0, 4)
                )
            logits, state = model.step(torch.tensor([index], device=device), state)
            log_p = torch.log_softmax(logits[0].double(), dim=-1).cpu()
            if step < first:
                continue
            shown = _shown(model.recurrent, state)
            cells = [cell for cell, _, _ in shown]
            hidden.append([_row(h) for _, h, _ in shown])
            memory.append([None if c is None else _row(c) for _, _, c in shown])
            expected.append(_likeliest(log_p, vocabulary.pieces, top))

    layers = [
        LayerTrace(
            cell=cell,
            hidden=[step_rows[layer] for step_rows in hidden],
            memory=_all_or_none([step_rows[layer] for step_rows in memory]),
        )
        for layer, cell in enumerate(cells)
    ]
    return TextTrace(text=symbols[first:], layers=layers, next=expected, surprise=surprise)


def _shown(recurrent: Any, state: Any) -> list[tuple[str, torch.Tensor, torch.Tensor | None]]:
    """For each layer its cell's name, hidden state (1, H), and memory (1, H) or None."""
    from unrolled.layers.recurrent import Recurrent
    from unrolled.layers.recurrent_parts import traced_layers

    if isinstance(recurrent, Recurrent):
        return traced_layers(recurrent, state)
    h, c = state if isinstance(state, tuple) else (state, None)
    cell = type(recurrent).__name__
    return [(cell, h[layer], None if c is None else c[layer]) for layer in range(len(h))]


def _row(state: torch.Tensor) -> list[float]:
    """(1, H) to H numbers, short enough for a page."""
    return [round(value, 3) + 0.0 for value in state[0].double().tolist()]


def _all_or_none(rows: list[list[float] | None]) -> list[list[float]] | None:
    found = [row for row in rows if row is not None]
    return found or None


def _likeliest(log_p: torch.Tensor, symbols: tuple[str, ...], top: int) -> list[tuple[str, float]]:
    values, indices = log_p.exp().topk(min(top, len(symbols)))
    pairs = zip(values.tolist(), indices.tolist(), strict=True)
    return [(symbols[index], round(value, 6)) for value, index in pairs]


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Dropout off while tracing; the model is given back as it came."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
