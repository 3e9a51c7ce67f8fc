"""The one training loop: batch, forward, loss, backward, update."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from unrolled.data.batch import Batch
from unrolled.errors import ConfigError, Finding, TrainingDiverged
from unrolled.layers.checks import with_nan
from unrolled.layers.states import State
from unrolled.training import snapshot
from unrolled.training.average import WeightAverage
from unrolled.training.budget import OVERRUN, Budget, Plan, StepTimer, validations_left
from unrolled.training.devices import make_accelerator, repeatable
from unrolled.training.diagnostics import diagnose
from unrolled.training.diagnostics_capture import recurrent_layers
from unrolled.training.falling import WINDOW, still_falls
from unrolled.training.interrupt import StopRequest
from unrolled.training.leaks import check_leaks
from unrolled.training.modelfile import Card, named, part
from unrolled.training.optimizer import Recipe, make_optimizer, release, set_pace
from unrolled.training.progress import Progress
from unrolled.training.run import Run
from unrolled.training.same_run import check_same_run
from unrolled.training.schedule import SCHEDULES
from unrolled.training.watch import warn_once

# A checkpoint is written at every validation, and where those are far apart at least this often.
CHECKPOINT_SECONDS = 30.0
# From a warning in `_steps` up to the caller of `train`.
STACK = 4
REMEDY = "lower learning_rate or clip, and start again"


class Batches(Protocol):
    """A source of batches: `source[step]` depends on nothing but its arguments and `step`.

    That makes a resumed run see what the run that was stopped would have seen.
    """

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        ...

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step, counted from 0 and on through the epochs."""
        ...


@dataclass
class Outcome:
    """What a run did.

    Attributes:
        records: the log: a record a step, one for every validation and every look, and before them
            one of the units.
        steps: steps taken, those before a resume included.
        planned: steps of the plan; None when the run was stopped before there was one.
        seconds: time spent training, those before a resume included.
        best_score: the held-out score of the weights that the model ended with.
        best_step: the step that they are from.
        ended: "plan", "time", "patience" or "interrupted".
    """

    records: list[dict[str, Any]]
    steps: int
    planned: int | None
    seconds: float
    best_score: float | None
    best_step: int
    ended: str


@dataclass
class _Progressed:
    """The part of a run's state that is plain numbers; kept in the checkpoint's card."""

    step: int = 0
    plan: Plan | None = None
    seconds: float = 0.0
    validating: float = 0.0
    validated: int = 0
    best_score: float | None = None
    best_step: int = 0
    waited: int = 0
    ended: str | None = None

    def to_card(self) -> dict[str, Any]:
        return {**vars(self), "plan": None if self.plan is None else vars(self.plan)}

    @classmethod
    def from_card(cls, raw: dict[str, Any]) -> _Progressed:
        plan = raw["plan"]
        return cls(**{**raw, "plan": None if plan is None else Plan(**plan)})


