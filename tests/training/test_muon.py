"""Muon: orthogonal steps of the recurrent matrices, gate by gate, and AdamW for the rest."""

from __future__ import annotations

import math

import pytest
import torch

import unrolled
from unrolled.training import snapshot
from unrolled.training.muon import SIZE, gates_of, orthogonal
from unrolled.training.optimizer import Recipe, make_optimizer
from unrolled.training.schedule import warmup_cosine, warmup_linear


@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 24, 8), (4, 8, 24)])
def test_what_is_made_orthogonal_has_singular_values_near_one_and_the_same_directions(shape):
    torch.manual_seed(0)
    matrices = torch.randn(*shape, dtype=torch.float64)
    found = orthogonal(matrices)
    values = torch.linalg.svdvals(found)
    assert float(values.min()) >= 0.3
    assert float(values.max()) <= 1.35
    u, _, v = torch.linalg.svd(matrices, full_matrices=False)
    # In the same singular directions: what is left over is small beside the diagonal.
    inside = u.transpose(1, 2) @ found @ v.transpose(1, 2)
    rest = inside - torch.diag_embed(inside.diagonal(dim1=1, dim2=2))
    assert float(rest.abs().max()) <= 1e-9


@pytest.mark.parametrize(("cell", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
def test_a_step_moves_each_gate_by_itself_and_equally_far_in_all_directions(cell, gates):
    torch.manual_seed(1)
    layer = getattr(unrolled, cell)(6, 6).double()
    assert gates_of(layer) == {"weight_ih_l0": gates, "weight_hh_l0": gates}
    optimizer = make_optimizer(layer, Recipe(learning_rate=0.01, muon_rate=0.05, weight_decay=0.0))
    before = {name: p.detach().clone() for name, p in layer.named_parameters()}
    layer(torch.randn(5, 2, 6, dtype=torch.float64))[0].pow(2).sum().backward()
    layer.weight_hh_l0.grad[:6] *= 1e-3  # of the first gate: as far for all that
    for group in optimizer.param_groups:
        group["lr"] = 0.01 * group["factor"]
    optimizer.step()
    moved = (layer.weight_hh_l0 - before["weight_hh_l0"]).detach().view(gates, 6, 6)
    far = torch.linalg.svdvals(moved) / (0.05 * SIZE * math.sqrt(6))
    assert float(far.max(dim=1).values.min()) >= 0.6
    assert float(far.max()) <= 1.35
    assert not torch.equal(layer.bias_ih_l0, before["bias_ih_l0"])


def test_steps_are_the_formula_with_momentum_decay_and_the_size_of_the_matrix():
    torch.manual_seed(4)
    layer = unrolled.GRU(9, 4).double()
    recipe = Recipe(learning_rate=0.01, muon_rate=0.05, weight_decay=0.3)
    optimizer = make_optimizer(layer, recipe)
    for group in optimizer.param_groups:
        group["lr"] = 0.01 * group["factor"]
    weight = layer.weight_ih_l0
    want, momentum = weight.detach().clone(), torch.zeros_like(weight)
    for _ in range(3):
        optimizer.zero_grad()
        layer(torch.randn(5, 2, 9, dtype=torch.float64))[0].pow(2).sum().backward()
        gradient = weight.grad.clone()
        optimizer.step()
        momentum = 0.95 * momentum + 0.05 * gradient
        update = (0.05 * gradient + 0.95 * momentum).reshape(3, 4, 9)
        step = 0.05 * SIZE * math.sqrt(9) * orthogonal(update).reshape(12, 9)
        want = (1 - 0.05 * 0.3) * want - step
        assert float((weight.detach() - want).abs().max()) <= 1e-12


def test_its_state_is_kept_and_brought_back():
    torch.manual_seed(2)

    def made() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        layer = unrolled.GRU(4, 4)
        return layer, make_optimizer(layer, Recipe(muon_rate=0.02))

    def stepped(layer: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        layer(torch.ones(3, 2, 4))[0].sum().backward()
        optimizer.step()

    layer, optimizer = made()
    stepped(layer, optimizer)
    other, again = made()
    other.load_state_dict(layer.state_dict())
    kept = snapshot.optimizer_tensors(optimizer)
    plain = {name.removeprefix("optimizer."): one.clone() for name, one in kept.items()}
    snapshot.load_optimizer_tensors(again, plain)
    for _ in range(2):
        stepped(layer, optimizer)
        stepped(other, again)
    for one, two in zip(layer.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


def test_a_torch_that_does_not_tell_of_bfloat16_multiplies_in_float32(monkeypatch):
    torch.manual_seed(3)
    matrices = torch.randn(2, 8, 8)
    wide = orthogonal(matrices.double())
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
    assert float((orthogonal(matrices) - wide).abs().max()) <= 1e-4


@pytest.mark.parametrize(
    "layer",
    [
        unrolled.LSTM(6, 8, 2, bidirectional=True, proj_size=4),
        unrolled.GRU(6, 8, 2, bidirectional=True),
    ],
    ids=["two directions and a projection", "two directions"],
)
def test_layers_of_two_directions_and_projections_have_whole_gates(layer):
    gates = 4 if isinstance(layer, torch.nn.LSTM) else 3
    found = gates_of(layer)
    assert set(found.values()) == {gates}
    assert len(found) == 8
    optimizer = make_optimizer(layer, Recipe(muon_rate=0.02))
    before = {name: p.detach().clone() for name, p in layer.named_parameters()}
    layer(torch.randn(5, 2, 6))[0].pow(2).sum().backward()
    optimizer.step()
    assert all(p.isfinite().all() for p in layer.parameters())
    assert not any(torch.equal(p, before[name]) for name, p in layer.named_parameters())


def test_a_line_falls_from_the_peak_to_the_floor_below_the_cosine_at_first():
    assert warmup_linear(100, 1000, warmup=50) < warmup_cosine(100, 1000, warmup=50)
    assert abs(warmup_linear(1000, 1000, warmup=50) - 0.02) <= 1e-9
    assert warmup_linear(25, None, warmup=50) == 0.5
