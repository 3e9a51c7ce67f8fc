"""The loop does what a plain loop in torch does, and leaves the best weights."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from unrolled.data.batch import Batch
from unrolled.data.batching import ContiguousBatches
from unrolled.errors import ConfigError, TrainingDiverged
from unrolled.tasks.language_model import LanguageModel
from unrolled.training.loop import Trainer
from unrolled.training.losses import token_loss
from unrolled.training.modelfile import read_model

MakeTrainer = Callable[..., Trainer]
EqualWeights = Callable[[nn.Module, nn.Module], bool]


def plain_loop(
    model: LanguageModel,
    batches: ContiguousBatches,
    steps: int,
    *,
    carry: bool = True,
    cut: bool = True,
    clip: float = 1.0,
) -> list[float]:
    """The same training by hand, with torch alone; gives the norms before clipping."""
    embedding, recurrent = model.encoder.embedding, model.recurrent
    readout = model.readout
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": 0.01},
            {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
        ],
        betas=(0.9, 0.99),
    )
    norms = []
    h = c = torch.zeros(1, 2, 8)
    for step in range(1, steps + 1):
        rise = min(1.0, step / max(1, min(2, steps // 10)))
        cosine = 0.02 + 0.98 * (1 + math.cos(math.pi * step / steps)) / 2
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * rise * cosine
        place = (step - 1) % len(batches)
        if not carry or (cut and place == 0):
            h = c = torch.zeros(1, 2, 8)
        batch = batches[step - 1]
        y, (h, c) = nn.LSTM.forward(recurrent, embedding(batch.inputs), (h, c))
        loss = cross_entropy(readout(y).reshape(-1, 7), batch.targets.reshape(-1))
        loss.backward()
        norms.append(float(nn.utils.clip_grad_norm_(model.parameters(), clip)))
        optimizer.step()
        optimizer.zero_grad()
        h, c = h.detach(), c.detach()
    return norms


def difference(one: nn.Module, other: nn.Module) -> float:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return max(float((a - b).abs().max()) for a, b in pairs)


def test_the_loop_equals_one_written_by_hand(
    make_trainer: MakeTrainer, make_model: Callable[..., LanguageModel]
) -> None:
    trainer = make_trainer(budget=12)
    outcome = trainer.train()
    by_hand = make_model()
    norms = plain_loop(by_hand, trainer.batches, 12)
    assert difference(trainer.model, by_hand) < 1e-6
    logged = [record["gradient_norm"] for record in outcome.records if "loss" in record]
    assert logged == pytest.approx(norms, rel=1e-3)
    assert outcome.steps == outcome.planned == 12
    assert outcome.ended == "plan"


@pytest.mark.parametrize("way", [{"carry": False}, {"cut": False}, {"clip": 0.05}])
def test_the_loop_differs_from_one_that_forgets_the_state_or_the_cut_or_the_clip(
    way: dict[str, float],
    make_trainer: MakeTrainer,
    make_model: Callable[..., LanguageModel],
) -> None:
    trainer = make_trainer(budget=12)
    trainer.train()
    by_hand = make_model()
    plain_loop(by_hand, trainer.batches, 12, **way)
    assert difference(trainer.model, by_hand) > 1e-5


class Windows:
    """Two batches that begin anew, the second with a row less."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, step: int) -> Batch:
        rows = 3 - step % 2
        starts = torch.zeros(4, rows, dtype=torch.bool)
        starts[0] = True
        tokens = torch.arange(5 * rows).reshape(5, rows) % 7
        return Batch(tokens[:-1], tokens[1:], starts=starts)


def test_no_state_is_carried_into_a_batch_that_begins_anew(make_trainer: MakeTrainer) -> None:
    outcome = make_trainer(budget=4, batches=Windows()).train()
    assert [record["tokens"] for record in outcome.records] == [12, 8, 12, 8]


