"""The recipe of a run, and the optimiser made from it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Recipe:
    """How to train, in plain numbers.

    Attributes:
        learning_rate: the peak, reached after the warm-up.
        weight_decay: of AdamW, on weight matrices only.
        clip: largest norm of the whole gradient (Pascanu et al. 2013).
        warmup: steps of linear warm-up, at most a tenth of the run.
        beta2: memory of AdamW's second moment; shorter than torch's .999, for short runs.
        validations: how often the held-out part is scored over a run.
        average: memory of the moving average of the weights that is validated and kept; 0: none.
        patience: validations without a better score before the run ends early; None: never.
        diagnose_every: steps from one look through the recurrent layers to the next; 0: never.
    """

    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    clip: float = 1.0
    warmup: int = 50
    beta2: float = 0.99
    validations: int = 20
    average: float = 0.0
    patience: int | None = None
    diagnose_every: int = 400


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW that decays matrices and leaves biases and gains alone (Loshchilov & Hutter 2019)."""
    matrices = [p for p in model.parameters() if p.requires_grad and p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.requires_grad and p.dim() < 2]
    groups = [
        {"params": matrices, "weight_decay": recipe.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, recipe.beta2))
