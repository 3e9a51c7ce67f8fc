"""A small network of a translator with weights that are not small."""

from __future__ import annotations

from typing import Any

import torch

from unrolled.tasks.translating.building import build
from unrolled.tasks.translating.network import TranslationNetwork
from unrolled.tasks.translating.settings import Settings


def network(**given: Any) -> TranslationNetwork:
    cell, directions = given.pop("cell", "gru"), given.pop("directions", 2)
    targets = given.pop("targets", None)
    usual: dict[str, Any] = {
        "hidden_size": 6,
        "layers": 2,
        "encoder_layers": 1,
        "embedding_size": 5,
        "attention": "multiplicative",
        "input_feeding": False,
        "tie_weights": True,
        "dropout": 0.0,
        "input_dropout": 0.0,
        "smoothing": 0.0,
        "learning_rate": 1e-3,
        "weight_decay": 0.0,
        "batch_tokens": 10,
        "average": 0.0,
        "muon_rate": 0.0,
    }
    made = build(Settings(**usual | given), cell, directions, 13, targets)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return made.eval()
