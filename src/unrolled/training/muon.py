"""Muon for recurrent layers: orthogonal steps of their matrices, gate by gate."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.training.devices import supports_bfloat16

# A quintic that drives singular values from (0, 1] to about 1 in five steps (Jordan et al. 2024).
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5
MOMENTUM = 0.95
# An update has the size that AdamW's have on average (Liu et al. 2025, section 2.2).
SIZE = 0.2


class Muon(torch.optim.AdamW):
    """AdamW, but for groups with `gates`, whose matrices move by orthogonal steps.

        m <- mu m + (1 - mu) g;   u = (1 - mu) g + mu m
        W <- (1 - rate decay) W - rate 0.2 sqrt(max(H, I)) orthogonal(u)        of each gate

    A recurrent layer keeps the matrices of its gates one under the other, `(G*H, I)`; each is made
    orthogonal by itself. All directions of a matrix then move equally far, where a plain gradient
    moves a few of them only.

    Args:
        groups: as for AdamW; `gates`: in how many matrices a parameter of the group is cut, 0 (or
            none): by AdamW.
        lr, betas: as for AdamW.

    Source: Jordan et al. 2024, kellerjordan.github.io/posts/muon; Liu et al. 2025, arXiv
    2502.16982 (size of the updates, weight decay).
    """

    def __init__(self, groups: Iterable[dict[str, Any]], **options: Any) -> None:
        super().__init__([{"gates": 0, **group} for group in groups], **options)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One update of every parameter that has a gradient."""
        every = self.param_groups
        try:
            self.param_groups = [group for group in every if not group["gates"]]
            found = super().step(closure)
        finally:
            self.param_groups = every
        for group in every:
            if group["gates"]:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        self._turn(parameter, group)
        return found

    def _turn(self, parameter: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.tensor(0.0)  # AdamW looks for it in every state
            state["momentum"] = torch.zeros_like(parameter)
        gradient, momentum = parameter.grad, state["momentum"]
        assert gradient is not None
        momentum.lerp_(gradient, 1 - MOMENTUM)
        rows, columns = parameter.shape[0] // group["gates"], parameter.shape[1]
        update = gradient.lerp(momentum, MOMENTUM).reshape(group["gates"], rows, columns)
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        size = group["lr"] * SIZE * math.sqrt(max(rows, columns))
        parameter.sub_(orthogonal(update).reshape(parameter.shape), alpha=size)


def orthogonal(matrices: Tensor) -> Tensor:
    """The nearest orthogonal matrix of each, nearly: `(N, R, C)` with singular values about 1.

    Newton and Schulz's iteration, in bfloat16 where the processor multiplies it in hardware.
    """
    wide = matrices.transpose(1, 2) if matrices.shape[1] > matrices.shape[2] else matrices
    x = wide / (wide.flatten(1).norm(dim=1).view(-1, 1, 1) + 1e-9)
    if x.dtype == torch.float32 and supports_bfloat16(x.device.type):
        x = x.bfloat16()
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        gram = x @ x.transpose(1, 2)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    x = x.to(matrices.dtype)
    return x.transpose(1, 2) if wide is not matrices else x


def gates_of(model: nn.Module) -> dict[str, int]:
    """The names of the matrices of LSTM, GRU and RNN layers, and how many gates each holds."""
    found = {}
    for owner, module in model.named_modules():
        if isinstance(module, nn.RNNBase):
            for name, parameter in module.named_parameters(recurse=False):
                if parameter.dim() == 2 and name.startswith(("weight_ih", "weight_hh")):
                    gates = parameter.shape[0] // module.hidden_size
                    found[f"{owner}.{name}" if owner else name] = gates
    return found
