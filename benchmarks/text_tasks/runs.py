"""What the text tasks share: what is asked, goals, and the training of one network."""

from __future__ import annotations

import json
import shutil
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import run_folder
import torch
from run_folder import Stopped, tell, write

import unrolled
from unrolled.errors import ConfigError, DataWarning
from unrolled.tasks.base import Task
from unrolled.tasks.evaluation import Evaluation, NetworkLoses
from unrolled.training.budget import OVERRUN

NETWORK, ALONE = "network", "network alone"
MODEL, TOOK = "model.unrolled", "took.json"
Scores = dict[str, dict[str, float]]
AnyTask = TypeVar("AnyTask", bound=Task)


@dataclass(frozen=True)
class Request(run_folder.Request):
    """What a command asks for.

    Attributes:
        pretrained: file of a `Generator` that a classifier starts from.
        model: file of a fitted model, for the task that trains none.
        rival: whether the network's rival is trained in turns with it, where a task has one.
    """

    pretrained: str | None = None
    model: str | None = None
    rival: bool = False


@dataclass(frozen=True)
class Goal:
    """What is to be reached in one metric.

    Attributes:
        metric: its name.
        limit: the figure; None: the best rival's score.
        who: whose score counts.
        higher: whether higher is better.
        within: minutes in which it is to be reached; None: no matter.
    """

    metric: str
    limit: float | None = None
    who: str = NETWORK
    higher: bool = True
    within: float | None = None

    def judged(self, scores: Scores, rivals: Iterable[str], minutes: float) -> dict[str, Any]:
        """The figure, the limit, the best rival, and whether the goal is reached.

        A budget of time may be overrun by what `fit` itself allows.
        """
        better = max if self.higher else min
        theirs = {
            one: scores[one][self.metric]
            for one in rivals
            if one in scores and self.metric in scores[one]
        }
        best = better(theirs, key=theirs.__getitem__) if theirs else None
        if best is None and self.limit is None:
            raise ConfigError(f"{self.metric}: there is no rival to compare with")
        limit = theirs[best] if self.limit is None and best is not None else self.limit
        assert limit is not None
        figure = scores[self.who][self.metric]
        # A figure may be reached exactly; a rival is to be beaten.
        reached = figure != limit if self.limit is None else True
        reached = reached and (figure >= limit if self.higher else figure <= limit)
        in_time = self.within is None or minutes <= OVERRUN * self.within
        return {
            "who": self.who,
            "metric": self.metric,
            "figure": figure,
            "limit": limit,
            "higher is better": self.higher,
            "of the rival": self.limit is None,
            "rule": "the best rival" if self.limit is None else "",
            "within minutes": self.within,
            "rival": best,
            "rival scored": None if best is None else theirs[best],
            "reached": bool(reached) and in_time,
        }


def learn(
    name: str,
    task: AnyTask,
    data: Any,
    request: run_folder.Request,
    *,
    resume: bool = True,
    keep: bool = True,
    more: Callable[[AnyTask], dict[str, Any]] | None = None,
    **options: Any,
) -> tuple[AnyTask, dict[str, Any]]:
    """Train a network in a folder of its own; or take the model that the folder holds already.

    Args:
        name: of the network, and of its folder.
        task: not fitted yet.
        data, options: of its `fit`.
        request: of the command.
        resume: go on with what is there; otherwise begin anew.
        keep: the model, so that it is not trained again.
        more: what else the training took, of the fitted task.

    Returns:
        The fitted task, and what it took: "training" are the minutes of the steps and validations,
        "minutes" those of the whole `fit` with the rivals of its gate and the evaluation.

    Raises:
        Stopped: by Ctrl-C.
    """
    folder = request.within(name)
    if folder is not None and folder.exists() and not resume:
        shutil.rmtree(folder)
    if folder is not None and (folder / TOOK).exists():
        found: Any = unrolled.load(folder / MODEL)
        return found, json.loads((folder / TOOK).read_text())
    began, busy = time.perf_counter(), time.process_time()
    fit: Any = task.fit
    with warnings.catch_warnings():
        # What the data are like is known here, and the verdict stands in the table.
        warnings.simplefilter("ignore", DataWarning)
        warnings.simplefilter("ignore", NetworkLoses)
        fit(data, run_dir=folder, resume=folder is not None, **options)
    if task.outcome.ended == "interrupted":
        raise Stopped
    settings = getattr(task, "settings", None)
    took = {
        "budget": str(options["budget"]),
        "steps": task.outcome.steps,
        "training": round(task.outcome.seconds / 60, 3),
        "minutes": round((time.perf_counter() - began) / 60, 3),
        "processor minutes": round((time.process_time() - busy) / 60, 3),
        "parameters": parameters_of(task.model),
        "threads": torch.get_num_threads(),
        "settings": {} if settings is None else dict(vars(settings)),
        **({} if more is None else more(task)),
    }
    tell(f"{name}: {took['steps']:,} steps in {took['training']:.2f} minutes")
    if folder is not None and keep:
        task.save(folder / MODEL)
        write(folder / TOOK, took)
    return task, took


def parameters_of(model: torch.nn.Module) -> int:
    """Numbers that are learnt."""
    return sum(p.numel() for p in model.parameters())


def scores_of(evaluation: Evaluation | None) -> Scores:
    """The figures of an evaluation by who has them: the network, its parts, each rival."""
    assert evaluation is not None
    rows: Scores = {NETWORK: {one.metric: one.network for one in evaluation.comparisons}}
    for name, value in evaluation.details.items():
        metric, _, who = name.partition(", ")
        rows.setdefault(who or NETWORK, {})[metric] = value
    for one in evaluation.comparisons:
        rows.setdefault(one.baseline_name, {})[one.metric] = one.baseline
    return rows


def rivals_in(scores: Scores) -> list[str]:
    """Who is neither the network nor a part of it."""
    return [name for name in scores if name != NETWORK and not name.endswith(" alone")]


def mean_scores(several: Iterable[Scores]) -> Scores:
    """The mean over folds or seeds, of those who took part in all."""
    found = list(several)
    return {
        who: {
            metric: float(np.mean([one[who][metric] for one in found]))
            for metric in row
            if all(metric in one[who] for one in found)
        }
        for who, row in found[0].items()
        if all(who in one for one in found)
    }


def total(several: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What several trainings took together; parameters and settings are those of the first."""
    found = list(several)
    times = ("steps", "training", "minutes", "processor minutes")
    return {**found[0], **{name: round(sum(one[name] for one in found), 3) for name in times}}


def judged(
    goals: Iterable[Goal], scores: Scores, minutes: float, request: run_folder.Request
) -> list[dict[str, Any]]:
    """All goals; what is asked as a figure is asked of the test part only."""
    return [
        goal.judged(scores, rivals_in(scores), minutes)
        for goal in goals
        if request.part == run_folder.TEST or goal.limit is None
    ]


def file_of(path: str | None, what: str) -> Path:
    """A model's file that a task can't do without."""
    if path is None:
        raise ConfigError(f"--model: got none, expected the file of a {what}")
    return Path(path)
