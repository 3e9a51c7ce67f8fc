"""What a `Generator` is trained and measured with: the rival, the streams, bits per character."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from unrolled.baselines import NGram, bits_by_order
from unrolled.baselines.ngram import Discounts
from unrolled.data.batching import ContiguousBatches
from unrolled.tasks.arrays import like
from unrolled.training.losses import token_loss

DISCOUNTS: tuple[Discounts, ...] = ("one", "three")


def choose_baseline(train: np.ndarray, validation: np.ndarray, symbols: int) -> NGram:
    """The n-gram model that is best on the validation part, refitted to both parts.

    The order (up to 8) and the kind of discount are chosen, so that the rival is a strong one.
    """
    bits = {
        (order, discounts): score
        for discounts in DISCOUNTS
        for order, score in bits_by_order(train, validation, symbols, discounts=discounts).items()
    }
    order, discounts = min(bits, key=lambda choice: bits[choice])
    both = np.concatenate([train, validation])
    return NGram(order, discounts=discounts).fit(both, symbols)


def fitting_rows(length: int, rows: int, steps: int) -> tuple[int, int]:
    """Rows and steps that a text of `length` characters can fill: a short one takes fewer."""
    steps = max(1, min(steps, length // 4))
    return max(1, min(rows, length // (2 * steps))), steps


def validator(model: nn.Module, ids: np.ndarray) -> Callable[[], float]:
    """Bits per character on streams read side by side: quick, and good enough to choose by."""
    rows, steps = fitting_rows(len(ids), 32, 256)
    batches = ContiguousBatches(ids, rows=rows, steps=steps)

    def score() -> float:
        device = like(model).device
        total, tokens, state = 0.0, 0, None
        for step in range(len(batches)):
            batch = batches[step].to(device)
            logits, state = model(batch.inputs, state)
            assert batch.targets is not None
            total += float(token_loss(logits, batch.targets)) * batch.tokens
            tokens += batch.tokens
        return total / tokens / math.log(2)

    return score


def stream_bits(model: nn.Module, ids: np.ndarray, *, chunk: int = 2048) -> float:
    """Bits per character of one stream, each given all before it; the first is not counted."""
    device = like(model).device
    stream = torch.from_numpy(np.ascontiguousarray(ids)).to(device)
    total, state = 0.0, None
    with torch.no_grad():
        for begin in range(0, len(stream) - 1, chunk):
            inputs = stream[begin : min(begin + chunk, len(stream) - 1)]
            targets = stream[begin + 1 : begin + 1 + len(inputs)]
            logits, state = model(inputs.unsqueeze(1), state)
            total += float(token_loss(logits, targets.unsqueeze(1))) * len(inputs)
    return total / (len(stream) - 1) / math.log(2)
