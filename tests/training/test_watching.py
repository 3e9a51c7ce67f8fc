"""The loop looks through its model, says so in the log, and trains the same weights."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from unrolled import LSTM, RNN, LeakBetweenRows, VanishingGradient
from unrolled.data.batch import Batch
from unrolled.tasks.language_model import LanguageModel
from unrolled.tasks.text_encoder import TextEncoder
from unrolled.training import loop, still_falls
from unrolled.training.loop import Trainer

MakeTrainer = Callable[..., Trainer]
EqualWeights = Callable[[nn.Module, nn.Module], bool]
T, B = 60, 3


class LastSteps:
    """Batches whose loss is that of the last step alone, and can't be learnt."""

    def __len__(self) -> int:
        return 50

    def __getitem__(self, step: int) -> Batch:
        draws = torch.Generator().manual_seed(step)
        starts = torch.zeros(T, B, dtype=torch.bool)
        starts[0] = True
        return Batch(
            torch.randint(7, (T, B), generator=draws),
            torch.randn(B, generator=draws),
            starts=starts,
        )


def last_step(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs[-1, :, 0] - targets).square().mean()


@pytest.fixture
def make_stuck(make_trainer: MakeTrainer) -> MakeTrainer:
    def make(*args: Any, **options: Any) -> Trainer:
        torch.manual_seed(1)
        recipe = {"diagnose_every": 30, "learning_rate": 1e-6, **options.pop("recipe", {})}
        given = {
            "model": LanguageModel(TextEncoder(RNN(4, 8), 7), dropout=0.2),
            "batches": LastSteps(),
            "loss": last_step,
            "budget": 100,
        }
        return make_trainer(*args, recipe=recipe, **{**given, **options})

    return make


def looks(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [record for record in records if "diagnostics" in record]


def untimed(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in record.items() if k != "seconds"} for record in records]


def test_the_log_holds_what_was_found_and_each_kind_is_warned_of_once(
    tmp_path: Path, make_stuck: MakeTrainer
) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outcome = make_stuck(tmp_path).train()
    assert [one.category for one in caught] == [VanishingGradient]
    assert "recurrent, layer 0, forward: over 59 steps" in str(caught[0].message)
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert logged == outcome.records
    found = looks(logged)
    assert [record["step"] for record in found] == [1, 30, 60, 90, 100]
    # Of fewer than 40 losses nothing can be said.
    assert [record["diagnostics"]["falling"] for record in found] == [
        True,
        True,
        False,
        False,
        False,
    ]
    for record in found:
        assert [one["kind"] for one in record["diagnostics"]["findings"]] == ["VanishingGradient"]
        (layer,) = record["diagnostics"]["layers"]
        assert (layer["name"], layer["cell"], layer["steps"]) == (
            "encoder.recurrent",
            "RNN_TANH",
            T,
        )


def test_a_finding_is_logged_but_not_warned_of_while_the_loss_falls(
    make_stuck: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "still_falls", lambda losses: True)
    outcome = make_stuck().train()  # a warning would be an error
    found = looks(outcome.records)
    assert [record["diagnostics"]["falling"] for record in found] == [True, True, True]
    for record in found:
        assert [one["kind"] for one in record["diagnostics"]["findings"]] == ["VanishingGradient"]


def test_weights_are_the_same_bit_for_bit_with_and_without(
    make_stuck: MakeTrainer, equal_weights: EqualWeights
) -> None:
    recipe = {"learning_rate": 0.01, "diagnose_every": 7}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(4)
        looked = make_stuck(budget=30, recipe=recipe)
        outcome = looked.train()
    torch.manual_seed(4)
    plain = make_stuck(budget=30, recipe=recipe, diagnose=False)
    without = plain.train().records
    assert len(looks(outcome.records)) == 4
    assert looks(without) == []
    assert equal_weights(looked.model, plain.model)
    assert untimed([r for r in outcome.records if "loss" in r]) == untimed(without)


def test_a_run_that_goes_on_logs_and_learns_what_one_that_never_stopped_does(
    tmp_path: Path, make_trainer: MakeTrainer, equal_weights: EqualWeights
) -> None:
    def trainer(name: str, *, resume: bool = False) -> Trainer:
        torch.manual_seed(1)
        model = LanguageModel(TextEncoder(LSTM(4, 8), 7), dropout=0.3)
        torch.manual_seed(100 if resume else 3)
        recipe = {"diagnose_every": 3, "validations": 4}
        return make_trainer(
            tmp_path / name, resume=resume, budget=12, model=model, validate=None, recipe=recipe
        )

    whole = trainer("whole")
    expected = whole.train()

    class Stopped(Exception):
        pass

    stopped = trainer("stopped")
    show = stopped._show

    def stop(*arguments: Any) -> None:
        show(*arguments)
        if stopped._at.step == 7:
            raise Stopped

    stopped._show = stop  # type: ignore[method-assign]
    with pytest.raises(Stopped):
        stopped.train()
    again = trainer("stopped", resume=True)
    outcome = again.train()
    assert equal_weights(again.model, whole.model)
    assert [record["step"] for record in looks(outcome.records)] == [1, 3, 6, 9, 12]
    assert untimed(outcome.records) == untimed(expected.records)