@dataclass
class Trainer:
    """Trains one model on one source of batches.

    Args:
        model: called as `model(inputs, state, lengths=..., starts=...) -> (outputs, state)`.
        batches: where the batches come from.
        loss: `loss(outputs, targets) -> scalar`.
        validate: scores the model on the held-out part, lower is better; None: the last weights
            count.
        budget: a time or a number of steps.
        card: what the model file says; a checkpoint adds the state of the run.
        fixed: tensors that belong into the checkpoint's file besides the weights (the baseline's).
        recipe: learning rate and the like.
        run: where log and checkpoint go.
        title, unit: words for the progress bar: what is trained, and what it counts.
        loss_unit, score_unit: what `loss` and `validate` are counted in, such as "nats per word",
            for who reads the log; empty: the log does not say.
        device: "auto" (a CUDA GPU where there is one), "cpu", "cuda".
        precision: "fp32", or "bf16" for mixed precision.
        diagnose: look for leaks before the first step, and through the recurrent layers every
            `recipe.diagnose_every` steps (in a run folder at the first one too, and when the run
            ends); findings are warned of once a kind, and only where the loss no longer falls. The
            weights that come out are the same, bit for bit.
    """

    model: nn.Module
    batches: Batches
    loss: Callable[[Any, Any], Tensor]
    validate: Callable[[], float] | None
    budget: Budget
    card: Card
    fixed: dict[str, Tensor] = field(default_factory=dict)
    recipe: Recipe = field(default_factory=Recipe)
    run: Run = field(default_factory=lambda: Run(None))
    title: str = "training"
    unit: str = "tokens"
    loss_unit: str = ""
    score_unit: str = ""
    device: str = "auto"
    precision: str = "fp32"
    progress: bool = True
    diagnose: bool = True

    def train(self) -> Outcome:
        """Run to the end of the budget; leaves the best weights in the model.

        Ctrl-C ends the run after the current step, with a checkpoint.

        Raises:
            TrainingDiverged: the loss or the gradient is not finite. The last checkpoint stays.
            ConfigError: the checkpoint belongs to another model, other data or another budget.
        """
        self._accelerator = make_accelerator(self.device, self.precision)
        self._optimizer = make_optimizer(self.model, self.recipe)
        model, optimizer = self._accelerator.prepare(self.model, self._optimizer)
        decay = self.recipe.average
        self._average = WeightAverage(self.model, decay) if decay > 0 else None
        self._at = _Progressed()
        self._best: dict[str, Tensor] = {}
        self._carried: State = None
        self._restore()
        self.run.open_log(self._at.step)
        try:
            if not self.run.records:
                self._log_units()
            shown = Progress(self.title, shown=self.progress, unit=self.unit)
            with repeatable(), StopRequest() as stop, shown as bar:
                if self._at.ended is None:
                    self._steps(model, optimizer, stop, bar)
        finally:
            self.run.close()
            release(self._optimizer)
            self.model = self._accelerator.unwrap_model(model, keep_fp32_wrapper=False)
        if self._best:
            self.model.load_state_dict(self._best)
        self.model.eval()
        at = self._at
        planned = None if at.plan is None else at.plan.steps
        return Outcome(
            records=self.run.records,
            steps=at.step,
            planned=planned,
            seconds=at.seconds,
            best_score=at.best_score,
            best_step=at.best_step,
            ended=at.ended or "plan",
        )

    def _steps(self, model: nn.Module, optimizer: Any, stop: StopRequest, bar: Progress) -> None:
        at, recipe = self._at, self.recipe
        clock, falls = _Clock(at.seconds), SCHEDULES[recipe.schedule]
        timer = None
        if at.plan is None and self.budget.steps is not None:
            at.plan = Plan(self.budget.steps, -(-self.budget.steps // recipe.validations))
        elif at.plan is None:
            timer = StepTimer(self.budget.seconds or 0.0, recipe.validations)
        model.train()
        looks = self.diagnose and bool(recurrent_layers(self.model))
        told: set[type[Finding]] = set()
        if looks and at.step == 0:
            self._check_leaks(told)
        saved_at = clock.seconds()
        while at.ended is None:
            at.step += 1
            total = None if at.plan is None else at.plan.steps
            rate = recipe.learning_rate * falls(at.step, total, warmup=recipe.warmup)
            whole = set_pace(optimizer, rate, at.step, total)

            batch = self.batches[at.step - 1].to(self._accelerator.device)
            if whole and looks and self._is_due(at.step):
                self._look(batch, told)
            outputs, state = self._forward(model, batch)
            loss = self.loss(outputs, batch.targets)
            norm = self._backward(model, loss)
            self._update(optimizer, loss, norm, state)

            at.seconds = clock.seconds()
            self._log(loss, norm, rate, batch)
            self._show(bar, total)
            measured = timer is not None and timer.tick()
            due = measured or self._is_validated()
            at.ended = self._ending(stop)
            if at.ended == "interrupted" and not due:
                # Saved before the extra validation: the run that goes on from here makes none.
                self._save()
            if due or at.ended is not None:
                before = at.seconds
                self._validate()
                at.seconds = clock.seconds()
                spent = at.seconds - before
                at.validating, at.validated = at.validating + spent, at.validated + 1
                if timer is not None and measured:
                    at.plan = timer.plan(step=at.step, elapsed=before, validation_seconds=spent)
                    timer = None
                if due and at.ended in (None, "interrupted"):
                    # A validation that used up the time is the one at the end.
                    at.ended = self._out_of_patience() or at.ended or self._ending(stop)
            ended = at.ended in ("plan", "time", "patience")
            if ended and looks and self._is_due_at_end(at.step):
                # What the network has become; one that goes on has not ended.
                self._look(self.batches[at.step].to(self._accelerator.device), told)
            if due or ended or (at.ended is None and at.seconds - saved_at > CHECKPOINT_SECONDS):
                self._save()
                saved_at = at.seconds = clock.seconds()

    def _forward(self, model: nn.Module, batch: Batch) -> tuple[Any, State]:
        carried = self._carried if batch.continues else None
        return model(batch.inputs, carried, lengths=batch.lengths, starts=batch.starts)

    def _backward(self, model: nn.Module, loss: Tensor) -> Tensor:
        self._accelerator.backward(loss)
        parameters = [p for p in model.parameters() if p.grad is not None]
        norm = get_total_norm([p.grad for p in parameters if p.grad is not None])
        # Clipping by a norm that is not finite would spread it to every gradient.
        if torch.isfinite(norm):
            clip_grads_with_norm_(parameters, self.recipe.clip, norm)
        return norm

    def _update(self, optimizer: Any, loss: Tensor, norm: Tensor, state: State) -> None:
        if not torch.isfinite(loss) or not torch.isfinite(norm):
            raise TrainingDiverged(self._at.step, self._first_not_finite(loss), REMEDY)
        optimizer.step()
        optimizer.zero_grad()
        if self._average is not None:
            self._average.update(self._at.step)
        self._carried = snapshot.detach(state)

    def _check_leaks(self, told: set[type[Finding]]) -> None:
        batch = self.batches[0].to(self._accelerator.device)
        # In float32: mixed precision, which stands in the instance's own `forward`, rounds so much
        # that another algorithm for another size of the batch would look like a leak.
        forward = partial(type(self.model).forward, self.model)
        found = check_leaks(self.model, batch, call=forward, warn=False)
        warn_once(found, told, stacklevel=STACK)

    def _is_due(self, step: int) -> bool:
        """Now and then; where there is a log to look at later, also as the network begins."""
        every = self.recipe.diagnose_every
        return bool(every) and (step % every == 0 or (step == 1 and self.run.folder is not None))

    def _is_due_at_end(self, step: int) -> bool:
        every = self.recipe.diagnose_every
        return bool(every) and self.run.folder is not None and not self._is_due(step)

    def _look(self, batch: Batch, told: set[type[Finding]]) -> None:
        """Diagnose the model as it is, on the batch that it reads next."""
        if with_nan(self.model) is not None:
            return  # the step itself tells it

        def loss() -> Tensor:
            outputs, _ = self._forward(self.model, batch)
            return self.loss(outputs, batch.targets)

        report = diagnose(self.model, loss, warn=False, rows=4, points=2)
        losses = [record["loss"] for record in self.run.records if "loss" in record]
        falling = still_falls(losses[-2 * WINDOW :])
        found = {**report.to_dict(), "falling": falling}
        seconds = round(self._at.seconds, 3)
        self.run.write({"step": self._at.step, "diagnostics": found, "seconds": seconds})
        if not falling:
            warn_once(report.findings, told, stacklevel=STACK)

    def _first_not_finite(self, loss: Tensor) -> str:
        if not torch.isfinite(loss):
            return "the loss"
        for name, parameter in self.model.named_parameters():
            if parameter.grad is not None and not torch.isfinite(parameter.grad).all():
                return f"the gradient of {name}"
        return "the norm of the gradient"

    def _log_units(self) -> None:
        told = {"loss": self.loss_unit, "held_out": self.score_unit}
        units = {name: unit for name, unit in told.items() if unit}
        if units:
            self.run.write({"step": 0, "units": units, "seconds": 0.0})

    def _log(self, loss: Tensor, norm: Tensor, rate: float, batch: Batch) -> None:
        self.run.write(
            {
                "step": self._at.step,
                "loss": round(float(loss.detach()), 6),
                "rate": rate,
                "gradient_norm": round(float(norm), 6),
                "clip": self.recipe.clip,
                "tokens": batch.tokens,
                "seconds": round(self._at.seconds, 3),
            }
        )

    def _show(self, bar: Progress, total: int | None) -> None:
        at, records = self._at, self.run.records
        recent = [record for record in records[-20:] if "loss" in record]
        passed = recent[-1]["seconds"] - recent[0]["seconds"]
        tokens = sum(record["tokens"] for record in recent[1:])
        left = None
        if total is not None:
            left = (total - at.step) * at.seconds / at.step
        elif self.budget.seconds is not None:
            left = max(0.0, self.budget.seconds - at.seconds)
        bar.update(
            step=at.step,
            total=total,
            loss=recent[-1]["loss"],
            held_out=at.best_score,
            tokens_per_second=tokens / passed if passed > 0 else 0.0,
            seconds_left=left,
        )

    def _is_validated(self) -> bool:
        """Whether the plan, brought up to date, has a validation after this step, and time for it
        besides the one at the end."""
        at, limit = self._at, self.budget.seconds
        if at.plan is None:
            return False
        if limit is None:
            return at.plan.validates_at(at.step)
        made: dict[str, Any] = {"validating": at.validating, "validated": at.validated}
        at.plan = at.plan.in_time(step=at.step, elapsed=at.seconds, seconds=limit, **made)
        return at.plan.validates_at(at.step) and validations_left(limit, **made) > 1

    def _ending(self, stop: StopRequest) -> str | None:
        at, limit = self._at, self.budget.seconds
        if at.plan is not None and at.step >= at.plan.steps:
            return "plan"
        if stop.asked:
            return "interrupted"
        if limit is not None and at.seconds > OVERRUN * limit:
            return "time"
        return None

    def _out_of_patience(self) -> str | None:
        patience = self.recipe.patience
        return "patience" if patience is not None and self._at.waited >= patience else None

    def _candidate(self) -> AbstractContextManager[None]:
        """The weights that may become the result: the average, where the recipe asks for one."""
        return nullcontext() if self._average is None else self._average.applied()

    def _score(self) -> float:
        assert self.validate is not None
        self.model.eval()
        with torch.no_grad():
            score = self.validate()
        self.model.train()
        return score

    def _validate(self) -> None:
        at = self._at
        with self._candidate():
            if self.validate is None:
                at.best_step, self._best = at.step, snapshot.copy_weights(self.model)
                return
            score = self._score()
            if not math.isfinite(score):
                raise TrainingDiverged(at.step, "the held-out score", REMEDY)
            better = at.best_score is None or score < at.best_score
            at.waited = 0 if better else at.waited + 1
            # Of equal scores, as where all is right, the later one: it has learnt for longer.
            if better or score == at.best_score:
                at.best_score, at.best_step = score, at.step
                self._best = snapshot.copy_weights(self.model)
        seconds = round(at.seconds, 3)
        self.run.write({"step": at.step, "held_out": round(score, 6), "seconds": seconds})

    def _save(self) -> None:
        """Write the checkpoint; its `model.` weights are the best so far: it loads as a model."""
        if self.run.folder is None:
            return
        last = self.model.state_dict()
        tensors = {
            **named(self._best or last, "model"),
            **named(last, "last"),
            **named({} if self._average is None else self._average.tensors, "average"),
            **named(self.fixed, "baseline"),
            **snapshot.optimizer_tensors(self._optimizer),
            **{f"carried.{i}": tensor for i, tensor in enumerate(snapshot.flatten(self._carried))},
            **named(snapshot.generator_states(), "rng"),
        }
        ended = None if self._at.ended == "interrupted" else self._at.ended
        progressed = {**self._at.to_card(), "ended": ended, "budget": str(self.budget)}
        progressed["has_best"] = bool(self._best)
        self.run.save(self.card.model_copy(update={"training": progressed}), tensors)

    def _restore(self) -> None:
        found = self.run.checkpoint()
        if found is None:
            return
        card, tensors = found
        if card.training is None:
            raise ConfigError(
                f"{self.run.folder}: its checkpoint holds a saved model, not a run; choose another"
                " folder"
            )
        check_same_run(card, self.card, str(self.budget), self.run.folder)
        raw = {k: v for k, v in card.training.items() if k not in ("budget", "has_best")}
        self._at = _Progressed.from_card(raw)
        self.model.load_state_dict(part(tensors, "last"))
        if card.training["has_best"]:
            self._best = part(tensors, "model")
        if self._average is not None:
            self._average.load(part(tensors, "average"))
        snapshot.load_optimizer_tensors(self._optimizer, part(tensors, "optimizer"))
        flat = part(tensors, "carried")
        device = self._accelerator.device
        self._carried = snapshot.unflatten([flat[str(i)].to(device) for i in range(len(flat))])
        snapshot.set_generator_states(part(tensors, "rng"))


class _Clock:
    """Seconds of training, those of earlier parts of the run included."""

    def __init__(self, before: float) -> None:
        self._before = before
        self._begun = time.perf_counter()

    def seconds(self) -> float:
        return self._before + time.perf_counter() - self._begun
