"""What `predict` and `evaluate` share: a model from its file, and the options that fit its task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.base import Task

_OPTIONS = {
    "value_columns": "--target",
    "time_column": "--time",
    "id_column": "--id",
    "quantiles": "--quantile",
    "k": "--suggest",
    "history": "INPUT",
}


def option(name: str) -> str:
    """How an argument in Python is spelt on the command line."""
    return _OPTIONS.get(name, "--" + name.replace("_", "-"))


def refuse(options: dict[str, Any], reason: str) -> None:
    """An option that was given and would not be used is an error, not a surprise."""
    if options:
        raise ConfigError(f"{', '.join(map(option, options))}: {reason}")


def open_model(path: Path) -> Task:
    """The task of a model file; ModelFileError where it is none."""
    from unrolled.tasks.loading import load

    return load(path)


def kind(task: Task) -> str:
    """`Forecaster` or `Generator`."""
    return type(task).__name__


def data_for(task: Task, path: Path, source: str, reading: dict[str, Any]) -> Any:
    """What a task of this kind measures itself on: series, or text."""
    from unrolled.cli.sources import series_of, text_of

    if kind(task) == "Forecaster":
        return series_of(source, reading)
    refuse(reading, f"for tables only, and {path} holds a {kind(task)}, which reads text")
    return text_of([source])
