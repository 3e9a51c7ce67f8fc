"""The networks that a `Translator`'s settings describe."""

from __future__ import annotations

from typing import Any

from torch import nn

from unrolled.layers.attention import Attention
from unrolled.tasks.base import CELLS
from unrolled.tasks.initial import initialise
from unrolled.tasks.translating.decoder import Decoder
from unrolled.tasks.translating.network import TranslationNetwork
from unrolled.tasks.translating.settings import Settings


def build(
    settings: Settings, cell: str, directions: int, sources: int, targets: int | None
) -> TranslationNetwork:
    """One network.

    Args:
        settings: sizes and dropouts.
        cell: "lstm", "gru" or "rnn".
        directions: of the encoder.
        sources: how many tokens the source has.
        targets: how many the target has; None: they are the source's.
    """
    size, hidden, rate = settings.embedding_size, settings.hidden_size, settings.dropout
    source = nn.Embedding(sources, size)
    target = source if targets is None else nn.Embedding(targets, size)

    def made(reads: int, units: int, rates: tuple[float, ...], **options: Any) -> nn.RNNBase:
        layer: nn.RNNBase = CELLS[cell](reads, units, len(rates), input_dropout=rates, **options)
        initialise(layer)
        return layer

    first_rate = settings.input_dropout
    encoder = made(
        size,
        hidden // directions,
        (first_rate, *[rate] * (settings.encoder_layers - 1)),
        bidirectional=directions == 2,
    )
    fed = size if settings.input_feeding else 0
    decoder = Decoder(
        made(size + fed, hidden, (first_rate,)),
        made(2 * hidden, hidden, (rate,) * (settings.layers - 1)) if settings.layers > 1 else None,
        None if settings.attention == "none" else Attention(hidden, hidden, settings.attention),
        memory_size=hidden,
        size=size,
        feeding=settings.input_feeding,
    )
    return TranslationNetwork(
        source,
        target,
        encoder,
        decoder,
        smoothing=settings.smoothing,
        dropout=rate,
        tied=settings.tie_weights,
    )
