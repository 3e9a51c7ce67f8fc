"""What a `Transcriber` settles by itself: sizes, dropouts, rates."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Settings:
    """The numbers that a network is made and trained with; see `Transcriber` for each.

    `validations`, which is no argument there, is how often the held-out part is scored in a run.
    """

    hidden_size: int
    layers: int
    channels: int
    subsampling: int
    level_after: int
    dropout: float
    smoothing: float
    augment: float
    learning_rate: float
    weight_decay: float
    batch_seconds: float
    average: float
    validations: int = 10


# What the shape of the weights follows from: a network that goes on learning keeps them.
SIZES = ("hidden_size", "layers", "channels", "subsampling", "level_after")
# Frames of a step where transcripts are learnt.
USUAL_SUBSAMPLING = 4
# Strides of the convolutions for each subsampling.
STRIDES = {1: (1, 1), 2: (2, 1), 3: (3, 1), 4: (2, 2)}


def settle(given: dict[str, Any], *, labelled: bool, bands: bool) -> Settings:
    """The settings of a run: what was given, and for each None what is usual.

    Args:
        given: the constructor's arguments by name.
        labelled: whether each recording has one label.
        bands: whether neighbours in a frame belong together, as bands of a sound do.
    """
    usual: dict[str, Any] = {
        "hidden_size": 128 if labelled else 256,
        "layers": 2 if labelled else 3,
        "channels": (16 if labelled else 32) if bands else 0,
        "subsampling": 2 if labelled else USUAL_SUBSAMPLING,
        "level_after": 15,
        "dropout": 0.3,
        "smoothing": 0.1 if labelled else 0.0,
        "augment": 1.0,
        "learning_rate": 3e-3 if labelled else 1e-3,
        "weight_decay": 0.02,
        "batch_seconds": 15.0 if labelled else 25.0,
        "average": 0.99,
        "validations": 10,
    }
    return Settings(
        **{
            field.name: usual[field.name] if given.get(field.name) is None else given[field.name]
            for field in fields(Settings)
        }
    )