@pytest.mark.parametrize("every", [5, 6])
def test_a_run_folder_has_a_last_look_at_what_the_network_has_become(
    every: int, tmp_path: Path, make_trainer: MakeTrainer, equal_weights: EqualWeights
) -> None:
    recipe = {"diagnose_every": every}
    torch.manual_seed(4)
    looked = make_trainer(tmp_path / "run", budget=12, recipe=recipe)
    steps = [record["step"] for record in looks(looked.train().records)]
    # Where one is due at the last step, that is it.
    assert steps == {5: [1, 5, 10, 12], 6: [1, 6, 12]}[every]
    torch.manual_seed(4)
    plain = make_trainer(budget=12, recipe=recipe, diagnose=False)
    plain.train()
    assert equal_weights(looked.model, plain.model)
    again = make_trainer(tmp_path / "run", budget=12, recipe=recipe, resume=True).train()
    assert [record["step"] for record in looks(again.records)] == steps
    stopped = make_trainer(tmp_path / "stopped", budget=12, recipe=recipe)
    stopped._ending = lambda stop: "interrupted" if stopped._at.step == 7 else None  # type: ignore[method-assign]
    assert looks(stopped.train().records)[-1]["step"] == every
    off = make_trainer(tmp_path / "off", budget=12, recipe={"diagnose_every": 0}).train()
    assert looks(off.records) == []


def test_a_healthy_run_is_silent_and_a_recipe_can_switch_the_looks_off(
    make_trainer: MakeTrainer,
) -> None:
    outcome = make_trainer(budget=60, recipe={"diagnose_every": 10}).train()
    assert len(looks(outcome.records)) == 6
    assert looks(make_trainer(budget=12, recipe={"diagnose_every": 0}).train().records) == []


def test_a_model_without_recurrent_layers_is_left_alone(
    make_trainer: MakeTrainer, make_still: Callable[[], nn.Module]
) -> None:
    seen = []
    model = make_still()
    model.register_forward_hook(lambda *_: seen.append(1))
    make_trainer(
        budget=6, model=model, loss=lambda outputs, _: outputs, recipe={"diagnose_every": 2}
    ).train()
    assert len(seen) == 6


class Normed(LanguageModel):
    def forward(self, inputs: Tensor, state: Any = None, **options: Any) -> Any:
        logits, state = super().forward(inputs, state, **options)
        return logits - logits.mean(1, keepdim=True), state


def test_a_leak_is_warned_of_before_the_first_step(make_trainer: MakeTrainer) -> None:
    model = Normed(TextEncoder(LSTM(4, 8), 7))
    with pytest.warns(LeakBetweenRows, match="Normed in training mode"):
        make_trainer(budget=2, model=model).train()
    make_trainer(budget=2, model=model, diagnose=False).train()


@given(st.lists(st.floats(-1e6, 1e6), max_size=39))
def test_of_fewer_than_40_losses_nothing_is_said(losses: list[float]) -> None:
    assert still_falls(losses)


@given(st.integers(0, 10_000), st.floats(0.001, 0.3), st.integers(60, 400))
def test_a_loss_that_stays_where_it_is_rarely_counts_as_falling(
    seed: int, noise: float, count: int
) -> None:
    draws = torch.Generator().manual_seed(seed)
    rounds = [
        still_falls((1 + noise * torch.randn(count, generator=draws)).tolist()) for _ in range(20)
    ]
    assert sum(rounds) <= 6


@given(st.floats(0.05, 0.5), st.integers(100, 400), st.integers(0, 99))
def test_a_loss_that_falls_counts_in_spite_of_wild_batches(
    fall: float, count: int, seed: int
) -> None:
    draws = torch.Generator().manual_seed(seed)
    losses = (1 - fall * torch.linspace(0, 1, count)).tolist()
    if count < 2 * loop.WINDOW:
        for k in torch.randint(count, (count // 20,), generator=draws).tolist():
            losses[k] = 1e6
        assert still_falls(losses)
    assert not still_falls(losses[::-1])


def test_a_loss_that_is_no_number_does_not_fall() -> None:
    assert not still_falls([1.0] * 199 + [math.nan])
    assert not still_falls([1.0] * 199 + [math.inf])
