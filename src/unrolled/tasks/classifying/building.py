"""The network that settled hyperparameters ask for, with the weights that it starts from."""

from __future__ import annotations

from torch import nn

from unrolled.tasks.base import CELLS
from unrolled.tasks.classifying.network import TextClassifier
from unrolled.tasks.classifying.settings import Settings
from unrolled.tasks.initial import initialise
from unrolled.tasks.text_encoder import TextEncoder

# Of the vectors that words begin with: short ones, so that no gate is shut by a rare word.
_SPREAD = 0.1


def build(
    settings: Settings, cell: str, directions: int, tokens: int, labels: int
) -> TextClassifier:
    """A network for a vocabulary of `tokens` and so many labels, weights drawn from torch's
    generator."""
    recurrent: nn.RNNBase = CELLS[cell](
        settings.embedding_size,
        settings.hidden_size,
        settings.layers,
        bidirectional=directions == 2,
        dropout=settings.input_dropout if settings.layers > 1 else 0.0,
        input_dropout=settings.input_dropout,
        weight_dropout=settings.weight_dropout,
    )
    initialise(recurrent)
    encoder = TextEncoder(recurrent, tokens, embedding_dropout=settings.embedding_dropout)
    nn.init.normal_(encoder.embedding.weight, std=_SPREAD)
    return TextClassifier(
        encoder,
        encoder.output_size,
        labels,
        chunk=settings.chunk,
        dropout=settings.dropout,
        head_size=settings.head_size,
        output_dropout=settings.output_dropout,
        prefix=settings.prefix > 0,
    )
