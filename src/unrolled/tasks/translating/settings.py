"""The numbers that a `Translator` takes where none are given: sizes, dropouts, rates."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from unrolled.layers.attention import KINDS


@dataclass(frozen=True)
class Settings:
    """The numbers that a network is made and trained with; see `Translator` for each.

    `validations`, which is no argument there, is how often the held-out part is scored in a run.
    """

    hidden_size: int
    layers: int
    encoder_layers: int
    embedding_size: int
    attention: str
    input_feeding: bool
    tie_weights: bool
    dropout: float
    input_dropout: float
    smoothing: float
    learning_rate: float
    weight_decay: float
    batch_tokens: int
    average: float
    muon_rate: float
    validations: int = 8


ATTENTIONS = (*KINDS, "none")

# What the shape of the weights follows from: a network that goes on learning keeps them.
SIZES = (
    "hidden_size",
    "layers",
    "encoder_layers",
    "embedding_size",
    "attention",
    "input_feeding",
    "tie_weights",
)

USUAL: dict[str, Any] = {
    "hidden_size": 256,
    "layers": 2,
    "encoder_layers": 1,
    "embedding_size": 256,
    "dropout": 0.3,
    "input_dropout": 0.3,
    "learning_rate": 8e-3,
    "weight_decay": 0.01,
    "batch_tokens": 600,
    "average": 0.99,
    "muon_rate": 0.0,
    "validations": 8,
}


def settle(given: dict[str, Any]) -> Settings:
    """The settings of a run: the constructor's arguments by name, `USUAL` where one is None."""
    return Settings(
        **{
            field.name: USUAL[field.name] if given.get(field.name) is None else given[field.name]
            for field in fields(Settings)
        }
    )
