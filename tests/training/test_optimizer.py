"""A rate for each part of the network, and parts that begin to learn later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from unrolled.training.loop import Trainer
from unrolled.training.optimizer import Pace, Recipe, make_optimizer, release, set_pace

MakeTrainer = Callable[..., Trainer]


def two_layers() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))


def rates(optimizer: torch.optim.AdamW, model: nn.Module) -> dict[str, float]:
    named = {id(p): name for name, p in model.named_parameters()}
    return {named[id(p)]: g["lr"] for g in optimizer.param_groups for p in g["params"]}


def test_each_part_has_its_factor_of_the_rate_and_the_first_pattern_counts() -> None:
    model = two_layers()
    recipe = Recipe(paces=(Pace("0.bias", 0.5), Pace("0.*", 0.1)))
    optimizer = make_optimizer(model, recipe)
    assert set_pace(optimizer, 2.0, 1, 10)
    assert rates(optimizer, model) == {
        "0.weight": pytest.approx(0.2),
        "0.bias": 1.0,
        "1.weight": 2.0,
        "1.bias": 2.0,
    }


def test_matrices_decay_and_vectors_do_not_whatever_their_pace() -> None:
    model = two_layers()
    optimizer = make_optimizer(model, Recipe(weight_decay=0.3, paces=(Pace("0.*", 0.1),)))
    for group in optimizer.param_groups:
        assert {p.dim() for p in group["params"]} == ({2} if group["weight_decay"] else {1})
    assert sum(len(group["params"]) for group in optimizer.param_groups) == 4


@pytest.mark.parametrize(("step", "total", "learns"), [(1, 10, False), (5, 10, False), (6, 10, True), (9, None, False)])  # fmt: skip  # noqa: E501
def test_a_part_waits_for_its_share_of_the_run(step: int, total: int | None, learns: bool) -> None:
    model = two_layers()
    optimizer = make_optimizer(model, Recipe(paces=(Pace("0.*", after=0.5),)))
    assert set_pace(optimizer, 1.0, step, total) is learns
    assert [p.requires_grad for p in model.parameters()] == [learns, learns, True, True]
    release(optimizer)
    assert all(p.requires_grad for p in model.parameters())


def test_what_waits_keeps_its_weights_and_then_learns(make_trainer: MakeTrainer) -> None:
    def moved(budget: int, after: float) -> list[float]:
        trainer = make_trainer(budget=budget, recipe={"paces": (Pace("encoder.*", after=after),)})
        before = {name: p.detach().clone() for name, p in trainer.model.named_parameters()}
        trainer.train()
        assert all(p.requires_grad for p in trainer.model.parameters())
        names = ("encoder.embedding.weight", "encoder.recurrent.weight_hh_l0")
        now = dict(trainer.model.named_parameters())
        return [float((now[name] - before[name]).detach().abs().max()) for name in names]

    assert moved(8, after=0.99) == [0, 0]
    assert min(moved(8, after=0.5)) > 0


def test_a_run_resumed_before_a_part_learns_comes_to_the_same_weights(
    make_trainer: MakeTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = {"paces": (Pace("encoder.*", 0.3, after=0.6), Pace("readout.bias", 0.5))}
    whole = make_trainer(budget=12, recipe=recipe)
    whole.train()
    save = Trainer._save

    def stop(self: Trainer) -> None:
        save(self)
        raise ConnectionAbortedError

    monkeypatch.setattr(Trainer, "_save", stop)
    with pytest.raises(ConnectionAbortedError):
        make_trainer(tmp_path, budget=12, recipe=recipe).train()
    monkeypatch.undo()
    resumed = make_trainer(tmp_path, budget=12, recipe=recipe, resume=True)
    assert resumed.train().steps == 12
    pairs = zip(whole.model.parameters(), resumed.model.parameters(), strict=True)
    assert all(torch.equal(one, two) for one, two in pairs)
