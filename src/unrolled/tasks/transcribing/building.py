"""The network that a `Transcriber`'s settings describe."""

from __future__ import annotations

import torch
from torch import nn

from unrolled.data.band_scale import BandScale
from unrolled.tasks.base import CELLS
from unrolled.tasks.initial import initialise
from unrolled.tasks.transcribing.front import Front
from unrolled.tasks.transcribing.level import Level
from unrolled.tasks.transcribing.network import TranscriptionNetwork
from unrolled.tasks.transcribing.settings import STRIDES, Settings


def build(
    settings: Settings,
    cell: str,
    directions: int,
    *,
    frame_size: int,
    answers: int,
    labelled: bool,
    scale: BandScale,
) -> TranscriptionNetwork:
    """One network.

    Args:
        settings: sizes and dropouts.
        cell: "lstm", "gru" or "rnn".
        directions: of the recurrent layers.
        frame_size: bands of a frame.
        answers: symbols with the blank, or labels.
        labelled: whether each recording has one label.
        scale: of each band.
    """
    front = Front(frame_size, channels=settings.channels, strides=STRIDES[settings.subsampling])
    rates = (settings.dropout / 2, *[settings.dropout] * (settings.layers - 1))
    recurrent: nn.RNNBase = CELLS[cell](
        front.size,
        settings.hidden_size,
        settings.layers,
        bidirectional=directions == 2,
        input_dropout=rates,
    )
    initialise(recurrent)
    network = TranscriptionNetwork(
        Level(scale, settings.level_after),
        front,
        recurrent,
        answers,
        labelled=labelled,
        dropout=settings.dropout,
        smoothing=settings.smoothing,
    )
    if not labelled:
        # At first nothing is said: else a step says something at every frame, and unlearns it.
        with torch.no_grad():
            network.readout.bias.zero_()
            network.readout.bias[0] = 2.0
    return network
