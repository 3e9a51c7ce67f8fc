"""What the verbs on a model share: its file, the options that fit its task, and its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.cli.options import spelt
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.base import Task
    from unrolled.tasks.evaluation import Evaluation
    from unrolled.tasks.forecaster import Forecaster


def refuse(options: dict[str, Any], reason: str) -> None:
    """An option that was given and would not be used is an error, not a surprise."""
    if options:
        raise ConfigError(f"{', '.join(map(spelt, options))}: {reason}")


def open_model(path: Path) -> Task:
    """The task, or n-gram model, of a model file; ModelFileError where it is none."""
    from unrolled.tasks.loading import load

    return load(path)


def open_task(path: Path) -> Task:
    """The task of a model file; ConfigError where it holds an n-gram model, which is none."""
    task = open_model(path)
    if kind(task) == "NGramModel":
        raise ConfigError(
            f"{path} holds an n-gram model, which answers no input; `unrolled score` says how"
            " likely sentences are to it"
        )
    return task


def kind(task: Task) -> str:
    """`Forecaster`, `Classifier`, `Tagger`, `Generator`, `Translator`, `Transcriber`; or
    `NGramModel`."""
    from unrolled.tasks.loading import kind_of

    return kind_of(task)


def a_kind(task: Task) -> str:
    """The kind as a message says it: "a Generator", "an n-gram model"."""
    from unrolled.tasks.loading import with_article

    return with_article(kind(task))


def open_forecaster(path: Path) -> Forecaster:
    """The forecaster of a model file; ConfigError where it holds another task."""
    task: Any = open_model(path)
    if kind(task) != "Forecaster":
        raise ConfigError(f"{path} holds {a_kind(task)}; give the model of a forecaster")
    forecaster: Forecaster = task
    return forecaster


# Which options say how the data of a task are read.
_READS = {
    "Forecaster": ("value_columns", "time_column", "id_column", "missing"),
    "Classifier": ("text_column", "label_column"),
    "Generator": ("text_column",),
    "Tagger": ("column",),
    "Translator": ("source", "target"),
    "Transcriber": ("audio", "text", "speaker", "pattern", "skip"),
}


def data_for(
    task: Any,
    path: Path,
    sources: Sequence[str],
    reading: dict[str, Any],
    *,
    verb: str = "evaluate",
) -> tuple[Any, dict[str, Any]]:
    """What a task of this kind measures itself on, and how `evaluate` is to read it.

    Args:
        task, path: the task and its file.
        sources: a file, or a set of the catalog; of a translator two files, too.
        reading: the options that were given; ConfigError for those of another task.
        verb: whose help tells more.
    """
    from unrolled.cli.sources import corpus_of, history_of, loaded, unread_pairs

    own = kind(task)
    others = {name: value for name, value in reading.items() if name not in _READS[own]}
    refuse(others, f"not for {path}, which holds a {own}; see unrolled {verb} --help")
    if own == "Translator":
        return unread_pairs(sources), reading
    if len(sources) > 1:
        raise ConfigError(f"{path} holds a {own}: expected one FILE, got {', '.join(sources)}")
    (source,) = sources
    if own == "Forecaster":
        return history_of(task, source, reading), {}
    if own == "Generator":
        return corpus_of([source], reading)
    if own == "Transcriber":
        # Of a set of the catalog it is known how it is read.
        return loaded(source, "recordings"), reading
    data = loaded(source, {"Classifier": "labelled", "Tagger": "tagged"}[own], **reading)
    return data, reading if data is source else {}


def verdict(task: Any, measured: Evaluation | None) -> str:
    """What was measured, and of a forecaster who answers `predict`."""
    if measured is None and task.outcome.ended == "interrupted":
        return "stopped before anything was measured"
    if measured is None:
        return "nothing was held out, so nothing was measured"
    if kind(task) != "Forecaster":
        return str(measured)
    return f"{measured}\n{_who_answers(task, measured)}"


def _who_answers(task: Forecaster, measured: Evaluation) -> str:
    if task.answers != "network":
        return f"the rival answers ({task.answers}): it was better on the held-out part"
    own = task.evaluation
    if own is not None and own.comparisons[-1].verdict == "network loses":
        rival = own.comparisons[-1].baseline_name
        if measured is not own:
            return f"the network answers; in training the rival ({rival}) was better"
        return (
            f"the network answers all the same; with --fallback baseline the rival ({rival}) would"
        )
    return "the network answers"


def made_of(task: Any) -> str:
    """What a forecaster's "auto" came to, for the end of a line; nothing of other tasks."""
    if kind(task) != "Forecaster":
        return ""
    found = task.settings
    lookback = " and ".join(f"{one:,}" for one in found.lookbacks)
    several = "1 network" if found.members == 1 else f"{found.members} networks"
    return (
        f": {several} ({found.architecture}, {found.hidden_size} units, head {found.head}),"
        f" {found.horizon:,} ahead from the last {lookback}"
    )