def test_the_gradient_is_clipped_to_the_recipes_norm(
    make_trainer: MakeTrainer,
    make_model: Callable[..., LanguageModel],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    norms = []
    step = torch.optim.AdamW.step

    def watched(self: torch.optim.AdamW, *arguments: object) -> object:
        gradients = [p.grad for group in self.param_groups for p in group["params"]]
        norms.append(float(torch.stack([g.norm() for g in gradients]).norm()))
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    trainer = make_trainer(budget=6, recipe={"clip": 0.05})
    outcome = trainer.train()
    assert all(record["gradient_norm"] > 0.05 for record in outcome.records if "loss" in record)
    assert norms == pytest.approx([0.05] * 6, rel=1e-3)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    make_trainer: MakeTrainer,
    make_model: Callable[..., LanguageModel],
    equal_weights: EqualWeights,
) -> None:
    def trained(seed: int) -> nn.Module:
        trainer = make_trainer(budget=8, model=make_model(seed, dropout=0.3))
        trainer.train()
        return trainer.model

    assert equal_weights(trained(1), trained(1))
    assert not equal_weights(trained(1), trained(2))


def test_the_weights_with_the_best_score_are_kept(
    make_trainer: MakeTrainer, equal_weights: EqualWeights
) -> None:
    seen: list[dict[str, torch.Tensor]] = []
    scores = iter([3.0, 1.0, 2.0])

    def validate() -> float:
        assert not trainer.model.training
        assert not torch.is_grad_enabled()
        seen.append({n: t.clone() for n, t in trainer.model.state_dict().items()})
        return next(scores)

    trainer = make_trainer(budget=12, validate=validate)
    outcome = trainer.train()
    assert (outcome.best_score, outcome.best_step, outcome.steps) == (1.0, 8, 12)
    assert not trainer.model.training
    for name, tensor in trainer.model.state_dict().items():
        assert torch.equal(tensor, seen[1][name])
        assert not torch.equal(tensor, seen[2][name])
    held_out = [(r["step"], r["held_out"]) for r in outcome.records if "held_out" in r]
    assert held_out == [(4, 3.0), (8, 1.0), (12, 2.0)]


def test_without_a_validation_the_last_weights_count(
    make_trainer: MakeTrainer, make_model: Callable[..., LanguageModel]
) -> None:
    trainer = make_trainer(budget=7)
    outcome = trainer.train()
    assert (outcome.best_score, outcome.best_step) == (None, 7)


def test_of_equal_scores_the_later_weights_count_and_patience_is_lost(
    make_trainer: MakeTrainer,
) -> None:
    scores = iter([1.0, 0.0, 0.0, 0.0, 2.0])
    recipe = {"validations": 6, "patience": 3}
    outcome = make_trainer(budget=12, validate=lambda: next(scores), recipe=recipe).train()
    assert (outcome.ended, outcome.steps, outcome.best_step) == ("patience", 10, 8)


def test_patience_ends_a_run_that_gets_no_better(make_trainer: MakeTrainer) -> None:
    scores = iter([1.0, 2.0, 0.5, 2.0, 2.0, 0.1])
    recipe = {"validations": 6, "patience": 2}
    outcome = make_trainer(budget=12, validate=lambda: next(scores), recipe=recipe).train()
    assert (outcome.ended, outcome.steps, outcome.best_step) == ("patience", 10, 6)


def test_a_moving_average_is_what_is_validated_and_kept(
    make_trainer: MakeTrainer, make_model: Callable[..., LanguageModel]
) -> None:
    validated = []

    def validate() -> float:
        validated.append({n: t.clone() for n, t in trainer.model.state_dict().items()})
        return 1.0 / len(validated)

    trainer = make_trainer(budget=6, validate=validate, recipe={"average": 0.9, "validations": 6})
    own: list[dict[str, torch.Tensor]] = []
    start = {n: t.clone() for n, t in trainer.model.state_dict().items()}
    write = trainer.run.write

    def watched(record: dict[str, float]) -> None:
        if "loss" in record:
            own.append({n: t.clone() for n, t in trainer.model.state_dict().items()})
        write(record)

    trainer.run.write = watched
    trainer.train()
    by_hand = make_model()
    plain_loop(by_hand, trainer.batches, 6)
    average = start
    for step, weights in enumerate(own, 1):
        new = 1 - min(0.9, step / (step + 10))
        average = {n: a + new * (weights[n] - a) for n, a in average.items()}
        for name, tensor in average.items():
            assert torch.allclose(validated[step - 1][name], tensor, atol=1e-7)
    for name, tensor in trainer.model.state_dict().items():
        assert torch.equal(tensor, validated[-1][name])
        # what is trained on is not touched by the average
        assert torch.allclose(own[-1][name], by_hand.state_dict()[name], atol=1e-6)
        assert not torch.equal(tensor, own[-1][name])


