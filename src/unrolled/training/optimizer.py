"""The recipe of a run, and the optimiser made from it: a rate for each part of the network."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import nn

from unrolled.training.muon import Muon, gates_of


@dataclass(frozen=True)
class Pace:
    """How fast a part of the network learns, and from when on.

    Attributes:
        pattern: names of parameters, with `*` for anything, such as `encoder.recurrent.*_l0`.
        factor: on the learning rate; a network that learnt elsewhere keeps more of it at the bottom
            where lower layers learn more slowly (discriminative rates).
        after: share of the run during which the part does not learn at all (gradual unfreezing).

    Source: Howard & Ruder 2018 (arXiv 1801.06146), sections 3.2 and 3.3.
    """

    pattern: str
    factor: float = 1.0
    after: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """How to train, in plain numbers.

    Attributes:
        learning_rate: the peak, reached after the warm-up.
        muon_rate: the peak for the matrices of recurrent layers, by `Muon`; 0: AdamW for all.
        schedule: "cosine" or "linear" from the peak to the end.
        weight_decay: of AdamW, on weight matrices only.
        clip: largest norm of the whole gradient (Pascanu et al. 2013).
        warmup: steps of linear warm-up, at most a tenth of the run.
        beta2: memory of AdamW's second moment; shorter than torch's .999, for short runs.
        validations: how often the held-out part is scored over a run.
        average: memory of the moving average of the weights that is validated and kept; 0: none.
        patience: validations without a better score before the run ends early; None: never.
        diagnose_every: steps from one look through the recurrent layers to the next; 0: never.
        paces: parts of the network that learn at another rate than the rest, or later; the first
            that fits a parameter's name counts.
    """

    learning_rate: float = 3e-3
    muon_rate: float = 0.0
    schedule: str = "cosine"
    weight_decay: float = 0.01
    clip: float = 1.0
    warmup: int = 50
    beta2: float = 0.99
    validations: int = 20
    average: float = 0.0
    patience: int | None = None
    diagnose_every: int = 400
    paces: tuple[Pace, ...] = ()

    def pace_of(self, name: str) -> Pace:
        """The pace of a parameter by its name."""
        found = (pace for pace in self.paces if fnmatchcase(name, pace.pattern))
        return next(found, Pace("*"))


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW that decays matrices and leaves biases and gains alone (Loshchilov & Hutter 2019).

    With `muon_rate` the matrices of recurrent layers take orthogonal steps instead (`Muon`). Each
    group of parameters carries the `factor` and the `after` of its pace.
    """
    gates = gates_of(model) if recipe.muon_rate else {}
    groups: dict[tuple[float, float, bool, int], dict[str, Any]] = {(1.0, 0.0, True, 0): {}}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        pace, matrix = recipe.pace_of(name), parameter.dim() >= 2
        kind = (pace.factor, pace.after, matrix, gates.get(name, 0))
        groups.setdefault(kind, {}).setdefault("params", []).append(parameter)
    made = []
    for (factor, after, matrix, turned), group in groups.items():
        if not group:
            continue
        group |= {"weight_decay": recipe.weight_decay if matrix else 0.0, "after": after}
        group["factor"] = factor * (recipe.muon_rate / recipe.learning_rate if turned else 1.0)
        made.append(group | ({"gates": turned} if gates else {}))
    # One pass over each tensor, where torch's plain AdamW makes a dozen.
    plain = all(
        p.dtype == torch.float32 and p.device.type in ("cpu", "cuda") for p in model.parameters()
    )
    options: dict[str, Any] = {"lr": recipe.learning_rate, "betas": (0.9, recipe.beta2)}
    return (Muon if gates else torch.optim.AdamW)(made, fused=True if plain else None, **options)


def set_pace(optimizer: Any, rate: float, step: int, total: int | None) -> bool:
    """Give every group its rate at a step (from 1), and let those learn whose time has come.

    It depends on nothing but its arguments, so that a resumed run does the same. While `total` is
    not known yet, only what learns from the beginning does.

    Returns:
        Whether all of the network learns.
    """
    done = 0.0 if total is None else (step - 1) / total
    learning = True
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]
        if group["after"] > 0:
            learns = done >= group["after"]
            learning = learning and learns
            for parameter in group["params"]:
                parameter.requires_grad_(learns)
    return learning


def release(optimizer: Any) -> None:
    """What waited for its time is a parameter like others again."""
    for group in optimizer.param_groups:
        if group["after"] > 0:
            for parameter in group["params"]:
                parameter.requires_grad_(True)
