"""Scoring long streams of tokens: a carried state, documents side by side, a chosen rival."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batching import ContiguousBatches
from unrolled.data.token_store import TokenStore
from unrolled.layers.states import State
from unrolled.tasks.arrays import like
from unrolled.tasks.generating.interpolation import interpolated
from unrolled.tasks.generating.neural_cache import CacheMemory, NeuralCache
from unrolled.tasks.generating.reading import CHUNK, Reader
from unrolled.tasks.generating.scoring import SCORES
from unrolled.tasks.language_models import AnyLanguageModel
from unrolled.training.losses import token_loss

# Documents are read in so many rows side by side.
ROWS = 32


@dataclass(frozen=True)
class StreamScore:
    """What a stream of tokens costs.

    Attributes:
        nats: of all tokens but the line breaks that begin a document.
        tokens: how many those are.
        network: what they cost the network alone, without n-grams and cache.
    """

    nats: float
    tokens: int
    network: float


@dataclass(frozen=True)
class Scored:
    """Some tokens of a stream, `(N,)` each.

    Attributes:
        places: where they stand.
        whole: their log-probabilities, by all that answers.
        network: by the network alone.
    """

    places: np.ndarray
    whole: Tensor
    network: Tensor


def score_stream(
    reader: Reader, store: TokenStore, cache: NeuralCache | None = None
) -> StreamScore:
    """Every document from its beginning to its end, each token given all before it.

    A document begins at the zero state. Several are read side by side, which changes no number.

    Args:
        reader: model and tokenizer.
        store: the tokens.
        cache: settings of a neural cache, which goes on from document to document (then they are
            read one after the other); None for none.
    """
    nats = network = 0.0
    for scored in scored_parts(reader, store, cache):
        nats -= float(scored.whole.double().sum())
        network -= float(scored.network.double().sum())
    return StreamScore(nats, len(store) - len(store.document_starts), network)


@torch.no_grad()
def scored_parts(
    reader: Reader, store: TokenStore, cache: NeuralCache | None = None
) -> Iterator[Scored]:
    """As `score_stream`, part by part as they are read; each token comes once."""
    rows = 1 if cache is not None else ROWS
    edges = _edges(store, rows)
    memory = None if cache is None else CacheMemory(cache)
    mix = reader.interpolation
    begins, lengths = edges[:-1], np.diff(edges)
    most = SCORES // (len(begins) * len(reader.tokenizer))
    steps = max(1, min(CHUNK, most, int(lengths.max())))
    state = None
    for begin in range(0, int(lengths.max()) - 1, steps):
        # Inputs, and one token more: the target of the last step.
        places = begins + np.arange(begin, begin + steps + 1)[:, None]
        inside = places < edges[1:]
        places = np.minimum(places, len(store) - 1)
        ids = torch.from_numpy(store.ids[places].astype(np.int64)).to(reader.device)
        starts = torch.from_numpy(store.begins_document(places) & inside).to(reader.device)
        left = torch.from_numpy(np.clip(lengths - begin, 0, steps)).to(reader.device)
        hidden, state = reader.model.read(ids[:-1], state, lengths=left, starts=starts[:-1])
        network = reader.model.log_probabilities(hidden, ids[1:])
        whole = network
        if mix is not None:
            own = torch.from_numpy(mix.of_places(store, places[1:])).to(network)
            whole = interpolated(network, own, mix.weight)
        counted = torch.from_numpy(inside[1:]).to(reader.device) & ~starts[1:]
        if memory is not None:
            real = int(inside[1:, 0].sum())
            whole, network, counted = whole[:real].clone(), network[:real], counted[:real]
            whole[:, 0] = memory.mixed_targets(whole[:, 0], hidden[:real, 0], ids[1 : real + 1, 0])
        where = places[1 : len(counted) + 1][counted.cpu().numpy()]
        yield Scored(where, whole[counted], network[counted])


def _edges(store: TokenStore, rows: int) -> np.ndarray:
    """Where the rows begin, each with a document, and the end: about equally long."""
    ideal = len(store) * np.arange(rows) // rows
    nearest = np.searchsorted(store.document_starts, ideal, side="right") - 1
    return np.unique([*store.document_starts[np.maximum(nearest, 0)].tolist(), len(store)])


def fitting_rows(length: int, rows: int, steps: int) -> tuple[int, int]:
    """Rows and steps that a text of `length` tokens can fill: a short one takes fewer."""
    steps = max(1, min(steps, length // 4))
    return max(1, min(rows, length // (2 * steps))), steps


def validator(model: AnyLanguageModel, store: TokenStore) -> Callable[[], float]:
    """Bits per character on streams read side by side: quick, and good enough to choose by."""
    symbols = model.encoder.embedding.num_embeddings
    rows, steps = fitting_rows(len(store), ROWS, max(1, min(256, SCORES // (ROWS * symbols))))
    batches = ContiguousBatches(
        store.ids, rows=rows, steps=steps, document_starts=store.document_starts
    )
    tokens_per_character = len(store) / max(1, store.characters)

    def score() -> float:
        device = like(model).device
        total, tokens = 0.0, 0
        state: State = None
        for step in range(len(batches)):
            batch = batches[step].to(device)
            logits, state = model(batch.inputs, state, starts=batch.starts)
            assert batch.targets is not None
            total += float(token_loss(logits, batch.targets)) * batch.tokens
            tokens += batch.tokens
        return total / tokens / math.log(2) * tokens_per_character

    return score