class Explodes(nn.Module):
    """Two numbers; at one step the gradient of the second is not finite."""

    def __init__(self, at: int, way: str) -> None:
        super().__init__()
        self.calm = nn.Parameter(torch.ones(()))
        self.wild = nn.Parameter(torch.ones(()))
        self.at, self.way, self.seen = at, way, 0

    def forward(
        self, inputs: torch.Tensor, state: object = None, **_: object
    ) -> tuple[torch.Tensor, None]:
        self.seen += 1
        wild = self.wild
        if self.seen == self.at and self.way == "loss":
            wild = wild * torch.nan
        elif self.seen == self.at:
            # the value is 0 and its gradient infinite, or infinite times zero
            wild = torch.sqrt(wild - wild.detach()) * (0.0 if self.way == "nan" else 1.0)
        return self.calm**2 + wild, None


@pytest.mark.parametrize(
    ("way", "tensor"),
    [("loss", "the loss"), ("nan", "the gradient of wild"), ("inf", "the gradient of wild")],
)
def test_a_run_that_diverges_names_step_and_tensor_and_keeps_its_checkpoint(
    way: str, tensor: str, tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    trainer = make_trainer(
        tmp_path, budget=12, model=Explodes(6, way), loss=lambda outputs, _: outputs
    )
    with pytest.raises(TrainingDiverged) as caught:
        trainer.train()
    assert (caught.value.step, caught.value.tensor) == (6, tensor)
    assert "learning_rate" in str(caught.value)
    assert "\n" not in str(caught.value)
    card, tensors = read_model(tmp_path / "checkpoint.unrolled")
    assert card.training is not None
    assert card.training["step"] == 4
    assert all(bool(t.isfinite().all()) for n, t in tensors.items() if n.startswith("model."))
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4, 5]


def test_a_held_out_score_that_is_no_number_ends_the_run(make_trainer: MakeTrainer) -> None:
    with pytest.raises(TrainingDiverged) as caught:
        make_trainer(budget=12, validate=lambda: math.nan).train()
    assert caught.value.step == 4
    assert "held-out" in caught.value.tensor


def test_bf16_trains_and_leaves_a_model_in_full_precision(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(budget=6, precision="bf16")
    trainer.train()
    logits, _ = trainer.model(trainer.batches[0].inputs)
    assert logits.dtype == torch.float32
    plain = make_trainer(budget=6)
    plain.train()
    assert 0 < difference(trainer.model, plain.model) < 0.05


def test_leaks_are_looked_for_without_mixed_precision_whose_rounding_is_none(
    make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed: dict[str, list[bool]] = {"check": [], "training": []}
    now = "training"
    forward = LanguageModel.forward

    def noted(self: LanguageModel, *given: Any, **options: Any) -> Any:
        mixed[now].append(torch.is_autocast_enabled("cpu"))
        return forward(self, *given, **options)

    check = Trainer._check_leaks

    def checked(self: Trainer, told: Any) -> None:
        nonlocal now
        now = "check"
        check(self, told)
        now = "training"

    monkeypatch.setattr(LanguageModel, "forward", noted)
    monkeypatch.setattr(Trainer, "_check_leaks", checked)
    make_trainer(budget=3, precision="bf16").train()
    assert mixed["check"]
    assert not any(mixed["check"])
    assert mixed["training"] == [True] * 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"precision": "fp16"}, "precision: got 'fp16'"),
        ({"device": "tpu"}, "device: got 'tpu'"),
    ],
)
def test_an_unknown_device_or_precision_is_one_plain_line(
    options: dict[str, str], words: str, make_trainer: MakeTrainer
) -> None:
    with pytest.raises(ConfigError) as caught:
        make_trainer(**options).train()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_one_plain_line(make_trainer: MakeTrainer) -> None:
    with pytest.raises(ConfigError, match="device: got 'cuda', but"):
        make_trainer(device="cuda").train()


def test_a_loss_may_count_only_what_is_known(make_trainer: MakeTrainer) -> None:
    outcome = make_trainer(budget=4, loss=token_loss).train()
    assert [record["tokens"] for record in outcome.records] == [10, 10, 10, 10]
