"""Asking the network about many documents, in the memory of a few."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from unrolled.tasks.arrays import like
from unrolled.tasks.classifying.lessons import batch_of, cuts
from unrolled.tasks.classifying.network import TextClassifier

_ROWS = 128


def network_logits(model: TextClassifier, documents: Sequence[np.ndarray]) -> np.ndarray:
    """Logits `(N, C)` float64 of documents `(n,)` each, in their order.

    Those of like lengths are asked together, and read in chunks: what is in memory at a time is a
    chunk's states.
    """
    device = like(model).device
    labels = model.readout.out_features
    found = np.empty((len(documents), labels))
    lengths = np.array([len(one) for one in documents], dtype=np.int64)
    order = np.argsort(lengths, kind="stable")
    # A document longer than a chunk is in memory one chunk at a time.
    held = np.minimum(lengths[order], model.chunk)
    with torch.no_grad():
        for cut in cuts(held, _ROWS, 32 * model.chunk):
            rows = order[cut]
            batch = batch_of([documents[row] for row in rows]).to(device)
            logits, _ = model(batch.inputs, lengths=batch.lengths)
            found[rows] = logits.double().cpu().numpy()
    return found
