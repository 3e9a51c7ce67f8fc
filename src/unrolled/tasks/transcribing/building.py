"""The network that a `Transcriber`'s settings describe."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from unrolled.data.band_scale import BandScale
from unrolled.tasks.base import CELLS
from unrolled.tasks.initial import initialise
from unrolled.tasks.transcribing.front import Front
from unrolled.tasks.transcribing.level import Level
from unrolled.tasks.transcribing.network import TranscriptionNetwork
from unrolled.tasks.transcribing.settings import STRIDES, Settings
from unrolled.tasks.transcribing.transducer_network import TransducerNetwork, make_prediction


def build(
    settings: Settings,
    cell: str,
    directions: int,
    *,
    frame_size: int,
    answers: int,
    labelled: bool,
    scale: BandScale,
    head: str = "ctc",
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
        head: of transcripts: "ctc" or "transducer".
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
    level = Level(scale, settings.level_after)
    if head == "transducer" and not labelled:
        prediction = make_prediction(CELLS[cell], answers, settings.hidden_size)
        return TransducerNetwork(
            level, front, recurrent, prediction, answers, dropout=settings.dropout
        )
    return TranscriptionNetwork(
        level,
        front,
        recurrent,
        answers,
        labelled=labelled,
        dropout=settings.dropout,
        smoothing=settings.smoothing,
    )


def begin_with_shares(
    network: TranscriptionNetwork, targets: Sequence[np.ndarray], steps: float
) -> None:
    """Let every step say at first what steps say on average, which is almost always nothing.

        b_0 = log of the share of blanks,   b_v = log of the share of symbol v

    Else the first updates go into unlearning what is said everywhere, and where few words stand in
    many steps the network then says nothing at all for thousands of updates.

    Args:
        network: one that is new, of transcripts.
        targets: symbols `(n,)` of each recording, none of which is 0.
        steps: of all recordings together.
    """
    bias = network.answers.bias
    counts = np.bincount(np.concatenate(targets), minlength=len(bias)).astype(float)
    counts[0] = network.blanks(steps, counts.sum())
    # One more of each, so that what was never said can still be learnt.
    shares = (counts + 1) / (counts + 1).sum()
    with torch.no_grad():
        bias.copy_(torch.from_numpy(np.log(shares)))
