"""One run: the loop, its folder, and the result.

A run folder holds `log.jsonl`, a line now and then; `checkpoint.unrolled`, the state of the run;
and at the end `result.json`. A run that was stopped goes on to the same weights, bit for bit.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from memory_tasks.images import Pictures, digits, mnist
from memory_tasks.networks import Network, groups_of
from memory_tasks.recipes import Settings
from unrolled.about import machine
from unrolled.data.batch import Batch
from unrolled.data.memory import Adding, Copy, Parity
from unrolled.errors import TrainingDiverged
from unrolled.training import snapshot
from unrolled.training.interrupt import StopRequest
from unrolled.training.modelfile import Card, named, part
from unrolled.training.run import Run
from unrolled.training.same_run import check_same_run
from unrolled.training.schedule import warmup_cosine
from unrolled.writing import replacing

Task = Adding | Copy | Parity | Pictures
RESULT = "result.json"
CHECKPOINT_SECONDS = 60.0
RECORDS = 200  # lines of the log with a training loss, over the whole run


def task_of(settings: Settings) -> Task:
    """The task that the settings name."""
    drawn = {"adding": Adding, "copy": Copy, "parity": Parity}
    if settings.task in drawn:
        return drawn[settings.task](settings.length)
    if settings.task == "digits":
        return digits()
    return mnist(permuted=settings.task == "permuted-mnist")


def score(network: nn.Module, task: Task, part_name: str) -> float:
    """The mean score of the rows of a part."""
    network.eval()
    with torch.no_grad():
        rows = [
            task.measure(_answers(network, one), one.targets) for one in task.held_out(part_name)
        ]
    network.train()
    return float(torch.cat(rows).double().mean())


class Training:
    """A run from its first update, or from its checkpoint, to its result.

    Args:
        settings: of the run.
        folder: of the run, made if missing; None leaves nothing behind.
        tell: called with every record of the log.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path | None = None,
        tell: Callable[[dict[str, Any]], None] = lambda record: None,
    ) -> None:
        self.settings, self._tell = settings, tell
        self.task = task = task_of(settings)
        torch.manual_seed(settings.seed)
        self.network = Network(settings, task.inputs, task.outputs, task.every_step)
        self.parameters = sum(p.numel() for p in self.network.parameters())
        self.optimizer = torch.optim.AdamW(
            groups_of(self.network, settings), lr=settings.learning_rate, betas=(0.9, 0.99)
        )
        self.step, self.seconds, self.tokens = 0, 0.0, 0
        self.best_step, self.best_score = 0, -math.inf if task.higher_is_better else math.inf
        self.best: dict[str, Tensor] = {}
        self._card = Card(task="memory", configuration=asdict(settings))
        self.run = Run(folder, resume=folder is not None)
        self._restore()

    def train(self) -> dict[str, Any] | None:
        """Run to the end and give the result; None where Ctrl-C stopped the run before it."""
        folder, total = self.run.folder, self.settings.updates
        if folder is not None and (folder / RESULT).exists():
            return json.loads((folder / RESULT).read_text())
        self.run.open_log(self.step)
        began, before, saved = time.perf_counter(), self.seconds, time.perf_counter()
        record_every = max(1, total // RECORDS)
        validate_every = -(-total // self.settings.validations)
        try:
            with StopRequest() as stop:
                while self.step < total and not stop.asked:
                    loss, norm = self._update()
                    self.seconds = before + time.perf_counter() - began
                    if self.step % record_every == 0:
                        self._record(loss=round(loss, 8), gradient_norm=round(norm, 6))
                    due = self.step % validate_every == 0 or self.step == total
                    if due:
                        self._validate()
                    self.seconds = before + time.perf_counter() - began
                    if due or stop.asked or time.perf_counter() - saved > CHECKPOINT_SECONDS:
                        self._save()
                        saved = time.perf_counter()
        finally:
            self.run.close()
        return self._result() if self.step == total else None

    def _update(self) -> tuple[float, float]:
        settings = self.settings
        batch = self.task.batch(settings.rows, settings.seed, self.step)
        self.step += 1
        rate = settings.learning_rate * warmup_cosine(
            self.step, settings.updates, warmup=settings.warmup, floor=0.0
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        loss = self.task.loss(_answers(self.network, batch), batch.targets)
        self.optimizer.zero_grad()
        loss.backward()
        norm = float(clip_grad_norm_(self.network.parameters(), settings.clip))
        if not math.isfinite(norm):
            raise TrainingDiverged(self.step, "the norm of the gradient", "lower learning_rate")
        self.optimizer.step()
        self.tokens += batch.tokens
        return float(loss.detach()), norm

    def _validate(self) -> None:
        found = score(self.network, self.task, "validation")
        better = found > self.best_score if self.task.higher_is_better else found < self.best_score
        if better or not self.best:
            self.best_step, self.best_score = self.step, found
            self.best = snapshot.copy_weights(self.network)
        self._record(validation=found)

    def _record(self, **values: Any) -> None:
        record = {"step": self.step, **values, "seconds": round(self.seconds, 1)}
        self.run.write(record)
        self._tell(record)

    def _result(self) -> dict[str, Any]:
        """The test rows are scored here, once, with the weights of the best validation."""
        self.network.load_state_dict(self.best)
        result = {
            **asdict(self.settings),
            "parameters": self.parameters,
            "metric": self.task.metric,
            "test": score(self.network, self.task, "test"),
            "validation": self.best_score,
            "best_step": self.best_step,
            "tokens": self.tokens,
            "minutes": round(self.seconds / 60, 2),
            "machine": machine(),
        }
        if self.run.folder is not None:
            with replacing(self.run.folder / RESULT) as aside:
                aside.write_text(json.dumps(result, indent=1) + "\n")
        return result

    def _save(self) -> None:
        at = {
            name: getattr(self, name)
            for name in ("step", "seconds", "tokens", "best_step", "best_score")
        }
        if not self.best:
            at["best_score"] = None  # JSON has no infinity
        tensors = {
            **named(self.network.state_dict(), "last"),
            **named(self.best, "best"),
            **snapshot.optimizer_tensors(self.optimizer),
            **named(snapshot.generator_states(), "rng"),
        }
        training = {**at, "budget": str(self.settings.updates)}
        self.run.save(self._card.model_copy(update={"training": training}), tensors)

    def _restore(self) -> None:
        found = self.run.checkpoint()
        if found is None:
            return
        card, tensors = found
        assert card.training is not None
        check_same_run(card, self._card, str(self.settings.updates), self.run.folder)
        self.step, self.tokens = card.training["step"], card.training["tokens"]
        self.seconds, self.best_step = card.training["seconds"], card.training["best_step"]
        self.network.load_state_dict(part(tensors, "last"))
        self.best = part(tensors, "best")
        if self.best:
            self.best_score = card.training["best_score"]
        snapshot.load_optimizer_tensors(self.optimizer, part(tensors, "optimizer"))
        snapshot.set_generator_states(part(tensors, "rng"))


def _answers(network: nn.Module, batch: Batch) -> Tensor:
    return network(batch.inputs, batch.lengths)
